/* queue - order, credit and removal by rows, then against a model that scans everything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "delivery/queue.h"

static queue *new_queue(size_t stations)
{
    queue *q = NULL;
    assert_int_equal(queue_new(stations, &q), KG_OK);
    return q;
}

static void put(queue *q, queue_item item)
{
    assert_int_equal(queue_put(q, &item), KG_OK);
}

static void test_order_within_a_station(void **state)
{
    (void)state;
    queue *q = new_queue(1);
    put(q, (queue_item){.delivery = 1, .class = 0, .weight = 9, .order = 1});
    put(q, (queue_item){.delivery = 2, .class = 1, .weight = 1, .order = 2});
    put(q, (queue_item){.delivery = 3, .class = 1, .weight = 5, .order = 4});
    put(q, (queue_item){.delivery = 4, .class = 1, .weight = 5, .order = 3});
    put(q, (queue_item){.delivery = 5, .class = 2, .weight = 0, .order = 9});
    queue_item got;
    assert_false(queue_next(q, LANE_OTHER, &got)); /* no credit yet */
    queue_credit(q, 0, LANE_OTHER, 9);
    static const uint64_t want[] = {4, 3, 2, 1}; /* class, weight, age; the urgent one is on the other lane */
    for (size_t i = 0; i < 4; i++) {
        assert_true(queue_next(q, LANE_OTHER, &got));
        assert_int_equal(got.delivery, want[i]);
    }
    assert_false(queue_next(q, LANE_OTHER, &got));
    assert_int_equal(queue_waiting(q, 0), 1);
    queue_credit(q, 0, LANE_URGENT, 1);
    assert_true(queue_next(q, LANE_URGENT, &got));
    assert_int_equal(got.delivery, 5);
    assert_int_equal(got.class, 2);
    queue_free(&q);
    assert_null(q);
    queue_free(&q);
}

static void test_order_between_stations(void **state)
{
    (void)state;
    queue *q = new_queue(4);
    put(q, (queue_item){.delivery = 10, .station = 0, .class = 2, .hit_rank = 2, .weight = 9, .order = 1});
    put(q, (queue_item){.delivery = 11, .station = 1, .class = 2, .hit_rank = 0, .weight = 1, .order = 7});
    put(q, (queue_item){.delivery = 12, .station = 2, .class = 2, .hit_rank = 0, .weight = 3, .order = 8});
    put(q, (queue_item){.delivery = 13, .station = 3, .class = 2, .hit_rank = 2, .weight = 9, .order = 0});
    for (uint32_t s = 0; s < 4; s++) {
        queue_credit(q, s, LANE_URGENT, 1);
    }
    static const uint64_t want[] = {12, 11, 13, 10}; /* worst hit, then weight, then age */
    queue_item got;
    for (size_t i = 0; i < 4; i++) {
        assert_true(queue_next(q, LANE_URGENT, &got));
        assert_int_equal(got.delivery, want[i]);
    }
    queue_free(&q);
}

static void test_credit(void **state)
{
    (void)state;
    queue *q = new_queue(2);
    for (uint32_t i = 0; i < 6; i++) {
        put(q, (queue_item){.delivery = i, .station = 0, .order = i});
    }
    queue_item got;
    queue_credit(q, 0, LANE_URGENT, 5); /* the other lane's credit is no use to routine */
    assert_false(queue_next(q, LANE_OTHER, &got));
    queue_credit(q, 0, LANE_OTHER, 2);
    assert_true(queue_next(q, LANE_OTHER, &got));
    queue_credit(q, 0, LANE_OTHER, 1); /* an old message: totals never fall */
    assert_true(queue_next(q, LANE_OTHER, &got));
    assert_false(queue_next(q, LANE_OTHER, &got));
    queue_credit(q, 0, LANE_OTHER, 3); /* one more, not three */
    assert_true(queue_next(q, LANE_OTHER, &got));
    assert_int_equal(got.delivery, 2);
    assert_int_equal(queue_put_back(q, &got), KG_OK); /* could not be sent: credit is back too */
    assert_true(queue_next(q, LANE_OTHER, &got));
    assert_int_equal(got.delivery, 2);
    assert_false(queue_next(q, LANE_OTHER, &got));
    queue_reset(q, 0, LANE_OTHER); /* a new session counts from 0 */
    assert_false(queue_next(q, LANE_OTHER, &got));
    queue_credit(q, 0, LANE_OTHER, 1);
    assert_true(queue_next(q, LANE_OTHER, &got));
    assert_int_equal(got.delivery, 3);
    queue_reset(q, 0, LANE_OTHER);
    assert_int_equal(queue_put_back(q, &got), KG_OK); /* after a reset it only waits again */
    assert_false(queue_next(q, LANE_OTHER, &got));
    queue_free(&q);
}

