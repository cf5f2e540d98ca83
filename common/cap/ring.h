/*
 * ring - the geometry of a CAP area as text: polygons and circles checked, repaired only where nothing can be lost.
 *
 * Rules     "lat,lon" pairs, WGS 84, white space between them; at least 4, first = last (cap.md ARE-2). An open ring is
 *           closed; one over the dateline is cut in two; lon,lat order is never swapped silently. Everything else that
 *           cannot be read is dropped by the caller, with a finding.
 */
#ifndef KENG_CAP_RING_H
#define KENG_CAP_RING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

typedef enum ring_fault {
    RING_FINE,
    RING_FEW,     /* fewer than four pairs */
    RING_BROKEN,  /* something in it is no pair of numbers */
    RING_RANGE,   /* beyond the poles or twice around the earth */
    RING_SWAPPED, /* first values beyond 90, second within: longitude was written first */
    RING_NOMEM
} ring_fault;

enum { RING_CLOSED = 1, RING_DATELINE = 2, RING_REPEATED = 4, RING_CROSSED = 8, RING_NUMBER = 16 };

typedef struct ring {
    const char *texts[2]; /* in mem; the second one for a ring cut at the dateline */
    unsigned slips;       /* RING_CLOSED ... */
    size_t pairs;
    const char *where; /* the pair that is wrong */
} ring;

/* budget: pairs of edges that may still be tested for crossing, over a whole document. */
ring_fault ring_read(const char *text, size_t *budget, kg_arena *mem, ring *out);

/* "lat,lon radius" in km; *out is its text in mem. */
ring_fault ring_circle(const char *text, kg_arena *mem, const char **out, unsigned *slips);

/* A decimal number without exponent, as xs:decimal has it. */
bool ring_decimal(const char *text, double *value);

#endif
