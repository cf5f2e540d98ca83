#include "store/db.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"

/* ---- errors ---- */

static bool no_room(int rc)
{
    if (rc == SQLITE_FULL) {
        return true;
    }
    /* A write (never a sync) that a quota or a size limit refused is the same case, but SQLite calls it an I/O error and
     * does not keep its cause; the failed write set errno last. */
    return rc == SQLITE_IOERR_WRITE && (errno == EDQUOT || errno == EFBIG);
}

static kg_err class_of(int rc)
{
    if (no_room(rc)) {
        return KG_E_FULL;
    }
    switch (rc & 0xFF) {
    case SQLITE_NOMEM:
        return KG_E_NOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_ABORT: /* a walk whose batch was rolled back under it */
        return KG_E_AGAIN;
    case SQLITE_TOOBIG:
        return KG_E_LIMIT;
    case SQLITE_NOTADB:
        return KG_E_INVALID;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
    case SQLITE_ERROR:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return KG_E_BUG;
    default:
        return rc == SQLITE_IOERR_NOMEM ? KG_E_NOMEM : KG_E_IO;
    }
}

kg_err db_fail(db *d, int rc, const char *what, kg_diag *diag)
{
    const kg_err e = class_of(rc);
    if (e == KG_E_IO) {
        d->broken = KG_E_IO;
    }
    const char *cause = d->sql != NULL ? sqlite3_errmsg(d->sql) : sqlite3_errstr(rc);
    (void)kg_fail(diag, e, "%s: %s: %s (code %d)%s", d->path, what, cause, rc,
                  e == KG_E_FULL               ? "; free some disk space"
                  : (rc & 0xFF) == SQLITE_BUSY ? "; another process has this file open"
                  : e == KG_E_IO               ? "; nothing is acknowledged any more: check the disk, then restart"
                                               : "");
    if (d->in_transaction) {
        d->batch = e;
        if (sqlite3_get_autocommit(d->sql) == 0 && d->broken == KG_OK) {
            (void)sqlite3_step(d->rollback);
            (void)sqlite3_reset(d->rollback);
        }
    }
    return e;
}

static kg_err is_broken(const db *d, kg_diag *diag)
{
    return d->broken == KG_OK
               ? KG_OK
               : kg_fail(diag, d->broken, "%s: an earlier I/O error stopped this file; restart the program", d->path);
}

bool db_broken(const db *d, kg_diag *diag)
{
    return is_broken(d, diag) != KG_OK;
}

/* ---- opening ---- */

/* Makes the file ours alone before SQLite sees it; its log inherits the rights. */
static kg_err make_private(const db *d, kg_diag *diag)
{
    const int fd = open(d->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == EEXIST) {
        return kg_file_is_private(d->path, diag);
    }
    if (fd < 0) {
        return kg_fail(diag, errno == ENOSPC ? KG_E_FULL : KG_E_IO, "%s: cannot be made: %s", d->path, strerror(errno));
    }
    char folder[DB_PATH_MAX];
    (void)snprintf(folder, sizeof folder, "%s", d->path);
    const int dir = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool ok = fsync(fd) == 0 && dir >= 0 && fsync(dir) == 0;
    const int why = errno;
    (void)close(fd);
    if (dir >= 0) {
        (void)close(dir);
    }
    return ok ? KG_OK : kg_fail(diag, KG_E_IO, "%s: cannot be made to last: %s", d->path, strerror(why));
}

/* Runs one PRAGMA; when want is given, the answer must be it. */
static kg_err pragma(db *d, const char *sql, const char *want, kg_diag *diag)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(d->sql, sql, -1, &st, NULL);
    kg_err e = KG_OK;
    bool seen = want == NULL;
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(st);
        if (rc == SQLITE_ROW && want != NULL) {
            const char *got = (const char *)sqlite3_column_text(st, 0);
            seen = got != NULL && strcmp(got, want) == 0;
            if (!seen) {
                e = kg_fail(diag, KG_E_INVALID, "%s: %s answered \"%.200s\", not \"%s\"", d->path, sql,
                            got != NULL ? got : "", want);
                break;
            }
        }
    }
    if (rc != SQLITE_DONE && rc != SQLITE_ROW) {
        e = db_fail(d, rc, sql, diag);
    } else if (!seen && e == KG_OK) {
        e = kg_fail(diag, KG_E_INVALID, "%s: %s did not answer", d->path, sql);
    }
    (void)sqlite3_finalize(st);
    return e;
}

static kg_err number(db *d, const char *sql, int64_t *out, kg_diag *diag)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(d->sql, sql, -1, &st, NULL);
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(st);
    }
    kg_err e = KG_OK;
    if (rc == SQLITE_ROW) {
        *out = sqlite3_column_int64(st, 0);
    } else {
        e = db_fail(d, rc, sql, diag);
    }
    (void)sqlite3_finalize(st);
    return e;
}

