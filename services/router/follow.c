#include "follow.h"

#include <stdlib.h>
#include <string.h>

#include "wire/wire.h"

typedef struct follower {
    bus_peer peer;
    alert_id id;
    uint64_t position;
    wire_msg last; /* of kind PROGRESS; its tallies are in `tallies` */
    wire_tally tallies[MEDIUM_COUNT * DLV_STATE_COUNT];
    bool said, over;
} follower;

struct follow {
    core *core;
    follower *items;
    size_t count, cap;
    uint64_t steps;
    int64_t said_ms; /* monotonic */
    bool fresh;      /* a follower is new */
};

kg_err follow_new(core *c, follow **out)
{
    follow *f = calloc(1, sizeof *f);
    if (f == NULL) {
        return KG_E_NOMEM;
    }
    f->core = c;
    *out = f;
    return KG_OK;
}

void follow_free(follow **f)
{
    if (f != NULL && *f != NULL) {
        free((*f)->items);
        free(*f);
        *f = NULL;
    }
}

void follow_stop(follow *f, bus_peer peer, alert_id id)
{
    for (size_t i = f->count; i-- > 0;) {
        if (f->items[i].peer == peer && alert_id_same(f->items[i].id, id)) {
            f->items[i] = f->items[--f->count];
        }
    }
}

void follow_gone(follow *f, bus_peer peer)
{
    for (size_t i = f->count; i-- > 0;) {
        if (f->items[i].peer == peer) {
            f->items[i] = f->items[--f->count];
        }
    }
}

void follow_start(follow *f, bus_peer peer, alert_id id)
{
    follow_stop(f, peer, id);
    if (f->count == FOLLOW_MAX) {
        return; /* no alert depends on it; the publisher sees no progress */
    }
    if (f->count == f->cap) {
        const size_t cap = f->cap == 0 ? 8 : 2 * f->cap;
        follower *items = realloc(f->items, cap * sizeof *items);
        if (items == NULL) {
            return;
        }
        f->items = items;
        f->cap = cap;
    }
    f->items[f->count++] = (follower){.peer = peer, .id = id};
    f->fresh = true;
}

size_t follow_count(const follow *f)
{
    return f->count;
}

/* ---- counting ---- */

typedef struct tally {
    core *core;
    const book_alert *alert; /* NULL: all of it is in the journal only */
    uint32_t counts[MEDIUM_COUNT][DLV_STATE_COUNT];
    int64_t last_held_ms, last_outcome_ms;
    bool open;
    uint64_t position;
    int64_t accepted_ms;
    uint8_t lifecycle;
    bool held;
} tally;

static void count(tally *t, const station *s, dlv_state state, int64_t held_ms, int64_t done_ms)
{
    if (s != NULL) {
        t->counts[s->medium][state]++;
    }
    t->open = t->open || !dlv_final(state);
    t->last_held_ms = held_ms > t->last_held_ms ? held_ms : t->last_held_ms;
    t->last_outcome_ms = done_ms > t->last_outcome_ms ? done_ms : t->last_outcome_ms;
}

static kg_err count_row(void *ctx, const journal_delivery *d)
{
    tally *t = ctx;
    const uint32_t line = (uint32_t)(d->number & ((1u << JOURNAL_LINE_BITS) - 1));
    dlv_state state = d->state;
    if (t->alert != NULL && line < t->alert->count && t->alert->lines[line].state != BOOK_ABSENT) {
        state = (dlv_state)t->alert->lines[line].state; /* it knows OFFERED */
    }
    count(t, policy_station_find(t->core->policy, d->station), state, d->held_ms, d->done_ms);
    return KG_OK;
}

/* False when the book does not have every line. */
static bool count_book(tally *t, const book_alert *a)
{
    for (uint32_t i = 0; i < a->count; i++) {
        if (a->lines[i].state == BOOK_ABSENT || a->lines[i].station == CORE_NO_STATION) {
            return false;
        }
    }
    for (uint32_t i = 0; i < a->count; i++) {
        const book_line *l = &a->lines[i];
        count(t, policy_station(t->core->policy, l->station), (dlv_state)l->state,
              l->held_after_ms == 0 ? 0 : a->accepted_ms + l->held_after_ms, 0);
    }
    t->last_outcome_ms = a->last_outcome_ms;
    return true;
}

static kg_err take_alert(void *ctx, const journal_alert *a)
{
    tally *t = ctx;
    t->position = a->position;
    t->accepted_ms = a->accepted_ms;
    t->lifecycle = a->lifecycle;
    t->held = a->held;
    return KG_OK;
}

static bool count_all(core *c, follower *f, tally *t)
{
    const book_alert *a = f->position == 0 ? NULL : book_find(c->book, f->position);
    *t = (tally){.core = c};
    if (a != NULL) {
        t->accepted_ms = a->accepted_ms;
        t->lifecycle = a->lifecycle;
        if (count_book(t, a)) {
            return true;
        }
        *t = (tally){.core = c};
    }
    if (journal_find(c->journal, f->id, take_alert, t, NULL) != KG_OK) {
        return false; /* not accepted (yet) */
    }
    f->position = t->position;
    t->alert = book_find(c->book, t->position);
    return journal_deliveries_of(c->journal, t->position, count_row, t, NULL) == KG_OK;
}

/* True when it differs from what was said last. */
static bool refresh(core *c, follower *f)
{
    tally t;
    if (!count_all(c, f, &t)) {
        return false;
    }
    wire_tally list[MEDIUM_COUNT * DLV_STATE_COUNT];
    memset(list, 0, sizeof list);
    size_t n = 0;
    for (uint32_t m = 0; m < MEDIUM_COUNT; m++) {
        for (uint32_t s = 0; s < DLV_STATE_COUNT; s++) {
            if (t.counts[m][s] > 0) {
                list[n++] = (wire_tally){m, s, t.counts[m][s]};
            }
        }
    }
    const bool over = !t.open && !t.held;
    const bool same = f->said && n == f->last.u.progress.tally_count && memcmp(list, f->tallies, sizeof list) == 0 &&
                      f->last.u.progress.lifecycle == t.lifecycle && f->over == over;
    memcpy(f->tallies, list, sizeof list);
    f->over = over;
    f->last = (wire_msg){.kind = WIRE_PROGRESS,
                         .u.progress = {.id = f->id,
                                        .tally_count = n,
                                        .final = over,
                                        .last_held_ms = t.last_held_ms,
                                        .last_outcome_ms = t.last_outcome_ms,
                                        .accepted_ms = t.accepted_ms,
                                        .lifecycle = t.lifecycle}};
    return !same;
}

void follow_tick(follow *f, bus_server *to)
{
    core *c = f->core;
    const bool due = c->mono_ms - f->said_ms >= FOLLOW_PACE_MS;
    if (f->count == 0 || !due || (f->steps == c->steps && !f->fresh)) {
        return;
    }
    f->steps = c->steps;
    f->said_ms = c->mono_ms;
    f->fresh = false;
    kg_buf out = {0};
    for (size_t i = f->count; i-- > 0;) {
        follower *one = &f->items[i];
        if (!refresh(c, one)) {
            f->fresh = f->fresh || !one->said; /* not accepted yet: look again */
            continue;
        }
        one->last.u.progress.tallies = one->tallies;
        kg_buf_clear(&out);
        if (wire_write(&one->last, &out) == KG_OK && bus_send(to, one->peer, out.s, out.len) == KG_OK) {
            one->said = true;
        } else {
            f->fresh = true;
        }
        if (one->said && one->over) {
            f->items[i] = f->items[--f->count];
        }
    }
    kg_buf_done(&out);
}
