/*
 * desk - the publisher's counter: takes a request, says what becomes of it line by line, and ends with an exit status.
 *
 * Shape     The same whether the request comes from the command line, the local socket, the drop folder or a polled feed.
 *           A talk is open until `end` was called: when every alert of the document is answered, or, with follow, when
 *           every first playing is final; or when its waiting time is over (CLI_LATER: it goes on in the outbox).
 * Verbs     send; update ALERT; retract ALERT; all-clear ALERT; list; follow ALERT. ALERT is an id, the first digits of
 *           one (6 at least), or the CAP identifier.
 * Owns      A talk belongs to the desk; `end` may be called before desk_ask returns.
 */
#ifndef KENG_PUBLISHER_DESK_H
#define KENG_PUBLISHER_DESK_H

#include "submit.h"

typedef struct desk desk;

typedef struct desk_ears {
    void (*say)(void *ctx, const char *line);
    void (*end)(void *ctx, int status); /* CLI_OK, CLI_FAILED, CLI_LATER */
    void *ctx;
} desk_ears;

typedef struct desk_request {
    const char *verb;
    const char *alert;      /* for the verbs that name one */
    const char *name;       /* of the document, for complaints */
    const char *folder;     /* where relative recordings are; NULL: nowhere */
    const kg_buf *document; /* NULL where the verb needs none */
    int64_t document_ms;    /* the file's time of last change */
    bool follow;
    int64_t wait_ms;     /* 0: as long as it takes */
    bool quiet_if_known; /* a feed shows the same alert again and again: say nothing of it */
} desk_request;

KG_MUST_CHECK kg_err desk_open(loop *l, bus *b, outbox *o, const publisher_config *c, desk **out, kg_diag *diag);
void desk_close(desk **d);
void desk_ask(desk *d, const desk_request *r, const desk_ears *ears);
void desk_hang_up(desk *d, const void *ears_ctx); /* the listener is gone: its talks end without a word */
/* The router asks for nothing more of what was answered lately, so that a one-shot program may end. */
bool desk_quiet(const desk *d);

#endif
