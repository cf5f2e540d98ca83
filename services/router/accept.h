/*
 * accept - one submitted alert: verify -> journal -> route -> queue, all within the turn's batch.
 *
 * Rules     The same bytes again get the first result. The same id with other bytes is a conflict, unless it is the same
 *           alert with a further person's signature, which a held one may be waiting for. An alert that needs a person
 *           is journaled, held, without deliveries. A refusal is an audit line; nothing else of it is kept.
 */
#ifndef KENG_ROUTER_ACCEPT_H
#define KENG_ROUTER_ACCEPT_H

#include "core.h"
#include "wire/wire.h"

enum { ACCEPT_BLOBS_MAX = 32 };

typedef struct accept_blob { /* what the alert names and the journal does not have yet */
    alert_hash hash;
    uint64_t bytes;
} accept_blob;

typedef struct accept_result {
    wire_verdict verdict; /* texts: static, or in `sentence` */
    kg_diag sentence;
    bulletin_class class;
    accept_blob blobs[ACCEPT_BLOBS_MAX];
    size_t blob_count;
} accept_result;

/* who: the publisher's holder, for the audit line. */
void accept_alert(core *c, const void *bytes, size_t n, const char *who, accept_result *out);

#endif
