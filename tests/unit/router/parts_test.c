/* The router's parts that need neither network nor disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "book.h"
#include "rate.h"

static void test_rate(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        int64_t now_ms;
        bool want;
    } rows[] = {
        /* 60 a minute, 3 at once */
        {"first", 1000, true},
        {"second at once", 1000, true},
        {"third at once", 1000, true},
        {"fourth", 1000, false},
        {"half a second is half a token", 1500, false},
        {"a second is one", 2000, true},
        {"and no more", 2000, false},
        {"the clock went back", 1000, false},
        {"a long rest", 100000, true},
        {"fills up to three", 100000, true},
        {"not more", 100000, true},
        {"than three", 100000, false},
    };
    rate r = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rate_take(&r, 60, 3, rows[i].now_ms) != rows[i].want) {
            fail_msg("%s", rows[i].label);
        }
    }
}

static book_alert *add(book *b, uint64_t position, uint32_t lines)
{
    book_alert *a = NULL;
    const book_alert head = {.position = position, .class = (uint8_t)(position % 3)};
    assert_int_equal(book_add(b, &head, lines, &a), KG_OK);
    return a;
}

static void test_book(void **state)
{
    (void)state;
    book *b = NULL;
    assert_int_equal(book_new(&b), KG_OK);
    for (uint64_t p = 10; p <= 1000; p += 10) {
        const book_alert *a = add(b, p, 3);
        assert_int_equal(a->count, 3);
        assert_int_equal(a->lines[2].state, BOOK_ABSENT);
    }
    (void)add(b, 55, 1); /* loaded later: between the others */
    book_alert *again = NULL;
    assert_int_equal(book_add(b, &(book_alert){.position = 55}, 1, &again), KG_E_EXISTS);
    assert_int_equal(book_count(b), 101);
    assert_int_equal(book_find(b, 55)->position, 55);
    assert_null(book_find(b, 56));
    assert_int_equal(book_next(b, 50)->position, 55);
    for (uint64_t p = 10; p <= 990; p += 10) {
        book_drop(b, p);
        book_drop(b, p); /* twice is no harm */
    }
    assert_int_equal(book_count(b), 2);
    assert_null(book_find(b, 20));
    assert_int_equal(book_next(b, 0)->position, 55);
    assert_int_equal(book_next(b, 55)->position, 1000);
    assert_null(book_next(b, 1000));
    assert_int_equal(add(b, 20, 2)->count, 2); /* where one was dropped */
    assert_int_equal(book_next(b, 0)->position, 20);
    book_free(&b);
    assert_null(b);
}

/* issue 2, 6(e): what a queued delivery costs here, beside its 40 bytes in the queue. */
static void test_book_is_small(void **state)
{
    (void)state;
    book *b = NULL;
    assert_int_equal(book_new(&b), KG_OK);
    for (uint64_t p = 1; p <= 1000; p++) {
        (void)add(b, p, 124);
    }
    assert_true(book_bytes(b) / (size_t)124000 <= 24);
    book_free(&b);
    assert_int_equal(book_new(&b), KG_OK);
    for (uint64_t p = 1; p <= 100000; p++) {
        (void)add(b, p, 1);
    }
    assert_true(book_bytes(b) / 100000 <= 200);
    book_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_book),
        cmocka_unit_test(test_book_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
