#include "bus/bus_own.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { SOCKETS_MAX = 16384, FILES_WANTED = 65536, ZAP_A_POLL = 64 };

kg_err bus_zmq_fail(kg_diag *diag, const char *what, const char *where)
{
    const int code = errno;
    const bool ours = code == EINVAL || code == ENOTSUP || code == EPROTONOSUPPORT || code == ENODEV;
    return kg_fail(diag, ours ? KG_E_INVALID : KG_E_IO, "%s %s: %s", what, where, zmq_strerror(code));
}

/* ---- doors ---- */

kg_err bus_door_open(bus *b, int type, bus_door *d, kg_diag *diag)
{
    d->bus = b;
    d->socket = zmq_socket(b->zmq, type);
    if (d->socket == NULL) {
        return bus_zmq_fail(diag, "cannot open", "a socket");
    }
    kg_err e = bus_option_common(d->socket);
    const int no_limit = 0;
    if (e == KG_OK && type == ZMQ_PAIR) {
        /* A monitor: libzmq's I/O thread would wait for room in it, and with it every connection. */
        e = zmq_setsockopt(d->socket, ZMQ_RCVHWM, &no_limit, sizeof no_limit) == 0 ? KG_OK : KG_E_IO;
    }
    return e == KG_OK ? KG_OK : bus_zmq_fail(diag, "cannot set up", "a socket");
}

static int door_fd(const bus_door *d)
{
    int fd = -1;
    size_t n = sizeof fd;
    return d->socket != NULL && zmq_getsockopt(d->socket, ZMQ_FD, &fd, &n) == 0 ? fd : -1;
}

kg_err bus_door_join(bus_door *d, bus_door **list, kg_diag *diag)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = d};
    if (epoll_ctl(d->bus->epoll_fd, EPOLL_CTL_ADD, door_fd(d), &ev) != 0) {
        return bus_zmq_fail(diag, "cannot wait for", "a socket");
    }
    d->ready = true; /* something may have come before we looked */
    const bool list_of_clients = list == &d->bus->clients;
    d->next = NULL;
    if (list != NULL) {
        while (*list != NULL) {
            list = &(*list)->next;
        }
        *list = d;
        d->bus->client_count += list_of_clients ? 1 : 0;
    }
    return KG_OK;
}

static void bury(bus *b)
{
    while (b->graves != NULL) {
        bus_door *d = b->graves;
        b->graves = d->grave;
        if (d->release != NULL) {
            d->release(d);
        }
    }
}

/* d->next stays as it is: a round that stands at d finds its way on. */
static void take_out(const bus_door *d, bus_door **list)
{
    bus *b = d->bus;
    const bool client = list == &b->clients;
    while (*list != NULL && *list != d) {
        list = &(*list)->next;
    }
    if (*list == d) {
        *list = d->next;
        b->client_count -= client ? 1 : 0;
    }
}

void bus_door_leave(bus_door *d, bus_door **list)
{
    bus *b = d->bus;
    if (d->socket != NULL) {
        (void)epoll_ctl(b->epoll_fd, EPOLL_CTL_DEL, door_fd(d), NULL);
        (void)zmq_close(d->socket);
        d->socket = NULL;
    }
    d->ready = false;
    if (list != NULL) {
        take_out(d, list);
    }
    if (b->next_client == d) {
        b->next_client = d->next;
    }
}

void bus_door_close(bus_door *d, bus_door **list)
{
    bus *b = d->bus;
    bus_door_leave(d, list);
    if (!d->dead && d->release != NULL) {
        d->grave = b->graves;
        b->graves = d;
    }
    d->dead = true;
    if (!b->polling) {
        bury(b);
    }
}

/* ---- life ---- */

static void raise_file_limit(void)
{
    /* The default soft limit of 1024 is what half-open connections need to shut everybody out (reliability.md 1.3). */
    struct rlimit now;
    if (getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur < FILES_WANTED) {
        now.rlim_cur = now.rlim_max < FILES_WANTED ? now.rlim_max : FILES_WANTED;
        (void)setrlimit(RLIMIT_NOFILE, &now);
    }
}

