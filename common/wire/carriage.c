/* carriage - the talk between router and sink: hello, welcome, credit, order, recall, receipts, receipts kept. */
#include <string.h>

#include "wire/body.h"

static wire_grants read_grants(part_in *in, Kg__StationGrant *const *p, size_t n)
{
    wire_grants g = {.items = part_list(in, "stations", n, sizeof *g.items)};
    for (; g.items != NULL && g.count < n; g.count++) {
        g.items[g.count].station = part_name(in, "grant.station", &p[g.count]->station);
        g.items[g.count].credit = p[g.count]->credit;
        g.items[g.count].why = "";
    }
    return g;
}

static Kg__StationGrant **write_grants(part_out *out, const wire_grants *g, size_t *n)
{
    Kg__StationGrant *each = part_array(out, g->count, sizeof *each);
    Kg__StationGrant **list = part_pointers(out, g->count);
    *n = list != NULL ? g->count : 0;
    for (size_t i = 0; i < *n; i++) {
        kg__station_grant__init(&each[i]);
        each[i].station = part_put_text(out, g->items[i].station, WIRE_NAME_MAX);
        each[i].credit = g->items[i].credit;
        list[i] = &each[i];
    }
    return list;
}

void body_hello_read(part_in *in, const Kg__Envelope *w, wire_msg *m)
{
    const Kg__Hello *h = w->hello;
    if (h->lane > 1) {
        part_refuse(in, KG_E_INVALID, "hello.lane", "is neither 0 (other) nor 1 (urgent)");
    }
    m->u.hello.lane = h->lane;
    m->u.hello.sink = part_name(in, "hello.sink", &h->sink);
    m->u.hello.session = h->session;
    m->u.hello.stations = read_grants(in, h->stations, h->n_stations);
}

void body_hello_write(part_out *out, const wire_msg *m, Kg__Envelope *w)
{
    Kg__Hello *h = part_new(out, sizeof *h);
    if (h == NULL) {
        return;
    }
    kg__hello__init(h);
    h->lane = m->u.hello.lane;
    h->sink = part_put_text(out, m->u.hello.sink, WIRE_NAME_MAX);
    h->session = m->u.hello.session;
    h->stations = write_grants(out, &m->u.hello.stations, &h->n_stations);
    w->hello = h;
}

void body_credit_read(part_in *in, const Kg__Envelope *w, wire_msg *m)
{
    m->u.credit.stations = read_grants(in, w->credit->stations, w->credit->n_stations);
}

void body_credit_write(part_out *out, const wire_msg *m, Kg__Envelope *w)
{
    Kg__Credit *c = part_new(out, sizeof *c);
    if (c == NULL) {
        return;
    }
    kg__credit__init(c);
    c->stations = write_grants(out, &m->u.credit.stations, &c->n_stations);
    w->credit = c;
}

void body_welcome_read(part_in *in, const Kg__Envelope *w, wire_msg *m)
{
    const Kg__Welcome *p = w->welcome;
    m->u.welcome.router = part_name(in, "welcome.router", &p->router);
    m->u.welcome.time_ms = part_time(in, "welcome.time_ms", p->time_ms);
    wire_grants *g = &m->u.welcome.refused;
    g->items = part_list(in, "welcome.refused", p->n_refused, sizeof *g->items);
    for (; g->items != NULL && g->count < p->n_refused; g->count++) {
        g->items[g->count].station = part_name(in, "refusal.station", &p->refused[g->count]->station);
        g->items[g->count].why = part_text(in, "refusal.why", &p->refused[g->count]->why, WIRE_TEXT_MAX);
    }
}

void body_welcome_write(part_out *out, const wire_msg *m, Kg__Envelope *w)
{
    const wire_grants *g = &m->u.welcome.refused;
    Kg__Welcome *p = part_new(out, sizeof *p);
    Kg__StationRefusal *each = part_array(out, g->count, sizeof *each);
    Kg__StationRefusal **list = part_pointers(out, g->count);
    if (out->e != KG_OK) {
        return;
    }
    kg__welcome__init(p);
    p->router = part_put_text(out, m->u.welcome.router, WIRE_NAME_MAX);
    p->time_ms = m->u.welcome.time_ms;
    for (size_t i = 0; i < g->count; i++) {
        kg__station_refusal__init(&each[i]);
        each[i].station = part_put_text(out, g->items[i].station, WIRE_NAME_MAX);
        each[i].why = part_put_text(out, g->items[i].why, WIRE_TEXT_MAX);
        list[i] = &each[i];
    }
    p->refused = list;
    p->n_refused = g->count;
    w->welcome = p;
}

