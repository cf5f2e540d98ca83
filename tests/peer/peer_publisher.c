#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer_own.h"
#include "wire/pieces.h"

enum { PARCELS_MAX = 64 };

typedef struct parcel { /* what the router may fetch in pieces */
    alert_hash hash;
    const void *bytes; /* borrowed: the caller keeps its alert */
    size_t n;
} parcel;

typedef struct progress {
    alert_id id;
    int counts[DLV_STATE_COUNT];
    bool final;
} progress;

struct peer_publisher {
    peer_world *world;
    bus_client *client;
    peer_verdict *verdicts;
    size_t count, cap;
    parcel parcels[PARCELS_MAX];
    size_t parcel_count;
    progress *progresses;
    size_t progress_count;
    public_key receipt_key;
};

static void send_msg(peer_publisher *p, const wire_msg *m)
{
    kg_buf out = {0};
    peer_need(p->world, wire_write(m, &out), NULL, "wire_write");
    kg_err e = KG_E_AGAIN;
    const int64_t end = peer_now_us() + (int64_t)PEER_WAIT_MS * 1000;
    while ((e = bus_client_send(p->client, out.s, out.len)) == KG_E_AGAIN && peer_router_alive(p->world) &&
           peer_now_us() < end) {
        (void)peer_until(p->world, NULL, NULL, 1);
    }
    if (e != KG_OK && peer_router_alive(p->world)) {
        peer_die(p->world, "the publisher cannot send: %s", kg_err_name(e));
    } /* else lost with the router: the script submits again, as an outbox would */
    kg_buf_done(&out);
}

static void take_verdict(peer_publisher *p, const wire_verdict *v)
{
    if (p->count == p->cap) {
        p->cap = p->cap == 0 ? 64 : 2 * p->cap;
        p->verdicts = realloc(p->verdicts, p->cap * sizeof *p->verdicts);
        if (p->verdicts == NULL) {
            peer_die(p->world, "no memory for verdicts");
        }
    }
    peer_verdict *out = &p->verdicts[p->count++];
    *out = (peer_verdict){.hash = v->hash,
                          .id = v->id,
                          .outcome = v->outcome,
                          .position = v->position,
                          .targets = v->targets,
                          .at_us = peer_now_us()};
    (void)snprintf(out->code, sizeof out->code, "%s", v->code);
    (void)snprintf(out->sentence, sizeof out->sentence, "%.500s", v->sentence);
}

static void take_answer(peer_publisher *p, const wire_msg *m)
{
    const wire_bytes *b = &m->u.answer.receipt;
    public_key signer;
    memcpy(signer.b, m->u.answer.router_key, KEY_BYTES);
    if (!public_same(&signer, &p->receipt_key) ||
        !trust_verify(&signer, TRUST_RECEIPT, b->b, b->n, m->u.answer.signature)) {
        peer_die(p->world, "an answer without the router's signature");
    }
    wire_receipt r;
    kg_diag diag = {0};
    peer_need(p->world, wire_receipt_read(b->b, b->n, &r, &diag), &diag, "receipt");
    for (size_t i = 0; i < r.verdict_count; i++) {
        take_verdict(p, &r.verdicts[i]);
    }
    wire_receipt_done(&r);
}

static void give_piece(peer_publisher *p, const wire_msg *want)
{
    wire_msg m = {.kind = WIRE_PIECE, .u.piece.hash = want->u.want.hash};
    for (size_t i = 0; i < p->parcel_count; i++) {
        const parcel *one = &p->parcels[i];
        if (memcmp(one->hash.b, want->u.want.hash.b, sizeof one->hash.b) == 0) {
            const wire_bytes whole = {one->bytes, one->n};
            m.u.piece = pieces_cut(&one->hash, &whole, want->u.want.offset);
        }
    }
    send_msg(p, &m);
}

static progress *progress_of(const peer_publisher *p, alert_id id)
{
    for (size_t i = 0; i < p->progress_count; i++) {
        if (alert_id_same(p->progresses[i].id, id)) {
            return &p->progresses[i];
        }
    }
    return NULL;
}

static void take_progress(peer_publisher *p, const wire_msg *m)
{
    progress *one = progress_of(p, m->u.progress.id);
    if (one == NULL) {
        p->progresses = realloc(p->progresses, (p->progress_count + 1) * sizeof *p->progresses);
        if (p->progresses == NULL) {
            peer_die(p->world, "no memory for progress");
        }
        one = &p->progresses[p->progress_count++];
    }
    *one = (progress){.id = m->u.progress.id, .final = m->u.progress.final};
    for (size_t i = 0; i < m->u.progress.tally_count; i++) {
        one->counts[m->u.progress.tallies[i].state] += (int)m->u.progress.tallies[i].count;
    }
}

