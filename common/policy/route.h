/*
 * route - which station gets an alert, how, and by which rule. Pure: values and time in, a plan out.
 *
 * Shape     One line a station considered; `in` lines become deliveries, the others say why not (keng explain).
 * Order     Lines are sorted: in before out, then worst-hit rank, then station id. The order of dispatch follows it.
 * Hold      When a person must decide first (no usable area, Restricted or Private scope, missing co-signature, the publisher's own check (alert.hold),
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
    uint32_t hit_rank; /* 0 worst hit first */
    const char *rule;  /* policy entry, e.g. "media.loudspeaker.urgent" */
    const char *basis;
    const char *why;       /* a sentence, Vietnamese */
    alert_texts languages; /* to render, in order; "vi" always first where there is Vietnamese text */
    alert_texts gaps;      /* languages wanted and missing in the alert */
    alert_texts communes;  /* of the alert's area, covered by this station, worst-hit first */
} plan_line;

typedef struct plan {
    kg_arena mem;
    plan_line *lines;
    size_t count;
    size_t in_count;
    const char *hold; /* NULL, or why a person must decide (English code, e.g. "no-usable-area") */
    const char *hold_vi;
    int64_t expires_ms; /* effective end: the stated one, or the class's default */
} plan;

KG_MUST_CHECK kg_err route_plan(const policy *p, const areas *ar, const alert *a, int64_t now_ms, plan *out,
                                kg_diag *diag);
void plan_done(plan *p);

/* What Article 6 of Law 18/2023 asks of an actual alert and this one lacks: NULL, or the items' names. */
const char *route_missing_content(const alert *a, kg_arena *mem);

#endif
