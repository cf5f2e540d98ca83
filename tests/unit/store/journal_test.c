/* journal - what was committed is there after any end of the process, and nothing else is. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "store/journal.h"
#include "tests/unit/store/store_fixture.h"

static journal *open_journal(void *const *state)
{
    char path[FIXTURE_PATH];
    fixture_path(state, "journal.db", path);
    journal *j = NULL;
    WANT(journal_sqlite_open(path, &j, diag), KG_OK);
    return j;
}

static journal *reopen(void *const *state, journal *j)
{
    journal_close(&j);
    assert_null(j);
    return open_journal(state);
}

static journal_alert an_alert(unsigned n)
{
    return (journal_alert){.id = fixture_id(n),
                           .hash = fixture_hash(n),
                           .agency = "so-nnmt-vinh-long",
                           .class = CLASS_URGENT,
                           .weight = 17,
                           .accepted_ms = 1795446300000 + n,
                           .expires_ms = 1795532700000,
                           .changed_ms = 1795446300000,
                           .signed_bytes = "signed bytes",
                           .signed_len = 12};
}

static const char *const stations[] = {"loa-29242", "loa-29245", "sms-viettel"};

static void fill(journal_delivery d[3])
{
    for (uint32_t i = 0; i < 3; i++) {
        d[i] = (journal_delivery){.station = stations[i], .hit_rank = i, .target = "target", .target_len = 6};
    }
    d[2].target = "sms target";
    d[2].target_len = 10;
}

/* One alert with three deliveries, committed; its position. */
static uint64_t accept_one(journal *j, unsigned n)
{
    journal_alert a = an_alert(n);
    journal_delivery d[3];
    fill(d);
    WANT(journal_begin(j, diag), KG_OK);
    WANT(journal_accept(j, &a, d, 3, diag), KG_OK);
    WANT(journal_commit(j, diag), KG_OK);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(d[i].number, journal_number(a.position, i));
    }
    return a.position;
}

/* ---- a picture of all that is in the journal, to compare before and after ---- */

static kg_err picture_delivery(void *ctx, const journal_delivery *d)
{
    return kg_buf_putf(ctx,
                       "  %" PRIu64 " %s %s %s held %" PRId64 " done %" PRId64 " hit %u playings %u %" PRIu64
                       "/%" PRIu64 " %s %s [%.*s]\n",
                       d->number, d->station, dlv_state_text(d->state), dlv_certainty_text(d->certainty), d->held_ms,
                       d->done_ms, d->hit_rank, d->playings, d->reached, d->sent, d->code, d->detail,
                       (int)d->target_len, d->target != NULL ? (const char *)d->target : "");
}

static kg_err picture_audit(void *ctx, const audit_row *r)
{
    return kg_buf_putf(ctx, "audit %" PRIu64 " %" PRId64 " %s %s %s %s %02x\n", r->n, r->time_ms, r->actor, r->action,
                       r->object, r->detail, r->chain.b[0]);
}

typedef struct picture {
    journal *j;
    kg_buf *out;
} picture;

static kg_err picture_alert(void *ctx, const journal_alert *a)
{
    picture *p = ctx;
    kg_err e = kg_buf_putf(p->out,
                           "%" PRIu64 " id %02x hash %02x %s class %d weight %d life %d held %d %s %s %" PRId64
                           " %" PRId64 " %" PRId64 " [%.*s]\n",
                           a->position, a->id.b[0], a->hash.b[0], a->agency, a->class, a->weight, a->lifecycle, a->held,
                           a->hold_code, a->hold_sentence, a->accepted_ms, a->expires_ms, a->changed_ms,
                           (int)a->signed_len, (const char *)a->signed_bytes);
    if (e == KG_OK) {
        e = journal_deliveries_of(p->j, a->position, picture_delivery, p->out, NULL);
    }
    return e;
}

static void take_picture(journal *j, kg_buf *out)
{
    kg_buf_clear(out);
    picture p = {.j = j, .out = out};
    WANT(journal_alerts(j, true, picture_alert, &p, diag), KG_OK);
    WANT(kg_buf_puts(out, "open:\n"), KG_OK);
    WANT(journal_open_deliveries(j, picture_delivery, out, diag), KG_OK);
    WANT(journal_audit_rows(j, 1, picture_audit, out, diag), KG_OK);
}

