#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "peer_own.h"

enum { RECEIPTS_A_BATCH = 128, CREDIT = 16 };

typedef struct receipt { /* kept until the router says that it keeps it */
    size_t order;
    dlv_state state;
    int64_t time_ms;
    uint64_t batch; /* 0: not said yet in this session */
} receipt;

typedef struct door {
    peer_sink *sink;
    lane lane;
    bus_client *client;
    bool welcome;
} door;

struct peer_sink {
    peer_world *world;
    peer_sink_setup setup;
    door doors[LANE_COUNT];
    uint64_t session, batch;
    uint32_t *granted[LANE_COUNT]; /* by station */
    peer_order *orders;
    size_t order_count, order_cap;
    size_t *by_delivery; /* open addressing: order + 1 */
    size_t hash_cap;
    receipt *receipts;
    size_t receipt_count, receipt_cap;
    size_t refused, recalls;
    bool said; /* receipts wait to be sent */
};

static void *grow(const peer_world *w, void *p, size_t n)
{
    void *more = realloc(p, n);
    if (more == NULL) {
        peer_die(w, "no memory for a sink");
    }
    return more;
}

/* ---- sending ---- */

static void send_msg(door *d, const wire_msg *m)
{
    kg_buf out = {0};
    peer_need(d->sink->world, wire_write(m, &out), NULL, "wire_write");
    kg_ignore(bus_client_send(d->client, out.s, out.len)); /* a lost message is what the protocol is made for */
    kg_buf_done(&out);
}

static void say_hello(door *d)
{
    peer_sink *s = d->sink;
    wire_grant *grants = grow(s->world, NULL, s->setup.count * sizeof *grants);
    char(*names)[PEER_STATION_TEXT] = grow(s->world, NULL, s->setup.count * sizeof *names);
    for (size_t i = 0; i < s->setup.count; i++) {
        peer_station(s->setup.first + i, names[i]);
        s->granted[d->lane][i] = s->setup.no_grants ? 0 : s->setup.credit;
        grants[i] = (wire_grant){.station = names[i], .credit = s->granted[d->lane][i], .why = ""};
    }
    const wire_msg m = {
        .kind = WIRE_HELLO,
        .u.hello = {
            .lane = (uint32_t)d->lane, .sink = "thu", .session = s->session, .stations = {grants, s->setup.count}}};
    send_msg(d, &m);
    free(grants);
    free(names);
    for (size_t i = 0; i < s->receipt_count; i++) {
        s->receipts[i].batch = 0; /* said again */
    }
    s->said = s->receipt_count > 0;
}

static void fill_receipt(const peer_sink *s, const receipt *r, wire_delivery_receipt *out, char *station)
{
    const peer_order *o = &s->orders[r->order];
    peer_station(o->station, station);
    *out = (wire_delivery_receipt){.id = o->id,
                                   .station = station,
                                   .delivery = o->delivery,
                                   .state = (uint32_t)r->state,
                                   .certainty = r->state == DLV_DONE ? CERTAIN_FINISHED : CERTAIN_NONE,
                                   .time_ms = r->time_ms,
                                   .code = dlv_final(r->state) && r->state != DLV_DONE ? "thu" : "",
                                   .detail = ""};
}

/* One batch a lane: what was not said yet of the orders that came over it, and the room they left. */
static void say_receipts(door *d)
{
    peer_sink *s = d->sink;
    wire_delivery_receipt items[RECEIPTS_A_BATCH];
    char names[RECEIPTS_A_BATCH][PEER_STATION_TEXT];
    wire_grant grants[RECEIPTS_A_BATCH];
    size_t n = 0;
    size_t granted = 0;
    s->batch++;
    for (size_t i = 0; i < s->receipt_count && n < RECEIPTS_A_BATCH; i++) {
        receipt *r = &s->receipts[i];
        const peer_order *o = &s->orders[r->order];
        if (r->batch != 0 || o->lane != d->lane) {
            continue;
        }
        r->batch = s->batch;
        fill_receipt(s, r, &items[n], names[n]);
        if (!s->setup.no_grants && (r->state == DLV_HELD || !s->setup.hold)) {
            grants[granted++] = (wire_grant){
                .station = names[n], .credit = ++s->granted[d->lane][o->station - s->setup.first], .why = ""};
        }
        n++;
    }
    if (n > 0) {
        const wire_msg m = {.kind = WIRE_RECEIPTS,
                            .u.receipts = {.batch = s->batch, .items = items, .count = n, .credit = {grants, granted}}};
        send_msg(d, &m);
    }
}

static bool unsaid(const peer_sink *s, lane on)
{
    for (size_t i = 0; i < s->receipt_count; i++) {
        if (s->receipts[i].batch == 0 && s->orders[s->receipts[i].order].lane == on) {
            return true;
        }
    }
    return false;
}

