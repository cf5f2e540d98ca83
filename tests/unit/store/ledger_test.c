/* ledger - a sink's memory: what it holds, what it has played, what it must still report; across any restart. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lifecycle/life.h"
#include "store/ledger.h"
#include "tests/unit/store/store_fixture.h"

static ledger *open_ledger(void *const *state)
{
    char path[FIXTURE_PATH];
    fixture_path(state, "ledger.db", path);
    ledger *l = NULL;
    WANT(ledger_open(path, &l, diag), KG_OK);
    return l;
}

static kg_err picture_holding(void *ctx, const ledger_holding *h)
{
    return kg_buf_putf(ctx,
                       "holding %02x %s delivery %" PRIu64 " life %d held %" PRId64 " expires %" PRId64
                       " next %u at %" PRId64 " [%.*s]\n",
                       h->id.b[0], h->station, h->delivery, h->lifecycle, h->held_ms, h->expires_ms, h->next_playing,
                       h->next_due_ms, (int)h->target_len, (const char *)h->target);
}

static kg_err picture_playing(void *ctx, const ledger_playing *p)
{
    return kg_buf_putf(ctx, "playing %02x %s %u %s %s %" PRId64 "-%" PRId64 " %s %s %s %s\n", p->id.b[0], p->station,
                       p->playing, dlv_state_text(p->state), dlv_certainty_text(p->certainty), p->started_ms,
                       p->ended_ms, p->labelled ? "labelled" : "-", p->driver_ref, p->code, p->detail);
}

static kg_err picture_receipt(void *ctx, const ledger_receipt *r)
{
    return kg_buf_putf(ctx, "receipt %" PRIu64 " %.*s\n", r->row, (int)r->len, (const char *)r->bytes);
}

static void take_picture(ledger *l, kg_buf *out)
{
    kg_buf_clear(out);
    WANT(ledger_holdings(l, false, picture_holding, out, diag), KG_OK);
    WANT(ledger_playings(l, false, picture_playing, out, diag), KG_OK);
    WANT(ledger_receipts(l, 0, 1000, picture_receipt, out, diag), KG_OK);
    WANT(kg_buf_puts(out, "alive:\n"), KG_OK);
    WANT(ledger_holdings(l, true, picture_holding, out, diag), KG_OK);
    WANT(kg_buf_puts(out, "unfinished:\n"), KG_OK);
    WANT(ledger_playings(l, true, picture_playing, out, diag), KG_OK);
}

static void want_picture(ledger *l, const char *want)
{
    kg_buf b = {.s = NULL};
    take_picture(l, &b);
    if (strcmp(b.s, want) != 0) {
        fail_msg("got:\n%s\nwant:\n%s", b.s, want);
    }
    kg_buf_done(&b);
}

static ledger *same_after_reopening(void *const *state, ledger *l)
{
    kg_buf before = {.s = NULL};
    take_picture(l, &before);
    ledger_close(&l);
    assert_null(l);
    l = open_ledger(state);
    want_picture(l, before.s);
    kg_buf_done(&before);
    return l;
}

static ledger_holding a_holding(unsigned n, const char *station)
{
    return (ledger_holding){.id = fixture_id(n),
                            .station = station,
                            .delivery = 1000 + n,
                            .held_ms = 10,
                            .expires_ms = 99,
                            .next_due_ms = 10,
                            .target = "target",
                            .target_len = 6};
}

static void hold(ledger *l, unsigned n, const char *station, kg_err want)
{
    const ledger_holding h = a_holding(n, station);
    const alert_hash hash = fixture_hash(n);
    WANT(ledger_begin(l, diag), KG_OK);
    WANT(ledger_hold(l, &h, &hash, "signed", 6, diag), want);
    WANT(ledger_commit(l, diag), KG_OK);
}

static void test_hold(void **state)
{
    ledger *l = open_ledger(state);
    hold(l, 1, "loa-1", KG_OK);
    hold(l, 1, "loa-2", KG_OK);
    hold(l, 2, "loa-1", KG_OK);
    hold(l, 1, "loa-1", KG_E_EXISTS);
    l = same_after_reopening(state, l);
    hold(l, 1, "loa-2", KG_E_EXISTS); /* for ever, not only in this process */
    const ledger_holding h = a_holding(2, "loa-9");
    const alert_hash other = fixture_hash(9);
    WANT(ledger_begin(l, diag), KG_OK);
    WANT(ledger_hold(l, &h, &other, "forged", 6, diag), KG_E_CONFLICT);
    const ledger_holding nowhere = a_holding(2, "");
    WANT(ledger_hold(l, &nowhere, &other, "x", 1, diag), KG_E_INVALID);
    WANT(ledger_commit(l, diag), KG_OK);
    want_picture(l, "holding 01 loa-1 delivery 1001 life 0 held 10 expires 99 next 0 at 10 [target]\n"
                    "holding 01 loa-2 delivery 1001 life 0 held 10 expires 99 next 0 at 10 [target]\n"
                    "holding 02 loa-1 delivery 1002 life 0 held 10 expires 99 next 0 at 10 [target]\n"
                    "alive:\n"
                    "holding 01 loa-1 delivery 1001 life 0 held 10 expires 99 next 0 at 10 [target]\n"
                    "holding 01 loa-2 delivery 1001 life 0 held 10 expires 99 next 0 at 10 [target]\n"
                    "holding 02 loa-1 delivery 1002 life 0 held 10 expires 99 next 0 at 10 [target]\n"
                    "unfinished:\n");
    kg_buf b = {.s = NULL};
    WANT(ledger_signed(l, fixture_id(2), &b, diag), KG_OK);
    assert_string_equal(b.s, "signed");
    WANT(ledger_signed(l, fixture_id(3), &b, diag), KG_E_NOTFOUND);
    kg_buf_done(&b);
    ledger_close(&l);
    ledger_close(&l);
}