static void want_same(const kg_buf *a, const kg_buf *b)
{
    if (strcmp(kg_buf_str(a), kg_buf_str(b)) != 0) {
        fail_msg("before:\n%s\nafter:\n%s", kg_buf_str(a), kg_buf_str(b));
    }
}

/* Same content whether read from the open handle or after closing and opening again. */
static journal *same_after_reopening(void *const *state, journal *j)
{
    kg_buf before = {.s = NULL};
    kg_buf after = {.s = NULL};
    take_picture(j, &before);
    j = reopen(state, j);
    take_picture(j, &after);
    want_same(&before, &after);
    kg_buf_done(&before);
    kg_buf_done(&after);
    return j;
}

static size_t lines_after(const kg_buf *b, const char *mark)
{
    size_t n = 0;
    const char *at = strstr(kg_buf_str(b), mark);
    assert_non_null(at);
    for (at = strchr(at, '\n'); at != NULL && at[1] == ' '; at = strchr(at + 1, '\n')) {
        n++;
    }
    return n;
}

static size_t open_count(journal *j)
{
    kg_buf b = {.s = NULL};
    take_picture(j, &b);
    const size_t n = lines_after(&b, "open:");
    kg_buf_done(&b);
    return n;
}

/* ---- tests ---- */

static void test_accept(void **state)
{
    journal *j = open_journal(state);
    assert_int_equal(accept_one(j, 1), 1);
    assert_int_equal(accept_one(j, 2), 2);
    j = same_after_reopening(state, j);
    kg_buf b = {.s = NULL};
    take_picture(j, &b);
    const char *want =
        "1 id 01 hash 01 so-nnmt-vinh-long class 2 weight 17 life 0 held 0   1795446300001 1795532700000 "
        "1795446300000 [signed bytes]\n"
        "  1048576 loa-29242 pending none held 0 done 0 hit 0 playings 0 0/0   [target]\n"
        "  1048577 loa-29245 pending none held 0 done 0 hit 1 playings 0 0/0   [target]\n"
        "  1048578 sms-viettel pending none held 0 done 0 hit 2 playings 0 0/0   [sms target]\n";
    if (strncmp(kg_buf_str(&b), want, strlen(want)) != 0) {
        fail_msg("got:\n%s\nwant:\n%s", kg_buf_str(&b), want);
    }
    assert_int_equal(lines_after(&b, "open:"), 6);
    kg_buf_clear(&b);
    WANT(journal_target(j, journal_number(2, 2), &b, diag), KG_OK);
    assert_string_equal(b.s, "sms target");
    WANT(journal_target(j, journal_number(2, 3), &b, diag), KG_E_NOTFOUND);
    kg_buf_clear(&b);
    WANT(journal_bytes(j, 2, &b, diag), KG_OK);
    assert_string_equal(b.s, "signed bytes");
    WANT(journal_bytes(j, 3, &b, diag), KG_E_NOTFOUND);
    kg_buf_done(&b);
    journal_close(&j);
}

static kg_err note_position(void *ctx, const journal_alert *a)
{
    *(uint64_t *)ctx = a->position;
    return KG_OK;
}

static void test_duplicate_and_conflict(void **state)
{
    journal *j = open_journal(state);
    (void)accept_one(j, 1);
    (void)accept_one(j, 2);
    journal_alert same = an_alert(2);
    journal_alert other = an_alert(1);
    other.hash = fixture_hash(99);
    journal_alert fresh = an_alert(3);
    WANT(journal_begin(j, diag), KG_OK);
    WANT(journal_accept(j, &same, NULL, 0, diag), KG_E_EXISTS);
    assert_int_equal(same.position, 2);
    WANT(journal_accept(j, &other, NULL, 0, diag), KG_E_CONFLICT);
    WANT(journal_accept(j, &fresh, NULL, 0, diag), KG_OK); /* the batch goes on, and no position is lost */
    assert_int_equal(fresh.position, 3);
    fresh.position = 0;
    WANT(journal_accept(j, &fresh, NULL, 0, diag), KG_E_EXISTS); /* of the same batch */
    WANT(journal_commit(j, diag), KG_OK);
    j = same_after_reopening(state, j);
    uint64_t found = 0;
    WANT(journal_find(j, fixture_id(1), note_position, &found, diag), KG_OK);
    assert_int_equal(found, 1);
    WANT(journal_find(j, fixture_id(9), note_position, &found, diag), KG_E_NOTFOUND);
    journal_close(&j);
}

