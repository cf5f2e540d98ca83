/*
 * journal_sqlite - the journal in one SQLite file.
 *
 * Tables    Everything is keyed by integers that rise, so that writing is appending: a delivery's key is its number,
 *           which holds its alert's position. No table of the many rows has a second index. alerts.open counts an
 *           alert's deliveries that are not final, so that a restart reads the ranges of the open alerts only; the
 *           counts gather during a batch and are written once at its commit. Signed bytes are apart from the row that
 *           changes.
 */
#include <stdlib.h>
#include <string.h>

#include "store/journal_file.h"

enum { RESERVE_BYTES = 64 * 1024 * 1024 };

static const db_kind kind = {
    .application_id = 0x4B474A31, /* KGJ1 */
    .version = 1,
    .reserve_bytes = RESERVE_BYTES,
    .schema =
        "CREATE TABLE alerts(position INTEGER PRIMARY KEY, id BLOB NOT NULL, hash BLOB NOT NULL,"
        " agency TEXT, class INTEGER NOT NULL, weight INTEGER NOT NULL, lifecycle INTEGER NOT NULL,"
        " held INTEGER NOT NULL, open INTEGER NOT NULL, accepted_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL,"
        " changed_ms INTEGER NOT NULL, hold_code TEXT, hold_sentence TEXT);"
        "CREATE UNIQUE INDEX alerts_id ON alerts(id);"
        "CREATE INDEX alerts_open ON alerts(position) WHERE open > 0 OR held > 0;"
        "CREATE TABLE signed(position INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
        "CREATE TABLE deliveries(number INTEGER PRIMARY KEY, station INTEGER NOT NULL, target INTEGER NOT NULL,"
        " hit_rank INTEGER NOT NULL, state INTEGER NOT NULL, certainty INTEGER NOT NULL, held_ms INTEGER NOT NULL,"
        " done_ms INTEGER NOT NULL, playings INTEGER NOT NULL, reached INTEGER NOT NULL, sent INTEGER NOT NULL,"
        " code TEXT, detail TEXT);"
        "CREATE TABLE blobs(n INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, bytes BLOB NOT NULL);" INTERN_SCHEMA
            TRAIL_SCHEMA,
};

#define ALERT_COLUMNS                                                                                                  \
    "a.position, a.id, a.hash, a.agency, a.class, a.weight, a.lifecycle, a.held, a.accepted_ms, a.expires_ms,"         \
    " a.changed_ms, a.hold_code, a.hold_sentence"
#define DELIVERY_COLUMNS                                                                                               \
    "number, station, hit_rank, state, certainty, held_ms, done_ms, playings, reached, sent, code, detail"

static size_t plan_of(sqlite_journal *j, stmt_plan out[32])
{
    const stmt_plan plan[] = {
        {&j->st.insert_alert,
         "INSERT INTO alerts(position, id, hash, agency, class, weight, lifecycle, held, open, accepted_ms, expires_ms,"
         " changed_ms, hold_code, hold_sentence) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)"},
        {&j->st.insert_signed, "INSERT INTO signed(position, bytes) VALUES(?,?)"},
        {&j->st.same_id, "SELECT position, hash FROM alerts WHERE id = ?"},
        {&j->st.insert_delivery,
         "INSERT INTO deliveries(number, station, target, hit_rank, state, certainty, held_ms, done_ms, playings,"
         " reached, sent) VALUES(?,?,?,?,0,0,0,0,0,0,0)"},
        {&j->st.last_line, "SELECT max(number) FROM deliveries WHERE number BETWEEN ? AND ?"},
        {&j->st.advance, "UPDATE deliveries SET state = ?1, certainty = ?2, held_ms = ?3, done_ms = ?4, playings = ?5,"
                         " reached = ?6, sent = ?7, code = ?8, detail = ?9 WHERE number = ?10 AND state < ?11"
                         " AND state <= ?1"},
        {&j->st.amend, "UPDATE deliveries SET certainty = ?2, held_ms = ?3, done_ms = ?4, playings = ?5, reached = ?6,"
                       " sent = ?7, code = ?8, detail = ?9 WHERE number = ?10 AND state >= ?11 AND state = ?1"},
        {&j->st.exists, "SELECT state FROM deliveries WHERE number = ?"},
        {&j->st.count_open, "UPDATE alerts SET open = open + ? WHERE position = ?"},
        {&j->st.set_lifecycle, "UPDATE alerts SET lifecycle = ?, changed_ms = ? WHERE position = ?"},
        {&j->st.set_held, "UPDATE alerts SET held = ?, hold_code = ?, hold_sentence = ? WHERE position = ?"},
        {&j->st.set_hash, "UPDATE alerts SET hash = ? WHERE position = ?"},
        {&j->st.set_signed, "UPDATE signed SET bytes = ? WHERE position = ?"},
        {&j->st.insert_blob, "INSERT INTO blobs(hash, bytes) VALUES(?,?) ON CONFLICT DO NOTHING"},
        {&j->st.alerts, "SELECT " ALERT_COLUMNS " FROM alerts a ORDER BY a.position"},
        {&j->st.open_alerts, "SELECT " ALERT_COLUMNS " FROM alerts a WHERE open > 0 OR held > 0 ORDER BY a.position"},
        {&j->st.find, "SELECT " ALERT_COLUMNS " FROM alerts a WHERE a.id = ?"},
        {&j->st.bytes, "SELECT bytes FROM signed WHERE position = ?"},
        {&j->st.open_deliveries, "SELECT " DELIVERY_COLUMNS " FROM alerts a CROSS JOIN deliveries d"
                                 " ON d.number BETWEEN a.position << 20 AND (a.position << 20) | 1048575"
                                 " WHERE (a.open > 0 OR a.held > 0) AND d.state < ? ORDER BY a.position"},
        {&j->st.deliveries_of, "SELECT " DELIVERY_COLUMNS ", t.bytes FROM deliveries d JOIN targets t ON t.n = d.target"
                               " WHERE number BETWEEN ? AND ? ORDER BY number"},
        {&j->st.target, "SELECT t.bytes FROM deliveries d JOIN targets t ON t.n = d.target WHERE d.number = ?"},
        {&j->st.blob, "SELECT bytes FROM blobs WHERE hash = ?"},
    };
    memcpy(out, plan, sizeof plan);
    return sizeof plan / sizeof plan[0];
}

