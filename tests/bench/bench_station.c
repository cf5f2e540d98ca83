#include "tests/bench/bench_station.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/journal.h"
#include "tests/bench/bench_common.h"
#include "trust/verify.h"

enum { BUDGET = 4096 };

static void send_msg(const holder_line *line, const wire_msg *m)
{
    kg_buf out = {.s = NULL};
    bench_must(wire_write(m, &out), NULL, "packing");
    bench_must(bus_client_send(line->client, out.s, out.len), NULL, "sending");
    kg_buf_done(&out);
}

/* ---- what comes ---- */

static const holder_alert *verified(holder *h, lane l, const wire_msg *m)
{
    const wire_bytes *bytes = &m->u.order.signed_alert;
    const alert_hash *hash = &m->u.order.hash;
    const uint64_t delivery = m->u.order.target_count > 0 ? m->u.order.targets[0].delivery : 0;
    holder_alert *known = &h->known[l][journal_position_of(delivery) % HOLDER_KNOWN];
    if (known->signer != NULL && memcmp(known->hash.b, hash->b, sizeof hash->b) == 0) {
        return known;
    }
    alert a = {.identifier = NULL};
    kg_diag diag = {""};
    const alert_hash is = alert_hash_of(bytes->b, bytes->n);
    const key_entry *signer = NULL;
    if (memcmp(is.b, hash->b, sizeof is.b) != 0 ||
        verify_signed(bytes->b, bytes->n, h->world->manifest, h->world->areas, kg_clock_wall_ms(), &a, &signer,
                      &diag) != REFUSAL_NONE) {
        bench_die("an order that must be refused: %s", diag.text);
    }
    kg_buf_clear(&known->bytes);
    bench_must(kg_buf_put(&known->bytes, bytes->b, bytes->n), NULL, "keeping an alert");
    known->id = alert_own_id(&a);
    known->hash = *hash;
    known->signer = signer;
    alert_done(&a);
    return known;
}

static void keep_order(holder_line *line, const holder_alert *a, const wire_target *t)
{
    holder *h = line->station->holder;
    const lane l = line->lane;
    if (strcmp(t->station, line->station->id) != 0 || !verify_covers(a->signer, h->world->areas, &t->communes)) {
        bench_die("station %s got an order for %s", line->station->id, t->station);
    }
    if (h->order_count[l] == h->order_cap[l]) {
        h->order_cap[l] = h->order_cap[l] == 0 ? 256 : 2 * h->order_cap[l];
        h->orders[l] = bench_grow(h->orders[l], h->order_cap[l], sizeof *h->orders[l]);
    }
    wire_target kept = *t;
    kept.station = NULL;
    kept.delivery = 0;
    kg_buf packed = {.s = NULL};
    bench_must(wire_target_pack(&kept, &packed), NULL, "packing a target");
    h->orders[l][h->order_count[l]++] = (holder_order){
        .line = line, .delivery = t->delivery, .id = a->id, .alert = a, .target = packed.s, .target_len = packed.len};
}

static void take_order(holder_line *line, const wire_msg *m)
{
    holder *h = line->station->holder;
    const holder_alert *a = verified(h, line->lane, m);
    for (size_t i = 0; i < m->u.order.target_count; i++) {
        const wire_target *t = &m->u.order.targets[i];
        keep_order(line, a, t);
        if (h->ops.on_order != NULL) {
            h->ops.on_order(h->ctx, journal_position_of(t->delivery), line->lane == LANE_URGENT);
        }
    }
}

static void take_kept(holder_line *line, uint64_t batch)
{
    const holder *h = line->station->holder;
    while (line->said_count > 0 && line->said[line->said_first].batch <= batch) {
        if (h->ops.on_kept != NULL) {
            h->ops.on_kept(h->ctx, line->said[line->said_first].position);
        }
        line->said_first = (line->said_first + 1) % HOLDER_PENDING;
        line->said_count--;
    }
}

static void on_message(void *ctx, const void *bytes, size_t n)
{
    holder_line *line = ctx;
    wire_msg m;
    kg_diag diag = {""};
    bench_must(wire_read(bytes, n, &m, &diag), &diag, "reading what the router says");
    switch ((unsigned)m.kind) {
    case WIRE_WELCOME:
        if (m.u.welcome.refused.count > 0) {
            bench_die("%s: %s", line->station->id, m.u.welcome.refused.items[0].why);
        }
        line->station->holder->welcomed += line->welcomed ? 0 : 1;
        line->welcomed = true;
        break;
    case WIRE_ORDER:
        line->station->holder->order_bytes = n;
        take_order(line, &m);
        break;
    case WIRE_RECEIPTS_KEPT:
        take_kept(line, m.u.receipts_kept.batch);
        break;
    case WIRE_REFUSED:
        bench_die("%s: %s", m.u.refused.code, m.u.refused.sentence);
    default:
        break;
    }
    wire_done(&m);
}

static void on_up(void *ctx)
{
    holder_line *line = ctx;
    const holder *h = line->station->holder;
    wire_grant grant = {.station = line->station->id, .credit = h->credit, .why = ""};
    const wire_msg m = {
        .kind = WIRE_HELLO,
        .u.hello = {.lane = (uint32_t)line->lane, .sink = h->name, .session = 1, .stations = {&grant, 1}}};
    send_msg(line, &m);
}

static void on_down(void *ctx)
{
    (void)ctx;
    bench_die("a station's connection was lost");
}

/* ---- the turn ---- */

