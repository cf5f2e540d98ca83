/*
 * ledger - a sink's durable record: which alerts it holds, every playing's state, and receipts not yet kept by the
 * router.
 *
 * Purpose   HELD is said only after the row is synced; STARTED is synced before the first sound; a playing is keyed by
 *           (alert, station, playing number) and kept for ever, so that nothing is played twice unlabelled.
 * Shape     alerts(id, hash, signed bytes, lifecycle) 1-n holdings(station, delivery, target, state) 1-n playings;
 *           receipts(batch order) wait until the router says it keeps them.
 * Batches   ledger_begin / ledger_commit, as the journal: an error of class TEMP or FAULT inside a batch ends it.
 * Full      As the journal: roll back, ledger_use_reserve, begin again with what is urgent. While ledger_reserve_out,
 *           only what belongs to urgent alerts is taken: the caller knows which those are.
 * Errors    As the journal.
 */
#ifndef KENG_STORE_LEDGER_H
#define KENG_STORE_LEDGER_H

#include "alert/alert.h"
#include "base/buf.h"
#include "delivery/dlv.h"
#include "store/audit.h"

typedef struct ledger ledger;

typedef struct ledger_holding {
    alert_id id;
    const char *station;
    uint64_t delivery;
    uint8_t lifecycle; /* life_state: alive, or why it stopped */
    int64_t held_ms, expires_ms;
    uint32_t next_playing; /* number of the next playing */
    int64_t next_due_ms;   /* 0: none planned */
    const void *target;    /* packed wire Order target, as received */
    size_t target_len;
} ledger_holding;

typedef struct ledger_playing {
    alert_id id;
    const char *station;
    uint32_t playing;
    dlv_state state; /* STARTED or final */
    dlv_certainty certainty;
    int64_t started_ms, ended_ms;
    bool labelled;
    const char *driver_ref; /* what the device calls it, to ask it after a crash */
    const char *code, *detail;
} ledger_playing;

typedef struct ledger_receipt {
    uint64_t row;      /* rises; receipts are sent in this order until kept */
    const void *bytes; /* packed DeliveryReceipt */
    size_t len;
} ledger_receipt;

KG_MUST_CHECK kg_err ledger_open(const char *path, ledger **out, kg_diag *diag);
void ledger_close(ledger **l);
KG_MUST_CHECK kg_err ledger_begin(ledger *l, kg_diag *diag);
KG_MUST_CHECK kg_err ledger_commit(ledger *l, kg_diag *diag);
void ledger_rollback(ledger *l);
KG_MUST_CHECK kg_err ledger_idle(ledger *l, kg_diag *diag); /* nothing to do: house-keeping; KG_E_FULL is no harm */
bool ledger_use_reserve(ledger *l);
bool ledger_reserve_out(const ledger *l);

/* KG_E_EXISTS: held before (acknowledge again). KG_E_CONFLICT: the id is here with other bytes. */
KG_MUST_CHECK kg_err ledger_hold(ledger *l, const ledger_holding *h, const alert_hash *hash, const void *signed_bytes,
                                 size_t n, kg_diag *diag);
/* Writes lifecycle and next_*. KG_E_CONFLICT: it is over and does not come alive again; KG_E_NOTFOUND. */
KG_MUST_CHECK kg_err ledger_set_holding(ledger *l, const ledger_holding *h, kg_diag *diag);
/* Inserts or advances (STARTED may be written again with another code, label or driver_ref). KG_E_EXISTS: it ended so
 * already; KG_E_CONFLICT: it ended otherwise, and an end never changes; KG_E_NOTFOUND: nothing is held for it. */
KG_MUST_CHECK kg_err ledger_set_playing(ledger *l, const ledger_playing *p, kg_diag *diag);
KG_MUST_CHECK kg_err ledger_note_end(ledger *l, alert_id id, uint8_t lifecycle, int64_t now_ms, kg_diag *diag);
bool ledger_ended(ledger *l, alert_id id, uint8_t *lifecycle); /* an ending that came first */
KG_MUST_CHECK kg_err ledger_receipt_put(ledger *l, const void *bytes, size_t n, kg_diag *diag);
KG_MUST_CHECK kg_err ledger_receipts_kept(ledger *l, uint64_t up_to_row, kg_diag *diag);

typedef kg_err (*ledger_holding_fn)(void *ctx, const ledger_holding *h);
typedef kg_err (*ledger_playing_fn)(void *ctx, const ledger_playing *p);
typedef kg_err (*ledger_receipt_fn)(void *ctx, const ledger_receipt *r);
KG_MUST_CHECK kg_err ledger_holdings(ledger *l, bool alive_only, ledger_holding_fn fn, void *ctx, kg_diag *diag);
KG_MUST_CHECK kg_err ledger_playings(ledger *l, bool unfinished_only, ledger_playing_fn fn, void *ctx, kg_diag *diag);
KG_MUST_CHECK kg_err ledger_receipts(ledger *l, uint64_t after_row, size_t at_most, ledger_receipt_fn fn, void *ctx,
                                     kg_diag *diag);
KG_MUST_CHECK kg_err ledger_signed(ledger *l, alert_id id, kg_buf *out, kg_diag *diag);
/* One row by its key, for a repeated order; its texts and target are copied into mem. KG_E_NOTFOUND: none. */
KG_MUST_CHECK kg_err ledger_find_holding(ledger *l, alert_id id, const char *station, kg_arena *mem,
                                         ledger_holding *out, kg_diag *diag);
KG_MUST_CHECK kg_err ledger_find_playing(ledger *l, alert_id id, const char *station, uint32_t playing, kg_arena *mem,
                                         ledger_playing *out, kg_diag *diag);
/* A line of the sink's own audit chain, in the open batch: refusals, mutes, confirmations, labelled repeats. n and
 * chain are filled in here. */
KG_MUST_CHECK kg_err ledger_audit(ledger *l, audit_row *row, kg_diag *diag);
typedef kg_err (*ledger_audit_fn)(void *ctx, const audit_row *row);
KG_MUST_CHECK kg_err ledger_audits(ledger *l, uint64_t after_n, ledger_audit_fn fn, void *ctx, kg_diag *diag);
/* Small facts that must survive a restart (a station's mute, an own counter). */
KG_MUST_CHECK kg_err ledger_note_put(ledger *l, const char *key, const char *value, kg_diag *diag);
KG_MUST_CHECK kg_err ledger_note_get(ledger *l, const char *key, kg_buf *out, kg_diag *diag);

#endif
