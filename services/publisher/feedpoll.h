/*
 * feedpoll - watches CAP documents and Atom or RSS feeds of other services, and sends on what is new in them.
 *
 * Rules     Conditional requests (ETag, Last-Modified). What is not there is never "no alerts": a feed that fails, turns
 *           empty, or changes its kind is an alarm in the log, raised once and cleared once. An entry that disappears
 *           is not a Cancel. What was sent before is not sent again (the outbox knows every alert by its id).
 * Limits    16 MiB a document, 60 s a request; links of an entry are fetched one at a time, from the feed's own host or
 *           another by http(s) only.
 */
#ifndef KENG_PUBLISHER_FEEDPOLL_H
#define KENG_PUBLISHER_FEEDPOLL_H

#include "desk.h"

typedef struct feedpoll feedpoll;

KG_MUST_CHECK kg_err feedpoll_open(loop *l, desk *d, const publisher_config *c, const publisher_poll *polls,
                                   size_t count, feedpoll **out, kg_diag *diag);
void feedpoll_close(feedpoll **p);

#endif
