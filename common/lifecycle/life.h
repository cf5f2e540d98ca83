/*
 * life - which alerts are alive, after any number of Alerts, Updates, Cancels and clocks, in any order of arrival.
 *
 * Rules     cap.md B5. An Update supersedes every referenced message, a Cancel ends them, also when it is itself dead by
 *           then; an ending that arrives first leaves a tombstone that stops the late Alert. Same sender only, same
 *           status only. The state is a function of the set of messages, of what persons decided and of the time,
 *           never of the order (tests permute).
 * Matching  The full triple when a message with it is here, else all of (sender, identifier). A reference without a
 *           sender means the sender's own, also when released: nobody ends another's alert by leaving a name out.
 *           References to itself, to something later, and around in a circle have no effect.
 * Revival   When the exact target comes after a loose match, the loosely matched alert is alive again: a change with
 *           LIFE_ALIVE. What was recalled stays recalled; whether it is aired again is a person's to decide.
 * Keeping   Small records by alert id, an ending for LIFE_TOMBSTONE_MS, anything for LIFE_KEEP_MS after its end; the
 *           journal gives them back at start, in any order.
 * Errors    KG_E_NOMEM: nothing has changed.
 */
#ifndef KENG_LIFECYCLE_LIFE_H
#define KENG_LIFECYCLE_LIFE_H

#include "alert/alert.h"

#define LIFE_KEEP_MS      (INT64_C(72) * 3600 * 1000)
#define LIFE_TOMBSTONE_MS (INT64_C(30) * 24 * 3600 * 1000) /* salinity lasts for weeks; its Alert may come late */

typedef enum life_state {
    LIFE_ALIVE,
    LIFE_SUPERSEDED,
    LIFE_CANCELLED,
    LIFE_EXPIRED,
    LIFE_WITHDRAWN /* refused by a person while held: ends nothing */,
    LIFE_STATE_COUNT
} life_state;
const char *life_state_text(life_state s);

typedef struct life life;

typedef struct life_change {
    alert_id id;
    life_state state; /* LIFE_ALIVE: see Revival */
    alert_id by;      /* the alert that ended it; zero for expiry and revival */
} life_change;

typedef struct life_changes {
    const life_change *items; /* owned by the life, until the next call */
    size_t count;
} life_changes;

KG_MUST_CHECK kg_err life_new(life **out);
void life_free(life **l);

/* What the new alert's own state is, and which others change by it. */
typedef struct life_verdict {
    life_state own;
    alert_id own_by;   /* who ended it, where own says so */
    bool foreign;      /* a reference names another sender's alert: nothing of it is applied, a person decides */
    bool status_clash; /* an Exercise naming an Actual: that reference is not applied, now or ever */
    bool known;        /* at least one referenced alert is here (with none, a Cancel is not aired) */
    bool duplicate;    /* it was here before */
    life_changes ends;
} life_verdict;

/* forced: a person has released it, foreign references and all; the same alert may be added again to say so. */
KG_MUST_CHECK kg_err life_add(life *l, const alert *a, int64_t now_ms, bool forced, life_verdict *out);
/* A held alert was refused. KG_E_NOTFOUND: not here. */
KG_MUST_CHECK kg_err life_withdraw(life *l, alert_id id, int64_t now_ms, life_changes *out);
/* Marks what is over at now_ms, a bounded number a call; the next expiry in *next_ms (INT64_MAX none, <= now_ms: there
 * is more, call again). */
KG_MUST_CHECK kg_err life_expire(life *l, int64_t now_ms, life_changes *out, int64_t *next_ms);
bool life_find(const life *l, alert_id id, life_state *state);
size_t life_count(const life *l);

#endif
