/*
 * liqanswer - what keng.liq says about one order. The door of its bytes: whatever they are, this judges them.
 *
 * Errors    KG_E_INVALID not such an answer, or about another order.
 */
#ifndef KENG_BROADCAST_LIQANSWER_H
#define KENG_BROADCAST_LIQANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { LIQANSWER_BOOT_MAX = 32, LIQANSWER_BYTES_MAX = 4096 };

typedef enum liqanswer_state {
    LIQ_UNKNOWN, /* it knows nothing of the order */
    LIQ_QUEUED,
    LIQ_ON_AIR,
    LIQ_DONE,   /* aired to its end */
    LIQ_CUT,    /* taken off the air */
    LIQ_REMOVED /* taken out of its queue */
} liqanswer_state;

typedef struct liqanswer {
    liqanswer_state state;
    int64_t started_ms, ended_ms;  /* by the playout's clock, 0 not yet */
    char boot[LIQANSWER_BOOT_MAX]; /* the run of the playout that says so */
} liqanswer;

KG_MUST_CHECK kg_err liqanswer_read(const char *bytes, size_t n, const char *id, liqanswer *out, kg_diag *diag);

#endif