static void test_rollback(void **state)
{
    journal *j = open_journal(state);
    (void)accept_one(j, 1);
    kg_buf before = {.s = NULL};
    kg_buf after = {.s = NULL};
    take_picture(j, &before);
    journal_alert a = an_alert(2);
    journal_delivery d[3];
    fill(d);
    d[0].station = "new-station";
    d[1].target = "new target";
    d[1].target_len = 10;
    WANT(journal_begin(j, diag), KG_OK);
    WANT(journal_accept(j, &a, d, 3, diag), KG_OK);
    WANT(journal_audit(j, 5, "x", "alert.accepted", "1", "", diag), KG_OK);
    journal_rollback(j);
    take_picture(j, &after);
    want_same(&before, &after);
    /* What the batch had made known (a station, a target, a position, an audit row) is made again, not remembered. */
    WANT(journal_begin(j, diag), KG_OK);
    WANT(journal_accept(j, &a, d, 3, diag), KG_OK);
    assert_int_equal(a.position, 2);
    WANT(journal_audit(j, 5, "x", "alert.accepted", "1", "", diag), KG_OK);
    WANT(journal_commit(j, diag), KG_OK);
    j = same_after_reopening(state, j);
    take_picture(j, &after);
    assert_non_null(strstr(after.s, "  2097152 new-station pending"));
    assert_non_null(strstr(after.s, "loa-29245 pending none held 0 done 0 hit 1 playings 0 0/0   [new target]"));
    assert_non_null(strstr(after.s, "audit 1 5 x alert.accepted 1"));
    kg_buf_done(&before);
    kg_buf_done(&after);
    journal_close(&j);
}

static void test_batches(void **state)
{
    journal *j = open_journal(state);
    journal_alert a = an_alert(1);
    WANT(journal_accept(j, &a, NULL, 0, diag), KG_E_BUG);
    WANT(journal_commit(j, diag), KG_E_BUG);
    WANT(journal_audit(j, 0, "", "", "", "", diag), KG_E_BUG);
    WANT(journal_begin(j, diag), KG_OK);
    WANT(journal_begin(j, diag), KG_E_BUG);
    journal_delivery nobody = {.station = ""};
    WANT(journal_accept(j, &a, &nobody, 1, diag), KG_E_INVALID);
    WANT(journal_idle(j, diag), KG_OK); /* inside a batch it does nothing */
    assert_false(journal_use_reserve(j));
    WANT(journal_commit(j, diag), KG_OK);
    assert_int_equal(open_count(j), 0);
    journal_close(&j);
    journal_close(&j);
}

static void test_held(void **state)
{
    journal *j = open_journal(state);
    journal_alert a = an_alert(1);
    a.held = true;
    a.hold_code = "no-usable-area";
    a.hold_sentence = "Không rõ cảnh báo cho nơi nào";
    WANT(journal_begin(j, diag), KG_OK);
    WANT(journal_accept(j, &a, NULL, 0, diag), KG_OK);
    WANT(journal_commit(j, diag), KG_OK);
    j = same_after_reopening(state, j);
    uint64_t seen = 0;
    WANT(journal_open_alerts(j, false, note_position, &seen, diag), KG_OK); /* it waits for a person */
    assert_int_equal(seen, 1);

    journal_delivery d[3];
    fill(d);
    WANT(journal_begin(j, diag), KG_OK);
    WANT(journal_set_held(j, a.position, false, "", "", diag), KG_OK);
    WANT(journal_set_held(j, 77, false, "", "", diag), KG_E_NOTFOUND);
    WANT(journal_plan(j, a.position, d, 2, diag), KG_OK);
    WANT(journal_plan(j, 77, d, 2, diag), KG_E_NOTFOUND);
    WANT(journal_commit(j, diag), KG_OK);
    assert_int_equal(d[1].number, journal_number(1, 1));
    assert_int_equal(open_count(j), 2);
    WANT(journal_begin(j, diag), KG_OK);
    WANT(journal_plan(j, a.position, &d[2], 1, diag), KG_OK); /* more of them go behind the first */
    WANT(journal_commit(j, diag), KG_OK);
    assert_int_equal(d[2].number, journal_number(1, 2));
    j = same_after_reopening(state, j);
    assert_int_equal(open_count(j), 3);
    journal_close(&j);
}

