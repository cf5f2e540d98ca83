/*
 * journal_file - what journal_sqlite.c (opening, writing) and journal_sqlite_read.c (reading) share. Private to store/.
 */
#ifndef KENG_STORE_JOURNAL_FILE_H
#define KENG_STORE_JOURNAL_FILE_H

#include "store/intern.h"
#include "store/journal_ops.h"
#include "store/trail.h"

enum { JOURNAL_COUNTS = 64 };

typedef struct journal_count { /* what the batch does to an alert's number of open deliveries */
    uint64_t position;
    int64_t change;
} journal_count;

typedef struct sqlite_journal {
    journal base;
    db d;
    intern in;
    trail trail;
    uint64_t last, last_kept; /* position */
    journal_count counts[JOURNAL_COUNTS];
    size_t count_count;
    struct {
        sqlite3_stmt *insert_alert, *insert_signed, *same_id, *insert_delivery, *last_line;
        sqlite3_stmt *advance, *amend, *exists, *count_open, *set_lifecycle, *set_held, *insert_blob;
        sqlite3_stmt *set_hash, *set_signed;
        sqlite3_stmt *alerts, *open_alerts, *find, *bytes, *open_deliveries, *deliveries_of, *target, *blob;
    } st;
} sqlite_journal;

kg_err journal_file_alerts(journal *base, journal_which which, bool with_bytes, journal_alert_fn fn, void *ctx,
                           kg_diag *diag);
kg_err journal_file_open_deliveries(journal *base, journal_delivery_fn fn, void *ctx, kg_diag *diag);
kg_err journal_file_deliveries_of(journal *base, uint64_t position, journal_delivery_fn fn, void *ctx, kg_diag *diag);
kg_err journal_file_target(journal *base, uint64_t number, kg_buf *out, kg_diag *diag);
kg_err journal_file_find(journal *base, alert_id id, journal_alert_fn fn, void *ctx, kg_diag *diag);
kg_err journal_file_bytes(journal *base, uint64_t position, kg_buf *out, kg_diag *diag);
kg_err journal_file_blob_get(journal *base, const alert_hash *hash, kg_buf *out, kg_diag *diag);
kg_err journal_file_audit_rows(journal *base, uint64_t from, journal_audit_fn fn, void *ctx, kg_diag *diag);
void journal_file_audit_head(const journal *base, uint64_t *n, alert_hash *chain);

#endif
