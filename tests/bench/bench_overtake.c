/*
 * bench_overtake - an urgent alert to a station that has a long queue of routine ones and takes a thousand a second.
 *
 * Use       bench_overtake FOLDER STATION TIMES
 *           The routine deliveries are queued at the router before; the station connects, holds what its credit lets
 *           come (a commit of its ledger), works that off one by one, a millisecond each, and looks at its connections
 *           in between. TIMES urgent alerts follow, 100 ms apart: from the submission until the station has read the
 *           order, the item or the commit it has in hand included.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/bench/bench_common.h"
#include "tests/bench/bench_publisher.h"
#include "tests/bench/bench_station.h"

enum { CREDIT = 8, TIMES_MAX = 10000 }; /* CREDIT: what a station of the sink engine grants */
static const double ITEM_S = 0.001;
static const double CATCH_UP_S = 0.02; /* what a slow commit may cost and be made good */

typedef struct report {
    double at;
    uint64_t routine; /* taken until then */
} report;

typedef struct desk {
    int back;
    uint64_t routine;
} desk;

static void on_order(void *ctx, uint64_t position, bool urgent)
{
    const desk *d = ctx;
    (void)position;
    if (urgent) {
        const report r = {bench_now(), d->routine};
        bench_write(d->back, &r, sizeof r);
    }
}

/* A device that is busy with each item for a millisecond. */
static _Noreturn void hold(const bench_world *w, size_t station, int back)
{
    static holder h;
    static desk d;
    char rows[WORLD_PATH + 64];
    (void)snprintf(rows, sizeof rows, "%s/state/holder-0.db", w->dir);
    const holder_wish wish = {.key = "holder-0", .ledger = rows, .first = station, .count = 1, .credit = CREDIT};
    d = (desk){.back = back};
    h.ops = (holder_ops){.on_order = on_order};
    h.ctx = &d;
    holder_open(&h, w, &wish);
    const report ready = {.at = 0};
    bench_write(back, &ready, sizeof ready);
    double next = bench_now();
    for (size_t in_hand = 0;;) {
        holder_poll(&h, in_hand + h.order_count[LANE_OTHER] > 0 ? 0 : 10);
        holder_commit(&h, 0); /* urgent ones first, whatever waits */
        if (in_hand == 0) {
            in_hand = h.order_count[LANE_OTHER];
            holder_commit(&h, in_hand);
        }
        if (in_hand > 0) {
            const double now = bench_now();
            next = next + ITEM_S > now - CATCH_UP_S ? next + ITEM_S : now - CATCH_UP_S;
            bench_sleep(next - now);
            in_hand--;
            d.routine++;
        }
    }
}

int main(int argc, char **argv)
{
    static bench_world world;
    static pub p;
    int back[2];
    pid_t child = 0;
    if (argc != 4) {
        bench_die("usage: bench_overtake FOLDER STATION TIMES");
    }
    const size_t station = bench_number(argv[2], WORLD_STATIONS_MAX);
    const size_t times = bench_number(argv[3], TIMES_MAX);
    world_open(&world, argv[1]);
    if (pipe(back) != 0) {
        bench_die("no pipe");
    }
    child = bench_fork();
    if (child == 0) {
        hold(&world, station, back[1]);
    }
    (void)close(back[1]);
    report ready;
    report r = {.at = 0};
    report first_r = {.at = 0};
    bench_read(back[0], &ready, sizeof ready);
    pub_open(&p, &world, "publisher-0");
    double *took = bench_room(times, sizeof *took);
    const uint64_t first = (uint64_t)kg_clock_wall_ms() * 10000;
    bench_sleep(0.5);
    for (size_t i = 0; i < times; i++) {
        pub_alert a;
        const world_wish wish = {.number = first + i, .class = CLASS_URGENT, .station = station};
        pub_sign(&world, &wish, &a);
        bench_sleep(0.1);
        pub_poll(&p, 0);
        const double start = bench_now();
        if (!pub_send(&p, &a)) {
            bench_die("the line to the router is full");
        }
        bench_read(back[0], &r, sizeof r);
        first_r = i == 0 ? r : first_r;
        took[i] = (r.at - start) * 1e3;
        pub_await(&p, 0);
        kg_buf_done(&a.bytes);
    }
    bench_end(&child, 1);
    pub_close(&p);
    bench_results("arrival", took, times, "ms");
    if (times > 1) {
        bench_result("routine taken", (double)(r.routine - first_r.routine) / (r.at - first_r.at), "/s");
    }
    return 0;
}
