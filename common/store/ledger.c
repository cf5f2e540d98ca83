#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "lifecycle/life.h"
#include "store/ledger_file.h"

enum { RESERVE_BYTES = 32 * 1024 * 1024 };

static const db_kind kind = {
    .application_id = 0x4B474C31, /* KGL1 */
    .version = 1,
    .reserve_bytes = RESERVE_BYTES,
    .schema =
        "CREATE TABLE alerts(n INTEGER PRIMARY KEY, id BLOB NOT NULL, hash BLOB NOT NULL);"
        "CREATE UNIQUE INDEX alerts_id ON alerts(id);"
        "CREATE TABLE signed(n INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
        "CREATE TABLE holdings(key INTEGER PRIMARY KEY, delivery INTEGER NOT NULL, target INTEGER NOT NULL,"
        " lifecycle INTEGER NOT NULL, held_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL,"
        " next_playing INTEGER NOT NULL, next_due_ms INTEGER NOT NULL);"
        "CREATE INDEX holdings_alive ON holdings(key) WHERE lifecycle = 0;"
        "CREATE TABLE playings(holding INTEGER NOT NULL, playing INTEGER NOT NULL, state INTEGER NOT NULL,"
        " certainty INTEGER NOT NULL, started_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL,"
        " labelled INTEGER NOT NULL, driver_ref TEXT, code TEXT, detail TEXT, PRIMARY KEY(holding, playing))"
        " WITHOUT ROWID;"
        "CREATE INDEX playings_unfinished ON playings(state) WHERE state < 4;"
        "CREATE TABLE ended(id BLOB PRIMARY KEY, lifecycle INTEGER NOT NULL, time_ms INTEGER NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE receipts(row INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
        "CREATE TABLE receipts_floor(one INTEGER PRIMARY KEY, row INTEGER NOT NULL);"
        "INSERT INTO receipts_floor VALUES(1, 0);"
        "CREATE TABLE notes(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;" INTERN_SCHEMA TRAIL_SCHEMA,
};

static_assert(LIFE_ALIVE == 0 && DLV_DONE == 4 && DLV_STARTED == 3, "the partial indexes name these numbers");

#define HOLDING_COLUMNS                                                                                                \
    "a.id, h.key, h.delivery, h.lifecycle, h.held_ms, h.expires_ms, h.next_playing, h.next_due_ms, t.bytes"            \
    " FROM holdings h JOIN alerts a ON a.n = h.key >> 20 JOIN targets t ON t.n = h.target"
#define PLAYING_COLUMNS                                                                                                \
    "a.id, p.holding, p.playing, p.state, p.certainty, p.started_ms, p.ended_ms, p.labelled, p.driver_ref, p.code,"    \
    " p.detail FROM playings p JOIN alerts a ON a.n = p.holding >> 20"