static void test_rollback(void **state)
{
    ledger *l = open_ledger(state);
    hold(l, 1, "loa-1", KG_OK);
    const ledger_holding h = a_holding(2, "loa-2");
    const alert_hash hash = fixture_hash(2);
    for (int i = 0; i < 2; i++) {
        WANT(ledger_begin(l, diag), KG_OK);
        WANT(ledger_hold(l, &h, &hash, "signed", 6, diag), KG_OK);
        WANT(ledger_receipt_put(l, "r", 1, diag), KG_OK);
        ledger_rollback(l);
    }
    WANT(ledger_hold(l, &h, &hash, "signed", 6, diag), KG_E_BUG);
    hold(l, 2, "loa-2", KG_OK);
    l = same_after_reopening(state, l);
    want_picture(l, "holding 01 loa-1 delivery 1001 life 0 held 10 expires 99 next 0 at 10 [target]\n"
                    "holding 02 loa-2 delivery 1002 life 0 held 10 expires 99 next 0 at 10 [target]\n"
                    "alive:\n"
                    "holding 01 loa-1 delivery 1001 life 0 held 10 expires 99 next 0 at 10 [target]\n"
                    "holding 02 loa-2 delivery 1002 life 0 held 10 expires 99 next 0 at 10 [target]\n"
                    "unfinished:\n");
    ledger_close(&l);
}

static void set_holding(ledger *l, const ledger_holding *h, kg_err want)
{
    WANT(ledger_begin(l, diag), KG_OK);
    WANT(ledger_set_holding(l, h, diag), want);
    WANT(ledger_commit(l, diag), KG_OK);
}

