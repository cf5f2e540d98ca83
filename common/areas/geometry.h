/*
 * geometry - outlines of communes, and which of them a polygon or a circle meets. Private to the room; the door of
 * GEOS.
 *
 * Shape     Outlines by commune index, planar in degrees, as GeoJSON gives them. Points are lat, lon in degrees.
 * Rules     A polygon over the 180th meridian is read the short way round. One that crosses itself stands for all that
 *           it winds around. A circle is measured in km on a sphere of the Earth's mean radius.
 *           Borders that only touch are not a meeting: a polygon drawn along a commune's border is for that commune.
 * Speed     Bounding boxes first; then the polygon is indexed once (prepared) and asked about each commune. The work
 *           is bounded by points x communes, also for a hostile ring.
 */
#ifndef KENG_AREAS_GEOMETRY_H
#define KENG_AREAS_GEOMETRY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

typedef struct geometry geometry;

typedef struct geo_point {
    double lat, lon;
} geo_point;

/* One ring of an outline; a polygon is an outer ring and the holes that follow it. */
typedef struct geo_ring {
    const geo_point *points; /* closed: first = last */
    size_t count;
    bool hole;
} geo_ring;

typedef enum geo_answer {
    GEO_READ,     /* done; hits may still be none */
    GEO_REPAIRED, /* done, for a ring that crosses itself or has no width: all that it runs around or along */
    GEO_POLE,     /* the ring runs around a pole: which side it means is not said */
    GEO_FAILED    /* no memory, or GEOS gave up */
} geo_answer;

KG_MUST_CHECK kg_err geometry_new(size_t communes, geometry **out);
void geometry_free(geometry **g);
/* Takes the outline of one commune, in place of an earlier one. KG_E_INVALID says what is wrong with it. */
KG_MUST_CHECK kg_err geometry_put(geometry *g, size_t commune, const geo_ring *rings, size_t count, kg_diag *diag);
bool geometry_has(const geometry *g, size_t commune);
/* Moves all outlines of `from` into g (same number of communes); from keeps what it replaced. */
void geometry_merge(geometry *g, geometry *from);

/* Sets hit[i] for every commune that the shape meets; *met counts them. Polygon: n >= 4 points, first = last. */
geo_answer geometry_polygon(const geometry *g, const geo_point *closed, size_t n, bool *hit, size_t *met);
geo_answer geometry_circle(const geometry *g, geo_point centre, double radius_km, bool *hit, size_t *met);

#endif
