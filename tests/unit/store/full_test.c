/*
 * full - a disk that is really full: a small tmpfs of the test's own (a mount namespace: root, or a user namespace).
 * Where neither may be made, a limit on the file's size stands in, which has no reserve: that is printed.
 */
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/journal.h"
#include "store/ledger.h"
#include "store/outbox.h"
#include "tests/unit/store/store_fixture.h"

enum { BIG = 60 * 1024, DELIVERIES = 3, FILLER = 70 * 1024 * 1024, NO_DISK = 77 };

/* Steps of the story run in a child; its answer is the step that went wrong, 0 none. */
#define STEP(n, condition)                                                                                             \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            return (n);                                                                                                \
        }                                                                                                              \
    } while (0)

static bool small_disk(const char *folder)
{
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
        return false;
    }
    /* Nothing of it may show outside of this child. */
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", folder, "tmpfs", 0, "size=200m") == 0;
}

static kg_err accept(journal *j, unsigned n, uint8_t class)
{
    static char big[BIG];
    static const char *const stations[DELIVERIES] = {"a", "b", "c"};
    journal_alert a = {
        .id = fixture_id(n), .hash = fixture_hash(n), .class = class, .signed_bytes = big, .signed_len = BIG};
    journal_delivery d[DELIVERIES];
    for (size_t i = 0; i < DELIVERIES; i++) {
        d[i] = (journal_delivery){.station = stations[i], .target = "t", .target_len = 1};
    }
    kg_err e = journal_begin(j, NULL);
    if (e == KG_OK) {
        e = journal_accept(j, &a, d, DELIVERIES, NULL);
        if (e == KG_OK) {
            e = journal_audit(j, 1, "agency", "alert.accepted", "o", "", NULL);
        }
        if (e == KG_OK) {
            e = journal_commit(j, NULL);
        }
        journal_rollback(j);
    }
    return e;
}

typedef struct seen {
    unsigned alerts, deliveries;
    audit_checker audit;
} seen;

static kg_err see_alert(void *ctx, const journal_alert *a)
{
    seen *s = ctx;
    s->alerts++;
    return a->signed_len == BIG && a->position == s->alerts ? KG_OK : KG_E_BUG;
}

static kg_err see_delivery(void *ctx, const journal_delivery *d)
{
    (void)d;
    ((seen *)ctx)->deliveries++;
    return KG_OK;
}

static kg_err see_audit(void *ctx, const audit_row *row)
{
    return audit_check(&((seen *)ctx)->audit, row, NULL) ? KG_OK : KG_E_BUG;
}

static bool all_there(journal *j, unsigned alerts)
{
    seen s = {.alerts = 0};
    audit_check_start(&s.audit);
    return journal_alerts(j, true, see_alert, &s, NULL) == KG_OK &&
           journal_open_deliveries(j, see_delivery, &s, NULL) == KG_OK &&
           journal_audit_rows(j, 1, see_audit, &s, NULL) == KG_OK && s.alerts == alerts &&
           s.deliveries == DELIVERIES * alerts && s.audit.next_n == alerts + 1;
}

static bool make_filler(const char *path)
{
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const bool ok = fd >= 0 && posix_fallocate(fd, 0, FILLER) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return ok;
}

static int journal_story(void *ctx)
{
    char path[FIXTURE_PATH];
    char filler[FIXTURE_PATH];
    void *const folder = ctx;
    fixture_path(&folder, "journal.db", path);
    fixture_path(&folder, "filler", filler);
    if (!small_disk(ctx)) {
        return NO_DISK;
    }
    STEP(1, make_filler(filler));
    journal *j = NULL;
    STEP(2, journal_sqlite_open(path, &j, NULL) == KG_OK);
    unsigned n = 0;
    kg_err e = KG_OK;
    while ((e = accept(j, n + 1, 0)) == KG_OK) {
        n++;
    }
    STEP(3, e == KG_E_FULL && n > 100 && n < 2000);
    STEP(4, all_there(j, n));                  /* nothing told is lost, nothing half is there */
    STEP(5, accept(j, n + 1, 2) == KG_E_FULL); /* full for all, until the reserve is given */
    STEP(6, journal_use_reserve(j));
    STEP(7, accept(j, n + 1, 0) == KG_E_FULL); /* routine does not eat it */
    STEP(8, accept(j, n + 1, 1) == KG_E_FULL);
    for (unsigned i = 0; i < 200; i++) {
        STEP(9, accept(j, ++n, 2) == KG_OK);
    }
    STEP(10, all_there(j, n));
    journal_close(&j);
    STEP(11, journal_sqlite_open(path, &j, NULL) == KG_OK); /* opens on a full disk, the reserve still out */
    STEP(12, all_there(j, n));
    STEP(13, accept(j, n + 1, 0) == KG_E_FULL);
    STEP(14, accept(j, ++n, 2) == KG_OK);
    STEP(15, unlink(filler) == 0); /* somebody made room */
    STEP(16, journal_idle(j, NULL) == KG_OK);
    STEP(17, accept(j, ++n, 0) == KG_OK);
    STEP(18, all_there(j, n));
    journal_close(&j);
    return 0;
}

static kg_err hold(ledger *l, unsigned n)
{
    static char big[BIG];
    const ledger_holding h = {.id = fixture_id(n), .station = "loa-1", .target = "t", .target_len = 1};
    const alert_hash hash = fixture_hash(n);
    kg_err e = ledger_begin(l, NULL);
    if (e == KG_OK) {
        e = ledger_hold(l, &h, &hash, big, BIG, NULL);
        if (e == KG_OK) {
            e = ledger_receipt_put(l, "held", 4, NULL);
        }
        if (e == KG_OK) {
            e = ledger_commit(l, NULL);
        }
        ledger_rollback(l);
    }
    return e;
}

