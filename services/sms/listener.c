#include "listener.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <microhttpd.h>

#include "base/buf.h"

enum { IDLE_S = 10 };

struct listener {
    loop *loop;
    loop_timer *timer;
    struct MHD_Daemon *daemon;
    int epoll_fd;
    unsigned port;
    listener_fn fn;
    void *ctx;
};

/* libmicrohttpd works when its epoll descriptor is readable, and when a connection has been idle too long. */
static void turn(listener *l)
{
    MHD_UNSIGNED_LONG_LONG wait_ms = 0;
    (void)MHD_run(l->daemon);
    if (MHD_get_timeout(l->daemon, &wait_ms) == MHD_YES) {
        loop_timer_set(l->timer, wait_ms < INT_MAX ? (int64_t)wait_ms : INT_MAX);
    } else {
        loop_timer_stop(l->timer);
    }
}

static void on_ready(void *ctx, int fd, unsigned events)
{
    (void)fd;
    (void)events;
    turn(ctx);
}

static void on_time(void *ctx)
{
    turn(ctx);
}

static enum MHD_Result reply(struct MHD_Connection *c, unsigned status)
{
    static const char ok[] = "ok\n";
    static const char no[] = "not taken\n";
    const bool good = status < 300;
    struct MHD_Response *r = MHD_create_response_from_buffer(
        good ? sizeof ok - 1 : sizeof no - 1, (void *)(uintptr_t)(good ? ok : no), MHD_RESPMEM_PERSISTENT);
    if (r == NULL) {
        return MHD_NO;
    }
    const enum MHD_Result done = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return done;
}

static const char *authorization(struct MHD_Connection *c)
{
    const char *v = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
    return v != NULL ? v : "";
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_bytes, void **request_ctx)
{
    listener *l = ctx;
    kg_buf *body = *request_ctx;
    (void)version;
    if (strcmp(method, "GET") != 0 && strcmp(method, "POST") != 0) {
        return reply(c, MHD_HTTP_METHOD_NOT_ALLOWED);
    }
    if (body == NULL) { /* headers only so far */
        body = calloc(1, sizeof *body);
        if (body == NULL) {
            return MHD_NO;
        }
        body->max = LISTENER_BODY_MAX;
        *request_ctx = body;
        return MHD_YES;
    }
    if (*upload_bytes > 0) {
        kg_ignore(kg_buf_put(body, upload, *upload_bytes)); /* a failure marks it; answered when all has come */
        *upload_bytes = 0;
        return MHD_YES;
    }
    if (kg_buf_failed(body) != KG_OK) {
        return reply(c, MHD_HTTP_CONTENT_TOO_LARGE);
    }
    return reply(c, l->fn(l->ctx, &(listener_call){url, authorization(c), kg_buf_str(body), body->len}));
}

static void on_completed(void *ctx, struct MHD_Connection *c, void **request_ctx, enum MHD_RequestTerminationCode why)
{
    kg_buf *body = *request_ctx;
    (void)ctx;
    (void)c;
    (void)why;
    if (body != NULL) {
        kg_buf_done(body);
        free(body);
        *request_ctx = NULL;
    }
}

static kg_err read_address(const char *address, struct sockaddr_in *out, kg_diag *diag)
{
    char host[INET_ADDRSTRLEN] = "";
    const char *colon = strrchr(address, ':');
    char *end = NULL;
    const unsigned long port = colon != NULL ? strtoul(colon + 1, &end, 10) : ULONG_MAX;
    *out = (struct sockaddr_in){.sin_family = AF_INET};
    if (colon == NULL || (size_t)(colon - address) >= sizeof host || end == colon + 1 || *end != '\0' || port > 65535) {
        return kg_fail(diag, KG_E_INVALID, "\"%s\": write an IPv4 address and a port, as in 127.0.0.1:8085", address);
    }
    memcpy(host, address, (size_t)(colon - address));
    if (inet_pton(AF_INET, host, &out->sin_addr) != 1) {
        return kg_fail(diag, KG_E_INVALID, "\"%s\": write an IPv4 address and a port, as in 127.0.0.1:8085", address);
    }
    out->sin_port = htons((uint16_t)port);
    return KG_OK;
}

static kg_err begin(listener *l, const struct sockaddr_in *at)
{
    l->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, l, MHD_OPTION_SOCK_ADDR, at,
                                 MHD_OPTION_CONNECTION_LIMIT, (unsigned)LISTENER_PEERS, MHD_OPTION_CONNECTION_TIMEOUT,
                                 (unsigned)IDLE_S, MHD_OPTION_NOTIFY_COMPLETED, on_completed, l, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        l->daemon != NULL ? MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (info == NULL) {
        return KG_E_IO;
    }
    l->epoll_fd = info->epoll_fd;
    info = MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_BIND_PORT);
    l->port = info != NULL ? info->port : 0;
    const kg_err e = loop_watch(l->loop, l->epoll_fd, LOOP_READ, on_ready, l);
    if (e != KG_OK) {
        l->epoll_fd = -1;
    }
    return e;
}

kg_err listener_open(loop *lp, const char *address, listener_fn fn, void *ctx, listener **out, kg_diag *diag)
{
    struct sockaddr_in at;
    kg_err e = read_address(address, &at, diag);
    if (e != KG_OK) {
        return e;
    }
    listener *l = calloc(1, sizeof *l);
    if (l == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory to listen on %s", address);
    }
    *l = (listener){.loop = lp, .epoll_fd = -1, .fn = fn, .ctx = ctx};
    e = loop_timer_new(lp, on_time, l, &l->timer);
    if (e == KG_OK) {
        e = begin(l, &at);
    }
    if (e != KG_OK) {
        listener_close(&l);
        return kg_fail(diag, e, "cannot listen on %s: is the port taken?", address);
    }
    *out = l;
    return KG_OK;
}

void listener_close(listener **l)
{
    if (*l == NULL) {
        return;
    }
    if ((*l)->epoll_fd >= 0) {
        loop_unwatch((*l)->loop, (*l)->epoll_fd);
    }
    if ((*l)->daemon != NULL) {
        MHD_stop_daemon((*l)->daemon);
    }
    loop_timer_free(&(*l)->timer);
    free(*l);
    *l = NULL;
}

unsigned listener_port(const listener *l)
{
    return l->port;
}

bool listener_same_secret(const char *a, const char *b)
{
    const size_t na = strlen(a);
    const size_t nb = strlen(b);
    unsigned differs = na == nb ? 0U : 1U;
    for (size_t i = 0; i < na; i++) {
        differs |= (unsigned char)a[i] ^ (unsigned char)(nb > 0 ? b[i % nb] : 1);
    }
    return differs == 0;
}
