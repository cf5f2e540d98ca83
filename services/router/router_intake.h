/*
 * router_intake - the door of publishers: what they submit is gathered here until the turn's end, whole and paced.
 *
 * Flow      A Submit with its bytes is an item at once; a larger one is fetched in pieces (Want) first. An item waits
 *           until the turn takes it, and its answer is sent after the commit, one signed receipt a publisher, urgent
 *           ones first.
 * Limits    Per key: a token bucket of submissions; INTAKE_PIECES_A_PEER things fetched at once; sizes by their class of
 *           message. Beyond them the answer is "rate" or "too-large", and "try later" where trying later helps.
 * Owns      The peers and all they sent.
 */
#ifndef KENG_ROUTER_ROUTER_INTAKE_H
#define KENG_ROUTER_ROUTER_INTAKE_H

#include "accept.h"
#include "bus/bus.h"

enum { INTAKE_PIECES_A_PEER = 4, INTAKE_PATIENCE_MS = 5000, INTAKE_ITEMS_MAX = 1024 };

typedef struct router_intake router_intake;

typedef struct intake_item {
    bus_peer peer;
    char who[64]; /* holder of the publisher's key */
    kg_buf bytes; /* packed Signed */
    bool blob;    /* not an alert: something an alert carries, complete and its hash right */
    alert_hash hash;
    accept_result result; /* filled in by the turn */
} intake_item;

KG_MUST_CHECK kg_err router_intake_new(core *c, router_intake **out);
void router_intake_free(router_intake **in);
KG_MUST_CHECK kg_err router_intake_listen(router_intake *in, bus *b, const char *endpoint, kg_diag *diag);
void router_intake_close(router_intake *in); /* no further submissions; answers still go out */

/* This turn's items. */
size_t router_intake_count(const router_intake *in);
intake_item *router_intake_at(router_intake *in, size_t i);
/* After the commit (or its failure): answers, what is fetched next, and the items are gone. */
void router_intake_answer(router_intake *in, bool committed);
/* Follow: sends what changed. */
void router_intake_tick(router_intake *in); /* pieces that do not come, followers; a few times a second */
void router_intake_manifest(router_intake *in);

size_t router_intake_peers(const router_intake *in);

#endif
