#include "delivery/dlv.h"

#include <stddef.h>

/* Short names keep every cell of the table on its row. */
enum {
    NO = DLV_STATE_COUNT,
    PENDING = DLV_PENDING,
    OFFERED = DLV_OFFERED,
    HELD = DLV_HELD,
    STARTED = DLV_STARTED,
    DONE = DLV_DONE,
    PARTIAL = DLV_PARTIAL,
    REFUSED = DLV_REFUSED,
    FAILED = DLV_FAILED,
    UNSURE = DLV_UNCERTAIN,
    EXPIRED = DLV_EXPIRED,
    CANCEL = DLV_CANCELLED
};

/* A receipt may reach a router that does not know of the offer any more (it restarted: OFFERED lives in memory) or gave
 * it up for lost: so PENDING takes what OFFERED takes. A sink that was cut off may report only how it ended. */
/* clang-format off */
static const unsigned char next_state[DLV_STATE_COUNT][DLV_EVENT_COUNT] = {
    /*                  OFFER    LOST     HOLD  START    FINISH PART     REFUSE   FAIL    DOUBT   EXPIRE   CANCEL */
    [DLV_PENDING]   = { OFFERED, NO,      HELD, STARTED, DONE,  PARTIAL, REFUSED, FAILED, UNSURE, EXPIRED, CANCEL },
    [DLV_OFFERED]   = { NO,      PENDING, HELD, STARTED, DONE,  PARTIAL, REFUSED, FAILED, UNSURE, EXPIRED, CANCEL },
    [DLV_HELD]      = { NO,      NO,      NO,   STARTED, DONE,  PARTIAL, REFUSED, FAILED, UNSURE, EXPIRED, CANCEL },
    [DLV_STARTED]   = { NO,      NO,      NO,   NO,      DONE,  PARTIAL, REFUSED, FAILED, UNSURE, EXPIRED, CANCEL },
    [DLV_DONE]      = { NO,      NO,      NO,   NO,      NO,    NO,      NO,      NO,     NO,     NO,      NO     },
    [DLV_PARTIAL]   = { NO,      NO,      NO,   NO,      NO,    NO,      NO,      NO,     NO,     NO,      NO     },
    [DLV_REFUSED]   = { NO,      NO,      NO,   NO,      NO,    NO,      NO,      NO,     NO,     NO,      NO     },
    [DLV_FAILED]    = { NO,      NO,      NO,   NO,      NO,    NO,      NO,      NO,     NO,     NO,      NO     },
    [DLV_UNCERTAIN] = { NO,      NO,      NO,   NO,      NO,    NO,      NO,      NO,     NO,     NO,      NO     },
    [DLV_EXPIRED]   = { NO,      NO,      NO,   NO,      NO,    NO,      NO,      NO,     NO,     NO,      NO     },
    [DLV_CANCELLED] = { NO,      NO,      NO,   NO,      NO,    NO,      NO,      NO,     NO,     NO,      NO     },
};
/* clang-format on */

static const struct {
    const char *text, *vi;
    dlv_event said_by; /* what a receipt naming this state reports */
} states[DLV_STATE_COUNT] = {
    [DLV_PENDING] = {"pending", "chờ gửi", DLV_EVENT_COUNT},
    [DLV_OFFERED] = {"offered", "đã gửi, chờ xác nhận", DLV_EVENT_COUNT},
    [DLV_HELD] = {"held", "trạm đã nhận", DLV_HOLD},
    [DLV_STARTED] = {"started", "đang phát", DLV_START},
    [DLV_DONE] = {"done", "đã xong", DLV_FINISH},
    [DLV_PARTIAL] = {"partial", "xong một phần", DLV_FINISH_PART},
    [DLV_REFUSED] = {"refused", "trạm từ chối", DLV_REFUSE},
    [DLV_FAILED] = {"failed", "thất bại", DLV_FAIL},
    [DLV_UNCERTAIN] = {"uncertain", "không rõ đã phát hay chưa", DLV_DOUBT},
    [DLV_EXPIRED] = {"expired", "hết hiệu lực", DLV_EXPIRE},
    [DLV_CANCELLED] = {"cancelled", "đã thu hồi", DLV_CANCEL},
};

static const char *const certainties[DLV_CERTAINTY_COUNT] = {
    [CERTAIN_NONE] = "none",       [CERTAIN_PACKETS] = "packets",   [CERTAIN_ACCEPTED] = "accepted",
    [CERTAIN_STARTED] = "started", [CERTAIN_FINISHED] = "finished", [CERTAIN_HEARD] = "heard",
};

bool dlv_step(dlv_state *state, dlv_event event)
{
    if ((unsigned)*state >= DLV_STATE_COUNT || (unsigned)event >= DLV_EVENT_COUNT) {
        return false;
    }
    const unsigned char next = next_state[*state][event];
    if (next == NO) {
        return false;
    }
    *state = (dlv_state)next;
    return true;
}

bool dlv_final(dlv_state s)
{
    return s >= DLV_DONE && s < DLV_STATE_COUNT;
}

dlv_event dlv_event_of(dlv_state state)
{
    return (unsigned)state < DLV_STATE_COUNT ? states[state].said_by : DLV_EVENT_COUNT;
}

const char *dlv_state_text(dlv_state s)
{
    return (unsigned)s < DLV_STATE_COUNT ? states[s].text : "unknown";
}

const char *dlv_state_vi(dlv_state s)
{
    return (unsigned)s < DLV_STATE_COUNT ? states[s].vi : "không rõ";
}

const char *dlv_certainty_text(dlv_certainty c)
{
    return (unsigned)c < DLV_CERTAINTY_COUNT ? certainties[c] : "unknown";
}
