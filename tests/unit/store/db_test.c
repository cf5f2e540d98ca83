/* db - what may be opened, and with which settings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "store/db.h"
#include "store/journal.h"
#include "store/ledger.h"
#include "tests/unit/store/store_fixture.h"

static const db_kind kind = {.application_id = 0x4B475431,
                             .version = 3,
                             .schema = "CREATE TABLE t(n INTEGER PRIMARY KEY, v TEXT);",
                             .reserve_bytes = 65536};

static void ask(db *d, const char *sql, char out[64])
{
    sqlite3_stmt *st = NULL;
    WANT(db_prepare(d, sql, &st, diag), KG_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    (void)snprintf(out, 64, "%s", (const char *)sqlite3_column_text(st, 0));
    (void)sqlite3_finalize(st);
}

static void run(db *d, const char *sql)
{
    assert_int_equal(sqlite3_exec(d->sql, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* reliability.md 2.3, read back from the open handle. */
static void test_settings(void **state)
{
    static const struct {
        const char *ask, *want;
    } rows[] = {
        {"PRAGMA journal_mode", "wal"},       {"PRAGMA synchronous", "2"},
        {"PRAGMA locking_mode", "exclusive"}, {"PRAGMA mmap_size", "0"},
        {"PRAGMA trusted_schema", "0"},       {"PRAGMA cell_size_check", "1"},
        {"PRAGMA user_version", "3"},         {"PRAGMA application_id", "1262965809"},
    };
    char path[FIXTURE_PATH];
    fixture_path(state, "x.db", path);
    for (int run_no = 0; run_no < 2; run_no++) { /* new, then as found */
        db d;
        WANT(db_open(&d, path, &kind, diag), KG_OK);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            char got[64];
            ask(&d, rows[i].ask, got);
            if (strcmp(got, rows[i].want) != 0) {
                fail_msg("%s: %s", rows[i].ask, got);
            }
        }
        struct stat s;
        assert_int_equal(stat(path, &s), 0);
        assert_int_equal(s.st_mode & 07777, 0600);
        char other[FIXTURE_PATH];
        fixture_path(state, "x.db-wal", other);
        assert_int_equal(stat(other, &s), 0);
        assert_int_equal(s.st_mode & 07777, 0600);
        fixture_path(state, "x.db-shm", other);
        assert_int_equal(stat(other, &s), -1); /* exclusive: no shared memory */
        fixture_path(state, "x.db-reserve", other);
        assert_int_equal(stat(other, &s), 0);
        assert_int_equal(s.st_size, 65536);
        assert_true(s.st_blocks * 512 >= 65536); /* taken, not only promised */
        db_close(&d);
        db_close(&d);
    }
}

static void test_wrong_files(void **state)
{
    char path[FIXTURE_PATH];
    kg_diag why = {""};
    fixture_path(state, "ledger.db", path);
    ledger *l = NULL;
    WANT(ledger_open(path, &l, diag), KG_OK);
    ledger_close(&l);
    journal *j = NULL;
    assert_int_equal(journal_sqlite_open(path, &j, &why), KG_E_INVALID); /* a ledger is no journal */
    assert_non_null(strstr(why.text, "another kind of file"));
    WANT(ledger_open(path, &l, diag), KG_OK); /* and was not harmed */
    ledger_close(&l);

    fixture_path(state, "newer.db", path);
    db d;
    db_kind newer = kind;
    newer.version = 4;
    WANT(db_open(&d, path, &newer, diag), KG_OK);
    db_close(&d);
    assert_int_equal(db_open(&d, path, &kind, &why), KG_E_INVALID);
    assert_non_null(strstr(why.text, "has form 4"));

    fixture_path(state, "text.db", path);
    char text[5000];
    memset(text, 'x', sizeof text);
    WANT(kg_file_replace(path, text, sizeof text, 0600, diag), KG_OK);
    WANT(db_open(&d, path, &kind, diag), KG_E_INVALID);

    fixture_path(state, "open.db", path);
    WANT(db_open(&d, path, &kind, diag), KG_OK);
    db_close(&d);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_not_equal(db_open(&d, path, &kind, &why), KG_OK); /* readable by others */

    char link[FIXTURE_PATH];
    fixture_path(state, "link.db", link);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(symlink(path, link), 0);
    assert_int_not_equal(db_open(&d, link, &kind, &why), KG_OK);

    fixture_path(state, "no-such-folder/x.db", path);
    WANT(db_open(&d, path, &kind, diag), KG_E_IO);
    char longest[2 * DB_PATH_MAX];
    memset(longest, 'p', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    WANT(db_open(&d, longest, &kind, diag), KG_E_LIMIT);
}

static void test_damaged(void **state)
{
    char path[FIXTURE_PATH];
    fixture_path(state, "x.db", path);
    db d;
    WANT(db_open(&d, path, &kind, diag), KG_OK);
    for (int i = 0; i < 2000; i++) {
        run(&d, "INSERT INTO t(v) VALUES('some text of forty characters, or nearly so')");
    }
    db_close(&d);
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, 3 * 4096, SEEK_SET), 0); /* a page in the middle of the table */
    for (int i = 0; i < 64; i++) {
        assert_int_equal(fputc(0xEE, f), 0xEE);
    }
    assert_int_equal(fclose(f), 0);
    assert_int_not_equal(db_open(&d, path, &kind, NULL), KG_OK);
}

