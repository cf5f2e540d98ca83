#include "sinks.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ending.h"
#include "sinks_own.h"

/* ---- connections ---- */

static size_t seek(const links *l, bus_peer peer)
{
    size_t low = 0;
    size_t high = l->count;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (l->items[mid]->peer < peer) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static sink_link *find_link(const links *l, bus_peer peer)
{
    const size_t at = seek(l, peer);
    return at < l->count && l->items[at]->peer == peer ? l->items[at] : NULL;
}

static sink_link *new_link(sinks *s, lane on, bus_peer peer, const public_key *key)
{
    links *l = &s->lanes[on];
    if (l->count == l->cap) {
        const size_t cap = l->cap == 0 ? 64 : 2 * l->cap;
        sink_link **items = realloc(l->items, cap * sizeof(sink_link *));
        if (items == NULL) {
            return NULL;
        }
        l->items = items;
        l->cap = cap;
    }
    sink_link *link = calloc(1, sizeof *link);
    if (link == NULL) {
        return NULL;
    }
    *link = (sink_link){.owner = s, .peer = peer, .lane = on, .number = s->next_number++, .key = *key};
    const size_t at = seek(l, peer);
    memmove(&l->items[at + 1], &l->items[at], (l->count - at) * sizeof(sink_link *));
    l->items[at] = link;
    l->count++;
    return link;
}

void sinks_unbind(sinks *s, sink_link *l, uint32_t at)
{
    station_slot *slot = &s->slots[at];
    if (slot->link[l->lane] == l) {
        slot->link[l->lane] = NULL;
        slot->session[l->lane]++;
        slot->granted[l->lane] = slot->sent[l->lane] = slot->before[l->lane] = 0;
        queue_reset(s->core->queue, at, l->lane);
        s->sweep = true;
    }
}

static void drop_link(sinks *s, sink_link *link)
{
    links *l = &s->lanes[link->lane];
    for (size_t i = 0; i < link->station_count; i++) {
        sinks_unbind(s, link, link->stations[i]);
    }
    for (size_t i = 0; i < s->arrived_count; i++) {
        if (s->arrived[i].link == link) {
            s->arrived[i].link = NULL; /* what it said before still counts */
        }
    }
    const size_t at = seek(l, link->peer);
    memmove(&l->items[at], &l->items[at + 1], (l->count - at - 1) * sizeof(sink_link *));
    l->count--;
    free(link->stations);
    free(link);
}

/* ---- the bus's side ---- */

static bool admit(void *ctx, const public_key *key)
{
    const struct lane_ctx *on = ctx;
    const core *c = on->owner->core;
    const key_entry *e = manifest_connector(c->manifest, key);
    return key_entry_valid(e, c->now_ms) && e->role == ROLE_SINK;
}

static void say_refused(sinks *s, lane on, bus_peer peer, const char *code, const char *sentence)
{
    const wire_msg m = {.kind = WIRE_REFUSED, .u.refused = {code, sentence}};
    kg_buf out = {0};
    if (wire_write(&m, &out) == KG_OK) {
        kg_ignore(bus_send(s->lanes[on].server, peer, out.s, out.len)); /* only a courtesy */
    }
    kg_buf_done(&out);
}

static void on_message(void *ctx, bus_peer peer, const public_key *key, const void *bytes, size_t n)
{
    struct lane_ctx *on = ctx;
    sinks *s = on->owner;
    arrived a = {0};
    kg_diag diag = {0};
    kg_err e = wire_read(bytes, n, &a.msg, &diag);
    if (e != KG_OK) {
        say_refused(s, on->lane, peer, refusal_code(e == KG_E_DENIED ? REFUSAL_BAD_VERSION : REFUSAL_BAD_FORM),
                    diag.text);
        return;
    }
    a.link = find_link(&s->lanes[on->lane], peer);
    if (a.link == NULL) {
        a.link = new_link(s, on->lane, peer, key);
    }
    if (s->arrived_count == s->arrived_cap) {
        const size_t cap = s->arrived_cap == 0 ? 256 : 2 * s->arrived_cap;
        arrived *more = realloc(s->arrived, cap * sizeof *more);
        if (more != NULL) {
            s->arrived = more;
            s->arrived_cap = cap;
        }
    }
    if (a.link == NULL || s->arrived_count == s->arrived_cap) {
        wire_done(&a.msg); /* no memory: the sink says it again */
        return;
    }
    a.link->heard_ms = s->core->now_ms;
    s->arrived[s->arrived_count++] = a;
}

static void on_gone(void *ctx, bus_peer peer)
{
    struct lane_ctx *on = ctx;
    sink_link *link = find_link(&on->owner->lanes[on->lane], peer);
    if (link != NULL) {
        kg_log(KG_INFO, "sink.gone", KG_TEXT("sink", link->name), KG_INT("lane", on->lane),
               KG_INT("stations", link->station_count));
        drop_link(on->owner, link);
    }
}

/* ---- life ---- */

kg_err sinks_new(core *c, sinks **out)
{
    sinks *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return KG_E_NOMEM;
    }
    s->core = c;
    s->slot_count = policy_station_count(c->policy);
    s->slots = calloc(s->slot_count + 1, sizeof *s->slots);
    s->said = calloc(s->slot_count + 1, sizeof *s->said);
    if (s->slots == NULL || s->said == NULL) {
        sinks_free(&s);
        return KG_E_NOMEM;
    }
    for (int i = 0; i < LANE_COUNT; i++) {
        s->ctx[i] = (struct lane_ctx){s, (lane)i};
    }
    *out = s;
    return KG_OK;
}

