/*
 * bus_world - one server, a few clients and a table of admitted keys, on real sockets, driven by hand.
 */
#ifndef KENG_TESTS_BUS_WORLD_H
#define KENG_TESTS_BUS_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bus/bus.h"

enum { WORLD_CLIENTS = 160, WORLD_PATIENCE_MS = 15000 };

typedef struct world_client {
    struct world *w;
    secret_key *key;
    bus *b;
    bus_client *c;
    unsigned ups, downs, refusals, messages;
    char last[64];
    bool close_on_message;
} world_client;

typedef struct world {
    secret_key *key; /* the server's */
    public_key public_part;
    bus *b;
    bus_server *s;
    public_key admitted[WORLD_CLIENTS];
    size_t admitted_count;
    world_client clients[WORLD_CLIENTS];
    size_t client_count;
    unsigned messages, gones;
    size_t last_bytes;
    char last[64];
    char address[64]; /* an abstract ipc address of its own: several runs at once do not meet */
    bus_peer from, gone;
    public_key from_key;
    bool echo, close_on_message;
} world;

extern const bus_server_ops world_server_ops;

int world_setup(void **state);     /* a bus and its key; nothing listens yet */
int world_listening(void **state); /* guarded, listening at .address */
int world_teardown(void **state);

secret_key *world_key(void);
/* A client with its own bus and key; admitted when `welcome`. Connects to the server's endpoint, or to `endpoint`. */
world_client *world_client_new(world *w, bool welcome, const char *endpoint);
void world_admit(world *w, const public_key *k);
void world_banish(world *w, const public_key *k);

/* Polls everybody until *what reaches at_least; fails the test, naming `label`, when patience ends. */
void world_until(world *w, const unsigned *what, unsigned at_least, const char *label);
/* Polls everybody for a number of rounds of 5 ms: for what must not happen. */
void world_rounds(world *w, int rounds);

/* A foreign program: a bare zmq DEALER with this key, connected. */
typedef struct raw_peer {
    void *zmq, *socket;
} raw_peer;
raw_peer world_raw(world *w, const secret_key *key, const void *routing_id, size_t id_bytes);
void world_raw_done(raw_peer *r);

#endif
