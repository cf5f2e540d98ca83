/*
 * bench_station - one process that holds many stations, each with connections of its own to the router and a row of its
 * own in the process's ledger; the same work a sink does until it has said HELD, and nothing after it.
 *
 * Turn      holder_poll takes what has come; holder_commit writes it to the ledger in one commit and only then says
 *           HELD, with new credit, over each station's own connection. An alert is verified once a process, as the
 *           sink engine does; each target's communes are checked against the signer's.
 * Told      on_order when an order is read, on_held after the commit, on_kept when the router has told that its own
 *           commit is done. The position is the alert's in the router's journal.
 */
#ifndef KENG_BENCH_STATION_H
#define KENG_BENCH_STATION_H

#include "bus/bus.h"
#include "delivery/queue.h"
#include "store/ledger.h"
#include "tests/bench/bench_world.h"

enum { HOLDER_PENDING = 64, HOLDER_KNOWN = 4096 /* alerts under way at once, fewer than this a lane */ };

typedef struct holder holder;

typedef struct holder_ops {
    void (*on_order)(void *ctx, uint64_t position, bool urgent);
    void (*on_held)(void *ctx, uint64_t position);
    void (*on_kept)(void *ctx, uint64_t position);
} holder_ops;

typedef struct holder_line { /* one lane of one station */
    struct holder_station *station;
    lane lane;
    bus_client *client;
    bool welcomed;
    uint32_t answered; /* orders, since Hello */
    uint64_t batch;
    struct {
        uint64_t batch, position;
    } said[HOLDER_PENDING]; /* not yet kept by the router, oldest first */
    size_t said_first, said_count;
} holder_line;

typedef struct holder_station {
    holder *holder;
    char id[16];
    holder_line lines[LANE_COUNT];
} holder_station;

typedef struct
    holder_alert { /* verified; in its lane's table by its position: a queue's positions follow one another */
    alert_id id;
    alert_hash hash;
    kg_buf bytes;
    const key_entry *signer;
} holder_alert;

typedef struct holder_order {
    holder_line *line;
    uint64_t delivery;
    alert_id id;
    const holder_alert *alert;
    void *target;
    size_t target_len;
} holder_order;

struct holder {
    const bench_world *world;
    secret_key *key;
    bus *bus;
    ledger *ledger;
    const char *name;
    uint32_t credit; /* a line's window */
    holder_station *stations;
    size_t count, welcomed;
    holder_order *orders[LANE_COUNT]; /* arrived, not yet committed */
    size_t order_count[LANE_COUNT], order_cap[LANE_COUNT];
    holder_alert known[LANE_COUNT][HOLDER_KNOWN];
    uint64_t commits;
    size_t order_bytes; /* of the last order's frame */
    holder_ops ops;
    void *ctx;
};

typedef struct holder_wish {
    const char *key, *ledger;
    size_t first, count; /* stations */
    uint32_t credit;
} holder_wish;

/* Connects every line and waits until the router has welcomed all. */
void holder_open(holder *h, const bench_world *w, const holder_wish *wish);
void holder_poll(holder *h, int wait_ms);
/* All urgent orders and up to most_other of the others. */
void holder_commit(holder *h, size_t most_other);

#endif
