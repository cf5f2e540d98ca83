#include "bus/bus_own.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

enum { DRAIN_FRAMES = 256, EVENT_BYTES = 6 };

/* ---- is the line up? ---- */

static void line_changed(bus_client *c, bool up)
{
    if (c->up == up) {
        return;
    }
    c->up = up;
    void (*tell)(void *) = up ? c->ops.up : c->ops.down;
    if (tell != NULL) {
        tell(c->ctx);
    }
}

/* The handshake is announced before the socket has the connection: whoever sends his hello on "up" must not be told
 * that nobody is there. */
static void tell_when_ready(bus_client *c)
{
    int events = 0;
    size_t n = sizeof events;
    if (!c->greeted || c->up || c->door.socket == NULL) {
        return;
    }
    if (c->type == ZMQ_SUB ||
        (zmq_getsockopt(c->door.socket, ZMQ_EVENTS, &events, &n) == 0 && (events & ZMQ_POLLOUT) != 0)) {
        c->door.ready = true; /* asking may have taken the wake-up of a message */
        line_changed(c, true);
    }
}

/* An event is two frames: number and value in our byte order, then the address. A hint for people and back-off. */
static bool take_event(bus_door *d)
{
    bus_client *c = (bus_client *)(void *)((char *)d - offsetof(bus_client, monitor));
    uint8_t event[EVENT_BYTES];
    bool more = true;
    int n = 0;
    for (int i = 0; more; i++) {
        zmq_msg_t m;
        (void)zmq_msg_init(&m);
        const int rc = zmq_msg_recv(&m, d->socket, ZMQ_DONTWAIT);
        if (rc < 0) {
            const bool again = errno == EINTR;
            (void)zmq_msg_close(&m);
            return i > 0 || again;
        }
        if (i == 0 && rc == EVENT_BYTES) {
            n = rc;
            memcpy(event, zmq_msg_data(&m), EVENT_BYTES);
        }
        more = zmq_msg_more(&m) != 0;
        (void)zmq_msg_close(&m);
    }
    uint16_t number = 0;
    memcpy(&number, event, n == EVENT_BYTES ? sizeof number : 0);
    if (number == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
        c->greeted = true;
        tell_when_ready(c);
    } else if (number == ZMQ_EVENT_DISCONNECTED) {
        c->greeted = false;
        line_changed(c, false);
    } else if (number == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL) {
        c->broken = true;
    } else if (number == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) {
        c->broken = true;
        if (c->ops.refused != NULL) {
            c->ops.refused(c->ctx);
        }
    }
    return true;
}

/* ---- messages ---- */

static bool drain(bus_client *c)
{
    for (int i = 0; i < DRAIN_FRAMES && c->draining; i++) {
        zmq_msg_t m;
        (void)zmq_msg_init(&m);
        c->draining = zmq_msg_recv(&m, c->door.socket, ZMQ_DONTWAIT) >= 0 && zmq_msg_more(&m) != 0;
        (void)zmq_msg_close(&m);
    }
    return true;
}

static void deliver(bus_client *c, zmq_msg_t *m)
{
    bus_counts *counts = &c->door.bus->counts;
    const size_t n = zmq_msg_size(m);
    if (n == 0) {
        return; /* a probe */
    }
    if (n > WIRE_FRAME_MAX) {
        counts->oversize++;
        return;
    }
    while (!c->up && c->monitor.socket != NULL && take_event(&c->monitor)) {
    }
    tell_when_ready(c);
    if (!c->door.dead) {
        counts->in++;
        c->ops.message(c->ctx, zmq_msg_data(m), n);
    }
}

static bool take(bus_door *d)
{
    bus_client *c = (bus_client *)d;
    if (c->draining) {
        return drain(c);
    }
    zmq_msg_t m;
    (void)zmq_msg_init(&m);
    bool some = zmq_msg_recv(&m, d->socket, ZMQ_DONTWAIT) >= 0;
    if (!some) {
        some = errno == EINTR;
        tell_when_ready(c);
    } else if (zmq_msg_more(&m) != 0) {
        d->bus->counts.multipart++;
        c->draining = true;
    } else {
        deliver(c, &m);
    }
    (void)zmq_msg_close(&m);
    return some;
}

kg_err bus_client_send(bus_client *c, const void *bytes, size_t n)
{
    if (n == 0 || n > WIRE_FRAME_MAX) {
        return KG_E_LIMIT;
    }
    if (c->door.dead) {
        return KG_E_NOTFOUND;
    }
    if (!c->up) { /* libzmq would take it for a while after the line was lost, and lose it */
        c->door.bus->counts.full++;
        return KG_E_AGAIN;
    }
    KG_FAULT("bus.client_send");
    c->door.ready = true;
    int rc = 0;
    do {
        rc = zmq_send(c->door.socket, bytes, n, ZMQ_DONTWAIT);
    } while (rc < 0 && errno == EINTR);
    if (rc >= 0) {
        c->door.bus->counts.out++;
        return KG_OK;
    }
    if (errno != EAGAIN) {
        return KG_E_IO;
    }
    c->door.bus->counts.full++;
    return KG_E_AGAIN;
}

bool bus_client_up(const bus_client *c)
{
    return c->up;
}

/* ---- life ---- */

static void release(bus_door *d)
{
    free((bus_client *)d);
}