kg_err sinks_listen(sinks *s, bus *b, lane on, const char *endpoint, kg_diag *diag)
{
    static const bus_server_ops ops = {admit, on_message, on_gone};
    /* Pieces of a recording go over the other lane: a slow line must not look like a dead one. */
    return bus_listen(b, on == LANE_URGENT ? "urgent" : "other", endpoint, on == LANE_URGENT, &ops, &s->ctx[on],
                      &s->lanes[on].server, diag);
}

static void forget_arrived(sinks *s)
{
    for (size_t i = 0; i < s->arrived_count; i++) {
        wire_done(&s->arrived[i].msg);
    }
    s->arrived_count = 0;
}

void sinks_close(sinks *s)
{
    for (int i = 0; i < LANE_COUNT; i++) {
        bus_server_close(&s->lanes[i].server);
    }
}

void sinks_free(sinks **s)
{
    if (s == NULL || *s == NULL) {
        return;
    }
    sinks *t = *s;
    sinks_close(t);
    forget_arrived(t);
    for (int i = 0; i < LANE_COUNT; i++) {
        for (size_t j = 0; j < t->lanes[i].count; j++) {
            free(t->lanes[i].items[j]->stations);
            free(t->lanes[i].items[j]);
        }
        free(t->lanes[i].items);
    }
    for (size_t i = 0; i < SINKS_BLOBS; i++) {
        kg_buf_done(&t->blobs[i].bytes);
    }
    free(t->arrived);
    free(t->slots);
    free(t->said);
    free(t);
    *s = NULL;
}

/* ---- the turn ---- */

static book_alert *leased(core *c, const lease_item *item, book_line **line)
{
    book_alert *a = book_find(c->book, journal_position_of(item->delivery));
    const uint32_t at = (uint32_t)(item->delivery & ((1u << JOURNAL_LINE_BITS) - 1));
    if (a == NULL || at >= a->count || a->lines[at].state == BOOK_ABSENT) {
        return NULL;
    }
    *line = &a->lines[at];
    return a;
}

/* Back to the queue, unless its alert has ended meanwhile: then the next Hello is answered with a Recall. */
static void offer_lost(sinks *s, book_alert *a, book_line *l)
{
    core *c = s->core;
    const uint32_t at = (uint32_t)(l - a->lines);
    if (!core_step(c, a, at, DLV_LOST, NULL)) {
        return;
    }
    c->counts[COUNT_LOST]++;
    if (a->lifecycle == LIFE_ALIVE) {
        const kg_err e = core_queue(c, a, at);
        if (e != KG_OK) {
            kg_diag diag = {0};
            (void)core_fail(c, kg_fail(&diag, e, "no room to queue a delivery again"), &diag);
        }
    }
}

static bool stands(const lease_item *item, const book_line *l)
{
    return item->recall ? l->state == DLV_PENDING || l->state == DLV_OFFERED
                        : l->state == DLV_OFFERED && l->offer == item->offer;
}

static lease_fate trim_one(void *ctx, lane on, const lease_item *item)
{
    (void)on;
    const sinks *s = ctx;
    book_line *l = NULL;
    return leased(s->core, item, &l) != NULL && stands(item, l) ? LEASE_KEEP : LEASE_DROP;
}

