/*
 * silence - an urgent alert that a station has not taken after a minute: a person must know (domain.md 10, rows 9, 17).
 *
 * Said once an alert, in the log and in the audit chain, with how many stations and which one is hit worst; `keng ledger`
 * lists them all.
 */
#ifndef KENG_ROUTER_SILENCE_H
#define KENG_ROUTER_SILENCE_H

#include "core.h"

enum { SILENCE_MS = 60 * 1000 };

/* Looks at a bounded number of alerts; call it about once a second. */
void silence_look(core *c);

#endif
