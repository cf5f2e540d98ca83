#include "store/outbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "store/stmt.h"

enum { RESERVE_BYTES = 16 * 1024 * 1024 };

static const db_kind kind = {
    .application_id = 0x4B474F31, /* KGO1 */
    .version = 1,
    .reserve_bytes = RESERVE_BYTES,
    .schema =
        "CREATE TABLE alerts(n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, hash BLOB NOT NULL,"
        " state INTEGER NOT NULL, class INTEGER NOT NULL, signed_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL,"
        " answered_ms INTEGER NOT NULL, code TEXT, sentence TEXT, router TEXT, receipt BLOB);"
        "CREATE INDEX alerts_waiting ON alerts(class DESC, n) WHERE state = 0;"
        "CREATE TABLE signed(n INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
        "CREATE TABLE drafts(n INTEGER NOT NULL, draft INTEGER NOT NULL, bytes BLOB NOT NULL,"
        " PRIMARY KEY(n, draft)) WITHOUT ROWID;"
        "CREATE TABLE blobs(n INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, bytes BLOB NOT NULL);",
};

struct outbox {
    db d;
    struct {
        sqlite3_stmt *insert, *insert_signed, *insert_draft, *insert_blob, *same_id, *answer, *state;
        sqlite3_stmt *rows, *waiting, *bytes, *draft, *blob;
    } st;
};

#define ROW_COLUMNS "id, hash, state, class, signed_ms, expires_ms, answered_ms, code, sentence, router FROM alerts"

static size_t plan_of(outbox *o, stmt_plan out[16])
{
    const stmt_plan plan[] = {
        {&o->st.insert, "INSERT INTO alerts(id, hash, state, class, signed_ms, expires_ms, answered_ms)"
                        " VALUES(?,?,0,?,?,?,0)"},
        {&o->st.insert_signed, "INSERT INTO signed(n, bytes) VALUES(?,?)"},
        {&o->st.insert_draft, "INSERT INTO drafts(n, draft, bytes) VALUES(?,?,?)"},
        {&o->st.insert_blob, "INSERT INTO blobs(hash, bytes) VALUES(?,?) ON CONFLICT DO NOTHING"},
        {&o->st.same_id, "SELECT hash FROM alerts WHERE id = ?"},
        {&o->st.answer, "UPDATE alerts SET state = ?1, code = ?2, sentence = ?3, router = ?4, receipt = ?5,"
                        " answered_ms = ?6 WHERE id = ?7 AND (state = 0 OR (state = 2 AND ?1 <> 0))"},
        {&o->st.state, "SELECT state FROM alerts WHERE id = ?"},
        {&o->st.rows, "SELECT " ROW_COLUMNS " ORDER BY class DESC, n"},
        {&o->st.waiting, "SELECT " ROW_COLUMNS " WHERE state = 0 ORDER BY class DESC, n"},
        {&o->st.bytes, "SELECT s.bytes FROM alerts a JOIN signed s ON s.n = a.n WHERE a.id = ?"},
        {&o->st.draft, "SELECT d.bytes FROM alerts a JOIN drafts d ON d.n = a.n WHERE a.id = ? AND d.draft = ?"},
        {&o->st.blob, "SELECT bytes FROM blobs WHERE hash = ?"},
    };
    memcpy(out, plan, sizeof plan);
    return sizeof plan / sizeof plan[0];
}

kg_err outbox_open(const char *path, outbox **out, kg_diag *diag)
{
    outbox *o = calloc(1, sizeof *o);
    if (o == NULL) {
        return KG_E_NOMEM;
    }
    kg_err e = db_open(&o->d, path, &kind, diag);
    if (e != KG_OK) {
        free(o);
        return e;
    }
    stmt_plan plan[16];
    e = stmt_prepare(&o->d, plan, plan_of(o, plan), diag);
    if (e != KG_OK) {
        outbox_close(&o);
        return e;
    }
    *out = o;
    return KG_OK;
}

void outbox_close(outbox **o)
{
    if (o == NULL || *o == NULL) {
        return;
    }
    db_rollback(&(*o)->d);
    stmt_plan plan[16];
    const size_t n = plan_of(*o, plan);
    for (size_t i = 0; i < n; i++) {
        (void)sqlite3_finalize(*plan[i].out);
    }
    db_close(&(*o)->d);
    free(*o);
    *o = NULL;
}

