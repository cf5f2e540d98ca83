#include "sink/repeat.h"

static const int64_t hour_ms = 3600000;

typedef struct search {
    int64_t last_ms, now_ms;
    bool on_the_hour;
    int64_t missed, next; /* newest in (last, now]; earliest after now; 0 none */
} search;

static void consider(search *s, int64_t slot_ms)
{
    if (s->on_the_hour) {
        slot_ms = (slot_ms + hour_ms - 1) / hour_ms * hour_ms; /* whole hours are the same in UTC+7 */
    }
    if (slot_ms <= s->last_ms) {
        return;
    }
    if (slot_ms <= s->now_ms) {
        s->missed = slot_ms > s->missed ? slot_ms : s->missed;
    } else if (s->next == 0 || slot_ms < s->next) {
        s->next = slot_ms;
    }
}

/* The regular slots are endless: only those around last and now can matter. */
static void consider_regular(search *s, int64_t base_ms, int64_t step_ms)
{
    const int64_t marks[] = {s->last_ms, s->now_ms};
    for (size_t m = 0; m < sizeof marks / sizeof marks[0]; m++) {
        const int64_t passed = marks[m] > base_ms ? (marks[m] - base_ms) / step_ms : 0;
        const int64_t reach = s->on_the_hour ? hour_ms / step_ms + 2 : 2; /* rounding moves a slot up to an hour on */
        for (int64_t k = passed > reach ? passed - reach : 1; k <= passed + reach; k++) {
            if (k >= 1) {
                consider(s, base_ms + k * step_ms);
            }
        }
    }
}

int64_t repeat_due(const policy_repeat *r, int64_t first_ms, int64_t last_ms, int64_t now_ms)
{
    search s = {.last_ms = last_ms, .now_ms = now_ms, .on_the_hour = r->on_the_hour};
    int64_t base_ms = first_ms;
    for (size_t i = 0; i < r->after_count; i++) {
        const int64_t slot_ms = first_ms + (int64_t)r->after_s[i] * 1000;
        consider(&s, slot_ms);
        base_ms = slot_ms > base_ms ? slot_ms : base_ms;
    }
    if (r->every_s > 0) {
        consider_regular(&s, base_ms, (int64_t)r->every_s * 1000);
    }
    return s.missed != 0 ? s.missed : s.next;
}