/* ---- batches ---- */

static void remember(sqlite_journal *j)
{
    intern_begin(&j->in);
    trail_begin(&j->trail);
    j->last_kept = j->last;
    j->count_count = 0;
}

static void forget(sqlite_journal *j)
{
    intern_rollback(&j->in);
    trail_rollback(&j->trail);
    j->last = j->last_kept;
    j->count_count = 0;
}

static kg_err sj_begin(journal *base, kg_diag *diag)
{
    sqlite_journal *j = (sqlite_journal *)base;
    const kg_err e = db_begin(&j->d, diag);
    if (e == KG_OK) {
        remember(j);
    }
    return e;
}

static kg_err write_counts(sqlite_journal *j, kg_diag *diag)
{
    kg_err e = KG_OK;
    for (size_t i = 0; i < j->count_count && e == KG_OK; i++) {
        stmt s = stmt_of(j->st.count_open);
        stmt_int(&s, j->counts[i].change);
        stmt_int(&s, (int64_t)j->counts[i].position);
        e = stmt_run(&j->d, &s, "counting open deliveries", diag);
    }
    j->count_count = 0;
    return e;
}

static kg_err count_open(sqlite_journal *j, uint64_t position, int64_t change, kg_diag *diag)
{
    for (size_t i = j->count_count; i > 0; i--) {
        if (j->counts[i - 1].position == position) {
            j->counts[i - 1].change += change;
            return KG_OK;
        }
    }
    kg_err e = KG_OK;
    if (j->count_count == JOURNAL_COUNTS) {
        e = write_counts(j, diag);
    }
    j->counts[j->count_count++] = (journal_count){.position = position, .change = change};
    return e;
}

static void sj_rollback(journal *base)
{
    sqlite_journal *j = (sqlite_journal *)base;
    db_rollback(&j->d);
    forget(j);
}

static kg_err sj_commit(journal *base, kg_diag *diag)
{
    sqlite_journal *j = (sqlite_journal *)base;
    kg_err e = j->d.batch == KG_OK ? write_counts(j, diag) : KG_OK;
    if (e != KG_OK) {
        sj_rollback(base);
        return e;
    }
    e = db_commit(&j->d, diag);
    if (e != KG_OK) {
        forget(j);
    }
    return e;
}

static kg_err sj_idle(journal *base, kg_diag *diag)
{
    return db_idle(&((sqlite_journal *)base)->d, diag);
}

static bool sj_use_reserve(journal *base)
{
    return db_use_reserve(&((sqlite_journal *)base)->d);
}

static bool sj_short_of_room(const journal *base)
{
    return db_reserve_out(&((const sqlite_journal *)base)->d);
}

