#include "bus/bus_own.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"

enum { PROOF_MS = 8000 };

/* ---- the handler ---- */

bool bus_zap_admits(const bus *b, const zap_request *r)
{
    for (const bus_server *s = b->server_list; s != NULL; s = s->next) {
        if (strcmp(s->domain, r->domain) == 0) {
            return s->ops.admit(s->ctx, &r->key);
        }
    }
    /* Nobody is admitted to a door that does not exist. */
    return b->pub != NULL && strcmp("status", r->domain) == 0 && b->pub->admit(b->pub->ctx, &r->key);
}

/* Answers go to a session inside libzmq: one that is gone meanwhile drops them, nothing else can go wrong. */
static void send_frame(void *socket, const void *bytes, size_t n, bool more)
{
    (void)zmq_send(socket, bytes, n, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0));
}

static void answer(void *socket, zmq_msg_t *route, const zap_request *r, const char *status, const char *user)
{
    const char *text = user[0] != '\0' ? "OK" : "refused";
    send_frame(socket, zmq_msg_data(route), zmq_msg_size(route), true);
    send_frame(socket, "", 0, true);
    send_frame(socket, "1.0", 3, true);
    send_frame(socket, r->id.b, r->id.n, true);
    send_frame(socket, status, strlen(status), true);
    send_frame(socket, text, strlen(text), true);
    send_frame(socket, user, strlen(user), true);
    send_frame(socket, "", 0, false);
}

static void decide(bus *b, zmq_msg_t *route, const zap_frame *frames, size_t count)
{
    zap_request r;
    char user[KEY_TEXT] = "";
    const kg_err e = zap_read(frames, count, &r);
    if (e == KG_OK && bus_zap_admits(b, &r)) {
        public_text(&r.key, user);
        answer(b->zap.socket, route, &r, "200", user);
        return;
    }
    b->counts.refused_keys++;
    if (r.id.b != NULL) { /* else nothing can be answered: the handshake runs into its time limit */
        answer(b->zap.socket, route, &r, e == KG_OK ? "400" : "500", user);
    }
}

static bool take(bus_door *d)
{
    enum { ROUTE, DELIMITER, FIRST, MAX = FIRST + ZAP_FRAMES_MAX };
    zmq_msg_t got[MAX];
    zap_frame frames[ZAP_FRAMES_MAX];
    size_t n = 0;
    bool more = true;
    bool failed = false;
    for (size_t i = 0; more; i++) {
        zmq_msg_t m;
        (void)zmq_msg_init(&m);
        if (zmq_msg_recv(&m, d->socket, ZMQ_DONTWAIT) < 0) {
            failed = errno != EINTR || i > 0;
            (void)zmq_msg_close(&m);
            break;
        }
        more = zmq_msg_more(&m) != 0;
        if (i < MAX) {
            (void)zmq_msg_init(&got[i]);
            (void)zmq_msg_move(&got[i], &m);
            n = i + 1;
        } else {
            failed = true; /* more frames than any request has */
        }
        (void)zmq_msg_close(&m);
    }
    const bool some = n > 0 || !failed;
    for (size_t i = FIRST; i < n; i++) {
        frames[i - FIRST] = (zap_frame){zmq_msg_data(&got[i]), zmq_msg_size(&got[i])};
    }
    if (!failed && n > FIRST && zmq_msg_size(&got[DELIMITER]) == 0) {
        decide(d->bus, &got[ROUTE], frames, n - FIRST);
    }
    for (size_t i = 0; i < n; i++) {
        (void)zmq_msg_close(&got[i]);
    }
    return some;
}

kg_err bus_zap_open(bus *b, kg_diag *diag)
{
    b->zap.take = take;
    kg_err e = bus_door_open(b, ZMQ_ROUTER, &b->zap, diag);
    if (e == KG_OK && zmq_bind(b->zap.socket, "inproc://zeromq.zap.01") != 0) {
        e = bus_zmq_fail(diag, "cannot bind the guard at", "inproc://zeromq.zap.01");
    }
    if (e == KG_OK) {
        e = bus_door_join(&b->zap, NULL, diag);
    }
    return e;
}

/* ---- the proof ---- */

typedef struct proof {
    public_key own;
    public_key stranger;
    uint8_t secret[KEY_BYTES]; /* the stranger's; of no worth */
    bool refused, let_in, heard;
} proof;

