#include "tests/bench/bench_publisher.h"

#include <poll.h>
#include <string.h>

#include "tests/bench/bench_common.h"

void pub_sign(const bench_world *w, const world_wish *wish, pub_alert *out)
{
    *out = (pub_alert){.bytes = {.s = NULL}};
    world_alert(w, wish, &out->bytes);
    out->hash = alert_hash_of(out->bytes.s, out->bytes.len);
}

static void take_verdict(pub *p, const wire_verdict *v)
{
    if (p->answered == p->sent ||
        memcmp(p->ring[p->answered % PUB_WINDOW_MAX].hash.b, v->hash.b, sizeof v->hash.b) != 0) {
        bench_die("an answer to something that was not asked: %s %s", v->code, v->sentence);
    }
    if (v->outcome != WIRE_ACCEPTED) {
        bench_die("the router did not accept: %s: %s", v->code, v->sentence);
    }
    if (p->waits != NULL) {
        p->waits[p->answered] = bench_now() - p->ring[p->answered % PUB_WINDOW_MAX].sent;
    }
    p->answered++;
    p->targets += v->targets;
    p->position = v->position;
    p->id = v->id;
}

static void take_answer(pub *p, const wire_msg *m)
{
    const wire_bytes *packed = &m->u.answer.receipt;
    wire_receipt r;
    public_key signer;
    kg_diag diag = {""};
    memcpy(signer.b, m->u.answer.router_key, KEY_BYTES);
    const key_entry *e = manifest_signer(p->world->manifest, &signer);
    if (e == NULL || e->role != ROLE_ROUTER ||
        !trust_verify(&signer, TRUST_RECEIPT, packed->b, packed->n, m->u.answer.signature)) {
        bench_die("an answer that the router has not signed");
    }
    bench_must(wire_receipt_read(packed->b, packed->n, &r, &diag), &diag, "reading a receipt");
    for (size_t i = 0; i < r.verdict_count; i++) {
        take_verdict(p, &r.verdicts[i]);
    }
    wire_receipt_done(&r);
}

static void on_message(void *ctx, const void *bytes, size_t n)
{
    pub *p = ctx;
    wire_msg m;
    kg_diag diag = {""};
    bench_must(wire_read(bytes, n, &m, &diag), &diag, "reading an answer");
    if (m.kind == WIRE_REFUSED) {
        bench_die("refused: %s: %s", m.u.refused.code, m.u.refused.sentence);
    }
    if (m.kind == WIRE_ANSWER) {
        take_answer(p, &m);
    } else if (m.kind == WIRE_PROGRESS) {
        p->progress = (pub_progress){m.u.progress.final, m.u.progress.last_held_ms, m.u.progress.last_outcome_ms};
    }
    wire_done(&m);
}

static void on_down(void *ctx)
{
    (void)ctx;
    bench_die("the router has gone");
}

static void on_refused(void *ctx)
{
    (void)ctx;
    bench_die("the router does not admit the publisher's key");
}

void pub_open(pub *p, const bench_world *w, const char *key_name)
{
    static const bus_client_ops ops = {.message = on_message, .down = on_down, .refused = on_refused};
    kg_diag diag = {""};
    p->world = w;
    p->key = world_key(w, key_name);
    bench_must(bus_new(p->key, &p->bus, &diag), &diag, "opening a bus");
    bench_must(bus_connect(p->bus, w->intake, &w->router, false, &ops, p, &p->client, &diag), &diag, "connecting");
    while (!bus_client_up(p->client)) {
        pub_poll(p, 1000);
    }
}

void pub_close(pub *p)
{
    bus_client_close(&p->client);
    bus_free(&p->bus);
    secret_free(&p->key);
}

bool pub_send(pub *p, const pub_alert *a)
{
    kg_buf out = {.s = NULL};
    const wire_msg m = {.kind = WIRE_SUBMIT,
                        .u.submit = {.signed_alert = {(const uint8_t *)a->bytes.s, a->bytes.len},
                                     .hash = a->hash,
                                     .total_bytes = a->bytes.len}};
    if (p->sent - p->answered == PUB_WINDOW_MAX) {
        return false;
    }
    bench_must(wire_write(&m, &out), NULL, "packing a submission");
    p->ring[p->sent % PUB_WINDOW_MAX].hash = a->hash;
    p->ring[p->sent % PUB_WINDOW_MAX].sent = bench_now();
    const kg_err e = bus_client_send(p->client, out.s, out.len);
    kg_buf_done(&out);
    if (e != KG_OK && e != KG_E_AGAIN) {
        bench_must(e, NULL, "submitting");
    }
    p->sent += e == KG_OK ? 1 : 0;
    return e == KG_OK;
}

void pub_poll(pub *p, int wait_ms)
{
    kg_diag diag = {""};
    struct pollfd fd = {.fd = bus_fd(p->bus), .events = POLLIN};
    if (!bus_pending(p->bus)) {
        (void)poll(&fd, 1, wait_ms);
    }
    bench_must(bus_poll(p->bus, 1024, NULL, &diag), &diag, "polling");
}

void pub_await(pub *p, uint64_t at_most_open)
{
    while (p->sent - p->answered > at_most_open) {
        pub_poll(p, 1000);
    }
}
