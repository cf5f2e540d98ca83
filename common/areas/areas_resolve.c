#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "areas/areas.h"
#include "areas/areas_table.h"
#include "areas/shape.h"
#include "base/buf.h"

enum { NOTES_MAX = 16 * 1024 };

/* One shape's text and whether it met a commune: infos repeat the same areas in each language. */
typedef struct seen_shape {
    const char *text;
    bool circle; /* the same text means something else as a polygon */
    bool met;
} seen_shape;

typedef struct resolver {
    const areas *a;
    area_set *out;
    bool *hit;     /* by commune index */
    bool *touched; /* what one shape meets */
    kg_buf notes;
    char day[KG_TIME_TEXT_MAX];
    seen_shape *seen; /* open addressing, a power of two */
    size_t seen_mask, shapes;
} resolver;

/* Once each; what no longer fits is left out, the first ones tell the story. */
static void note(resolver *r, const char *what, const char *which, const char *why)
{
    kg_buf line = {.max = 1024};
    const kg_err e = kg_buf_putf(&line, "%s%s%.120s%s%s\n", what, which[0] != '\0' ? " '" : "", which,
                                 which[0] != '\0' ? "': " : ": ", why);
    if (e == KG_OK && strstr(kg_buf_str(&r->notes), line.s) == NULL) {
        (void)kg_buf_put(&r->notes, line.s, line.len);
    }
    kg_buf_done(&line);
}

/* ---- codes ---- */

static kg_err use_commune(resolver *r, const char *code, kg_diag *diag)
{
    const size_t i = areas_index(r->a, code);
    if (i == SIZE_MAX) {
        return kg_fail(diag, KG_E_NOTFOUND, "commune code '%.16s' is unknown; use a 5-digit code of Decision 19/2025",
                       code);
    }
    const commune *c = &r->a->items[i];
    if (areas_valid_on(c, r->day)) {
        r->hit[i] = true;
        return KG_OK;
    }
    if (c->valid_until[0] == '\0') {
        return kg_fail(diag, KG_E_NOTFOUND, "commune code %s (%s) is in force only from %s", code, c->name,
                       c->valid_from);
    }
    return kg_fail(diag, KG_E_NOTFOUND, "commune code %s (%s) was retired after %s; %s%s", code, c->name,
                   c->valid_until, c->successor[0] != '\0' ? "its successor is " : "no successor is recorded",
                   c->successor);
}

static kg_err use_province(resolver *r, const char *code, kg_diag *diag)
{
    const bool nation = strcmp(code, AREAS_NATION) == 0;
    if (!nation && !areas_has_province(r->a, code)) {
        return kg_fail(diag, KG_E_NOTFOUND,
                       "province code '%.16s' is in no loaded commune table; use a 2-digit code of Decision 19/2025",
                       code);
    }
    for (size_t i = 0; i < r->a->count; i++) {
        const commune *c = &r->a->items[i];
        if ((nation || strcmp(c->province, code) == 0) && areas_valid_on(c, r->day)) {
            r->hit[i] = true;
        }
    }
    r->out->whole_province = true;
    return KG_OK;
}

static kg_err use_codes(resolver *r, const alert_area *area, bool *gave, kg_diag *diag)
{
    for (size_t i = 0; i < area->geocodes.count; i++) {
        const alert_pair *code = &area->geocodes.items[i];
        kg_err e = KG_OK;
        if (strcmp(code->name, AREAS_COMMUNE) == 0) {
            e = use_commune(r, code->value, diag);
        } else if (strcmp(code->name, AREAS_PROVINCE) == 0) {
            e = use_province(r, code->value, diag);
        } else {
            note(r, "geocodes of scheme", code->name, "no table for it here, they are kept and reach nobody");
            continue;
        }
        if (e != KG_OK) {
            return e;
        }
        *gave = true;
    }
    return KG_OK;
}

/* ---- geometry ---- */

static uint64_t text_hash(const char *s)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    for (; *s != '\0'; s++) {
        h = (h ^ (unsigned char)*s) * 1099511628211u;
    }
    return h;
}

/* The place of a text: with text NULL it is new. The table has twice the room it can need. */
static seen_shape *place_of(resolver *r, const char *text, bool circle)
{
    size_t i = (size_t)text_hash(text) & r->seen_mask;
    while (r->seen[i].text != NULL && (r->seen[i].circle != circle || strcmp(r->seen[i].text, text) != 0)) {
        i = (i + 1) & r->seen_mask;
    }
    return &r->seen[i];
}

static bool read_polygon(resolver *r, const char *text, const char *area, size_t *met)
{
    shape_ring ring = {0};
    kg_arena mem = {0};
    const char *fault = shape_polygon(text, &mem, &ring);
    if (fault == NULL) {
        if (ring.was_open) {
            note(r, "polygon of", area, "it was not closed; its first pair closes it");
        }
        const geo_answer answer = geometry_polygon(r->a->outlines, ring.points, ring.count, r->touched, met);
        if (answer == GEO_REPAIRED) {
            note(r, "polygon of", area, "it crosses itself or has no width; read as all that it runs around");
        }
        fault = answer == GEO_POLE     ? "it runs around a pole and does not say which side it means"
                : answer == GEO_FAILED ? "there is no memory for it"
                                       : NULL;
    }
    if (fault != NULL) {
        note(r, "polygon of", area, fault);
    }
    kg_arena_done(&mem);
    return fault == NULL;
}

static bool read_circle(resolver *r, const char *text, const char *area, size_t *met)
{
    geo_point centre;
    double radius_km = 0.0;
    const char *fault = shape_circle(text, &centre, &radius_km);
    if (fault != NULL) {
        note(r, "circle of", area, fault);
        return false;
    }
    return geometry_circle(r->a->outlines, centre, radius_km, r->touched, met) == GEO_READ;
}

