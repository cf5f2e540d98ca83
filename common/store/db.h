/*
 * db - SQLite as we use it: one connection a file, WAL, synchronous=FULL read back, exclusive, one thread.
 *
 * Rules     reliability.md 2.3. quick_check at open. application_id names the kind of file, user_version its schema.
 *           ENOSPC is KG_E_FULL and changes nothing; any other I/O error is KG_E_IO: the caller stops acknowledging
 *           and the process exits (invariant 11). No other file of the tree includes sqlite3.h except store/ itself.
 */
#ifndef KENG_STORE_DB_H
#define KENG_STORE_DB_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/err.h"

typedef struct db {
    sqlite3 *sql;
    char path[512];
    bool in_transaction;
} db;

/* schema: statements for a new file; the file is made 0600. KG_E_INVALID: another kind of file or a newer
 * schema. */
KG_MUST_CHECK kg_err db_open(db *d, const char *path, int application_id, int version, const char *schema,
                             kg_diag *diag);
void db_close(db *d);
KG_MUST_CHECK kg_err db_prepare(db *d, const char *sql, sqlite3_stmt **out, kg_diag *diag);
KG_MUST_CHECK kg_err db_begin(db *d, kg_diag *diag);
KG_MUST_CHECK kg_err db_commit(db *d, kg_diag *diag); /* durable when KG_OK */
void db_rollback(db *d);
kg_err db_fail(db *d, int rc, const char *what, kg_diag *diag);

#endif
