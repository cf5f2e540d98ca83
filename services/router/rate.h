/*
 * rate - a token bucket: so many at once, then so many a minute. Pure.
 */
#ifndef KENG_ROUTER_RATE_H
#define KENG_ROUTER_RATE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct rate {
    int64_t milli_tokens;
    int64_t at_ms; /* monotonic; 0 never used */
} rate;

bool rate_take(rate *r, unsigned per_minute, unsigned burst, int64_t now_ms);

#endif
