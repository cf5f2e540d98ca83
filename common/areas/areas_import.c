#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "areas/areas.h"
#include "areas/areas_table.h"
#include "base/file.h"

enum { GEOJSON_MAX = 64 * 1024 * 1024, RING_POINTS_MAX = 1000000, RINGS_MAX = 100000 };

/* The rings of one feature while they are collected. */
typedef struct rings {
    kg_arena mem;
    geo_ring *items;
    size_t count;
} rings;

static const char *read_point(const json_t *position, geo_point *out)
{
    const json_t *lon = json_array_get(position, 0), *lat = json_array_get(position, 1);
    if (!json_is_number(lon) || !json_is_number(lat)) {
        return "a position is not [lon, lat]";
    }
    *out = (geo_point){json_number_value(lat), json_number_value(lon)};
    return fabs(out->lat) <= 90.0 && fabs(out->lon) <= 180.0 ? NULL : "a position is off the Earth ([lon, lat] wanted)";
}

static const char *read_ring(const json_t *ring, bool hole, rings *out)
{
    const size_t n = json_array_size(ring);
    if (n < 4 || n > RING_POINTS_MAX) {
        return "a ring needs at least 4 positions (and at most a million)";
    }
    geo_point *points = kg_arena_array(&out->mem, n, sizeof *points);
    if (points == NULL) {
        return "no memory for a ring";
    }
    for (size_t i = 0; i < n; i++) {
        const char *fault = read_point(json_array_get(ring, i), &points[i]);
        if (fault != NULL) {
            return fault;
        }
    }
    if (points[0].lat != points[n - 1].lat || points[0].lon != points[n - 1].lon) {
        return "a ring is not closed (its last position must repeat the first)";
    }
    out->items[out->count++] = (geo_ring){.points = points, .count = n, .hole = hole};
    return NULL;
}

static const char *read_polygon(const json_t *polygon, rings *out)
{
    const size_t n = json_array_size(polygon);
    if (n == 0) {
        return "a polygon has no ring";
    }
    for (size_t i = 0; i < n; i++) {
        const char *fault = read_ring(json_array_get(polygon, i), i > 0, out);
        if (fault != NULL) {
            return fault;
        }
    }
    return NULL;
}

static size_t rings_in(const json_t *polygons)
{
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(polygons); i++) {
        n += json_array_size(json_array_get(polygons, i));
    }
    return n;
}

static const char *read_shape(const json_t *shape, rings *out)
{
    const char *type = json_string_value(json_object_get(shape, "type"));
    const json_t *at = json_object_get(shape, "coordinates");
    const bool many = type != NULL && strcmp(type, "MultiPolygon") == 0;
    if (type == NULL || (!many && strcmp(type, "Polygon") != 0)) {
        return "its geometry is neither a Polygon nor a MultiPolygon";
    }
    const size_t n = many ? rings_in(at) : json_array_size(at);
    if (n == 0 || n > RINGS_MAX) {
        return "its geometry has no ring, or too many";
    }
    out->items = kg_arena_array(&out->mem, n, sizeof *out->items);
    if (out->items == NULL) {
        return "no memory for its rings";
    }
    if (!many) {
        return read_polygon(at, out);
    }
    const char *fault = NULL;
    for (size_t i = 0; fault == NULL && i < json_array_size(at); i++) {
        fault = read_polygon(json_array_get(at, i), out);
    }
    return fault;
}

/* The commune a feature is for, or SIZE_MAX and a complaint. */
static size_t commune_of(const areas *a, const geometry *g, const json_t *feature, const char **fault)
{
    const char *code = json_string_value(json_object_get(json_object_get(feature, "properties"), "code"));
    const size_t i = code != NULL ? areas_index(a, code) : SIZE_MAX;
    *fault = code == NULL         ? "it has no properties.code (5 digits as text)"
             : i == SIZE_MAX      ? "its properties.code is in no loaded commune table"
             : geometry_has(g, i) ? "its commune has an earlier feature in this file"
                                  : NULL;
    return *fault == NULL ? i : SIZE_MAX;
}

static kg_err import_feature(const areas *a, geometry *g, const json_t *feature, kg_diag *diag)
{
    const char *fault = NULL;
    const size_t i = commune_of(a, g, feature, &fault);
    if (i == SIZE_MAX) {
        return kg_fail(diag, KG_E_INVALID, "%s", fault);
    }
    rings r = {0};
    fault = read_shape(json_object_get(feature, "geometry"), &r);
    const kg_err e =
        fault == NULL ? geometry_put(g, i, r.items, r.count, diag) : kg_fail(diag, KG_E_INVALID, "%s", fault);
    kg_arena_done(&r.mem);
    return e;
}

static kg_err import_features(const areas *a, geometry *g, const char *name, const json_t *root, kg_diag *diag)
{
    const json_t *features = json_object_get(root, "features");
    const char *type = json_string_value(json_object_get(root, "type"));
    if (type == NULL || strcmp(type, "FeatureCollection") != 0 || json_array_size(features) == 0) {
        return kg_fail(diag, KG_E_INVALID, "%s: not a GeoJSON FeatureCollection with at least one feature", name);
    }
    for (size_t i = 0; i < json_array_size(features); i++) {
        const json_t *feature = json_array_get(features, i);
        const kg_err e = import_feature(a, g, feature, diag);
        if (e != KG_OK) {
            const char *code = json_string_value(json_object_get(json_object_get(feature, "properties"), "code"));
            return kg_fail_in(diag, e, "%s: feature %zu (%.16s): ", name, i + 1, code != NULL ? code : "no code");
        }
    }
    return KG_OK;
}

/* Nothing can fail any more: take the new outlines in. */
static size_t take(areas *a, geometry **fresh)
{
    size_t taken = 0;
    for (size_t i = 0; i < a->count; i++) {
        taken += geometry_has(*fresh, i) ? 1 : 0;
    }
    if (a->outlines == NULL) {
        a->outlines = *fresh;
        *fresh = NULL;
    } else {
        geometry_merge(a->outlines, *fresh);
    }
    for (size_t i = 0; i < a->count; i++) {
        a->items[i].has_geometry = geometry_has(a->outlines, i);
    }
    return taken;
}

kg_err areas_import_text(areas *a, const char *name, const char *text, size_t n, size_t *imported, kg_diag *diag)
{
    json_error_t where;
    geometry *fresh = NULL;
    json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &where);
    if (root == NULL) {
        return kg_fail(diag, KG_E_INVALID, "%s:%d:%d: not JSON: %s", name, where.line, where.column, where.text);
    }
    kg_err e = geometry_new(a->count, &fresh);
    if (e == KG_OK) {
        e = import_features(a, fresh, name, root, diag);
    } else {
        kg_ignore(kg_fail(diag, e, "%s: no memory for the outlines", name)); /* e is returned below */
    }
    if (e == KG_OK) {
        *imported = take(a, &fresh);
    }
    geometry_free(&fresh);
    json_decref(root);
    return e;
}

kg_err areas_import(areas *a, const char *geojson_path, size_t *imported, kg_diag *diag)
{
    kg_buf text = {.max = GEOJSON_MAX};
    kg_err e = kg_file_read(geojson_path, GEOJSON_MAX, &text, diag);
    if (e == KG_OK) {
        e = areas_import_text(a, geojson_path, kg_buf_str(&text), text.len, imported, diag);
    }
    kg_buf_done(&text);
    return e;
}
