/*
 * bench_rabbit - the peer beside the sustained fan-out: RabbitMQ with a durable quorum queue a station behind a fan-out
 * exchange, persistent messages, publisher confirms, a connection and an acknowledgement of its own for each station.
 *
 * Use       bench_rabbit PORT STATIONS MESSAGES SIZE
 *           MESSAGES with at most 64 unconfirmed; deliveries a second count those that a station has acknowledged.
 */
#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tests/bench/bench_common.h"

enum { HOLDERS = 4, WINDOW = 64, PREFETCH = 100, FRAME_MAX = 131072, STATIONS_MAX = 10000, MESSAGES_MAX = 1000000 };

static void must(amqp_connection_state_t c, const char *what)
{
    const amqp_rpc_reply_t r = amqp_get_rpc_reply(c);
    if (r.reply_type != AMQP_RESPONSE_NORMAL) {
        bench_die("rabbit: %s: %s", what, amqp_error_string2(r.library_error));
    }
}

static amqp_connection_state_t dial(int port)
{
    amqp_connection_state_t c = amqp_new_connection();
    amqp_socket_t *s = amqp_tcp_socket_new(c);
    if (amqp_socket_open(s, "127.0.0.1", port) != 0) {
        bench_die("rabbit: cannot connect");
    }
    const amqp_rpc_reply_t r = amqp_login(c, "/", 0, FRAME_MAX, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest");
    if (r.reply_type != AMQP_RESPONSE_NORMAL) {
        bench_die("rabbit: cannot log in");
    }
    (void)amqp_channel_open(c, 1);
    must(c, "opening a channel");
    return c;
}

static amqp_bytes_t queue_name(size_t i, char text[32])
{
    (void)snprintf(text, 32, "station-%zu", i);
    return amqp_cstring_bytes(text);
}

static void declare(amqp_connection_state_t c, size_t stations)
{
    char text[32];
    amqp_table_entry_t type = {.key = amqp_cstring_bytes("x-queue-type"),
                               .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes("quorum")}};
    const amqp_table_t arguments = {.num_entries = 1, .entries = &type};
    (void)amqp_exchange_declare(c, 1, amqp_cstring_bytes("alerts"), amqp_cstring_bytes("fanout"), 0, 1, 0, 0,
                                amqp_empty_table);
    must(c, "declaring the exchange");
    for (size_t i = 0; i < stations; i++) {
        (void)amqp_queue_declare(c, 1, queue_name(i, text), 0, 1, 0, 0, arguments);
        must(c, "declaring a queue");
        (void)amqp_queue_bind(c, 1, queue_name(i, text), amqp_cstring_bytes("alerts"), amqp_cstring_bytes(""),
                              amqp_empty_table);
        must(c, "binding a queue");
        amqp_maybe_release_buffers(c);
    }
}

/* ---- the stations of one process ---- */

typedef struct holder {
    int port, back;
    size_t first, count;
    uint64_t wanted, got;
    amqp_connection_state_t *lines;
    int epoll;
} holder;

static void consume(holder *h)
{
    char text[32];
    h->lines = bench_room(h->count, sizeof *h->lines);
    h->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < h->count; i++) {
        amqp_connection_state_t c = dial(h->port);
        (void)amqp_basic_qos(c, 1, 0, PREFETCH, 0);
        must(c, "setting the prefetch");
        (void)amqp_basic_consume(c, 1, queue_name(h->first + i, text), amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
        must(c, "consuming");
        struct epoll_event ev = {.events = EPOLLIN, .data.u64 = i};
        if (epoll_ctl(h->epoll, EPOLL_CTL_ADD, amqp_get_sockfd(c), &ev) != 0) {
            bench_die("rabbit: epoll");
        }
        h->lines[i] = c;
    }
}

