/*
 * sinks - the sinks that are connected: who serves which station, on which session, with how much credit.
 *
 * Flow      Messages are kept as they arrive; sinks_work reads them at the turn's end (receipts into the batch), and
 *           sinks_after_commit says what may be said only then: Welcome, ReceiptsKept, Recall, Piece.
 * Binding   A Hello binds stations to the connection it came over, when the key may serve them. The newest Hello of a
 *           station wins. Losing a connection ends the station's session on that lane: what was offered there and not
 *           held goes back to the queue.
 * Again     After a batch that failed, sinks_work may run again on the same messages: a Hello has had its effect, and
 *           receipts count once, because only a commit lasts.
 */
#ifndef KENG_ROUTER_SINKS_H
#define KENG_ROUTER_SINKS_H

#include "bus/bus.h"
#include "core.h"

typedef struct sink_link sink_link; /* one connection */
typedef struct sinks sinks;

KG_MUST_CHECK kg_err sinks_new(core *c, sinks **out);
void sinks_free(sinks **s);
KG_MUST_CHECK kg_err sinks_listen(sinks *s, bus *b, lane on, const char *endpoint, kg_diag *diag);
void sinks_close(sinks *s);

void sinks_work(sinks *s);
void sinks_rebind(sinks *s); /* memory was built anew: the sessions go on in it */
void sinks_after_commit(sinks *s, bool committed);
void sinks_leases(sinks *s);   /* offers nobody answered */
void sinks_manifest(sinks *s); /* a new manifest: who may serve no longer is dropped */

/* Dispatch: the connection that serves the station on this lane; NULL none. */
sink_link *sinks_link(const sinks *s, uint32_t at, lane on);
uint32_t sinks_session(const sinks *s, uint32_t at, lane on);
void sinks_sent(sinks *s, uint32_t at, lane on); /* one order went out: its credit is spent */
KG_MUST_CHECK kg_err sinks_send(sinks *s, sink_link *l, const wire_msg *m);
uint32_t sink_link_number(const sink_link *l); /* to sort by */

size_t sinks_count(const sinks *s);
/* What `keng status` shows of a station. */
typedef struct sinks_station {
    bool up[LANE_COUNT];
    uint64_t granted[LANE_COUNT], sent[LANE_COUNT];
    const char *sink;
    int64_t heard_ms; /* wall; 0 never */
} sinks_station;
sinks_station sinks_look(const sinks *s, uint32_t at);

#endif
