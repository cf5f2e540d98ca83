/* What a sink says: hello, credit, receipts, wants. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "sinks_own.h"

static const char *why_not(const sinks *s, const sink_link *l, const char *id, uint32_t *index)
{
    const station *st = policy_station_find(s->core->policy, id);
    if (st == NULL) {
        return "unknown-station: this router's policy has no such station";
    }
    const key_entry *e = manifest_connector(s->core->manifest, &l->key);
    if (e == NULL || !manifest_serves(e, id)) {
        return "not-yours: the key manifest does not give this station to your key";
    }
    *index = st->index;
    return NULL;
}

static bool has_station(const sink_link *l, uint32_t at)
{
    for (size_t i = 0; i < l->station_count; i++) {
        if (l->stations[i] == at) {
            return true;
        }
    }
    return false;
}

static bool bind(sinks *s, sink_link *l, uint32_t at, uint32_t credit)
{
    station_slot *slot = &s->slots[at];
    const bool mine = slot->link[l->lane] == l;
    if (!mine && !has_station(l, at)) {
        if (l->station_count == l->station_cap) {
            const size_t cap = l->station_cap == 0 ? 8 : 2 * l->station_cap;
            uint32_t *more = realloc(l->stations, cap * sizeof *more);
            if (more == NULL) {
                return false;
            }
            l->stations = more;
            l->station_cap = cap;
        }
        l->stations[l->station_count++] = at;
    }
    if (slot->link[l->lane] != NULL && !mine) {
        kg_log(KG_INFO, "station.taken-over", KG_TEXT("station", policy_station(s->core->policy, at)->id),
               KG_TEXT("from", slot->link[l->lane]->name), KG_TEXT("by", l->name));
    }
    slot->link[l->lane] = l;
    slot->key = l->key;
    slot->session[l->lane]++;
    slot->granted[l->lane] = credit;
    slot->sent[l->lane] = slot->before[l->lane] = 0;
    queue_reset(s->core->queue, at, l->lane);
    queue_credit(s->core->queue, at, l->lane, credit);
    s->said[at] = s->any_said = s->sweep = true;
    return true;
}

static void hear_hello(sinks *s, sink_link *l, const wire_msg *m)
{
    if (m->u.hello.lane != (uint32_t)l->lane) {
        const wire_msg no = {.kind = WIRE_REFUSED,
                             .u.refused = {"wrong-lane", "urgent and other traffic have a connection each"}};
        kg_ignore(sinks_send(s, l, &no)); /* only a courtesy */
        return;
    }
    if (l->greeted && l->session != m->u.hello.session) {
        for (size_t i = 0; i < l->station_count; i++) {
            sinks_unbind(s, l, l->stations[i]);
        }
        l->station_count = 0;
    }
    (void)snprintf(l->name, sizeof l->name, "%s", m->u.hello.sink);
    l->session = m->u.hello.session;
    l->greeted = true;
    wire_grant refused[SINKS_REFUSALS_MAX];
    size_t refused_count = 0;
    for (size_t i = 0; i < m->u.hello.stations.count; i++) {
        const wire_grant *g = &m->u.hello.stations.items[i];
        uint32_t index = 0;
        const char *why = why_not(s, l, g->station, &index);
        if (why == NULL && !bind(s, l, index, g->credit)) {
            why = "try-later: no memory";
        }
        if (why != NULL && refused_count < SINKS_REFUSALS_MAX) {
            refused[refused_count++] = (wire_grant){.station = g->station, .why = why};
        }
    }
    core_audit(s->core, l->name, "sink.hello", l->lane == LANE_URGENT ? "urgent" : "other", "stations=%zu refused=%zu",
               m->u.hello.stations.count - refused_count, refused_count);
    kg_log(refused_count > 0 ? KG_WARNING : KG_INFO, "sink.hello", KG_TEXT("sink", l->name), KG_INT("lane", l->lane),
           KG_INT("stations", m->u.hello.stations.count - refused_count), KG_INT("refused", refused_count));
    const wire_msg welcome = {.kind = WIRE_WELCOME,
                              .u.welcome = {.router = s->core->config->name,
                                            .time_ms = s->core->now_ms,
                                            .refused = {refused, refused_count}}};
    kg_ignore(sinks_send(s, l, &welcome)); /* lost with the connection: then it says Hello again */
}