static bool open_wake_ups(bus *b)
{
    b->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    b->tick_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    const struct timespec every = {.tv_sec = BUS_PROBE_MS / 1000, .tv_nsec = BUS_PROBE_MS % 1000 * 1000000L};
    const struct itimerspec ticks = {.it_interval = every, .it_value = every};
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};
    return b->epoll_fd >= 0 && b->tick_fd >= 0 && timerfd_settime(b->tick_fd, 0, &ticks, NULL) == 0 &&
           epoll_ctl(b->epoll_fd, EPOLL_CTL_ADD, b->tick_fd, &ev) == 0;
}

kg_err bus_new(const secret_key *own, bus **out, kg_diag *diag)
{
    if (secret_connect_bytes(own) == NULL) {
        return kg_fail(diag, KG_E_INVALID, "a signing key cannot connect: give the connecting key");
    }
    bus *b = calloc(1, sizeof *b);
    if (b == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for the bus");
    }
    b->zap.bus = b;
    b->own = own;
    b->own_public = secret_public(own);
    raise_file_limit();
    b->zmq = zmq_ctx_new();
    if (!open_wake_ups(b) || b->zmq == NULL || zmq_ctx_set(b->zmq, ZMQ_MAX_SOCKETS, SOCKETS_MAX) != 0) {
        const kg_err e = bus_zmq_fail(diag, "cannot start", "the bus");
        bus_free(&b);
        return e;
    }
    *out = b;
    return KG_OK;
}

void bus_free(bus **bus_to_free)
{
    bus *b = *bus_to_free;
    if (b == NULL) {
        return;
    }
    assert(!b->polling);
    b->server_list = NULL;
    b->pub = NULL;
    while (b->servers != NULL) {
        bus_door_close(b->servers, &b->servers);
    }
    while (b->client_list != NULL) {
        bus_client *c = b->client_list;
        bus_client_close(&c);
    }
    bus_door_leave(&b->zap, NULL);
    if (b->zmq != NULL) {
        (void)zmq_ctx_term(b->zmq); /* LINGER 0 everywhere: it does not wait */
    }
    if (b->tick_fd >= 0) {
        (void)close(b->tick_fd);
    }
    if (b->epoll_fd >= 0) {
        (void)close(b->epoll_fd);
    }
    free(b);
    *bus_to_free = NULL;
}

/* ---- the turn ---- */

static void tick(bus *b)
{
    for (bus_server *s = b->server_list; s != NULL; s = s->next) {
        bus_server_probe(s);
    }
    for (bus_client *c = b->client_list; c != NULL; c = c->next) {
        bus_client_mend(c);
    }
}

static kg_err collect(bus *b, kg_diag *diag)
{
    struct epoll_event events[BUS_DOORS_A_POLL];
    const int n = epoll_wait(b->epoll_fd, events, BUS_DOORS_A_POLL, 0);
    if (n < 0 && errno != EINTR) {
        return kg_fail(diag, KG_E_IO, "the bus cannot wait: %s", strerror(errno));
    }
    for (int i = 0; i < n; i++) {
        bus_door *d = events[i].data.ptr;
        uint64_t ticks = 0;
        if (d != NULL) {
            d->ready = true;
        } else if (read(b->tick_fd, &ticks, sizeof ticks) > 0) {
            tick(b);
        }
    }
    return KG_OK;
}