static void test_edges(void **state)
{
    (void)state;
    queue *q = new_queue(1);
    queue_item item = {.delivery = 7, .station = 1};
    assert_int_equal(queue_put(q, &item), KG_E_NOTFOUND);
    assert_int_equal(queue_grow(q, 2), KG_OK);
    assert_int_equal(queue_put(q, &item), KG_OK);
    assert_int_equal(queue_put(q, &item), KG_E_EXISTS);
    assert_false(queue_remove(q, 0, 7)); /* another station's */
    assert_false(queue_remove(q, 1, 8));
    assert_true(queue_remove(q, 1, 7));
    assert_false(queue_remove(q, 1, 7));
    assert_int_equal(queue_total(q), 0);
    queue_credit(q, 99, LANE_OTHER, 1);
    queue_reset(q, 99, LANE_OTHER);
    assert_int_equal(queue_waiting(q, 99), 0);
    queue_free(&q);
}

/* ---- against a model ---- */

enum { STATIONS = 7, MODEL_MAX = 512 };

typedef struct model {
    queue_item items[MODEL_MAX];
    size_t count;
    uint64_t granted[STATIONS][LANE_COUNT], taken[STATIONS][LANE_COUNT];
} model;

static uint32_t draw(uint64_t *seed) /* SplitMix64 */
{
    *seed += 0x9E3779B97F4A7C15U;
    uint64_t z = *seed;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return (uint32_t)((z ^ (z >> 31)) >> 16);
}

static lane lane_for(const queue_item *i)
{
    return i->class == 2 ? LANE_URGENT : LANE_OTHER;
}

static bool first_in_station(const queue_item *a, const queue_item *b)
{
    if (a->class != b->class) {
        return a->class > b->class;
    }
    if (a->weight != b->weight) {
        return a->weight > b->weight;
    }
    return a->order != b->order ? a->order < b->order : a->delivery < b->delivery;
}

static bool first_of_all(const queue_item *a, const queue_item *b)
{
    if (a->class != b->class) {
        return a->class > b->class;
    }
    return a->hit_rank != b->hit_rank ? a->hit_rank < b->hit_rank : first_in_station(a, b);
}

static size_t model_next(const model *m, lane l)
{
    size_t best = SIZE_MAX;
    for (uint32_t s = 0; s < STATIONS; s++) {
        size_t top = SIZE_MAX;
        for (size_t i = 0; i < m->count; i++) {
            const queue_item *x = &m->items[i];
            if (x->station == s && lane_for(x) == l && (top == SIZE_MAX || first_in_station(x, &m->items[top]))) {
                top = i;
            }
        }
        if (top != SIZE_MAX && m->taken[s][l] < m->granted[s][l] &&
            (best == SIZE_MAX || first_of_all(&m->items[top], &m->items[best]))) {
            best = top;
        }
    }
    return best;
}

static void model_drop(model *m, size_t i)
{
    m->items[i] = m->items[--m->count];
}

static void step_put(queue *q, model *m, uint64_t *seed, uint64_t *number)
{
    if (m->count == MODEL_MAX) {
        return;
    }
    queue_item x = {.delivery = (*number)++,
                    .station = draw(seed) % STATIONS,
                    .class = (uint8_t)(draw(seed) % 3),
                    .weight = (uint8_t)(draw(seed) % 4),
                    .hit_rank = (uint16_t)(draw(seed) % 5),
                    .order = draw(seed) % 50};
    put(q, x);
    m->items[m->count++] = x;
}

static void step_remove(queue *q, model *m, uint64_t *seed)
{
    if (m->count > 0) {
        const size_t i = draw(seed) % m->count;
        assert_true(queue_remove(q, m->items[i].station, m->items[i].delivery));
        assert_false(queue_remove(q, m->items[i].station, m->items[i].delivery));
        model_drop(m, i);
    }
}

