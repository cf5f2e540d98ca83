/*
 * journal - the router's durable record of accepted alerts and of every delivery's outcome.
 *
 * Purpose   An alert exists once journal_commit() after journal_accept() has returned KG_OK, and not before.
 * Shape     alerts(position, id, hash, signed bytes, lifecycle) 1-n deliveries(number = position * 2^20 + line,
 *           station, state, ...); held alerts wait with their reason; blobs by hash; audit rows chained in the same
 *           commits.
 * Batches   Changes gather between journal_begin and journal_commit: one loop turn, one commit, one fsync. An error of
 *           class TEMP or FAULT inside a batch ends it: nothing of it will be stored, journal_rollback it. The others
 *           (exists, conflict, not found, limit) leave the batch as it was before the call.
 * Back end  One struct of functions (journal_ops.h), so that a province that outgrows one machine puts PostgreSQL here
 *           and nothing above knows; journal_sqlite_open is the embedded default.
 * Full      KG_E_FULL: roll back, journal_use_reserve, and begin again with what is urgent: while the reserve is out,
 *           only class urgent is accepted (the others get KG_E_FULL), outcomes and audit rows are always written.
 * Units     *_ms: Unix epoch, UTC, milliseconds.
 * Errors    KG_E_EXISTS same id and hash (DONE: acknowledge again); KG_E_CONFLICT same id, other hash (PERM);
 *           KG_E_FULL disk full (TEMP, nothing changed); KG_E_IO (for ever: stop acknowledging, exit).
 * Threads   One thread, one process, one connection a file.
 */
#ifndef KENG_STORE_JOURNAL_H
#define KENG_STORE_JOURNAL_H

#include "alert/alert.h"
#include "base/buf.h"
#include "delivery/dlv.h"
#include "store/audit.h"

enum { JOURNAL_LINE_BITS = 20 };
static inline uint64_t journal_number(uint64_t position, uint32_t line)
{
    return (position << JOURNAL_LINE_BITS) | line;
}
static inline uint64_t journal_position_of(uint64_t delivery)
{
    return delivery >> JOURNAL_LINE_BITS;
}

typedef struct journal journal;

typedef struct journal_delivery {
    uint64_t number;
    const char *station;
    dlv_state state;
    dlv_certainty certainty;
    int64_t held_ms, done_ms;
    uint32_t hit_rank;
    uint32_t playings; /* playings reported finished, first included */
    uint64_t reached, sent;
    const char *code, *detail; /* of the outcome */
    const void *target;        /* packed wire Order target: mode, repeats, languages, communes, rule, basis */
    size_t target_len;
} journal_delivery;

typedef struct journal_alert {
    uint64_t position;
    alert_id id;
    alert_hash hash;
    const char *agency;
    uint8_t class;
    uint8_t weight;
    uint8_t lifecycle; /* life_state */
    bool held;         /* waits for a person */
    int64_t accepted_ms, expires_ms, changed_ms;
    const char *hold_code, *hold_sentence;
    const void *signed_bytes;
    size_t signed_len;
} journal_alert;

KG_MUST_CHECK kg_err journal_sqlite_open(const char *path, journal **out, kg_diag *diag);
void journal_close(journal **j);

KG_MUST_CHECK kg_err journal_begin(journal *j, kg_diag *diag);
KG_MUST_CHECK kg_err journal_commit(journal *j, kg_diag *diag);
void journal_rollback(journal *j);
/* The loop has nothing to do: house-keeping that would cost an urgent batch time. KG_E_FULL is no harm. */
KG_MUST_CHECK kg_err journal_idle(journal *j, kg_diag *diag);
/* After KG_E_FULL, outside a batch. True: room was made; begin again with what is urgent. */
bool journal_use_reserve(journal *j);

/* True while the reserve is out. */
bool journal_short_of_room(const journal *j);

/* Inside a batch. journal_accept sets a->position (of the first one, when it exists already) and numbers the
 * deliveries; all begin PENDING. A target is stored once however often its bytes come: leave station and delivery out
 * of them (wire_target_pack). */
