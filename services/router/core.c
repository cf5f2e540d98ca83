#include "core.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"

static const char *const counter_names[COUNTER_COUNT] = {
    [COUNT_SUBMITTED] = "submitted",
    [COUNT_ACCEPTED] = "accepted",
    [COUNT_DUPLICATES] = "duplicates",
    [COUNT_HELD] = "held",
    [COUNT_REFUSED] = "refused",
    [COUNT_OFFERED] = "offered",
    [COUNT_LOST] = "lost",
    [COUNT_HELD_BY_SINKS] = "held-by-sinks",
    [COUNT_FINAL] = "final",
    [COUNT_RECALLED] = "recalled",
    [COUNT_STRANGE_RECEIPTS] = "strange-receipts",
    [COUNT_COMMITS] = "commits",
};

const char *core_counter_name(core_counter c)
{
    return counter_names[c];
}

/* ---- small lists ---- */

kg_err core_lines_put(core_lines *l, uint64_t position, uint32_t line)
{
    if (l->count == l->cap) {
        const size_t cap = l->cap == 0 ? 64 : 2 * l->cap;
        core_line *items = realloc(l->items, cap * sizeof *items);
        if (items == NULL) {
            return KG_E_NOMEM;
        }
        l->items = items;
        l->cap = cap;
    }
    l->items[l->count++] = (core_line){position, line};
    return KG_OK;
}

kg_err core_hold(core *c, uint64_t position, int64_t expires_ms)
{
    if (c->held_count == c->held_cap) {
        const size_t cap = c->held_cap == 0 ? 16 : 2 * c->held_cap;
        core_held *held = realloc(c->held, cap * sizeof *held);
        if (held == NULL) {
            return KG_E_NOMEM;
        }
        c->held = held;
        c->held_cap = cap;
    }
    c->held[c->held_count++] = (core_held){position, expires_ms};
    return KG_OK;
}

void core_unhold(core *c, uint64_t position)
{
    for (size_t i = 0; i < c->held_count; i++) {
        if (c->held[i].position == position) {
            c->held[i] = c->held[--c->held_count];
            return;
        }
    }
}

/* ---- the batch ---- */

void core_tick(core *c)
{
    c->now_ms = kg_clock_wall_ms();
    c->mono_ms = kg_clock_mono_ms();
}

bool core_fail(core *c, kg_err e, const kg_diag *why)
{
    if (c->failed == KG_OK) {
        c->failed = e;
        c->why = *why;
    }
    return false;
}

bool core_batch(core *c)
{
    if (c->failed != KG_OK) {
        return false;
    }
    if (!c->batch) {
        kg_diag diag = {0};
        const kg_err e = journal_begin(c->journal, &diag);
        if (e != KG_OK) {
            return core_fail(c, e, &diag);
        }
        c->batch = true;
    }
    return true;
}

kg_err core_commit(core *c, kg_diag *diag)
{
    kg_err e = c->failed;
    if (e != KG_OK) {
        *diag = c->why;
    } else if (c->batch) {
        KG_FAULT("router.before_commit");
        e = KG_FAULT_FAILS("router.commit_full") ? kg_fail(diag, KG_E_FULL, "the disk is full (told so by a test)")
                                                 : journal_commit(c->journal, diag);
        KG_FAULT("router.after_commit");
        c->counts[COUNT_COMMITS]++;
    }
    if (e != KG_OK && c->batch) {
        journal_rollback(c->journal);
    }
    c->batch = false;
    c->failed = KG_OK;
    return e;
}

void core_audit(core *c, const char *actor, const char *action, const char *object, const char *fmt, ...)
{
    char detail[KG_DIAG_MAX + 256];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(detail, sizeof detail, fmt, args);
    va_end(args);
    kg_diag diag = {0};
    if (core_batch(c)) {
        const kg_err e = journal_audit(c->journal, c->now_ms, actor, action, object, detail, &diag);
        if (e != KG_OK) {
            (void)core_fail(c, e, &diag);
        }
    }
}

/* ---- deliveries ---- */

kg_err core_queue(core *c, const book_alert *a, uint32_t line)
{
    const book_line *l = &a->lines[line];
    const queue_item item = {
        .delivery = journal_number(a->position, line),
        .station = l->station,
        .class = a->class,
        .weight = a->weight,
        .hit_rank = l->hit_rank,
        .order = (uint32_t)a->position,
    };
    const kg_err e = queue_put(c->queue, &item);
    return e == KG_E_EXISTS ? KG_OK : e;
}

