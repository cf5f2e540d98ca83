/*
 * recall - when an alert ends, what each of its deliveries needs, and who must hear the correction.
 *
 * Rules     What surely never left is dropped. What a sink may have (it was offered once, or says it holds it) the sink
 *           is told to stop: only it knows what people heard. A first playing that is over may still be repeated: told
 *           too. The correction goes to exactly the stations that may have told people something.
 * Pure      No I/O, no clock.
 */
#ifndef KENG_LIFECYCLE_RECALL_H
#define KENG_LIFECYCLE_RECALL_H

#include "delivery/dlv.h"
#include "lifecycle/life.h"

typedef enum recall_act {
    RECALL_NOTHING,
    RECALL_DROP, /* final at once: recall_event */
    RECALL_TELL  /* tell the sink; its receipt says what became of it */
} recall_act;

/* offered: it was sent to a sink at least once, or may have been before a restart. */
recall_act recall_of(dlv_state state, bool offered);
/* The event that ends a delivery when its alert ends this way. */
dlv_event recall_event(life_state why);
/* Must this station hear the correction? */
bool recall_reached(dlv_state state, bool offered);

#endif