/* Up to `most` messages of one socket; how many. */
static unsigned serve(bus_door *d, unsigned most)
{
    unsigned n = 0;
    while (n < most && !d->dead) {
        if (!d->take(d)) {
            d->ready = false;
            break;
        }
        n++;
    }
    return n;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* One round: each socket that is ready has a turn. Returns what is left of the budget. */
static unsigned serve_round(bus *b, unsigned left)
{
    for (bus_door *d = b->servers; d != NULL && left > 0; d = d->next) {
        left -= d->ready ? serve(d, least(left, BUS_TURN)) : 0;
    }
    bus_door *d = b->next_client != NULL ? b->next_client : b->clients;
    for (size_t i = b->client_count; i > 0 && d != NULL && left > 0; i--) {
        left -= d->ready ? serve(d, least(left, BUS_TURN)) : 0;
        d = d->next != NULL ? d->next : b->clients;
        b->next_client = d;
    }
    return left;
}

static bool any_ready(const bus_door *d)
{
    while (d != NULL && !d->ready) {
        d = d->next;
    }
    return d != NULL;
}

bool bus_pending(const bus *b)
{
    return b->zap.ready || any_ready(b->servers) || any_ready(b->clients);
}

kg_err bus_poll(bus *b, unsigned budget, bool *more, kg_diag *diag)
{
    assert(!b->polling);
    b->polling = true;
    const kg_err e = collect(b, diag);
    if (b->zap.ready) {
        (void)serve(&b->zap, ZAP_A_POLL);
    }
    for (unsigned left = budget; e == KG_OK && left > 0 && (any_ready(b->servers) || any_ready(b->clients));) {
        left = serve_round(b, left);
    }
    for (bus_server *s = b->server_list; s != NULL; s = s->next) {
        if (s->lost_some) {
            bus_server_bury_lost(s);
        }
    }
    b->polling = false;
    bury(b);
    if (more != NULL) {
        *more = bus_pending(b);
    }
    return e;
}

int bus_fd(const bus *b)
{
    return b->epoll_fd;
}

bus_counts bus_count(const bus *b)
{
    return b->counts;
}

/* ---- status ---- */

static bool take_subscriptions(bus_door *d)
{
    int events = 0;
    size_t n = sizeof events;
    (void)zmq_getsockopt(d->socket, ZMQ_EVENTS, &events, &n); /* asking is what makes libzmq take them */
    return false;
}

static void release_pub(bus_door *d)
{
    free((bus_pub *)d);
}

kg_err bus_publish_open(bus *b, const char *endpoint, bool (*admit)(void *, const public_key *), void *ctx,
                        bus_pub **out, kg_diag *diag)
{
    if (!b->guarded || b->pub != NULL) {
        return kg_fail(diag, KG_E_DENIED, "status: %s",
                       b->guarded ? "there is a publisher of status already"
                                  : "no listener opens before the guard at the door has proved itself");
    }
    bus_pub *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for the status socket");
    }
    p->admit = admit;
    p->ctx = ctx;
    p->door.take = take_subscriptions;
    p->door.release = release_pub;
    kg_err e = bus_door_open(b, ZMQ_PUB, &p->door, diag);
    const bus_keys keys = {.secret = secret_connect_bytes(b->own)};
    if (e == KG_OK && (bus_option_server(p->door.socket, &keys, "status") != KG_OK ||
                       bus_option_heartbeats(p->door.socket) != KG_OK)) {
        e = bus_zmq_fail(diag, "cannot set up", "the status socket");
    }
    if (e == KG_OK) {
        e = bus_bind(&p->door, endpoint, p->endpoint, diag);
    }
    if (e == KG_OK) {
        e = bus_door_join(&p->door, &b->servers, diag);
    }
    if (e != KG_OK) {
        bus_door_close(&p->door, &b->servers);
        return e;
    }
    b->pub = p;
    *out = p;
    return KG_OK;
}

const char *bus_publish_endpoint(const bus_pub *p)
{
    return p->endpoint;
}

void bus_publish(bus_pub *p, const void *bytes, size_t n)
{
    /* A full subscriber loses it, by design; the next one carries the same counters. */
    if (n <= WIRE_FRAME_MAX && zmq_send(p->door.socket, bytes, n, ZMQ_DONTWAIT) >= 0) {
        p->door.bus->counts.out++;
    }
    p->door.ready = true;
}

void bus_publish_close(bus_pub **pub)
{
    if (*pub == NULL) {
        return;
    }
    bus *b = (*pub)->door.bus;
    b->pub = NULL;
    bus_door_close(&(*pub)->door, &b->servers);
    *pub = NULL;
}