/* ---- accepting ---- */

static kg_err add_deliveries(sqlite_journal *j, uint64_t position, uint32_t line, journal_delivery *deliveries,
                             size_t n, kg_diag *diag)
{
    for (size_t i = 0; i < n; i++) {
        journal_delivery *d = &deliveries[i];
        int64_t station = 0;
        int64_t target = 0;
        kg_err e = intern_station(&j->in, d->station, &station, diag);
        if (e == KG_OK) {
            e = intern_put(&j->in, d->target, d->target_len, &target, diag);
        }
        if (e != KG_OK) {
            return e;
        }
        d->number = journal_number(position, line + (uint32_t)i);
        d->state = DLV_PENDING;
        stmt s = stmt_of(j->st.insert_delivery);
        stmt_int(&s, (int64_t)d->number);
        stmt_int(&s, station);
        stmt_int(&s, target);
        stmt_int(&s, d->hit_rank);
        e = stmt_run(&j->d, &s, "storing a delivery", diag);
        if (e != KG_OK) {
            return e;
        }
    }
    return KG_OK;
}

/* A call that failed half-way must not leave its half in the batch. */
static kg_err end_batch(sqlite_journal *j, kg_err e)
{
    if (e != KG_OK && j->d.batch == KG_OK) {
        j->d.batch = e;
    }
    return e;
}

/* The id is taken: by the same content, or by another. */
static kg_err taken(sqlite_journal *j, journal_alert *a, kg_diag *diag)
{
    stmt s = stmt_of(j->st.same_id);
    stmt_id(&s, &a->id);
    kg_err e = stmt_next(&j->d, &s, "looking for the alert", diag);
    if (e == KG_OK) {
        alert_hash hash = {{0}};
        a->position = (uint64_t)stmt_get_int(&s);
        const bool same = stmt_get_bytes(&s, hash.b, sizeof hash.b) && memcmp(&hash, &a->hash, sizeof hash) == 0;
        e = same ? KG_E_EXISTS
                 : kg_fail(diag, KG_E_CONFLICT,
                           "this alert's sender, identifier and time were used before with other "
                           "content; give the new one its own identifier or time");
    }
    stmt_end(&s);
    return e;
}

static kg_err insert_alert(sqlite_journal *j, const journal_alert *a, uint64_t position, size_t open, bool *dup,
                           kg_diag *diag)
{
    stmt s = stmt_of(j->st.insert_alert);
    stmt_int(&s, (int64_t)position);
    stmt_id(&s, &a->id);
    stmt_hash(&s, &a->hash);
    stmt_text(&s, a->agency);
    stmt_int(&s, a->class);
    stmt_int(&s, a->weight);
    stmt_int(&s, a->lifecycle);
    stmt_int(&s, a->held);
    stmt_int(&s, (int64_t)open);
    stmt_int(&s, a->accepted_ms);
    stmt_int(&s, a->expires_ms);
    stmt_int(&s, a->changed_ms);
    stmt_text(&s, a->hold_code);
    stmt_text(&s, a->hold_sentence);
    return stmt_insert(&j->d, &s, dup, "storing an alert", diag);
}

static kg_err sj_accept(journal *base, journal_alert *a, journal_delivery *deliveries, size_t n, kg_diag *diag)
{
    sqlite_journal *j = (sqlite_journal *)base;
    if (db_reserve_out(&j->d) && a->class < CLASS_URGENT) {
        return kg_fail(diag, KG_E_FULL, "the router's disk is full: only urgent alerts are taken; try again later");
    }
    const uint64_t position = j->last + 1;
    bool dup = false;
    kg_err e = insert_alert(j, a, position, n, &dup, diag);
    if (e != KG_OK || dup) {
        return dup ? taken(j, a, diag) : e;
    }
    j->last = position;
    a->position = position;
    stmt s = stmt_of(j->st.insert_signed);
    stmt_int(&s, (int64_t)position);
    stmt_blob(&s, a->signed_bytes, a->signed_len);
    e = stmt_run(&j->d, &s, "storing an alert's bytes", diag);
    return e == KG_OK ? end_batch(j, add_deliveries(j, position, 0, deliveries, n, diag)) : e;
}

static kg_err check_changed(sqlite_journal *j, kg_err e, uint64_t position, kg_diag *diag)
{
    if (e == KG_OK && sqlite3_changes(j->d.sql) == 0) {
        e = kg_fail(diag, KG_E_NOTFOUND, "journal: no alert at position %llu", (unsigned long long)position);
    }
    return e;
}

