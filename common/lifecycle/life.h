/*
 * life - which alerts are alive, after any number of Alerts, Updates, Cancels and clocks, in any order of arrival.
 *
 * Rules     cap.md B5. An Update supersedes every referenced message and what those superseded; a Cancel ends them; an
 *           ending that arrives first leaves a tombstone that stops the late Alert. Same sender only; same status
 *           only. The result depends on the set of messages and the time, not on the order (tests permute). Pure Keeps
 *           small records by alert id; the journal gives them back at start.
 */
#ifndef KENG_LIFECYCLE_LIFE_H
#define KENG_LIFECYCLE_LIFE_H

#include "alert/alert.h"

typedef enum life_state {
    LIFE_ALIVE,
    LIFE_SUPERSEDED,
    LIFE_CANCELLED,
    LIFE_EXPIRED,
    LIFE_WITHDRAWN /* refused by a person while held */,
    LIFE_STATE_COUNT
} life_state;
const char *life_state_text(life_state s);

typedef struct life life;

typedef struct life_change {
    alert_id id;
    life_state state;
    alert_id by; /* the alert that ended it */
} life_change;

typedef struct life_changes {
    life_change *items; /* owned by the life, until the next call */
    size_t count;
} life_changes;

KG_MUST_CHECK kg_err life_new(life **out);
void life_free(life **l);

/* What the new alert's own state is, and which others it ends. foreign is set when a reference names another
 * sender's alert (the caller holds it for a person and calls life_force on release). */
typedef struct life_verdict {
    life_state own;
    bool foreign;      /* not applied: a person decides */
    bool status_clash; /* an Exercise naming an Actual: not applied */
    bool known;        /* at least one referenced alert is here */
    life_changes ends;
} life_verdict;

KG_MUST_CHECK kg_err life_add(life *l, const alert *a, int64_t now_ms, bool forced, life_verdict *out);
/* Marks what is over at now_ms; earliest next expiry in *next_ms (INT64_MAX none). */
KG_MUST_CHECK kg_err life_expire(life *l, int64_t now_ms, life_changes *out, int64_t *next_ms);
bool life_find(const life *l, alert_id id, life_state *state);

#endif
