/*
 * areas - communes and provinces by code, their dated table, and geometry where a province has imported it.
 *
 * Shape     Codes are strings: commune 5 digits, province 2 digits. The commune code does not contain the province's.
 *           Table file (TSV, in deploy/provinces): code, name, kind, province, valid_from, valid_until, successor.
 *           Dates are days in Viet Nam; valid_until is the last day. successor: one code, or several with blanks.
 * Rules     Never by name. An unknown code is an error; a retired one names its successor. Nothing is ever widened:
 *           geometry that meets no commune, or an area without usable codes or geometry, resolves to nothing and says
 *           so. A ring that crosses itself is repaired outwards (its outline is filled), and that is said too.
 * Limits    AREAS_COMMUNES_MAX; geometry of an alert: AREAS_SHAPES_MAX shapes, what lies beyond is reported, not read.
 * Threads   One: a lookup may build an index of the geometry it meets first.
 * Door      GEOS appears in geometry.c only, jansson in areas_import.c only.
 * Source    Decision 19/2025/QD-TTg; cap.md B4 for the reading of polygons and circles.
 */
#ifndef KENG_AREAS_AREAS_H
#define KENG_AREAS_AREAS_H

#include "alert/alert.h"
#include "base/err.h"

enum { AREAS_COMMUNES_MAX = 20000, AREAS_SHAPES_MAX = 1024 };

typedef struct areas areas;

typedef struct commune {
    const char *code, *name, *kind, *province;
    const char *valid_from, *valid_until; /* "YYYY-MM-DD"; valid_until "" while in force */
    const char *successor;                /* "" unless retired */
    bool has_geometry;
} commune;

/* geocode valueNames of the CAP-VN profile, compared exactly */
#define AREAS_COMMUNE  "CAP-VN:commune"
#define AREAS_PROVINCE "CAP-VN:province"
#define AREAS_NATION   "00" /* as a province: every commune of the table */

/* Errors: KG_E_INVALID with file and line; a failing areas_add or areas_import changes nothing. */
KG_MUST_CHECK kg_err areas_load(const char *communes_tsv, areas **out, kg_diag *diag);
/* A further province. Indices change: before anything is resolved. */
KG_MUST_CHECK kg_err areas_add(areas *a, const char *communes_tsv, kg_diag *diag);
/* GeoJSON FeatureCollection (lon,lat; Polygon or MultiPolygon); a feature's commune is properties.code. What was
 * imported before for that commune is replaced. KG_E_INVALID names the feature. */
KG_MUST_CHECK kg_err areas_import(areas *a, const char *geojson_path, size_t *imported, kg_diag *diag);
/* The same from memory; `name` stands in complaints. */
KG_MUST_CHECK kg_err areas_import_text(areas *a, const char *name, const char *text, size_t n, size_t *imported,
                                       kg_diag *diag);
void areas_free(areas **a);

size_t areas_count(const areas *a);                /* retired ones too */
const commune *areas_at(const areas *a, size_t i); /* sorted by code */
const commune *areas_find(const areas *a, const char *code);
bool areas_has_province(const areas *a, const char *province);
/* Gives every area of the alert that has no description one made of its communes' kinds and names ("xã Bình Đại, phường
 * Duyên Hải"), of at most AREAS_NAMED; more are counted ("37 xã, phường"), a province by its code is "toàn tỉnh". */
enum { AREAS_NAMED = 8 };
KG_MUST_CHECK kg_err areas_describe(const areas *a, alert *al);
/* Index of a commune by code, or SIZE_MAX. */
size_t areas_index(const areas *a, const char *code);
/* True while the commune exists at the time; 0: today is not asked, only whether it was retired. */
bool areas_in_force(const commune *c, int64_t at_ms);

/* The communes an alert is for, as a set of indices in ascending order. Codes union geometry within an area;
 * geocodes of other schemes are kept, reported, and never widen. `unusable` is set when some area gave nothing;
 * when all gave nothing (count == 0) the alert is held for a person. */
typedef struct area_set {
    kg_arena mem;
    uint32_t *items;
    size_t count;
    bool unusable;
    bool whole_province; /* some area named a province by code */
    const char *notes;   /* what could not be resolved or was repaired, a sentence a line; "" nothing */
} area_set;

/* KG_E_NOTFOUND: a commune or province code is unknown or retired on the day the alert was sent; the sentence names
 * the successor when known. */
KG_MUST_CHECK kg_err areas_resolve(const areas *a, const alert *al, area_set *out, kg_diag *diag);
void area_set_done(area_set *s);
bool area_set_has(const area_set *s, uint32_t index);

#endif
