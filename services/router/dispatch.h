/*
 * dispatch - from the queue to the sinks: what may go now, urgent first, one Order an alert and connection.
 *
 * Rules     Runs after the commit only: nothing is sent that a crash could forget. An order is as many targets as fit a
 *           frame; an alert too large for one is named by its hash and fetched. What cannot be sent waits again, with
 *           its credit back.
 */
#ifndef KENG_ROUTER_DISPATCH_H
#define KENG_ROUTER_DISPATCH_H

#include "material.h"
#include "sinks.h"

enum { DISPATCH_URGENT = 8192, DISPATCH_OTHER = 2048 }; /* deliveries a turn */

typedef struct dispatch dispatch;

KG_MUST_CHECK kg_err dispatch_new(core *c, sinks *s, dispatch **out);
void dispatch_free(dispatch **d);
/* True when more may go at once. */
bool dispatch_turn(dispatch *d);
void dispatch_forget(dispatch *d); /* memory was built anew */
size_t dispatch_bytes(const dispatch *d);

#endif