static void hear_credit(sinks *s, const sink_link *l, const wire_grants *grants)
{
    for (size_t i = 0; i < grants->count; i++) {
        const station *st = policy_station_find(s->core->policy, grants->items[i].station);
        if (st == NULL || s->slots[st->index].link[l->lane] != l) {
            continue; /* of a session that is over */
        }
        station_slot *slot = &s->slots[st->index];
        if (grants->items[i].credit > slot->granted[l->lane]) {
            slot->granted[l->lane] = grants->items[i].credit;
            if (slot->granted[l->lane] >= slot->before[l->lane]) {
                queue_credit(s->core->queue, st->index, l->lane, slot->granted[l->lane] - slot->before[l->lane]);
            }
        }
    }
}

static bool may_report(const sinks *s, const public_key *key, const station *st)
{
    if (public_same(&s->slots[st->index].key, key)) {
        return true;
    }
    const key_entry *e = manifest_connector(s->core->manifest, key);
    return e != NULL && manifest_serves(e, st->id);
}

static void note_bad_outcome(sinks *s, const book_alert *a, const wire_delivery_receipt *r)
{
    char id[ALERT_ID_TEXT];
    alert_id_text(a->id, id);
    const char *state = dlv_state_text((dlv_state)r->state);
    core_audit(s->core, r->station, "delivery.outcome", id, "state=%s code=%s %s", state, r->code, r->detail);
    kg_log(KG_WARNING, "delivery.outcome", KG_TEXT("alert", id), KG_TEXT("station", r->station),
           KG_TEXT("state", state), KG_TEXT("code", r->code), KG_TEXT("detail", r->detail));
}

/* False: it is about nothing that this sink may speak of. It is kept (acknowledged) all the same, or the sink would say
 * it for ever. */
static bool hear_receipt(sinks *s, const public_key *key, const wire_delivery_receipt *r)
{
    core *c = s->core;
    const station *st = policy_station_find(c->policy, r->station);
    const uint32_t at = (uint32_t)(r->delivery & ((1u << JOURNAL_LINE_BITS) - 1));
    const dlv_event event = r->state < DLV_STATE_COUNT ? dlv_event_of((dlv_state)r->state) : DLV_EVENT_COUNT;
    if (st == NULL || event == DLV_EVENT_COUNT || r->certainty >= DLV_CERTAINTY_COUNT || !may_report(s, key, st)) {
        return false;
    }
    book_alert *a = core_alert(c, r->id, journal_position_of(r->delivery));
    if (a == NULL || !alert_id_same(a->id, r->id) || a->position != journal_position_of(r->delivery) ||
        at >= a->count || a->lines[at].state == BOOK_ABSENT || a->lines[at].station != st->index) {
        return c->failed != KG_OK;
    }
    const core_outcome o = {.time_ms = r->time_ms,
                            .certainty = (dlv_certainty)r->certainty,
                            .sent = r->sent,
                            .reached = r->reached,
                            .code = r->code,
                            .detail = r->detail};
    if (r->playing > 0) {
        core_replayed(c, a, at, (dlv_state)r->state, &o);
    } else if (core_step(c, a, at, event, &o) && (event == DLV_REFUSE || event == DLV_FAIL || event == DLV_DOUBT)) {
        note_bad_outcome(s, a, r);
    }
    core_settle(c, a->position);
    return true;
}

static void hear_receipts(sinks *s, sink_link *l, const wire_msg *m)
{
    KG_FAULT("router.receipts");
    for (size_t i = 0; i < m->u.receipts.count && s->core->failed == KG_OK; i++) {
        if (!hear_receipt(s, &l->key, &m->u.receipts.items[i])) {
            s->core->counts[COUNT_STRANGE_RECEIPTS]++;
            kg_log(KG_WARNING, "receipt.strange", KG_TEXT("sink", l->name),
                   KG_TEXT("station", m->u.receipts.items[i].station),
                   KG_INT("delivery", m->u.receipts.items[i].delivery));
        }
    }
    l->kept = true;
    l->kept_batch = m->u.receipts.batch;
}

void sinks_hear(sinks *s, arrived *a)
{
    sink_link *l = a->link;
    if (l == NULL || a->done) {
        return;
    }
    a->done = a->msg.kind != WIRE_RECEIPTS;
    switch ((unsigned)a->msg.kind) {
    case WIRE_HELLO:
        hear_hello(s, l, &a->msg);
        break;
    case WIRE_CREDIT:
        hear_credit(s, l, &a->msg.u.credit.stations);
        break;
    case WIRE_RECEIPTS:
        hear_receipts(s, l, &a->msg);
        hear_credit(s, l, &a->msg.u.receipts.credit);
        break;
    case WIRE_WANT:
        sinks_piece(s, l, &a->msg);
        break;
    case WIRE_BEAT:
        kg_ignore(sinks_send(s, l, &a->msg)); /* the echo; lost with the connection */
        break;
    default:
        s->strange++;
        break;
    }
}
