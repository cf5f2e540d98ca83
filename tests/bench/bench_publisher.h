/*
 * bench_publisher - an agency's side of the intake, without an outbox: it submits alerts that were signed beforehand and
 * checks the router's signature under every answer.
 *
 * Order     Answers to one publisher come in the order of its submissions (of one class); anything else ends the bench,
 *           and so does any answer but "accepted".
 */
#ifndef KENG_BENCH_PUBLISHER_H
#define KENG_BENCH_PUBLISHER_H

#include "bus/bus.h"
#include "tests/bench/bench_world.h"

enum { PUB_WINDOW_MAX = 8192 };

typedef struct pub_alert {
    kg_buf bytes;
    alert_hash hash;
} pub_alert;

typedef struct pub_progress { /* the last one heard */
    bool final;
    int64_t last_held_ms, last_outcome_ms;
} pub_progress;

typedef struct pub {
    const bench_world *world;
    secret_key *key;
    bus *bus;
    bus_client *client;
    struct {
        alert_hash hash;
        double sent;
    } ring[PUB_WINDOW_MAX];
    uint64_t sent, answered;
    uint64_t targets;  /* deliveries promised so far */
    uint64_t position; /* of the last one answered */
    alert_id id;       /* likewise */
    pub_progress progress;
    double *waits; /* of each submission until its answer, when not NULL */
} pub;

void pub_sign(const bench_world *w, const world_wish *wish, pub_alert *out);
/* Connects and waits until the line is up. */
void pub_open(pub *p, const bench_world *w, const char *key_name);
void pub_close(pub *p);
/* False: the line takes no more just now; poll first. */
bool pub_send(pub *p, const pub_alert *a);
void pub_poll(pub *p, int wait_ms);
void pub_await(pub *p, uint64_t at_most_open); /* until so few are without an answer */

#endif