static kg_err sj_plan(journal *base, uint64_t position, journal_delivery *deliveries, size_t n, kg_diag *diag)
{
    sqlite_journal *j = (sqlite_journal *)base;
    if (position == 0 || position > j->last) {
        return kg_fail(diag, KG_E_NOTFOUND, "journal: no alert at position %llu", (unsigned long long)position);
    }
    stmt s = stmt_of(j->st.last_line);
    stmt_int(&s, (int64_t)journal_number(position, 0));
    stmt_int(&s, (int64_t)journal_number(position + 1, 0) - 1);
    kg_err e = stmt_next(&j->d, &s, "looking for the alert's deliveries", diag);
    uint64_t last = 0;
    if (e == KG_OK) {
        last = (uint64_t)stmt_get_int(&s); /* 0 for none */
    }
    stmt_end(&s);
    const uint64_t line = last != 0 ? last - journal_number(position, 0) + 1 : 0;
    if (e == KG_OK && n > ((size_t)1 << JOURNAL_LINE_BITS) - line) {
        e = kg_fail(diag, KG_E_LIMIT, "journal: one alert has more than %d deliveries", 1 << JOURNAL_LINE_BITS);
    }
    if (e == KG_OK) {
        e = end_batch(j, add_deliveries(j, position, (uint32_t)line, deliveries, n, diag));
    }
    return e == KG_OK && n > 0 ? count_open(j, position, (int64_t)n, diag) : e;
}

/* ---- changing ---- */

static kg_err sj_set_lifecycle(journal *base, uint64_t position, uint8_t lifecycle, int64_t now_ms, kg_diag *diag)
{
    sqlite_journal *j = (sqlite_journal *)base;
    stmt s = stmt_of(j->st.set_lifecycle);
    stmt_int(&s, lifecycle);
    stmt_int(&s, now_ms);
    stmt_int(&s, (int64_t)position);
    return check_changed(j, stmt_run(&j->d, &s, "setting a lifecycle", diag), position, diag);
}

static kg_err sj_set_held(journal *base, const journal_alert *a, kg_diag *diag)
{
    sqlite_journal *j = (sqlite_journal *)base;
    stmt s = stmt_of(j->st.set_held);
    stmt_int(&s, a->held);
    stmt_text(&s, a->hold_code);
    stmt_text(&s, a->hold_sentence);
    stmt_int(&s, (int64_t)a->position);
    return check_changed(j, stmt_run(&j->d, &s, "setting held", diag), a->position, diag);
}

static kg_err sj_sign_again(journal *base, const journal_alert *a, kg_diag *diag)
{
    sqlite_journal *j = (sqlite_journal *)base;
    stmt s = stmt_of(j->st.set_hash);
    stmt_hash(&s, &a->hash);
    stmt_int(&s, (int64_t)a->position);
    kg_err e = check_changed(j, stmt_run(&j->d, &s, "storing a further signature", diag), a->position, diag);
    if (e == KG_OK) {
        s = stmt_of(j->st.set_signed);
        stmt_blob(&s, a->signed_bytes, a->signed_len);
        stmt_int(&s, (int64_t)a->position);
        e = end_batch(j, stmt_run(&j->d, &s, "storing a further signature", diag));
    }
    return e;
}

static kg_err update_delivery(sqlite_journal *j, sqlite3_stmt *st, const journal_delivery *d, bool *done, kg_diag *diag)
{
    stmt s = stmt_of(st);
    stmt_int(&s, d->state);
    stmt_int(&s, d->certainty);
    stmt_int(&s, d->held_ms);
    stmt_int(&s, d->done_ms);
    stmt_int(&s, d->playings);
    stmt_int(&s, (int64_t)d->reached);
    stmt_int(&s, (int64_t)d->sent);
    stmt_text(&s, d->code);
    stmt_text(&s, d->detail);
    stmt_int(&s, (int64_t)d->number);
    stmt_int(&s, DLV_DONE); /* the first final state */
    const kg_err e = stmt_run(&j->d, &s, "setting a delivery", diag);
    *done = e == KG_OK && sqlite3_changes(j->d.sql) > 0;
    return e;
}

