/*
 * dlv - the states of a delivery: one table, one function that changes them.
 *
 * Rules     Monotone; OFFERED falls back to PENDING when the sink is lost before HELD; final states never change.
 *           Recovery, one action a state, is ARCHITECTURE.md's table.
 */
#ifndef KENG_DELIVERY_DLV_H
#define KENG_DELIVERY_DLV_H

#include <stdbool.h>

typedef enum dlv_state {
    DLV_PENDING,
    DLV_OFFERED,
    DLV_HELD,
    DLV_STARTED,
    DLV_DONE,
    DLV_PARTIAL,
    DLV_REFUSED,
    DLV_FAILED,
    DLV_UNCERTAIN,
    DLV_EXPIRED,
    DLV_CANCELLED,
    DLV_STATE_COUNT
} dlv_state;

typedef enum dlv_event {
    DLV_OFFER, /* sent to the sink */
    DLV_LOST,  /* sink gone, or the order was not taken, before HELD */
    DLV_HOLD,  /* HELD receipt */
    DLV_START, /* STARTED receipt */
    DLV_FINISH,
    DLV_FINISH_PART,
    DLV_REFUSE,
    DLV_FAIL,
    DLV_DOUBT,  /* outcome receipts */
    DLV_EXPIRE, /* its time is over */
    DLV_CANCEL, /* recalled: superseded, cancelled, withdrawn */
    DLV_EVENT_COUNT
} dlv_event;

typedef enum dlv_certainty { /* how sure an outcome is */
                             CERTAIN_NONE,
                             CERTAIN_PACKETS,
                             CERTAIN_ACCEPTED,
                             CERTAIN_STARTED,
                             CERTAIN_FINISHED,
                             CERTAIN_HEARD,
                             DLV_CERTAINTY_COUNT
} dlv_certainty;

/* Returns false, and leaves *state alone, when event has no meaning in *state. */
bool dlv_step(dlv_state *state, dlv_event event);
bool dlv_final(dlv_state s);
/* The event that a receipt naming `state` stands for; DLV_EVENT_COUNT when a receipt may not say so. */
dlv_event dlv_event_of(dlv_state state);
const char *dlv_state_text(dlv_state s);
const char *dlv_state_vi(dlv_state s);
const char *dlv_certainty_text(dlv_certainty c);

#endif
