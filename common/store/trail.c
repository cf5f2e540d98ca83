#include "store/trail.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

kg_err trail_open(trail *t, db *d, kg_diag *diag)
{
    *t = (trail){.d = d};
    const stmt_plan plan[] = {
        {&t->insert, "INSERT INTO audit(n, time_ms, actor, action, object, detail, chain) VALUES(?,?,?,?,?,?,?)"},
        {&t->select, "SELECT n, time_ms, actor, action, object, detail, chain FROM audit WHERE n >= ? ORDER BY n"},
    };
    kg_err e = stmt_prepare(d, plan, sizeof plan / sizeof plan[0], diag);
    sqlite3_stmt *last = NULL;
    if (e == KG_OK) {
        e = db_prepare(d, "SELECT n, chain FROM audit ORDER BY n DESC LIMIT 1", &last, diag);
    }
    if (e == KG_OK) {
        stmt s = stmt_of(last);
        e = stmt_next(d, &s, "reading the audit head", diag);
        if (e == KG_OK) {
            t->head.n = (uint64_t)stmt_get_int(&s);
            if (!stmt_get_bytes(&s, t->head.chain.b, sizeof t->head.chain.b)) {
                e = kg_fail(diag, KG_E_INVALID, "%s: the last audit row has no chain", d->path);
            }
        } else if (e == KG_E_NOTFOUND) {
            e = KG_OK;
        }
        stmt_end(&s);
    }
    (void)sqlite3_finalize(last);
    t->kept = t->head;
    return e;
}

void trail_done(trail *t)
{
    (void)sqlite3_finalize(t->insert);
    (void)sqlite3_finalize(t->select);
    *t = (trail){.d = NULL};
}

void trail_begin(trail *t)
{
    t->kept = t->head;
}

void trail_rollback(trail *t)
{
    t->head = t->kept;
}

/* Lends s, or its beginning from the given room. */
static const char *cut(const char *s, char *room, size_t max)
{
    if (s == NULL) {
        return "";
    }
    const size_t n = strlen(s);
    if (n <= max) {
        return s;
    }
    const size_t keep = kg_utf8_floor(s, n, max);
    memcpy(room, s, keep);
    room[keep] = '\0';
    return room;
}

kg_err trail_add(trail *t, audit_row *row, kg_diag *diag)
{
    char actor[AUDIT_NAME_MAX + 1];
    char action[AUDIT_NAME_MAX + 1];
    char object[AUDIT_NAME_MAX + 1];
    char detail[AUDIT_DETAIL_MAX + 1];
    audit_row cutrow = {.n = t->head.n + 1,
                        .time_ms = row->time_ms,
                        .actor = cut(row->actor, actor, AUDIT_NAME_MAX),
                        .action = cut(row->action, action, AUDIT_NAME_MAX),
                        .object = cut(row->object, object, AUDIT_NAME_MAX),
                        .detail = cut(row->detail, detail, AUDIT_DETAIL_MAX)};
    cutrow.chain = audit_chain(&t->head.chain, &cutrow);
    stmt s = stmt_of(t->insert);
    stmt_int(&s, (int64_t)cutrow.n);
    stmt_int(&s, cutrow.time_ms);
    stmt_text(&s, cutrow.actor);
    stmt_text(&s, cutrow.action);
    stmt_text(&s, cutrow.object);
    stmt_text(&s, cutrow.detail);
    stmt_hash(&s, &cutrow.chain);
    const kg_err e = stmt_run(t->d, &s, "writing an audit row", diag);
    if (e == KG_OK) {
        t->head = (trail_head){.n = cutrow.n, .chain = cutrow.chain};
        row->n = cutrow.n;
        row->chain = cutrow.chain;
    }
    return e;
}

kg_err trail_walk(trail *t, uint64_t from_n, trail_fn fn, void *ctx, kg_diag *diag)
{
    stmt s = stmt_of(t->select);
    stmt_int(&s, (int64_t)from_n);
    kg_err e = KG_OK;
    while (e == KG_OK) {
        e = stmt_next(t->d, &s, "reading the audit rows", diag);
        if (e != KG_OK) {
            break;
        }
        audit_row row = {.n = (uint64_t)stmt_get_int(&s)};
        row.time_ms = stmt_get_int(&s);
        row.actor = stmt_get_text(&s);
        row.action = stmt_get_text(&s);
        row.object = stmt_get_text(&s);
        row.detail = stmt_get_text(&s);
        (void)stmt_get_bytes(&s, row.chain.b, sizeof row.chain.b); /* else zeros: the checker says so */
        e = fn(ctx, &row);
    }
    stmt_end(&s);
    return e == KG_E_NOTFOUND ? KG_OK : e;
}
