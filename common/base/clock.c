#include "base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t shift_ms; /* set once, by main or by a test */
static bool shifted;

void kg_clock_shift(int64_t offset_ms)
{
    shift_ms = offset_ms;
    shifted = true;
}

#ifdef KENG_FAULTS
static void read_shift_once(void)
{
    const char *text = shifted ? NULL : getenv("KENG_CLOCK_OFFSET_MS");
    if (text != NULL) {
        shift_ms = strtoll(text, NULL, 10);
    }
    shifted = true;
}
#endif

static int64_t now(clockid_t id)
{
    struct timespec t = {0};
    (void)clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t kg_clock_wall_ms(void)
{
#ifdef KENG_FAULTS
    read_shift_once();
#endif
    return now(CLOCK_REALTIME) + shift_ms;
}

int64_t kg_clock_mono_ms(void)
{
    return now(CLOCK_MONOTONIC);
}

static void two_digits(char *at, int value)
{
    at[0] = (char)('0' + value / 10);
    at[1] = (char)('0' + value % 10);
}

void kg_time_text(int64_t wall_ms, int offset_min, char out[KG_TIME_TEXT_MAX])
{
    int64_t s = wall_ms / 1000 + (int64_t)offset_min * 60;
    if (wall_ms % 1000 < 0) {
        s--;
    }
    const time_t t = (time_t)s;
    struct tm tm = {0};
    if (gmtime_r(&t, &tm) == NULL) {
        memset(&tm, 0, sizeof tm);
    }
    const int off = offset_min < 0 ? -offset_min : offset_min;
    const char sign = offset_min <= 0 ? '-' : '+';
    const int year = tm.tm_year + 1900;
    if (year < 0 || year > 9999 || off > 99 * 60) { /* no time of this world; still said */
        (void)snprintf(out, KG_TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", year, tm.tm_mon + 1,
                       tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, sign, off / 60, off % 60);
        return;
    }
    /* By hand: it stands in every log line and every decision about a day, and printf took more than all of that. */
    memcpy(out, "0000-00-00T00:00:00+00:00", sizeof "0000-00-00T00:00:00+00:00");
    two_digits(out, year / 100);
    two_digits(out + 2, year % 100);
    two_digits(out + 5, tm.tm_mon + 1);
    two_digits(out + 8, tm.tm_mday);
    two_digits(out + 11, tm.tm_hour);
    two_digits(out + 14, tm.tm_min);
    two_digits(out + 17, tm.tm_sec);
    out[19] = sign;
    two_digits(out + 20, off / 60);
    two_digits(out + 23, off % 60);
}

static bool digits(const char **p, int count, int *value)
{
    int v = 0;
    for (int i = 0; i < count; i++) {
        if (!isdigit((unsigned char)(*p)[i])) {
            return false;
        }
        v = v * 10 + ((*p)[i] - '0');
    }
    *p += count;
    *value = v;
    return true;
}

static bool literal(const char **p, char c)
{
    if (**p != c) {
        return false;
    }
    (*p)++;
    return true;
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* Days since 1970-01-01 of a proleptic Gregorian date (H. Hinnant's civil calendar arithmetic). */
static int64_t days_from_civil(int y, int m, int d)
{
    y -= m <= 2 ? 1 : 0;
    const int64_t era = (y >= 0 ? y : y - 399) / 400;
    const int64_t yoe = y - era * 400;
    const int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    const int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

static bool read_zone(const char **p, int assume_offset_min, int *offset, unsigned *slips)
{
    if (**p == '\0') {
        *slips |= KG_TIME_NO_ZONE;
        *offset = assume_offset_min;
        return true;
    }
    if (literal(p, 'Z')) {
        *slips |= KG_TIME_ZULU;
        *offset = 0;
        return true;
    }
    const bool minus = **p == '-';
    int h = 0;
    int m = 0;
    if (!(literal(p, '-') || literal(p, '+')) || !digits(p, 2, &h) || !literal(p, ':') || !digits(p, 2, &m)) {
        return false;
    }
    *offset = h * 60 + m;
    if (*offset > 14 * 60 || m > 59) {
        return false;
    }
    if (*offset == 0 && !minus) {
        *slips |= KG_TIME_PLUS_ZERO;
    }
    if (minus) {
        *offset = -*offset;
    }
    return true;
}

kg_err kg_time_read(const char *text, int assume_offset_min, int64_t *wall_ms, int *offset_min, unsigned *slips)
{
    const char *p = text;
    int y = 0;
    int mo = 0;
    int d = 0;
    int h = 0;
    int mi = 0;
    int s = 0;
    unsigned slip = 0;
    if (!digits(&p, 4, &y) || !literal(&p, '-') || !digits(&p, 2, &mo) || !literal(&p, '-') || !digits(&p, 2, &d) ||
        !literal(&p, 'T') || !digits(&p, 2, &h) || !literal(&p, ':') || !digits(&p, 2, &mi) || !literal(&p, ':') ||
        !digits(&p, 2, &s)) {
        return KG_E_INVALID;
    }
    int ms = 0;
    if (literal(&p, '.')) {
        slip |= KG_TIME_FRACTION;
        int scale = 100;
        if (!isdigit((unsigned char)*p)) {
            return KG_E_INVALID;
        }
        for (; isdigit((unsigned char)*p); p++) {
            ms += (*p - '0') * scale;
            scale /= 10;
        }
    }
    int offset = 0;
    if (!read_zone(&p, assume_offset_min, &offset, &slip) || *p != '\0') {
        return KG_E_INVALID;
    }
    if (y < 1 || mo < 1 || mo > 12 || d < 1 || d > month_days(y, mo) || h > 23 || mi > 59 || s > 60) {
        return KG_E_INVALID;
    }
    if (s == 60) {
        slip |= KG_TIME_LEAP;
    }
    const int64_t secs =
        days_from_civil(y, mo, d) * 86400 + (int64_t)h * 3600 + (int64_t)mi * 60 + s - (int64_t)offset * 60;
    *wall_ms = secs * 1000 + ms;
    *offset_min = offset;
    if (slips != NULL) {
        *slips = slip;
    }
    return KG_OK;
}
