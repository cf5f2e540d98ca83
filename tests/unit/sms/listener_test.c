/* The listener, asked by our own client in the same loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/http.h"
#include "listener.h"

typedef struct bench {
    loop *loop;
    http *http;
    listener *listener;
    char path[128], authorization[64];
    size_t body_bytes;
    char body[64];
    unsigned calls, answer;
    long status;
    kg_err error;
} bench;

static unsigned on_call(void *ctx, const listener_call *c)
{
    bench *b = ctx;
    b->calls++;
    b->body_bytes = c->body_bytes;
    (void)snprintf(b->path, sizeof b->path, "%s", c->path);
    (void)snprintf(b->authorization, sizeof b->authorization, "%s", c->authorization);
    (void)snprintf(b->body, sizeof b->body, "%.*s", (int)(c->body_bytes < 63 ? c->body_bytes : 63),
                   (const char *)c->body);
    return b->answer;
}

static int set_up(void **state)
{
    bench *b = calloc(1, sizeof *b);
    b->answer = 200;
    *state = b;
    return loop_new(&b->loop, NULL) == KG_OK &&
                   http_new(b->loop, &(http_options){.connections = 2}, &b->http, NULL) == KG_OK &&
                   listener_open(b->loop, "127.0.0.1:0", on_call, b, &b->listener, NULL) == KG_OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    bench *b = *state;
    http_free(&b->http);
    listener_close(&b->listener);
    loop_free(&b->loop);
    free(b);
    return 0;
}

static void on_answer(void *ctx, const http_answer *a)
{
    bench *b = ctx;
    b->status = a->status;
    b->error = a->error;
    loop_quit(b->loop);
}

static void ask(bench *b, const char *path, const http_request *like)
{
    char url[160];
    http_request r = *like;
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u%s", listener_port(b->listener), path);
    r.url = url;
    assert_int_equal(http_send(b->http, &r, on_answer, b, NULL, NULL), KG_OK);
    assert_int_equal(loop_run(b->loop, NULL), KG_OK);
}

static void whole_requests_arrive(void **state)
{
    bench *b = *state;
    ask(b, "/dlr/a%20b/1?x=y", &(http_request){0});
    assert_int_equal(b->status, 200);
    assert_string_equal(b->path, "/dlr/a b/1");
    assert_string_equal(b->authorization, "");
    ask(b, "/c", &(http_request){.body = "{\"a\":1}", .body_bytes = 7, .token = "t"});
    assert_string_equal(b->body, "{\"a\":1}");
    assert_string_equal(b->authorization, "Bearer t");
    b->answer = 503;
    ask(b, "/c", &(http_request){0});
    assert_int_equal(b->status, 503);
    assert_int_equal(b->calls, 3);
}

static void what_is_too_much_is_refused(void **state)
{
    bench *b = *state;
    char *body = calloc(1, LISTENER_BODY_MAX + 1);
    memset(body, 'a', LISTENER_BODY_MAX);
    ask(b, "/c", &(http_request){.body = body, .body_bytes = LISTENER_BODY_MAX});
    assert_int_equal(b->status, 200);
    assert_int_equal(b->body_bytes, LISTENER_BODY_MAX);
    body[LISTENER_BODY_MAX] = 'a';
    ask(b, "/c", &(http_request){.body = body, .body_bytes = LISTENER_BODY_MAX + 1});
    assert_int_equal(b->status, 413);
    ask(b, "/c", &(http_request){.method = "DELETE"});
    assert_int_equal(b->status, 405);
    assert_int_equal(b->calls, 1);
    free(body);
}

static void bad_addresses(void **state)
{
    bench *b = *state;
    static const char *const rows[] = {
        "", "8080", "localhost:80", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:80x", "1.2.3:80"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        listener *l = NULL;
        kg_diag diag = {{0}};
        if (listener_open(b->loop, rows[i], on_call, b, &l, &diag) != KG_E_INVALID || diag.text[0] == '\0') {
            fail_msg("%s", rows[i]);
        }
    }
    listener *l = NULL;
    char taken[32];
    (void)snprintf(taken, sizeof taken, "127.0.0.1:%u", listener_port(b->listener));
    assert_int_equal(kg_err_class(listener_open(b->loop, taken, on_call, b, &l, NULL)), KG_TEMP);
}

static void secrets_are_compared_whole(void **state)
{
    (void)state;
    assert_true(listener_same_secret("abc", "abc"));
    assert_false(listener_same_secret("abc", "abd"));
    assert_false(listener_same_secret("abc", "abcabc"));
    assert_false(listener_same_secret("", "abc"));
    assert_false(listener_same_secret("abc", ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whole_requests_arrive, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_too_much_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_addresses, set_up, tear_down),
        cmocka_unit_test(secrets_are_compared_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
