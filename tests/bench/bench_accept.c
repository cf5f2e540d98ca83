/*
 * bench_accept - how many alerts a second the router accepts, from publishers that keep a window of them unanswered.
 *
 * Use       bench_accept FOLDER PUBLISHERS ALERTS WINDOW one|all routine|urgent
 *           ALERTS in all; `one`: each for one commune (in turn), `all`: for the whole province; with `one:N` for
 *           commune N alone. Each publisher is a process with a key and a connection of its own. The alerts are signed
 *           before the clock starts: the publisher's signing is not what is measured, its check of each answer is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/bench/bench_common.h"
#include "tests/bench/bench_publisher.h"

enum { PUBLISHERS_MAX = 8, ALERTS_MAX = 4 * 1000 * 1000, CHUNK = 20000 };

typedef struct errand {
    const bench_world *world;
    uint64_t first; /* number of the first alert */
    size_t alerts, window;
    size_t publisher;
    bulletin_class class;
    bool all;
    size_t only; /* SIZE_MAX: the communes in turn */
} errand;

typedef struct outcome {
    double start, end; /* of the part that counts */
    double p50, p99;
    uint64_t targets, position;
} outcome;

static void sign_chunk(const errand *p, size_t from, size_t n, pub_alert *out)
{
    for (size_t i = 0; i < n; i++) {
        const size_t turn = p->only != SIZE_MAX ? p->only : 1 + (p->publisher * 131 + from + i) % p->world->stations;
        const world_wish wish = {.number = p->first + from + i, .class = p->class, .station = p->all ? SIZE_MAX : turn};
        pub_sign(p->world, &wish, &out[i]);
    }
}

static void submit_chunk(pub *p, const errand *plan, const pub_alert *alerts, size_t n)
{
    for (size_t i = 0; i < n;) {
        if (p->sent - p->answered < plan->window && pub_send(p, &alerts[i])) {
            i++;
            if (i % 16 == 0) {
                pub_poll(p, 0);
            }
        } else {
            pub_poll(p, 1000);
        }
    }
}

/* The clock stands still while the next chunk is signed: only busy time counts, and a chunk is long. */
static void publish(const errand *plan, int go, int back)
{
    static pub p;
    static pub_alert alerts[CHUNK];
    char name[32];
    char start = 0;
    outcome o = {.start = 0};
    double busy = 0;
    double *waits = bench_room(plan->alerts, sizeof *waits);
    (void)snprintf(name, sizeof name, "publisher-%zu", plan->publisher);
    pub_open(&p, plan->world, name);
    p.waits = waits;
    for (size_t from = 0; from < plan->alerts; from += CHUNK) {
        const size_t n = plan->alerts - from < CHUNK ? plan->alerts - from : CHUNK;
        sign_chunk(plan, from, n, alerts);
        if (from == 0) {
            bench_write(back, &start, 1);
            bench_read(go, &start, 1);
            o.start = bench_now();
        }
        const double began = bench_now();
        submit_chunk(&p, plan, alerts, n);
        pub_await(&p, 0);
        busy += bench_now() - began;
        for (size_t i = 0; i < n; i++) {
            kg_buf_done(&alerts[i].bytes);
        }
    }
    o.end = o.start + busy;
    o.targets = p.targets;
    o.position = p.position;
    o.p50 = bench_percentile(waits, plan->alerts, 50);
    o.p99 = bench_percentile(waits, plan->alerts, 99);
    bench_write(back, &o, sizeof o);
    _exit(0);
}

static bool parse_where(const char *text, errand *p)
{
    p->all = strcmp(text, "all") == 0;
    p->only = strncmp(text, "one:", 4) == 0 ? bench_number(text + 4, WORLD_STATIONS_MAX) : SIZE_MAX;
    return p->all || p->only != SIZE_MAX || strcmp(text, "one") == 0;
}

int main(int argc, char **argv)
{
    static bench_world world;
    pid_t children[PUBLISHERS_MAX];
    int go[2];
    int back[2];
    errand base = {.world = &world};
    if (argc != 7 || !parse_where(argv[5], &base)) {
        bench_die("usage: bench_accept FOLDER PUBLISHERS ALERTS WINDOW one[:N]|all routine|urgent");
    }
    const size_t publishers = bench_number(argv[2], PUBLISHERS_MAX);
    const size_t each = bench_number(argv[3], ALERTS_MAX) / publishers;
    base.window = bench_number(argv[4], PUB_WINDOW_MAX);
    base.class = strcmp(argv[6], "routine") == 0 ? CLASS_ROUTINE : CLASS_URGENT;
    world_open(&world, argv[1]);
    if (pipe(go) != 0 || pipe(back) != 0) {
        bench_die("no pipe");
    }
    const uint64_t first = (uint64_t)kg_clock_wall_ms() * 10000;
    for (size_t i = 0; i < publishers; i++) {
        children[i] = bench_fork();
        if (children[i] == 0) {
            base.publisher = i;
            base.first = first + i * ALERTS_MAX;
            base.alerts = each;
            publish(&base, go[0], back[1]);
        }
    }
    char ready = 0;
    for (size_t i = 0; i < publishers; i++) {
        bench_read(back[0], &ready, 1);
    }
    for (size_t i = 0; i < publishers; i++) {
        bench_write(go[1], &ready, 1);
    }
    outcome whole = {.start = 1e300};
    for (size_t i = 0; i < publishers; i++) {
        outcome o;
        bench_read(back[0], &o, sizeof o);
        whole.start = o.start < whole.start ? o.start : whole.start;
        whole.end = o.end > whole.end ? o.end : whole.end;
        whole.p50 = o.p50 > whole.p50 ? o.p50 : whole.p50;
        whole.p99 = o.p99 > whole.p99 ? o.p99 : whole.p99;
        whole.targets += o.targets;
    }
    bench_end(children, publishers);
    const double total = (double)(each * publishers);
    bench_result("accepted", total / (whole.end - whole.start), "/s");
    bench_result("answer p50", whole.p50 * 1e3, "ms");
    bench_result("answer p99", whole.p99 * 1e3, "ms");
    bench_result("deliveries", (double)whole.targets, "");
    return 0;
}