static void test_ends(void **state)
{
    ledger *l = open_ledger(state);
    hold(l, 1, "loa-1", KG_OK);
    ledger_holding h = a_holding(1, "loa-1");
    h.next_playing = 1;
    h.next_due_ms = 300;
    set_holding(l, &h, KG_OK);
    l = same_after_reopening(state, l);
    h.lifecycle = LIFE_CANCELLED;
    h.next_due_ms = 0;
    set_holding(l, &h, KG_OK);
    set_holding(l, &h, KG_OK);
    h.lifecycle = LIFE_ALIVE; /* what is over does not come alive again */
    set_holding(l, &h, KG_E_CONFLICT);
    h.lifecycle = LIFE_EXPIRED;
    set_holding(l, &h, KG_E_CONFLICT);
    h.station = "loa-7";
    set_holding(l, &h, KG_E_NOTFOUND);
    l = same_after_reopening(state, l);
    want_picture(l, "holding 01 loa-1 delivery 1001 life 2 held 10 expires 99 next 1 at 0 [target]\n"
                    "alive:\nunfinished:\n");

    /* An ending may come before its alert; the first one stands. */
    uint8_t lifecycle = 77;
    assert_false(ledger_ended(l, fixture_id(5), &lifecycle));
    WANT(ledger_begin(l, diag), KG_OK);
    WANT(ledger_note_end(l, fixture_id(5), LIFE_CANCELLED, 1, diag), KG_OK);
    WANT(ledger_note_end(l, fixture_id(5), LIFE_SUPERSEDED, 2, diag), KG_OK);
    WANT(ledger_commit(l, diag), KG_OK);
    l = same_after_reopening(state, l);
    assert_true(ledger_ended(l, fixture_id(5), &lifecycle));
    assert_int_equal(lifecycle, LIFE_CANCELLED);
    ledger_close(&l);
}

static void play(ledger *l, const ledger_playing *p, kg_err want)
{
    WANT(ledger_begin(l, diag), KG_OK);
    WANT(ledger_set_playing(l, p, diag), want);
    if (want == KG_E_BUG) {
        ledger_rollback(l);
    } else {
        WANT(ledger_commit(l, diag), KG_OK);
    }
}

static void test_playings(void **state)
{
    ledger *l = open_ledger(state);
    hold(l, 1, "loa-1", KG_OK);
    hold(l, 2, "loa-2", KG_OK);
    ledger_playing p = {.id = fixture_id(1), .station = "loa-1", .state = DLV_STARTED, .started_ms = 5};
    play(l, &p, KG_OK);
    l = same_after_reopening(state, l);
    p.driver_ref = "airing-7"; /* STARTED may be told more of */
    p.labelled = true;
    play(l, &p, KG_OK);
    want_picture(l, "holding 01 loa-1 delivery 1001 life 0 held 10 expires 99 next 0 at 10 [target]\n"
                    "holding 02 loa-2 delivery 1002 life 0 held 10 expires 99 next 0 at 10 [target]\n"
                    "playing 01 loa-1 0 started none 5-0 labelled airing-7  \n"
                    "alive:\n"
                    "holding 01 loa-1 delivery 1001 life 0 held 10 expires 99 next 0 at 10 [target]\n"
                    "holding 02 loa-2 delivery 1002 life 0 held 10 expires 99 next 0 at 10 [target]\n"
                    "unfinished:\n"
                    "playing 01 loa-1 0 started none 5-0 labelled airing-7  \n");
    p.state = DLV_HELD;
    play(l, &p, KG_E_BUG);
    p.state = DLV_DONE;
    p.certainty = CERTAIN_HEARD;
    p.ended_ms = 9;
    p.code = "heard";
    p.detail = "Micro nghe rõ";
    play(l, &p, KG_OK);
    l = same_after_reopening(state, l);
    play(l, &p, KG_E_EXISTS);
    for (int s = DLV_STARTED; s < DLV_STATE_COUNT; s++) {
        p.state = (dlv_state)s;
        if (s != DLV_DONE) {
            play(l, &p, KG_E_CONFLICT); /* an end never changes, and nothing starts again under its number */
        }
    }
    p.playing = 1; /* the repeat is its own playing */
    p.state = DLV_STARTED;
    play(l, &p, KG_OK);
    p.station = "loa-2";
    play(l, &p, KG_E_NOTFOUND); /* alert 1 is not held there */
    p.station = "loa-3";
    play(l, &p, KG_E_NOTFOUND);
    l = same_after_reopening(state, l);

    kg_arena mem = {.head = NULL};
    ledger_playing got;
    ledger_holding h;
    WANT(ledger_find_playing(l, fixture_id(1), "loa-1", 0, &mem, &got, diag), KG_OK);
    assert_int_equal(got.state, DLV_DONE);
    assert_int_equal(got.certainty, CERTAIN_HEARD);
    assert_string_equal(got.detail, "Micro nghe rõ");
    assert_string_equal(got.driver_ref, "airing-7");
    assert_true(got.labelled);
    WANT(ledger_find_playing(l, fixture_id(1), "loa-1", 2, &mem, &got, diag), KG_E_NOTFOUND);
    WANT(ledger_find_playing(l, fixture_id(7), "loa-1", 0, &mem, &got, diag), KG_E_NOTFOUND);
    WANT(ledger_find_holding(l, fixture_id(2), "loa-2", &mem, &h, diag), KG_OK);
    assert_string_equal(h.station, "loa-2");
    assert_int_equal(h.delivery, 1002);
    assert_int_equal(h.target_len, 6);
    assert_memory_equal(h.target, "target", 6);
    WANT(ledger_find_holding(l, fixture_id(2), "loa-1", &mem, &h, diag), KG_E_NOTFOUND);
    kg_arena_done(&mem);
    ledger_close(&l);
}

