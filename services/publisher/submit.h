/*
 * submit - brings what waits in the outbox to a router, until it has answered; serves what the router asks for; follows.
 *
 * Rules     One connection at a time; a router that does not come up or does not answer in time is left for the next one.
 *           The same alert may so reach two routers: its id makes that harmless. Urgent first. Nothing is dropped: a row
 *           leaves WAITING only by a signed answer of a router that the manifest knows.
 * Errors    Lost connections and late answers are not errors: they are tried again, and logged once each.
 */
#ifndef KENG_PUBLISHER_SUBMIT_H
#define KENG_PUBLISHER_SUBMIT_H

#include "bus/bus.h"
#include "publisher_config.h"
#include "store/outbox.h"
#include "svc/loop.h"

typedef struct submit submit;

typedef struct submit_ops {
    void (*answered)(void *ctx, const wire_verdict *v, const char *router);
    void (*progress)(void *ctx, const wire_msg *progress);
} submit_ops;

KG_MUST_CHECK kg_err submit_open(loop *l, bus *b, outbox *o, const publisher_config *c, const submit_ops *ops,
                                 void *ctx, submit **out, kg_diag *diag);
void submit_close(submit **s);
void submit_wake(submit *s); /* the outbox has new rows */
void submit_follow(submit *s, alert_id id);
/* No answer came and nothing was asked for since a while: a program that has its answers may end. */
bool submit_quiet(const submit *s);

#endif
