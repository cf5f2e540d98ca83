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
 *           fails. Every message's key is asked for again: a key revoked while connected is dropped.
 * Gone      libzmq does not tell a ROUTER whom it lost. A peer is known to be gone when a send finds no way to it:
 *           yours, or the bus's own probe (an empty message, dropped by the other bus) to every peer that was silent
 *           for BUS_PROBE_MS. With heartbeats a frozen peer is cut after 6 s, else by TCP after 30 s; so `gone` comes
 *           within 2 * BUS_PROBE_MS of the cut. A peer that returns is a new bus_peer: expect its HELLO before, after
 *           or without the old one's `gone`.
 * Limits    WIRE_FRAME_MAX bytes a message, one payload frame, no routing id of the peer's own choice. What breaks one
 *           of these is dropped, counted and a strike; after BUS_STRIKES_MAX of them the peer is deaf to us until it
 *           connects anew. Options: reliability.md 1.6, set in one place (bus_option.c).
 * Loop      bus_fd is readable when bus_poll has work; after a batch of sends ask bus_pending too (libzmq may have
 *           taken the wake-up while sending). loop_bus (svc/loop.h) does both.
 * Errors    bus_send: KG_E_AGAIN full (keep it and retry), KG_E_NOTFOUND peer gone. Neither loses what you keep.
 * Handlers  May send, close peers, servers and clients, themselves included; may not call bus_poll or bus_free.
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

enum { BUS_PROBE_MS = 5000, BUS_STRIKES_MAX = 8, BUS_PEERS_MAX = 65536 };

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
    void (*refused)(void *ctx); /* may be NULL: the server does not know our key, or did not admit it (yet) */
} bus_client_ops;

typedef struct bus_counts {
    uint64_t in, out;
    uint64_t refused_keys; /* handshakes turned away */
    uint64_t no_identity;  /* messages without a proven key */
    uint64_t unwelcome;    /* messages of a key that is admitted no more, or of a peer we closed */
    uint64_t oversize, multipart, own_ids;
    uint64_t full; /* sends that found no room */
} bus_counts;

/* own: the process's connecting key, borrowed for the bus's life. Raises the soft limit of open files. */
KG_MUST_CHECK kg_err bus_new(const secret_key *own, bus **out, kg_diag *diag);
void bus_free(bus **b);

/* Starts the ZAP handler and proves that it refuses; must succeed before bus_listen. */
KG_MUST_CHECK kg_err bus_guard(bus *b, kg_diag *diag);

/* Only tcp:// and ipc://: CURVE does not reach further. domain: a short name, one per server ("intake", "urgent",
 * "other", "control"). A port of * picks a free one: bus_server_endpoint tells. heartbeats: off on the lane that
 * carries pieces. */
KG_MUST_CHECK kg_err bus_listen(bus *b, const char *domain, const char *endpoint, bool heartbeats,
                                const bus_server_ops *ops, void *ctx, bus_server **out, kg_diag *diag);
const char *bus_server_endpoint(const bus_server *s);
KG_MUST_CHECK kg_err bus_send(bus_server *s, bus_peer number, const void *bytes, size_t n);
void bus_close_peer(bus_server *s, bus_peer number); /* forget it: its messages are dropped from now on */
void bus_server_close(bus_server **s);               /* its address is free again a moment later, not at once */

KG_MUST_CHECK kg_err bus_connect(bus *b, const char *endpoint, const public_key *server, bool heartbeats,
                                 const bus_client_ops *ops, void *ctx, bus_client **out, kg_diag *diag);
/* KG_E_AGAIN: the line is not up, or full. */
KG_MUST_CHECK kg_err bus_client_send(bus_client *c, const void *bytes, size_t n);
bool bus_client_up(const bus_client *c);
void bus_client_close(bus_client **c);

/* Status only: may drop. One a bus; its ZAP domain is "status". */
KG_MUST_CHECK kg_err bus_publish_open(bus *b, const char *endpoint, bool (*admit)(void *, const public_key *),
                                      void *ctx, bus_pub **out, kg_diag *diag);
const char *bus_publish_endpoint(const bus_pub *p);
void bus_publish(bus_pub *p, const void *bytes, size_t n);
void bus_publish_close(bus_pub **p);
KG_MUST_CHECK kg_err bus_subscribe(bus *b, const char *endpoint, const public_key *server, const bus_client_ops *ops,
                                   void *ctx, bus_client **out, kg_diag *diag);

/* Handles up to about `budget` messages in all; *more (may be NULL) is bus_pending. Servers before clients, each in
 * the order they were opened, in small turns, so that a flood on one leaves room for the others. */
KG_MUST_CHECK kg_err bus_poll(bus *b, unsigned budget, bool *more, kg_diag *diag);
int bus_fd(const bus *b); /* the same for the bus's life */
bool bus_pending(const bus *b);
bus_counts bus_count(const bus *b);

#endif
