#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "sink/backoff.h"
#include "sink/hours.h"
#include "sink/repeat.h"

enum { S = 1000, MIN = 60 * S, HOUR = 60 * MIN };

/* 2026-11-22 00:00 UTC, 07:00 in Việt Nam: a whole hour */
static const int64_t day = 1795305600000;

static void next_playing_is_due(void **state)
{
    (void)state;
    static const policy_repeat none = {{0}, 0, 0, false};
    static const policy_repeat tsunami2 = {{300, 600}, 2, 1800, false};
    static const policy_repeat storm = {{0}, 0, 7200, false};
    static const policy_repeat radio = {{0}, 0, 7200, true};
    static const policy_repeat quake = {{3600}, 1, 0, false};
    static const struct {
        const char *label;
        const policy_repeat *r;
        int64_t first, last, now, want; /* since day */
    } rows[] = {
        {"no repeat", &none, 0, 0, 10 * S, -1},
        {"tsunami: first after 5 min", &tsunami2, 0, 0, 20 * S, 5 * MIN},
        {"tsunami: then after 10 min", &tsunami2, 0, 5 * MIN, 5 * MIN + 20 * S, 10 * MIN},
        {"tsunami: then every 30 min from the last offset", &tsunami2, 0, 10 * MIN, 11 * MIN, 40 * MIN},
        {"tsunami: and again", &tsunami2, 0, 40 * MIN, 41 * MIN, 70 * MIN},
        {"counted from the first playing, not from midnight", &tsunami2, 7 * MIN, 7 * MIN, 8 * MIN, 12 * MIN},
        {"storm: every 120 min", &storm, 0, 0, MIN, 2 * HOUR},
        {"missed by a minute: the newest missed counts", &storm, 0, 0, 2 * HOUR + MIN, 2 * HOUR},
        {"away for a night: one, the newest, not five", &storm, 0, 0, 11 * HOUR, 10 * HOUR},
        {"and after it the regular next", &storm, 0, 10 * HOUR, 11 * HOUR, 12 * HOUR},
        {"missed offsets fold into the newest", &tsunami2, 0, 0, 20 * MIN, 10 * MIN},
        {"radio: 09:40 + 120 min is 12:00", &radio, 100 * MIN, 100 * MIN, 101 * MIN, 4 * HOUR},
        {"radio: then 14:00", &radio, 100 * MIN, 4 * HOUR, 4 * HOUR + MIN, 6 * HOUR},
        {"radio: a whole hour stays", &radio, 2 * HOUR, 2 * HOUR, 2 * HOUR + MIN, 4 * HOUR},
        {"earthquake: once more, then no more", &quake, 0, HOUR, HOUR + MIN, -1},
        {"a slot exactly now is due", &storm, 0, 0, 2 * HOUR, 2 * HOUR},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int64_t got = repeat_due(rows[i].r, day + rows[i].first, day + rows[i].last, day + rows[i].now);
        const int64_t want = rows[i].want < 0 ? 0 : day + rows[i].want;
        if (got != want) {
            fail_msg("%s: got %lld s, want %lld s", rows[i].label, (long long)(got - day) / S,
                     (long long)(want - day) / S);
        }
    }
}

static void waits_longer_each_time(void **state)
{
    (void)state;
    static const backoff b = {1000, 60000};
    static const struct {
        const char *label;
        unsigned attempt;
        uint32_t dice;
        int64_t want_ms;
    } rows[] = {
        {"first, least", 1, 0, 500},    {"first, most", 1, 500, 1000}, {"doubles", 3, 2000, 4000},
        {"cap, most", 9, 30000, 60000}, {"cap, least", 9, 0, 30000},   {"no overflow", UINT32_MAX, 30000, 60000},
        {"dice wraps", 1, 501, 500},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int64_t got = backoff_ms(&b, rows[i].attempt, rows[i].dice);
        if (got != rows[i].want_ms) {
            fail_msg("%s: got %lld", rows[i].label, (long long)got);
        }
    }
}

static void reads_spans_of_the_day(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        int from, to;
    } rows[] = {
        {"21:00-05:00", true, 1260, 300}, {"00:00-24:00", true, 0, 1440}, {"05:00-05:30", true, 300, 330},
        {"5:00-6:00", false, 0, 0},       {"25:00-05:00", false, 0, 0},   {"21:60-05:00", false, 0, 0},
        {"21:00", false, 0, 0},           {"21:00-05:00 ", false, 0, 0},  {"", false, 0, 0},
        {"24:01-05:00", false, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        hours_span s = {0, 0};
        const bool good = hours_read(rows[i].text, &s);
        if (good != rows[i].good || s.from_min != rows[i].from || s.to_min != rows[i].to) {
            fail_msg("'%s': %d %d-%d", rows[i].text, good, s.from_min, s.to_min);
        }
    }
}

static void knows_the_hour_in_viet_nam(void **state)
{
    (void)state;
    static const hours h = {{21 * 60, 5 * 60}, {{17 * 60, 17 * 60 + 30}}, 1};
    static const struct {
        const char *label;
        int64_t at; /* since 07:00 in Việt Nam */
        bool quiet, session;
        int64_t next;
    } rows[] = {
        {"07:00", 0, false, false, 10 * HOUR},
        {"17:00 the session begins", 10 * HOUR, false, true, 10 * HOUR + 30 * MIN},
        {"17:30 it is over", 10 * HOUR + 30 * MIN, false, false, 14 * HOUR},
        {"20:59", 14 * HOUR - MIN, false, false, 14 * HOUR},
        {"21:00 quiet", 14 * HOUR, true, false, 22 * HOUR},
        {"midnight", 17 * HOUR, true, false, 22 * HOUR},
        {"04:59", 22 * HOUR - MIN, true, false, 22 * HOUR},
        {"05:00", 22 * HOUR, false, false, 34 * HOUR},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int64_t at = day + rows[i].at;
        if (hours_quiet(&h, at) != rows[i].quiet || hours_in_session(&h, at) != rows[i].session ||
            hours_next_change(&h, at) != day + rows[i].next) {
            fail_msg("%s: next in %lld min", rows[i].label, (long long)(hours_next_change(&h, at) - at) / MIN);
        }
    }
    static const hours none = {{0, 0}, {{0, 0}}, 0};
    assert_false(hours_quiet(&none, day));
    assert_true(hours_in_session(&none, day)); /* no programme declared: any time */
    assert_true(hours_next_change(&none, day) == INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next_playing_is_due),
        cmocka_unit_test(waits_longer_each_time),
        cmocka_unit_test(reads_spans_of_the_day),
        cmocka_unit_test(knows_the_hour_in_viet_nam),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
