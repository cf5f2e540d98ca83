/* The reading half of core: opening, and building memory from the journal. */
#include <stdlib.h>
#include <string.h>

#include "alert/pack.h"
#include "base/file.h"
#include "base/log.h"
#include "core.h"

typedef struct heads { /* of alerts with open deliveries, in order of position; only while loading */
    book_alert *items;
    size_t count, cap;
    core *core;
} heads;

static void head_of(const journal_alert *a, book_alert *out)
{
    *out = (book_alert){
        .position = a->position,
        .id = a->id,
        .accepted_ms = a->accepted_ms,
        .expires_ms = a->expires_ms,
        .class = a->class,
        .weight = a->weight,
        .lifecycle = a->lifecycle,
    };
}

static book_line line_from(core *c, int64_t accepted_ms, const journal_delivery *d)
{
    const station *s = policy_station_find(c->policy, d->station);
    const int64_t held_after = d->held_ms - accepted_ms;
    c->states[d->state]++;
    return (book_line){
        .station = s == NULL ? CORE_NO_STATION : s->index,
        .held_after_ms = d->held_ms == 0  ? 0
                         : held_after < 1 ? 1
                                          : (uint32_t)held_after,
        .hit_rank = (uint16_t)(d->hit_rank > UINT16_MAX ? UINT16_MAX : d->hit_rank),
        .state = (uint8_t)d->state,
        .certainty = (uint8_t)d->certainty,
        .offered = true, /* nobody remembers: OFFERED is never written */
    };
}

/* ---- one alert, on demand ---- */

typedef struct one_load {
    core *core;
    book_alert head;
    uint32_t lines;
    book_alert *alert;
} one_load;

static kg_err take_head(void *ctx, const journal_alert *a)
{
    head_of(a, &((one_load *)ctx)->head);
    return KG_OK;
}

static uint32_t line_of(uint64_t number)
{
    return (uint32_t)(number & ((1u << JOURNAL_LINE_BITS) - 1));
}

static kg_err count_lines(void *ctx, const journal_delivery *d)
{
    one_load *l = ctx;
    const uint32_t line = line_of(d->number);
    l->lines = line >= l->lines ? line + 1 : l->lines;
    return KG_OK;
}

static kg_err take_one(void *ctx, const journal_delivery *d)
{
    one_load *l = ctx;
    l->alert->lines[line_of(d->number)] = line_from(l->core, l->alert->accepted_ms, d);
    l->alert->open += dlv_final(d->state) ? 0 : 1;
    return KG_OK;
}

book_alert *core_alert(core *c, alert_id id, uint64_t position)
{
    book_alert *known = book_find(c->book, position);
    if (known != NULL) {
        return known;
    }
    one_load l = {.core = c};
    kg_diag diag = {0};
    kg_err e = journal_find(c->journal, id, take_head, &l, &diag);
    if (e == KG_E_NOTFOUND) {
        return NULL;
    }
    if (e == KG_OK) {
        known = book_find(c->book, l.head.position);
        if (known != NULL) {
            return known;
        }
        e = journal_deliveries_of(c->journal, l.head.position, count_lines, &l, &diag);
    }
    if (e == KG_OK) {
        e = book_add(c->book, &l.head, l.lines, &l.alert);
    }
    if (e == KG_OK) {
        e = journal_deliveries_of(c->journal, l.head.position, take_one, &l, &diag);
    }
    if (e != KG_OK) {
        (void)core_fail(c, e, &diag);
        return NULL;
    }
    return l.alert;
}

/* ---- all of it, at start and after a batch that failed ---- */

static kg_err take_alert(void *ctx, const journal_alert *a)
{
    heads *h = ctx;
    if (h->count == h->cap) {
        const size_t cap = h->cap == 0 ? 1024 : 2 * h->cap;
        book_alert *items = realloc(h->items, cap * sizeof *items);
        if (items == NULL) {
            return KG_E_NOMEM;
        }
        h->items = items;
        h->cap = cap;
    }
    head_of(a, &h->items[h->count++]);
    return a->held && a->lifecycle == LIFE_ALIVE ? core_hold(h->core, a->position, a->expires_ms) : KG_OK;
}

static int by_position(const void *a, const void *b)
{
    const uint64_t x = ((const book_alert *)a)->position;
    const uint64_t y = ((const book_alert *)b)->position;
    return (x > y) - (x < y);
}

/* Open deliveries come by number: those of one alert together, its highest line last. They are gathered first and go
 * into the book, in a block of the right size, when the next alert begins. */
typedef struct gathered {
    uint32_t line;
    book_line value;
} gathered;

typedef struct gather {
    heads *heads;
    book_alert head;
    gathered *items;
    size_t count, cap;
} gather;

static kg_err put_gathered(gather *g)
{
    core *c = g->heads->core;
    if (g->count == 0) {
        return KG_OK;
    }
    book_alert *a = NULL;
    const uint32_t lines = g->items[g->count - 1].line + 1;
    kg_err e = book_add(c->book, &g->head, lines, &a);
    for (size_t i = 0; e == KG_OK && i < g->count; i++) {
        a->lines[g->items[i].line] = g->items[i].value;
        a->open++;
        if (g->items[i].value.state == DLV_PENDING && a->lifecycle == LIFE_ALIVE &&
            g->items[i].value.station != CORE_NO_STATION) {
            e = core_queue(c, a, g->items[i].line);
        }
    }
    if (e == KG_OK && a->lifecycle != LIFE_ALIVE) {
        e = core_lines_put(&c->ending, a->position, 0);
        a->waiting++;
    }
    g->count = 0;
    return e;
}