void holder_poll(holder *h, int wait_ms)
{
    kg_diag diag = {""};
    struct pollfd fd = {.fd = bus_fd(h->bus), .events = POLLIN};
    if (!bus_pending(h->bus)) {
        (void)poll(&fd, 1, wait_ms);
    }
    bench_must(bus_poll(h->bus, BUDGET, NULL, &diag), &diag, "polling");
}

static void write_rows(holder *h, const holder_order *orders, size_t n, int64_t now_ms)
{
    kg_diag diag = {""};
    for (size_t i = 0; i < n; i++) {
        const holder_order *o = &orders[i];
        const holder_alert *a = o->alert;
        if (!alert_id_same(a->id, o->id)) {
            bench_die("more alerts are under way than a holder remembers");
        }
        const ledger_holding row = {.id = o->id,
                                    .station = o->line->station->id,
                                    .delivery = o->delivery,
                                    .held_ms = now_ms,
                                    .expires_ms = now_ms + 1000,
                                    .target = o->target,
                                    .target_len = o->target_len};
        bench_must(ledger_hold(h->ledger, &row, &a->hash, a->bytes.s, a->bytes.len, &diag), &diag, "holding");
    }
}

/* One message for the orders of one line. */
static void say_held(holder_line *line, const holder_order *orders, size_t n, int64_t now_ms)
{
    wire_delivery_receipt items[HOLDER_PENDING];
    const holder *h = line->station->holder;
    if (n > HOLDER_PENDING - line->said_count) {
        bench_die("%s: more orders than its credit allows", line->station->id);
    }
    line->batch++;
    line->answered += (uint32_t)n;
    for (size_t i = 0; i < n; i++) {
        items[i] = (wire_delivery_receipt){.id = orders[i].id,
                                           .station = line->station->id,
                                           .delivery = orders[i].delivery,
                                           .state = DLV_HELD,
                                           .time_ms = now_ms,
                                           .code = "",
                                           .detail = ""};
        const size_t at = (line->said_first + line->said_count++) % HOLDER_PENDING;
        line->said[at].batch = line->batch;
        line->said[at].position = journal_position_of(orders[i].delivery);
    }
    wire_grant grant = {.station = line->station->id, .credit = line->answered + h->credit, .why = ""};
    const wire_msg m = {.kind = WIRE_RECEIPTS,
                        .u.receipts = {.batch = line->batch, .items = items, .count = n, .credit = {&grant, 1}}};
    send_msg(line, &m);
}

static void say_all(holder *h, holder_order *orders, size_t n, int64_t now_ms)
{
    for (size_t i = 0; i < n;) {
        size_t j = i + 1;
        while (j < n && orders[j].line == orders[i].line) {
            j++;
        }
        say_held(orders[i].line, &orders[i], j - i, now_ms);
        i = j;
    }
    for (size_t i = 0; i < n; i++) {
        if (h->ops.on_held != NULL) {
            h->ops.on_held(h->ctx, journal_position_of(orders[i].delivery));
        }
        free(orders[i].target);
    }
}

void holder_commit(holder *h, size_t most_other)
{
    kg_diag diag = {""};
    const size_t other = h->order_count[LANE_OTHER] < most_other ? h->order_count[LANE_OTHER] : most_other;
    const size_t urgent = h->order_count[LANE_URGENT];
    const int64_t now_ms = kg_clock_wall_ms();
    if (urgent + other == 0) {
        return;
    }
    bench_must(ledger_begin(h->ledger, &diag), &diag, "begin");
    write_rows(h, h->orders[LANE_URGENT], urgent, now_ms);
    write_rows(h, h->orders[LANE_OTHER], other, now_ms);
    bench_must(ledger_commit(h->ledger, &diag), &diag, "commit");
    h->commits++;
    say_all(h, h->orders[LANE_URGENT], urgent, now_ms);
    say_all(h, h->orders[LANE_OTHER], other, now_ms);
    h->order_count[LANE_URGENT] = 0;
    h->order_count[LANE_OTHER] -= other;
    memmove(h->orders[LANE_OTHER], h->orders[LANE_OTHER] + other,
            h->order_count[LANE_OTHER] * sizeof *h->orders[LANE_OTHER]);
}

/* ---- life ---- */

static void connect_line(holder *h, holder_line *line)
{
    static const bus_client_ops ops = {.up = on_up, .down = on_down, .message = on_message};
    kg_diag diag = {""};
    const bool urgent = line->lane == LANE_URGENT;
    bench_must(bus_connect(h->bus, urgent ? h->world->urgent : h->world->other, &h->world->router, urgent, &ops, line,
                           &line->client, &diag),
               &diag, "connecting");
}

void holder_open(holder *h, const bench_world *w, const holder_wish *wish)
{
    kg_diag diag = {""};
    h->world = w;
    h->name = wish->key;
    h->credit = wish->credit;
    h->count = wish->count;
    h->key = world_key(w, wish->key);
    h->stations = bench_room(h->count, sizeof *h->stations);
    bench_must(ledger_open(wish->ledger, &h->ledger, &diag), &diag, "opening a ledger");
    bench_must(bus_new(h->key, &h->bus, &diag), &diag, "opening a bus");
    for (size_t i = 0; i < h->count; i++) {
        holder_station *s = &h->stations[i];
        s->holder = h;
        world_station(wish->first + i, s->id);
        for (int l = 0; l < LANE_COUNT; l++) {
            s->lines[l] = (holder_line){.station = s, .lane = (lane)l};
            connect_line(h, &s->lines[l]);
        }
    }
    while (h->welcomed < h->count * LANE_COUNT) {
        holder_poll(h, 1000);
    }
}
