/*
 * core - what the router knows: the journal, and what mirrors it in memory for speed.
 *
 * Rules     Memory follows the journal. All changes of a turn gather in one batch; core_commit makes them durable. When
 *           a batch fails, memory is built again from what is durable: the way a restart goes, so there is one way.
 * Errors    A failing write is kept in `failed` and the batch goes on without effect; core_commit reports it.
 *           KG_E_FULL: the disk is full, the turn may be tried again from the reserve. Other TEMP errors of the journal
 *           and KG_E_BUG: the process must stop (reliability.md, invariant 11).
 * Clock     now_ms (wall) and mono_ms stand still during a turn.
 */
#ifndef KENG_ROUTER_CORE_H
#define KENG_ROUTER_CORE_H

#include "book.h"
#include "delivery/lease.h"
#include "delivery/queue.h"
#include "lifecycle/life.h"
#include "lifecycle/recall.h"
#include "policy/route.h"
#include "router_config.h"
#include "store/journal.h"
#include "trust/manifest.h"
#include "trust/verify.h"

static const uint32_t CORE_NO_STATION = UINT32_MAX; /* the policy knows it no more */

typedef enum core_counter {
    COUNT_SUBMITTED,
    COUNT_ACCEPTED,
    COUNT_DUPLICATES,
    COUNT_HELD,
    COUNT_REFUSED,
    COUNT_OFFERED,
    COUNT_LOST,
    COUNT_HELD_BY_SINKS,
    COUNT_FINAL,
    COUNT_RECALLED,
    COUNT_STRANGE_RECEIPTS,
    COUNT_COMMITS,
    COUNTER_COUNT
} core_counter;
const char *core_counter_name(core_counter c);

typedef struct core_line { /* one delivery, where it stands */
    uint64_t position;
    uint32_t line;
} core_line;

typedef struct core_lines { /* grows; emptied at the end of the turn that worked it off */
    core_line *items;
    size_t count, cap;
} core_lines;

typedef struct core_held { /* an alert that waits for a person */
    uint64_t position;
    int64_t expires_ms;
} core_held;

typedef struct core {
    const router_config *config;
    areas *areas;
    policy *policy;
    manifest *manifest;
    journal *journal;
    life *life;
    queue *queue;
    book *book;
    lease *lease;

    int64_t now_ms, mono_ms;
    bool batch;    /* open */
    kg_err failed; /* of this batch */
    kg_diag why;

    core_lines ending; /* position: an alert that ended; line: where the work on it stands */
    core_lines ended;  /* alerts that ended and still have open deliveries */
    core_lines tell;   /* sinks to be told to stop, after the commit */
    core_held *held;
    size_t held_count, held_cap;
    int64_t next_expiry_ms;
    uint64_t silence_from; /* position: so far the alerts have been looked at for silent stations */
    uint64_t counts[COUNTER_COUNT];
    uint64_t steps;                   /* rises with every change of a delivery */
    uint64_t states[DLV_STATE_COUNT]; /* deliveries of the book by state */
} core;

KG_MUST_CHECK kg_err core_open(core *c, const router_config *config, kg_diag *diag);
void core_close(core *c);
/* From the journal; sessions of sinks are the caller's. */
KG_MUST_CHECK kg_err core_rebuild(core *c, kg_diag *diag);

/* Reads both clocks. */
void core_tick(core *c);
/* True when the batch is open and has not failed. */
bool core_batch(core *c);
bool core_fail(core *c, kg_err e, const kg_diag *why); /* keeps the first; returns false */
KG_MUST_CHECK kg_err core_commit(core *c, kg_diag *diag);
void core_audit(core *c, const char *actor, const char *action, const char *object, const char *fmt, ...)
    KG_PRINTF(5, 6);

/* The alert in the book, loaded from the journal when it is not there (its position then comes from there).
 * NULL: no such, or the batch failed. */
book_alert *core_alert(core *c, alert_id id, uint64_t position);
KG_MUST_CHECK kg_err core_queue(core *c, const book_alert *a, uint32_t line);
static inline lane core_lane(const book_alert *a)
{
    return a->class == CLASS_URGENT ? LANE_URGENT : LANE_OTHER;
}

typedef struct core_outcome { /* what a receipt, or the router itself, says of a delivery */
    int64_t time_ms;
    dlv_certainty certainty;
    uint64_t sent, reached;
    const char *code, *detail; /* may be NULL */
} core_outcome;

/* The one place where a delivery changes. False: the event has no meaning in its state; nothing changed. */
bool core_step(core *c, book_alert *a, uint32_t line, dlv_event event, const core_outcome *o);
/* A repeat was played: counted in the delivery's row, whose state stays. */
void core_replayed(core *c, const book_alert *a, uint32_t line, dlv_state said, const core_outcome *o);
/* Drops the alert from memory when nothing of it is open. */
void core_settle(core *c, uint64_t position);

KG_MUST_CHECK kg_err core_lines_put(core_lines *l, uint64_t position, uint32_t line);
KG_MUST_CHECK kg_err core_hold(core *c, uint64_t position, int64_t expires_ms);
void core_unhold(core *c, uint64_t position);

#endif
