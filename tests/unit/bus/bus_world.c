#include "tests/unit/bus/bus_world.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "base/clock.h"
#include "base/hex.h"

static bool admit(void *ctx, const public_key *key)
{
    const world *w = ctx;
    for (size_t i = 0; i < w->admitted_count; i++) {
        if (public_same(&w->admitted[i], key)) {
            return true;
        }
    }
    return false;
}

static void keep(char *to, size_t size, const void *bytes, size_t n)
{
    const size_t take = n < size - 1 ? n : size - 1;
    memcpy(to, bytes, take);
    to[take] = '\0';
}

static void on_message(void *ctx, bus_peer from, const public_key *key, const void *bytes, size_t n)
{
    world *w = ctx;
    w->messages++;
    w->from = from;
    w->from_key = *key;
    w->last_bytes = n;
    keep(w->last, sizeof w->last, bytes, n);
    if (w->echo) {
        assert_int_equal(bus_send(w->s, from, bytes, n), KG_OK);
    }
    if (w->close_on_message) {
        bus_server_close(&w->s);
    }
}

static void on_gone(void *ctx, bus_peer who)
{
    world *w = ctx;
    w->gones++;
    w->gone = who;
}

const bus_server_ops world_server_ops = {admit, on_message, on_gone};

static void client_up(void *ctx)
{
    ((world_client *)ctx)->ups++;
}

static void client_down(void *ctx)
{
    ((world_client *)ctx)->downs++;
}

static void client_refused(void *ctx)
{
    ((world_client *)ctx)->refusals++;
}

static void client_message(void *ctx, const void *bytes, size_t n)
{
    world_client *c = ctx;
    c->messages++;
    keep(c->last, sizeof c->last, bytes, n);
    if (c->close_on_message) {
        bus_client_close(&c->c);
    }
}

static const bus_client_ops client_ops = {client_up, client_down, client_message, client_refused};

secret_key *world_key(void)
{
    secret_key *k = NULL;
    assert_int_equal(secret_new(KEY_CONNECT, &k, NULL), KG_OK);
    return k;
}

int world_setup(void **state)
{
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    assert_int_equal(trust_start(NULL), KG_OK);
    uint8_t name[8];
    char hex[17];
    trust_random(name, sizeof name);
    kg_hex(name, sizeof name, hex);
    (void)snprintf(w->address, sizeof w->address, "ipc://@keng-test-%s", hex);
    w->key = world_key();
    w->public_part = secret_public(w->key);
    assert_int_equal(bus_new(w->key, &w->b, NULL), KG_OK);
    *state = w;
    return 0;
}

int world_listening(void **state)
{
    (void)world_setup(state);
    world *w = *state;
    kg_diag diag = {{0}};
    if (bus_guard(w->b, &diag) != KG_OK) {
        fail_msg("guard: %s", diag.text);
    }
    if (bus_listen(w->b, "intake", w->address, true, &world_server_ops, w, &w->s, &diag) != KG_OK) {
        fail_msg("listen: %s", diag.text);
    }
    return 0;
}

int world_teardown(void **state)
{
    world *w = *state;
    for (size_t i = 0; i < w->client_count; i++) {
        bus_client_close(&w->clients[i].c);
        bus_free(&w->clients[i].b);
        secret_free(&w->clients[i].key);
    }
    bus_server_close(&w->s);
    bus_free(&w->b);
    secret_free(&w->key);
    free(w);
    return 0;
}

void world_admit(world *w, const public_key *k)
{
    w->admitted[w->admitted_count++] = *k;
}

void world_banish(world *w, const public_key *k)
{
    for (size_t i = 0; i < w->admitted_count; i++) {
        if (public_same(&w->admitted[i], k)) {
            w->admitted[i] = w->admitted[--w->admitted_count];
            return;
        }
    }
    fail_msg("this key was not admitted");
}

world_client *world_client_new(world *w, bool welcome, const char *endpoint)
{
    assert_true(w->client_count < WORLD_CLIENTS);
    world_client *c = &w->clients[w->client_count++];
    c->w = w;
    c->key = world_key();
    const public_key k = secret_public(c->key);
    if (welcome) {
        world_admit(w, &k);
    }
    kg_diag diag = {{0}};
    const char *at = endpoint != NULL ? endpoint : bus_server_endpoint(w->s);
    if (bus_new(c->key, &c->b, &diag) != KG_OK ||
        bus_connect(c->b, at, &w->public_part, true, &client_ops, c, &c->c, &diag) != KG_OK) {
        fail_msg("connect: %s", diag.text);
    }
    return c;
}

static void poll_all(world *w, int wait_ms)
{
    struct pollfd fds[WORLD_CLIENTS + 1];
    size_t n = 0;
    bool pending = bus_pending(w->b);
    fds[n++] = (struct pollfd){.fd = bus_fd(w->b), .events = POLLIN};
    for (size_t i = 0; i < w->client_count; i++) {
        pending = pending || bus_pending(w->clients[i].b);
        fds[n++] = (struct pollfd){.fd = bus_fd(w->clients[i].b), .events = POLLIN};
    }
    (void)poll(fds, n, pending ? 0 : wait_ms);
    assert_int_equal(bus_poll(w->b, 64, NULL, NULL), KG_OK);
    for (size_t i = 0; i < w->client_count; i++) {
        assert_int_equal(bus_poll(w->clients[i].b, 64, NULL, NULL), KG_OK);
    }
}

void world_until(world *w, const unsigned *what, unsigned at_least, const char *label)
{
    const int64_t end = kg_clock_mono_ms() + WORLD_PATIENCE_MS;
    while (*what < at_least) {
        if (kg_clock_mono_ms() > end) {
            fail_msg("%s: %u of %u within %d ms", label, *what, at_least, WORLD_PATIENCE_MS);
        }
        poll_all(w, 50);
    }
}

void world_rounds(world *w, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        poll_all(w, 5);
    }
}

raw_peer world_raw(world *w, const secret_key *key, const void *routing_id, size_t id_bytes)
{
    const public_key own = secret_public(key);
    const int zero = 0;
    raw_peer r = {.zmq = zmq_ctx_new()};
    r.socket = zmq_socket(r.zmq, ZMQ_DEALER);
    assert_non_null(r.socket);
    assert_int_equal(zmq_setsockopt(r.socket, ZMQ_LINGER, &zero, sizeof zero), 0);
    assert_int_equal(zmq_setsockopt(r.socket, ZMQ_CURVE_PUBLICKEY, own.b, KEY_BYTES), 0);
    assert_int_equal(zmq_setsockopt(r.socket, ZMQ_CURVE_SECRETKEY, secret_connect_bytes(key), KEY_BYTES), 0);
    assert_int_equal(zmq_setsockopt(r.socket, ZMQ_CURVE_SERVERKEY, w->public_part.b, KEY_BYTES), 0);
    if (routing_id != NULL) {
        assert_int_equal(zmq_setsockopt(r.socket, ZMQ_ROUTING_ID, routing_id, id_bytes), 0);
    }
    assert_int_equal(zmq_connect(r.socket, bus_server_endpoint(w->s)), 0);
    return r;
}

void world_raw_done(raw_peer *r)
{
    (void)zmq_close(r->socket);
    (void)zmq_ctx_term(r->zmq);
}