static lease_fate sweep_one(void *ctx, lane on, const lease_item *item)
{
    sinks *s = ctx;
    book_line *l = NULL;
    book_alert *a = leased(s->core, item, &l);
    if (a == NULL || !stands(item, l)) {
        return LEASE_DROP;
    }
    if (s->slots[item->station].session[on] == item->session) {
        return LEASE_KEEP;
    }
    if (!item->recall) {
        offer_lost(s, a, l);
    }
    return LEASE_DROP;
}

void sinks_work(sinks *s)
{
    for (size_t i = 0; i < s->arrived_count; i++) {
        sinks_hear(s, &s->arrived[i]);
    }
    if (s->sweep) {
        s->sweep = false;
        lease_sweep(s->core->lease, sweep_one, s);
    }
    if (s->any_said) {
        ending_greet(s->core, s->said);
        memset(s->said, 0, s->slot_count * sizeof *s->said);
        s->any_said = false;
    }
    lease_trim(s->core->lease, trim_one, s);
}

void sinks_rebind(sinks *s)
{
    core *c = s->core;
    for (uint32_t i = 0; i < s->slot_count; i++) {
        for (int on = 0; on < LANE_COUNT; on++) {
            station_slot *slot = &s->slots[i];
            if (slot->link[on] != NULL) {
                slot->before[on] = slot->sent[on];
                queue_credit(c->queue, i, (lane)on, slot->granted[on] - slot->before[on]);
                s->said[i] = s->any_said = true; /* Recalls are due again */
            }
        }
    }
}

void sinks_leases(sinks *s)
{
    core *c = s->core;
    for (int on = 0; on < LANE_COUNT; on++) {
        lease_item item;
        while (lease_over(c->lease, (lane)on, c->mono_ms, &item)) {
            book_line *l = NULL;
            book_alert *a = leased(c, &item, &l);
            if (a == NULL || !stands(&item, l) || s->slots[item.station].session[on] != item.session) {
                continue;
            }
            if (item.recall) {
                /* It was told, it is there, and it never spoke of this delivery: it never had it. */
                const core_outcome o = {
                    .time_ms = c->now_ms, .code = "never-held", .detail = "recalled; the sink did not have it"};
                (void)core_step(c, a, (uint32_t)(l - a->lines), recall_event((life_state)a->lifecycle), &o);
            } else {
                kg_log(KG_WARNING, "offer.lost", KG_TEXT("station", policy_station(c->policy, item.station)->id),
                       KG_INT("delivery", item.delivery));
                offer_lost(s, a, l);
            }
        }
    }
}

void sinks_manifest(sinks *s)
{
    for (int on = 0; on < LANE_COUNT; on++) {
        links *l = &s->lanes[on];
        for (size_t i = l->count; i-- > 0;) {
            sink_link *link = l->items[i];
            if (!admit(&s->ctx[on], &link->key)) {
                kg_log(KG_WARNING, "sink.dropped", KG_TEXT("sink", link->name), KG_TEXT("why", "its key is not valid"));
                bus_close_peer(l->server, link->peer);
                drop_link(s, link);
            }
        }
    }
}

/* ---- for dispatch and operate ---- */

sink_link *sinks_link(const sinks *s, uint32_t at, lane on)
{
    return at < s->slot_count ? s->slots[at].link[on] : NULL;
}

uint32_t sinks_session(const sinks *s, uint32_t at, lane on)
{
    return s->slots[at].session[on];
}

void sinks_sent(sinks *s, uint32_t at, lane on)
{
    s->slots[at].sent[on]++;
}

uint32_t sink_link_number(const sink_link *l)
{
    return l->number;
}

kg_err sinks_send(sinks *s, sink_link *l, const wire_msg *m)
{
    kg_buf out = {0};
    kg_err e = wire_write(m, &out);
    if (e == KG_OK) {
        e = bus_send(s->lanes[l->lane].server, l->peer, out.s, out.len);
    }
    kg_buf_done(&out);
    return e;
}

size_t sinks_count(const sinks *s)
{
    return s->lanes[LANE_URGENT].count;
}

sinks_station sinks_look(const sinks *s, uint32_t at)
{
    const station_slot *slot = &s->slots[at];
    sinks_station out = {.sink = "", .heard_ms = slot->heard_ms};
    for (int on = 0; on < LANE_COUNT; on++) {
        const sink_link *l = slot->link[on];
        out.up[on] = l != NULL;
        out.granted[on] = slot->granted[on];
        out.sent[on] = slot->sent[on];
        if (l != NULL) {
            out.sink = l->name;
            out.heard_ms = l->heard_ms > out.heard_ms ? l->heard_ms : out.heard_ms;
        }
    }
    return out;
}
