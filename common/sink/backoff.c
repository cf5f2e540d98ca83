#include "sink/backoff.h"

int64_t backoff_ms(const backoff *b, unsigned attempt, uint32_t dice)
{
    int64_t full_ms = b->base_ms;
    for (unsigned i = 1; i < attempt && full_ms < b->cap_ms; i++) {
        full_ms *= 2;
    }
    if (full_ms > b->cap_ms) {
        full_ms = b->cap_ms;
    }
    const int64_t half_ms = full_ms / 2;
    return half_ms + (int64_t)(dice % (uint32_t)(full_ms - half_ms + 1));
}
