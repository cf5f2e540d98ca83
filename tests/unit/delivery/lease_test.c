#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "delivery/lease.h"

static lease *new_lease(void)
{
    lease *l = NULL;
    assert_int_equal(lease_new(&l), KG_OK);
    return l;
}

static void put(lease *l, lane on, uint64_t delivery, int64_t now_ms)
{
    const lease_item item = {.delivery = delivery, .station = (uint32_t)delivery % 7};
    assert_int_equal(lease_put(l, on, &item, now_ms), KG_OK);
}

static void test_order_and_time(void **state)
{
    (void)state;
    lease *l = new_lease();
    lease_item got;
    assert_int_equal(lease_next_ms(l), INT64_MAX);
    put(l, LANE_OTHER, 1, 1000);
    put(l, LANE_URGENT, 2, 1000);
    put(l, LANE_URGENT, 3, 1500);
    assert_int_equal(lease_count(l), 3);
    assert_int_equal(lease_next_ms(l), 1000 + 5000); /* an urgent offer is missed after 5 s, the others after 30 s */
    static const struct {
        const char *label;
        lane on;
        int64_t now_ms;
        uint64_t want; /* 0: none is over */
    } rows[] = {
        {"too early", LANE_URGENT, 5999, 0},
        {"the first, on its millisecond", LANE_URGENT, 6000, 2},
        {"the second not yet", LANE_URGENT, 6000, 0},
        {"the other lane not yet", LANE_OTHER, 30999, 0},
        {"the other lane", LANE_OTHER, 31000, 1},
        {"the second at last", LANE_URGENT, INT64_MAX - 1, 3},
        {"nothing left", LANE_URGENT, INT64_MAX - 1, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const bool over = lease_over(l, rows[i].on, rows[i].now_ms, &got);
        if (over != (rows[i].want != 0) || (over && got.delivery != rows[i].want)) {
            fail_msg("%s", rows[i].label);
        }
    }
    lease_free(&l);
    assert_null(l);
}

typedef struct asked {
    uint64_t drop_below, drop_odd;
    size_t count;
} asked;

static lease_fate judge(void *ctx, lane on, const lease_item *item)
{
    asked *a = ctx;
    (void)on;
    a->count++;
    return item->delivery < a->drop_below || (a->drop_odd != 0 && item->delivery % 2 == 1) ? LEASE_DROP : LEASE_KEEP;
}

static void test_trim_stops_at_the_first_kept(void **state)
{
    (void)state;
    lease *l = new_lease();
    for (uint64_t i = 0; i < 1000; i++) { /* more than the first ring holds */
        put(l, LANE_OTHER, i, (int64_t)i);
    }
    asked a = {.drop_below = 10};
    lease_trim(l, judge, &a);
    assert_int_equal(a.count, 11);
    assert_int_equal(lease_count(l), 990);
    lease_item got;
    assert_true(lease_over(l, LANE_OTHER, INT64_MAX - 1, &got));
    assert_int_equal(got.delivery, 10);
    assert_int_equal(got.due_ms, 10 + 30000);
    lease_free(&l);
}

static void test_sweep_asks_all_and_keeps_the_order(void **state)
{
    (void)state;
    lease *l = new_lease();
    lease_item got;
    /* Round the ring's end: 200 in, 150 out, 200 in. */
    for (uint64_t i = 0; i < 200; i++) {
        put(l, LANE_URGENT, i, 0);
    }
    for (uint64_t i = 0; i < 150; i++) {
        assert_true(lease_over(l, LANE_URGENT, 5000, &got));
        assert_int_equal(got.delivery, i);
    }
    for (uint64_t i = 200; i < 400; i++) {
        put(l, LANE_URGENT, i, 0);
    }
    asked a = {.drop_odd = 1};
    lease_sweep(l, judge, &a);
    assert_int_equal(a.count, 250);
    for (uint64_t i = 150; i < 400; i += 2) {
        assert_true(lease_over(l, LANE_URGENT, 5000, &got));
        assert_int_equal(got.delivery, i);
    }
    assert_int_equal(lease_count(l), 0);
    lease_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_time),
        cmocka_unit_test(test_trim_stops_at_the_first_kept),
        cmocka_unit_test(test_sweep_asks_all_and_keeps_the_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