static void flush(peer_sink *s)
{
    for (int on = 0; s->said && on < LANE_COUNT; on++) {
        while (s->doors[on].welcome && unsaid(s, (lane)on)) {
            say_receipts(&s->doors[on]);
        }
    }
    s->said = false;
}

/* ---- orders ---- */

static size_t slot_of(const peer_sink *s, uint64_t delivery)
{
    size_t at = (size_t)(delivery * 0x9E3779B97F4A7C15u >> 20) & (s->hash_cap - 1);
    while (s->by_delivery[at] != 0 && s->orders[s->by_delivery[at] - 1].delivery != delivery) {
        at = (at + 1) & (s->hash_cap - 1);
    }
    return at;
}

static void make_room(peer_sink *s)
{
    if (s->order_count < s->order_cap) {
        return;
    }
    s->order_cap = s->order_cap == 0 ? 256 : 2 * s->order_cap;
    s->orders = grow(s->world, s->orders, s->order_cap * sizeof *s->orders);
    free(s->by_delivery);
    s->hash_cap = 4 * s->order_cap;
    s->by_delivery = peer_alloc(s->world, s->hash_cap * sizeof *s->by_delivery);
    for (size_t i = 0; i < s->order_count; i++) {
        s->by_delivery[slot_of(s, s->orders[i].delivery)] = i + 1;
    }
}

void peer_sink_say(peer_sink *s, size_t order, dlv_state state)
{
    if (s->receipt_count == s->receipt_cap) {
        s->receipt_cap = s->receipt_cap == 0 ? 256 : 2 * s->receipt_cap;
        s->receipts = grow(s->world, s->receipts, s->receipt_cap * sizeof *s->receipts);
    }
    s->receipts[s->receipt_count++] = (receipt){.order = order, .state = state, .time_ms = kg_clock_wall_ms()};
    s->orders[order].state = state;
    s->said = true;
    if (s->doors[s->orders[order].lane].welcome && !s->setup.hold) {
        flush(s); /* a script speaks at once; an automatic sink gathers until the message is read */
    }
}

void peer_sink_say_all(peer_sink *s, dlv_state state)
{
    const bool hold = s->setup.hold;
    s->setup.hold = true; /* gathered */
    for (size_t i = 0; i < s->order_count; i++) {
        if (s->orders[i].state < state && !dlv_final(s->orders[i].state)) {
            peer_sink_say(s, i, state);
        }
    }
    flush(s);
    s->setup.hold = hold;
}

static uint32_t station_number(const char *name)
{
    return (uint32_t)strtoul(name + 3, NULL, 10);
}

static void take_target(door *d, const wire_msg *m, const wire_target *t)
{
    peer_sink *s = d->sink;
    make_room(s);
    const size_t at = slot_of(s, t->delivery);
    if (s->by_delivery[at] != 0) {
        peer_order *known = &s->orders[s->by_delivery[at] - 1];
        known->again++;
        if (known->state >= DLV_HELD) {
            peer_sink_say(s, s->by_delivery[at] - 1, known->state); /* it held it before: says so again */
        }
        return;
    }
    s->by_delivery[at] = s->order_count + 1;
    s->orders[s->order_count++] = (peer_order){.delivery = t->delivery,
                                               .id = m->u.order.id,
                                               .station = station_number(t->station),
                                               .mode = t->mode,
                                               .state = DLV_OFFERED,
                                               .lane = d->lane,
                                               .at_us = peer_now_us()};
    if (s->setup.hold) {
        peer_sink_say(s, s->order_count - 1, DLV_HELD);
    }
    if (s->setup.finish) {
        peer_sink_say(s, s->order_count - 1, DLV_STARTED);
        peer_sink_say(s, s->order_count - 1, DLV_DONE);
    }
}

static void take_recall(peer_sink *s, const wire_msg *m)
{
    s->recalls++;
    for (size_t i = 0; i < m->u.recall.target_count; i++) {
        make_room(s);
        const size_t known = s->by_delivery[slot_of(s, m->u.recall.targets[i].delivery)];
        if (known == 0) {
            continue; /* never had it, and says nothing */
        }
        peer_order *o = &s->orders[known - 1];
        o->recalls++;
        if (o->state == DLV_HELD || o->state == DLV_STARTED) {
            peer_sink_say(s, known - 1, DLV_CANCELLED);
        }
    }
}

static void take_kept(const door *d, uint64_t batch)
{
    peer_sink *s = d->sink;
    size_t kept = 0;
    for (size_t i = 0; i < s->receipt_count; i++) {
        const receipt *r = &s->receipts[i];
        if (r->batch == 0 || r->batch > batch || s->orders[r->order].lane != d->lane) {
            s->receipts[kept++] = s->receipts[i];
        }
    }
    s->receipt_count = kept;
}