static void write_step(core *c, const book_alert *a, uint32_t line, const core_outcome *o)
{
    const book_line *l = &a->lines[line];
    const bool final = dlv_final((dlv_state)l->state);
    const journal_delivery d = {
        .number = journal_number(a->position, line),
        .state = (dlv_state)l->state,
        .certainty = (dlv_certainty)l->certainty,
        .held_ms = l->held_after_ms == 0 ? 0 : a->accepted_ms + l->held_after_ms,
        .done_ms = final ? o->time_ms : 0,
        .hit_rank = l->hit_rank,
        .playings = l->state == DLV_DONE || l->state == DLV_PARTIAL ? 1 : 0,
        .reached = o->reached,
        .sent = o->sent,
        .code = o->code != NULL ? o->code : "",
        .detail = o->detail != NULL ? o->detail : "",
    };
    kg_diag diag = {0};
    if (core_batch(c)) {
        const kg_err e = journal_set_delivery(c->journal, &d, &diag);
        if (e != KG_OK) {
            (void)core_fail(c, e, &diag);
        }
    }
}

static uint32_t ms_after(int64_t from_ms, int64_t ms)
{
    const int64_t gap = ms - from_ms;
    return gap < 1 ? 1 : gap > UINT32_MAX ? UINT32_MAX : (uint32_t)gap;
}

bool core_step(core *c, book_alert *a, uint32_t line, dlv_event event, const core_outcome *o)
{
    book_line *l = &a->lines[line];
    const dlv_state before = (dlv_state)l->state;
    dlv_state state = before;
    if (l->state == BOOK_ABSENT || !dlv_step(&state, event)) {
        return false;
    }
    l->state = (uint8_t)state;
    c->steps++;
    c->states[before]--;
    c->states[state]++;
    if (event == DLV_OFFER || event == DLV_LOST) {
        return true; /* OFFERED lives in memory only */
    }
    if (before == DLV_PENDING) {
        (void)queue_remove(c->queue, l->station, journal_number(a->position, line));
    }
    if (state >= DLV_HELD && l->held_after_ms == 0 && state != DLV_EXPIRED && state != DLV_CANCELLED) {
        l->held_after_ms = ms_after(a->accepted_ms, o->time_ms);
        c->counts[COUNT_HELD_BY_SINKS]++;
    }
    l->certainty = (uint8_t)(o->certainty > l->certainty ? o->certainty : l->certainty);
    write_step(c, a, line, o);
    if (dlv_final(state)) {
        a->open--;
        a->last_outcome_ms = o->time_ms > a->last_outcome_ms ? o->time_ms : a->last_outcome_ms;
        c->counts[COUNT_FINAL]++;
    }
    return true;
}

typedef struct row_copy { /* one delivery's row, out of the walk that lends it */
    uint64_t number;
    kg_arena mem;
    journal_delivery row;
    bool found;
} row_copy;

static kg_err copy_row(void *ctx, const journal_delivery *d)
{
    row_copy *r = ctx;
    if (d->number == r->number) {
        r->row = *d;
        r->row.code = kg_arena_str(&r->mem, d->code != NULL ? d->code : "");
        r->row.detail = kg_arena_str(&r->mem, d->detail != NULL ? d->detail : "");
        r->found = r->row.code != NULL && r->row.detail != NULL;
    }
    return KG_OK;
}

void core_replayed(core *c, const book_alert *a, uint32_t line, dlv_state said, const core_outcome *o)
{
    const dlv_state state = (dlv_state)a->lines[line].state;
    if ((said != DLV_DONE && said != DLV_PARTIAL) || !dlv_final(state) || !core_batch(c)) {
        return; /* how a repeat goes on is the sink's; only that it was played counts here */
    }
    row_copy r = {.number = journal_number(a->position, line)};
    kg_diag diag = {0};
    kg_err e = journal_deliveries_of(c->journal, a->position, copy_row, &r, &diag);
    if (e == KG_OK && r.found && r.row.state == state) {
        r.row.playings++;
        r.row.sent += o->sent;
        r.row.reached += o->reached;
        e = journal_set_delivery(c->journal, &r.row, &diag);
    }
    if (e != KG_OK) {
        (void)core_fail(c, e, &diag);
    }
    kg_arena_done(&r.mem);
}

void core_settle(core *c, uint64_t position)
{
    const book_alert *a = book_find(c->book, position);
    if (a == NULL || a->open > 0 || a->waiting > 0) {
        return;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        if (a->lines[i].state != BOOK_ABSENT) {
            c->states[a->lines[i].state]--;
        }
    }
    book_drop(c->book, position);
}