static kg_err settings(db *d, kg_diag *diag)
{
    static const struct {
        const char *sql, *want;
    } rows[] = {
        {"PRAGMA locking_mode=EXCLUSIVE", "exclusive"}, /* before WAL: no shared memory at all */
        {"PRAGMA page_size=4096", NULL},
        {"PRAGMA trusted_schema=OFF", NULL},
        {"PRAGMA cell_size_check=ON", NULL},
        {"PRAGMA mmap_size=0", NULL},
        {"PRAGMA temp_store=MEMORY", NULL},
        {"PRAGMA cache_size=-65536", NULL},
        {"PRAGMA journal_mode=WAL", "wal"},
        {"PRAGMA synchronous=FULL", NULL},
        {"PRAGMA synchronous", "2"},
        {"PRAGMA journal_size_limit=67108864", NULL},
        {"PRAGMA wal_autocheckpoint=0", "0"},
    };
    kg_err e = KG_OK;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && e == KG_OK; i++) {
        e = pragma(d, rows[i].sql, rows[i].want, diag);
    }
    return e;
}

static kg_err make_schema(db *d, const db_kind *kind, kg_diag *diag)
{
    char ids[128];
    (void)snprintf(ids, sizeof ids, "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT", kind->application_id,
                   kind->version);
    const char *const steps[] = {"BEGIN IMMEDIATE", kind->schema, ids};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        const int rc = sqlite3_exec(d->sql, steps[i], NULL, NULL, NULL);
        if (rc != SQLITE_OK) {
            return db_fail(d, rc, "making its tables", diag);
        }
    }
    return KG_OK;
}

static kg_err check_kind(db *d, const db_kind *kind, kg_diag *diag)
{
    int64_t id = 0;
    int64_t version = 0;
    int64_t tables = 0;
    kg_err e = number(d, "PRAGMA application_id", &id, diag);
    if (e == KG_OK) {
        e = number(d, "PRAGMA user_version", &version, diag);
    }
    if (e == KG_OK) {
        e = number(d, "SELECT count(*) FROM sqlite_schema", &tables, diag);
    }
    if (e != KG_OK) {
        return e;
    }
    if (id == 0 && version == 0 && tables == 0) {
        return make_schema(d, kind, diag);
    }
    if (id != kind->application_id) {
        return kg_fail(diag, KG_E_INVALID,
                       "%s: is another kind of file (application id %" PRId64 ", not %d); name the right one", d->path,
                       id, kind->application_id);
    }
    if (version != kind->version) {
        return kg_fail(diag, KG_E_INVALID,
                       "%s: has form %" PRId64 ", this program writes %d; use the release that wrote it", d->path,
                       version, kind->version);
    }
    return pragma(d, "PRAGMA quick_check(1)", "ok", diag);
}

static int note_wal(void *arg, sqlite3 *sql, const char *name, int pages)
{
    (void)sql;
    (void)name;
    ((db *)arg)->wal_pages = pages;
    return SQLITE_OK;
}

static void reserve_path(const db *d, char out[DB_PATH_MAX + 16])
{
    (void)snprintf(out, DB_PATH_MAX + 16, "%s-reserve", d->path);
}

static void make_reserve(db *d)
{
    char path[DB_PATH_MAX + 16];
    reserve_path(d, path);
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool ok = fd >= 0 && posix_fallocate(fd, 0, (off_t)d->reserve_bytes) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    if (!ok) {
        (void)unlink(path); /* half a reserve would only take the room that is needed now */
    }
    d->reserve_out = !ok;
}

