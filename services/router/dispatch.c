#include "dispatch.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"

typedef struct outgoing {
    queue_item item;
    sink_link *link; /* NULL: it could not be sent */
    uint32_t number; /* of the link */
    uint32_t turn;   /* in which order the queue gave it */
    uint32_t first;  /* turn of the first one of its alert on its connection */
} outgoing;

struct dispatch {
    core *core;
    sinks *sinks;
    materials *materials;
    outgoing *out; /* DISPATCH_URGENT of them */
    size_t count;
};

kg_err dispatch_new(core *c, sinks *s, dispatch **out)
{
    dispatch *d = calloc(1, sizeof *d);
    if (d == NULL) {
        return KG_E_NOMEM;
    }
    d->core = c;
    d->sinks = s;
    d->out = calloc(DISPATCH_URGENT, sizeof *d->out);
    if (d->out == NULL || materials_new(c->journal, &d->materials) != KG_OK) {
        dispatch_free(&d);
        return KG_E_NOMEM;
    }
    *out = d;
    return KG_OK;
}

void dispatch_free(dispatch **d)
{
    if (d != NULL && *d != NULL) {
        materials_free(&(*d)->materials);
        free((*d)->out);
        free(*d);
        *d = NULL;
    }
}

void dispatch_forget(dispatch *d)
{
    materials_clear(d->materials);
}

size_t dispatch_bytes(const dispatch *d)
{
    return materials_bytes(d->materials);
}

static uint64_t position_of(const outgoing *o)
{
    return journal_position_of(o->item.delivery);
}

static int by_alert(const void *x, const void *y)
{
    const outgoing *a = x;
    const outgoing *b = y;
    if (a->number != b->number) {
        return a->number < b->number ? -1 : 1;
    }
    if (position_of(a) != position_of(b)) {
        return position_of(a) < position_of(b) ? -1 : 1;
    }
    return (a->turn > b->turn) - (a->turn < b->turn);
}

static int by_first(const void *x, const void *y)
{
    const outgoing *a = x;
    const outgoing *b = y;
    if (a->number != b->number) {
        return a->number < b->number ? -1 : 1;
    }
    if (a->first != b->first) {
        return a->first < b->first ? -1 : 1;
    }
    return (a->turn > b->turn) - (a->turn < b->turn);
}

/* By connection; there in the queue's order, but an alert's stations together where its first one stood. */
static void arrange(outgoing *out, size_t n)
{
    qsort(out, n, sizeof *out, by_alert);
    for (size_t i = 0; i < n; i++) {
        const bool same =
            i > 0 && out[i].number == out[i - 1].number && position_of(&out[i]) == position_of(&out[i - 1]);
        out[i].first = same ? out[i - 1].first : out[i].turn;
    }
    qsort(out, n, sizeof *out, by_first);
}

static void put_back(dispatch *d, const outgoing *o)
{
    const kg_err e = queue_put_back(d->core->queue, &o->item);
    if (e != KG_OK && e != KG_E_EXISTS) {
        kg_diag diag = {0};
        (void)core_fail(d->core, kg_fail(&diag, e, "no room to put a delivery back into the queue"), &diag);
    }
}

/* Its alert has ended: credit back, and out of the queue; ending_work deals with the delivery. */
static void set_aside(dispatch *d, const outgoing *o)
{
    put_back(d, o);
    (void)queue_remove(d->core->queue, o->item.station, o->item.delivery);
}

static uint32_t line_of(const outgoing *o)
{
    return (uint32_t)(o->item.delivery & ((1u << JOURNAL_LINE_BITS) - 1));
}

static void note_sent(dispatch *d, book_alert *a, const outgoing *o, lane on)
{
    core *c = d->core;
    const uint32_t at = line_of(o);
    book_line *l = &a->lines[at];
    if (!core_step(c, a, at, DLV_OFFER, NULL)) {
        return;
    }
    l->offered = true;
    l->offer++;
    c->counts[COUNT_OFFERED]++;
    sinks_sent(d->sinks, l->station, on);
    const lease_item item = {.delivery = o->item.delivery,
                             .station = l->station,
                             .session = sinks_session(d->sinks, l->station, on),
                             .offer = l->offer};
    const kg_err e = lease_put(c->lease, on, &item, c->mono_ms);
    if (e != KG_OK) {
        kg_diag diag = {0};
        (void)core_fail(c, kg_fail(&diag, e, "no memory to remember an offer"), &diag);
    }
}

