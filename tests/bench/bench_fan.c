/*
 * bench_fan - one alert to every station of the province: how long until the last one is HELD, and how many deliveries a
 * second when alerts come without a pause. The stations are held by four other processes, each station with its own
 * connections to the router and its own row in its process's ledger.
 *
 * Use       bench_fan FOLDER idle|sustained ALERTS
 *           idle: one at a time, 20 ms apart. sustained: with at most 64 without the router's answer.
 * Clock     "held" ends when the last station's process has committed its row and said HELD; "kept" when the router has
 *           committed that too and the last station has been told so. Deliveries a second count those kept.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/bench/bench_common.h"
#include "tests/bench/bench_publisher.h"
#include "tests/bench/bench_station.h"

enum { HOLDERS = 4, WINDOW = 64, CREDIT = 16, ALERTS_MAX = 32768 };

typedef struct report { /* one holder is through with one alert */
    double held, kept;
    uint64_t position;
    uint64_t commits;
    size_t holder;
    size_t order_bytes;
    uint64_t in, out; /* messages so far */
} report;

typedef struct progress { /* of the alerts of one holder, by position */
    size_t share, holder;
    uint64_t first; /* position; the first one seen */
    size_t held[ALERTS_MAX], kept[ALERTS_MAX];
    double held_at[ALERTS_MAX];
    const struct holder *h;
    int back;
} progress;

static size_t slot_of(progress *p, uint64_t position)
{
    if (p->first == 0) {
        p->first = position;
    }
    if (position - p->first >= ALERTS_MAX) {
        bench_die("more alerts than the bench counts");
    }
    return (size_t)(position - p->first);
}

static void on_held(void *ctx, uint64_t position)
{
    progress *p = ctx;
    const size_t at = slot_of(p, position);
    if (++p->held[at] == p->share) {
        p->held_at[at] = bench_now();
    }
}

static void on_kept(void *ctx, uint64_t position)
{
    progress *p = ctx;
    const size_t at = slot_of(p, position);
    if (++p->kept[at] == p->share) {
        const bus_counts counts = bus_count(p->h->bus);
        const report r = {p->held_at[at], bench_now(),       position,  p->h->commits,
                          p->holder,      p->h->order_bytes, counts.in, counts.out};
        bench_write(p->back, &r, sizeof r);
    }
}

static _Noreturn void hold(const bench_world *w, size_t index, int back)
{
    static holder h;
    static progress p;
    char key[32];
    char rows[WORLD_PATH + 64];
    (void)snprintf(key, sizeof key, "holder-%zu", index);
    (void)snprintf(rows, sizeof rows, "%s/state/%s.db", w->dir, key);
    const size_t first = w->stations * index / HOLDERS;
    const holder_wish wish = {.key = key,
                              .ledger = rows,
                              .first = 1 + first,
                              .count = w->stations * (index + 1) / HOLDERS - first,
                              .credit = CREDIT};
    p = (progress){.share = wish.count, .holder = index, .h = &h, .back = back};
    h.ops = (holder_ops){.on_held = on_held, .on_kept = on_kept};
    h.ctx = &p;
    holder_open(&h, w, &wish);
    const report ready = {.position = 0};
    bench_write(back, &ready, sizeof ready);
    for (;;) {
        holder_poll(&h, 1000);
        holder_commit(&h, SIZE_MAX);
    }
}

