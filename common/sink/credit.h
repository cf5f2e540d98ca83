/*
 * credit - how many orders a station takes on one lane of one connection: running totals since Hello. Pure.
 *
 * Rules     A window beyond what has been answered (held, refused, held before), so that the pipe stays full without
 *           the ledger's commit being waited for one by one. It shrinks as unplayed ones pile up: a slow station costs
 *           its credit and no more, the rest stays queued at the router. A total never falls.
 */
#ifndef KENG_SINK_CREDIT_H
#define KENG_SINK_CREDIT_H

#include <stdbool.h>
#include <stdint.h>

enum { CREDIT_WINDOW = 8, CREDIT_WAITING_OTHER = 1000, CREDIT_WAITING_URGENT = 4000 };

typedef struct credit {
    uint32_t granted;  /* last total told */
    uint32_t answered; /* orders answered since Hello */
} credit;

/* The total to tell now; the caller notes it in `granted` once it is sent. waiting: held here and not yet played the
 * first time. */
uint32_t credit_total(const credit *c, uint32_t waiting, uint32_t waiting_max);
/* Worth a message of its own: half the window has come free. */
bool credit_is_stale(const credit *c, uint32_t waiting, uint32_t waiting_max);

#endif