static size_t plan_of(ledger *l, stmt_plan out[32])
{
    const stmt_plan plan[] = {
        {&l->st.insert_alert, "INSERT INTO alerts(n, id, hash) VALUES(?,?,?)"},
        {&l->st.insert_signed, "INSERT INTO signed(n, bytes) VALUES(?,?)"},
        {&l->st.find_alert, "SELECT n, hash FROM alerts WHERE id = ?"},
        {&l->st.insert_holding,
         "INSERT INTO holdings(key, delivery, target, lifecycle, held_ms, expires_ms, next_playing, next_due_ms)"
         " VALUES(?,?,?,?,?,?,?,?)"},
        {&l->st.set_holding, "UPDATE holdings SET lifecycle = ?1, next_playing = ?2, next_due_ms = ?3"
                             " WHERE key = ?4 AND (lifecycle = 0 OR lifecycle = ?1)"},
        {&l->st.holding_state, "SELECT lifecycle FROM holdings WHERE key = ?"},
        {&l->st.set_playing,
         "INSERT INTO playings(holding, playing, state, certainty, started_ms, ended_ms, labelled, driver_ref, code,"
         " detail) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10) ON CONFLICT(holding, playing) DO UPDATE SET state = ?3,"
         " certainty = ?4, started_ms = ?5, ended_ms = ?6, labelled = ?7, driver_ref = ?8, code = ?9, detail = ?10"
         " WHERE state < 4"},
        {&l->st.playing_state, "SELECT state FROM playings WHERE holding = ? AND playing = ?"},
        {&l->st.note_end, "INSERT INTO ended(id, lifecycle, time_ms) VALUES(?,?,?) ON CONFLICT DO NOTHING"},
        {&l->st.ended, "SELECT lifecycle FROM ended WHERE id = ?"},
        {&l->st.insert_receipt, "INSERT INTO receipts(row, bytes) VALUES(?,?)"},
        {&l->st.drop_receipts, "DELETE FROM receipts WHERE row <= ?"},
        {&l->st.floor, "UPDATE receipts_floor SET row = ?1 WHERE one = 1 AND row < ?1"},
        {&l->st.note_put, "INSERT INTO notes(key, value) VALUES(?1,?2) ON CONFLICT(key) DO UPDATE SET value = ?2"},
        {&l->st.note_get, "SELECT value FROM notes WHERE key = ?"},
        {&l->st.bytes, "SELECT s.bytes FROM alerts a JOIN signed s ON s.n = a.n WHERE a.id = ?"},
        {&l->st.holdings, "SELECT " HOLDING_COLUMNS " ORDER BY h.key"},
        {&l->st.alive, "SELECT " HOLDING_COLUMNS " WHERE h.lifecycle = 0 ORDER BY h.key"},
        {&l->st.holding, "SELECT " HOLDING_COLUMNS " WHERE h.key = ?"},
        {&l->st.playings, "SELECT " PLAYING_COLUMNS " ORDER BY p.holding, p.playing"},
        {&l->st.unfinished, "SELECT " PLAYING_COLUMNS " WHERE p.state < 4 ORDER BY p.holding, p.playing"},
        {&l->st.playing, "SELECT " PLAYING_COLUMNS " WHERE p.holding = ? AND p.playing = ?"},
        {&l->st.receipts, "SELECT row, bytes FROM receipts WHERE row > ? ORDER BY row LIMIT ?"},
    };
    memcpy(out, plan, sizeof plan);
    return sizeof plan / sizeof plan[0];
}

/* ---- opening ---- */

static kg_err load(ledger *l, kg_diag *diag)
{
    sqlite3_stmt *st = NULL;
    kg_err e = db_prepare(&l->d,
                          "SELECT (SELECT coalesce(max(n), 0) FROM alerts),"
                          " max((SELECT coalesce(max(row), 0) FROM receipts), (SELECT row FROM receipts_floor))",
                          &st, diag);
    if (e == KG_OK) {
        stmt s = stmt_of(st);
        e = stmt_next(&l->d, &s, "reading the last numbers", diag);
        if (e == KG_OK) {
            l->last_alert = stmt_get_int(&s);
            l->last_receipt = stmt_get_int(&s);
        }
    }
    (void)sqlite3_finalize(st);
    return e;
}

kg_err ledger_open(const char *path, ledger **out, kg_diag *diag)
{
    ledger *l = calloc(1, sizeof *l);
    if (l == NULL) {
        return KG_E_NOMEM;
    }
    kg_err e = db_open(&l->d, path, &kind, diag);
    if (e != KG_OK) {
        free(l);
        return e;
    }
    e = intern_open(&l->in, &l->d, diag);
    if (e == KG_OK) {
        e = trail_open(&l->trail, &l->d, diag);
    }
    stmt_plan plan[32];
    if (e == KG_OK) {
        e = stmt_prepare(&l->d, plan, plan_of(l, plan), diag);
    }
    if (e == KG_OK) {
        e = load(l, diag);
    }
    if (e != KG_OK) {
        ledger_close(&l);
        return e;
    }
    *out = l;
    return KG_OK;
}

void ledger_close(ledger **l)
{
    if (l == NULL || *l == NULL) {
        return;
    }
    db_rollback(&(*l)->d);
    stmt_plan plan[32];
    const size_t n = plan_of(*l, plan);
    for (size_t i = 0; i < n; i++) {
        (void)sqlite3_finalize(*plan[i].out);
    }
    intern_done(&(*l)->in);
    trail_done(&(*l)->trail);
    db_close(&(*l)->d);
    free(*l);
    *l = NULL;
}

/* ---- batches ---- */

kg_err ledger_begin(ledger *l, kg_diag *diag)
{
    const kg_err e = db_begin(&l->d, diag);
    if (e == KG_OK) {
        intern_begin(&l->in);
        trail_begin(&l->trail);
        l->last_alert_kept = l->last_alert;
        l->last_receipt_kept = l->last_receipt;
    }
    return e;
}

