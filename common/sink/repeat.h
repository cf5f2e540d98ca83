/*
 * repeat - when a warning is said again: offsets from the first playing, then every so often, on the hour if asked.
 *
 * Rules     Missed repeats are never played in a burst: of all that came due since the last playing only the newest
 *           counts. Pure: times in, a time out.
 * Source    domain.md 10 row 8; Decision 18/2021/QD-TTg.
 */
#ifndef KENG_SINK_REPEAT_H
#define KENG_SINK_REPEAT_H

#include <stdint.h>

#include "policy/policy.h"

/* When the next playing is due, after one that started at last_ms. first_ms: start of the first playing. The newest slot in (last_ms, now_ms] if there is one, else the first after now_ms; 0: no further. */
int64_t repeat_due(const policy_repeat *r, int64_t first_ms, int64_t last_ms, int64_t now_ms);

#endif