static void test_one_owner(void **state)
{
    char path[FIXTURE_PATH];
    fixture_path(state, "x.db", path);
    db first;
    db second;
    kg_diag why = {""};
    WANT(db_open(&first, path, &kind, diag), KG_OK);
    assert_int_equal(db_open(&second, path, &kind, &why), KG_E_AGAIN);
    assert_non_null(strstr(why.text, "another process has this file open"));
    db_close(&first);
    WANT(db_open(&second, path, &kind, diag), KG_OK);
    db_close(&second);
}

static void test_batches(void **state)
{
    char path[FIXTURE_PATH];
    char got[64];
    fixture_path(state, "x.db", path);
    db d;
    WANT(db_open(&d, path, &kind, diag), KG_OK);
    WANT(db_commit(&d, diag), KG_E_BUG);
    WANT(db_begin(&d, diag), KG_OK);
    WANT(db_begin(&d, diag), KG_E_BUG);
    WANT(db_idle(&d, diag), KG_E_BUG);
    run(&d, "INSERT INTO t VALUES(1, 'a')");
    db_rollback(&d);
    db_rollback(&d);
    ask(&d, "SELECT count(*) FROM t", got);
    assert_string_equal(got, "0");
    /* A call that fails in a batch takes the whole batch with it. */
    WANT(db_begin(&d, diag), KG_OK);
    run(&d, "INSERT INTO t VALUES(2, 'b')");
    assert_int_equal(db_fail(&d, SQLITE_FULL, "a test", NULL), KG_E_FULL);
    WANT(db_commit(&d, diag), KG_E_FULL);
    ask(&d, "SELECT count(*) FROM t", got);
    assert_string_equal(got, "0");
    WANT(db_begin(&d, diag), KG_OK);
    run(&d, "INSERT INTO t VALUES(3, 'c')");
    WANT(db_commit(&d, diag), KG_OK);
    assert_true(db_use_reserve(&d));
    assert_true(db_reserve_out(&d));
    assert_false(db_use_reserve(&d)); /* there is only one */
    WANT(db_idle(&d, diag), KG_OK);
    assert_false(db_reserve_out(&d));
    /* An I/O error is for ever. */
    assert_int_equal(db_fail(&d, SQLITE_IOERR_FSYNC, "a test", NULL), KG_E_IO);
    WANT(db_begin(&d, diag), KG_E_IO);
    WANT(db_idle(&d, diag), KG_E_IO);
    assert_false(db_use_reserve(&d));
    db_close(&d);
    WANT(db_open(&d, path, &kind, diag), KG_OK);
    ask(&d, "SELECT group_concat(v) FROM t", got);
    assert_string_equal(got, "c");
    db_close(&d);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_settings), T(test_wrong_files), T(test_damaged), T(test_one_owner), T(test_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
