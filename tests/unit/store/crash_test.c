/* crash - a batch is stored as a whole or not at all, wherever the process ends. All writing is done by children. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/journal.h"
#include "store/ledger.h"
#include "store/outbox.h"
#include "tests/unit/store/store_fixture.h"

enum { DELIVERIES = 3 };

static journal *open_journal(void *const *state)
{
    char path[FIXTURE_PATH];
    fixture_path(state, "journal.db", path);
    journal *j = NULL;
    WANT(journal_sqlite_open(path, &j, diag), KG_OK);
    return j;
}

static ledger *open_ledger(void *const *state)
{
    char path[FIXTURE_PATH];
    fixture_path(state, "ledger.db", path);
    ledger *l = NULL;
    WANT(ledger_open(path, &l, diag), KG_OK);
    return l;
}

static outbox *open_outbox(void *const *state)
{
    char path[FIXTURE_PATH];
    fixture_path(state, "outbox.db", path);
    outbox *o = NULL;
    WANT(outbox_open(path, &o, diag), KG_OK);
    return o;
}

/* ---- the journal ---- */

static kg_err accept(journal *j, unsigned n)
{
    static const char *const stations[DELIVERIES] = {"a", "b", "c"};
    char big[3000];
    memset(big, 'x', sizeof big);
    journal_alert a = {
        .id = fixture_id(n), .hash = fixture_hash(n), .class = 2, .signed_bytes = big, .signed_len = sizeof big};
    journal_delivery d[DELIVERIES];
    for (size_t i = 0; i < DELIVERIES; i++) {
        d[i] = (journal_delivery){.station = stations[i], .target = "t", .target_len = 1};
    }
    kg_err e = journal_begin(j, NULL);
    if (e == KG_OK) {
        e = journal_accept(j, &a, d, DELIVERIES, NULL);
    }
    if (e == KG_OK) {
        e = journal_audit(j, 1, "agency", "alert.accepted", "o", "", NULL);
    }
    return e == KG_OK ? journal_commit(j, NULL) : e;
}

typedef struct sums {
    journal *j;
    uint64_t alerts, deliveries;
    audit_checker audit;
} sums;

static kg_err sum_delivery(void *ctx, const journal_delivery *d)
{
    sums *s = ctx;
    s->deliveries++;
    return d->station[0] != '\0' && d->target_len == 1 ? KG_OK : KG_E_BUG;
}

static kg_err sum_alert(void *ctx, const journal_alert *a)
{
    sums *s = ctx;
    s->alerts++;
    return a->position == s->alerts && a->signed_len == 3000
               ? journal_deliveries_of(s->j, a->position, sum_delivery, s, NULL)
               : KG_E_BUG;
}

static kg_err sum_audit(void *ctx, const audit_row *row)
{
    return audit_check(&((sums *)ctx)->audit, row, NULL) ? KG_OK : KG_E_BUG;
}

/* How many alerts are there, each whole: its bytes, its deliveries, its audit row. */
static uint64_t whole_alerts(void *const *state)
{
    sums s = {.j = open_journal(state)};
    audit_check_start(&s.audit);
    WANT(journal_alerts(s.j, true, sum_alert, &s, diag), KG_OK);
    WANT(journal_audit_rows(s.j, 1, sum_audit, &s, diag), KG_OK);
    assert_int_equal(s.deliveries, DELIVERIES * s.alerts);
    assert_int_equal(s.audit.next_n, s.alerts + 1);
    journal_close(&s.j);
    return s.alerts;
}

typedef struct job {
    void *const *state;
    unsigned n;
} job;

static int accept_job(void *ctx)
{
    const job *w = ctx;
    journal *j = open_journal(w->state);
    const kg_err e = accept(j, w->n);
    journal_close(&j);
    return (int)e;
}

static void test_accept(void **state)
{
    static const struct {
        const char *fault;
        bool killed;
        uint64_t want;
    } rows[] = {
        {NULL, false, 1},
        {"journal.before_commit", true, 1},
        {"journal.after_commit", true, 2}, /* durable though nobody was told: the publisher asks again */
        {NULL, false, 3},
    };
    job w = {.state = state};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        w.n = (unsigned)i;
        assert_int_equal(fixture_child(rows[i].fault, accept_job, &w), rows[i].killed ? FIXTURE_KILLED : KG_OK);
        if (whole_alerts(state) != rows[i].want) {
            fail_msg("%s: %llu alerts", rows[i].fault, (unsigned long long)whole_alerts(state));
        }
    }
}

/* Enough for the log to be moved into the file, by commit and by idle. */
static int many_job(void *ctx)
{
    const job *w = ctx;
    journal *j = open_journal(w->state);
    kg_err e = KG_OK;
    for (unsigned i = 0; i < w->n && e == KG_OK; i++) {
        e = accept(j, i);
    }
    if (e == KG_OK || e == KG_E_EXISTS) {
        e = journal_idle(j, NULL);
    }
    journal_close(&j);
    return (int)e;
}