static void take(holder *h, amqp_connection_state_t c)
{
    struct timeval at_once = {0, 0};
    for (;;) {
        amqp_envelope_t e;
        amqp_maybe_release_buffers(c);
        const amqp_rpc_reply_t r = amqp_consume_message(c, &e, &at_once, 0);
        if (r.reply_type != AMQP_RESPONSE_NORMAL) {
            if (r.library_error != AMQP_STATUS_TIMEOUT) {
                bench_die("rabbit: a station lost its connection");
            }
            return;
        }
        if (amqp_basic_ack(c, 1, e.delivery_tag, 0) != 0) {
            bench_die("rabbit: cannot acknowledge");
        }
        amqp_destroy_envelope(&e);
        if (++h->got == h->wanted) {
            const double now = bench_now();
            bench_write(h->back, &now, sizeof now);
        }
    }
}

static _Noreturn void hold(holder *h, int go)
{
    double word = 0;
    bench_read(go, &word, sizeof word); /* the queues are there */
    consume(h);
    bench_write(h->back, &word, sizeof word);
    for (;;) {
        struct epoll_event events[256];
        const int n = epoll_wait(h->epoll, events, 256, -1);
        for (int i = 0; i < n; i++) {
            take(h, h->lines[events[i].data.u64]);
        }
    }
}

/* ---- the publisher ---- */

static uint64_t confirmed(amqp_connection_state_t c, uint64_t before)
{
    amqp_frame_t f;
    amqp_maybe_release_buffers(c);
    if (amqp_simple_wait_frame(c, &f) != AMQP_STATUS_OK || f.frame_type != AMQP_FRAME_METHOD ||
        f.payload.method.id != AMQP_BASIC_ACK_METHOD) {
        bench_die("rabbit: no confirm");
    }
    const amqp_basic_ack_t *a = f.payload.method.decoded;
    return a->multiple ? (a->delivery_tag > before ? a->delivery_tag : before) : before + 1;
}

static void publish(amqp_connection_state_t c, size_t messages, size_t size)
{
    const amqp_basic_properties_t p = {._flags = AMQP_BASIC_DELIVERY_MODE_FLAG, .delivery_mode = 2};
    const amqp_bytes_t body = {size, bench_room(1, size)};
    uint64_t done = 0; /* single confirms may come out of order; as a count they are the same */
    for (size_t i = 0; i < messages; i++) {
        if (amqp_basic_publish(c, 1, amqp_cstring_bytes("alerts"), amqp_cstring_bytes(""), 0, 0, &p, body) != 0) {
            bench_die("rabbit: cannot publish");
        }
        while (i + 1 - done >= WINDOW) {
            done = confirmed(c, done);
        }
    }
    while (done < messages) {
        done = confirmed(c, done);
    }
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        bench_die("usage: bench_rabbit PORT STATIONS MESSAGES SIZE");
    }
    const int port = (int)bench_number(argv[1], 65535);
    const size_t stations = bench_number(argv[2], STATIONS_MAX);
    const size_t messages = bench_number(argv[3], MESSAGES_MAX);
    pid_t children[HOLDERS];
    int go[2];
    int back[2];
    if (pipe(go) != 0 || pipe(back) != 0) {
        bench_die("no pipe");
    }
    for (size_t i = 0; i < HOLDERS; i++) {
        children[i] = bench_fork();
        if (children[i] == 0) {
            holder h = {.port = port, .back = back[1], .first = stations * i / HOLDERS};
            h.count = stations * (i + 1) / HOLDERS - h.first;
            h.wanted = (uint64_t)h.count * messages;
            hold(&h, go[0]);
        }
    }
    (void)close(back[1]);
    amqp_connection_state_t c = dial(port);
    declare(c, stations);
    double word = 0;
    for (size_t i = 0; i < HOLDERS; i++) {
        bench_write(go[1], &word, sizeof word);
    }
    for (size_t i = 0; i < HOLDERS; i++) {
        bench_read(back[0], &word, sizeof word);
    }
    (void)amqp_confirm_select(c, 1);
    must(c, "asking for confirms");
    const double start = bench_now();
    publish(c, messages, bench_number(argv[4], FRAME_MAX));
    double end = start;
    for (size_t i = 0; i < HOLDERS; i++) {
        bench_read(back[0], &word, sizeof word);
        end = word > end ? word : end;
    }
    bench_end(children, HOLDERS);
    bench_result("acked deliveries", (double)(stations * messages) / (end - start), "/s");
    return 0;
}
