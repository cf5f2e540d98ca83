/*
 * lease - offers that wait for their HELD, and when one counts as lost.
 *
 * Shape     One ring a lane, oldest first: a lease of a lane always lasts the same, so the oldest is due first. An item
 *           says which offer of the delivery it is, and which session of the station it went to: whoever looks decides
 *           whether it still stands.
 * Pure      No I/O, no clock: time comes in.
 */
#ifndef KENG_DELIVERY_LEASE_H
#define KENG_DELIVERY_LEASE_H

#include "delivery/queue.h"

enum { LEASE_URGENT_MS = 5 * 1000, LEASE_OTHER_MS = 30 * 1000 };

typedef struct lease_item {
    uint64_t delivery;
    int64_t due_ms; /* monotonic; filled in by lease_put */
    uint32_t station;
    uint32_t session; /* of the station on this lane */
    uint8_t offer;    /* which offer of this delivery */
    bool recall;      /* not an offer: the sink was told to stop */
} lease_item;

/* What to do with an item. */
typedef enum lease_fate { LEASE_KEEP, LEASE_DROP } lease_fate;
typedef lease_fate (*lease_fn)(void *ctx, lane l, const lease_item *item);

typedef struct lease lease;

KG_MUST_CHECK kg_err lease_new(lease **out);
void lease_free(lease **l);
KG_MUST_CHECK kg_err lease_put(lease *l, lane on, const lease_item *item, int64_t now_ms);
/* Takes one that is over; false when none is. */
bool lease_over(lease *l, lane on, int64_t now_ms, lease_item *out);
/* Asks about the oldest ones until one is kept: keeps the rings as short as what is truly waiting. */
void lease_trim(lease *l, lease_fn fn, void *ctx);
/* Asks about every one (a session ended). */
void lease_sweep(lease *l, lease_fn fn, void *ctx);
/* When the next is over; INT64_MAX: none. */
int64_t lease_next_ms(const lease *l);
size_t lease_count(const lease *l);

#endif
