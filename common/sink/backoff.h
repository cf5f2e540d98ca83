/*
 * backoff - how long to wait before a failed playing is tried again: doubling, capped, with jitter. Pure.
 */
#ifndef KENG_SINK_BACKOFF_H
#define KENG_SINK_BACKOFF_H

#include <stdint.h>

typedef struct backoff {
    int64_t base_ms, cap_ms;
} backoff;

/* attempt: 1 after the first failure. dice: any random number; the wait is 50 to 100 % of the full one. */
int64_t backoff_ms(const backoff *b, unsigned attempt, uint32_t dice);

#endif
