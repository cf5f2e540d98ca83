/*
 * areas - communes and provinces by code, their dated table, and geometry where a province has imported it.
 *
 * Shape     Codes are strings: commune 5 digits, province 2 digits. The commune code does not contain the province's.
 *           Table file (TSV, in deploy/provinces): code, name, kind, province, valid_from, valid_until, successor.
 * Rules     Never by name. An unknown code is an error; a retired one names its successor. Nothing is ever widened:
 *           geometry that meets no commune, or an area without usable codes or geometry, resolves to nothing and says
 *           so. Door    GEOS appears in geometry.c only.
 * Source    Decision 19/2025/QD-TTg.
 */
#ifndef KENG_AREAS_AREAS_H
#define KENG_AREAS_AREAS_H

#include "alert/alert.h"
#include "base/err.h"

typedef struct areas areas;

typedef struct commune {
    const char *code, *name, *kind, *province;
    const char *successor; /* "" unless retired */
    bool has_geometry;
} commune;

/* geocode valueNames of the CAP-VN profile */
#define AREAS_COMMUNE  "CAP-VN:commune"
#define AREAS_PROVINCE "CAP-VN:province"

KG_MUST_CHECK kg_err areas_load(const char *communes_tsv, areas **out, kg_diag *diag);
KG_MUST_CHECK kg_err areas_add(areas *a, const char *communes_tsv, kg_diag *diag); /* a further province */
/* GeoJSON FeatureCollection; a feature's commune is properties.code. KG_E_INVALID names the feature. */
KG_MUST_CHECK kg_err areas_import(areas *a, const char *geojson_path, size_t *imported, kg_diag *diag);
void areas_free(areas **a);

size_t areas_count(const areas *a);
const commune *areas_at(const areas *a, size_t i); /* sorted by code */
const commune *areas_find(const areas *a, const char *code);
bool areas_has_province(const areas *a, const char *province);
/* Index of a commune by code, or SIZE_MAX. */
size_t areas_index(const areas *a, const char *code);

/* The communes an alert is for, as a set of indices in ascending order. `gaps` collects what could not be
 * resolved, a sentence a line; `unusable` is set when an area gave nothing (the alert is then held for a
 * person). Geocodes of other schemes are kept, reported, and never widen. Codes union geometry within an
 * area. */
typedef struct area_set {
    kg_arena mem;
    uint32_t *items;
    size_t count;
    bool unusable;
    bool whole_province; /* some area named a province by code */
} area_set;

/* KG_E_NOTFOUND: a commune code is unknown or retired; the sentence names the successor when known. */
KG_MUST_CHECK kg_err areas_resolve(const areas *a, const alert *al, area_set *out, kg_diag *diag);
void area_set_done(area_set *s);
bool area_set_has(const area_set *s, uint32_t index);

#endif
