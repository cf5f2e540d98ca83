/*
 * bus_own - what the files of the bus share. The only header that includes zmq.h.
 */
#ifndef KENG_BUS_OWN_H
#define KENG_BUS_OWN_H

#include <zmq.h>

#include "bus/bus.h"
#include "bus/peers.h"
#include "bus/zap.h"

enum {
    BUS_DOORS_A_POLL = 256, /* sockets looked at after one wake-up; the rest stay readable for the next */
    BUS_TURN = 16,          /* messages taken from one socket before the next has its turn */
    BUS_ENDPOINT_MAX = 256,
    BUS_DEAD_TICKS = 3 /* a line that is down this long is dialled anew, whatever libzmq thinks of it */
};

/* One zmq socket that may have something for us. `ready` holds until a receive has come back empty: only then has
 * libzmq taken every command and will signal its descriptor anew. */
typedef struct bus_door {
    struct bus *bus;
    void *socket;
    bool ready, dead;
    /* Takes one message, false when there was none. */
    bool (*take)(struct bus_door *d);
    void (*release)(struct bus_door *d); /* frees what the door is part of */
    struct bus_door *next;               /* among the servers or the clients, in the order of opening */
    struct bus_door *grave;
} bus_door;

struct bus_server {
    bus_door door;
    char domain[ZAP_DOMAIN_MAX];
    char endpoint[BUS_ENDPOINT_MAX];
    bus_server_ops ops;
    void *ctx;
    peers peers;
    bool draining; /* the rest of a message of too many frames is still to be thrown away */
    bool lost_some;
    bus_server *next;
};

struct bus_client {
    bus_door door, monitor;
    int type; /* ZMQ_DEALER or ZMQ_SUB */
    char endpoint[BUS_ENDPOINT_MAX];
    public_key own_public, server;
    const uint8_t *secret; /* borrowed */
    bool heartbeats;
    bool greeted; /* the handshake is through; up once the socket can send, which is a moment later */
    bool up, draining;
    bool broken; /* libzmq has given up on the line for good: it does after a refusal */
    unsigned down_ticks;
    bus_client_ops ops;
    void *ctx;
    bus_client *next;
};

struct bus_pub {
    bus_door door;
    char endpoint[BUS_ENDPOINT_MAX];
    bool (*admit)(void *ctx, const public_key *key);
    void *ctx;
};

struct bus {
    void *zmq;
    const secret_key *own;
    public_key own_public;
    int epoll_fd, tick_fd;
    bus_door *servers, *clients; /* two lists: servers are looked at first */
    bus_door *next_client;       /* where the round goes on when the budget ended it */
    size_t client_count;
    bus_door *graves;        /* closed in a handler; freed when the poll is over */
    bus_server *server_list; /* for the ZAP handler */
    bus_client *client_list; /* every client, also one that has no socket just now */
    bus_pub *pub;
    bus_door zap;
    bool guarded;
    bool polling;
    bus_peer last_peer;
    unsigned last_monitor;
    bus_counts counts;
};

/* bus.c */
kg_err bus_door_open(bus *b, int type, bus_door *d, kg_diag *diag); /* the socket, with the common options */
kg_err bus_door_join(bus_door *d, bus_door **list, kg_diag *diag);  /* into the poll set */
void bus_door_leave(bus_door *d, bus_door **list);                  /* closes the socket */
void bus_door_close(bus_door *d, bus_door **list); /* that, and releases now or when the poll is over */
kg_err bus_zmq_fail(kg_diag *diag, const char *what, const char *where);

/* bus_option.c */
typedef struct bus_keys {
    const uint8_t *public_b, *secret, *server; /* server: of the other side, for a client */
} bus_keys;
kg_err bus_option_common(void *socket);
kg_err bus_option_heartbeats(void *socket);
kg_err bus_option_server(void *socket, const bus_keys *k, const char *domain);
kg_err bus_option_client(void *socket, const bus_keys *k);

/* bus_server.c */
kg_err bus_server_open(bus *b, const char *domain, const char *endpoint, bool heartbeats, const bus_server_ops *ops,
                       void *ctx, bus_server **out, kg_diag *diag);
kg_err bus_bind(bus_door *d, const char *endpoint, char bound[BUS_ENDPOINT_MAX], kg_diag *diag);
void bus_server_probe(bus_server *s);     /* asks every silent peer whether it is still there */
void bus_server_bury_lost(bus_server *s); /* tells of the lost and forgets them */

/* bus_client.c */
/* wanted: all but the sockets filled in. */
kg_err bus_client_open(const bus_client *wanted, bus_client **out, kg_diag *diag);
void bus_client_mend(bus_client *c); /* every BUS_PROBE_MS: dials anew when the line is past libzmq's own repair */

/* bus_zap.c */
kg_err bus_zap_open(bus *b, kg_diag *diag);
kg_err bus_zap_prove(bus *b, kg_diag *diag);
bool bus_zap_admits(const bus *b, const zap_request *r);

#endif
