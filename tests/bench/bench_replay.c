/*
 * bench_replay - the reference for what the stores cost: one thread that writes the rows which a router (and its sinks)
 * wrote, again, into empty files of the same form, in as many commits, and does nothing else but verify signatures.
 *
 * Use       bench_replay verify FOLDER JOURNAL COMMITS
 *           bench_replay held FOLDER JOURNAL COMMITS [LEDGER COMMITS]...
 *           verify: each alert's signature is checked before its rows are written. held: each delivery's row is written
 *           twice, planned and HELD, and the rows of the ledgers beside it, turn about. The files are read before the
 *           clock starts; the router and the sinks must have ended. FOLDER is left empty.
 * Plain     libsodium (by way of trust_verify) and SQLite, none of the stores' code: a slow store must not make its own
 *           reference slow.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alert/pack.h"
#include "tests/bench/bench_common.h"
#include "trust/key.h"

enum { COLUMNS_MAX = 16, FILES_MAX = 16, PATH_BYTES = 600, COMMITS_MAX = 100 * 1000 * 1000 };

typedef struct cell {
    const void *bytes; /* NULL: the number counts */
    int64_t number;
    int n, type;
} cell;

typedef struct table {
    cell *cells;
    size_t columns, rows, cap;
    sqlite3_stmt *write; /* one row into the new file */
} table;

typedef struct op {
    table *table; /* NULL: verify */
    size_t row;
} op;

typedef struct signature {
    public_key key;
    const uint8_t *payload;
    size_t n;
    uint8_t sig[SIG_BYTES];
} signature;

typedef struct file {
    sqlite3 *from, *to;
    char path[PATH_BYTES];
    table stations, targets, alerts, bytes, audit, rows, held;
    op *ops;
    size_t op_count, op_cap, done;
    size_t commits, committed;
    signature *signatures;
} file;