static kg_err note_signed(void *ctx, const journal_alert *a)
{
    *(alert_hash *)ctx = a->hash;
    return a->signed_len == 17 && memcmp(a->signed_bytes, "signed by another", 17) == 0 ? KG_OK : KG_E_INVALID;
}

static void test_sign_again(void **state)
{
    journal *j = open_journal(state);
    const uint64_t position = accept_one(j, 1);
    const alert_hash hash = fixture_hash(9);
    WANT(journal_begin(j, diag), KG_OK);
    WANT(journal_sign_again(j, position, &hash, "signed by another", 17, diag), KG_OK);
    WANT(journal_sign_again(j, position + 1, &hash, "signed by another", 17, diag), KG_E_NOTFOUND);
    WANT(journal_commit(j, diag), KG_OK);
    j = reopen(state, j);
    alert_hash got = {{0}};
    WANT(journal_find(j, fixture_id(1), note_signed, &got, diag), KG_OK);
    assert_memory_equal(got.b, hash.b, sizeof hash.b);
    assert_false(journal_short_of_room(j));
    journal_close(&j);
}

static void set(journal *j, const journal_delivery *d, kg_err want)
{
    WANT(journal_begin(j, diag), KG_OK);
    WANT(journal_set_delivery(j, d, diag), want);
    if (want == KG_E_BUG) {
        journal_rollback(j);
    } else {
        WANT(journal_commit(j, diag), KG_OK);
    }
}

static void test_states(void **state)
{
    journal *j = open_journal(state);
    const uint64_t position = accept_one(j, 1);
    journal_delivery d = {.number = journal_number(position, 1), .state = DLV_HELD, .held_ms = 10};
    set(j, &d, KG_OK);
    j = same_after_reopening(state, j);
    assert_int_equal(open_count(j), 3);
    d.state = DLV_PENDING; /* never back */
    set(j, &d, KG_E_CONFLICT);
    d.state = DLV_OFFERED; /* never written */
    set(j, &d, KG_E_BUG);
    d.state = DLV_STARTED;
    set(j, &d, KG_OK);
    d.state = DLV_HELD;
    set(j, &d, KG_E_CONFLICT);
    j = same_after_reopening(state, j);
    d = (journal_delivery){.number = d.number,
                           .state = DLV_PARTIAL,
                           .certainty = CERTAIN_FINISHED,
                           .held_ms = 10,
                           .done_ms = 30,
                           .playings = 1,
                           .reached = 4,
                           .sent = 5,
                           .code = "partial",
                           .detail = "Một nửa số loa có tiếng"};
    set(j, &d, KG_OK);
    j = same_after_reopening(state, j);
    assert_int_equal(open_count(j), 2);
    d.playings = 2; /* a repeat's receipt: counts go on, the state does not */
    set(j, &d, KG_OK);
    for (int s = 0; s < DLV_STATE_COUNT; s++) {
        d.state = (dlv_state)s;
        if (d.state != DLV_PARTIAL && d.state != DLV_OFFERED) {
            set(j, &d, KG_E_CONFLICT);
        }
    }
    d.number = journal_number(position, 3);
    d.state = DLV_HELD;
    set(j, &d, KG_E_NOTFOUND);
    kg_buf b = {.s = NULL};
    take_picture(j, &b);
    assert_non_null(strstr(b.s, "  1048577 loa-29245 partial finished held 10 done 30 hit 1 playings 2 4/5 partial "
                                "Một nửa số loa có tiếng [target]\n"));
    kg_buf_done(&b);
    journal_close(&j);
}

