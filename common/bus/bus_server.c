#include "bus/bus_own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/hex.h"

enum { DRAIN_FRAMES = 256, ROUTE_BYTES = 5 };

/* ---- receiving ---- */

static void strike(peer *p)
{
    if (p != NULL && ++p->strikes >= BUS_STRIKES_MAX) {
        p->closed = true;
    }
}

/* libzmq's own routing ids are a zero byte and a number; anything else was chosen by the peer. */
static bool read_route(zmq_msg_t *m, uint32_t *route)
{
    const uint8_t *b = zmq_msg_data(m);
    if (zmq_msg_size(m) != ROUTE_BYTES || b[0] != 0) {
        return false;
    }
    *route = (uint32_t)b[1] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 8 | b[4];
    return true;
}

static void write_route(uint32_t route, uint8_t b[ROUTE_BYTES])
{
    b[0] = 0;
    b[1] = (uint8_t)(route >> 24);
    b[2] = (uint8_t)(route >> 16);
    b[3] = (uint8_t)(route >> 8);
    b[4] = (uint8_t)route;
}

/* A part of an overlong message: bounded work, so that even a huge one cannot hold up the loop. */
static bool drain(bus_server *s)
{
    for (int i = 0; i < DRAIN_FRAMES && s->draining; i++) {
        zmq_msg_t m;
        (void)zmq_msg_init(&m);
        s->draining = zmq_msg_recv(&m, s->door.socket, ZMQ_DONTWAIT) >= 0 && zmq_msg_more(&m) != 0;
        (void)zmq_msg_close(&m);
    }
    return true;
}

/* The peer a proven message came from, made known at its first one. NULL: drop it. */
static peer *who_sent(bus_server *s, uint32_t route, const char *key_text)
{
    peer *p = peers_by_route(&s->peers, route);
    if (p != NULL && strcmp(p->key_text, key_text) != 0) {
        /* Another key on the same route: the first connection is over, whatever else is true. */
        p->lost = true;
        bus_server_bury_lost(s);
        p = NULL;
    }
    if (p != NULL) {
        return p;
    }
    public_key key;
    if (!kg_hex_read(key_text, key.b, sizeof key.b)) {
        return NULL;
    }
    if (peers_add(&s->peers, route, ++s->door.bus->last_peer, &p) != KG_OK) {
        return NULL; /* as many as there may be: it is not heard until somebody leaves */
    }
    p->key = key;
    memcpy(p->key_text, key_text, sizeof p->key_text);
    return p;
}

static void deliver(bus_server *s, uint32_t route, zmq_msg_t *body)
{
    bus_counts *c = &s->door.bus->counts;
    /* From this frame, the last: 4.3.4 loses it on the first one (reliability.md 1.2). */
    const char *key_text = zmq_msg_gets(body, "User-Id");
    if (key_text == NULL || strlen(key_text) != KEY_TEXT - 1) {
        c->no_identity++;
        return;
    }
    peer *p = who_sent(s, route, key_text);
    if (p == NULL) {
        c->no_identity++;
        return;
    }
    p->heard = true;
    const size_t n = zmq_msg_size(body);
    if (n == 0) {
        return; /* the other bus asks whether we are here: being read is the answer */
    }
    if (n > WIRE_FRAME_MAX) {
        c->oversize++;
        strike(p);
        return;
    }
    if (p->closed || !s->ops.admit(s->ctx, &p->key)) {
        c->unwelcome++;
        return;
    }
    c->in++;
    s->ops.message(s->ctx, p->number, &p->key, zmq_msg_data(body), n);
}

static bool take(bus_door *d)
{
    bus_server *s = (bus_server *)d;
    if (s->draining) {
        return drain(s);
    }
    bus_counts *c = &d->bus->counts;
    zmq_msg_t head;
    zmq_msg_t body;
    (void)zmq_msg_init(&head);
    (void)zmq_msg_init(&body);
    bool some = zmq_msg_recv(&head, d->socket, ZMQ_DONTWAIT) >= 0;
    if (!some) {
        some = errno == EINTR;
    } else if (zmq_msg_more(&head) != 0 && zmq_msg_recv(&body, d->socket, ZMQ_DONTWAIT) >= 0) {
        uint32_t route = 0;
        const bool automatic = read_route(&head, &route);
        if (zmq_msg_more(&body) != 0) {
            c->multipart++;
            s->draining = true;
            strike(automatic ? peers_by_route(&s->peers, route) : NULL);
        } else if (!automatic) {
            c->own_ids++;
        } else {
            deliver(s, route, &body);
        }
    }
    (void)zmq_msg_close(&head);
    (void)zmq_msg_close(&body);
    return some;
}

/* ---- sending ---- */

static kg_err send_to(bus_server *s, peer *p, const void *bytes, size_t n)
{
    uint8_t route[ROUTE_BYTES];
    write_route(p->route, route);
    s->door.ready = true; /* sending may take the wake-up that a message came with */
    int rc = 0;
    do {
        rc = zmq_send(s->door.socket, route, sizeof route, ZMQ_DONTWAIT | ZMQ_SNDMORE);
    } while (rc < 0 && errno == EINTR);
    if (rc < 0 && errno == EAGAIN) {
        return KG_E_AGAIN;
    }
    if (rc < 0) {
        p->lost = true;
        s->lost_some = true;
        return KG_E_NOTFOUND;
    }
    /* The route is chosen: this frame is taken whatever happens to the peer meanwhile. */
    do {
        rc = zmq_send(s->door.socket, bytes, n, ZMQ_DONTWAIT);
    } while (rc < 0 && errno == EINTR);
    return rc < 0 ? KG_E_IO : KG_OK;
}

