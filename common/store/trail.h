/*
 * trail - the audit chain (audit.h) as a table of an open file: the same in journal and ledger. Private to store/.
 *
 * Batches   trail_begin remembers the head, trail_rollback goes back to it: rows are part of the owner's batch.
 */
#ifndef KENG_STORE_TRAIL_H
#define KENG_STORE_TRAIL_H

#include "store/audit.h"
#include "store/stmt.h"

#define TRAIL_SCHEMA                                                                                                   \
    "CREATE TABLE audit(n INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, actor TEXT, action TEXT, object TEXT,"        \
    " detail TEXT, chain BLOB NOT NULL);"

typedef struct trail_head {
    uint64_t n; /* of the last row; 0 none */
    alert_hash chain;
} trail_head;

typedef struct trail {
    db *d;
    sqlite3_stmt *insert, *select;
    trail_head head, kept;
} trail;

typedef kg_err (*trail_fn)(void *ctx, const audit_row *row);

KG_MUST_CHECK kg_err trail_open(trail *t, db *d, kg_diag *diag);
void trail_done(trail *t);
void trail_begin(trail *t);
void trail_rollback(trail *t);
/* Fills in n and chain; texts over audit.h's maxima are cut on a character. */
KG_MUST_CHECK kg_err trail_add(trail *t, audit_row *row, kg_diag *diag);
KG_MUST_CHECK kg_err trail_walk(trail *t, uint64_t from_n, trail_fn fn, void *ctx, kg_diag *diag);

#endif