kg_err db_open(db *d, const char *path, const db_kind *kind, kg_diag *diag)
{
    *d = (db){.reserve_bytes = kind->reserve_bytes};
    if (strlen(path) >= sizeof d->path) {
        return kg_fail(diag, KG_E_LIMIT, "%s: the path is longer than %zu bytes", path, sizeof d->path - 1);
    }
    (void)snprintf(d->path, sizeof d->path, "%s", path);
    kg_err e = make_private(d, diag);
    if (e != KG_OK) {
        return e;
    }
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
    const int rc = sqlite3_open_v2(path, &d->sql, flags, NULL);
    if (rc != SQLITE_OK) {
        e = db_fail(d, rc, "opening", diag);
        goto out;
    }
    (void)sqlite3_db_config(d->sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(d->sql, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    (void)sqlite3_db_config(d->sql, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    e = settings(d, diag);
    if (e == KG_OK) {
        e = check_kind(d, kind, diag);
    }
    if (e == KG_OK) {
        (void)sqlite3_wal_hook(d->sql, note_wal, d);
        e = db_prepare(d, "BEGIN IMMEDIATE", &d->begin, diag);
    }
    if (e == KG_OK) {
        e = db_prepare(d, "COMMIT", &d->commit, diag);
    }
    if (e == KG_OK) {
        e = db_prepare(d, "ROLLBACK", &d->rollback, diag);
    }
    if (e == KG_OK) {
        make_reserve(d);
    }
out:
    if (e != KG_OK) {
        db_close(d);
    }
    return e;
}

void db_close(db *d)
{
    if (d == NULL || d->sql == NULL) {
        return;
    }
    (void)sqlite3_finalize(d->begin);
    (void)sqlite3_finalize(d->commit);
    (void)sqlite3_finalize(d->rollback);
    if (d->broken != KG_OK) {
        (void)sqlite3_db_config(d->sql, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    }
    const int rc = sqlite3_close(d->sql);
    assert(rc == SQLITE_OK); /* a statement of ours was left open */
    (void)rc;
    d->sql = NULL;
    d->begin = d->commit = d->rollback = NULL;
}

kg_err db_prepare(db *d, const char *sql, sqlite3_stmt **out, kg_diag *diag)
{
    const int rc = sqlite3_prepare_v3(d->sql, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
    return rc == SQLITE_OK ? KG_OK : db_fail(d, rc, sql, diag);
}

/* ---- batches ---- */

static int run(sqlite3_stmt *st)
{
    const int rc = sqlite3_step(st);
    (void)sqlite3_reset(st);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

kg_err db_begin(db *d, kg_diag *diag)
{
    const kg_err e = is_broken(d, diag);
    if (e != KG_OK) {
        return e;
    }
    if (d->in_transaction) {
        return kg_fail(diag, KG_E_BUG, "%s: a batch is open already", d->path);
    }
    const int rc = run(d->begin);
    if (rc != SQLITE_OK) {
        return db_fail(d, rc, "beginning a batch", diag);
    }
    d->in_transaction = true;
    d->batch = KG_OK;
    return KG_OK;
}

static kg_err checkpoint(db *d, kg_diag *diag)
{
    KG_FAULT("db.before_checkpoint");
    /* PASSIVE does all of it: there is no other connection that could still be reading. */
    const int rc = sqlite3_wal_checkpoint_v2(d->sql, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    if (rc != SQLITE_OK) {
        return db_fail(d, rc, "moving the log into the file", diag);
    }
    KG_FAULT("db.after_checkpoint");
    d->wal_pages = 0;
    return KG_OK;
}

kg_err db_commit(db *d, kg_diag *diag)
{
    if (!d->in_transaction) {
        return kg_fail(diag, KG_E_BUG, "%s: no batch is open", d->path);
    }
    if (d->batch != KG_OK) {
        const kg_err e = d->batch;
        db_rollback(d);
        return kg_fail(diag, e, "%s: the batch failed before (%s) and nothing of it is stored", d->path,
                       kg_err_name(e));
    }
    int rc = KG_FAULT_FAILS("db.commit_io")     ? SQLITE_IOERR_FSYNC
             : KG_FAULT_FAILS("db.commit_full") ? SQLITE_FULL
                                                : run(d->commit);
    if (rc != SQLITE_OK) {
        const kg_err e = db_fail(d, rc, "committing", diag);
        db_rollback(d);
        return e;
    }
    d->in_transaction = false;
    if (d->wal_pages > DB_WAL_PAGES_MAX) {
        /* The batch is durable whatever becomes of this; a broken file shows at the next begin. */
        kg_ignore(checkpoint(d, NULL));
    }
    return KG_OK;
}

void db_rollback(db *d)
{
    if (!d->in_transaction) {
        return;
    }
    if (sqlite3_get_autocommit(d->sql) == 0) {
        const int rc = run(d->rollback);
        if (rc != SQLITE_OK) {
            d->broken = KG_E_IO;
        }
    }
    d->in_transaction = false;
    d->batch = KG_OK;
}

kg_err db_idle(db *d, kg_diag *diag)
{
    kg_err e = is_broken(d, diag);
    if (e == KG_OK && d->in_transaction) {
        e = kg_fail(diag, KG_E_BUG, "%s: idle inside a batch", d->path);
    }
    if (e == KG_OK && d->wal_pages > DB_WAL_PAGES_IDLE) {
        e = checkpoint(d, diag);
    }
    if (e == KG_OK && d->reserve_out) {
        make_reserve(d);
    }
    return e;
}

bool db_use_reserve(db *d)
{
    char path[DB_PATH_MAX + 16];
    reserve_path(d, path);
    d->reserve_out = true;
    return d->broken == KG_OK && unlink(path) == 0;
}
