/*
 * player - what a station does next: prepare, start, stop, drop, or wait until when. Pure.
 *
 * Purpose   Values and the time in, one list of steps out; playout.c carries them out, marks the items and asks again
 *           until there is nothing to do. Called for one station at a time.
 * Rules     Class 2 interrupts, day and night, muted or not; it does not cut another class 2 (one that replaces it has
 *           ended it already). Class 1 goes next in the programme. Class 0 keeps quiet hours. An offered item waits
 *           for the clerk, a scheduled one for its session or the clerk. What was cut comes back, labelled, or ends
 *           PARTIAL. Among equals: first playings before repeats, the clerk's order, then age.
 * Exclusive One playing at a time; otherwise every item that may go goes, PLAYER_PARALLEL_MAX at once.
 * Source    domain.md 10 rows 6, 7, 18; Circular 39/2020.
 */
#ifndef KENG_SINK_PLAYER_H
#define KENG_SINK_PLAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alert/alert.h"
#include "delivery/dlv.h"
#include "policy/policy.h"
#include "sink/hours.h"

enum { PLAYER_STEPS_MAX = 64, PLAYER_PARALLEL_MAX = 64, PLAYER_PATIENCE_MS = 15000 };

typedef enum player_state {
    PLAYER_WAITING,
    PLAYER_PREPARING,
    PLAYER_READY,
    PLAYER_STARTING, /* its STARTED row waits for the commit */
    PLAYER_PLAYING,
    PLAYER_STOPPING /* the driver was told; it will end */
} player_state;

typedef enum player_why {
    PLAYER_WHY_NONE,
    PLAYER_WHY_ENDED,   /* recalled, superseded, cancelled, its key revoked */
    PLAYER_WHY_EXPIRED, /* its time is over */
    PLAYER_WHY_CUT,     /* by an urgent one */
    PLAYER_WHY_MUTED,
    PLAYER_WHY_OPERATOR
} player_why;

typedef struct player_item {
    player_state state;
    bulletin_class class;
    policy_mode mode;
    unsigned playing;
    int64_t due_ms;
    int64_t not_before_ms; /* after a temporary failure */
    int64_t ends_ms;
    int64_t rank;     /* when it was held, or the clerk's order; less goes first */
    int64_t since_ms; /* when it came into its state */
    bool accepted;    /* by the clerk */
    bool ended;
    bool stopped;      /* by the operator */
    player_why why;    /* why it is STOPPING */
    bool started;      /* a STARTED row of this playing stands */
    unsigned attempts; /* tries of this playing that failed for now */
    bool labelled;     /* some of it was heard before: it comes back labelled */
} player_item;

typedef struct player_rules {
    bool exclusive, muted;
    const hours *hours;
} player_rules;

typedef enum player_do { PLAYER_PREPARE, PLAYER_START, PLAYER_STOP, PLAYER_DROP } player_do;

typedef struct player_step {
    player_do what;
    size_t item;
    player_why why; /* of STOP and DROP */
} player_step;

typedef struct player_plan {
    player_step steps[PLAYER_STEPS_MAX];
    size_t count;
    int64_t wake_ms; /* nothing changes by itself before; INT64_MAX */
} player_plan;

void player_decide(const player_rules *r, const player_item *const *items, size_t count, int64_t now_ms,
                   player_plan *out);

/* What an ended job means for its playing. */
typedef enum player_next {
    PLAYER_FINAL,  /* the outcome stands */
    PLAYER_RETRY,  /* nothing was heard: later again */
    PLAYER_AGAIN,  /* nothing was heard, and nothing is wrong: as soon as it may */
    PLAYER_RESUME, /* cut: again, labelled */
} player_next;
player_next player_after(const player_item *item, dlv_state outcome, dlv_state *final);
/* The final state of a playing of which nothing more comes; DLV_PENDING: it was a repeat that never began. */
dlv_state player_dropped(const player_item *item, player_why why);

#endif
