/* link - one lane of the talk with one router: hello, credit, receipts until they are kept, heartbeat.
 *
 * What is said leaves only after the commit of its turn (link_flush). HELD, STARTED and answers to repeated orders are
 * not stored: their rows are, and a router that missed them orders again. Outcomes are rows of the ledger, read from
 * there, sent in batches, and deleted when every router concerned keeps them. */
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "sink/engine.h"

enum { BEAT_MS = 2000, KEPT_PATIENCE_MS = 15000, SAID_MAX = 1000 * 1000, ROWS_A_LOOK = 400 };

static const uint32_t waiting_max[LANE_COUNT] = {
    [LANE_OTHER] = CREDIT_WAITING_OTHER,
    [LANE_URGENT] = CREDIT_WAITING_URGENT,
};

static sink_link *link_at(sink *s, size_t router, lane l)
{
    return &s->links[router][l];
}

kg_err link_send(sink *s, size_t router, lane l, const wire_msg *m)
{
    kg_buf_clear(&s->frame);
    s->frame.max = WIRE_FRAME_MAX;
    kg_err e = wire_write(m, &s->frame);
    if (e == KG_OK) {
        e = s->edges.send(s->edges.ctx, router, l, s->frame.s, s->frame.len);
    }
    return e;
}

/* ---- hello and credit ---- */

/* Beyond what memory holds no credit is given; a part is kept for the urgent. */
static uint32_t room_for(const sink *s, const post *p, lane l)
{
    const size_t most = l == LANE_URGENT ? HOLDINGS_MAX : OTHER_HOLDINGS_MAX;
    return s->holdings >= most ? UINT32_MAX : p->waiting[l];
}

static bool send_hello(sink *s, size_t router, lane l, size_t from, size_t count)
{
    wire_grant *grants = calloc(count + 1, sizeof *grants); /* count <= SINK_STATIONS_MAX */
    if (grants == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        post *p = &s->posts[from + i];
        credit *c = &p->credit[router][l];
        *c = (credit){0, 0};
        c->granted = credit_total(c, room_for(s, p, l), waiting_max[l]);
        grants[i] = (wire_grant){.station = p->station->id, .credit = c->granted, .why = ""};
    }
    wire_msg m = {.kind = WIRE_HELLO};
    m.u.hello.lane = (uint32_t)l;
    m.u.hello.sink = s->config->name;
    m.u.hello.session = s->session;
    m.u.hello.stations = (wire_grants){grants, count};
    const kg_err e = link_send(s, router, l, &m);
    free(grants);
    if (e == KG_E_LIMIT && count > 1) { /* too many stations for a frame: half and half, of the same session */
        return send_hello(s, router, l, from, count / 2) &&
               send_hello(s, router, l, from + count / 2, count - count / 2);
    }
    return e == KG_OK;
}

void sink_link_up(sink *s, size_t router, lane l)
{
    sink_link *k = link_at(s, router, l);
    kg_arena_done(&k->said_mem);
    k->said_count = 0; /* the router orders again what it has not heard to be held */
    k->open_count = 0;
    k->scanned_row = k->kept_row;
    k->behind = true;
    k->welcomed = false;
    k->beat_ms = sink_now_ms(s);
    k->up = send_hello(s, router, l, 0, s->post_count);
    k->hello_again = !k->up;
    kg_log(KG_INFO, "router.up", KG_TEXT("router", s->config->routers[router].name),
           KG_TEXT("lane", l == LANE_URGENT ? "urgent" : "other"));
}

void link_hello_again(sink *s, lane l)
{
    for (size_t i = 0; i < s->config->router_count; i++) {
        s->links[i][l].hello_again = s->links[i][l].up;
    }
}

void sink_link_down(sink *s, size_t router, lane l)
{
    sink_link *k = link_at(s, router, l);
    if (k->up) {
        kg_log(KG_WARNING, "router.down", KG_TEXT("router", s->config->routers[router].name),
               KG_TEXT("lane", l == LANE_URGENT ? "urgent" : "other"));
    }
    k->up = false;
    k->hello_again = false;
    k->said_count = 0;
    kg_arena_done(&k->said_mem);
}

void link_answered(sink *s, const sink_from *from, post *p)
{
    (void)s;
    if (p != NULL) {
        p->credit[from->router][from->lane].answered++;
    }
}

/* Totals: one that could not be sent is made up for by the next. */
static void send_credit(sink *s, size_t router, lane l)
{
    enum { GRANTS = 500 };
    wire_grant grants[GRANTS];
    credit *told[GRANTS];
    for (size_t i = 0; i < s->post_count;) {
        size_t n = 0;
        for (; i < s->post_count && n < GRANTS; i++) {
            post *p = &s->posts[i];
            const uint32_t waiting = room_for(s, p, l);
            if (credit_is_stale(&p->credit[router][l], waiting, waiting_max[l])) {
                told[n] = &p->credit[router][l];
                grants[n] = (wire_grant){p->station->id, credit_total(told[n], waiting, waiting_max[l]), ""};
                n++;
            }
        }
        wire_msg m = {.kind = WIRE_CREDIT};
        m.u.credit.stations = (wire_grants){grants, n};
        if (n == 0 || link_send(s, router, l, &m) != KG_OK) {
            return;
        }
        for (size_t k = 0; k < n; k++) {
            told[k]->granted = grants[k].credit;
        }
    }
}

