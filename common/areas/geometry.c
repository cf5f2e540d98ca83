#include "areas/geometry.h"

#include <float.h>
#include <geos_c.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Mean radius (IUGG), and a millimetre of room for rounding when a point lies on a border. */
static const double earth_km = 6371.0088;
static const double slack_km = 1e-6;
static const double degree = 3.14159265358979323846 / 180.0;

typedef struct box {
    double south, north, west, east;
} box;

typedef struct outline {
    GEOSGeometry *shape; /* NULL: none imported */
    geo_point *points;   /* all rings, one after the other */
    size_t *ends;        /* where each ring ends in points */
    size_t rings;
    box bounds;
} outline;

struct geometry {
    GEOSContextHandle_t geos;
    size_t count;
    outline items[];
};

kg_err geometry_new(size_t communes, geometry **out)
{
    geometry *g = calloc(1, sizeof *g + communes * sizeof g->items[0]);
    if (g == NULL) {
        return KG_E_NOMEM;
    }
    g->geos = GEOS_init_r();
    if (g->geos == NULL) {
        free(g);
        return KG_E_NOMEM;
    }
    g->count = communes;
    *out = g;
    return KG_OK;
}

static void outline_done(GEOSContextHandle_t geos, outline *o)
{
    if (o->shape != NULL) {
        GEOSGeom_destroy_r(geos, o->shape);
    }
    free(o->points);
    free(o->ends);
    *o = (outline){0};
}

void geometry_free(geometry **g)
{
    if (g != NULL && *g != NULL) {
        for (size_t i = 0; i < (*g)->count; i++) {
            outline_done((*g)->geos, &(*g)->items[i]);
        }
        GEOS_finish_r((*g)->geos);
        free(*g);
        *g = NULL;
    }
}

bool geometry_has(const geometry *g, size_t commune)
{
    return g != NULL && commune < g->count && g->items[commune].shape != NULL;
}

void geometry_merge(geometry *g, geometry *from)
{
    for (size_t i = 0; i < g->count && i < from->count; i++) {
        if (from->items[i].shape != NULL) {
            const outline old = g->items[i];
            g->items[i] = from->items[i];
            from->items[i] = old;
        }
    }
}

static box bounds_of(const geo_point *p, size_t n)
{
    box b = {.south = DBL_MAX, .north = -DBL_MAX, .west = DBL_MAX, .east = -DBL_MAX};
    for (size_t i = 0; i < n; i++) {
        b.south = fmin(b.south, p[i].lat);
        b.north = fmax(b.north, p[i].lat);
        b.west = fmin(b.west, p[i].lon);
        b.east = fmax(b.east, p[i].lon);
    }
    return b;
}

static bool boxes_meet(const box *a, const box *b)
{
    return a->south <= b->north && b->south <= a->north && a->west <= b->east && b->west <= a->east;
}

static GEOSCoordSequence *sequence(GEOSContextHandle_t geos, const geo_point *p, size_t n)
{
    double *xy = calloc(n, 2 * sizeof *xy);
    if (xy == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        xy[2 * i] = p[i].lon;
        xy[2 * i + 1] = p[i].lat;
    }
    GEOSCoordSequence *s = GEOSCoordSeq_copyFromBuffer_r(geos, xy, (unsigned)n, 0, 0);
    free(xy);
    return s;
}

static GEOSGeometry *ring_of(GEOSContextHandle_t geos, const geo_point *p, size_t n)
{
    GEOSCoordSequence *s = sequence(geos, p, n);
    return s != NULL ? GEOSGeom_createLinearRing_r(geos, s) : NULL;
}

/* ---- outlines ---- */

/* One polygon: rings[0] is the outer ring, the rest are its holes. */
static GEOSGeometry *polygon_of(GEOSContextHandle_t geos, const geo_ring *rings, size_t count)
{
    GEOSGeometry **holes = calloc(count, sizeof(GEOSGeometry *));
    GEOSGeometry *outer = ring_of(geos, rings[0].points, rings[0].count);
    GEOSGeometry *polygon = NULL;
    size_t made = 0;
    bool good = holes != NULL && outer != NULL;
    for (size_t i = 1; good && i < count; i++) {
        holes[made] = ring_of(geos, rings[i].points, rings[i].count);
        good = holes[made] != NULL;
        made += good ? 1 : 0;
    }
    if (good) {
        polygon = GEOSGeom_createPolygon_r(geos, outer, holes, (unsigned)made); /* takes them all */
    } else {
        for (size_t i = 0; i < made; i++) {
            GEOSGeom_destroy_r(geos, holes[i]);
        }
        if (outer != NULL) {
            GEOSGeom_destroy_r(geos, outer);
        }
    }
    free(holes);
    return polygon;
}

