#include <string.h>

#include "cap/capmap.h"
#include "cap/ring.h"

typedef enum child { P_DESC, P_POLYGON, P_CIRCLE, P_GEOCODE, P_ALTITUDE, P_CEILING } child;
static const char *const names[] = {"areaDesc", "polygon", "circle", "geocode", "altitude", "ceiling", NULL};
static const uint32_t many = 1U << P_POLYGON | 1U << P_CIRCLE | 1U << P_GEOCODE;

static void tell_slips(capmap *m, const xmlNode *node, const ring *r)
{
    static const struct {
        unsigned slip;
        const char *rule, *what;
    } rows[] = {
        {RING_CLOSED, "ARE-2", "did not end where it began and was closed"},
        {RING_NUMBER, "ARE-2", "has a number that ends with a point"},
        {RING_DATELINE, "ARE-4", "goes over the dateline and was cut there"},
        {RING_REPEATED, "ARE-4", "has the same point twice in a row"},
        {RING_CROSSED, "ARE-4", "crosses itself or has no area"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if ((r->slips & rows[i].slip) != 0) {
            capmap_find(m, node, rows[i].rule, CAP_WARN, "A polygon %s.", rows[i].what);
        }
    }
}

/* Why a shape was left out. Returns the rule's weight when nothing else is left in the area. */
static cap_verdict tell_fault(capmap *m, const xmlNode *node, ring_fault fault, const char *where)
{
    static const char left_out[] = "and is left out";
    const int shown = (int)(strcspn(where, " ") < 40 ? strcspn(where, " ") : 40);
    if (fault == RING_NOMEM) {
        m->nomem = true;
        return CAP_WARN;
    }
    if (fault == RING_SWAPPED || fault == RING_RANGE) {
        capmap_find(m, node, "ARE-3", CAP_WARN, "A %s has \"%.*s\": %s %s; write latitude,longitude in degrees.",
                    node->name, shown, where,
                    fault == RING_SWAPPED ? "longitude seems to stand first, which is never swapped silently,"
                                          : "that is no place on earth",
                    left_out);
        return CAP_HOLD;
    }
    const bool circle = capmap_named(node, "circle");
    if (fault == RING_FEW) {
        capmap_find(m, node, "ARE-2", CAP_WARN, "A polygon has fewer than 4 pairs %s.", left_out);
    } else {
        capmap_find(m, node, circle ? "ARE-5" : "ARE-2", CAP_WARN, "A %s is broken at \"%.*s\" %s; write %s.",
                    node->name, shown, where, left_out, circle ? "lat,lon radius in km" : "lat,lon lat,lon ...");
    }
    return CAP_WARN;
}

static cap_verdict read_polygons(capmap *m, const xmlNode *first, size_t times, alert_area *out)
{
    cap_verdict worst = CAP_ACCEPT;
    out->polygons.items = capmap_array(m, 2 * times, sizeof *out->polygons.items); /* each may be cut in two */
    for (const xmlNode *n = first; n != NULL && out->polygons.items != NULL; n = capmap_next(n)) {
        ring r;
        const char *text = capmap_token(m, n);
        const ring_fault fault = ring_read(text, &m->crossing_budget, &m->doc->alert.mem, &r);
        if (fault != RING_FINE) {
            const cap_verdict v = tell_fault(m, n, fault, r.where);
            worst = v > worst ? v : worst;
            continue;
        }
        tell_slips(m, n, &r);
        for (size_t i = 0; i < 2 && r.texts[i] != NULL; i++) {
            out->polygons.items[out->polygons.count++] = r.texts[i];
        }
    }
    return worst;
}

static cap_verdict read_circles(capmap *m, const xmlNode *first, size_t times, alert_area *out)
{
    cap_verdict worst = CAP_ACCEPT;
    out->circles.items = capmap_array(m, times, sizeof *out->circles.items);
    for (const xmlNode *n = first; n != NULL && out->circles.items != NULL; n = capmap_next(n)) {
        const char *text = capmap_token(m, n);
        const char *kept = NULL;
        unsigned slips = 0;
        const ring_fault fault = ring_circle(text, &m->doc->alert.mem, &kept, &slips);
        if (fault != RING_FINE) {
            const cap_verdict v = tell_fault(m, n, fault, text);
            worst = v > worst ? v : worst;
            continue;
        }
        if (slips != 0) {
            capmap_find(m, n, "ARE-5", CAP_WARN, "A circle has a number that ends with a point.");
        }
        out->circles.items[out->circles.count++] = kept;
    }
    return worst;
}

static void check_geocodes(capmap *m, const xmlNode *node, const alert_area *out)
{
    for (size_t i = 0; i < out->geocodes.count; i++) {
        const char *name = out->geocodes.items[i].name;
        bool told = false;
        for (size_t k = 0; k < i && !told; k++) {
            told = strcmp(out->geocodes.items[k].name, name) == 0;
        }
        if (strncmp(name, "CAP-VN:", 7) != 0 && !told) {
            capmap_find(m, node, "ARE-6", CAP_WARN, "Codes of \"%.60s\" are kept but name no commune known here.",
                        name);
        }
    }
}

static const char *read_height(capmap *m, const xmlNode *node, double *value, bool *given)
{
    const char *s = capmap_token(m, node);
    *given = *s != '\0' && ring_decimal(s, value) && strlen(s) <= ALERT_TAG_MAX;
    if (*s != '\0' && !*given) {
        capmap_find(m, node, "ARE-7", CAP_WARN, "<%s> \"%.30s\" is not a number of feet and is left out.", node->name,
                    s);
    }
    return *given ? s : "";
}

static void read_heights(capmap *m, const capmap_children *c, alert_area *out)
{
    double low = 0;
    double high = 0;
    bool has_low = false;
    bool has_high = false;
    out->altitude = read_height(m, c->first[P_ALTITUDE], &low, &has_low);
    out->ceiling = read_height(m, c->first[P_CEILING], &high, &has_high);
    if (has_high && (!has_low || low > high)) {
        capmap_find(m, c->first[P_CEILING], "ARE-7", CAP_WARN,
                    has_low ? "The ceiling is below the altitude." : "There is a ceiling without an altitude.");
    }
}

void caparea_read(capmap *m, const xmlNode *node, alert_area *out)
{
    capmap_children c;
    capmap_sort(m, node, names, many, &c);
    out->description = capmap_text(m, c.first[P_DESC]);
    if (c.first[P_DESC] == NULL) {
        capmap_find(m, node, "ARE-1", CAP_WARN, "<areaDesc> is missing; name the place in words.");
    }
    const cap_verdict rings = read_polygons(m, c.first[P_POLYGON], c.times[P_POLYGON], out);
    const cap_verdict circles = read_circles(m, c.first[P_CIRCLE], c.times[P_CIRCLE], out);
    capinfo_pairs(m, c.first[P_GEOCODE], c.times[P_GEOCODE], &out->geocodes);
    check_geocodes(m, node, out);
    read_heights(m, &c, out);
    const bool nothing_left = out->polygons.count + out->circles.count + out->geocodes.count == 0;
    if (nothing_left && (rings == CAP_HOLD || circles == CAP_HOLD)) {
        capmap_find(m, node, "ARE-3", CAP_HOLD,
                    "Of the area \"%.80s\" no usable shape is left; a person must say where it is.", out->description);
    }
}
