#include "areas/shape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char blanks[] = " \t\r\n";

static const char *skip(const char *s)
{
    return s + strspn(s, blanks);
}

/* A plain decimal number; no hexadecimal, no infinity. Moves *s behind it. */
static bool number(const char **s, double *out)
{
    const size_t n = strspn(*s, "+-0123456789.eE");
    char *end = NULL;
    *out = strtod(*s, &end);
    if (n == 0 || end != *s + n || !isfinite(*out)) {
        return false;
    }
    *s = end;
    return true;
}

static const char *pair(const char **s, geo_point *out)
{
    if (!number(s, &out->lat) || **s != ',') {
        return "a pair is not lat,lon";
    }
    (*s)++;
    if (!number(s, &out->lon)) {
        return "a pair is not lat,lon";
    }
    if (fabs(out->lat) > 90.0) {
        return fabs(out->lat) <= 180.0 && fabs(out->lon) <= 90.0
                   ? "a latitude is beyond 90 degrees (the pairs look like lon,lat; they are not swapped)"
                   : "a latitude is beyond 90 degrees";
    }
    return fabs(out->lon) <= 180.0 ? NULL : "a longitude is beyond 180 degrees";
}

static size_t pairs_in(const char *s)
{
    size_t n = 0;
    for (; *s != '\0'; s++) {
        n += *s == ',' ? 1 : 0;
    }
    return n;
}

const char *shape_polygon(const char *text, kg_arena *mem, shape_ring *out)
{
    const size_t most = pairs_in(text);
    geo_point *p = most >= 4 ? kg_arena_array(mem, most + 1, sizeof *p) : NULL; /* + 1 to close it */
    if (p == NULL) {
        return most >= 4 ? "there is no memory for it" : "it has fewer than 4 pairs";
    }
    size_t n = 0;
    for (const char *s = skip(text); *s != '\0';) {
        const char *fault = pair(&s, &p[n]);
        const char *next = skip(s);
        if (fault != NULL || (*next != '\0' && next == s)) {
            return fault != NULL ? fault : "a pair is not lat,lon";
        }
        n++;
        s = next;
    }
    *out = (shape_ring){.points = p, .count = n};
    if (p[0].lat != p[n - 1].lat || p[0].lon != p[n - 1].lon) {
        p[n] = p[0];
        out->count = n + 1;
        out->was_open = true;
    }
    return NULL;
}

const char *shape_circle(const char *text, geo_point *centre, double *radius_km)
{
    const char *s = skip(text);
    const char *fault = pair(&s, centre);
    if (fault != NULL) {
        return fault;
    }
    const char *radius = skip(s);
    if (radius == s || !number(&radius, radius_km) || *skip(radius) != '\0') {
        return "it is not \"lat,lon radius\"";
    }
    /* 20,016 km is half way round the Earth: no circle is larger. */
    return *radius_km >= 0.0 && *radius_km <= 20016.0 ? NULL : "its radius is not from 0 to 20016 km";
}