KG_MUST_CHECK kg_err journal_accept(journal *j, journal_alert *a, journal_delivery *deliveries, size_t count,
                                    kg_diag *diag);
KG_MUST_CHECK kg_err journal_plan(journal *j, uint64_t position, journal_delivery *deliveries, size_t count,
                                  kg_diag *diag); /* a held alert released: its deliveries */
KG_MUST_CHECK kg_err journal_set_lifecycle(journal *j, uint64_t position, uint8_t lifecycle, int64_t now_ms,
                                           kg_diag *diag);
KG_MUST_CHECK kg_err journal_set_held(journal *j, uint64_t position, bool held, const char *code, const char *sentence,
                                      kg_diag *diag);
/* The same payload with more signatures takes the place of the bytes stored first. KG_E_NOTFOUND. */
KG_MUST_CHECK kg_err journal_sign_again(journal *j, uint64_t position, const alert_hash *hash, const void *bytes,
                                        size_t n, kg_diag *diag);
/* Writes state, certainty, times, counts, code and detail of d->number. OFFERED is never written: it lives in memory.
 * KG_E_CONFLICT: states only rise, and a final one never changes (its counts, playings and detail may: repeats). */
KG_MUST_CHECK kg_err journal_set_delivery(journal *j, const journal_delivery *d, kg_diag *diag);
KG_MUST_CHECK kg_err journal_audit(journal *j, int64_t time_ms, const char *actor, const char *action,
                                   const char *object, const char *detail, kg_diag *diag);
KG_MUST_CHECK kg_err journal_blob_put(journal *j, const alert_hash *hash, const void *bytes, size_t n, kg_diag *diag);

/* Reading. Callbacks borrow their argument for the call; returning other than KG_OK stops the walk with that error.
 * A callback may read and write the journal, but not begin the walk it is in again. */
typedef kg_err (*journal_alert_fn)(void *ctx, const journal_alert *a);
typedef kg_err (*journal_delivery_fn)(void *ctx, const journal_delivery *d);
typedef kg_err (*journal_audit_fn)(void *ctx, const audit_row *row);
KG_MUST_CHECK kg_err journal_alerts(journal *j, bool with_bytes, journal_alert_fn fn, void *ctx, kg_diag *diag);
/* Those with deliveries that are not final, and those that wait for a person; by position. */
KG_MUST_CHECK kg_err journal_open_alerts(journal *j, bool with_bytes, journal_alert_fn fn, void *ctx, kg_diag *diag);
/* Not final, by number; without their targets (a million of them in seconds): journal_target when one goes out. */
KG_MUST_CHECK kg_err journal_open_deliveries(journal *j, journal_delivery_fn fn, void *ctx, kg_diag *diag);
KG_MUST_CHECK kg_err journal_target(journal *j, uint64_t number, kg_buf *out, kg_diag *diag);
/* All of one alert, with targets. */
KG_MUST_CHECK kg_err journal_deliveries_of(journal *j, uint64_t position, journal_delivery_fn fn, void *ctx,
                                           kg_diag *diag);
/* KG_E_NOTFOUND: never accepted. */
KG_MUST_CHECK kg_err journal_find(journal *j, alert_id id, journal_alert_fn fn, void *ctx, kg_diag *diag);
KG_MUST_CHECK kg_err journal_bytes(journal *j, uint64_t position, kg_buf *out, kg_diag *diag);
KG_MUST_CHECK kg_err journal_blob_get(journal *j, const alert_hash *hash, kg_buf *out, kg_diag *diag);
KG_MUST_CHECK kg_err journal_audit_rows(journal *j, uint64_t from, journal_audit_fn fn, void *ctx, kg_diag *diag);
/* Number and chain of the last audit row (0 and zeros: none), for a checkpoint. */
void journal_audit_head(const journal *j, uint64_t *n, alert_hash *chain);

#endif
