/* A server and a client in one loop: what a turn takes in is answered at its end, and nobody is left waiting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "bus/bus.h"
#include "svc/loop.h"

enum { MESSAGES = 5000, BATCH_MAX = 64, WINDOW = 50, PATIENCE_MS = 20000 };

typedef struct world {
    loop *l;
    bus *server_bus, *client_bus;
    bus_server *s;
    bus_client *c;
    public_key admitted;
    bus_peer batch[BATCH_MAX]; /* taken in this turn, answered at its end: as a group commit would */
    size_t batch_count, largest_batch;
    unsigned asked, answered, turns;
    bool committing;
} world;

static bool admit(void *ctx, const public_key *key)
{
    return public_same(&((world *)ctx)->admitted, key);
}

static void on_question(void *ctx, bus_peer from, const public_key *key, const void *bytes, size_t n)
{
    (void)key;
    (void)bytes;
    (void)n;
    world *w = ctx;
    assert_true(w->batch_count < BATCH_MAX); /* the budget holds */
    w->batch[w->batch_count++] = from;
}

static void commit(void *ctx)
{
    world *w = ctx;
    w->turns++;
    w->largest_batch = w->batch_count > w->largest_batch ? w->batch_count : w->largest_batch;
    for (size_t i = 0; i < w->batch_count; i++) {
        assert_int_equal(bus_send(w->s, w->batch[i], "a", 1), KG_OK);
    }
    w->batch_count = 0;
}

static void ask(world *w)
{
    if (w->asked < MESSAGES) {
        assert_int_equal(bus_client_send(w->c, "q", 1), KG_OK);
        w->asked++;
    }
}

static void on_up(void *ctx)
{
    for (int i = 0; i < WINDOW; i++) {
        ask(ctx);
    }
}

static void on_answer(void *ctx, const void *bytes, size_t n)
{
    (void)bytes;
    (void)n;
    world *w = ctx;
    if (++w->answered == MESSAGES) {
        loop_quit(w->l);
    } else {
        ask(w);
    }
}

static void too_late(void *ctx)
{
    loop_fail(((world *)ctx)->l, KG_E_TIMEOUT, NULL);
}

static void every_question_is_answered(void **state)
{
    (void)state;
    static const bus_server_ops server_ops = {.admit = admit, .message = on_question};
    static const bus_client_ops client_ops = {.up = on_up, .message = on_answer};
    world w = {0};
    secret_key *server = NULL;
    secret_key *client = NULL;
    loop_timer *guard = NULL;
    assert_int_equal(trust_start(NULL), KG_OK);
    assert_int_equal(secret_new(KEY_CONNECT, &server, NULL), KG_OK);
    assert_int_equal(secret_new(KEY_CONNECT, &client, NULL), KG_OK);
    w.admitted = secret_public(client);
    const public_key server_key = secret_public(server);
    assert_int_equal(loop_new(&w.l, NULL), KG_OK);
    assert_int_equal(bus_new(server, &w.server_bus, NULL), KG_OK);
    assert_int_equal(bus_new(client, &w.client_bus, NULL), KG_OK);
    assert_int_equal(bus_guard(w.server_bus, NULL), KG_OK);
    assert_int_equal(loop_bus(w.l, w.server_bus, BATCH_MAX), KG_OK);
    assert_int_equal(loop_bus(w.l, w.client_bus, BATCH_MAX), KG_OK);
    loop_on_turn_end(w.l, commit, &w);
    assert_int_equal(bus_listen(w.server_bus, "intake", "tcp://127.0.0.1:*", true, &server_ops, &w, &w.s, NULL), KG_OK);
    assert_int_equal(
        bus_connect(w.client_bus, bus_server_endpoint(w.s), &server_key, true, &client_ops, &w, &w.c, NULL), KG_OK);
    assert_int_equal(loop_timer_new(w.l, too_late, &w, &guard), KG_OK);
    loop_timer_set(guard, PATIENCE_MS);
    const kg_err e = loop_run(w.l, NULL);
    if (e != KG_OK) {
        fail_msg("%s: %u of %u answered after %u turns", kg_err_name(e), w.answered, (unsigned)MESSAGES, w.turns);
    }
    assert_true(w.largest_batch > 1);
    loop_timer_free(&guard);
    loop_free(&w.l);
    bus_client_close(&w.c);
    bus_server_close(&w.s);
    bus_free(&w.client_bus);
    bus_free(&w.server_bus);
    secret_free(&client);
    secret_free(&server);
}

static void fail_now(void *ctx)
{
    const kg_diag diag = {"the disk is gone"};
    loop_fail(ctx, KG_E_IO, &diag);
    loop_fail(ctx, KG_E_BUG, NULL); /* what comes after the cause */
}

static void a_failure_ends_the_loop_with_its_cause(void **state)
{
    (void)state;
    loop *l = NULL;
    kg_diag diag = {{0}};
    assert_int_equal(loop_new(&l, NULL), KG_OK);
    loop_on_turn_end(l, fail_now, l);
    loop_again(l);
    assert_int_equal(loop_run(l, &diag), KG_E_IO);
    assert_string_equal(diag.text, "the disk is gone");
    loop_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_question_is_answered),
        cmocka_unit_test(a_failure_ends_the_loop_with_its_cause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
