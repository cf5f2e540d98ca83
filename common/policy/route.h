/*
 * route - which station gets an alert, how, and by which rule. Pure: values and time in, a plan out.
 *
 * Shape     One line a station considered; `in` lines become deliveries, the others say why not (keng explain).
 * Order     Lines are sorted: in before out, then worst-hit rank, then station id. The order of dispatch follows it.
 * Hold      When a person must decide first (no usable area, Restricted or Private scope, missing co-signature, the
 *           publisher's own check in alert.hold,
 *           foreign reference, no info for the public) the plan has no `in` line and says so in `hold`.
 * Source    domain.md section 10; each line carries rule id and legal basis from the policy.
 */
#ifndef KENG_POLICY_ROUTE_H
#define KENG_POLICY_ROUTE_H

#include "policy/policy.h"

typedef struct plan_line {
    const station *station;
    bool in;
    policy_mode mode;
    policy_repeat repeat;
    uint32_t hit_rank;       /* 0 worst hit first; communes not named as worst hit share the last rank */
    const char *rule;        /* policy entry, e.g. "media.loudspeaker.urgent" */
    const char *basis;       /* its legal basis */
    const char *why;         /* a sentence, Vietnamese */
    const char *repeat_rule; /* e.g. "repeats.tsunami-3"; "" played once */
    alert_texts languages;   /* to render, in order; "vi" always first where there is Vietnamese text */
    alert_texts gaps;        /* languages wanted and missing in the alert */
    alert_texts communes;    /* of the alert's area, covered by this station, worst-hit first */
} plan_line;

typedef struct plan {
    kg_arena mem;
    plan_line *lines;
    size_t count;
    size_t in_count;
    const char *hold; /* NULL, or why a person must decide (English code, e.g. "no-usable-area") */
    const char *hold_vi;
    int64_t expires_ms;  /* effective end: the stated one, or the class's default */
    unsigned signatures; /* of different holders that the policy asks for, at least 1 */
    size_t communes;     /* the alert is for */
    const char *notes;   /* what of its areas could not be resolved, a sentence a line; "" nothing */
} plan;

/* All strings and station pointers live in the plan, the policy, the areas or the alert: keep those while the plan is
 * used. Errors: KG_E_NOTFOUND a commune code unknown or retired (the sentence names the successor), KG_E_NOMEM. */
KG_MUST_CHECK kg_err route_plan(const policy *p, const areas *ar, const alert *a, int64_t now_ms, plan *out,
                                kg_diag *diag);
KG_MUST_CHECK kg_err route_explain(const policy *p, const areas *ar, const alert *a, int64_t now_ms, plan *out,
                                   kg_diag *diag);

/* A delivery of an alert that this one updates or cancels: who was told it, and for which communes. */
typedef struct route_earlier {
    const station *station;
    alert_texts communes;
} route_earlier;

/* The same with what only the router knows. With `earlier_known`, stations and communes that got an earlier alert and
 * lie outside the new area are told too, and an end (route_is_end) goes to exactly them, to nobody when there are none.
 * `released`: a person has let a held alert go; only that nobody can be reached still holds it. */
typedef struct route_context {
    const route_earlier *earlier;
    size_t earlier_count;
    bool earlier_known;
    bool released;
    bool explain; /* as route_explain */
} route_context;
KG_MUST_CHECK kg_err route_with(const policy *p, const areas *ar, const alert *a, const route_context *context,
                                int64_t now_ms, plan *out, kg_diag *diag);
void plan_done(plan *p);

/* Signatures of different holders that the policy asks of this alert for these communes; 1 where its switch is off. */
unsigned route_signatures_needed(const policy *p, const areas *ar, const alert *a, const area_set *set);

/* Is it the end of an event: a Cancel, or an Update that says all clear (AllClear, or all its infos Past)? */
bool route_is_end(const alert *a);

/* What Article 6 of Law 18/2023 asks of an actual alert and this one lacks: NULL, or the items' names (Vietnamese,
 * separated by commas). A first warning needs only the kind, the place and what to do; an end needs nothing. */
const char *route_missing_content(const alert *a, kg_arena *mem);

#endif
