/*
 * clock - the two times. Wall time (UTC, Unix epoch, ms) is for what people see and for expiry; monotonic time (ms) is
 * for waiting. Decisions never call this: they take now_ms. Only the loop and main read it.
 */
#ifndef KENG_BASE_CLOCK_H
#define KENG_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { KG_VN_OFFSET_MIN = 7 * 60, KG_TIME_TEXT_MAX = 96 };

int64_t kg_clock_wall_ms(void);
int64_t kg_clock_mono_ms(void);

/* A test, or KENG_CLOCK_OFFSET_MS in a build with fault points, shifts the wall clock. */
void kg_clock_shift(int64_t offset_ms);

/* "2026-11-22T21:05:00+07:00": CAP's form, never Z, never a fraction; offset 0 prints -00:00. */
void kg_time_text(int64_t wall_ms, int offset_min, char out[KG_TIME_TEXT_MAX]);

/* Reads CAP's form; also takes Z, +00:00, fractions and a missing zone, each reported in *slips (bits below).
 */
enum { KG_TIME_ZULU = 1, KG_TIME_FRACTION = 2, KG_TIME_NO_ZONE = 4, KG_TIME_LEAP = 8, KG_TIME_PLUS_ZERO = 16 };
KG_MUST_CHECK kg_err kg_time_read(const char *text, int assume_offset_min, int64_t *wall_ms, int *offset_min,
                                  unsigned *slips);

#endif
