/* err, buf and arena. */
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"

/* ---- err ---- */

static void every_error_has_its_class_and_name(void **state)
{
    (void)state;
    static const struct {
        kg_err e;
        kg_class class;
        const char *name;
    } rows[] = {
        {KG_OK, KG_DONE, "ok"},           {KG_E_EXISTS, KG_DONE, "exists"},     {KG_E_INVALID, KG_PERM, "invalid"},
        {KG_E_DENIED, KG_PERM, "denied"}, {KG_E_CONFLICT, KG_PERM, "conflict"}, {KG_E_EXPIRED, KG_PERM, "expired"},
        {KG_E_LIMIT, KG_PERM, "limit"},   {KG_E_NOTFOUND, KG_PERM, "notfound"}, {KG_E_IO, KG_TEMP, "io"},
        {KG_E_AGAIN, KG_TEMP, "again"},   {KG_E_TIMEOUT, KG_TEMP, "timeout"},   {KG_E_FULL, KG_TEMP, "full"},
        {KG_E_NOMEM, KG_TEMP, "nomem"},   {KG_E_BUG, KG_FAULT, "bug"},          {KG_ERR_COUNT, KG_FAULT, "unknown"},
    };
    assert_int_equal(sizeof rows / sizeof rows[0], KG_ERR_COUNT + 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (kg_err_class(rows[i].e) != rows[i].class || strcmp(kg_err_name(rows[i].e), rows[i].name) != 0) {
            fail_msg("%s", rows[i].name);
        }
    }
}

static void a_sentence_gets_its_context(void **state)
{
    (void)state;
    kg_diag d = {{0}};
    assert_int_equal(kg_fail(NULL, KG_E_IO, "nobody listens %d", 1), KG_E_IO);
    assert_int_equal(kg_fail_in(NULL, KG_E_IO, "nobody: "), KG_E_IO);
    assert_int_equal(kg_fail(&d, KG_E_INVALID, "no %s", "name"), KG_E_INVALID);
    assert_int_equal(kg_fail_in(&d, KG_E_INVALID, "line %d: ", 3), KG_E_INVALID);
    assert_string_equal(d.text, "line 3: no name");
    assert_int_equal(kg_fail(&d, KG_E_INVALID, "(%s)", d.text), KG_E_INVALID); /* its own text as an argument */
    assert_string_equal(d.text, "(line 3: no name)");
}

static void a_long_sentence_is_cut_on_a_character(void **state)
{
    (void)state;
    kg_diag d = {{0}};
    char text[4 * KG_DIAG_MAX + 1] = "";
    for (size_t i = 0; i < KG_DIAG_MAX; i++) {
        memcpy(text + 3 * i, "\xE1\xBB\x87", 3); /* U+1EC7 */
    }
    for (size_t shift = 0; shift < 3; shift++) {
        kg_ignore(kg_fail(&d, KG_E_INVALID, "%.*s%s", (int)shift, "ab", text));
        const size_t n = strlen(d.text);
        assert_true(n < KG_DIAG_MAX && n > KG_DIAG_MAX - 4);
        assert_true(kg_utf8_valid(d.text, n));
    }
    kg_ignore(kg_fail_in(&d, KG_E_INVALID, "%s", text));
    assert_true(strlen(d.text) < KG_DIAG_MAX);
}

/* ---- buf ---- */

static void a_buffer_grows(void **state)
{
    (void)state;
    kg_buf b = {0};
    assert_string_equal(kg_buf_str(&b), "");
    assert_int_equal(kg_buf_puts(&b, "one "), KG_OK);
    assert_int_equal(kg_buf_putf(&b, "%d %s", 2, "three"), KG_OK);
    assert_int_equal(kg_buf_put(&b, "\0x", 2), KG_OK);
    assert_int_equal(b.len, 13);
    assert_memory_equal(b.s, "one 2 three\0x", 14); /* and its end */
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(kg_buf_put(&b, "0123456789", 10), KG_OK);
    }
    assert_int_equal(b.len, 100013);
    kg_buf_clear(&b);
    assert_string_equal(kg_buf_str(&b), "");
    kg_buf_done(&b);
    assert_null(b.s);
    kg_buf_done(&b);
    kg_buf_done(NULL);
}

