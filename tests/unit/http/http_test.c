/* The client against a server that lives in the same loop: real sockets on loopback, no thread, no sleep. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>

#include "http/http.h"
#include "http/smtp.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

enum { PEERS_MAX = 16, ASKED_MAX = 4096 };

typedef struct peer {
    int fd;
    char asked[ASKED_MAX];
    size_t n;
} peer;

typedef struct bench {
    loop *loop;
    http *http;
    int listener;
    unsigned port;
    peer peers[PEERS_MAX];
    unsigned served, unsent;
    char last[ASKED_MAX]; /* the last whole request */
    unsigned waiting;     /* answers still to come */
    /* the last answer, copied */
    kg_err error;
    bool sent;
    long status;
    char body[256];
    char etag[64];
    int64_t retry_after_s;
} bench;

static void hang_up(bench *b, peer *p)
{
    loop_unwatch(b->loop, p->fd);
    (void)close(p->fd);
    p->fd = -1;
}

static void reply(const peer *p, const char *text)
{
    assert_int_equal(write(p->fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void serve(bench *b, peer *p)
{
    memcpy(b->last, p->asked, p->n + 1);
    b->served++;
    p->n = 0;
    if (strstr(b->last, " /ok") != NULL) {
        reply(p, "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 6\r\n\r\nxin ơ");
    } else if (strstr(b->last, " /busy") != NULL) {
        reply(p, "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
    } else if (strstr(b->last, " /moved") != NULL) {
        reply(p, "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n");
    } else if (strstr(b->last, " /big") != NULL) {
        reply(p, "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n0123456789012345678901234567890123456789");
    } else if (strstr(b->last, " /drop") != NULL) {
        hang_up(b, p);
    } else if (strstr(b->last, " /rubbish") != NULL) {
        reply(p, "\x01\x02 this is no HTTP at all\r\n\r\n");
        hang_up(b, p);
    } /* /silent: nothing, for ever */
}

static void on_peer(void *ctx, int fd, unsigned events)
{
    bench *b = ctx;
    (void)events;
    for (size_t i = 0; i < PEERS_MAX; i++) {
        peer *p = &b->peers[i];
        if (p->fd != fd) {
            continue;
        }
        const ssize_t n = read(fd, p->asked + p->n, ASKED_MAX - 1 - p->n);
        if (n <= 0) {
            hang_up(b, p);
            return;
        }
        p->n += (size_t)n;
        p->asked[p->n] = '\0';
        const char *end = strstr(p->asked, "\r\n\r\n");
        const char *length = strcasestr(p->asked, "content-length: ");
        const size_t body = length != NULL ? strtoul(length + 16, NULL, 10) : 0;
        if (end != NULL && p->n >= (size_t)(end + 4 - p->asked) + body) {
            serve(b, p);
        }
    }
}

static void on_accept(void *ctx, int fd, unsigned events)
{
    bench *b = ctx;
    (void)events;
    const int got = accept(fd, NULL, NULL);
    assert_true(got >= 0);
    for (size_t i = 0; i < PEERS_MAX; i++) {
        if (b->peers[i].fd < 0) {
            b->peers[i] = (peer){.fd = got};
            assert_int_equal(loop_watch(b->loop, got, LOOP_READ, on_peer, b), KG_OK);
            return;
        }
    }
    fail_msg("too many connections");
}

static int set_up(void **state)
{
    bench *b = calloc(1, sizeof *b);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    for (size_t i = 0; i < PEERS_MAX; i++) {
        b->peers[i].fd = -1;
    }
    b->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(b->listener, (struct sockaddr *)&at, n) != 0 || listen(b->listener, 8) != 0 ||
        getsockname(b->listener, (struct sockaddr *)&at, &n) != 0) {
        return -1;
    }
    b->port = ntohs(at.sin_port);
    const http_options options = {.connections = 2};
    if (loop_new(&b->loop, NULL) != KG_OK || http_new(b->loop, &options, &b->http, NULL) != KG_OK ||
        loop_watch(b->loop, b->listener, LOOP_READ, on_accept, b) != KG_OK) {
        return -1;
    }
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    bench *b = *state;
    http_free(&b->http);
    for (size_t i = 0; i < PEERS_MAX; i++) {
        if (b->peers[i].fd >= 0) {
            hang_up(b, &b->peers[i]);
        }
    }
    loop_unwatch(b->loop, b->listener);
    (void)close(b->listener);
    loop_free(&b->loop);
    free(b);
    return 0;
}

static void on_answer(void *ctx, const http_answer *a)
{
    bench *b = ctx;
    b->error = a->error;
    b->sent = a->sent;
    b->unsent += a->sent ? 0U : 1U;
    b->status = a->status;
    b->retry_after_s = a->retry_after_s;
    memcpy(b->body, a->body, a->body_bytes < sizeof b->body ? a->body_bytes + 1 : 1);
    const char *etag = http_header(a, "etag");
    b->etag[0] = '\0';
    if (etag != NULL) {
        memcpy(b->etag, etag, strlen(etag) + 1);
    }
    if ((a->error == KG_OK) != (a->sentence[0] == '\0')) {
        fail_msg("an error without a sentence, or the other way round: %s", a->sentence);
    }
    if (--b->waiting == 0) {
        loop_quit(b->loop);
    }
}

static void ask(bench *b, const char *path, const http_request *like)
{
    char url[128];
    http_request r = *like;
    kg_diag diag = {{0}};
    assert_true(snprintf(url, sizeof url, "http://127.0.0.1:%u%s", b->port, path) < (int)sizeof url);
    r.url = url;
    if (http_send(b->http, &r, on_answer, b, NULL, &diag) != KG_OK) {
        fail_msg("%s", diag.text);
    }
    b->waiting++;
}

static void answers_of_each_kind(void **state)
{
    static const struct {
        const char *label, *path;
        int64_t timeout_ms;
        size_t answer_max;
        kg_err want;
        long status;
        const char *body, *etag;
        int64_t retry_after_s;
    } rows[] = {
        {"an answer", "/ok", 0, 0, KG_OK, 200, "xin ơ", "\"v1\"", 0},
        {"try later", "/busy", 0, 0, KG_OK, 503, "", "", 7},
        {"a redirect is an answer", "/moved", 0, 0, KG_OK, 302, "", "", 0},
        {"more than wanted", "/big", 0, 16, KG_E_LIMIT, 200, NULL, "", 0},
        {"hangs up", "/drop", 0, 0, KG_E_IO, 0, NULL, "", 0},
        {"not HTTP", "/rubbish", 0, 0, KG_E_IO, 0, NULL, "", 0},
        {"never answers", "/silent", 60, 0, KG_E_TIMEOUT, 0, NULL, "", 0},
    };
    bench *b = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        ask(b, rows[i].path, &(http_request){.timeout_ms = rows[i].timeout_ms, .answer_max = rows[i].answer_max});
        assert_int_equal(loop_run(b->loop, NULL), KG_OK);
        if (b->error != rows[i].want || b->status != rows[i].status || !b->sent ||
            (rows[i].body != NULL && strcmp(b->body, rows[i].body) != 0) || strcmp(b->etag, rows[i].etag) != 0 ||
            b->retry_after_s != rows[i].retry_after_s) {
            fail_msg("%s: %s status %ld body '%s' etag %s retry %lld sent %d", rows[i].label, kg_err_name(b->error),
                     b->status, b->body, b->etag, (long long)b->retry_after_s, (int)b->sent);
        }
    }
}

static void nobody_listens(void **state)
{
    bench *b = *state;
    loop_unwatch(b->loop, b->listener);
    (void)close(b->listener);
    b->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* for tear_down */
    ask(b, "/ok", &(http_request){0});
    assert_int_equal(loop_run(b->loop, NULL), KG_OK);
    assert_int_equal(b->error, KG_E_IO);
    assert_false(b->sent); /* nothing can have arrived: safe to send elsewhere */
}

static void what_is_sent(void **state)
{
    bench *b = *state;
    static const char *const headers[] = {"Content-Type: application/json", "Idempotency-Key: k-1"};
    ask(b, "/ok",
        &(http_request){.headers = headers, .header_count = 2, .body = "{\"a\":1}", .body_bytes = 7, .token = "t0ken"});
    assert_int_equal(loop_run(b->loop, NULL), KG_OK);
    assert_non_null(strstr(b->last, "POST /ok HTTP/1.1\r\n"));
    assert_non_null(strstr(b->last, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(b->last, "\r\nIdempotency-Key: k-1\r\n"));
    assert_non_null(strstr(b->last, "\r\nAuthorization: Bearer t0ken\r\n"));
    assert_non_null(strstr(b->last, "\r\n\r\n{\"a\":1}"));
    ask(b, "/ok", &(http_request){.user = "u", .password = "p"});
    assert_int_equal(loop_run(b->loop, NULL), KG_OK);
    assert_non_null(strstr(b->last, "GET /ok"));
    assert_non_null(strstr(b->last, "\r\nAuthorization: Basic dTpw\r\n"));
}

/* Five requests to a server that never answers, two connections: two arrive, three wait in vain and can be sent
 * elsewhere without a doubt. */
static void connections_are_capped(void **state)
{
    bench *b = *state;
    for (unsigned i = 0; i < 5; i++) {
        ask(b, "/silent", &(http_request){.timeout_ms = 150});
    }
    assert_int_equal(http_open_calls(b->http), 5);
    assert_int_equal(loop_run(b->loop, NULL), KG_OK);
    assert_int_equal(b->served, 2);
    assert_int_equal(b->unsent, 3);
    assert_int_equal(http_open_calls(b->http), 0);
}

static void never(void *ctx, const http_answer *a)
{
    (void)ctx;
    (void)a;
    fail_msg("a cancelled call was answered");
}

static void cancelled_is_silent(void **state)
{
    bench *b = *state;
    char url[64];
    uint64_t number = 0;
    assert_true(snprintf(url, sizeof url, "http://127.0.0.1:%u/ok", b->port) < (int)sizeof url);
    assert_int_equal(http_send(b->http, &(http_request){.url = url}, never, b, &number, NULL), KG_OK);
    http_cancel(b->http, number);
    http_cancel(b->http, number);
    http_cancel(b->http, 999);
    ask(b, "/ok", &(http_request){0});
    assert_int_equal(loop_run(b->loop, NULL), KG_OK);
    assert_int_equal(b->status, 200);
}

static void unsafe_requests_are_refused(void **state)
{
    bench *b = *state;
    static const char *const split[] = {"X: a\r\nY: b"};
    static const struct {
        const char *label;
        http_request r;
        kg_err want;
    } rows[] = {
        {"in the clear, elsewhere", {.url = "http://10.0.0.1/x"}, KG_E_DENIED},
        {"a file", {.url = "file:///etc/passwd"}, KG_E_INVALID},
        {"a password in the URL", {.url = "https://u:p@example.org/"}, KG_E_INVALID},
        {"no URL", {.url = "xyz:"}, KG_E_INVALID},
        {"a header with a line end", {.url = "http://127.0.0.1:1/", .headers = split, .header_count = 1}, KG_E_INVALID},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        kg_diag diag = {{0}};
        const kg_err e = http_send(b->http, &rows[i].r, never, b, NULL, &diag);
        if (e != rows[i].want || diag.text[0] == '\0') {
            fail_msg("%s: %s '%s'", rows[i].label, kg_err_name(e), diag.text);
        }
    }
    assert_int_equal(http_open_calls(b->http), 0);
    assert_int_equal(smtp_check_server("http://127.0.0.1:25", NULL), KG_E_INVALID);
    assert_int_equal(smtp_check_server("smtp://mail.example.org:587", NULL), KG_OK);
    const char *const bad[] = {"a@b>\r\nRCPT TO:<c@d"};
    const smtp_mail mail = {.server = "smtp://127.0.0.1:1", .from = "x@y", .to = bad, .to_count = 1};
    assert_int_equal(smtp_send(b->http, &mail, never, b, NULL, NULL), KG_E_INVALID);
}

static void escaping(void **state)
{
    (void)state;
    kg_buf out = {0};
    assert_int_equal(http_escape("Lũ &=+%/ ~a", &out), KG_OK);
    assert_string_equal(kg_buf_str(&out), "L%C5%A9%20%26%3D%2B%25%2F%20~a");
    kg_buf_done(&out);
}

static void freed_under_way(void **state)
{
    bench *b = *state;
    ask(b, "/silent", &(http_request){0});
    ask(b, "/ok", &(http_request){0});
    http_free(&b->http); /* sanitizers and valgrind look on */
    assert_null(b->http);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_of_each_kind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_listens, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_sent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(connections_are_capped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cancelled_is_silent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unsafe_requests_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(freed_under_way, set_up, tear_down),
        cmocka_unit_test(escaping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