static kg_err refuse_change(sqlite_journal *j, const journal_delivery *d, kg_diag *diag)
{
    stmt s = stmt_of(j->st.exists);
    stmt_int(&s, (int64_t)d->number);
    kg_err e = stmt_next(&j->d, &s, "looking for a delivery", diag);
    if (e == KG_OK) {
        e = kg_fail(diag, KG_E_CONFLICT, "journal: delivery %llu is %s and does not become %s",
                    (unsigned long long)d->number, dlv_state_text((dlv_state)stmt_get_int(&s)),
                    dlv_state_text(d->state));
    } else if (e == KG_E_NOTFOUND) {
        e = kg_fail(diag, e, "journal: no delivery %llu", (unsigned long long)d->number);
    }
    stmt_end(&s);
    return e;
}

static kg_err sj_set_delivery(journal *base, const journal_delivery *d, kg_diag *diag)
{
    sqlite_journal *j = (sqlite_journal *)base;
    bool done = false;
    kg_err e = update_delivery(j, j->st.advance, d, &done, diag);
    if (e == KG_OK && done && dlv_final(d->state)) {
        return count_open(j, journal_position_of(d->number), -1, diag);
    }
    if (e == KG_OK && !done) {
        e = update_delivery(j, j->st.amend, d, &done, diag);
    }
    return e == KG_OK && !done ? refuse_change(j, d, diag) : e;
}

static kg_err sj_audit(journal *base, audit_row *row, kg_diag *diag)
{
    return trail_add(&((sqlite_journal *)base)->trail, row, diag);
}

static kg_err sj_blob_put(journal *base, const alert_hash *hash, const void *bytes, size_t n, kg_diag *diag)
{
    sqlite_journal *j = (sqlite_journal *)base;
    stmt s = stmt_of(j->st.insert_blob);
    stmt_hash(&s, hash);
    stmt_blob(&s, bytes, n);
    return stmt_run(&j->d, &s, "storing a blob", diag);
}

/* ---- opening ---- */

static void sj_close(journal *base)
{
    sqlite_journal *j = (sqlite_journal *)base;
    if (j->d.sql != NULL) {
        db_rollback(&j->d);
    }
    stmt_plan plan[32];
    const size_t n = plan_of(j, plan);
    for (size_t i = 0; i < n; i++) {
        (void)sqlite3_finalize(*plan[i].out);
    }
    intern_done(&j->in);
    trail_done(&j->trail);
    db_close(&j->d);
    free(j);
}

static kg_err load_last(sqlite_journal *j, kg_diag *diag)
{
    sqlite3_stmt *st = NULL;
    kg_err e = db_prepare(&j->d, "SELECT coalesce(max(position), 0) FROM alerts", &st, diag);
    if (e == KG_OK) {
        stmt s = stmt_of(st);
        e = stmt_next(&j->d, &s, "reading the last position", diag);
        if (e == KG_OK) {
            j->last = (uint64_t)stmt_get_int(&s);
        }
    }
    (void)sqlite3_finalize(st);
    return e;
}

static const journal_ops ops = {
    .close = sj_close,
    .begin = sj_begin,
    .commit = sj_commit,
    .rollback = sj_rollback,
    .idle = sj_idle,
    .use_reserve = sj_use_reserve,
    .short_of_room = sj_short_of_room,
    .accept = sj_accept,
    .plan = sj_plan,
    .set_lifecycle = sj_set_lifecycle,
    .set_held = sj_set_held,
    .sign_again = sj_sign_again,
    .set_delivery = sj_set_delivery,
    .audit = sj_audit,
    .blob_put = sj_blob_put,
    .alerts = journal_file_alerts,
    .open_deliveries = journal_file_open_deliveries,
    .deliveries_of = journal_file_deliveries_of,
    .target = journal_file_target,
    .find = journal_file_find,
    .bytes = journal_file_bytes,
    .blob_get = journal_file_blob_get,
    .audit_rows = journal_file_audit_rows,
    .audit_head = journal_file_audit_head,
};

kg_err journal_sqlite_open(const char *path, journal **out, kg_diag *diag)
{
    sqlite_journal *j = calloc(1, sizeof *j);
    if (j == NULL) {
        return KG_E_NOMEM;
    }
    j->base.ops = &ops;
    kg_err e = db_open(&j->d, path, &kind, diag);
    if (e != KG_OK) {
        free(j);
        return e;
    }
    e = intern_open(&j->in, &j->d, diag);
    if (e == KG_OK) {
        e = trail_open(&j->trail, &j->d, diag);
    }
    stmt_plan plan[32];
    if (e == KG_OK) {
        e = stmt_prepare(&j->d, plan, plan_of(j, plan), diag);
    }
    if (e == KG_OK) {
        e = load_last(j, diag);
    }
    if (e != KG_OK) {
        sj_close(&j->base);
        return e;
    }
    *out = &j->base;
    return KG_OK;
}
