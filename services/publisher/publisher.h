/*
 * publisher - one agency's door: read -> check -> sign -> outbox -> submit, for one document or as a service.
 */
#ifndef KENG_PUBLISHER_PUBLISHER_H
#define KENG_PUBLISHER_PUBLISHER_H

#include "desk.h"
#include "publisher_config.h"

/* What a service run watches besides its desk's door. */
typedef struct publisher_watch {
    const char *drop; /* folder, or "" */
    const publisher_poll *polls;
    size_t poll_count;
} publisher_watch;

/* Runs until SIGTERM; the exit status. */
int publisher_serve(const publisher_config *c, const publisher_watch *w);

/* One request, by the publisher that runs on the state folder, else by this process itself; the exit status. */
int publisher_once(const publisher_config *c, const desk_request *r);

#endif