/* Every delivery final: a restart has nothing to do; the counts of open ones are right over batches of any size. */
static void test_open_counts(void **state)
{
    enum { ALERTS = 150 };
    journal *j = open_journal(state);
    WANT(journal_begin(j, diag), KG_OK);
    for (unsigned i = 1; i <= ALERTS; i++) {
        journal_alert a = an_alert(i);
        journal_delivery d[3];
        fill(d);
        WANT(journal_accept(j, &a, d, 3, diag), KG_OK);
    }
    WANT(journal_commit(j, diag), KG_OK);
    WANT(journal_begin(j, diag), KG_OK);
    for (uint32_t line = 0; line < 3; line++) {
        for (unsigned i = 1; i <= ALERTS; i++) {
            if (i != 70 || line != 1) {
                const journal_delivery d = {.number = journal_number(i, line), .state = DLV_DONE};
                WANT(journal_set_delivery(j, &d, diag), KG_OK);
            }
        }
    }
    WANT(journal_commit(j, diag), KG_OK);
    j = same_after_reopening(state, j);
    assert_int_equal(open_count(j), 1);
    uint64_t seen = 0;
    WANT(journal_open_alerts(j, true, note_position, &seen, diag), KG_OK);
    assert_int_equal(seen, 70);
    const journal_delivery last = {.number = journal_number(70, 1), .state = DLV_EXPIRED};
    set(j, &last, KG_OK);
    seen = 0;
    WANT(journal_open_alerts(j, true, note_position, &seen, diag), KG_OK);
    assert_int_equal(seen, 0);
    journal_close(&j);
}

static void test_lifecycle_and_blobs(void **state)
{
    journal *j = open_journal(state);
    (void)accept_one(j, 1);
    WANT(journal_begin(j, diag), KG_OK);
    WANT(journal_set_lifecycle(j, 1, 2, 99, diag), KG_OK);
    WANT(journal_set_lifecycle(j, 5, 2, 99, diag), KG_E_NOTFOUND);
    const alert_hash h = fixture_hash(5);
    WANT(journal_blob_put(j, &h, "audio", 5, diag), KG_OK);
    WANT(journal_blob_put(j, &h, "audio", 5, diag), KG_OK);
    WANT(journal_commit(j, diag), KG_OK);
    j = same_after_reopening(state, j);
    kg_buf b = {.s = NULL};
    take_picture(j, &b);
    assert_non_null(strstr(b.s, " life 2 held 0   1795446300001 1795532700000 99 ["));
    kg_buf_clear(&b);
    WANT(journal_blob_get(j, &h, &b, diag), KG_OK);
    assert_string_equal(b.s, "audio");
    const alert_hash none = fixture_hash(6);
    WANT(journal_blob_get(j, &none, &b, diag), KG_E_NOTFOUND);
    kg_buf_done(&b);
    journal_close(&j);
}

static kg_err stop_here(void *ctx, const journal_delivery *d)
{
    (void)d;
    (*(int *)ctx)++;
    return KG_E_AGAIN;
}

static void test_walks(void **state)
{
    journal *j = open_journal(state);
    (void)accept_one(j, 1);
    int calls = 0;
    WANT(journal_open_deliveries(j, stop_here, &calls, diag), KG_E_AGAIN);
    assert_int_equal(calls, 1);
    WANT(journal_deliveries_of(j, 1, stop_here, &calls, diag), KG_E_AGAIN);
    WANT(journal_deliveries_of(j, 2, stop_here, &calls, diag), KG_OK);
    assert_int_equal(calls, 2);
    journal_close(&j);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_accept),
        T(test_duplicate_and_conflict),
        T(test_rollback),
        T(test_batches),
        T(test_held),
        T(test_sign_again),
        T(test_states),
        T(test_open_counts),
        T(test_lifecycle_and_blobs),
        T(test_walks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