static kg_err take_delivery(void *ctx, const journal_delivery *d)
{
    gather *g = ctx;
    core *c = g->heads->core;
    const uint64_t position = journal_position_of(d->number);
    if (g->count == 0 || g->head.position != position) {
        const kg_err e = put_gathered(g);
        if (e != KG_OK) {
            return e;
        }
        const book_alert wanted = {.position = position};
        const book_alert *head = g->heads->count == 0 ? NULL
                                                      : bsearch(&wanted, g->heads->items, g->heads->count,
                                                                sizeof *g->heads->items, by_position);
        if (head == NULL) {
            return KG_E_BUG; /* a delivery of no alert: the journal is not what it should be */
        }
        g->head = *head;
    }
    if (g->count == g->cap) {
        const size_t cap = g->cap == 0 ? 256 : 2 * g->cap;
        gathered *items = realloc(g->items, cap * sizeof *items);
        if (items == NULL) {
            return KG_E_NOMEM;
        }
        g->items = items;
        g->cap = cap;
    }
    g->items[g->count++] = (gathered){line_of(d->number), line_from(c, g->head.accepted_ms, d)};
    return KG_OK;
}

static kg_err load_deliveries(core *c, kg_diag *diag)
{
    heads h = {.core = c};
    gather g = {.heads = &h};
    kg_err e = journal_open_alerts(c->journal, false, take_alert, &h, diag);
    if (e == KG_OK) {
        e = journal_open_deliveries(c->journal, take_delivery, &g, diag);
    }
    if (e == KG_OK) {
        e = put_gathered(&g);
    }
    free(g.items);
    free(h.items);
    return e;
}

/* Endings are kept for a month, because the alert they end may come late (LIFE_TOMBSTONE_MS). What stands in the journal
 * was decided then: forced. */
static kg_err restore_life(void *ctx, const journal_alert *row)
{
    core *c = ctx;
    if (row->held || row->lifecycle == LIFE_WITHDRAWN || row->expires_ms + LIFE_TOMBSTONE_MS < c->now_ms) {
        return KG_OK;
    }
    kg_buf bytes = {.max = SIGNED_BYTES_MAX};
    signed_view v = {0};
    alert a = {0};
    life_verdict unused;
    kg_err e = journal_bytes(c->journal, row->position, &bytes, NULL);
    if (e == KG_OK) {
        e = signed_open(bytes.s, bytes.len, &v, NULL);
    }
    if (e == KG_OK) {
        e = alert_unpack(v.payload, v.payload_len, &a, NULL);
    }
    if (e == KG_OK) {
        e = life_add(c->life, &a, c->now_ms, true, &unused);
    }
    alert_done(&a);
    signed_done(&v);
    kg_buf_done(&bytes);
    return e;
}

static kg_err load_life(core *c, kg_diag *diag)
{
    const kg_err e = journal_alerts(c->journal, false, restore_life, c, diag);
    return e == KG_OK || kg_err_class(e) == KG_TEMP
               ? e
               : kg_fail(diag, KG_E_IO, "the journal holds an alert that cannot be read; run: keng audit verify");
}

static void forget(core *c)
{
    life_free(&c->life);
    queue_free(&c->queue);
    book_free(&c->book);
    lease_free(&c->lease);
    c->ending.count = c->ended.count = c->tell.count = 0;
    c->held_count = 0;
    c->next_expiry_ms = 0;
    c->silence_from = 0;
    memset(c->states, 0, sizeof c->states);
}

kg_err core_rebuild(core *c, kg_diag *diag)
{
    forget(c);
    core_tick(c);
    kg_err e = life_new(&c->life);
    if (e == KG_OK) {
        e = queue_new(policy_station_count(c->policy), &c->queue);
    }
    if (e == KG_OK) {
        e = book_new(&c->book);
    }
    if (e == KG_OK) {
        e = lease_new(&c->lease);
    }
    if (e != KG_OK) {
        return kg_fail(diag, e, "no memory for what waits");
    }
    e = load_life(c, diag);
    return e == KG_OK ? load_deliveries(c, diag) : e;
}

static kg_err load_areas(core *c, kg_diag *diag)
{
    kg_err e = KG_OK;
    for (size_t i = 0; e == KG_OK && i < c->config->communes.count; i++) {
        const char *file = c->config->communes.items[i];
        e = c->areas == NULL ? areas_load(file, &c->areas, diag) : areas_add(c->areas, file, diag);
    }
    for (size_t i = 0; e == KG_OK && i < c->config->geometry.count; i++) {
        size_t imported = 0;
        e = areas_import(c->areas, c->config->geometry.items[i], &imported, diag);
    }
    return e;
}

kg_err core_open(core *c, const router_config *config, kg_diag *diag)
{
    *c = (core){.config = config};
    kg_err e = load_areas(c, diag);
    if (e == KG_OK) {
        e = policy_load(config->policy, c->areas, &c->policy, diag);
    }
    if (e == KG_OK) {
        e = kg_dir_make(config->state, 0700, diag);
    }
    if (e == KG_OK) {
        e = manifest_load(config->manifest, &config->root, config->floor, &c->manifest, diag);
    }
    if (e == KG_OK) {
        e = journal_sqlite_open(config->journal, &c->journal, diag);
    }
    if (e == KG_OK) {
        e = core_rebuild(c, diag);
    }
    return e;
}

void core_close(core *c)
{
    forget(c);
    journal_close(&c->journal);
    manifest_free(&c->manifest);
    policy_free(&c->policy);
    areas_free(&c->areas);
    free(c->ending.items);
    free(c->ended.items);
    free(c->tell.items);
    free(c->held);
    *c = (core){0};
}
