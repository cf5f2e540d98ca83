/*
 * journal_ops - what a back end of the journal must do: journal.h's contract, one function each. journal.c has checked
 * what does not depend on the back end (a batch is open where one must be, states that are never written).
 *
 * New one   Embed journal as the first member, give its ops, open it by a function of your own. The tests of
 *           tests/unit/store/journal_test.c must pass with it unchanged.
 */
#ifndef KENG_STORE_JOURNAL_OPS_H
#define KENG_STORE_JOURNAL_OPS_H

#include "store/journal.h"

typedef enum journal_which { JOURNAL_ALL, JOURNAL_OPEN } journal_which;

typedef struct journal_ops {
    void (*close)(journal *j);
    kg_err (*begin)(journal *j, kg_diag *diag);
    kg_err (*commit)(journal *j, kg_diag *diag); /* not KG_OK: all of the batch is gone */
    void (*rollback)(journal *j);
    kg_err (*idle)(journal *j, kg_diag *diag);
    bool (*use_reserve)(journal *j);
    bool (*short_of_room)(const journal *j);

    kg_err (*accept)(journal *j, journal_alert *a, journal_delivery *deliveries, size_t count, kg_diag *diag);
    kg_err (*plan)(journal *j, uint64_t position, journal_delivery *deliveries, size_t count, kg_diag *diag);
    kg_err (*set_lifecycle)(journal *j, uint64_t position, uint8_t lifecycle, int64_t now_ms, kg_diag *diag);
    kg_err (*set_held)(journal *j, const journal_alert *a, kg_diag *diag);   /* position, held, hold_* count */
    kg_err (*sign_again)(journal *j, const journal_alert *a, kg_diag *diag); /* position, hash, signed_* count */
    kg_err (*set_delivery)(journal *j, const journal_delivery *d, kg_diag *diag);
    kg_err (*audit)(journal *j, audit_row *row, kg_diag *diag);
    kg_err (*blob_put)(journal *j, const alert_hash *hash, const void *bytes, size_t n, kg_diag *diag);

    kg_err (*alerts)(journal *j, journal_which which, bool with_bytes, journal_alert_fn fn, void *ctx, kg_diag *diag);
    kg_err (*open_deliveries)(journal *j, journal_delivery_fn fn, void *ctx, kg_diag *diag);
    kg_err (*deliveries_of)(journal *j, uint64_t position, journal_delivery_fn fn, void *ctx, kg_diag *diag);
    kg_err (*target)(journal *j, uint64_t number, kg_buf *out, kg_diag *diag);
    kg_err (*find)(journal *j, alert_id id, journal_alert_fn fn, void *ctx, kg_diag *diag);
    kg_err (*bytes)(journal *j, uint64_t position, kg_buf *out, kg_diag *diag);
    kg_err (*blob_get)(journal *j, const alert_hash *hash, kg_buf *out, kg_diag *diag);
    kg_err (*audit_rows)(journal *j, uint64_t from, journal_audit_fn fn, void *ctx, kg_diag *diag);
    void (*audit_head)(const journal *j, uint64_t *n, alert_hash *chain);
} journal_ops;

struct journal {
    const journal_ops *ops;
    bool in_batch;
};

#endif