static bool only_own(void *ctx, const public_key *key)
{
    const proof *p = ctx;
    return public_same(&p->own, key);
}

static void on_any_message(void *ctx, bus_peer number, const public_key *key, const void *bytes, size_t n)
{
    (void)number;
    (void)key;
    (void)bytes;
    (void)n;
    ((proof *)ctx)->heard = true;
}

static void on_up(void *ctx)
{
    ((proof *)ctx)->let_in = true;
}

static void on_message(void *ctx, const void *bytes, size_t n)
{
    (void)ctx;
    (void)bytes;
    (void)n;
}

static void on_refused(void *ctx)
{
    ((proof *)ctx)->refused = true;
}

static kg_err connect_as_stranger(bus *b, const char *endpoint, proof *p, bus_client **out, kg_diag *diag)
{
    char public_z85[41];
    char secret_z85[41];
    if (zmq_curve_keypair(public_z85, secret_z85) != 0 || zmq_z85_decode(p->stranger.b, public_z85) == NULL ||
        zmq_z85_decode(p->secret, secret_z85) == NULL) {
        return kg_fail(diag, KG_E_IO, "this libzmq has no CURVE: install one that was built with it");
    }
    bus_client stranger = {.door.bus = b,
                           .type = ZMQ_DEALER,
                           .own_public = p->stranger,
                           .secret = p->secret,
                           .server = b->own_public,
                           .ctx = p};
    stranger.ops = (bus_client_ops){.up = on_up, .message = on_message, .refused = on_refused};
    (void)snprintf(stranger.endpoint, sizeof stranger.endpoint, "%s", endpoint);
    return bus_client_open(&stranger, out, diag);
}

static kg_err wait_for_refusal(bus *b, const proof *p, kg_diag *diag)
{
    const uint64_t before = b->counts.refused_keys;
    const int64_t until = kg_clock_mono_ms() + PROOF_MS;
    while (!p->refused && !p->let_in && !p->heard) {
        const int64_t left = until - kg_clock_mono_ms();
        if (left <= 0) {
            return kg_fail(diag, KG_E_DENIED,
                           "the guard at the door did not answer within %d s: nobody would be checked, so nothing "
                           "listens",
                           PROOF_MS / 1000);
        }
        struct pollfd fd = {.fd = bus_fd(b), .events = POLLIN};
        (void)poll(&fd, 1, bus_pending(b) ? 0 : (int)(left < 100 ? left : 100));
        const kg_err e = bus_poll(b, 64, NULL, diag);
        if (e != KG_OK) {
            return e;
        }
    }
    if (p->let_in || p->heard || b->counts.refused_keys == before) {
        return kg_fail(diag, KG_E_DENIED,
                       "the guard at the door let a random key in: anybody could connect, so nothing listens");
    }
    return KG_OK;
}

kg_err bus_zap_prove(bus *b, kg_diag *diag)
{
    static const bus_server_ops ops = {.admit = only_own, .message = on_any_message};
    proof p = {.own = b->own_public};
    uint8_t name[8];
    char hex[2 * sizeof name + 1];
    char endpoint[64];
    trust_random(name, sizeof name);
    kg_hex(name, sizeof name, hex);
    (void)snprintf(endpoint, sizeof endpoint, "ipc://@keng-guard-%s", hex); /* abstract: leaves no file behind */
    bus_server *server = NULL;
    bus_client *stranger = NULL;
    const bus_counts before = b->counts;
    kg_err e = bus_server_open(b, "guard-proof", endpoint, false, &ops, &p, &server, diag);
    if (e == KG_OK) {
        e = connect_as_stranger(b, endpoint, &p, &stranger, diag);
    }
    if (e == KG_OK) {
        e = wait_for_refusal(b, &p, diag);
    }
    bus_client_close(&stranger);
    bus_server_close(&server);
    b->counts = before; /* our own stranger is not news */
    return e;
}

kg_err bus_guard(bus *b, kg_diag *diag)
{
    if (b->guarded) {
        return KG_OK;
    }
    kg_err e = b->zap.socket != NULL ? KG_OK : bus_zap_open(b, diag);
    if (e == KG_OK) {
        e = bus_zap_prove(b, diag);
    }
    b->guarded = e == KG_OK;
    return e;
}
