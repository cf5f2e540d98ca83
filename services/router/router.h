/*
 * router - intake -> verify -> journal -> route -> queue -> dispatch; the story is router.c.
 *
 * Turn      What arrived since the last turn is read into one batch and committed once; only then are answers, kept
 *           receipts, recalls and orders sent. A batch that fails is forgotten in memory too, and the turn is answered
 *           "try later"; a full disk is tried once more from the reserve, for what is urgent. An I/O error of the
 *           journal ends the process: nothing is acknowledged after it.
 */
#ifndef KENG_ROUTER_ROUTER_H
#define KENG_ROUTER_ROUTER_H

#include "core.h"
#include "dispatch.h"
#include "router_intake.h"
#include "sinks.h"
#include "svc/control.h"
#include "svc/loop.h"

enum { ROUTER_BUDGET = 512, ROUTER_TICK_MS = 200, ROUTER_STATUS_MS = 1000 };

typedef struct router {
    router_config config;
    core core;
    sinks *sinks;
    router_intake *intake;
    dispatch *dispatch;
    loop *loop;
    bus *bus;
    control *control;
    bus_pub *status;
    loop_timer *tick;
    int64_t status_ms;   /* monotonic; when the counters were last published */
    int64_t degraded_ms; /* when the manifest's age was last complained of */
    bool stopping;
    bool rebuild; /* a commit outside of the turn failed */
} router;

KG_MUST_CHECK kg_err router_open(router *r, const char *config_path, kg_diag *diag);
KG_MUST_CHECK kg_err router_run(router *r, kg_diag *diag);
void router_close(router *r);

/* A verb's change is durable before the operator hears "done". */
KG_MUST_CHECK kg_err router_commit_now(router *r, kg_diag *diag);

#endif