static void test_checkpoint(void **state)
{
    static const char *const faults[] = {"db.before_checkpoint", "db.after_checkpoint"};
    for (size_t i = 0; i < 2; i++) {
        job w = {.state = state, .n = 300};
        assert_int_equal(fixture_child(faults[i], many_job, &w), FIXTURE_KILLED);
        assert_int_equal(whole_alerts(state), 300);
        fixture_teardown(state);
        assert_int_equal(fixture_setup(state), 0);
    }
}

/* Killed at a moment of no fault point: after it has told of k commits. What was told is there. */
static void test_random_kills(void **state)
{
    enum { ROUNDS = 25 };
    uint64_t told = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        int fd[2];
        assert_int_equal(pipe(fd), 0);
        const pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            journal *j = open_journal(state);
            for (unsigned i = 0; accept(j, 1000 + round * 100000 + i) == KG_OK; i++) {
                if (write(fd[1], "k", 1) != 1) {
                    break;
                }
            }
            _exit(1);
        }
        (void)close(fd[1]);
        char c;
        for (unsigned i = 0; i < 1 + (round * 7919) % 23; i++) {
            assert_int_equal(read(fd[0], &c, 1), 1);
            told++;
        }
        assert_int_equal(kill(pid, SIGKILL), 0);
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        while (read(fd[0], &c, 1) == 1) { /* told between our last look and its end */
            told++;
        }
        (void)close(fd[0]);
        const uint64_t there = whole_alerts(state);
        if (there < told || there > told + round + 1) {
            fail_msg("round %u: %llu told, %llu there", round, (unsigned long long)told, (unsigned long long)there);
        }
    }
}

static int set_job(void *ctx)
{
    const job *w = ctx;
    journal *j = open_journal(w->state);
    const journal_delivery d = {.number = journal_number(1, 1), .state = DLV_DONE};
    kg_err e = journal_begin(j, NULL);
    if (e == KG_OK) {
        e = journal_set_delivery(j, &d, NULL);
    }
    if (e == KG_OK) {
        e = journal_commit(j, NULL);
    }
    journal_close(&j);
    return (int)e;
}

static kg_err count_delivery(void *ctx, const journal_delivery *d)
{
    (void)d;
    (*(uint64_t *)ctx)++;
    return KG_OK;
}

static uint64_t open_deliveries(void *const *state)
{
    journal *j = open_journal(state);
    uint64_t n = 0;
    WANT(journal_open_deliveries(j, count_delivery, &n, diag), KG_OK);
    journal_close(&j);
    return n;
}

/* The outcome and the count of what is open are one commit. */
static void test_outcome(void **state)
{
    job w = {.state = state};
    assert_int_equal(fixture_child(NULL, accept_job, &w), KG_OK);
    assert_int_equal(fixture_child("journal.before_commit", set_job, &w), FIXTURE_KILLED);
    assert_int_equal(open_deliveries(state), 3);
    assert_int_equal(fixture_child("journal.after_commit", set_job, &w), FIXTURE_KILLED);
    assert_int_equal(open_deliveries(state), 2);
}

/* ---- ledger and outbox ---- */

static int hold_job(void *ctx)
{
    const job *w = ctx;
    ledger *l = open_ledger(w->state);
    const ledger_holding h = {.id = fixture_id(1), .station = "loa-1", .target = "t", .target_len = 1};
    const alert_hash hash = fixture_hash(1);
    kg_err e = ledger_begin(l, NULL);
    if (e == KG_OK) {
        e = ledger_hold(l, &h, &hash, "signed", 6, NULL);
    }
    if (e == KG_OK) {
        e = ledger_receipt_put(l, "held", 4, NULL);
    }
    if (e == KG_OK) {
        e = ledger_commit(l, NULL);
    }
    ledger_close(&l);
    return (int)e;
}

static int play_job(void *ctx)
{
    const job *w = ctx;
    ledger *l = open_ledger(w->state);
    const ledger_playing p = {.id = fixture_id(1), .station = "loa-1", .state = DLV_STARTED};
    kg_err e = ledger_begin(l, NULL);
    if (e == KG_OK) {
        e = ledger_set_playing(l, &p, NULL);
    }
    if (e == KG_OK) {
        e = ledger_commit(l, NULL);
    }
    ledger_close(&l);
    return (int)e;
}

static kg_err count_holding(void *ctx, const ledger_holding *h)
{
    (void)h;
    (*(unsigned *)ctx) += 100;
    return KG_OK;
}

static kg_err count_receipt(void *ctx, const ledger_receipt *r)
{
    (void)r;
    (*(unsigned *)ctx) += 10;
    return KG_OK;
}

static kg_err count_playing(void *ctx, const ledger_playing *p)
{
    (void)p;
    (*(unsigned *)ctx) += 1;
    return KG_OK;
}

