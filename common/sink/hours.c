#include "sink/hours.h"

#include "base/clock.h"

enum { MINUTE_MS = 60 * 1000, DAY_MIN = 24 * 60 };

static bool two_digits(const char *s, int most, int *out)
{
    if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9') {
        return false;
    }
    *out = (s[0] - '0') * 10 + (s[1] - '0');
    return *out <= most;
}

static const char *read_time(const char *s, int *minute)
{
    int hour = 0;
    int min = 0;
    if (!two_digits(s, 24, &hour) || s[2] != ':' || !two_digits(s + 3, 59, &min) || hour * 60 + min > DAY_MIN) {
        return NULL;
    }
    *minute = hour * 60 + min;
    return s + 5;
}

bool hours_read(const char *text, hours_span *out)
{
    hours_span span = {0, 0};
    const char *rest = read_time(text, &span.from_min);
    if (rest == NULL || *rest != '-') {
        return false;
    }
    rest = read_time(rest + 1, &span.to_min);
    if (rest == NULL || *rest != '\0') {
        return false;
    }
    *out = span;
    return true;
}

static int minute_of_day(int64_t now_ms)
{
    int64_t minute = (now_ms / MINUTE_MS + KG_VN_OFFSET_MIN) % DAY_MIN;
    if (minute < 0) {
        minute += DAY_MIN; /* a clock before 1970 must not break the night */
    }
    return (int)minute;
}

static bool within(const hours_span *s, int minute)
{
    if (s->from_min <= s->to_min) {
        return minute >= s->from_min && minute < s->to_min;
    }
    return minute >= s->from_min || minute < s->to_min;
}

bool hours_quiet(const hours *h, int64_t now_ms)
{
    return within(&h->quiet, minute_of_day(now_ms));
}

bool hours_in_session(const hours *h, int64_t now_ms)
{
    const int minute = minute_of_day(now_ms);
    for (size_t i = 0; i < h->session_count; i++) {
        if (within(&h->sessions[i], minute)) {
            return true;
        }
    }
    return h->session_count == 0;
}

static void nearer(int at_min, int minute, int *best)
{
    const int wait = (at_min - minute + DAY_MIN - 1) % DAY_MIN + 1; /* 1 .. a day */
    if (wait < *best) {
        *best = wait;
    }
}

int64_t hours_next_change(const hours *h, int64_t now_ms)
{
    const int minute = minute_of_day(now_ms);
    int best = DAY_MIN + 1;
    if (h->quiet.from_min != h->quiet.to_min) {
        nearer(h->quiet.from_min, minute, &best);
        nearer(h->quiet.to_min, minute, &best);
    }
    for (size_t i = 0; i < h->session_count; i++) {
        nearer(h->sessions[i].from_min, minute, &best);
        nearer(h->sessions[i].to_min, minute, &best);
    }
    return best > DAY_MIN ? INT64_MAX : (now_ms / MINUTE_MS + best) * MINUTE_MS;
}
