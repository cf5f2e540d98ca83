/*
 * judge - what holds for an alert as a whole and for one medium, before stations are looked at. Private to the room.
 */
#ifndef KENG_POLICY_JUDGE_H
#define KENG_POLICY_JUDGE_H

#include "policy/policy_table.h"
#include "policy/route.h"

/* The same for all stations of one medium (and of one kind of audience). */
typedef struct verdict {
    bool in;
    policy_mode mode;
    policy_repeat repeat;
    const char *rule, *basis, *why, *repeat_rule;
} verdict;

typedef struct judge_hold {
    const char *code, *vi;
} judge_hold;

/* False for System and Draft, Ack and Error: nobody hears those, and no person need look. */
bool judge_for_people(const alert *a);
int64_t judge_end_ms(const policy *p, const alert *a, int64_t now_ms);
/* named_list: the station serves a list of officials, not the public. */
verdict judge_medium(const policy *p, const alert *a, medium m, bool named_list, int64_t now_ms);

/* NULL, or why a person must decide first: reasons he may set aside ... */
const judge_hold *judge_asks_person(const alert *a);
/* ... and those he may not, for a plan without any line that is in. */
const judge_hold *judge_reaches_nobody(const alert *a, bool has_area);

#endif
