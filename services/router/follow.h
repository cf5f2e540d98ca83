/*
 * follow - publishers that want to know how their alert fares: counts by medium and state, when they change.
 */
#ifndef KENG_ROUTER_FOLLOW_H
#define KENG_ROUTER_FOLLOW_H

#include "bus/bus.h"
#include "core.h"

enum { FOLLOW_MAX = 1024, FOLLOW_PACE_MS = 200 };

typedef struct follow follow;

KG_MUST_CHECK kg_err follow_new(core *c, follow **out);
void follow_free(follow **f);
void follow_start(follow *f, bus_peer peer, alert_id id);
void follow_stop(follow *f, bus_peer peer, alert_id id);
void follow_gone(follow *f, bus_peer peer);
/* Sends what changed; at most every FOLLOW_PACE_MS. */
void follow_tick(follow *f, bus_server *to);
size_t follow_count(const follow *f);

#endif
