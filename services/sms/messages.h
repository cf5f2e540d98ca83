/*
 * messages - the texts of one job: Vietnamese first, then every further language that the operator can carry.
 *
 * Rules     Vietnamese never waits: when another language has no text, or none that fits, its gap is named and the rest
 *           goes out. Without a Vietnamese text there is no job.
 */
#ifndef KENG_SMS_MESSAGES_H
#define KENG_SMS_MESSAGES_H

#include "rules.h"
#include "sink/sink.h"

enum { MESSAGES_MAX = 8, MESSAGES_LANGUAGE_MAX = 16 };

typedef struct message {
    char language[MESSAGES_LANGUAGE_MAX];
    kg_buf text;
    sms_size size;
} message;

typedef struct messages {
    message items[MESSAGES_MAX];
    size_t count;
    kg_buf gaps; /* "km: ...; rad: ...", "" when nothing is missing */
} messages;

KG_MUST_CHECK kg_err messages_make(const sink_job *job, const rules *r, messages *out, kg_diag *diag);
void messages_done(messages *m);

/* An exercise may reach phones only where the driver's file says `drills: yes` (the second switch). KG_E_DENIED. */
KG_MUST_CHECK kg_err messages_may_go(const alert *a, bool drills, kg_diag *diag);

#endif