kg_err outbox_idle(outbox *o, kg_diag *diag)
{
    return db_idle(&o->d, diag);
}

bool outbox_broken(const outbox *o, kg_diag *diag)
{
    return db_broken(&o->d, diag);
}

/* ---- putting ---- */

static kg_err taken(outbox *o, const outbox_row *row, kg_diag *diag)
{
    stmt s = stmt_of(o->st.same_id);
    stmt_id(&s, &row->id);
    kg_err e = stmt_next(&o->d, &s, "looking for the alert", diag);
    if (e == KG_OK) {
        alert_hash hash = {{0}};
        const bool same = stmt_get_bytes(&s, hash.b, sizeof hash.b) && memcmp(&hash, &row->hash, sizeof hash) == 0;
        e = same ? KG_E_EXISTS
                 : kg_fail(diag, KG_E_CONFLICT,
                           "an alert with this sender, identifier and time was signed before with "
                           "other content; give the new one its own identifier or time");
    }
    stmt_end(&s);
    return e;
}

static kg_err put_one(outbox *o, sqlite3_stmt *st, int64_t n, const kg_buf *bytes, kg_diag *diag)
{
    stmt s = stmt_of(st);
    stmt_int(&s, n);
    stmt_blob(&s, bytes->s, bytes->len);
    return stmt_run(&o->d, &s, "storing a signed alert", diag);
}

static kg_err put_drafts(outbox *o, int64_t n, const kg_buf *drafts, kg_diag *diag)
{
    kg_err e = KG_OK;
    for (int i = 0; drafts != NULL && i < DRAFT_COUNT && e == KG_OK; i++) {
        if (drafts[i].len > 0) {
            stmt s = stmt_of(o->st.insert_draft);
            stmt_int(&s, n);
            stmt_int(&s, i);
            stmt_blob(&s, drafts[i].s, drafts[i].len);
            e = stmt_run(&o->d, &s, "storing a draft", diag);
        }
    }
    return e;
}

static kg_err put_blobs(outbox *o, const outbox_blob *blobs, size_t count, kg_diag *diag)
{
    kg_err e = KG_OK;
    for (size_t i = 0; i < count && e == KG_OK; i++) {
        stmt s = stmt_of(o->st.insert_blob);
        stmt_hash(&s, &blobs[i].hash);
        stmt_blob(&s, blobs[i].bytes, blobs[i].n);
        e = stmt_run(&o->d, &s, "storing an attachment", diag);
    }
    return e;
}

static kg_err put_all(outbox *o, const outbox_row *row, const outbox_parcel *parcel, kg_diag *diag)
{
    stmt s = stmt_of(o->st.insert);
    stmt_id(&s, &row->id);
    stmt_hash(&s, &row->hash);
    stmt_int(&s, row->class);
    stmt_int(&s, row->signed_ms);
    stmt_int(&s, row->expires_ms);
    bool dup = false;
    kg_err e = stmt_insert(&o->d, &s, &dup, "storing an alert", diag);
    if (e != KG_OK || dup) {
        return dup ? taken(o, row, diag) : e;
    }
    const int64_t n = sqlite3_last_insert_rowid(o->d.sql);
    e = put_one(o, o->st.insert_signed, n, parcel->signed_bytes, diag);
    if (e == KG_OK) {
        e = put_drafts(o, n, parcel->drafts, diag);
    }
    return e == KG_OK ? put_blobs(o, parcel->blobs, parcel->blob_count, diag) : e;
}

/* Ends the batch that put or answer began: stored as a whole, or not at all. */
static kg_err finish(outbox *o, kg_err e, kg_diag *diag)
{
    if (e != KG_OK) {
        db_rollback(&o->d);
        return e;
    }
    KG_FAULT("outbox.before_commit");
    e = db_commit(&o->d, diag);
    KG_FAULT("outbox.after_commit");
    return e;
}

kg_err outbox_put(outbox *o, const outbox_row *row, const outbox_parcel *parcel, kg_diag *diag)
{
    kg_err e = KG_OK;
    for (int attempt = 0; attempt < 2; attempt++) {
        if (db_reserve_out(&o->d) && row->class < CLASS_URGENT) {
            return kg_fail(diag, KG_E_FULL, "%s: the disk is full: only urgent alerts are taken; free some space",
                           o->d.path);
        }
        e = db_begin(&o->d, diag);
        if (e == KG_OK) {
            e = finish(o, put_all(o, row, parcel, diag), diag);
        }
        if (e != KG_E_FULL || row->class < CLASS_URGENT || !db_use_reserve(&o->d)) {
            break; /* an urgent one is tried again from the reserve */
        }
    }
    return e;
}

