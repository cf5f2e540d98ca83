/*
 * listener - a small HTTP server in the loop, for what gateways report back.
 *
 * Purpose   One address, one function: it gets each whole request and returns the status to answer. Gateways repeat
 *           what is not answered 2xx, so a function that could not keep a report says 503.
 * Limits    LISTENER_PEERS connections, LISTENER_BODY_MAX bytes of body, 10 s of idleness. GET and POST only.
 * Door      libmicrohttpd appears in listener.c only. Bind to loopback or an inner network; TLS is the proxy's work.
 */
#ifndef KENG_SMS_LISTENER_H
#define KENG_SMS_LISTENER_H

#include "base/err.h"
#include "svc/loop.h"

enum { LISTENER_PEERS = 64, LISTENER_BODY_MAX = 64 * 1024 };

typedef struct listener listener;

typedef struct listener_call {
    const char *path;          /* without the query */
    const char *authorization; /* header, "" none */
    const void *body;
    size_t body_bytes;
} listener_call;

typedef unsigned (*listener_fn)(void *ctx, const listener_call *call);

/* address: "127.0.0.1:8085"; port 0 takes a free one. */
KG_MUST_CHECK kg_err listener_open(loop *l, const char *address, listener_fn fn, void *ctx, listener **out,
                                   kg_diag *diag);
void listener_close(listener **l);
unsigned listener_port(const listener *l);

/* Same text, in time that does not depend on where they differ. */
bool listener_same_secret(const char *a, const char *b);

#endif