static void forget(ledger *l)
{
    intern_rollback(&l->in);
    trail_rollback(&l->trail);
    l->last_alert = l->last_alert_kept;
    l->last_receipt = l->last_receipt_kept;
    memset(l->seen, 0, sizeof l->seen);
}

kg_err ledger_commit(ledger *l, kg_diag *diag)
{
    KG_FAULT("ledger.before_commit");
    const bool open = l->d.in_transaction;
    const kg_err e = db_commit(&l->d, diag);
    if (e != KG_OK && open) {
        forget(l);
    }
    KG_FAULT("ledger.after_commit");
    return e;
}

void ledger_rollback(ledger *l)
{
    if (l->d.in_transaction) {
        db_rollback(&l->d);
        forget(l);
    }
}

kg_err ledger_idle(ledger *l, kg_diag *diag)
{
    return l->d.in_transaction ? KG_OK : db_idle(&l->d, diag);
}

bool ledger_use_reserve(ledger *l)
{
    return !l->d.in_transaction && db_use_reserve(&l->d);
}

bool ledger_reserve_out(const ledger *l)
{
    return db_reserve_out(&l->d);
}

static kg_err need_batch(const ledger *l, kg_diag *diag)
{
    return l->d.in_transaction ? KG_OK : kg_fail(diag, KG_E_BUG, "ledger: a change outside of a batch");
}

/* A call that failed half-way must not leave its half in the batch. */
static kg_err end_batch(ledger *l, kg_err e)
{
    if (e != KG_OK && l->d.batch == KG_OK) {
        l->d.batch = e;
    }
    return e;
}

/* ---- holding ---- */

static ledger_seen *seen_place(ledger *l, const alert_id *id)
{
    return &l->seen[((size_t)id->b[0] | (size_t)id->b[1] << 8) % LEDGER_SEEN];
}

kg_err ledger_file_alert(ledger *l, alert_id id, const ledger_seen **out, kg_diag *diag)
{
    ledger_seen *place = seen_place(l, &id);
    *out = place;
    if (place->n != 0 && memcmp(&place->id, &id, sizeof id) == 0) {
        return KG_OK;
    }
    stmt s = stmt_of(l->st.find_alert);
    stmt_id(&s, &id);
    kg_err e = stmt_next(&l->d, &s, "looking for the alert", diag);
    if (e == KG_OK) {
        ledger_seen found = {.id = id, .n = stmt_get_int(&s)};
        if (stmt_get_bytes(&s, found.hash.b, sizeof found.hash.b)) {
            *place = found;
        } else {
            e = kg_fail(diag, KG_E_INVALID, "%s: alert number %lld is damaged", l->d.path, (long long)found.n);
        }
    } else if (e == KG_E_NOTFOUND) {
        e = kg_fail(diag, e, "%s: nothing is held of this alert", l->d.path);
    }
    stmt_end(&s);
    return e;
}

kg_err ledger_file_key(ledger *l, alert_id id, const char *station, int64_t *key, kg_diag *diag)
{
    const ledger_seen *a = NULL;
    const int64_t n = intern_find(&l->in, station);
    if (n == 0) {
        return kg_fail(diag, KG_E_NOTFOUND, "%s: nothing was ever held for station %s", l->d.path, station);
    }
    const kg_err e = ledger_file_alert(l, id, &a, diag);
    if (e == KG_OK) {
        *key = ledger_key(a->n, n);
    }
    return e;
}

typedef struct span {
    const void *b;
    size_t n;
} span;

static kg_err add_alert(ledger *l, alert_id id, const alert_hash *hash, const span *bytes, kg_diag *diag)
{
    const int64_t n = l->last_alert + 1;
    stmt s = stmt_of(l->st.insert_alert);
    stmt_int(&s, n);
    stmt_id(&s, &id);
    stmt_hash(&s, hash);
    kg_err e = stmt_run(&l->d, &s, "storing an alert", diag);
    if (e == KG_OK) {
        s = stmt_of(l->st.insert_signed);
        stmt_int(&s, n);
        stmt_blob(&s, bytes->b, bytes->n);
        e = stmt_run(&l->d, &s, "storing an alert's bytes", diag);
    }
    if (e == KG_OK) {
        l->last_alert = n;
        *seen_place(l, &id) = (ledger_seen){.n = n, .id = id, .hash = *hash};
    }
    return e;
}

