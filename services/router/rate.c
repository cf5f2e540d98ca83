#include "rate.h"

enum { MINUTE_MS = 60 * 1000, LONG_REST_MS = 60 * MINUTE_MS, WHOLE = 1000 };

bool rate_take(rate *r, unsigned per_minute, unsigned burst, int64_t now_ms)
{
    const int64_t full = (int64_t)burst * WHOLE;
    const int64_t idle_ms = now_ms - r->at_ms;
    if (r->at_ms == 0 || idle_ms > LONG_REST_MS) {
        r->milli_tokens = full;
    } else if (idle_ms > 0) {
        r->milli_tokens += idle_ms * per_minute * WHOLE / MINUTE_MS;
    }
    if (r->milli_tokens > full) {
        r->milli_tokens = full;
    }
    r->at_ms = now_ms;
    if (r->milli_tokens < WHOLE) {
        return false;
    }
    r->milli_tokens -= WHOLE;
    return true;
}
