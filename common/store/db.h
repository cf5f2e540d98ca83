/*
 * db - SQLite as we use it: one connection a file, WAL, synchronous=FULL read back, exclusive, one thread.
 *
 * Rules     reliability.md 2.3. quick_check at open. application_id names the kind of file, user_version its schema.
 *           No other file of the tree includes sqlite3.h except store/ itself.
 * Full      ENOSPC is KG_E_FULL: the batch is gone, what was committed stands. Beside the file lies a reserve of
 *           pre-allocated bytes; db_use_reserve gives them back to the file system, so that the urgent part of the batch
 *           can be tried again. db_idle makes it anew once there is room. While it is out, whoever writes what can wait
 *           must refuse (db_reserve_out).
 * Broken    Any other I/O error is KG_E_IO and for ever: this handle never succeeds again, the process stops
 *           acknowledging and exits, and the restart reads what the disk has (invariant 11).
 * WAL       Never checkpointed by SQLite itself: db_idle does when the loop has nothing to do, db_commit only when the
 *           log has grown past DB_WAL_PAGES_MAX.
 */
#ifndef KENG_STORE_DB_H
#define KENG_STORE_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { DB_PATH_MAX = 512, DB_WAL_PAGES_MAX = 4096, DB_WAL_PAGES_IDLE = 256 };

typedef struct db_kind {
    int application_id; /* four letters */
    int version;
    const char *schema; /* statements for a new file */
    size_t reserve_bytes;
} db_kind;

typedef struct db {
    sqlite3 *sql;
    sqlite3_stmt *begin, *commit, *rollback;
    char path[DB_PATH_MAX];
    size_t reserve_bytes;
    int wal_pages;
    bool in_transaction;
    bool reserve_out;
    kg_err batch;  /* why the open batch cannot be committed any more */
    kg_err broken; /* KG_E_IO for ever */
} db;

/* A new file is made 0600. KG_E_INVALID: another kind of file, a newer schema, damaged, or open to others; KG_E_AGAIN:
 * another process has it. */
KG_MUST_CHECK kg_err db_open(db *d, const char *path, const db_kind *kind, kg_diag *diag);
void db_close(db *d);
KG_MUST_CHECK kg_err db_prepare(db *d, const char *sql, sqlite3_stmt **out, kg_diag *diag);
KG_MUST_CHECK kg_err db_begin(db *d, kg_diag *diag);
KG_MUST_CHECK kg_err db_commit(db *d, kg_diag *diag); /* durable when KG_OK, else rolled back */
void db_rollback(db *d);
/* Nothing to do just now: moves the log into the file, renews the reserve. KG_E_FULL is no harm. */
KG_MUST_CHECK kg_err db_idle(db *d, kg_diag *diag);
bool db_broken(const db *d, kg_diag *diag);
/* True: room was made, begin again with what is urgent. */
bool db_use_reserve(db *d);
static inline bool db_reserve_out(const db *d)
{
    return d->reserve_out;
}
/* What SQLite's code means to the caller; ends the batch, or the handle, where it must. */
kg_err db_fail(db *d, int rc, const char *what, kg_diag *diag);

#endif
