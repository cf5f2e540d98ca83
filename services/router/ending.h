/*
 * ending - what happens to the deliveries of an alert that was superseded, cancelled, withdrawn, or ran out.
 *
 * Flow      ending_begin writes the new lifecycle at once; the deliveries are worked off in slices, a bounded number a
 *           turn, so that a million of them never stand before an urgent alert. What a sink must be told goes to
 *           core.tell and is sent after the commit. An alert that ended is never offered again (dispatch looks).
 * Late      A sink that stays silent: what it may have is EXPIRED at the alert's end when it never said HELD, and
 *           UNCERTAIN a day later when it did.
 */
#ifndef KENG_ROUTER_ENDING_H
#define KENG_ROUTER_ENDING_H

#include "core.h"

enum { ENDING_SLICE = 4096, ENDING_SILENT_MS = 24 * 60 * 60 * 1000 };

void ending_begin(core *c, alert_id id, life_state why, alert_id by);
void ending_all(core *c, const life_changes *changes);
/* Alerts and held alerts whose time is over at c->now_ms. */
void ending_due(core *c);
/* True when work is left for the next turn. */
bool ending_work(core *c);
/* A sink said Hello: what it must be told to stop, of the stations for which `said` is true. */
void ending_greet(core *c, const bool *said);
/* Sinks that never answered. Once in a while. */
void ending_overdue(core *c);

#endif