static kg_err add_holding(ledger *l, const ledger_holding *h, bool *dup, kg_diag *diag)
{
    int64_t station = 0;
    int64_t target = 0;
    kg_err e = intern_station(&l->in, h->station, &station, diag);
    if (e == KG_OK) {
        e = intern_put(&l->in, h->target, h->target_len, &target, diag);
    }
    if (e != KG_OK) {
        return e;
    }
    stmt s = stmt_of(l->st.insert_holding);
    stmt_int(&s, ledger_key(seen_place(l, &h->id)->n, station));
    stmt_int(&s, (int64_t)h->delivery);
    stmt_int(&s, target);
    stmt_int(&s, h->lifecycle);
    stmt_int(&s, h->held_ms);
    stmt_int(&s, h->expires_ms);
    stmt_int(&s, h->next_playing);
    stmt_int(&s, h->next_due_ms);
    return stmt_insert(&l->d, &s, dup, "storing a holding", diag);
}

kg_err ledger_hold(ledger *l, const ledger_holding *h, const alert_hash *hash, const void *signed_bytes, size_t n,
                   kg_diag *diag)
{
    kg_err e = need_batch(l, diag);
    if (e != KG_OK) {
        return e;
    }
    if (h->station == NULL || h->station[0] == '\0') {
        return kg_fail(diag, KG_E_INVALID, "ledger: a holding without a station");
    }
    const ledger_seen *a = NULL;
    e = ledger_file_alert(l, h->id, &a, NULL);
    if (e == KG_OK && memcmp(&a->hash, hash, sizeof *hash) != 0) {
        return kg_fail(diag, KG_E_CONFLICT, "the alert is held here with other content; the router must be looked at");
    }
    if (e == KG_E_NOTFOUND) {
        e = add_alert(l, h->id, hash, &(span){signed_bytes, n}, diag);
    }
    bool dup = false;
    if (e == KG_OK) {
        e = end_batch(l, add_holding(l, h, &dup, diag));
    }
    return e == KG_OK && dup ? KG_E_EXISTS : e;
}

/* Why an UPDATE of a row that should be there changed nothing. */
static kg_err why_unchanged(ledger *l, stmt *s, int64_t wanted, const char *what, kg_diag *diag)
{
    kg_err e = stmt_next(&l->d, s, what, diag);
    if (e == KG_OK) {
        e = stmt_get_int(s) == wanted ? KG_E_EXISTS
                                      : kg_fail(diag, KG_E_CONFLICT, "ledger: %s: it is over already", what);
    } else if (e == KG_E_NOTFOUND) {
        e = kg_fail(diag, e, "ledger: %s: nothing is held for it", what);
    }
    stmt_end(s);
    return e;
}

kg_err ledger_set_holding(ledger *l, const ledger_holding *h, kg_diag *diag)
{
    int64_t key = 0;
    kg_err e = need_batch(l, diag);
    if (e == KG_OK) {
        e = ledger_file_key(l, h->id, h->station, &key, diag);
    }
    if (e != KG_OK) {
        return e;
    }
    stmt s = stmt_of(l->st.set_holding);
    stmt_int(&s, h->lifecycle);
    stmt_int(&s, h->next_playing);
    stmt_int(&s, h->next_due_ms);
    stmt_int(&s, key);
    e = stmt_run(&l->d, &s, "setting a holding", diag);
    if (e == KG_OK && sqlite3_changes(l->d.sql) == 0) {
        s = stmt_of(l->st.holding_state);
        stmt_int(&s, key);
        e = why_unchanged(l, &s, h->lifecycle, "setting a holding", diag);
    }
    return e;
}

static kg_err holding_exists(ledger *l, int64_t key, kg_diag *diag)
{
    stmt s = stmt_of(l->st.holding_state);
    stmt_int(&s, key);
    const kg_err e = stmt_next(&l->d, &s, "looking for a holding", diag);
    stmt_end(&s);
    return e == KG_E_NOTFOUND ? kg_fail(diag, e, "ledger: nothing is held for this playing") : e;
}