static kg_err open_monitor(bus_client *c, kg_diag *diag)
{
    bus *b = c->door.bus;
    char name[64];
    (void)snprintf(name, sizeof name, "inproc://keng-monitor-%u", ++b->last_monitor);
    const int events = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                       ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL;
    c->monitor.take = take_event;
    if (zmq_socket_monitor(c->door.socket, name, events) != 0) {
        return bus_zmq_fail(diag, "cannot watch", "the connection");
    }
    const kg_err e = bus_door_open(b, ZMQ_PAIR, &c->monitor, diag);
    if (e == KG_OK && zmq_connect(c->monitor.socket, name) != 0) {
        return bus_zmq_fail(diag, "cannot watch", "the connection");
    }
    return e;
}

/* Socket and monitor, connecting. What fails leaves a client that bus_client_shut can close. */
static kg_err dial(bus_client *c, kg_diag *diag)
{
    bus *b = c->door.bus;
    const bus_keys keys = {c->own_public.b, c->secret, c->server.b};
    kg_err e = bus_door_open(b, c->type, &c->door, diag);
    if (e == KG_OK && (bus_option_client(c->door.socket, &keys) != KG_OK ||
                       (c->heartbeats && bus_option_heartbeats(c->door.socket) != KG_OK) ||
                       (c->type == ZMQ_SUB && zmq_setsockopt(c->door.socket, ZMQ_SUBSCRIBE, "", 0) != 0))) {
        e = bus_zmq_fail(diag, "cannot set up the connection to", c->endpoint);
    }
    if (e == KG_OK) {
        e = open_monitor(c, diag);
    }
    /* The monitor goes before its socket in the round, so that "up" is told before the first message. */
    if (e == KG_OK) {
        e = bus_door_join(&c->monitor, &b->clients, diag);
    }
    if (e == KG_OK) {
        e = bus_door_join(&c->door, &b->clients, diag);
    }
    if (e == KG_OK && zmq_connect(c->door.socket, c->endpoint) != 0) {
        e = bus_zmq_fail(diag, "cannot connect to", c->endpoint);
    }
    return e;
}

static void hang_up(bus_client *c)
{
    if (c->door.socket != NULL) {
        (void)zmq_socket_monitor(c->door.socket, NULL, 0);
    }
    bus_door_leave(&c->monitor, &c->door.bus->clients);
    bus_door_leave(&c->door, &c->door.bus->clients);
}

void bus_client_mend(bus_client *c)
{
    c->down_ticks = c->up ? 0 : c->down_ticks + 1;
    if (c->up || (!c->broken && c->down_ticks < BUS_DEAD_TICKS)) {
        return;
    }
    hang_up(c);
    c->greeted = false;
    c->broken = false;
    c->draining = false;
    c->down_ticks = 0;
    /* No room for a socket now: then there is none, sends say so, and the next tick tries again. */
    c->broken = dial(c, NULL) != KG_OK;
}

kg_err bus_client_open(const bus_client *wanted, bus_client **out, kg_diag *diag)
{
    const char *at = wanted->endpoint;
    if (strncmp(at, "tcp://", 6) != 0 && strncmp(at, "ipc://", 6) != 0) {
        return kg_fail(diag, KG_E_INVALID, "%s: only tcp:// and ipc:// can be encrypted; write one of them", at);
    }
    bus_client *c = malloc(sizeof *c);
    if (c == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "%s: no memory for the connection", at);
    }
    *c = *wanted;
    c->door.take = take;
    c->door.release = release;
    c->next = c->door.bus->client_list;
    c->door.bus->client_list = c;
    const kg_err e = dial(c, diag);
    if (e != KG_OK) {
        bus_client_close(&c);
        return e;
    }
    *out = c;
    return KG_OK;
}

static kg_err connect_as(bus *b, const bus_client *shape, const char *endpoint, const public_key *server,
                         bus_client **out, kg_diag *diag)
{
    bus_client wanted = *shape;
    if (strlen(endpoint) >= sizeof wanted.endpoint) {
        return kg_fail(diag, KG_E_INVALID, "%.64s...: too long for an address", endpoint);
    }
    memcpy(wanted.endpoint, endpoint, strlen(endpoint) + 1);
    wanted.door.bus = b;
    wanted.own_public = b->own_public;
    wanted.secret = secret_connect_bytes(b->own);
    wanted.server = *server;
    return bus_client_open(&wanted, out, diag);
}

kg_err bus_connect(bus *b, const char *endpoint, const public_key *server, bool heartbeats, const bus_client_ops *ops,
                   void *ctx, bus_client **out, kg_diag *diag)
{
    const bus_client shape = {.type = ZMQ_DEALER, .heartbeats = heartbeats, .ops = *ops, .ctx = ctx};
    return connect_as(b, &shape, endpoint, server, out, diag);
}

kg_err bus_subscribe(bus *b, const char *endpoint, const public_key *server, const bus_client_ops *ops, void *ctx,
                     bus_client **out, kg_diag *diag)
{
    const bus_client shape = {.type = ZMQ_SUB, .heartbeats = true, .ops = *ops, .ctx = ctx};
    return connect_as(b, &shape, endpoint, server, out, diag);
}

void bus_client_close(bus_client **client)
{
    bus_client *c = *client;
    if (c != NULL) {
        bus_client **at = &c->door.bus->client_list;
        while (*at != c) {
            at = &(*at)->next;
        }
        *at = c->next;
        hang_up(c);
        bus_door_close(&c->door, &c->door.bus->clients);
        *client = NULL;
    }
}
