/* tone - how much of one frequency is in a stretch of sound (Goertzel), for tests that listen. */
#ifndef KENG_TEST_TONE_H
#define KENG_TEST_TONE_H

#include <stddef.h>
#include <stdint.h>

/* Share (0 to 1) of the stretch's power that lies at hz. */
double tone_share(const int16_t *x, size_t n, unsigned rate, double hz);
double tone_rms(const int16_t *x, size_t n);

#endif