kg_err bus_send(bus_server *s, bus_peer number, const void *bytes, size_t n)
{
    if (n == 0 || n > WIRE_FRAME_MAX) {
        return KG_E_LIMIT;
    }
    peer *p = s->door.dead ? NULL : peers_by_number(&s->peers, number);
    if (p == NULL || p->closed || p->lost) {
        return KG_E_NOTFOUND;
    }
    KG_FAULT("bus.server_send");
    const kg_err e = send_to(s, p, bytes, n);
    bus_counts *c = &s->door.bus->counts;
    if (e == KG_OK) {
        c->out++;
    } else if (e == KG_E_AGAIN) {
        c->full++;
    }
    return e;
}

void bus_close_peer(bus_server *s, bus_peer number)
{
    peer *p = peers_by_number(&s->peers, number);
    if (p != NULL) {
        p->closed = true;
    }
}

void bus_server_probe(bus_server *s)
{
    for (size_t i = 0; i < s->peers.used; i++) {
        peer *p = peers_at(&s->peers, i);
        if (p != NULL && !p->heard && !p->lost) {
            kg_ignore(send_to(s, p, "", 0)); /* what it found out is in p->lost */
        }
        if (p != NULL) {
            p->heard = false;
        }
    }
}

void bus_server_bury_lost(bus_server *s)
{
    s->lost_some = false;
    for (size_t i = 0; i < s->peers.used && !s->door.dead; i++) {
        peer *p = peers_at(&s->peers, i);
        if (p != NULL && p->lost) {
            const bus_peer number = p->number;
            const bool tell = !p->closed && s->ops.gone != NULL;
            peers_remove(&s->peers, p);
            if (tell) {
                s->ops.gone(s->ctx, number);
            }
        }
    }
}

/* ---- life ---- */

static void release(bus_door *d)
{
    bus_server *s = (bus_server *)d;
    peers_done(&s->peers);
    free(s);
}

kg_err bus_bind(bus_door *d, const char *endpoint, char bound[BUS_ENDPOINT_MAX], kg_diag *diag)
{
    if (strncmp(endpoint, "tcp://", 6) != 0 && strncmp(endpoint, "ipc://", 6) != 0) {
        return kg_fail(diag, KG_E_INVALID, "%s: only tcp:// and ipc:// can be encrypted; write one of them", endpoint);
    }
    if (zmq_bind(d->socket, endpoint) != 0) {
        return bus_zmq_fail(diag, "cannot listen at", endpoint);
    }
    size_t n = BUS_ENDPOINT_MAX;
    if (zmq_getsockopt(d->socket, ZMQ_LAST_ENDPOINT, bound, &n) != 0) {
        return bus_zmq_fail(diag, "cannot tell the address of", endpoint);
    }
    return KG_OK;
}

kg_err bus_server_open(bus *b, const char *domain, const char *endpoint, bool heartbeats, const bus_server_ops *ops,
                       void *ctx, bus_server **out, kg_diag *diag)
{
    if (strlen(domain) == 0 || strlen(domain) >= ZAP_DOMAIN_MAX) {
        return kg_fail(diag, KG_E_INVALID, "\"%s\": not a usable name for a server", domain);
    }
    bus_server *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "%s: no memory for the server", domain);
    }
    memcpy(s->domain, domain, strlen(domain));
    s->ops = *ops;
    s->ctx = ctx;
    s->door.take = take;
    s->door.release = release;
    kg_err e = bus_door_open(b, ZMQ_ROUTER, &s->door, diag);
    const bus_keys keys = {.secret = secret_connect_bytes(b->own)};
    const int mandatory = 1;
    if (e == KG_OK && (bus_option_server(s->door.socket, &keys, s->domain) != KG_OK ||
                       (heartbeats && bus_option_heartbeats(s->door.socket) != KG_OK) ||
                       zmq_setsockopt(s->door.socket, ZMQ_ROUTER_MANDATORY, &mandatory, sizeof mandatory) != 0)) {
        e = bus_zmq_fail(diag, "cannot set up", domain);
    }
    if (e == KG_OK) {
        e = bus_bind(&s->door, endpoint, s->endpoint, diag);
    }
    if (e == KG_OK) {
        e = bus_door_join(&s->door, &b->servers, diag);
    }
    if (e != KG_OK) {
        bus_door_close(&s->door, &b->servers);
        return e;
    }
    s->next = b->server_list;
    b->server_list = s;
    *out = s;
    return KG_OK;
}

kg_err bus_listen(bus *b, const char *domain, const char *endpoint, bool heartbeats, const bus_server_ops *ops,
                  void *ctx, bus_server **out, kg_diag *diag)
{
    if (!b->guarded) {
        return kg_fail(diag, KG_E_DENIED, "%s: no listener opens before the guard at the door has proved itself",
                       domain);
    }
    for (const bus_server *s = b->server_list; s != NULL; s = s->next) {
        if (strcmp(s->domain, domain) == 0) {
            return kg_fail(diag, KG_E_CONFLICT, "%s: there is a server of this name already", domain);
        }
    }
    return bus_server_open(b, domain, endpoint, heartbeats, ops, ctx, out, diag);
}

const char *bus_server_endpoint(const bus_server *s)
{
    return s->endpoint;
}

void bus_server_close(bus_server **server)
{
    bus_server *s = *server;
    if (s == NULL) {
        return;
    }
    bus *b = s->door.bus;
    for (bus_server **at = &b->server_list; *at != NULL; at = &(*at)->next) {
        if (*at == s) {
            *at = s->next;
            break;
        }
    }
    bus_door_close(&s->door, &b->servers);
    *server = NULL;
}
