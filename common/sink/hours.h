/*
 * hours - when routine bulletins may sound: quiet hours and the day's programme sessions, in Vietnamese time. Pure.
 *
 * Shape     Minutes of the day (UTC+7); a span may cross midnight; from == to is empty.
 * Source    domain.md 10 row 7; Decree 49/2024 (sessions are set locally).
 */
#ifndef KENG_SINK_HOURS_H
#define KENG_SINK_HOURS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HOURS_SESSIONS_MAX = 8 };

typedef struct hours_span {
    int from_min, to_min;
} hours_span;

typedef struct hours {
    hours_span quiet;
    hours_span sessions[HOURS_SESSIONS_MAX];
    size_t session_count; /* 0: no programme is declared, any hour outside the quiet ones will do */
} hours;

bool hours_read(const char *text, hours_span *out); /* "21:00-05:00" */
bool hours_quiet(const hours *h, int64_t now_ms);
bool hours_in_session(const hours *h, int64_t now_ms);
/* The next time after now_ms at which either answer may change; INT64_MAX never. */
int64_t hours_next_change(const hours *h, int64_t now_ms);

#endif
