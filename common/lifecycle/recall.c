#include "lifecycle/recall.h"

/* clang-format off */
static const struct {
    recall_act act;
    bool reached;
} rules[DLV_STATE_COUNT] = {
    [DLV_PENDING]   = {RECALL_DROP,    false}, /* offered before: see below */
    [DLV_OFFERED]   = {RECALL_TELL,    true},
    [DLV_HELD]      = {RECALL_TELL,    true},
    [DLV_STARTED]   = {RECALL_TELL,    true},
    [DLV_DONE]      = {RECALL_TELL,    true},  /* may be repeating */
    [DLV_PARTIAL]   = {RECALL_TELL,    true},
    [DLV_REFUSED]   = {RECALL_NOTHING, false},
    [DLV_FAILED]    = {RECALL_NOTHING, false},
    [DLV_UNCERTAIN] = {RECALL_TELL,    true},
    [DLV_EXPIRED]   = {RECALL_NOTHING, false},
    [DLV_CANCELLED] = {RECALL_NOTHING, false},
};
/* clang-format on */

recall_act recall_of(dlv_state state, bool offered)
{
    if ((unsigned)state >= DLV_STATE_COUNT) {
        return RECALL_NOTHING;
    }
    return state == DLV_PENDING && offered ? RECALL_TELL : rules[state].act;
}

dlv_event recall_event(life_state why)
{
    return why == LIFE_EXPIRED ? DLV_EXPIRE : DLV_CANCEL;
}

bool recall_reached(dlv_state state, bool offered)
{
    if ((unsigned)state >= DLV_STATE_COUNT) {
        return false;
    }
    return state == DLV_PENDING ? offered : rules[state].reached;
}