static void kept(ledger *l, uint64_t row, kg_err want)
{
    WANT(ledger_begin(l, diag), KG_OK);
    WANT(ledger_receipts_kept(l, row, diag), want);
    WANT(ledger_commit(l, diag), KG_OK);
}

static void test_receipts(void **state)
{
    ledger *l = open_ledger(state);
    static const char *const said[] = {"held", "started", "done"};
    WANT(ledger_begin(l, diag), KG_OK);
    for (size_t i = 0; i < 3; i++) {
        WANT(ledger_receipt_put(l, said[i], strlen(said[i]), diag), KG_OK);
    }
    WANT(ledger_commit(l, diag), KG_OK);
    l = same_after_reopening(state, l);
    kg_buf b = {.s = NULL};
    WANT(ledger_receipts(l, 0, 2, picture_receipt, &b, diag), KG_OK);
    assert_string_equal(b.s, "receipt 1 held\nreceipt 2 started\n");
    kg_buf_clear(&b);
    WANT(ledger_receipts(l, 2, 100, picture_receipt, &b, diag), KG_OK);
    assert_string_equal(b.s, "receipt 3 done\n");
    kept(l, 2, KG_OK);
    kept(l, 9, KG_E_INVALID); /* a router that keeps what was never said */
    l = same_after_reopening(state, l);
    want_picture(l, "receipt 3 done\nalive:\nunfinished:\n");
    kept(l, 3, KG_OK);
    kept(l, 1, KG_OK); /* an old answer */
    l = same_after_reopening(state, l);
    WANT(ledger_begin(l, diag), KG_OK);
    WANT(ledger_receipt_put(l, "late", 4, diag), KG_OK);
    WANT(ledger_commit(l, diag), KG_OK);
    want_picture(l, "receipt 4 late\nalive:\nunfinished:\n"); /* rows rise for ever */
    kg_buf_done(&b);
    ledger_close(&l);
}

static void test_notes(void **state)
{
    ledger *l = open_ledger(state);
    kg_buf b = {.s = NULL};
    WANT(ledger_note_get(l, "mute/loa-1", &b, diag), KG_E_NOTFOUND);
    WANT(ledger_begin(l, diag), KG_OK);
    WANT(ledger_note_put(l, "mute/loa-1", "bảo trì", diag), KG_OK);
    WANT(ledger_note_put(l, "mute/loa-2", "x", diag), KG_OK);
    WANT(ledger_note_put(l, "mute/loa-2", "", diag), KG_OK);
    WANT(ledger_commit(l, diag), KG_OK);
    ledger_close(&l);
    l = open_ledger(state);
    WANT(ledger_note_get(l, "mute/loa-1", &b, diag), KG_OK);
    assert_string_equal(b.s, "bảo trì");
    kg_buf_clear(&b);
    WANT(ledger_note_get(l, "mute/loa-2", &b, diag), KG_OK);
    assert_string_equal(kg_buf_str(&b), "");
    kg_buf_done(&b);
    ledger_close(&l);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_hold), T(test_rollback), T(test_ends), T(test_playings), T(test_receipts), T(test_notes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
