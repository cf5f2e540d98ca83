/*
 * shape - CAP's polygon and circle as text, read into points. Private to the room.
 *
 * Rules     cap.md ARE-2, ARE-3, ARE-5: pairs are lat,lon with white space between them; an unclosed ring is closed
 *           and that is said; fewer than 4 pairs, a broken pair or one off the Earth drops the whole ring. Pairs that
 *           look like lon,lat are never swapped.
 */
#ifndef KENG_AREAS_SHAPE_H
#define KENG_AREAS_SHAPE_H

#include "areas/geometry.h"
#include "base/arena.h"

typedef struct shape_ring {
    geo_point *points; /* closed, in the arena */
    size_t count;
    bool was_open;
} shape_ring;

/* NULL, or why the ring is dropped: a phrase. */
const char *shape_polygon(const char *text, kg_arena *mem, shape_ring *out);
const char *shape_circle(const char *text, geo_point *centre, double *radius_km);

#endif
