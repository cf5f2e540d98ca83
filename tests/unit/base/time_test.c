#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

/* Epoch seconds worked out by hand or from `date -u -d ... +%s`. */
static void texts_become_times(void **state)
{
    (void)state;
    static const struct {
        const char *label, *text;
        int assume;
        int64_t want_ms;
        int offset;
        unsigned slips;
    } rows[] = {
        {"the epoch", "1970-01-01T00:00:00-00:00", 0, 0, 0, 0},
        {"Vietnam", "2026-11-22T21:05:00+07:00", 0, INT64_C(1795356300000), 420, 0},
        {"west", "2003-06-17T14:57:00-07:00", 0, INT64_C(1055887020000), -420, 0},
        {"half an hour", "2026-11-22T19:35:00+05:30", 0, INT64_C(1795356300000), 330, 0},
        {"before the epoch", "1969-12-31T23:59:59-00:00", 0, -1000, 0, 0},
        {"leap day", "2024-02-29T00:00:00-00:00", 0, INT64_C(1709164800000), 0, 0},
        {"leap day of a 400th year", "2000-02-29T12:00:00-00:00", 0, INT64_C(951825600000), 0, 0},
        {"last day of a year", "2025-12-31T23:59:59-00:00", 0, INT64_C(1767225599000), 0, 0},
        {"largest zone", "1970-01-01T14:00:00+14:00", 0, 0, 840, 0},
        {"smallest zone", "1969-12-31T10:00:00-14:00", 0, 0, -840, 0},
        {"Z", "1970-01-01T00:00:01Z", 420, 1000, 0, KG_TIME_ZULU},
        {"+00:00", "1970-01-01T00:00:01+00:00", 420, 1000, 0, KG_TIME_PLUS_ZERO},
        {"fraction", "1970-01-01T00:00:01.5-00:00", 0, 1500, 0, KG_TIME_FRACTION},
        {"long fraction", "1970-01-01T00:00:01.123999999-00:00", 0, 1123, 0, KG_TIME_FRACTION},
        {"fraction and Z", "1970-01-01T00:00:01.007Z", 0, 1007, 0, KG_TIME_FRACTION | KG_TIME_ZULU},
        {"no zone: assumed", "1970-01-01T07:00:00", 420, 0, 420, KG_TIME_NO_ZONE},
        {"no zone, fraction", "1970-01-01T07:00:00.25", 420, 250, 420, KG_TIME_NO_ZONE | KG_TIME_FRACTION},
        {"leap second", "2016-12-31T23:59:60-00:00", 0, INT64_C(1483228800000), 0, KG_TIME_LEAP},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ms = -7;
        int offset = -7;
        unsigned slips = 77;
        const kg_err e = kg_time_read(rows[i].text, rows[i].assume, &ms, &offset, &slips);
        if (e != KG_OK || ms != rows[i].want_ms || offset != rows[i].offset || slips != rows[i].slips) {
            fail_msg("%s: %s, %" PRId64 " ms, offset %d, slips %u", rows[i].label, kg_err_name(e), ms, offset, slips);
        }
        assert_int_equal(kg_time_read(rows[i].text, rows[i].assume, &ms, &offset, NULL), KG_OK);
    }
}

static void impossible_times_are_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "2026",
        "2026-11-22",
        "2026-11-22 21:05:00+07:00",
        "2026-11-22t21:05:00+07:00",
        "2026-11-22T21:05+07:00",
        " 2026-11-22T21:05:00+07:00",
        "2026-11-22T21:05:00+07:00 ",
        "2026-11-22T21:05:00+07:00Z",
        "2026-11-22T21:05:00+0700",
        "2026-11-22T21:05:00+7:00",
        "2026-11-22T21:05:00,+07:00",
        "2026-11-22T21:05:00.+07:00",
        "2026-11-22T21:05:00z",
        "2026-11-22T21:05:00+14:01",
        "2026-11-22T21:05:00-15:00",
        "2026-11-22T21:05:00+07:60",
        "2026-11-22T24:00:00+07:00",
        "2026-11-22T21:60:00+07:00",
        "2026-11-22T21:05:61+07:00",
        "2026-13-01T00:00:00+07:00",
        "2026-00-01T00:00:00+07:00",
        "2026-01-00T00:00:00+07:00",
        "2026-01-32T00:00:00+07:00",
        "2026-04-31T00:00:00+07:00",
        "2025-02-29T00:00:00+07:00",
        "1900-02-29T00:00:00+07:00",
        "0000-01-01T00:00:00+07:00",
        "+026-01-01T00:00:00+07:00",
        "26-01-01T00:00:00+07:00",
        "2026-1-01T00:00:00+07:00",
        "\xD9\xA2\xD9\xA0-01-01T00:00:00+07:00",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ms = -7;
        int offset = -7;
        unsigned slips = 77;
        if (kg_time_read(rows[i], 420, &ms, &offset, &slips) != KG_E_INVALID || ms != -7 || offset != -7 ||
            slips != 77) {
            fail_msg("\"%s\" was taken, or something was written", rows[i]);
        }
    }
}

static void times_become_texts(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        int offset;
        const char *want;
    } rows[] = {
        {0, 0, "1970-01-01T00:00:00-00:00"},     {0, 420, "1970-01-01T07:00:00+07:00"},
        {0, -330, "1969-12-31T18:30:00-05:30"},  {999, 0, "1970-01-01T00:00:00-00:00"},
        {-1, 0, "1969-12-31T23:59:59-00:00"},    {-1000, 0, "1969-12-31T23:59:59-00:00"},
        {-1001, 0, "1969-12-31T23:59:58-00:00"}, {INT64_C(1795356300123), 420, "2026-11-22T21:05:00+07:00"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[KG_TIME_TEXT_MAX];
        kg_time_text(rows[i].ms, rows[i].offset, text);
        assert_string_equal(text, rows[i].want);
    }
}

/* Every day of 400 years and more comes back as it went out. */
static void both_ways_agree(void **state)
{
    (void)state;
    for (int64_t day = -800; day < 160000; day++) {
        const int64_t ms = day * 86400000 + 45296000;
        char text[KG_TIME_TEXT_MAX];
        int64_t back = 0;
        int offset = 0;
        unsigned slips = 0;
        kg_time_text(ms, KG_VN_OFFSET_MIN, text);
        if (kg_time_read(text, 0, &back, &offset, &slips) != KG_OK || back != ms || offset != KG_VN_OFFSET_MIN ||
            slips != 0) {
            fail_msg("day %" PRId64 ": %s", day, text);
        }
    }
}

static void the_wall_clock_can_be_shifted_the_other_not(void **state)
{
    (void)state;
    const int64_t wall = kg_clock_wall_ms();
    const int64_t mono = kg_clock_mono_ms();
    kg_clock_shift(INT64_C(86400000) * 365);
    assert_true(kg_clock_wall_ms() - wall >= INT64_C(86400000) * 365);
    assert_true(kg_clock_mono_ms() - mono < 86400000);
    kg_clock_shift(0);
    assert_true(kg_clock_wall_ms() - wall < 86400000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_become_times),
        cmocka_unit_test(impossible_times_are_refused),
        cmocka_unit_test(times_become_texts),
        cmocka_unit_test(both_ways_agree),
        cmocka_unit_test(the_wall_clock_can_be_shifted_the_other_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
