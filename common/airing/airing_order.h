/*
 * airing_order - an order as a file for the people and machines behind a spool: JSON, and the texts.
 *
 * Shape     One object; every key is always there. Times are ISO 8601 with +07:00, "" unknown. "state" is "play", and
 *           "stop" once it was recalled: whoever plays looks at it again before each playing.
 * Source    domain.md 10 row 13: mode, must-carry, crawl, read-out text, from/until, who ordered, legal basis.
 */
#ifndef KENG_AIRING_AIRING_ORDER_H
#define KENG_AIRING_AIRING_ORDER_H

#include "airing/airing.h"

typedef struct airing_order {
    const char *state;  /* "play", "stop" */
    const char *wav;    /* file name beside the order, "" none */
    const char *crawl;  /* file name beside the order, "" none */
    int64_t written_ms; /* when this was written */
} airing_order;

KG_MUST_CHECK kg_err airing_order_json(const sink_job *job, const airing_order *o, kg_buf *out, kg_diag *diag);

/* "<alert>-<playing>": what a playing is called in file names and by devices. */
enum { AIRING_REF_TEXT = ALERT_ID_TEXT + 16 };
void airing_ref(const sink_job *job, char out[AIRING_REF_TEXT]);

#endif
