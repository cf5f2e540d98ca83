/*
 * E9: a peer that is stopped dead, its TCP connection open. Heartbeats cut it, a probe finds out, and all the while
 * sending to it costs nothing. It takes the 6 s that the heartbeats take.
 */
#include "tests/unit/bus/bus_world.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "bus/bus_own.h"

enum { FROZEN_PATIENCE_MS = 25000 };

static world_client *only;

static void up(void *ctx)
{
    (void)ctx;
    kg_ignore(bus_client_send(only->c, "hello", 5)); /* seen by the parent, or the test fails */
}

static void ignore_message(void *ctx, const void *bytes, size_t n)
{
    (void)ctx;
    (void)bytes;
    (void)n;
}

/* The child: connects when told where, says hello, and lives until killed. */
static void live(int from_parent)
{
    static const bus_client_ops ops = {.up = up, .message = ignore_message};
    static world_client c;
    struct {
        char endpoint[BUS_ENDPOINT_MAX];
        public_key server;
    } told;
    only = &c;
    if (trust_start(NULL) != KG_OK || secret_new(KEY_CONNECT, &c.key, NULL) != KG_OK ||
        read(from_parent, &told, sizeof told) != (ssize_t)sizeof told || bus_new(c.key, &c.b, NULL) != KG_OK ||
        bus_connect(c.b, told.endpoint, &told.server, true, &ops, &c, &c.c, NULL) != KG_OK) {
        _exit(1);
    }
    for (;;) {
        struct pollfd fd = {.fd = bus_fd(c.b), .events = POLLIN};
        (void)poll(&fd, 1, bus_pending(c.b) ? 0 : 100);
        if (bus_poll(c.b, 64, NULL, NULL) != KG_OK) {
            _exit(1);
        }
    }
}

static bool anybody(void *ctx, const public_key *key)
{
    (void)ctx;
    (void)key;
    return true;
}

static void a_frozen_peer_is_found_gone(void **state)
{
    int pipe_fds[2];
    assert_int_equal(pipe(pipe_fds), 0);
    const pid_t child = fork(); /* before any thread of libzmq */
    assert_true(child >= 0);
    if (child == 0) {
        live(pipe_fds[0]);
    }
    (void)world_setup(state);
    world *w = *state;
    bus_server_ops ops = world_server_ops;
    ops.admit = anybody;
    assert_int_equal(bus_guard(w->b, NULL), KG_OK);
    assert_int_equal(bus_listen(w->b, "urgent", "tcp://127.0.0.1:*", true, &ops, w, &w->s, NULL), KG_OK);
    struct {
        char endpoint[BUS_ENDPOINT_MAX];
        public_key server;
    } tell = {.server = w->public_part};
    memcpy(tell.endpoint, w->s->endpoint, sizeof tell.endpoint);
    assert_int_equal(write(pipe_fds[1], &tell, sizeof tell), sizeof tell);
    world_until(w, &w->messages, 1, "hello");

    assert_int_equal(kill(child, SIGSTOP), 0);
    const int64_t start = kg_clock_mono_ms();
    int64_t slowest = 0;
    while (w->gones == 0 && kg_clock_mono_ms() - start < FROZEN_PATIENCE_MS) {
        const int64_t before = kg_clock_mono_ms();
        kg_ignore(bus_send(w->s, w->from, "anything", 8)); /* goes nowhere, or is refused: it must only not wait */
        const int64_t took = kg_clock_mono_ms() - before;
        slowest = took > slowest ? took : slowest;
        world_rounds(w, 4);
    }
    const int64_t took = kg_clock_mono_ms() - start;
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    assert_int_equal(w->gones, 1);
    assert_int_equal(w->gone, w->from);
    assert_true(took > 2000); /* it was the heartbeats that found it, not the closing of a socket */
    assert_true(slowest < 1000);
    (void)close(pipe_fds[0]);
    (void)close(pipe_fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_frozen_peer_is_found_gone, NULL, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