static GEOSGeometry *shape_of(GEOSContextHandle_t geos, const geo_ring *rings, size_t count)
{
    GEOSGeometry **parts = calloc(count, sizeof(GEOSGeometry *));
    GEOSGeometry *shape = NULL;
    size_t made = 0;
    bool good = parts != NULL;
    for (size_t i = 0; good && i < count;) {
        size_t end = i + 1;
        while (end < count && rings[end].hole) {
            end++;
        }
        parts[made] = polygon_of(geos, rings + i, end - i);
        good = parts[made] != NULL;
        made += good ? 1 : 0;
        i = end;
    }
    if (good) {
        shape = GEOSGeom_createCollection_r(geos, GEOS_MULTIPOLYGON, parts, (unsigned)made); /* takes them */
    } else {
        for (size_t i = 0; i < made; i++) {
            GEOSGeom_destroy_r(geos, parts[i]);
        }
    }
    free(parts);
    return shape;
}

static kg_err copy_rings(outline *o, const geo_ring *rings, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        total += rings[i].count;
    }
    o->points = calloc(total, sizeof *o->points);
    o->ends = calloc(count, sizeof *o->ends);
    if (o->points == NULL || o->ends == NULL) {
        return KG_E_NOMEM;
    }
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(o->points + at, rings[i].points, rings[i].count * sizeof *o->points);
        at += rings[i].count;
        o->ends[i] = at;
    }
    o->rings = count;
    o->bounds = bounds_of(o->points, total);
    return KG_OK;
}

static kg_err outline_make(GEOSContextHandle_t geos, outline *o, const geo_ring *rings, kg_diag *diag)
{
    o->shape = shape_of(geos, rings, o->rings);
    if (o->shape == NULL) {
        return kg_fail(diag, KG_E_INVALID, "no polygon can be made of it (each ring needs 4 positions, first = last)");
    }
    if (GEOSisValid_r(geos, o->shape) == 1) {
        return KG_OK;
    }
    char *why = GEOSisValidReason_r(geos, o->shape);
    const kg_err e = kg_fail(diag, KG_E_INVALID, "the outline is not valid: %s", why != NULL ? why : "reason unknown");
    if (why != NULL) {
        GEOSFree_r(geos, why);
    }
    return e;
}

kg_err geometry_put(geometry *g, size_t commune, const geo_ring *rings, size_t count, kg_diag *diag)
{
    if (commune >= g->count || count == 0 || rings[0].hole) {
        return kg_fail(diag, KG_E_INVALID, "an outline begins with an outer ring");
    }
    outline o = {0};
    kg_err e = copy_rings(&o, rings, count);
    if (e != KG_OK) {
        kg_ignore(kg_fail(diag, e, "no memory for an outline")); /* e is returned below */
    } else {
        e = outline_make(g->geos, &o, rings, diag);
    }
    if (e != KG_OK) {
        outline_done(g->geos, &o);
        return e;
    }
    outline_done(g->geos, &g->items[commune]);
    g->items[commune] = o;
    return KG_OK;
}

/* ---- inside or not ---- */

/* How often the closed ring winds around p; *crossings counts the ring's edges east of p. */
static int winding(const geo_point *ring, size_t n, geo_point p, size_t *crossings)
{
    int turns = 0;
    for (size_t i = 1; i < n; i++) {
        const geo_point a = ring[i - 1], b = ring[i];
        if ((a.lat <= p.lat) == (b.lat <= p.lat)) {
            continue;
        }
        const double side = (b.lon - a.lon) * (p.lat - a.lat) - (p.lon - a.lon) * (b.lat - a.lat);
        const bool up = b.lat > a.lat;
        if (up ? side > 0 : side < 0) {
            turns += up ? 1 : -1;
            (*crossings)++;
        }
    }
    return turns;
}

static bool inside(const outline *o, geo_point p)
{
    size_t crossings = 0;
    for (size_t r = 0, from = 0; r < o->rings; from = o->ends[r++]) {
        (void)winding(o->points + from, o->ends[r] - from, p, &crossings);
    }
    return crossings % 2 == 1;
}

/* ---- polygons ---- */

