/*
 * bench_follow - one alert to every station of sinks as they are shipped, seen with the publisher's eyes: the times that
 * the router's progress tells.
 *
 * Use       bench_follow FOLDER ALERTS
 *           One at a time, each followed until every station's first playing has ended. Wall clock, so milliseconds.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "tests/bench/bench_common.h"
#include "tests/bench/bench_publisher.h"

enum { ALERTS_MAX = 100000 };

/* Asks again while the router has nothing new to say. */
static void follow(pub *p, alert_id id)
{
    kg_buf out = {.s = NULL};
    const wire_msg m = {.kind = WIRE_FOLLOW, .u.follow = {.id = id}};
    bench_must(wire_write(&m, &out), NULL, "packing");
    bench_must(bus_client_send(p->client, out.s, out.len), NULL, "following");
    kg_buf_done(&out);
    p->progress = (pub_progress){.final = false};
    while (!p->progress.final) {
        pub_poll(p, 1000);
    }
}

int main(int argc, char **argv)
{
    static bench_world world;
    static pub p;
    if (argc != 3) {
        bench_die("usage: bench_follow FOLDER ALERTS");
    }
    const size_t alerts = bench_number(argv[2], ALERTS_MAX);
    world_open(&world, argv[1]);
    pub_open(&p, &world, "publisher-0");
    double *held = bench_room(alerts, sizeof *held);
    double *ended = bench_room(alerts, sizeof *ended);
    const uint64_t first = (uint64_t)kg_clock_wall_ms() * 10000;
    for (size_t i = 0; i < alerts; i++) {
        pub_alert a;
        const world_wish wish = {.number = first + i, .class = CLASS_URGENT, .station = SIZE_MAX};
        pub_sign(&world, &wish, &a);
        const int64_t start_ms = kg_clock_wall_ms();
        if (!pub_send(&p, &a)) {
            bench_die("the line to the router is full");
        }
        pub_await(&p, 0);
        follow(&p, p.id);
        held[i] = (double)(p.progress.last_held_ms - start_ms);
        ended[i] = (double)(p.progress.last_outcome_ms - start_ms);
        kg_buf_done(&a.bytes);
    }
    bench_results("last held", held, alerts, "ms");
    bench_results("last outcome", ended, alerts, "ms");
    pub_close(&p);
    return 0;
}