static void read_target(part_in *in, const Kg__Target *p, wire_target *t)
{
    t->station = part_text(in, "target.station", &p->station, WIRE_NAME_MAX);
    t->delivery = p->delivery;
    t->mode = part_enum(in, "target.mode", p->mode);
    if (p->n_repeat_after_s > WIRE_REPEATS_MAX) {
        part_refuse(in, KG_E_LIMIT, "target.repeat_after_s", "has too many entries");
    }
    t->repeat_after_s = p->repeat_after_s;
    t->repeat_after_count = p->n_repeat_after_s;
    t->repeat_every_s = p->repeat_every_s;
    t->repeat_on_the_hour = p->repeat_on_the_hour;
    t->languages = part_texts(in, "target.languages", p->languages, p->n_languages, WIRE_NAME_MAX);
    t->communes = part_texts(in, "target.communes", p->communes, p->n_communes, WIRE_NAME_MAX);
    t->rule = part_text(in, "target.rule", &p->rule, WIRE_TEXT_MAX);
    t->basis = part_text(in, "target.basis", &p->basis, WIRE_TEXT_MAX);
}

static void write_target(part_out *out, const wire_target *t, Kg__Target *p)
{
    kg__target__init(p);
    p->station = part_put_text(out, t->station, WIRE_NAME_MAX);
    p->delivery = t->delivery;
    p->mode = t->mode;
    if (t->repeat_after_count > WIRE_REPEATS_MAX) {
        out->e = KG_E_LIMIT;
    }
    p->repeat_after_s = part_array(out, t->repeat_after_count, sizeof *p->repeat_after_s);
    if (p->repeat_after_s != NULL) {
        memcpy(p->repeat_after_s, t->repeat_after_s, t->repeat_after_count * sizeof *t->repeat_after_s);
        p->n_repeat_after_s = t->repeat_after_count;
    }
    p->repeat_every_s = t->repeat_every_s;
    p->repeat_on_the_hour = t->repeat_on_the_hour;
    p->languages = part_put_texts(out, &t->languages, WIRE_NAME_MAX, &p->n_languages);
    p->communes = part_put_texts(out, &t->communes, WIRE_NAME_MAX, &p->n_communes);
    p->rule = part_put_text(out, t->rule, WIRE_TEXT_MAX);
    p->basis = part_put_text(out, t->basis, WIRE_TEXT_MAX);
}

/* On the wire a target without a station is nobody's; only a kept one has none. */
static void require_station(part_in *in, const char *station)
{
    if (station[0] == '\0') {
        part_refuse(in, KG_E_INVALID, "target.station", "is missing");
    }
}

void body_order_read(part_in *in, const Kg__Envelope *w, wire_msg *m)
{
    const Kg__Order *o = w->order;
    m->u.order.id = part_id(in, "order.alert_id", &o->alert_id);
    m->u.order.signed_alert = part_bytes(in, "order.signed_alert", &o->signed_alert, WIRE_INLINE_MAX);
    m->u.order.hash = part_hash(in, "order.hash", &o->hash);
    m->u.order.total_bytes = part_total(in, "order.total_bytes", o->signed_alert.len, o->total_bytes);
    if (o->n_targets == 0) {
        part_refuse(in, KG_E_INVALID, "order.targets", "is empty");
    }
    wire_target *t = part_list(in, "order.targets", o->n_targets, sizeof *t);
    for (size_t i = 0; t != NULL && i < o->n_targets; i++) {
        read_target(in, o->targets[i], &t[i]);
        require_station(in, t[i].station);
    }
    m->u.order.targets = t;
    m->u.order.target_count = t != NULL ? o->n_targets : 0;
}