/* A shape in the plane, made ready to be asked many times. */
typedef struct asked {
    GEOSContextHandle_t geos;
    const geo_point *points;
    size_t count;
    GEOSGeometry *shape; /* a polygon; the bare line when it crosses itself */
    const GEOSPreparedGeometry *prepared;
    bool crossed;
} asked;

/* Do the interiors meet? Only asked where the borders do. The piece within the commune's box is enough, and with a
 * large polygon much less work; where clipping gives up, the whole polygon answers. */
static bool interiors_meet(const asked *q, const outline *o)
{
    enum { SMALL = 512 };
    static const double margin = 1e-4; /* the box's own edge must not touch the commune */
    char answer = 2;
    if (q->count > SMALL) {
        GEOSGeometry *piece = GEOSClipByRect_r(q->geos, q->shape, o->bounds.west - margin, o->bounds.south - margin,
                                               o->bounds.east + margin, o->bounds.north + margin);
        if (piece != NULL && GEOSisValid_r(q->geos, piece) == 1) {
            answer = GEOSRelatePattern_r(q->geos, piece, o->shape, "T********");
        }
        if (piece != NULL) {
            GEOSGeom_destroy_r(q->geos, piece);
        }
    }
    if (answer == 2) {
        answer = GEOSRelatePattern_r(q->geos, q->shape, o->shape, "T********");
    }
    return answer != 0; /* an undecided border case counts as met: it is one */
}

static bool meets(const asked *q, const outline *o)
{
    if (q->crossed) {
        size_t crossings = 0;
        return winding(q->points, q->count, o->points[0], &crossings) != 0 ||
               GEOSPreparedIntersects_r(q->geos, q->prepared, o->shape) == 1;
    }
    return GEOSPreparedIntersects_r(q->geos, q->prepared, o->shape) == 1 &&
           (GEOSPreparedContainsProperly_r(q->geos, q->prepared, o->shape) == 1 || interiors_meet(q, o));
}

static void asked_done(asked *q)
{
    if (q->prepared != NULL) {
        GEOSPreparedGeom_destroy_r(q->geos, q->prepared);
    }
    if (q->shape != NULL) {
        GEOSGeom_destroy_r(q->geos, q->shape);
    }
}

/* A ring that crosses itself is asked as a line with winding: whatever reading of it one takes (even-odd, non-zero),
 * that reading lies within this one, and no hostile ring can make the repair cost more than the question. */
static bool asked_init(asked *q, const geometry *g, const geo_point *p, size_t n)
{
    *q = (asked){.geos = g->geos, .points = p, .count = n};
    GEOSGeometry *ring = ring_of(g->geos, p, n);
    if (ring == NULL) {
        return false;
    }
    q->shape = GEOSGeom_createPolygon_r(g->geos, ring, NULL, 0);
    if (q->shape == NULL) {
        return false;
    }
    q->crossed = GEOSisValid_r(g->geos, q->shape) != 1;
    if (q->crossed) {
        GEOSGeom_destroy_r(g->geos, q->shape);
        GEOSCoordSequence *s = sequence(g->geos, p, n);
        q->shape = s != NULL ? GEOSGeom_createLineString_r(g->geos, s) : NULL;
    }
    q->prepared = q->shape != NULL ? GEOSPrepare_r(g->geos, q->shape) : NULL;
    return q->prepared != NULL;
}

static geo_answer ask_plane(const geometry *g, const geo_point *p, size_t n, bool *hit, size_t *met)
{
    asked q;
    if (!asked_init(&q, g, p, n)) {
        asked_done(&q);
        return GEO_FAILED;
    }
    const box bounds = bounds_of(p, n);
    for (size_t i = 0; i < g->count; i++) {
        const outline *o = &g->items[i];
        if (o->shape != NULL && boxes_meet(&bounds, &o->bounds) && meets(&q, o)) {
            hit[i] = true;
            (*met)++;
        }
    }
    const geo_answer answer = q.crossed ? GEO_REPAIRED : GEO_READ;
    asked_done(&q);
    return answer;
}

/* Longitudes made continuous: each step the short way round. False when the ring then does not close: it runs around
 * a pole, and which side it means is not for us to guess. */
static bool unroll(const geo_point *in, size_t n, geo_point *out)
{
    out[0] = in[0];
    for (size_t i = 1; i < n; i++) {
        double step = in[i].lon - in[i - 1].lon;
        step += step > 180.0 ? -360.0 : step < -180.0 ? 360.0 : 0.0;
        out[i] = (geo_point){in[i].lat, out[i - 1].lon + step};
    }
    if (fabs(out[n - 1].lon - out[0].lon) > 1.0) {
        return false;
    }
    out[n - 1] = out[0];
    return true;
}