static void a_ceiling_holds(void **state)
{
    (void)state;
    kg_buf b = {.max = 5};
    assert_int_equal(kg_buf_puts(&b, "12345"), KG_OK);
    assert_int_equal(kg_buf_failed(&b), KG_OK);
    assert_int_equal(kg_buf_put(&b, "6", 1), KG_E_LIMIT);
    assert_int_equal(kg_buf_putf(&b, "%d", 6), KG_E_LIMIT);
    assert_int_equal(kg_buf_reserve(&b, SIZE_MAX), KG_E_LIMIT);
    assert_string_equal(b.s, "12345");
    assert_int_equal(kg_buf_put(&b, "", 0), KG_OK);
    assert_int_equal(kg_buf_failed(&b), KG_E_LIMIT); /* is remembered */
    kg_buf_clear(&b);
    assert_int_equal(kg_buf_failed(&b), KG_OK);
    assert_int_equal(kg_buf_puts(&b, "abc"), KG_OK);
    kg_buf_done(&b);
    assert_int_equal(b.max, 5);
}

/* ---- arena ---- */

static void an_arena_gives_zeroed_aligned_memory(void **state)
{
    (void)state;
    kg_arena a = {0};
    static const size_t sizes[] = {0, 1, 7, 16, 100, 4095, 4096, 4097, 100000, 3};
    unsigned char *got[sizeof sizes / sizeof sizes[0]];
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        got[i] = kg_arena_alloc(&a, sizes[i]);
        assert_non_null(got[i]);
        assert_int_equal((uintptr_t)got[i] % alignof(max_align_t), 0);
        for (size_t at = 0; at < sizes[i]; at++) {
            assert_int_equal(got[i][at], 0);
        }
        memset(got[i], (int)i + 1, sizes[i]);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (size_t at = 0; at < sizes[i]; at++) {
            assert_int_equal(got[i][at], i + 1); /* nobody wrote into another's */
        }
    }
    kg_arena_done(&a);
    assert_int_equal(a.used, 0);
    kg_arena_done(&a);
    kg_arena_done(NULL);
}

static void an_arena_ends(void **state)
{
    (void)state;
    kg_arena a = {.max = 64};
    assert_null(kg_arena_alloc(&a, 65));
    assert_null(kg_arena_array(&a, SIZE_MAX / 2, 4));
    assert_null(kg_arena_strn(&a, "x", SIZE_MAX));
    assert_non_null(kg_arena_alloc(&a, 48));
    assert_null(kg_arena_alloc(&a, 17));
    assert_non_null(kg_arena_alloc(&a, 16));
    assert_null(kg_arena_alloc(&a, 1));
    assert_int_equal(a.used, 64);
    kg_arena_done(&a);
    assert_non_null(kg_arena_alloc(&a, 64)); /* its ceiling stays, its memory is free again */
    kg_arena_done(&a);
}

static void an_arena_copies_text(void **state)
{
    (void)state;
    kg_arena a = {0};
    assert_null(kg_arena_str(&a, NULL));
    assert_string_equal(kg_arena_str(&a, ""), "");
    assert_string_equal(kg_arena_str(&a, "kẻng"), "kẻng");
    assert_string_equal(kg_arena_strn(&a, "kẻng", 1), "k");
    assert_string_equal(kg_arena_strn(&a, NULL, 0), "");
    kg_arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_its_class_and_name),
        cmocka_unit_test(a_sentence_gets_its_context),
        cmocka_unit_test(a_long_sentence_is_cut_on_a_character),
        cmocka_unit_test(a_buffer_grows),
        cmocka_unit_test(a_ceiling_holds),
        cmocka_unit_test(an_arena_gives_zeroed_aligned_memory),
        cmocka_unit_test(an_arena_ends),
        cmocka_unit_test(an_arena_copies_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
