/* utf8 and hex. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "base/utf8.h"

/* RFC 3629: the forms it names, and the ends of each range. */
static void only_well_formed_utf8_is_valid(void **state)
{
    (void)state;
    static const struct {
        const char *label, *s;
        size_t n;
        bool want;
    } rows[] = {
        {"empty", "", 0, true},
        {"ASCII", "abc", 3, true},
        {"Vietnamese", "kẻng", 6, true},
        {"Khmer", "\xE1\x9E\x80\xE1\x9F\x92", 6, true},
        {"U+0080", "\xC2\x80", 2, true},
        {"U+07FF", "\xDF\xBF", 2, true},
        {"U+0800", "\xE0\xA0\x80", 3, true},
        {"U+D7FF", "\xED\x9F\xBF", 3, true},
        {"U+E000", "\xEE\x80\x80", 3, true},
        {"U+10000", "\xF0\x90\x80\x80", 4, true},
        {"U+10FFFF", "\xF4\x8F\xBF\xBF", 4, true},
        {"NUL", "a\0b", 3, false},
        {"overlong NUL", "\xC0\x80", 2, false},
        {"overlong slash in 2", "\xC0\xAF", 2, false},
        {"overlong in 3", "\xE0\x9F\xBF", 3, false},
        {"overlong in 4", "\xF0\x8F\xBF\xBF", 4, false},
        {"surrogate D800", "\xED\xA0\x80", 3, false},
        {"surrogate DFFF", "\xED\xBF\xBF", 3, false},
        {"U+110000", "\xF4\x90\x80\x80", 4, false},
        {"5 bytes", "\xF8\x88\x80\x80\x80", 5, false},
        {"FE", "\xFE", 1, false},
        {"FF", "\xFF", 1, false},
        {"lone continuation", "\x80", 1, false},
        {"cut after 1 of 2", "\xC3", 1, false},
        {"cut after 2 of 3", "\xE1\xBB", 2, false},
        {"cut after 3 of 4", "\xF0\x9F\x94", 3, false},
        {"continuation missing", "\xE1\x41\x80", 3, false},
        {"Latin-1", "k\xEAnh", 4, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (kg_utf8_valid(rows[i].s, rows[i].n) != rows[i].want) {
            fail_msg("%s", rows[i].label);
        }
    }
}

static void a_cut_keeps_whole_characters(void **state)
{
    (void)state;
    static const char s[] = "a\xE1\xBB\x87z\xF0\x9F\x94\x94"; /* 1 + 3 + 1 + 4 */
    static const size_t want[] = {0, 1, 1, 1, 4, 5, 5, 5, 5, 9, 9, 9};
    for (size_t max = 0; max < sizeof want / sizeof want[0]; max++) {
        assert_int_equal(kg_utf8_floor(s, 9, max), want[max]);
    }
}

static void characters_come_back(void **state)
{
    (void)state;
    for (uint32_t cp = 1; cp <= 0x10FFFF; cp += cp < 0x3000 ? 1 : 97) {
        if (cp >= 0xD800 && cp <= 0xDFFF) {
            continue;
        }
        char out[4];
        uint32_t back = 0;
        const size_t n = kg_utf8_put(cp, out);
        if (kg_utf8_next(out, n, &back) != n || back != cp || !kg_utf8_valid(out, n)) {
            fail_msg("U+%04X", (unsigned)cp);
        }
    }
    uint32_t cp = 0;
    assert_int_equal(kg_utf8_next("", 0, &cp), 0);
}

static void hex_goes_both_ways(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x00, 0x0F, 0xA5, 0xFF};
    char text[9];
    uint8_t back[4];
    kg_hex(bytes, sizeof bytes, text);
    assert_string_equal(text, "000fa5ff");
    assert_true(kg_hex_read("000FA5fF", back, 4));
    assert_memory_equal(back, bytes, 4);
    kg_hex(NULL, 0, text);
    assert_string_equal(text, "");
    assert_true(kg_hex_read("", back, 0));
    static const char *const bad[] = {"", "000fa5f", "000fa5fff", "000fa5fg", "000fa5 f", "0x0fa5ff", "000fa5f\xC3"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (kg_hex_read(bad[i], back, 4)) {
            fail_msg("\"%s\"", bad[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_well_formed_utf8_is_valid),
        cmocka_unit_test(a_cut_keeps_whole_characters),
        cmocka_unit_test(characters_come_back),
        cmocka_unit_test(hex_goes_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