/* ---- what is said ---- */

void link_say(sink *s, size_t router, lane l, const wire_delivery_receipt *r)
{
    sink_link *k = link_at(s, router, l);
    if (!k->up) {
        return;
    }
    if (k->said_count == k->said_cap) {
        const size_t cap = k->said_cap == 0 ? 256 : 2 * k->said_cap;
        wire_delivery_receipt *said = cap > SAID_MAX ? NULL : realloc(k->said, cap * sizeof *said);
        if (said == NULL) {
            sink_break(s, KG_E_NOMEM, NULL);
            return;
        }
        k->said = said;
        k->said_cap = cap;
    }
    wire_delivery_receipt copy = *r;
    const post *p = board_post(s, r->station);
    copy.station = p != NULL ? p->station->id : kg_arena_str(&k->said_mem, r->station);
    copy.code = r->code != NULL && r->code[0] != '\0' ? kg_arena_str(&k->said_mem, r->code) : "";
    copy.detail = r->detail != NULL && r->detail[0] != '\0' ? kg_arena_str(&k->said_mem, r->detail) : "";
    if (copy.station == NULL || copy.code == NULL || copy.detail == NULL) {
        sink_break(s, KG_E_NOMEM, NULL);
        return;
    }
    k->said[k->said_count++] = copy;
}

void link_held(sink *s, const holding *h)
{
    for (size_t i = 0; i < s->config->router_count; i++) {
        if (h->delivery[i] != 0) {
            playout_say(s, h, i, DLV_HELD);
        }
    }
}

static bool send_batch(sink *s, size_t router, lane l, const wire_delivery_receipt *items, size_t count)
{
    sink_link *k = link_at(s, router, l);
    wire_msg m = {.kind = WIRE_RECEIPTS};
    m.u.receipts.batch = k->next_batch + 1;
    m.u.receipts.items = items;
    m.u.receipts.count = count;
    KG_FAULT("sink.before_receipts");
    const kg_err e = link_send(s, router, l, &m);
    if (e == KG_E_LIMIT && count > 1) {
        return send_batch(s, router, l, items, count / 2) &&
               send_batch(s, router, l, items + count / 2, count - count / 2);
    }
    if (e != KG_OK) {
        return false;
    }
    KG_FAULT("sink.after_receipts");
    k->next_batch++;
    k->open[k->open_count % BATCHES_MAX] = (sent_batch){k->next_batch, k->scanned_row, sink_now_ms(s)};
    k->open_count++;
    return true;
}

static bool pipe_has_room(const sink_link *k)
{
    return k->open_count < BATCHES_MAX / 2; /* a batch that is too large for a frame may become several */
}

static void flush_said(sink *s, size_t router, lane l)
{
    sink_link *k = link_at(s, router, l);
    size_t sent = 0;
    while (sent < k->said_count && pipe_has_room(k)) {
        const size_t left = k->said_count - sent;
        const size_t n = left < BATCH_ITEMS ? left : BATCH_ITEMS;
        if (!send_batch(s, router, l, k->said + sent, n)) {
            break;
        }
        sent += n;
    }
    if (sent == k->said_count) {
        k->said_count = 0;
        kg_arena_done(&k->said_mem);
    } else if (sent > 0) {
        k->said_count -= sent;
        memmove(k->said, k->said + sent, k->said_count * sizeof *k->said);
    }
}

/* ---- outcomes, from the ledger ---- */

typedef struct look {
    sink *s;
    size_t router;
    lane lane;
    kg_arena mem;
    wire_delivery_receipt items[BATCH_ITEMS];
    size_t count, bytes, rows;
    uint64_t last_row;
} look;

static kg_err look_at_row(void *ctx, const ledger_receipt *row)
{
    look *k = ctx;
    const void *packed = NULL;
    size_t len = 0;
    if (!rows_receipt_is_for(row, k->s->config->routers[k->router].name, k->lane, &packed, &len)) {
        k->rows++;
        k->last_row = row->row;
        return KG_OK;
    }
    if (k->count == BATCH_ITEMS || (k->count > 0 && k->bytes + len > BATCH_BYTES)) {
        return KG_E_AGAIN; /* enough for one batch; the rest is read the next time */
    }
    wire_delivery_receipt r;
    const kg_err e = wire_delivery_receipt_read(packed, len, &k->mem, &r, NULL);
    if (e != KG_OK) {
        return e;
    }
    k->items[k->count++] = r;
    k->bytes += len;
    k->rows++;
    k->last_row = row->row;
    return KG_OK;
}