static kg_err count_holding(void *ctx, const ledger_holding *h)
{
    (void)h;
    (*(unsigned *)ctx)++;
    return KG_OK;
}

static bool all_held(ledger *l, unsigned want)
{
    unsigned n = 0;
    return ledger_holdings(l, true, count_holding, &n, NULL) == KG_OK && n == want;
}

static int ledger_story(void *ctx)
{
    char path[FIXTURE_PATH];
    char filler[FIXTURE_PATH];
    void *const folder = ctx;
    fixture_path(&folder, "ledger.db", path);
    fixture_path(&folder, "filler", filler);
    if (!small_disk(ctx)) {
        return NO_DISK;
    }
    STEP(1, make_filler(filler));
    ledger *l = NULL;
    STEP(2, ledger_open(path, &l, NULL) == KG_OK);
    unsigned n = 0;
    kg_err e = KG_OK;
    while ((e = hold(l, n + 1)) == KG_OK) {
        n++;
    }
    STEP(3, e == KG_E_FULL && n > 100);
    STEP(4, all_held(l, n));
    STEP(5, !ledger_reserve_out(l) && ledger_use_reserve(l) && ledger_reserve_out(l));
    for (unsigned i = 0; i < 50; i++) {
        STEP(6, hold(l, ++n) == KG_OK);
    }
    ledger_close(&l);
    STEP(7, ledger_open(path, &l, NULL) == KG_OK && all_held(l, n));
    STEP(8, unlink(filler) == 0 && ledger_idle(l, NULL) == KG_OK && !ledger_reserve_out(l));
    ledger_close(&l);
    return 0;
}

static kg_err put(outbox *o, unsigned n, uint8_t class)
{
    static char big[BIG];
    const kg_buf text = {.s = big, .len = BIG};
    const kg_buf drafts[DRAFT_COUNT] = {{.s = NULL}, {.s = NULL}};
    const outbox_parcel parcel = {.signed_bytes = &text, .drafts = drafts};
    const outbox_row row = {.id = fixture_id(n), .hash = fixture_hash(n), .class = class};
    return outbox_put(o, &row, &parcel, NULL);
}

static int outbox_story(void *ctx)
{
    char path[FIXTURE_PATH];
    char filler[FIXTURE_PATH];
    void *const folder = ctx;
    fixture_path(&folder, "outbox.db", path);
    fixture_path(&folder, "filler", filler);
    if (!small_disk(ctx)) {
        return NO_DISK;
    }
    STEP(1, make_filler(filler));
    outbox *o = NULL;
    STEP(2, outbox_open(path, &o, NULL) == KG_OK);
    unsigned n = 0;
    kg_err e = KG_OK;
    while ((e = put(o, n + 1, 0)) == KG_OK) {
        n++;
    }
    STEP(3, e == KG_E_FULL && n > 100);
    STEP(4, put(o, ++n, 2) == KG_OK); /* urgent takes the reserve by itself */
    STEP(5, put(o, n + 1, 0) == KG_E_FULL);
    STEP(6, put(o, ++n, 2) == KG_OK);
    kg_buf b = {.s = NULL};
    STEP(7, outbox_signed(o, fixture_id(n), &b, NULL) == KG_OK && b.len == BIG);
    kg_buf_done(&b);
    STEP(8, unlink(filler) == 0 && outbox_idle(o, NULL) == KG_OK);
    STEP(9, put(o, ++n, 0) == KG_OK);
    outbox_close(&o);
    return 0;
}

/* A size limit refuses single writes: nothing told is lost, the handle goes on once there is room. */
static int limit_story(void *ctx)
{
    char path[FIXTURE_PATH];
    void *const folder = ctx;
    fixture_path(&folder, "journal.db", path);
    journal *j = NULL;
    STEP(1, journal_sqlite_open(path, &j, NULL) == KG_OK);
    (void)signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit;
    STEP(2, getrlimit(RLIMIT_FSIZE, &limit) == 0);
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = 4 * 1024 * 1024;
    STEP(3, setrlimit(RLIMIT_FSIZE, &limit) == 0);
    unsigned n = 0;
    kg_err e = KG_OK;
    while ((e = accept(j, n + 1, 2)) == KG_OK) {
        n++;
    }
    STEP(4, e == KG_E_FULL && n > 10 && n < 100);
    STEP(5, all_there(j, n));
    limit.rlim_cur = before;
    STEP(6, setrlimit(RLIMIT_FSIZE, &limit) == 0);
    STEP(7, accept(j, ++n, 2) == KG_OK);
    journal_close(&j);
    STEP(8, journal_sqlite_open(path, &j, NULL) == KG_OK && all_there(j, n));
    journal_close(&j);
    return 0;
}

static void tell(void **state, int (*story)(void *), const char *name)
{
    const int step = fixture_child(NULL, story, *state);
    if (step == NO_DISK) {
        print_message("full: no mount namespace here, so the reserve of the %s was not tried\n", name);
        return;
    }
    if (step != 0) {
        fail_msg("%s: step %d", name, step);
    }
}

static void test_journal(void **state)
{
    tell(state, journal_story, "journal");
}

static void test_ledger(void **state)
{
    tell(state, ledger_story, "ledger");
}

static void test_outbox(void **state)
{
    tell(state, outbox_story, "outbox");
}

static void test_limit(void **state)
{
    tell(state, limit_story, "size limit");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {T(test_journal), T(test_ledger), T(test_outbox), T(test_limit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