static void must(int rc, sqlite3 *db, const char *what)
{
    if (rc != SQLITE_OK && rc != SQLITE_DONE && rc != SQLITE_ROW) {
        bench_die("%s: %s", what, db != NULL ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
    }
}

static void *more(void *old, size_t count, size_t *cap, size_t size)
{
    if (count < *cap) {
        return old;
    }
    *cap = *cap == 0 ? 1024 : 2 * *cap;
    return bench_grow(old, *cap, size);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *st = NULL;
    must(sqlite3_prepare_v2(db, sql, -1, &st, NULL), db, sql);
    return st;
}

/* ---- what was written ---- */

static void load(file *f, table *t, const char *sql)
{
    sqlite3_stmt *st = prepare(f->from, sql);
    t->columns = (size_t)sqlite3_column_count(st);
    while (sqlite3_step(st) == SQLITE_ROW) {
        t->cells = more(t->cells, t->rows, &t->cap, t->columns * sizeof *t->cells);
        for (size_t i = 0; i < t->columns; i++) {
            cell *c = &t->cells[t->rows * t->columns + i];
            *c = (cell){.type = sqlite3_column_type(st, (int)i)};
            if (c->type == SQLITE_BLOB || c->type == SQLITE_TEXT) {
                const void *bytes = sqlite3_column_blob(st, (int)i);
                c->n = sqlite3_column_bytes(st, (int)i);
                void *copy = bench_room((size_t)c->n + 1, 1);
                memcpy(copy, bytes != NULL ? bytes : "", (size_t)c->n); /* NULL only when n is 0 */
                c->bytes = copy;
            } else {
                c->number = sqlite3_column_int64(st, (int)i);
            }
        }
        t->rows++;
    }
    must(sqlite3_finalize(st), f->from, sql);
}

static const cell *at(const table *t, size_t row, size_t column)
{
    return &t->cells[row * t->columns + column];
}

static void add(file *f, table *t, size_t row)
{
    f->ops = more(f->ops, f->op_count, &f->op_cap, sizeof *f->ops);
    f->ops[f->op_count++] = (op){t, row};
}

static void add_all(file *f, table *t)
{
    for (size_t i = 0; i < t->rows; i++) {
        add(f, t, i);
    }
}

static void open_files(file *f, const char *path, const char *folder, size_t index)
{
    must(sqlite3_open_v2(path, &f->from, SQLITE_OPEN_READWRITE, NULL), f->from, path);
    (void)snprintf(f->path, sizeof f->path, "%s/replay-%zu.db", folder, index);
    (void)unlink(f->path);
    must(sqlite3_open(f->path, &f->to), f->to, f->path);
    /* As db.c sets them; 4096 pages is DB_WAL_PAGES_MAX. */
    static const char settings[] =
        "PRAGMA locking_mode=EXCLUSIVE; PRAGMA page_size=4096; PRAGMA mmap_size=0; PRAGMA cache_size=-65536;"
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4096;";
    must(sqlite3_exec(f->to, settings, NULL, NULL, NULL), f->to, "settings");
    sqlite3_stmt *st = prepare(f->from, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid");
    while (sqlite3_step(st) == SQLITE_ROW) {
        const char *sql = (const char *)sqlite3_column_text(st, 0);
        must(sqlite3_exec(f->to, sql, NULL, NULL, NULL), f->to, sql);
    }
    must(sqlite3_finalize(st), f->from, "schema");
    load(f, &f->stations, "SELECT n, name FROM stations ORDER BY n");
    load(f, &f->targets, "SELECT n, bytes FROM targets ORDER BY n");
    f->stations.write = prepare(f->to, "INSERT INTO stations VALUES(?,?)");
    f->targets.write = prepare(f->to, "INSERT INTO targets VALUES(?,?)");
    add_all(f, &f->stations);
    add_all(f, &f->targets);
}

/* ---- journal ---- */

static void load_signatures(file *f)
{
    f->signatures = bench_room(f->bytes.rows + 1, sizeof *f->signatures);
    for (size_t i = 0; i < f->bytes.rows; i++) {
        signed_view v;
        const cell *c = at(&f->bytes, i, 1);
        bench_must(signed_open(c->bytes, (size_t)c->n, &v, NULL), NULL, "reading a signature");
        signature *s = &f->signatures[i];
        s->payload = v.payload; /* v lives on: these are the bytes to verify */
        s->n = v.payload_len;
        memcpy(s->key.b, v.signatures[0].key, KEY_BYTES);
        memcpy(s->sig, v.signatures[0].sig, SIG_BYTES);
    }
}

static int64_t position_of(const file *f, size_t row)
{
    return at(&f->rows, row, 0)->number >> 20;
}

/* One alert: its rows as accepted; with `held`, once more each delivery. */
static void add_alert(file *f, size_t i, size_t *row, size_t *audit)
{
    const size_t first = *row;
    const bool held = f->held.write != NULL;
    if (!held) {
        add(f, NULL, i);
    }
    add(f, &f->alerts, i);
    add(f, &f->bytes, i);
    while (*row < f->rows.rows && position_of(f, *row) == at(&f->alerts, i, 0)->number) {
        add(f, &f->rows, (*row)++);
    }
    const size_t share = f->audit.rows * (i + 1) / f->alerts.rows;
    while (*audit < share) {
        add(f, &f->audit, (*audit)++);
    }
    for (size_t r = first; held && r < *row; r++) {
        add(f, &f->held, r);
    }
}

static void open_journal(file *f, bool held)
{
    load(f, &f->alerts,
         "SELECT position, id, hash, agency, class, weight, lifecycle, held, open, accepted_ms, expires_ms,"
         " changed_ms, hold_code, hold_sentence FROM alerts ORDER BY position");
    load(f, &f->bytes, "SELECT position, bytes FROM signed ORDER BY position");
    load(f, &f->rows, "SELECT number, station, target, hit_rank FROM deliveries ORDER BY number");
    load(f, &f->audit, "SELECT n, time_ms, actor, action, object, detail, chain FROM audit ORDER BY n");
    f->alerts.write = prepare(f->to, "INSERT INTO alerts(position, id, hash, agency, class, weight, lifecycle, held,"
                                     " open, accepted_ms, expires_ms, changed_ms, hold_code, hold_sentence)"
                                     " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
    f->bytes.write = prepare(f->to, "INSERT INTO signed(position, bytes) VALUES(?,?)");
    f->rows.write =
        prepare(f->to, "INSERT INTO deliveries(number, station, target, hit_rank, state, certainty, held_ms, done_ms,"
                       " playings, reached, sent) VALUES(?,?,?,?,0,0,0,0,0,0,0)");
    f->audit.write = prepare(f->to, "INSERT INTO audit VALUES(?,?,?,?,?,?,?)");
    if (held) {
        load(f, &f->held,
             "SELECT state, certainty, held_ms, done_ms, playings, reached, sent, code, detail, number"
             " FROM deliveries ORDER BY number");
        f->held.write = prepare(f->to, "UPDATE deliveries SET state = ?, certainty = ?, held_ms = ?, done_ms = ?,"
                                       " playings = ?, reached = ?, sent = ?, code = ?, detail = ? WHERE number = ?");
    } else {
        load_signatures(f);
    }
    size_t row = 0;
    size_t audit = 0;
    for (size_t i = 0; i < f->alerts.rows; i++) {
        add_alert(f, i, &row, &audit);
    }
    if (row != f->rows.rows) {
        bench_die("a delivery of no alert");
    }
}

static void open_ledger(file *f)
{
    load(f, &f->alerts, "SELECT n, id, hash FROM alerts ORDER BY n");
    load(f, &f->bytes, "SELECT n, bytes FROM signed ORDER BY n");
    load(f, &f->rows,
         "SELECT key, delivery, target, lifecycle, held_ms, expires_ms, next_playing, next_due_ms"
         " FROM holdings ORDER BY key");
    f->alerts.write = prepare(f->to, "INSERT INTO alerts(n, id, hash) VALUES(?,?,?)");
    f->bytes.write = prepare(f->to, "INSERT INTO signed(n, bytes) VALUES(?,?)");
    f->rows.write = prepare(f->to, "INSERT INTO holdings(key, delivery, target, lifecycle, held_ms, expires_ms,"
                                   " next_playing, next_due_ms) VALUES(?,?,?,?,?,?,?,?)");
    size_t row = 0;
    for (size_t i = 0; i < f->alerts.rows; i++) {
        add(f, &f->alerts, i);
        add(f, &f->bytes, i);
        while (row < f->rows.rows && position_of(f, row) == at(&f->alerts, i, 0)->number) {
            add(f, &f->rows, row++);
        }
    }
}

/* ---- writing it again ---- */

static void run_op(file *f, const op *o)
{
    if (o->table == NULL) {
        const signature *s = &f->signatures[o->row];
        if (!trust_verify(&s->key, TRUST_ALERT, s->payload, s->n, s->sig)) {
            bench_die("an alert of the journal has a bad signature");
        }
        return;
    }
    sqlite3_stmt *st = o->table->write;
    for (size_t i = 0; i < o->table->columns; i++) {
        const cell *c = at(o->table, o->row, i);
        const int k = (int)i + 1;
        int rc = SQLITE_OK;
        if (c->type == SQLITE_TEXT) {
            rc = sqlite3_bind_text(st, k, c->bytes, c->n, SQLITE_STATIC);
        } else if (c->type == SQLITE_BLOB) {
            rc = sqlite3_bind_blob(st, k, c->bytes, c->n, SQLITE_STATIC);
        } else if (c->type == SQLITE_NULL) {
            rc = sqlite3_bind_null(st, k);
        } else {
            rc = sqlite3_bind_int64(st, k, c->number);
        }
        must(rc, f->to, "binding");
    }
    must(sqlite3_step(st), f->to, "writing");
    (void)sqlite3_reset(st);
}

/* The next commit's share of the rows. */
static void run_commit(file *f, sqlite3_stmt *begin, sqlite3_stmt *commit)
{
    const size_t until = f->committed + 1 == f->commits ? f->op_count : f->op_count * (f->committed + 1) / f->commits;
    must(sqlite3_step(begin), f->to, "begin");
    (void)sqlite3_reset(begin);
    while (f->done < until) {
        run_op(f, &f->ops[f->done++]);
    }
    must(sqlite3_step(commit), f->to, "commit");
    (void)sqlite3_reset(commit);
    f->committed++;
}

/* Turn about: the file that is furthest behind. */
static file *next_file(file *files, size_t count)
{
    file *next = NULL;
    for (size_t i = 0; i < count; i++) {
        file *f = &files[i];
        if (f->committed < f->commits && (next == NULL || (double)f->committed / (double)f->commits <
                                                              (double)next->committed / (double)next->commits)) {
            next = f;
        }
    }
    return next;
}

static double replay(file *files, size_t count)
{
    sqlite3_stmt *begin[FILES_MAX];
    sqlite3_stmt *commit[FILES_MAX];
    for (size_t i = 0; i < count; i++) {
        begin[i] = prepare(files[i].to, "BEGIN IMMEDIATE");
        commit[i] = prepare(files[i].to, "COMMIT");
    }
    const double start = bench_now();
    for (file *f = next_file(files, count); f != NULL; f = next_file(files, count)) {
        run_commit(f, begin[f - files], commit[f - files]);
    }
    return bench_now() - start;
}

static void close_files(file *f)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    (void)sqlite3_close_v2(f->from);
    (void)sqlite3_close_v2(f->to);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char path[PATH_BYTES + 8];
        (void)snprintf(path, sizeof path, "%s%s", f->path, ends[i]);
        (void)unlink(path);
    }
}

int main(int argc, char **argv)
{
    static file files[FILES_MAX];
    kg_diag diag = {""};
    const bool held = argc > 1 && strcmp(argv[1], "held") == 0;
    const size_t count = argc < 5 ? 0 : (size_t)(argc - 3) / 2;
    if (argc < 5 || (argc - 3) % 2 != 0 || count > FILES_MAX || (!held && count > 1)) {
        bench_die("usage: bench_replay verify|held FOLDER JOURNAL COMMITS [LEDGER COMMITS]...");
    }
    bench_must(trust_start(&diag), &diag, "starting");
    for (size_t i = 0; i < count; i++) {
        open_files(&files[i], argv[3 + 2 * i], argv[2], i);
        files[i].commits = bench_number(argv[4 + 2 * i], COMMITS_MAX);
        if (i == 0) {
            open_journal(&files[i], held);
        } else {
            open_ledger(&files[i]);
        }
    }
    const double took = replay(files, count);
    bench_result("alerts", (double)files[0].alerts.rows / took, "/s");
    bench_result("deliveries", (double)files[0].rows.rows / took, "/s");
    for (size_t i = 0; i < count; i++) {
        close_files(&files[i]);
    }
    return 0;
}