static bool use_shape(resolver *r, const char *text, bool circle, const char *area)
{
    seen_shape *seen = place_of(r, text, circle);
    if (seen->text != NULL) {
        return seen->met;
    }
    if (r->shapes == AREAS_SHAPES_MAX) {
        note(r, "area", area, "the alert has more polygons and circles than are read");
        return false;
    }
    r->shapes++;
    seen->text = text;
    seen->circle = circle;
    size_t met = 0;
    if (!(circle ? read_circle(r, text, area, &met) : read_polygon(r, text, area, &met))) {
        return false;
    }
    for (size_t i = 0; met > 0 && i < r->a->count; i++) {
        if (r->touched[i]) {
            r->touched[i] = false;
            const bool valid = areas_valid_on(&r->a->items[i], r->day);
            r->hit[i] = r->hit[i] || valid;
            seen->met = seen->met || valid;
        }
    }
    if (!seen->met) {
        note(r, circle ? "circle of" : "polygon of", area, "it meets no commune whose outline is known");
    }
    return seen->met;
}

static bool use_shapes(resolver *r, const alert_area *area)
{
    bool gave = false;
    if (area->polygons.count + area->circles.count == 0) {
        return false;
    }
    if (r->a->outlines == NULL) {
        note(r, "polygons and circles", "", "no outlines were imported (keng areas import FILE.geojson)");
        return false;
    }
    for (size_t i = 0; i < area->polygons.count; i++) {
        gave = use_shape(r, area->polygons.items[i], false, area->description) || gave;
    }
    for (size_t i = 0; i < area->circles.count; i++) {
        gave = use_shape(r, area->circles.items[i], true, area->description) || gave;
    }
    return gave;
}

/* ---- all together ---- */

static kg_err use_areas(resolver *r, const alert *al, kg_diag *diag)
{
    for (size_t i = 0; i < al->infos.count; i++) {
        const alert_info *info = &al->infos.items[i];
        for (size_t k = 0; k < info->areas.count; k++) {
            const alert_area *area = &info->areas.items[k];
            bool gave = false;
            const kg_err e = use_codes(r, area, &gave, diag);
            if (e != KG_OK) {
                return e;
            }
            gave = use_shapes(r, area) || gave;
            if (!gave) {
                r->out->unusable = true;
                note(r, "area", area->description, "it reaches no commune: no known code, no usable geometry");
            }
        }
    }
    return KG_OK;
}

static size_t shapes_in(const alert *al)
{
    size_t n = 0;
    for (size_t i = 0; i < al->infos.count; i++) {
        for (size_t k = 0; k < al->infos.items[i].areas.count; k++) {
            n += al->infos.items[i].areas.items[k].polygons.count + al->infos.items[i].areas.items[k].circles.count;
        }
    }
    return n < AREAS_SHAPES_MAX ? n : AREAS_SHAPES_MAX;
}

/* Communes that no polygon can reach, said once when the alert has one. */
static void note_unknown_outlines(resolver *r)
{
    size_t without = 0;
    for (size_t i = 0; r->shapes > 0 && i < r->a->count; i++) {
        without += !r->a->items[i].has_geometry && areas_valid_on(&r->a->items[i], r->day) ? 1 : 0;
    }
    if (without > 0) {
        char why[96];
        (void)snprintf(why, sizeof why, "%zu communes have none, polygons and circles do not reach them", without);
        note(r, "outlines", "", why);
    }
}

static kg_err finish(resolver *r)
{
    area_set *out = r->out;
    for (size_t i = 0; i < r->a->count; i++) {
        out->count += r->hit[i] ? 1 : 0;
    }
    out->items = kg_arena_array(&out->mem, out->count, sizeof *out->items);
    out->notes = kg_arena_str(&out->mem, kg_buf_str(&r->notes));
    if (out->items == NULL || out->notes == NULL) {
        return KG_E_NOMEM;
    }
    for (size_t i = 0, n = 0; i < r->a->count; i++) {
        if (r->hit[i]) {
            out->items[n++] = (uint32_t)i;
        }
    }
    return KG_OK;
}

kg_err areas_resolve(const areas *a, const alert *al, area_set *out, kg_diag *diag)
{
    *out = (area_set){.notes = ""};
    resolver r = {.a = a, .out = out, .notes = {.max = NOTES_MAX}};
    size_t room = 2;
    while (room < 2 * shapes_in(al)) {
        room *= 2;
    }
    kg_arena scratch = {0};
    r.hit = kg_arena_array(&scratch, a->count, sizeof *r.hit);
    r.touched = kg_arena_array(&scratch, a->count, sizeof *r.touched);
    r.seen = kg_arena_array(&scratch, room, sizeof *r.seen);
    r.seen_mask = room - 1;
    kg_err e = KG_E_NOMEM;
    if (r.hit != NULL && r.touched != NULL && r.seen != NULL) {
        areas_day(al->sent_ms, r.day);
        e = use_areas(&r, al, diag);
        if (e == KG_OK) {
            note_unknown_outlines(&r);
            e = finish(&r);
        }
    }
    kg_buf_done(&r.notes);
    kg_arena_done(&scratch);
    if (e != KG_OK) {
        area_set_done(out);
        return e == KG_E_NOMEM ? kg_fail(diag, e, "no memory to resolve the alert's areas") : e;
    }
    return KG_OK;
}

void area_set_done(area_set *s)
{
    if (s != NULL) {
        kg_arena_done(&s->mem);
        *s = (area_set){.notes = ""};
    }
}

bool area_set_has(const area_set *s, uint32_t index)
{
    size_t low = 0, high = s->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (s->items[middle] == index) {
            return true;
        }
        if (s->items[middle] < index) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}