void body_order_write(part_out *out, const wire_msg *m, Kg__Envelope *w)
{
    const size_t n = m->u.order.target_count;
    Kg__Order *o = part_new(out, sizeof *o);
    Kg__Target *each = part_array(out, n, sizeof *each);
    Kg__Target **list = part_pointers(out, n);
    if (out->e != KG_OK) {
        return;
    }
    kg__order__init(o);
    const wire_bytes *b = &m->u.order.signed_alert;
    o->alert_id = part_put(out, m->u.order.id.b, ALERT_ID_BYTES, ALERT_ID_BYTES);
    o->signed_alert = part_put(out, b->b, b->n, WIRE_INLINE_MAX);
    o->hash = part_put(out, m->u.order.hash.b, ALERT_HASH_BYTES, ALERT_HASH_BYTES);
    o->total_bytes = b->n > 0 ? b->n : m->u.order.total_bytes;
    for (size_t i = 0; i < n; i++) {
        write_target(out, &m->u.order.targets[i], &each[i]);
        list[i] = &each[i];
    }
    o->targets = list;
    o->n_targets = n;
    w->order = o;
}

void body_recall_read(part_in *in, const Kg__Envelope *w, wire_msg *m)
{
    const Kg__Recall *r = w->recall;
    m->u.recall.id = part_id(in, "recall.alert_id", &r->alert_id);
    m->u.recall.reason = part_enum(in, "recall.reason", r->reason);
    wire_target *t = part_list(in, "recall.targets", r->n_targets, sizeof *t);
    for (size_t i = 0; t != NULL && i < r->n_targets; i++) {
        t[i].station = part_name(in, "recall.station", &r->targets[i]->station);
        t[i].delivery = r->targets[i]->delivery;
        t[i].rule = "";
        t[i].basis = "";
    }
    m->u.recall.targets = t;
    m->u.recall.target_count = t != NULL ? r->n_targets : 0;
}

void body_recall_write(part_out *out, const wire_msg *m, Kg__Envelope *w)
{
    const size_t n = m->u.recall.target_count;
    Kg__Recall *r = part_new(out, sizeof *r);
    Kg__RecallTarget *each = part_array(out, n, sizeof *each);
    Kg__RecallTarget **list = part_pointers(out, n);
    if (out->e != KG_OK) {
        return;
    }
    kg__recall__init(r);
    r->alert_id = part_put(out, m->u.recall.id.b, ALERT_ID_BYTES, ALERT_ID_BYTES);
    r->reason = m->u.recall.reason;
    for (size_t i = 0; i < n; i++) {
        kg__recall_target__init(&each[i]);
        each[i].station = part_put_text(out, m->u.recall.targets[i].station, WIRE_NAME_MAX);
        each[i].delivery = m->u.recall.targets[i].delivery;
        list[i] = &each[i];
    }
    r->targets = list;
    r->n_targets = n;
    w->recall = r;
}

static void read_receipt(part_in *in, const Kg__DeliveryReceipt *p, wire_delivery_receipt *r)
{
    r->id = part_id(in, "receipt.alert_id", &p->alert_id);
    r->station = part_name(in, "receipt.station", &p->station);
    r->delivery = p->delivery;
    r->playing = p->playing;
    r->state = part_enum(in, "receipt.state", p->state);
    r->certainty = part_enum(in, "receipt.certainty", p->certainty);
    r->time_ms = part_time(in, "receipt.time_ms", p->time_ms);
    r->code = part_text(in, "receipt.code", &p->code, WIRE_NAME_MAX);
    r->detail = part_text(in, "receipt.detail", &p->detail, WIRE_TEXT_MAX);
    r->reached = p->reached;
    r->sent = p->sent;
    r->labelled = p->labelled;
}