static void on_message(void *ctx, const void *bytes, size_t n)
{
    door *d = ctx;
    peer_sink *s = d->sink;
    wire_msg m;
    kg_diag diag = {0};
    peer_need(s->world, wire_read(bytes, n, &m, &diag), &diag, "sink");
    switch ((unsigned)m.kind) {
    case WIRE_WELCOME:
        d->welcome = true;
        s->refused += m.u.welcome.refused.count;
        break;
    case WIRE_ORDER:
        for (size_t i = 0; i < m.u.order.target_count; i++) {
            take_target(d, &m, &m.u.order.targets[i]);
        }
        break;
    case WIRE_RECALL:
        take_recall(s, &m);
        break;
    case WIRE_RECEIPTS_KEPT:
        take_kept(d, m.u.receipts_kept.batch);
        break;
    default:
        break;
    }
    wire_done(&m);
    flush(s);
}

static void on_up(void *ctx)
{
    say_hello(ctx);
}

static void on_down(void *ctx)
{
    ((door *)ctx)->welcome = false;
}

/* ---- life ---- */

void peer_sink_connect(peer_sink *s)
{
    static const bus_client_ops ops = {.up = on_up, .down = on_down, .message = on_message};
    peer_world *w = s->world;
    const public_key router = peer_router_key(w);
    bus *b = peer_bus_of(w, s->setup.second_key ? PEER_BUS_SINK_2 : PEER_BUS_SINK);
    kg_diag diag = {0};
    trust_random(&s->session, sizeof s->session);
    for (int on = 0; on < LANE_COUNT; on++) {
        peer_need(w,
                  bus_connect(b, on == LANE_URGENT ? w->urgent : w->other, &router, on == LANE_URGENT, &ops,
                              &s->doors[on], &s->doors[on].client, &diag),
                  &diag, "delivery");
    }
}

void peer_sink_disconnect(peer_sink *s)
{
    for (int on = 0; on < LANE_COUNT; on++) {
        bus_client_close(&s->doors[on].client);
        s->doors[on].welcome = false;
    }
}

static bool up_or_dead(void *ctx)
{
    return peer_sink_up(ctx) || !peer_router_alive(((peer_sink *)ctx)->world);
}

peer_sink *peer_sink_new(peer_world *w, const peer_sink_setup *setup)
{
    peer_sink *s = peer_alloc(w, sizeof *s);
    s->world = w;
    s->setup = *setup;
    s->setup.credit = setup->credit != 0 ? setup->credit : CREDIT;
    for (int on = 0; on < LANE_COUNT; on++) {
        s->doors[on] = (door){.sink = s, .lane = (lane)on};
        s->granted[on] = grow(w, NULL, setup->count * sizeof(uint32_t));
        memset(s->granted[on], 0, setup->count * sizeof(uint32_t));
    }
    make_room(s);
    peer_sink_connect(s);
    if (!peer_until(w, up_or_dead, s, PEER_WAIT_MS)) {
        peer_die(w, "the sink is not welcomed");
    }
    return s;
}

void peer_sink_free(peer_sink **s)
{
    if (s == NULL || *s == NULL) {
        return;
    }
    peer_sink_disconnect(*s);
    for (int on = 0; on < LANE_COUNT; on++) {
        free((*s)->granted[on]);
    }
    free((*s)->orders);
    free((*s)->by_delivery);
    free((*s)->receipts);
    free(*s);
    *s = NULL;
}

bool peer_sink_up(const peer_sink *s)
{
    return s->doors[LANE_URGENT].welcome && s->doors[LANE_OTHER].welcome;
}

size_t peer_sink_refused(const peer_sink *s)
{
    return s->refused;
}

size_t peer_order_count(const peer_sink *s)
{
    return s->order_count;
}

const peer_order *peer_order_at(const peer_sink *s, size_t i)
{
    return &s->orders[i];
}

size_t peer_sink_unkept(const peer_sink *s)
{
    return s->receipt_count;
}

size_t peer_recall_count(const peer_sink *s)
{
    return s->recalls;
}

void peer_sink_grant(peer_sink *s, lane on, uint32_t more)
{
    enum { GRANTS_A_MESSAGE = 1024 };
    wire_grant grants[GRANTS_A_MESSAGE];
    char names[GRANTS_A_MESSAGE][PEER_STATION_TEXT];
    for (size_t from = 0; from < s->setup.count; from += GRANTS_A_MESSAGE) {
        size_t n = 0;
        for (; n < GRANTS_A_MESSAGE && from + n < s->setup.count; n++) {
            peer_station(s->setup.first + from + n, names[n]);
            s->granted[on][from + n] += more;
            grants[n] = (wire_grant){.station = names[n], .credit = s->granted[on][from + n], .why = ""};
        }
        const wire_msg m = {.kind = WIRE_CREDIT, .u.credit.stations = {grants, n}};
        send_msg(&s->doors[on], &m);
    }
}