kg_err ledger_set_playing(ledger *l, const ledger_playing *p, kg_diag *diag)
{
    int64_t key = 0;
    kg_err e = need_batch(l, diag);
    if (e == KG_OK && p->state != DLV_STARTED && !dlv_final(p->state)) {
        e = kg_fail(diag, KG_E_BUG, "ledger: a playing is never %s", dlv_state_text(p->state));
    }
    if (e == KG_OK) {
        e = ledger_file_key(l, p->id, p->station, &key, diag);
    }
    if (e == KG_OK) {
        e = holding_exists(l, key, diag);
    }
    if (e != KG_OK) {
        return e;
    }
    stmt s = stmt_of(l->st.set_playing);
    stmt_int(&s, key);
    stmt_int(&s, p->playing);
    stmt_int(&s, p->state);
    stmt_int(&s, p->certainty);
    stmt_int(&s, p->started_ms);
    stmt_int(&s, p->ended_ms);
    stmt_int(&s, p->labelled);
    stmt_text(&s, p->driver_ref);
    stmt_text(&s, p->code);
    stmt_text(&s, p->detail);
    e = stmt_run(&l->d, &s, "setting a playing", diag);
    if (e == KG_OK && sqlite3_changes(l->d.sql) == 0) {
        s = stmt_of(l->st.playing_state);
        stmt_int(&s, key);
        stmt_int(&s, p->playing);
        e = why_unchanged(l, &s, p->state, "setting a playing", diag);
    }
    return e;
}

kg_err ledger_note_end(ledger *l, alert_id id, uint8_t lifecycle, int64_t now_ms, kg_diag *diag)
{
    const kg_err e = need_batch(l, diag);
    if (e != KG_OK) {
        return e;
    }
    stmt s = stmt_of(l->st.note_end);
    stmt_id(&s, &id);
    stmt_int(&s, lifecycle);
    stmt_int(&s, now_ms);
    return stmt_run(&l->d, &s, "noting an end", diag);
}

bool ledger_ended(ledger *l, alert_id id, uint8_t *lifecycle)
{
    stmt s = stmt_of(l->st.ended);
    stmt_id(&s, &id);
    const bool found = stmt_next(&l->d, &s, "looking for an end", NULL) == KG_OK;
    if (found) {
        *lifecycle = (uint8_t)stmt_get_int(&s);
    }
    stmt_end(&s);
    return found;
}

/* ---- receipts, notes, audit ---- */

kg_err ledger_receipt_put(ledger *l, const void *bytes, size_t n, kg_diag *diag)
{
    kg_err e = need_batch(l, diag);
    if (e != KG_OK) {
        return e;
    }
    stmt s = stmt_of(l->st.insert_receipt);
    stmt_int(&s, l->last_receipt + 1);
    stmt_blob(&s, bytes, n);
    e = stmt_run(&l->d, &s, "storing a receipt", diag);
    if (e == KG_OK) {
        l->last_receipt++;
    }
    return e;
}

kg_err ledger_receipts_kept(ledger *l, uint64_t up_to_row, kg_diag *diag)
{
    kg_err e = need_batch(l, diag);
    if (e == KG_OK && up_to_row > (uint64_t)l->last_receipt) {
        e = kg_fail(diag, KG_E_INVALID, "ledger: the router keeps receipts up to %llu, but the last one is %lld",
                    (unsigned long long)up_to_row, (long long)l->last_receipt);
    }
    if (e != KG_OK) {
        return e;
    }
    stmt s = stmt_of(l->st.drop_receipts);
    stmt_int(&s, (int64_t)up_to_row);
    e = stmt_run(&l->d, &s, "dropping kept receipts", diag);
    if (e == KG_OK) { /* rows rise for ever, also when none is left */
        s = stmt_of(l->st.floor);
        stmt_int(&s, (int64_t)up_to_row);
        e = stmt_run(&l->d, &s, "noting kept receipts", diag);
    }
    return e;
}

kg_err ledger_audit(ledger *l, audit_row *row, kg_diag *diag)
{
    const kg_err e = need_batch(l, diag);
    return e == KG_OK ? trail_add(&l->trail, row, diag) : e;
}

kg_err ledger_note_put(ledger *l, const char *key, const char *value, kg_diag *diag)
{
    const kg_err e = need_batch(l, diag);
    if (e != KG_OK) {
        return e;
    }
    stmt s = stmt_of(l->st.note_put);
    stmt_text(&s, key);
    stmt_text(&s, value);
    return stmt_run(&l->d, &s, "storing a note", diag);
}

kg_err ledger_note_get(ledger *l, const char *key, kg_buf *out, kg_diag *diag)
{
    stmt s = stmt_of(l->st.note_get);
    stmt_text(&s, key);
    return stmt_fetch(&l->d, &s, out, "a note", diag);
}
