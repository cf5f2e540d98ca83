/*
 * bench_first - how long after its start a router answers its first submission.
 *
 * Use       bench_first FOLDER START      START: CLOCK_MONOTONIC seconds, read just before the router was started
 *           Asks the intake's port until something listens there, then connects and submits one alert.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/bench/bench_common.h"
#include "tests/bench/bench_publisher.h"

static bool listens(unsigned port)
{
    const struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool yes = fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof at) == 0;
    (void)close(fd);
    return yes;
}

int main(int argc, char **argv)
{
    static bench_world world;
    static pub p;
    pub_alert a;
    if (argc != 3) {
        bench_die("usage: bench_first FOLDER START");
    }
    const double start = strtod(argv[2], NULL);
    world_open(&world, argv[1]);
    const world_wish wish = {.number = (uint64_t)kg_clock_wall_ms() * 10000, .class = CLASS_URGENT, .station = 1};
    pub_sign(&world, &wish, &a);
    while (!listens(world.port)) {
        if (bench_now() - start > 300) {
            bench_die("the router does not listen after five minutes");
        }
        bench_sleep(0.005);
    }
    bench_result("listening", bench_now() - start, "s");
    pub_open(&p, &world, "publisher-0");
    if (!pub_send(&p, &a)) {
        bench_die("the line to the router is full");
    }
    pub_await(&p, 0);
    bench_result("first answer", bench_now() - start, "s");
    pub_close(&p);
    return 0;
}
