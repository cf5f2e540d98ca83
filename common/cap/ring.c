#include "cap/ring.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum { NUMBER_MAX = 48, PAIR_MAX = 2 * NUMBER_MAX, CROSSING_POINTS_MAX = 2000, HALF_TURN = 180, FULL_TURN = 360 };

typedef struct point {
    double lat, lon;
} point;
typedef struct points {
    point *items;
    size_t count;
} points;

bool ring_decimal(const char *text, double *value)
{
    const char *p = text + (*text == '-' || *text == '+' ? 1 : 0);
    const size_t whole = strspn(p, "0123456789");
    size_t parts = 0;
    if (p[whole] == '.') {
        parts = strspn(p + whole + 1, "0123456789");
        p += 1 + parts;
    }
    if (p[whole] != '\0' || whole + parts == 0 || strlen(text) >= NUMBER_MAX) {
        return false;
    }
    *value = strtod(text, NULL);
    return true;
}

/* "lat,lon" without white space. */
static bool read_pair(const char *s, size_t n, point *out, unsigned *slips)
{
    char pair[PAIR_MAX + 1];
    if (n > PAIR_MAX) {
        return false;
    }
    memcpy(pair, s, n);
    pair[n] = '\0';
    char *comma = strchr(pair, ',');
    if (comma == NULL) {
        return false;
    }
    *comma = '\0';
    *slips |= pair[n - 1] == '.' || (comma > pair && comma[-1] == '.') ? RING_NUMBER : 0U;
    return ring_decimal(pair, &out->lat) && ring_decimal(comma + 1, &out->lon);
}

static ring_fault in_range(point p)
{
    if (fabs(p.lat) > 90) {
        return fabs(p.lat) <= HALF_TURN && fabs(p.lon) <= 90 ? RING_SWAPPED : RING_RANGE;
    }
    return fabs(p.lon) > HALF_TURN + FULL_TURN ? RING_RANGE : RING_FINE;
}

static ring_fault read_points(const char *text, kg_arena *mem, points *out, ring *r)
{
    static const char blanks[] = " \t\n\r";
    out->count = 0;
    out->items = kg_arena_array(mem, strlen(text) / 4 + 2, sizeof *out->items); /* "1,2 " is the shortest pair */
    if (out->items == NULL) {
        return RING_NOMEM;
    }
    for (const char *p = text + strspn(text, blanks); *p != '\0'; p += strspn(p, blanks)) {
        const size_t n = strcspn(p, blanks);
        point *at = &out->items[out->count];
        r->where = p;
        if (!read_pair(p, n, at, &r->slips)) {
            return RING_BROKEN;
        }
        const ring_fault fault = in_range(*at);
        if (fault != RING_FINE) {
            return fault;
        }
        if (out->count > 0 && at->lat == at[-1].lat && at->lon == at[-1].lon) {
            r->slips |= RING_REPEATED;
        }
        out->count++;
        p += n;
    }
    return RING_FINE;
}

static double cross(point a, point b, point c)
{
    return (b.lon - a.lon) * (c.lat - a.lat) - (b.lat - a.lat) * (c.lon - a.lon);
}

static bool edges_cross(point a, point b, point c, point d)
{
    return cross(a, b, c) * cross(a, b, d) < 0 && cross(c, d, a) * cross(c, d, b) < 0;
}

/* Proper crossings of two edges, or no area at all. A look for the author's sake; GEOS decides where it counts. */
static bool crossed(const points *p, size_t *budget)
{
    double area = 0;
    for (size_t i = 0; i + 1 < p->count; i++) {
        area += p->items[i].lon * p->items[i + 1].lat - p->items[i + 1].lon * p->items[i].lat;
    }
    if (fabs(area) < 1e-12) {
        return true;
    }
    const size_t tests = p->count * p->count / 2;
    if (p->count > CROSSING_POINTS_MAX || tests > *budget) {
        return false;
    }
    *budget -= tests;
    for (size_t i = 0; i + 1 < p->count; i++) {
        for (size_t j = i + 2; j + 1 < p->count; j++) {
            if (edges_cross(p->items[i], p->items[i + 1], p->items[j], p->items[j + 1])) {
                return true;
            }
        }
    }
    return false;
}

/* What of the ring lies on one side of a meridian (Sutherland and Hodgman); the result is closed again. */
static bool keep_side(const points *in, double meridian, bool west, double shift, kg_buf *out)
{
    point first = {0};
    size_t n = 0;
    for (size_t i = 0; i + 1 < in->count; i++) {
        const point a = in->items[i];
        const point b = in->items[i + 1];
        const bool a_in = west ? a.lon <= meridian : a.lon >= meridian;
        const bool b_in = west ? b.lon <= meridian : b.lon >= meridian;
        point put[2];
        size_t puts = 0;
        if (a_in) {
            put[puts++] = a;
        }
        if (a_in != b_in) {
            put[puts++] = (point){a.lat + (b.lat - a.lat) * (meridian - a.lon) / (b.lon - a.lon), meridian};
        }
        for (size_t k = 0; k < puts; k++, n++) {
            first = n == 0 ? put[k] : first;
            kg_ignore(kg_buf_putf(out, "%s%.6f,%.6f", n == 0 ? "" : " ", put[k].lat, put[k].lon + shift));
        }
    }
    kg_ignore(kg_buf_putf(out, " %.6f,%.6f", first.lat, first.lon + shift)); /* failures stay with the buffer */
    return n >= 3;
}