static geo_answer ask_shifted(const geometry *g, geo_point *p, size_t n, bool *hit, size_t *met)
{
    const box bounds = bounds_of(p, n);
    geo_answer answer = ask_plane(g, p, n, hit, met);
    const double turn = bounds.east > 180.0 ? -360.0 : bounds.west < -180.0 ? 360.0 : 0.0;
    if (turn < 0.0 || turn > 0.0) { /* over the 180th meridian: ask for the part on its other side too */
        for (size_t i = 0; i < n; i++) {
            p[i].lon += turn;
        }
        const geo_answer other = ask_plane(g, p, n, hit, met);
        answer = other > answer ? other : answer;
    }
    return answer;
}

geo_answer geometry_polygon(const geometry *g, const geo_point *closed, size_t n, bool *hit, size_t *met)
{
    *met = 0;
    geo_point *p = calloc(n, sizeof *p);
    if (p == NULL) {
        return GEO_FAILED;
    }
    geo_answer answer = GEO_POLE;
    if (unroll(closed, n, p)) {
        const box b = bounds_of(p, n);
        const bool point = b.south >= b.north && b.west >= b.east;
        answer = point ? GEO_REPAIRED : ask_shifted(g, p, n, hit, met);
        if (point && geometry_circle(g, closed[0], 0.0, hit, met) != GEO_READ) {
            answer = GEO_FAILED;
        }
    }
    free(p);
    return answer;
}

/* ---- circles ---- */

typedef struct vec {
    double x, y, z;
} vec;

static vec vec_of(geo_point p)
{
    const double lat = p.lat * degree, lon = p.lon * degree;
    return (vec){cos(lat) * cos(lon), cos(lat) * sin(lon), sin(lat)};
}

static vec cross(vec a, vec b)
{
    return (vec){a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

static double dot(vec a, vec b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

static double angle(vec a, vec b)
{
    const vec n = cross(a, b);
    return atan2(sqrt(dot(n, n)), dot(a, b));
}

/* Angle from c to the arc a-b. */
static double angle_to_arc(vec c, vec a, vec b)
{
    const vec n = cross(a, b);
    const double len = sqrt(dot(n, n));
    if (len > 1e-15 && dot(c, cross(n, a)) > 0.0 && dot(c, cross(b, n)) > 0.0) {
        return fabs(asin(fmax(-1.0, fmin(1.0, dot(c, n) / len))));
    }
    return fmin(angle(c, a), angle(c, b));
}

static bool circle_meets(const outline *o, geo_point centre, vec c, double reach)
{
    if (inside(o, centre)) {
        return true;
    }
    for (size_t r = 0, from = 0; r < o->rings; from = o->ends[r++]) {
        vec a = vec_of(o->points[from]);
        for (size_t i = from + 1; i < o->ends[r]; i++) {
            const vec b = vec_of(o->points[i]);
            if (angle_to_arc(c, a, b) <= reach) {
                return true;
            }
            a = b;
        }
    }
    return false;
}

/* Can the circle reach the box at all? Errs to yes. */
static bool may_reach(const box *b, geo_point centre, double reach)
{
    const double lat = reach / degree;
    if (b->north < centre.lat - lat || b->south > centre.lat + lat) {
        return false;
    }
    if (fabs(centre.lat) + lat >= 89.0) {
        return true; /* near a pole every longitude is */
    }
    const double wide = asin(fmin(1.0, sin(reach) / cos(centre.lat * degree))) / degree;
    const double middle = (b->west + b->east) / 2.0;
    const double apart = fabs(remainder(middle - centre.lon, 360.0));
    return apart <= wide + (b->east - b->west) / 2.0 + 1e-6;
}

geo_answer geometry_circle(const geometry *g, geo_point centre, double radius_km, bool *hit, size_t *met)
{
    *met = 0;
    const double reach = (radius_km + slack_km) / earth_km;
    const vec c = vec_of(centre);
    for (size_t i = 0; i < g->count; i++) {
        const outline *o = &g->items[i];
        if (o->shape != NULL && may_reach(&o->bounds, centre, reach) && circle_meets(o, centre, c, reach)) {
            hit[i] = true;
            (*met)++;
        }
    }
    return GEO_READ;
}
