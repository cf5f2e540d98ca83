#include "store/stmt.h"

#include <string.h>

static void keep(stmt *s, int rc)
{
    if (s->rc == SQLITE_OK) {
        s->rc = rc;
    }
}

void stmt_int(stmt *s, int64_t v)
{
    keep(s, sqlite3_bind_int64(s->st, ++s->at, v));
}

void stmt_text(stmt *s, const char *v)
{
    s->at++;
    keep(s, v != NULL && v[0] != '\0' ? sqlite3_bind_text(s->st, s->at, v, -1, SQLITE_STATIC)
                                      : sqlite3_bind_null(s->st, s->at));
}

void stmt_blob(stmt *s, const void *bytes, size_t n)
{
    s->at++;
    keep(s,
         n > 0 ? sqlite3_bind_blob64(s->st, s->at, bytes, n, SQLITE_STATIC) : sqlite3_bind_zeroblob(s->st, s->at, 0));
}

void stmt_id(stmt *s, const alert_id *id)
{
    stmt_blob(s, id->b, sizeof id->b);
}

void stmt_hash(stmt *s, const alert_hash *hash)
{
    stmt_blob(s, hash->b, sizeof hash->b);
}

void stmt_end(stmt *s)
{
    (void)sqlite3_reset(s->st);
    (void)sqlite3_clear_bindings(s->st);
}

/* One step; a handle or a batch that failed before does nothing more. */
static kg_err step(db *d, stmt *s, int want, const char *what, kg_diag *diag)
{
    if (d->broken != KG_OK) {
        return kg_fail(diag, d->broken, "%s: %s: an earlier I/O error stopped this file; restart the program", d->path,
                       what);
    }
    if (d->in_transaction && d->batch != KG_OK) {
        return kg_fail(diag, d->batch, "%s: %s: the batch failed before", d->path, what);
    }
    if (s->rc == SQLITE_OK) {
        s->rc = sqlite3_step(s->st);
    }
    if (s->rc == want) {
        s->rc = SQLITE_OK;
        return KG_OK;
    }
    return KG_E_AGAIN;
}

kg_err stmt_insert(db *d, stmt *s, bool *dup, const char *what, kg_diag *diag)
{
    kg_err e = step(d, s, SQLITE_DONE, what, diag);
    *dup =
        s->rc == SQLITE_CONSTRAINT_UNIQUE || s->rc == SQLITE_CONSTRAINT_PRIMARYKEY || s->rc == SQLITE_CONSTRAINT_ROWID;
    if (s->rc != SQLITE_OK) {
        e = *dup ? KG_OK : db_fail(d, s->rc, what, diag);
    }
    stmt_end(s);
    return e;
}

kg_err stmt_run(db *d, stmt *s, const char *what, kg_diag *diag)
{
    kg_err e = step(d, s, SQLITE_DONE, what, diag);
    if (s->rc != SQLITE_OK) {
        e = db_fail(d, s->rc, what, diag);
    }
    stmt_end(s);
    return e;
}

kg_err stmt_next(db *d, stmt *s, const char *what, kg_diag *diag)
{
    const kg_err e = step(d, s, SQLITE_ROW, what, diag);
    s->at = 0;
    if (s->rc == SQLITE_DONE) {
        return KG_E_NOTFOUND;
    }
    return s->rc == SQLITE_OK ? e : db_fail(d, s->rc, what, diag);
}

int64_t stmt_get_int(stmt *s)
{
    return sqlite3_column_int64(s->st, s->at++);
}

const char *stmt_get_text(stmt *s)
{
    const char *v = (const char *)sqlite3_column_text(s->st, s->at++);
    return v != NULL ? v : "";
}

const void *stmt_get_blob(stmt *s, size_t *n)
{
    const void *v = sqlite3_column_blob(s->st, s->at);
    *n = (size_t)sqlite3_column_bytes(s->st, s->at++);
    return v;
}

bool stmt_get_bytes(stmt *s, void *out, size_t n)
{
    size_t got = 0;
    const void *v = stmt_get_blob(s, &got);
    if (got != n) {
        return false;
    }
    memcpy(out, v, n);
    return true;
}

kg_err stmt_fetch(db *d, stmt *s, kg_buf *out, const char *what, kg_diag *diag)
{
    kg_err e = stmt_next(d, s, what, diag);
    if (e == KG_OK) {
        size_t n = 0;
        const void *bytes = stmt_get_blob(s, &n);
        e = kg_buf_put(out, bytes, n);
    } else if (e == KG_E_NOTFOUND) {
        e = kg_fail(diag, e, "%s: %s: not there", d->path, what);
    }
    stmt_end(s);
    return e;
}

kg_err stmt_prepare(db *d, const stmt_plan *plan, size_t n, kg_diag *diag)
{
    kg_err e = KG_OK;
    for (size_t i = 0; i < n && e == KG_OK; i++) {
        e = db_prepare(d, plan[i].sql, plan[i].out, diag);
    }
    return e;
}