/* A ring carried on beyond 180 degrees becomes the part before the dateline and the part behind it. */
static ring_fault cut(const points *p, double meridian, kg_arena *mem, ring *out)
{
    const double turn = meridian > 0 ? -FULL_TURN : FULL_TURN;
    size_t count = 0;
    ring_fault fault = RING_FINE;
    for (int side = 0; side < 2 && fault == RING_FINE; side++) {
        kg_buf b = {0};
        const bool west = side == 0;
        const bool beyond = west == (meridian < 0);
        if (keep_side(p, meridian, west, beyond ? turn : 0, &b)) {
            out->texts[count] = kg_buf_failed(&b) == KG_OK ? kg_arena_strn(mem, b.s, b.len) : NULL;
            fault = out->texts[count] != NULL ? RING_FINE : RING_NOMEM;
            count++;
        }
        kg_buf_done(&b);
    }
    return fault == RING_FINE && count == 0 ? RING_RANGE : fault;
}

/* The text with white space collapsed, and its first pair once more when it was open. */
static const char *tidy(const char *text, bool close, kg_arena *mem)
{
    static const char blanks[] = " \t\n\r";
    const char *start = text + strspn(text, blanks);
    const size_t first = strcspn(start, blanks);
    char *out = kg_arena_alloc(mem, strlen(start) + first + 2);
    size_t n = 0;
    if (out == NULL) {
        return NULL;
    }
    for (const char *p = start; *p != '\0'; p += strspn(p, blanks)) {
        const size_t len = strcspn(p, blanks);
        if (n > 0) {
            out[n++] = ' ';
        }
        memcpy(out + n, p, len);
        n += len;
        p += len;
    }
    if (close) {
        out[n++] = ' ';
        memcpy(out + n, start, first);
    }
    return out; /* arena memory comes zeroed */
}

ring_fault ring_read(const char *text, size_t *budget, kg_arena *mem, ring *out)
{
    kg_arena scratch = {0};
    points p;
    *out = (ring){.where = ""};
    ring_fault fault = read_points(text, &scratch, &p, out);
    if (fault == RING_FINE && p.count < 3) {
        fault = RING_FEW;
    }
    if (fault == RING_FINE &&
        (p.items[0].lat != p.items[p.count - 1].lat || p.items[0].lon != p.items[p.count - 1].lon)) {
        out->slips |= RING_CLOSED;
        p.items[p.count++] = p.items[0]; /* read_points left room */
    }
    if (fault == RING_FINE && p.count < 4) {
        fault = RING_FEW;
    }
    if (fault != RING_FINE) {
        kg_arena_done(&scratch);
        return fault;
    }
    out->pairs = p.count;
    out->slips |= crossed(&p, budget) ? RING_CROSSED : 0U;
    double east = 0;
    double west = 0;
    for (size_t i = 0; i < p.count; i++) {
        east = p.items[i].lon > east ? p.items[i].lon : east;
        west = p.items[i].lon < west ? p.items[i].lon : west;
    }
    if (east > HALF_TURN || west < -HALF_TURN) {
        out->slips |= RING_DATELINE;
        fault = east > HALF_TURN && west < -HALF_TURN ? RING_RANGE
                                                      : cut(&p, east > HALF_TURN ? HALF_TURN : -HALF_TURN, mem, out);
    } else {
        out->texts[0] = tidy(text, (out->slips & RING_CLOSED) != 0, mem);
        fault = out->texts[0] != NULL ? RING_FINE : RING_NOMEM;
    }
    kg_arena_done(&scratch);
    return fault;
}

/* A number as xs:decimal has it: the point at the end of "13." goes. */
static void trim_point(char *number, unsigned *slips)
{
    const size_t n = strlen(number);
    if (n > 1 && number[n - 1] == '.') {
        number[n - 1] = '\0';
        *slips |= RING_NUMBER;
    }
}

ring_fault ring_circle(const char *text, kg_arena *mem, const char **out, unsigned *slips)
{
    char pair[PAIR_MAX + 1];
    char radius[NUMBER_MAX + 1];
    char rest = '\0';
    point centre;
    double km = 0;
    *slips = 0;
    if (sscanf(text, " %96s %48s %c", pair, radius, &rest) != 2) {
        return RING_BROKEN;
    }
    trim_point(radius, slips);
    if (!read_pair(pair, strlen(pair), &centre, slips) || !ring_decimal(radius, &km) || km < 0) {
        return RING_BROKEN;
    }
    const ring_fault fault = fabs(centre.lon) > HALF_TURN && fabs(centre.lat) <= 90 ? RING_RANGE : in_range(centre);
    if (fault != RING_FINE) {
        return fault;
    }
    char *copy = kg_arena_alloc(mem, strlen(pair) + strlen(radius) + 2);
    if (copy == NULL) {
        return RING_NOMEM;
    }
    (void)snprintf(copy, strlen(pair) + strlen(radius) + 2, "%s %s", pair, radius);
    *out = copy;
    return RING_FINE;
}
