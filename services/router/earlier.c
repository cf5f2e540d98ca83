#include "earlier.h"

#include <stdlib.h>
#include <string.h>

#include "alert/pack.h"
#include "wire/wire.h"

typedef struct search {
    core *core;
    earlier *out;
    const char *agency;
    cap_status status;
    bool foreign_too;
    alert_id ids[EARLIER_ALERTS_MAX]; /* seen; looked at up to `next` */
    size_t count, next;
    size_t direct; /* so many of them the alert names itself */
    route_earlier *by_station;
    kg_diag *diag;
} search;

static void remember(search *s, alert_id id)
{
    for (size_t i = 0; i < s->count; i++) {
        if (alert_id_same(s->ids[i], id)) {
            return;
        }
    }
    if (s->count < EARLIER_ALERTS_MAX) {
        s->ids[s->count++] = id;
    }
}

static void remember_references(search *s, const alert *a)
{
    for (size_t i = 0; i < a->references.count; i++) {
        const alert_ref *r = &a->references.items[i];
        if (r->sender[0] != '\0' && r->sent_ms != 0) {
            remember(s, alert_id_of(r->sender, r->identifier, r->sent_ms));
        }
    }
}

static bool has(const alert_texts *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], text) == 0) {
            return true;
        }
    }
    return false;
}

/* Adds the communes that are new to the station's list. */
static kg_err join(search *s, uint32_t index, const alert_texts *communes)
{
    kg_arena *mem = &s->out->mem;
    route_earlier *e = &s->by_station[index];
    const char **items = kg_arena_array(mem, e->communes.count + communes->count + 1, sizeof *items);
    if (items == NULL) {
        return KG_E_NOMEM;
    }
    size_t n = 0;
    for (; n < e->communes.count; n++) {
        items[n] = e->communes.items[n];
    }
    for (size_t i = 0; i < communes->count; i++) {
        if (!has(&e->communes, communes->items[i])) {
            items[n++] = communes->items[i];
        }
    }
    e->station = policy_station(s->core->policy, index);
    e->communes = (alert_texts){items, n};
    return KG_OK;
}

/* The book knows more than the journal: what was offered. */
static bool reached(const search *s, const journal_delivery *d)
{
    const book_alert *a = book_find(s->core->book, journal_position_of(d->number));
    const uint32_t line = (uint32_t)(d->number & ((1u << JOURNAL_LINE_BITS) - 1));
    if (a != NULL && line < a->count && a->lines[line].state != BOOK_ABSENT) {
        return recall_reached((dlv_state)a->lines[line].state, a->lines[line].offered);
    }
    return recall_reached(d->state, true);
}

static kg_err take_delivery(void *ctx, const journal_delivery *d)
{
    search *s = ctx;
    const station *st = policy_station_find(s->core->policy, d->station);
    if (st == NULL || !reached(s, d)) {
        return KG_OK;
    }
    wire_target t = {0};
    const kg_err e = wire_target_read(d->target, d->target_len, &s->out->mem, &t, s->diag);
    return e == KG_OK ? join(s, st->index, &t.communes) : e;
}

typedef struct found_alert {
    uint64_t position;
    bool foreign;
    const char *agency;
} found_alert;

static kg_err take_alert(void *ctx, const journal_alert *a)
{
    found_alert *f = ctx;
    f->position = a->position;
    f->foreign = strcmp(a->agency, f->agency) != 0;
    return KG_OK;
}

/* A drill ends no real alert, and no real one a drill. */
static kg_err follow(search *s, uint64_t position)
{
    kg_buf bytes = {.max = SIGNED_BYTES_MAX};
    signed_view v = {0};
    alert a = {0};
    kg_err e = journal_bytes(s->core->journal, position, &bytes, s->diag);
    if (e == KG_OK) {
        e = signed_open(bytes.s, bytes.len, &v, s->diag);
    }
    if (e == KG_OK) {
        e = alert_unpack(v.payload, v.payload_len, &a, s->diag);
    }
    if (e == KG_OK && a.status == s->status) {
        e = journal_deliveries_of(s->core->journal, position, take_delivery, s, s->diag);
        remember_references(s, &a);
    }
    alert_done(&a);
    signed_done(&v);
    kg_buf_done(&bytes);
    return e;
}

static kg_err look_at(search *s, alert_id id, bool direct)
{
    found_alert f = {.agency = s->agency};
    kg_err e = journal_find(s->core->journal, id, take_alert, &f, s->diag);
    if (e == KG_E_NOTFOUND) {
        return KG_OK;
    }
    if (e == KG_OK && f.foreign) {
        s->out->foreign = s->out->foreign || direct;
        if (!s->foreign_too) {
            return KG_OK;
        }
    }
    return e == KG_OK ? follow(s, f.position) : e;
}

static kg_err gather(search *s, size_t stations)
{
    size_t n = 0;
    for (size_t i = 0; i < stations; i++) {
        n += s->by_station[i].station != NULL ? 1 : 0;
    }
    s->out->items = kg_arena_array(&s->out->mem, n + 1, sizeof *s->out->items);
    if (s->out->items == NULL) {
        return KG_E_NOMEM;
    }
    for (size_t i = 0; i < stations; i++) {
        if (s->by_station[i].station != NULL) {
            s->out->items[s->out->count++] = s->by_station[i];
        }
    }
    return KG_OK;
}

kg_err earlier_find(core *c, const alert *a, bool foreign_too, earlier *out, kg_diag *diag)
{
    *out = (earlier){0};
    if (a->references.count == 0) {
        return KG_OK;
    }
    const size_t stations = policy_station_count(c->policy);
    search *s = calloc(1, sizeof *s);
    route_earlier *by_station = calloc(stations + 1, sizeof *by_station);
    kg_err e = s == NULL || by_station == NULL ? KG_E_NOMEM : KG_OK;
    if (e == KG_OK) {
        *s = (search){.core = c,
                      .out = out,
                      .agency = a->agency,
                      .status = a->status,
                      .foreign_too = foreign_too,
                      .by_station = by_station,
                      .diag = diag};
        remember_references(s, a);
        s->direct = s->count;
        for (; e == KG_OK && s->next < s->count; s->next++) {
            e = look_at(s, s->ids[s->next], s->next < s->direct);
        }
        e = e == KG_OK ? gather(s, stations) : e;
    }
    if (e == KG_E_NOMEM) {
        kg_ignore(kg_fail(diag, e, "no memory to look for what this alert corrects"));
    }
    if (e != KG_OK) {
        earlier_done(out);
    }
    free(by_station);
    free(s);
    return e;
}

void earlier_done(earlier *e)
{
    kg_arena_done(&e->mem);
    *e = (earlier){0};
}