static void write_receipt(part_out *out, const wire_delivery_receipt *r, Kg__DeliveryReceipt *p)
{
    kg__delivery_receipt__init(p);
    p->alert_id = part_put(out, r->id.b, ALERT_ID_BYTES, ALERT_ID_BYTES);
    p->station = part_put_text(out, r->station, WIRE_NAME_MAX);
    p->delivery = r->delivery;
    p->playing = r->playing;
    p->state = r->state;
    p->certainty = r->certainty;
    p->time_ms = r->time_ms;
    p->code = part_put_text(out, r->code, WIRE_NAME_MAX);
    p->detail = part_put_text(out, r->detail, WIRE_TEXT_MAX);
    p->reached = r->reached;
    p->sent = r->sent;
    p->labelled = r->labelled;
}

void body_receipts_read(part_in *in, const Kg__Envelope *w, wire_msg *m)
{
    const Kg__Receipts *p = w->receipts;
    m->u.receipts.batch = p->batch;
    wire_delivery_receipt *r = part_list(in, "receipts", p->n_receipts, sizeof *r);
    for (size_t i = 0; r != NULL && i < p->n_receipts; i++) {
        read_receipt(in, p->receipts[i], &r[i]);
    }
    m->u.receipts.items = r;
    m->u.receipts.count = r != NULL ? p->n_receipts : 0;
    m->u.receipts.credit = read_grants(in, p->credit, p->n_credit);
}

void body_receipts_write(part_out *out, const wire_msg *m, Kg__Envelope *w)
{
    const size_t n = m->u.receipts.count;
    Kg__Receipts *p = part_new(out, sizeof *p);
    Kg__DeliveryReceipt *each = part_array(out, n, sizeof *each);
    Kg__DeliveryReceipt **list = part_pointers(out, n);
    if (out->e != KG_OK) {
        return;
    }
    kg__receipts__init(p);
    p->batch = m->u.receipts.batch;
    for (size_t i = 0; i < n; i++) {
        write_receipt(out, &m->u.receipts.items[i], &each[i]);
        list[i] = &each[i];
    }
    p->receipts = list;
    p->n_receipts = n;
    p->credit = write_grants(out, &m->u.receipts.credit, &p->n_credit);
    w->receipts = p;
}

void body_receipts_kept_read(part_in *in, const Kg__Envelope *w, wire_msg *m)
{
    (void)in;
    m->u.receipts_kept.batch = w->receipts_kept->batch;
}

void body_receipts_kept_write(part_out *out, const wire_msg *m, Kg__Envelope *w)
{
    Kg__ReceiptsKept *k = part_new(out, sizeof *k);
    if (k == NULL) {
        return;
    }
    kg__receipts_kept__init(k);
    k->batch = m->u.receipts_kept.batch;
    w->receipts_kept = k;
}

kg_err wire_target_pack(const wire_target *t, kg_buf *to)
{
    part_out out = {.e = KG_OK};
    Kg__Target p;
    write_target(&out, t, &p);
    return part_pack(&out, &p.base, WIRE_FRAME_MAX, to);
}

kg_err wire_target_read(const void *bytes, size_t n, kg_arena *mem, wire_target *t, kg_diag *diag)
{
    part_in in;
    part_in_init(&in, mem, diag);
    const Kg__Target *p = part_unpack(&in, &kg__target__descriptor, bytes, n);
    wire_target got = {.station = NULL};
    if (p != NULL) {
        read_target(&in, p, &got);
    }
    if (in.e == KG_OK) {
        *t = got;
    }
    return in.e;
}

kg_err wire_delivery_receipt_pack(const wire_delivery_receipt *r, kg_buf *to)
{
    part_out out = {.e = KG_OK};
    Kg__DeliveryReceipt p;
    write_receipt(&out, r, &p);
    return part_pack(&out, &p.base, WIRE_FRAME_MAX, to);
}

kg_err wire_delivery_receipt_read(const void *bytes, size_t n, kg_arena *mem, wire_delivery_receipt *r, kg_diag *diag)
{
    part_in in;
    part_in_init(&in, mem, diag);
    const Kg__DeliveryReceipt *p = part_unpack(&in, &kg__delivery_receipt__descriptor, bytes, n);
    wire_delivery_receipt got = {.delivery = 0};
    if (p != NULL) {
        read_receipt(&in, p, &got);
    }
    if (in.e == KG_OK) {
        *r = got;
    }
    return in.e;
}
