/*
 * bus - ZeroMQ, behind one door: encrypted, authenticated, bounded connections that never block.
 *
 * Purpose   ROUTER and DEALER with CURVE for messages; PUB and SUB for status. The doorbell and the pipe, never the
 *           guarantee: KG_OK from a send means "handed to ZeroMQ", no more (reliability.md 1).
 * Shape     One bus a process, one zmq context. A server listens; each connected peer is a bus_peer with the CURVE key
 *           it proved (read from the last frame's User-Id; a message without one is dropped and counted). A client
 *           connects to one endpoint whose key it knows.
 * Admit     A peer is admitted when `admit` says so for its key (ZAP handler of our own, served by bus_poll); it is
 *           bound and self-tested (a random key must be refused) before the first listener opens, else bus_listen
 *           fails. The handler re-checks every message's key: a key revoked while connected is dropped.
 * Limits    WIRE_FRAME_MAX bytes a message, one payload frame; more frames = a strike, counted. Options:
 *           reliability.md 1.6, set in one place.
 * Loop      bus_fd is edge-triggered: call bus_poll after every wake-up and after every batch of sends.
 * Errors    bus_send: KG_E_AGAIN full (keep it and retry), KG_E_NOTFOUND peer gone. Neither loses what you keep.
 * Threads   One thread (libzmq's own I/O threads aside).
 */
#ifndef KENG_BUS_BUS_H
#define KENG_BUS_BUS_H

#include "base/err.h"
#include "trust/key.h"
#include "wire/wire.h"

typedef struct bus bus;
typedef struct bus_server bus_server;
typedef struct bus_client bus_client;
typedef struct bus_pub bus_pub;

typedef uint32_t bus_peer; /* valid until on_gone; numbers are not reused while the process lives */

typedef struct bus_server_ops {
    /* Is this key welcome at this server? Called at the handshake and once per message turn. */
    bool (*admit)(void *ctx, const public_key *key);
    void (*message)(void *ctx, bus_peer peer, const public_key *key, const void *bytes, size_t n);
    void (*gone)(void *ctx, bus_peer peer); /* the connection was lost; may be late */
} bus_server_ops;

typedef struct bus_client_ops {
    void (*up)(void *ctx);   /* connected and encrypted */
    void (*down)(void *ctx); /* lost; libzmq reconnects by itself */
    void (*message)(void *ctx, const void *bytes, size_t n);
} bus_client_ops;

typedef struct bus_counts {
    uint64_t in, out, refused_keys, no_identity, oversize, multipart, full;
} bus_counts;

/* own: the process's connecting key, borrowed for the bus's life. */
KG_MUST_CHECK kg_err bus_new(const secret_key *own, bus **out, kg_diag *diag);
void bus_free(bus **b);

/* Starts the ZAP handler and proves that it refuses; must succeed before bus_listen. */
KG_MUST_CHECK kg_err bus_guard(bus *b, kg_diag *diag);

/* domain: a short name, one per server ("intake", "urgent", "other", "control"). endpoint: tcp://... or
 * ipc://...; a port of 0 or * picks a free one: bus_server_endpoint tells. heartbeats: off on the lane that
 * carries pieces. */
KG_MUST_CHECK kg_err bus_listen(bus *b, const char *domain, const char *endpoint, bool heartbeats,
                                const bus_server_ops *ops, void *ctx, bus_server **out, kg_diag *diag);
const char *bus_server_endpoint(const bus_server *s);
KG_MUST_CHECK kg_err bus_send(bus_server *s, bus_peer peer, const void *bytes, size_t n);
void bus_close_peer(bus_server *s, bus_peer peer); /* forget it: its messages are dropped from now on */
void bus_server_close(bus_server **s);

KG_MUST_CHECK kg_err bus_connect(bus *b, const char *endpoint, const public_key *server, bool heartbeats,
                                 const bus_client_ops *ops, void *ctx, bus_client **out, kg_diag *diag);
KG_MUST_CHECK kg_err bus_client_send(bus_client *c, const void *bytes, size_t n);
bool bus_client_up(const bus_client *c);
void bus_client_close(bus_client **c);

/* Status only: may drop. */
KG_MUST_CHECK kg_err bus_publish_open(bus *b, const char *endpoint, bool (*admit)(void *, const public_key *),
                                      void *ctx, bus_pub **out, kg_diag *diag);
void bus_publish(bus_pub *p, const void *bytes, size_t n);
void bus_publish_close(bus_pub **p);
KG_MUST_CHECK kg_err bus_subscribe(bus *b, const char *endpoint, const public_key *server, const bus_client_ops *ops,
                                   void *ctx, bus_client **out, kg_diag *diag);

/* Handles up to `budget` messages in all; *more is set when something may be left. Urgent servers first: in
 * the order they were opened. */
KG_MUST_CHECK kg_err bus_poll(bus *b, unsigned budget, bool *more, kg_diag *diag);
/* Descriptors to watch for reading, at most `cap`; the count. It changes when servers and clients open or
 * close. */
size_t bus_fds(const bus *b, int *fds, size_t cap);
bus_counts bus_count(const bus *b);

#endif