static void step_next(queue *q, model *m, uint64_t *seed)
{
    const lane l = draw(seed) % 2 == 0 ? LANE_OTHER : LANE_URGENT;
    const size_t want = model_next(m, l);
    queue_item got;
    assert_int_equal(queue_next(q, l, &got), want != SIZE_MAX);
    if (want == SIZE_MAX) {
        return;
    }
    assert_memory_equal(&got.delivery, &m->items[want].delivery, sizeof got.delivery);
    assert_int_equal(got.station, m->items[want].station);
    assert_int_equal(got.order, m->items[want].order);
    if (draw(seed) % 8 == 0) {
        assert_int_equal(queue_put_back(q, &got), KG_OK);
        return;
    }
    m->taken[got.station][l]++;
    model_drop(m, want);
}

static void test_against_model(void **state)
{
    (void)state;
    for (uint64_t run = 1; run <= 40; run++) {
        uint64_t seed = run * 7919;
        uint64_t number = run << 20;
        queue *q = new_queue(STATIONS);
        model *m = calloc(1, sizeof *m);
        assert_non_null(m);
        for (int i = 0; i < 4000; i++) {
            const uint32_t what = draw(&seed) % 100;
            const uint32_t s = draw(&seed) % STATIONS;
            const lane l = draw(&seed) % 2 == 0 ? LANE_OTHER : LANE_URGENT;
            if (what < 40) {
                step_put(q, m, &seed, &number);
            } else if (what < 50) {
                step_remove(q, m, &seed);
            } else if (what < 85) {
                step_next(q, m, &seed);
            } else if (what < 98) {
                const uint64_t total = m->taken[s][l] + draw(&seed) % 6;
                queue_credit(q, s, l, total);
                m->granted[s][l] = total > m->granted[s][l] ? total : m->granted[s][l];
            } else {
                queue_reset(q, s, l);
                m->granted[s][l] = 0;
                m->taken[s][l] = 0;
            }
            assert_int_equal(queue_total(q), m->count);
        }
        size_t waiting = 0;
        for (uint32_t s = 0; s < STATIONS; s++) {
            waiting += queue_waiting(q, s);
        }
        assert_int_equal(waiting, m->count);
        queue_free(&q);
        free(m);
    }
}

/* The state of a province after a day without sinks: a million deliveries, 1,000 stations. */
static void test_a_million(void **state)
{
    (void)state;
    enum { MILLION = 1000 * 1000, PLACES = 1000, BYTES_EACH = 48 };
    queue *q = new_queue(PLACES);
    for (uint32_t i = 0; i < MILLION; i++) {
        put(q, (queue_item){.delivery = ((uint64_t)(i / PLACES) << 20) | (i % PLACES),
                            .station = i % PLACES,
                            .hit_rank = (uint16_t)(i % PLACES),
                            .order = i / PLACES});
    }
    print_message("%zu bytes for a million: %zu each\n", queue_bytes(q), queue_bytes(q) / MILLION);
    assert_true(queue_bytes(q) <= (size_t)BYTES_EACH * MILLION);
    const size_t full = queue_bytes(q);
    for (uint32_t s = 0; s < PLACES; s++) {
        queue_credit(q, s, LANE_OTHER, MILLION / PLACES);
    }
    /* Worst-hit station first, oldest first, and each exactly once. */
    for (uint32_t i = 0; i < MILLION; i++) {
        queue_item got;
        assert_true(queue_next(q, LANE_OTHER, &got));
        if (got.station != i / PLACES || got.order != i % PLACES) {
            fail_msg("item %u: station %u, order %u", i, got.station, got.order);
        }
    }
    assert_int_equal(queue_total(q), 0);
    for (uint32_t i = 0; i < MILLION; i++) { /* what was used once is used again */
        put(q, (queue_item){.delivery = i, .station = i % PLACES, .order = i});
    }
    assert_int_equal(queue_bytes(q), full);
    queue_free(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_within_a_station),
        cmocka_unit_test(test_order_between_stations),
        cmocka_unit_test(test_credit),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_against_model),
        cmocka_unit_test(test_a_million),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