static void on_message(void *ctx, const void *bytes, size_t n)
{
    peer_publisher *p = ctx;
    wire_msg m;
    kg_diag diag = {0};
    peer_need(p->world, wire_read(bytes, n, &m, &diag), &diag, "publisher");
    if (m.kind == WIRE_ANSWER) {
        take_answer(p, &m);
    } else if (m.kind == WIRE_WANT) {
        give_piece(p, &m);
    } else if (m.kind == WIRE_PROGRESS) {
        take_progress(p, &m);
    }
    wire_done(&m);
}

static void ignore(void *ctx)
{
    (void)ctx;
}

static bool is_up(void *ctx)
{
    return bus_client_up(((peer_publisher *)ctx)->client);
}

peer_publisher *peer_publisher_new(peer_world *w)
{
    static const bus_client_ops ops = {.up = ignore, .down = ignore, .message = on_message};
    peer_publisher *p = peer_alloc(w, sizeof *p);
    const public_key router = peer_router_key(w);
    kg_diag diag = {0};
    p->world = w;
    p->receipt_key = secret_public(w->keys[PEER_ROUTER_SIGN]);
    peer_need(w, bus_connect(peer_bus_of(w, PEER_BUS_PUBLISHER), w->intake, &router, false, &ops, p, &p->client, &diag),
              &diag, "intake");
    if (!peer_until(w, is_up, p, PEER_WAIT_MS)) {
        peer_die(w, "the publisher is not let in");
    }
    return p;
}

void peer_publisher_free(peer_publisher **p)
{
    if (p != NULL && *p != NULL) {
        bus_client_close(&(*p)->client);
        free((*p)->verdicts);
        free((*p)->progresses);
        free(*p);
        *p = NULL;
    }
}

static void submit(peer_publisher *p, const void *bytes, size_t n, const alert_hash *hash)
{
    wire_msg m = {.kind = WIRE_SUBMIT, .u.submit = {.hash = *hash, .total_bytes = n}};
    if (n <= WIRE_INLINE_MAX) {
        m.u.submit.signed_alert = (wire_bytes){bytes, n};
    } else {
        p->parcels[p->parcel_count++ % PARCELS_MAX] = (parcel){*hash, bytes, n};
        p->parcel_count = p->parcel_count > PARCELS_MAX ? PARCELS_MAX : p->parcel_count;
    }
    send_msg(p, &m);
}

void peer_submit(peer_publisher *p, const peer_alert *a)
{
    submit(p, a->bytes.s, a->bytes.len, &a->hash);
}

void peer_submit_bytes(peer_publisher *p, const void *bytes, size_t n)
{
    const alert_hash hash = alert_hash_of(bytes, n);
    submit(p, bytes, n, &hash);
}

size_t peer_verdict_count(const peer_publisher *p)
{
    return p->count;
}

const peer_verdict *peer_verdict_at(const peer_publisher *p, size_t i)
{
    return &p->verdicts[i];
}

typedef struct waiting {
    const peer_publisher *p;
    const alert_hash *hash;
    size_t from;
    const peer_verdict *found;
} waiting;

static bool answered(void *ctx)
{
    waiting *w = ctx;
    for (; w->from < w->p->count; w->from++) {
        if (memcmp(w->p->verdicts[w->from].hash.b, w->hash->b, sizeof w->hash->b) == 0) {
            w->found = &w->p->verdicts[w->from];
            return true;
        }
    }
    return false;
}

const peer_verdict *peer_submit_wait(peer_publisher *p, const peer_alert *a)
{
    waiting w = {.p = p, .hash = &a->hash, .from = p->count};
    peer_submit(p, a);
    if (!peer_until(p->world, answered, &w, PEER_WAIT_MS)) {
        peer_die(p->world, "no answer to a submission");
    }
    return w.found;
}

void peer_follow(peer_publisher *p, alert_id id)
{
    const wire_msg m = {.kind = WIRE_FOLLOW, .u.follow.id = id};
    send_msg(p, &m);
}

int peer_progress(const peer_publisher *p, alert_id id, dlv_state state, bool *final)
{
    const progress *one = progress_of(p, id);
    if (final != NULL) {
        *final = one != NULL && one->final;
    }
    return one == NULL ? -1 : one->counts[state];
}
