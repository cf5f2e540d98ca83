#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lifecycle/recall.h"

/* design.md 5: Update, Cancel and expiry recall what is queued, in flight and repeating; domain.md 10 row 19:
 * corrections go to exactly those that took the wrong one. Every state, offered before or not. */
static void test_every_state(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        dlv_state state;
        bool offered;
        recall_act act;
        bool reached;
    } rows[] = {
        {"queued, never sent", DLV_PENDING, false, RECALL_DROP, false},
        {"queued, perhaps sent before", DLV_PENDING, true, RECALL_TELL, true},
        {"in flight", DLV_OFFERED, true, RECALL_TELL, true},
        {"held", DLV_HELD, true, RECALL_TELL, true},
        {"playing", DLV_STARTED, true, RECALL_TELL, true},
        {"played, perhaps repeating", DLV_DONE, true, RECALL_TELL, true},
        {"played in part", DLV_PARTIAL, true, RECALL_TELL, true},
        {"perhaps played", DLV_UNCERTAIN, true, RECALL_TELL, true},
        {"refused by the station", DLV_REFUSED, true, RECALL_NOTHING, false},
        {"failed", DLV_FAILED, true, RECALL_NOTHING, false},
        {"expired", DLV_EXPIRED, true, RECALL_NOTHING, false},
        {"recalled already", DLV_CANCELLED, true, RECALL_NOTHING, false},
        {"no state at all", DLV_STATE_COUNT, true, RECALL_NOTHING, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (recall_of(rows[i].state, rows[i].offered) != rows[i].act ||
            recall_reached(rows[i].state, rows[i].offered) != rows[i].reached) {
            fail_msg("%s", rows[i].label);
        }
    }
}

/* Whatever the act, the event that ends a dropped delivery has a meaning in its state. */
static void test_events(void **state)
{
    (void)state;
    static const struct {
        life_state why;
        dlv_state want;
    } rows[] = {
        {LIFE_SUPERSEDED, DLV_CANCELLED},
        {LIFE_CANCELLED, DLV_CANCELLED},
        {LIFE_WITHDRAWN, DLV_CANCELLED},
        {LIFE_EXPIRED, DLV_EXPIRED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        dlv_state s = DLV_PENDING;
        assert_true(dlv_step(&s, recall_event(rows[i].why)));
        assert_int_equal(s, rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_state),
        cmocka_unit_test(test_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
