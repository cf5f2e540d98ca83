/*
 * deskdoor - the desk's door on this machine: a socket in the state folder, so that `keng-publisher send` reaches the
 * running publisher, which alone holds the outbox.
 *
 * Shape     SOCK_SEQPACKET. The caller sends one message (fields ended by NUL) with the document as a descriptor; back
 *           come lines ("L" text) and one end ("E" status). Only the owner of the state folder gets in (0700).
 */
#ifndef KENG_PUBLISHER_DESKDOOR_H
#define KENG_PUBLISHER_DESKDOOR_H

#include "desk.h"

typedef struct deskdoor deskdoor;

KG_MUST_CHECK kg_err deskdoor_open(loop *l, desk *d, const char *state, deskdoor **out, kg_diag *diag);
void deskdoor_close(deskdoor **d);

/* The caller's side; blocks until the end. KG_E_NOTFOUND: no publisher runs on this state folder. */
typedef struct deskdoor_line {
    void (*say)(void *ctx, const char *line);
    void *ctx;
} deskdoor_line;
KG_MUST_CHECK kg_err deskdoor_ask(const char *state, const desk_request *r, const deskdoor_line *line, int *status,
                                  kg_diag *diag);

#endif
