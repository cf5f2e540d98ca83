#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "bus/peers.h"

static void found_by_route_and_number(void **state)
{
    (void)state;
    peers p = {0};
    peer *who = NULL;
    assert_null(peers_by_route(&p, 7));
    assert_null(peers_by_number(&p, 1));
    assert_int_equal(peers_add(&p, 7, 1, &who), KG_OK);
    assert_ptr_equal(peers_by_route(&p, 7), who);
    assert_ptr_equal(peers_by_number(&p, 1), who);
    assert_null(peers_by_route(&p, 1));
    peers_remove(&p, who);
    assert_null(peers_by_route(&p, 7));
    assert_null(peers_at(&p, 0));
    peers_done(&p);
    peers_done(&p);
}

/* 20,000 comings and goings against a plain table. */
static void agrees_with_a_plain_table(void **state)
{
    (void)state;
    enum { ROUTES = 512 };
    static bus_peer plain[ROUTES];
    memset(plain, 0, sizeof plain);
    peers p = {0};
    uint32_t seed = 1;
    bus_peer next = 0;
    size_t live = 0;
    for (int step = 0; step < 20000; step++) {
        seed = seed * 1664525U + 1013904223U;
        const uint32_t at = (seed >> 8) % ROUTES;
        const uint32_t route = 0xFFFFFF00U + at; /* wraps, as libzmq's counter may */
        peer *who = peers_by_route(&p, route);
        if ((who == NULL) != (plain[at] == 0) || (who != NULL && who->number != plain[at])) {
            fail_msg("step %d: route %u", step, route);
        }
        if (who == NULL) {
            assert_int_equal(peers_add(&p, route, ++next, &who), KG_OK);
            plain[at] = next;
            live++;
        } else {
            peers_remove(&p, who);
            plain[at] = 0;
            live--;
        }
        assert_int_equal(p.count, live);
    }
    size_t seen = 0;
    for (size_t i = 0; i < p.used; i++) {
        const peer *who = peers_at(&p, i);
        if (who != NULL) {
            assert_int_equal(plain[who->route - 0xFFFFFF00U], who->number);
            assert_ptr_equal(peers_by_number(&p, who->number), who);
            seen++;
        }
    }
    assert_int_equal(seen, live);
    peers_done(&p);
}

static void there_is_a_most(void **state)
{
    (void)state;
    peers p = {0};
    peer *who = NULL;
    for (uint32_t i = 0; i < BUS_PEERS_MAX; i++) {
        assert_int_equal(peers_add(&p, i, i + 1, &who), KG_OK);
    }
    assert_int_equal(peers_add(&p, BUS_PEERS_MAX, BUS_PEERS_MAX + 1, &who), KG_E_LIMIT);
    peers_remove(&p, peers_by_route(&p, 5));
    assert_int_equal(peers_add(&p, BUS_PEERS_MAX, BUS_PEERS_MAX + 1, &who), KG_OK);
    peers_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found_by_route_and_number),
        cmocka_unit_test(agrees_with_a_plain_table),
        cmocka_unit_test(there_is_a_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