/* Hundreds: holdings; tens: receipts; ones: unfinished playings. */
static unsigned in_ledger(void *const *state)
{
    ledger *l = open_ledger(state);
    unsigned n = 0;
    WANT(ledger_holdings(l, true, count_holding, &n, diag), KG_OK);
    WANT(ledger_receipts(l, 0, 100, count_receipt, &n, diag), KG_OK);
    WANT(ledger_playings(l, true, count_playing, &n, diag), KG_OK);
    ledger_close(&l);
    return n;
}

static void test_ledger(void **state)
{
    job w = {.state = state};
    assert_int_equal(fixture_child("ledger.before_commit", hold_job, &w), FIXTURE_KILLED);
    assert_int_equal(in_ledger(state), 0);
    assert_int_equal(fixture_child("ledger.after_commit", hold_job, &w), FIXTURE_KILLED);
    assert_int_equal(in_ledger(state), 110);
    assert_int_equal(fixture_child(NULL, hold_job, &w), KG_E_EXISTS);
    assert_int_equal(fixture_child("ledger.before_commit", play_job, &w), FIXTURE_KILLED);
    assert_int_equal(in_ledger(state), 110); /* not started: nothing was heard, it may start */
    assert_int_equal(fixture_child("ledger.after_commit", play_job, &w), FIXTURE_KILLED);
    assert_int_equal(in_ledger(state), 111); /* perhaps heard: the sink must ask or say so */
}

static int put_job(void *ctx)
{
    const job *w = ctx;
    outbox *o = open_outbox(w->state);
    kg_buf text = {.s = NULL};
    if (kg_buf_puts(&text, "signed") != KG_OK) {
        return 99;
    }
    const kg_buf drafts[DRAFT_COUNT] = {text, text};
    const outbox_parcel parcel = {.signed_bytes = &text, .drafts = drafts};
    const outbox_row row = {.id = fixture_id(5), .hash = fixture_hash(5), .class = 2};
    return (int)outbox_put(o, &row, &parcel, NULL);
}

static kg_err count_row(void *ctx, const outbox_row *r)
{
    (void)r;
    (*(unsigned *)ctx)++;
    return KG_OK;
}

static void test_outbox(void **state)
{
    static const struct {
        const char *fault;
        unsigned want;
    } rows[] = {{"outbox.before_commit", 0}, {"outbox.after_commit", 1}};
    job w = {.state = state};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(fixture_child(rows[i].fault, put_job, &w), FIXTURE_KILLED);
        outbox *o = open_outbox(state);
        unsigned n = 0;
        WANT(outbox_rows(o, true, count_row, &n, diag), KG_OK);
        assert_int_equal(n, rows[i].want);
        kg_buf b = {.s = NULL};
        const kg_err want = n == 1 ? KG_OK : KG_E_NOTFOUND;
        WANT(outbox_draft_get(o, fixture_id(5), DRAFT_ALL_CLEAR, &b, diag), want);
        kg_buf_done(&b);
        outbox_close(&o);
    }
}

/* ---- the disk fails ---- */

static int failing_job(void *ctx)
{
    const job *w = ctx;
    journal *j = open_journal(w->state);
    kg_diag diag = {""};
    const kg_err first = accept(j, w->n);
    kg_err later[5];
    later[0] = journal_begin(j, &diag);
    later[1] = journal_idle(j, &diag);
    sums s = {.j = j};
    later[2] = journal_alerts(j, false, sum_alert, &s, &diag);
    kg_buf b = {.s = NULL};
    later[3] = journal_bytes(j, 1, &b, &diag);
    later[4] = journal_use_reserve(j) ? KG_OK : KG_E_IO;
    for (size_t i = 0; i < 5; i++) {
        if (later[i] != KG_E_IO) { /* invariant 11: nothing succeeds any more */
            return 100 + (int)i;
        }
    }
    journal_close(&j);
    return (int)first;
}

static int full_job(void *ctx)
{
    const job *w = ctx;
    journal *j = open_journal(w->state);
    const kg_err first = accept(j, w->n);
    const kg_err again = accept(j, w->n + 1); /* the same handle goes on */
    journal_close(&j);
    return first == KG_E_FULL ? (int)again : 100;
}

static void test_failing_disk(void **state)
{
    job w = {.state = state, .n = 1};
    assert_int_equal(fixture_child(NULL, accept_job, &w), KG_OK);
    w.n = 2;
    assert_int_equal(fixture_child("db.commit_io:1:fail", failing_job, &w), KG_E_IO);
    assert_int_equal(whole_alerts(state), 1);
    assert_int_equal(fixture_child("db.commit_full:1:fail", full_job, &w), KG_OK);
    assert_int_equal(whole_alerts(state), 2);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_accept), T(test_checkpoint), T(test_random_kills), T(test_outcome),
        T(test_ledger), T(test_outbox),     T(test_failing_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