typedef struct order {
    book_alert *alert;
    const material *material;
    const outgoing *items;
    size_t count;
    lane lane;
} order;

/* KG_E_LIMIT: too much for a frame. */
static kg_err send_order(dispatch *d, const order *o, wire_target *targets)
{
    size_t n = 0;
    for (size_t i = 0; i < o->count; i++) {
        const uint32_t at = line_of(&o->items[i]);
        if (at < o->material->target_count && o->material->targets[at].station != NULL) {
            targets[n++] = o->material->targets[at];
        }
    }
    const bool inside = o->material->signed_alert.n <= WIRE_INLINE_MAX;
    const wire_msg m = {.kind = WIRE_ORDER,
                        .u.order = {.id = o->alert->id,
                                    .signed_alert = inside ? o->material->signed_alert : (wire_bytes){0},
                                    .hash = o->material->hash,
                                    .total_bytes = o->material->signed_alert.n,
                                    .targets = targets,
                                    .target_count = n}};
    KG_FAULT("router.before_order");
    const kg_err e = sinks_send(d->sinks, o->items[0].link, &m);
    KG_FAULT("router.after_order");
    return e;
}

/* Sends what fits, halving until it does. The number of items that went out. */
static size_t send_halving(dispatch *d, const order *all, wire_target *targets)
{
    size_t sent = 0;
    size_t step = all->count;
    while (sent < all->count) {
        order part = *all;
        part.items = all->items + sent;
        part.count = step < all->count - sent ? step : all->count - sent;
        const kg_err e = send_order(d, &part, targets);
        if (e == KG_E_LIMIT && part.count > 1) {
            step = part.count / 2;
            continue;
        }
        if (e != KG_OK) {
            kg_log(KG_DEBUG, "order.later", KG_TEXT("why", kg_err_name(e)), KG_INT("deliveries", part.count));
            break;
        }
        for (size_t i = 0; i < part.count; i++) {
            note_sent(d, part.alert, &part.items[i], part.lane);
        }
        sent += part.count;
    }
    return sent;
}

/* One alert to one connection: items [from, to) of d->out. False: the connection takes no more for now. */
static bool send_group(dispatch *d, size_t from, size_t to, lane on)
{
    core *c = d->core;
    const uint64_t position = position_of(&d->out[from]);
    order o = {.alert = book_find(c->book, position), .items = &d->out[from], .count = to - from, .lane = on};
    if (o.alert == NULL || o.alert->lifecycle != LIFE_ALIVE) {
        for (size_t i = from; i < to; i++) {
            set_aside(d, &d->out[i]);
        }
        return true;
    }
    kg_diag diag = {0};
    size_t sent = 0;
    const kg_err e = materials_get(d->materials, position, &o.material, &diag);
    wire_target *targets = e == KG_OK ? calloc(o.count, sizeof *targets) : NULL;
    if (targets != NULL) {
        sent = send_halving(d, &o, targets);
        free(targets);
    } else if (e != KG_OK) {
        (void)core_fail(c, e, &diag);
    }
    for (size_t i = from + sent; i < to; i++) {
        put_back(d, &d->out[i]);
    }
    return sent == o.count;
}

static void send_all(dispatch *d, lane on)
{
    arrange(d->out, d->count);
    const sink_link *blocked = NULL;
    for (size_t i = 0; i < d->count;) {
        size_t j = i + 1;
        while (j < d->count && d->out[j].number == d->out[i].number && d->out[j].first == d->out[i].first) {
            j++;
        }
        if (d->out[i].link == NULL || d->out[i].link == blocked) {
            for (size_t k = i; k < j; k++) {
                put_back(d, &d->out[k]);
            }
        } else if (!send_group(d, i, j, on)) {
            blocked = d->out[i].link;
        }
        i = j;
    }
}

static bool lane_turn(dispatch *d, lane on, size_t budget)
{
    d->count = 0;
    queue_item item;
    while (d->count < budget && queue_next(d->core->queue, on, &item)) {
        outgoing *o = &d->out[d->count];
        *o = (outgoing){.item = item, .link = sinks_link(d->sinks, item.station, on), .turn = (uint32_t)d->count};
        o->number = o->link == NULL ? UINT32_MAX : sink_link_number(o->link);
        d->count++;
    }
    send_all(d, on);
    return d->count == budget;
}

bool dispatch_turn(dispatch *d)
{
    const bool urgent = lane_turn(d, LANE_URGENT, DISPATCH_URGENT);
    const bool other = lane_turn(d, LANE_OTHER, DISPATCH_OTHER);
    return urgent || other;
}