/* ---- answers ---- */

static kg_err refuse_answer(outbox *o, alert_id id, outbox_state state, kg_diag *diag)
{
    stmt s = stmt_of(o->st.state);
    stmt_id(&s, &id);
    kg_err e = stmt_next(&o->d, &s, "looking for the alert", diag);
    if (e == KG_OK) {
        e = stmt_get_int(&s) == (int64_t)state
                ? KG_E_EXISTS
                : kg_fail(diag, KG_E_CONFLICT, "%s: this alert was answered before, otherwise", o->d.path);
    } else if (e == KG_E_NOTFOUND) {
        e = kg_fail(diag, e, "%s: this alert is not in the outbox", o->d.path);
    }
    stmt_end(&s);
    return e;
}

kg_err outbox_answer(outbox *o, alert_id id, outbox_state state, const char *code, const char *sentence,
                     const char *router, const void *receipt, size_t receipt_len, int64_t now_ms, kg_diag *diag)
{
    kg_err e = db_begin(&o->d, diag);
    if (e != KG_OK) {
        return e;
    }
    stmt s = stmt_of(o->st.answer);
    stmt_int(&s, state);
    stmt_text(&s, code);
    stmt_text(&s, sentence);
    stmt_text(&s, router);
    stmt_blob(&s, receipt, receipt_len);
    stmt_int(&s, now_ms);
    stmt_id(&s, &id);
    e = stmt_run(&o->d, &s, "storing an answer", diag);
    if (e == KG_OK && sqlite3_changes(o->d.sql) == 0) {
        e = refuse_answer(o, id, state, diag);
    }
    return finish(o, e, diag);
}

/* ---- reading ---- */

static bool get_row(stmt *s, outbox_row *row)
{
    *row = (outbox_row){.state = OUTBOX_WAITING};
    const bool whole = stmt_get_bytes(s, row->id.b, sizeof row->id.b);
    if (!stmt_get_bytes(s, row->hash.b, sizeof row->hash.b) || !whole) {
        return false;
    }
    row->state = (outbox_state)stmt_get_int(s);
    row->class = (uint8_t)stmt_get_int(s);
    row->signed_ms = stmt_get_int(s);
    row->expires_ms = stmt_get_int(s);
    row->answered_ms = stmt_get_int(s);
    row->code = stmt_get_text(s);
    row->sentence = stmt_get_text(s);
    row->router = stmt_get_text(s);
    return true;
}

kg_err outbox_rows(outbox *o, bool waiting_only, outbox_fn fn, void *ctx, kg_diag *diag)
{
    stmt s = stmt_of(waiting_only ? o->st.waiting : o->st.rows);
    kg_err e = KG_OK;
    bool ended = false;
    while (e == KG_OK) {
        e = stmt_next(&o->d, &s, "reading the outbox", diag);
        ended = e == KG_E_NOTFOUND;
        outbox_row row;
        if (e == KG_OK) {
            e = get_row(&s, &row) ? fn(ctx, &row) : kg_fail(diag, KG_E_INVALID, "%s: a row is damaged", o->d.path);
        }
    }
    stmt_end(&s);
    return ended ? KG_OK : e;
}

kg_err outbox_signed(outbox *o, alert_id id, kg_buf *out, kg_diag *diag)
{
    stmt s = stmt_of(o->st.bytes);
    stmt_id(&s, &id);
    return stmt_fetch(&o->d, &s, out, "a signed alert", diag);
}

kg_err outbox_blob_get(outbox *o, const alert_hash *hash, kg_buf *out, kg_diag *diag)
{
    stmt s = stmt_of(o->st.blob);
    stmt_hash(&s, hash);
    return stmt_fetch(&o->d, &s, out, "an attachment", diag);
}

kg_err outbox_draft_get(outbox *o, alert_id id, outbox_draft d, kg_buf *out, kg_diag *diag)
{
    stmt s = stmt_of(o->st.draft);
    stmt_id(&s, &id);
    stmt_int(&s, d);
    return stmt_fetch(&o->d, &s, out, "a draft", diag);
}
