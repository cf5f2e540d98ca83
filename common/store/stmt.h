/*
 * stmt - a prepared statement filled from left to right, run, read and reset. Private to store/.
 *
 * Use       stmt s = stmt_of(st); stmt_int(&s, 5); stmt_text(&s, name); return stmt_run(d, &s, "what", diag);
 * Values    Bound bytes are borrowed until stmt_run or stmt_end. "" and NULL texts are stored as NULL, read as "".
 */
#ifndef KENG_STORE_STMT_H
#define KENG_STORE_STMT_H

#include <stdint.h>

#include "alert/alert.h"
#include "base/buf.h"
#include "store/db.h"

typedef struct stmt {
    sqlite3_stmt *st;
    int at; /* the last parameter bound, or column read + 1 */
    int rc;
} stmt;

static inline stmt stmt_of(sqlite3_stmt *st)
{
    return (stmt){.st = st, .rc = SQLITE_OK};
}
void stmt_int(stmt *s, int64_t v);
void stmt_text(stmt *s, const char *v);
void stmt_blob(stmt *s, const void *bytes, size_t n);
void stmt_id(stmt *s, const alert_id *id);
void stmt_hash(stmt *s, const alert_hash *hash);

/* Runs a statement that gives no rows, and resets it. */
KG_MUST_CHECK kg_err stmt_run(db *d, stmt *s, const char *what, kg_diag *diag);
/* As stmt_run, but a broken UNIQUE or PRIMARY KEY is *dup, not an error, and the batch goes on. */
KG_MUST_CHECK kg_err stmt_insert(db *d, stmt *s, bool *dup, const char *what, kg_diag *diag);
/* The next row: KG_OK, or KG_E_NOTFOUND when there is none (more). The caller ends with stmt_end. */
KG_MUST_CHECK kg_err stmt_next(db *d, stmt *s, const char *what, kg_diag *diag);
void stmt_end(stmt *s);

/* The row's columns, from left to right; lent until the next stmt_next or stmt_end. */
int64_t stmt_get_int(stmt *s);
const char *stmt_get_text(stmt *s);
const void *stmt_get_blob(stmt *s, size_t *n);
bool stmt_get_bytes(stmt *s, void *out, size_t n); /* exactly n */
/* The first column of the first row, appended to out. KG_E_NOTFOUND with what. */
KG_MUST_CHECK kg_err stmt_fetch(db *d, stmt *s, kg_buf *out, const char *what, kg_diag *diag);

/* Prepares a list of statements: SQL and where it goes. */
typedef struct stmt_plan {
    sqlite3_stmt **out;
    const char *sql;
} stmt_plan;
KG_MUST_CHECK kg_err stmt_prepare(db *d, const stmt_plan *plan, size_t n, kg_diag *diag);

#endif
