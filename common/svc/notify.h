/*
 * notify - tells the service manager "ready", "stopping" and "alive" (NOTIFY_SOCKET, WATCHDOG_USEC), without
 * libsystemd.
 */
#ifndef KENG_SVC_NOTIFY_H
#define KENG_SVC_NOTIFY_H

#include "svc/loop.h"

void notify_ready(void);
void notify_stopping(void);
/* Feeds the watchdog from the loop at half its period, when one is asked for. */
KG_MUST_CHECK kg_err notify_watchdog(loop *l);

#endif
