/* pieces - large things put together again, in turn, bounded, and only when their hash is right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/pieces.h"

static const size_t LEN = 2 * WIRE_PIECE_MAX + 123;

static uint8_t *whole_new(void)
{
    uint8_t *b = malloc(LEN);
    assert_non_null(b);
    for (size_t i = 0; i < LEN; i++) {
        b[i] = (uint8_t)(i * 31 + i / 251);
    }
    return b;
}

static void test_through(void **state)
{
    (void)state;
    uint8_t *b = whole_new();
    const wire_bytes whole = {b, LEN};
    const alert_hash hash = alert_hash_of(b, LEN);
    pieces *p = NULL;
    assert_int_equal(pieces_new(&p), KG_OK);
    uint64_t offset = 9;
    assert_int_equal(pieces_open(p, &hash, LEN, &offset), KG_OK);
    assert_int_equal(offset, 0);
    static const size_t sizes[] = {WIRE_PIECE_MAX, WIRE_PIECE_MAX, 123};
    pieces_state s = {.done = false};
    for (size_t i = 0; i < 3; i++) {
        assert_false(s.done);
        const wire_piece one = pieces_cut(&hash, &whole, offset);
        assert_int_equal(one.bytes.n, sizes[i]);
        assert_int_equal(pieces_put(p, &one, &s), KG_OK);
        offset = s.next_offset;
    }
    assert_true(s.done);
    assert_int_equal(s.whole.n, LEN);
    assert_memory_equal(s.whole.b, b, LEN);
    pieces_drop(p, &hash);
    const wire_piece late = pieces_cut(&hash, &whole, 0);
    assert_int_equal(pieces_put(p, &late, &s), KG_E_NOTFOUND);
    assert_int_equal(pieces_cut(&hash, &whole, LEN + 5).bytes.n, 0);
    pieces_free(&p);
    assert_null(p);
    pieces_free(&p);
    free(b);
}

static void test_out_of_turn(void **state)
{
    (void)state;
    uint8_t *b = whole_new();
    const wire_bytes whole = {b, LEN};
    const alert_hash hash = alert_hash_of(b, LEN);
    pieces *p = NULL;
    uint64_t offset = 0;
    pieces_state s;
    assert_int_equal(pieces_new(&p), KG_OK);
    assert_int_equal(pieces_open(p, &hash, LEN, &offset), KG_OK);
    const wire_piece first = pieces_cut(&hash, &whole, 0);
    const wire_piece second = pieces_cut(&hash, &whole, WIRE_PIECE_MAX);
    assert_int_equal(pieces_put(p, &second, &s), KG_OK);
    assert_int_equal(s.next_offset, 0);
    assert_int_equal(pieces_put(p, &first, &s), KG_OK);
    assert_int_equal(pieces_put(p, &first, &s), KG_OK); /* a repeat changes nothing */
    assert_int_equal(s.next_offset, WIRE_PIECE_MAX);

    /* announced again: go on; with another length: no */
    assert_int_equal(pieces_open(p, &hash, LEN, &offset), KG_OK);
    assert_int_equal(offset, WIRE_PIECE_MAX);
    assert_int_equal(pieces_open(p, &hash, LEN + 1, &offset), KG_E_CONFLICT);

    wire_piece odd = second;
    odd.total = LEN + 1;
    assert_int_equal(pieces_put(p, &odd, &s), KG_E_CONFLICT);
    odd.total = 0;
    assert_int_equal(pieces_put(p, &odd, &s), KG_E_NOTFOUND);
    odd = second;
    odd.offset = WIRE_PIECE_MAX;
    odd.bytes = (wire_bytes){b, LEN}; /* longer than what is missing */
    assert_int_equal(pieces_put(p, &odd, &s), KG_OK);
    assert_int_equal(s.next_offset, WIRE_PIECE_MAX);
    pieces_free(&p);
    free(b);
}

static void test_wrong_content(void **state)
{
    (void)state;
    const uint8_t bytes[] = {1, 2, 3};
    const wire_bytes whole = {bytes, 3};
    alert_hash hash = alert_hash_of(bytes, 3);
    hash.b[0] ^= 1;
    pieces *p = NULL;
    uint64_t offset = 0;
    pieces_state s;
    assert_int_equal(pieces_new(&p), KG_OK);
    assert_int_equal(pieces_open(p, &hash, 3, &offset), KG_OK);
    const wire_piece one = pieces_cut(&hash, &whole, 0);
    assert_int_equal(pieces_put(p, &one, &s), KG_E_INVALID);
    assert_int_equal(pieces_put(p, &one, &s), KG_E_NOTFOUND); /* it was dropped */
    pieces_free(&p);
}

static void test_limits(void **state)
{
    (void)state;
    pieces *p = NULL;
    uint64_t offset = 0;
    assert_int_equal(pieces_new(&p), KG_OK);
    alert_hash hash = {{0}};
    assert_int_equal(pieces_open(p, &hash, 0, &offset), KG_E_LIMIT);
    assert_int_equal(pieces_open(p, &hash, PIECE_TOTAL_MAX + 1, &offset), KG_E_LIMIT);
    for (uint8_t i = 0; i < PIECES_OPEN; i++) {
        hash.b[0] = i;
        assert_int_equal(pieces_open(p, &hash, PIECE_TOTAL_MAX, &offset), KG_OK);
    }
    hash.b[0] = PIECES_OPEN;
    assert_int_equal(pieces_open(p, &hash, 10, &offset), KG_E_LIMIT);
    hash.b[0] = 3;
    pieces_drop(p, &hash);
    hash.b[0] = PIECES_OPEN;
    assert_int_equal(pieces_open(p, &hash, 10, &offset), KG_OK);
    pieces_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_through),
        cmocka_unit_test(test_out_of_turn),
        cmocka_unit_test(test_wrong_content),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