/* One batch of outcomes. False when there are no more, or they cannot go now. */
static bool flush_rows_once(sink *s, size_t router, lane l)
{
    sink_link *k = link_at(s, router, l);
    look *at = calloc(1, sizeof *at);
    if (at == NULL) {
        return false;
    }
    *at = (look){.s = s, .router = router, .lane = l, .last_row = k->scanned_row};
    kg_diag diag = {{0}};
    const kg_err e = ledger_receipts(s->ledger, k->scanned_row, ROWS_A_LOOK, look_at_row, at, &diag);
    bool more = false;
    if (e != KG_OK && e != KG_E_AGAIN) {
        sink_break(s, e, &diag);
    } else {
        const uint64_t before = k->scanned_row;
        k->scanned_row = at->last_row;
        if (at->count > 0 && !send_batch(s, router, l, at->items, at->count)) {
            k->scanned_row = before;
        } else {
            more = e == KG_E_AGAIN || at->rows == ROWS_A_LOOK;
            k->behind = more;
        }
    }
    kg_arena_done(&at->mem);
    free(at);
    return more;
}

void link_rows_put(sink *s)
{
    for (size_t i = 0; i < s->config->router_count; i++) {
        s->links[i][LANE_URGENT].behind = true;
        s->links[i][LANE_OTHER].behind = true;
    }
}

/* Rows every link has either passed over or heard to be kept are deleted. */
static void delete_kept(sink *s)
{
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < s->config->router_count; i++) {
        for (size_t l = 0; l < LANE_COUNT; l++) {
            const sink_link *k = &s->links[i][l];
            const uint64_t done = k->open_count == 0 && k->up ? k->scanned_row : k->kept_row;
            least = done < least ? done : least;
        }
    }
    if (least != UINT64_MAX && least > s->kept_row) {
        s->kept_row = least;
        rows_kept(s, least);
    }
}

static void take_kept(sink *s, const sink_from *from, uint64_t batch)
{
    sink_link *k = link_at(s, from->router, from->lane);
    size_t n = 0;
    while (n < k->open_count && k->open[n].batch <= batch) {
        k->kept_row = k->open[n].last_row;
        n++;
    }
    k->open_count -= n;
    memmove(k->open, k->open + n, k->open_count * sizeof k->open[0]);
    delete_kept(s);
}

/* ---- messages and time ---- */

void link_take(sink *s, const sink_from *from, const wire_msg *m)
{
    sink_link *k = link_at(s, from->router, from->lane);
    const char *router = s->config->routers[from->router].name;
    if (m->kind == WIRE_RECEIPTS_KEPT) {
        take_kept(s, from, m->u.receipts_kept.batch);
    } else if (m->kind == WIRE_WELCOME) {
        k->welcomed = true;
        for (size_t i = 0; i < m->u.welcome.refused.count; i++) {
            kg_log(KG_ERROR, "station.refused", KG_TEXT("router", router),
                   KG_TEXT("station", m->u.welcome.refused.items[i].station),
                   KG_TEXT("why", m->u.welcome.refused.items[i].why));
        }
    } else if (m->kind == WIRE_REFUSED) {
        kg_log(KG_WARNING, "router.refused", KG_TEXT("router", router), KG_TEXT("code", m->u.refused.code),
               KG_TEXT("why", m->u.refused.sentence));
    }
}

static void beat(sink *s, size_t router, lane l, int64_t now_ms)
{
    sink_link *k = link_at(s, router, l);
    if (now_ms >= k->beat_ms) {
        wire_msg m = {.kind = WIRE_BEAT};
        m.u.beat.number = ++k->beats;
        m.u.beat.time_ms = now_ms;
        kg_ignore(link_send(s, router, l, &m)); /* the next one will do */
        k->beat_ms = now_ms + BEAT_MS;
    }
}

static void flush_link(sink *s, size_t router, lane l, int64_t now_ms)
{
    sink_link *k = link_at(s, router, l);
    if (k->hello_again) {
        sink_link_up(s, router, l);
    }
    if (!k->up) {
        return;
    }
    if (k->open_count > 0 && now_ms - k->open[0].sent_ms > KEPT_PATIENCE_MS) {
        k->scanned_row = k->kept_row; /* it never said that it keeps them: once more */
        k->open_count = 0;
        k->behind = true;
    }
    flush_said(s, router, l);
    while (k->said_count == 0 && k->behind && pipe_has_room(k) && flush_rows_once(s, router, l)) {
    }
    send_credit(s, router, l);
    beat(s, router, l, now_ms);
}

int64_t link_flush(sink *s)
{
    static const lane order[] = {LANE_URGENT, LANE_OTHER};
    const int64_t now_ms = sink_now_ms(s);
    bool any = false;
    for (size_t o = 0; o < LANE_COUNT; o++) {
        for (size_t i = 0; i < s->config->router_count; i++) {
            flush_link(s, i, order[o], now_ms);
            any = any || s->links[i][order[o]].up || s->links[i][order[o]].hello_again;
        }
    }
    return any ? now_ms + BEAT_MS / 2 : INT64_MAX;
}

void link_free(sink *s)
{
    for (size_t i = 0; i < SINK_ROUTERS_MAX; i++) {
        for (size_t l = 0; l < LANE_COUNT; l++) {
            kg_arena_done(&s->links[i][l].said_mem);
            free(s->links[i][l].said);
            s->links[i][l].said = NULL;
        }
    }
}
