/*
 * bench_bare - the reference for a fan-out: a bare ROUTER, a DEALER for each station in four other processes, CURVE, an
 * acknowledgement for each message; nothing is stored, verified or decided.
 *
 * Use       bench_bare STATIONS MESSAGES [SIZE]
 *           MESSAGES one at a time, 20 ms apart: from the first send to the last acknowledgement.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <zmq.h>

#include "tests/bench/bench_common.h"

enum { HOLDERS = 4, KEY_TEXT_BYTES = 41, ROUTE_MAX = 32, STATIONS_MAX = 10000, SIZE_DEFAULT = 1024, ACK_BYTES = 64 };

typedef struct keys {
    char public_text[KEY_TEXT_BYTES], secret_text[KEY_TEXT_BYTES];
} keys;

typedef struct route {
    uint8_t b[ROUTE_MAX];
    size_t n;
} route;

static void must(int rc, const char *what)
{
    if (rc < 0) {
        bench_die("%s: %s", what, zmq_strerror(zmq_errno()));
    }
}

static void set(void *socket, int name, int value)
{
    must(zmq_setsockopt(socket, name, &value, sizeof value), "option");
}

static void *open_socket(void *context, int type)
{
    void *s = zmq_socket(context, type);
    if (s == NULL) {
        must(-1, "socket");
    }
    set(s, ZMQ_LINGER, 0);
    set(s, ZMQ_BACKLOG, 1024);
    return s;
}

/* ---- the stations of one process ---- */

typedef struct holder {
    void **sockets;
    size_t count;
    int epoll;
} holder;

static void answer_all(void *socket)
{
    char message[65536];
    while (zmq_recv(socket, message, sizeof message, ZMQ_DONTWAIT) >= 0) {
        must(zmq_send(socket, message, ACK_BYTES, 0), "ack");
    }
}

static void connect_all(holder *h, const char *endpoint, const keys *server)
{
    void *context = zmq_ctx_new();
    keys own;
    must(zmq_ctx_set(context, ZMQ_MAX_SOCKETS, STATIONS_MAX), "sockets");
    must(zmq_curve_keypair(own.public_text, own.secret_text), "keys");
    h->sockets = bench_room(h->count, sizeof *h->sockets);
    h->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < h->count; i++) {
        void *s = open_socket(context, ZMQ_DEALER);
        must(zmq_setsockopt(s, ZMQ_CURVE_PUBLICKEY, own.public_text, KEY_TEXT_BYTES), "key");
        must(zmq_setsockopt(s, ZMQ_CURVE_SECRETKEY, own.secret_text, KEY_TEXT_BYTES), "key");
        must(zmq_setsockopt(s, ZMQ_CURVE_SERVERKEY, server->public_text, KEY_TEXT_BYTES), "key");
        must(zmq_connect(s, endpoint), "connect");
        must(zmq_send(s, "hello", 5, 0), "hello");
        int fd = -1;
        size_t n = sizeof fd;
        must(zmq_getsockopt(s, ZMQ_FD, &fd, &n), "descriptor");
        struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.u64 = i};
        must(epoll_ctl(h->epoll, EPOLL_CTL_ADD, fd, &ev), "epoll");
        h->sockets[i] = s;
    }
}

static void hold(size_t count, const char *endpoint, const keys *server)
{
    holder h = {.count = count};
    connect_all(&h, endpoint, server);
    for (size_t i = 0; i < h.count; i++) {
        answer_all(h.sockets[i]);
    }
    for (;;) {
        struct epoll_event events[256];
        const int n = epoll_wait(h.epoll, events, 256, -1);
        for (int i = 0; i < n; i++) {
            answer_all(h.sockets[events[i].data.u64]);
        }
    }
}

/* ---- the sender ---- */

static void await_stations(void *socket, route *routes, size_t count)
{
    char hello[16];
    for (size_t i = 0; i < count; i++) {
        const int n = zmq_recv(socket, routes[i].b, ROUTE_MAX, 0);
        must(n, "hello");
        routes[i].n = (size_t)n;
        must(zmq_recv(socket, hello, sizeof hello, 0), "hello");
    }
}

static double fan_out(void *socket, const route *routes, size_t count, const void *message, size_t n)
{
    char from[ROUTE_MAX];
    char ack[ACK_BYTES];
    const double start = bench_now();
    for (size_t i = 0; i < count; i++) {
        must(zmq_send(socket, routes[i].b, routes[i].n, ZMQ_SNDMORE), "send");
        must(zmq_send(socket, message, n, 0), "send");
    }
    for (size_t i = 0; i < count; i++) {
        must(zmq_recv(socket, from, sizeof from, 0), "ack");
        must(zmq_recv(socket, ack, sizeof ack, 0), "ack");
    }
    return bench_now() - start;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        bench_die("usage: bench_bare STATIONS MESSAGES [SIZE]");
    }
    const size_t stations = bench_number(argv[1], STATIONS_MAX);
    const size_t messages = bench_number(argv[2], 100000);
    const size_t size = argc > 3 ? bench_number(argv[3], 65536) : SIZE_DEFAULT;
    pid_t children[HOLDERS];
    keys server;
    int pipes[HOLDERS][2];
    char endpoint[128] = "";
    must(zmq_curve_keypair(server.public_text, server.secret_text), "keys");
    for (size_t i = 0; i < HOLDERS; i++) {
        must(pipe(pipes[i]), "pipe");
        children[i] = bench_fork(); /* before there is a context: its threads do not survive a fork */
        if (children[i] == 0) {
            bench_read(pipes[i][0], endpoint, sizeof endpoint);
            hold(stations / HOLDERS + (i < stations % HOLDERS ? 1 : 0), endpoint, &server);
        }
    }
    void *socket = open_socket(zmq_ctx_new(), ZMQ_ROUTER);
    set(socket, ZMQ_CURVE_SERVER, 1);
    set(socket, ZMQ_ROUTER_MANDATORY, 1);
    must(zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, server.secret_text, KEY_TEXT_BYTES), "key");
    must(zmq_bind(socket, "tcp://127.0.0.1:*"), "bind");
    size_t n = sizeof endpoint;
    must(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &n), "endpoint");
    for (size_t i = 0; i < HOLDERS; i++) {
        bench_write(pipes[i][1], endpoint, sizeof endpoint);
    }
    route *routes = bench_room(stations, sizeof *routes);
    double *took = bench_room(messages, sizeof *took);
    char *message = bench_room(1, size);
    await_stations(socket, routes, stations);
    for (size_t i = 0; i < messages; i++) {
        bench_sleep(0.02);
        took[i] = fan_out(socket, routes, stations, message, size) * 1e3;
    }
    bench_end(children, HOLDERS);
    bench_results("last ack", took, messages, "ms");
    return 0;
}
