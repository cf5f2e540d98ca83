/* dlv - every cell of the state table, written by hand from design.md section 3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "delivery/dlv.h"

/* One letter a state, in the order of dlv_state; '.' = the event has no meaning there. */
static const char letters[] = "POHSDARFUXC";

static const struct {
    char from;
    const char *to; /* OFFER LOST HOLD START FINISH FINISH_PART REFUSE FAIL DOUBT EXPIRE CANCEL */
} rows[] = {
    {'P', "O.HSDARFUXC"},                       /* a receipt may come for an offer the router has forgotten */
    {'O', ".PHSDARFUXC"},                       /* falls back only before HELD */
    {'H', "...SDARFUXC"},                       /* held: the sink has it for good */
    {'S', "....DARFUXC"}, {'D', "..........."}, /* final states never change */
    {'A', "..........."}, {'R', "..........."}, {'F', "..........."},
    {'U', "..........."}, {'X', "..........."}, {'C', "..........."},
};

static void test_every_cell(void **state)
{
    (void)state;
    assert_int_equal(sizeof rows / sizeof rows[0], DLV_STATE_COUNT);
    assert_int_equal(strlen(letters), DLV_STATE_COUNT);
    for (size_t s = 0; s < DLV_STATE_COUNT; s++) {
        assert_int_equal(rows[s].from, letters[s]);
        assert_int_equal(strlen(rows[s].to), DLV_EVENT_COUNT);
        for (size_t e = 0; e < DLV_EVENT_COUNT; e++) {
            dlv_state at = (dlv_state)s;
            const bool moved = dlv_step(&at, (dlv_event)e);
            const char want = rows[s].to[e];
            if (moved != (want != '.') || letters[at] != (want == '.' ? letters[s] : want)) {
                fail_msg("state %c, event %zu: got %c", letters[s], e, letters[at]);
            }
        }
    }
}

static void test_final(void **state)
{
    (void)state;
    for (int s = 0; s < DLV_STATE_COUNT; s++) {
        assert_int_equal(dlv_final((dlv_state)s), strchr("DARFUXC", letters[s]) != NULL);
    }
    assert_false(dlv_final(DLV_STATE_COUNT));
}

static void test_receipts(void **state)
{
    (void)state;
    static const struct {
        dlv_state said;
        dlv_event want;
    } pairs[] = {
        {DLV_PENDING, DLV_EVENT_COUNT}, {DLV_OFFERED, DLV_EVENT_COUNT}, {DLV_HELD, DLV_HOLD},
        {DLV_STARTED, DLV_START},       {DLV_DONE, DLV_FINISH},         {DLV_PARTIAL, DLV_FINISH_PART},
        {DLV_REFUSED, DLV_REFUSE},      {DLV_FAILED, DLV_FAIL},         {DLV_UNCERTAIN, DLV_DOUBT},
        {DLV_EXPIRED, DLV_EXPIRE},      {DLV_CANCELLED, DLV_CANCEL},    {DLV_STATE_COUNT, DLV_EVENT_COUNT},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        assert_int_equal(dlv_event_of(pairs[i].said), pairs[i].want);
        if (pairs[i].want != DLV_EVENT_COUNT) { /* a receipt leads where it says */
            dlv_state s = DLV_OFFERED;
            assert_true(dlv_step(&s, pairs[i].want));
            assert_int_equal(s, pairs[i].said);
        }
    }
}

static void test_out_of_range(void **state)
{
    (void)state;
    dlv_state s = DLV_STATE_COUNT;
    assert_false(dlv_step(&s, DLV_OFFER));
    assert_int_equal(s, DLV_STATE_COUNT);
    s = DLV_PENDING;
    assert_false(dlv_step(&s, DLV_EVENT_COUNT));
    assert_int_equal(s, DLV_PENDING);
    assert_string_equal(dlv_state_text(DLV_STATE_COUNT), "unknown");
    assert_string_equal(dlv_certainty_text(DLV_CERTAINTY_COUNT), "unknown");
}

static void test_texts(void **state)
{
    (void)state;
    assert_string_equal(dlv_state_text(DLV_PENDING), "pending");
    assert_string_equal(dlv_state_text(DLV_UNCERTAIN), "uncertain");
    assert_string_equal(dlv_state_text(DLV_CANCELLED), "cancelled");
    assert_string_equal(dlv_state_vi(DLV_DONE), "đã xong");
    assert_string_equal(dlv_certainty_text(CERTAIN_PACKETS), "packets");
    assert_string_equal(dlv_certainty_text(CERTAIN_HEARD), "heard");
    for (int a = 0; a < DLV_STATE_COUNT; a++) {
        for (int b = 0; b < a; b++) {
            assert_string_not_equal(dlv_state_text((dlv_state)a), dlv_state_text((dlv_state)b));
            assert_string_not_equal(dlv_state_vi((dlv_state)a), dlv_state_vi((dlv_state)b));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_cell),   cmocka_unit_test(test_final), cmocka_unit_test(test_receipts),
        cmocka_unit_test(test_out_of_range), cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