static void one_at_a_time(const bench_world *w, pub *p, int back, size_t alerts)
{
    double *held = bench_room(alerts, sizeof *held);
    double *kept = bench_room(alerts, sizeof *kept);
    double *answered = bench_room(alerts, sizeof *answered);
    const uint64_t first = (uint64_t)kg_clock_wall_ms() * 10000;
    size_t bytes = 0;
    for (size_t i = 0; i < alerts; i++) {
        pub_alert a;
        const world_wish wish = {.number = first + i, .class = CLASS_URGENT, .station = SIZE_MAX};
        pub_sign(w, &wish, &a);
        bench_sleep(0.02);
        pub_poll(p, 0);
        const double start = bench_now();
        if (!pub_send(p, &a)) {
            bench_die("the line to the router is full");
        }
        pub_await(p, 0);
        answered[i] = (bench_now() - start) * 1e3;
        for (size_t k = 0; k < HOLDERS; k++) {
            report r;
            bench_read(back, &r, sizeof r);
            bytes = r.order_bytes;
            held[i] = r.held - start > held[i] ? r.held - start : held[i];
            kept[i] = r.kept - start > kept[i] ? r.kept - start : kept[i];
        }
        held[i] *= 1e3;
        kept[i] *= 1e3;
        kg_buf_done(&a.bytes);
    }
    bench_result("order bytes", (double)bytes, "B");
    bench_results("answered", answered, alerts, "ms");
    bench_results("last held", held, alerts, "ms");
    bench_results("last kept", kept, alerts, "ms");
}

static void sustained(const bench_world *w, pub *p, int back, size_t alerts)
{
    pub_alert *all = bench_room(alerts, sizeof *all);
    const uint64_t first = (uint64_t)kg_clock_wall_ms() * 10000;
    for (size_t i = 0; i < alerts; i++) {
        const world_wish wish = {.number = first + i, .class = CLASS_URGENT, .station = SIZE_MAX};
        pub_sign(w, &wish, &all[i]);
    }
    const double start = bench_now();
    for (size_t i = 0; i < alerts; i++) {
        pub_await(p, WINDOW - 1);
        while (!pub_send(p, &all[i])) {
            pub_poll(p, 1000);
        }
        pub_poll(p, 0);
    }
    pub_await(p, 0);
    bench_result("sustained accepted", (double)alerts / (bench_now() - start), "/s");
    double end = start;
    uint64_t commits[HOLDERS] = {0};
    uint64_t in[HOLDERS] = {0};
    uint64_t out[HOLDERS] = {0};
    double messages = 0;
    for (size_t i = 0; i < alerts * HOLDERS; i++) {
        report r;
        bench_read(back, &r, sizeof r);
        end = r.kept > end ? r.kept : end;
        in[r.holder] = r.in > in[r.holder] ? r.in : in[r.holder];
        out[r.holder] = r.out > out[r.holder] ? r.out : out[r.holder];
        commits[r.holder] = r.commits > commits[r.holder] ? r.commits : commits[r.holder];
    }
    for (size_t i = 0; i < HOLDERS; i++) {
        messages += (double)(in[i] + out[i]);
        char name[32];
        (void)snprintf(name, sizeof name, "holder-%zu commits", i);
        bench_result(name, (double)commits[i], "");
    }
    bench_result("messages a delivery", messages / (double)(alerts * w->stations), "");
    bench_result("sustained deliveries", (double)(alerts * w->stations) / (end - start), "/s");
}

int main(int argc, char **argv)
{
    static bench_world world;
    static pub p;
    pid_t children[HOLDERS];
    int back[2];
    if (argc != 4) {
        bench_die("usage: bench_fan FOLDER idle|sustained ALERTS");
    }
    const size_t alerts = bench_number(argv[3], ALERTS_MAX);
    world_open(&world, argv[1]);
    if (pipe(back) != 0) {
        bench_die("no pipe");
    }
    for (size_t i = 0; i < HOLDERS; i++) {
        children[i] = bench_fork();
        if (children[i] == 0) {
            hold(&world, i, back[1]);
        }
    }
    (void)close(back[1]);
    for (size_t i = 0; i < HOLDERS; i++) {
        report ready;
        bench_read(back[0], &ready, sizeof ready);
    }
    pub_open(&p, &world, "publisher-0");
    (strcmp(argv[2], "idle") == 0 ? one_at_a_time : sustained)(&world, &p, back[0], alerts);
    bench_end(children, HOLDERS);
    pub_close(&p);
    return 0;
}
