#include "cap/cap.h"

#include <string.h>

const char *cap_verdict_text(cap_verdict v)
{
    static const char *const words[] = {"accept", "warn", "hold", "refuse"};
    return (unsigned)v < sizeof words / sizeof words[0] ? words[v] : "";
}

void cap_reading_done(cap_reading *r)
{
    if (r == NULL) {
        return;
    }
    for (size_t i = 0; i < r->count; i++) {
        alert_done(&r->documents[i].alert);
    }
    kg_arena_done(&r->mem);
    memset(r, 0, sizeof *r);
}
