/* What an honest server and honest clients may rely on. */
#include "tests/unit/bus/bus_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus/bus_own.h"

static void nothing_listens_before_the_guard(void **state)
{
    world *w = *state;
    kg_diag diag = {{0}};
    bus_pub *p = NULL;
    assert_int_equal(bus_listen(w->b, "intake", w->address, true, &world_server_ops, w, &w->s, &diag), KG_E_DENIED);
    assert_null(w->s);
    assert_non_null(strstr(diag.text, "guard"));
    assert_int_equal(bus_publish_open(w->b, w->address, world_server_ops.admit, w, &p, &diag), KG_E_DENIED);
    assert_int_equal(bus_guard(w->b, &diag), KG_OK);
    assert_int_equal(bus_guard(w->b, &diag), KG_OK);   /* again is fine */
    assert_int_equal(bus_count(w->b).refused_keys, 0); /* the stranger of the proof is not counted */
    assert_int_equal(bus_listen(w->b, "intake", w->address, true, &world_server_ops, w, &w->s, &diag), KG_OK);
}

static void addresses_are_checked(void **state)
{
    world *w = *state;
    static const struct {
        const char *label, *domain, *endpoint;
        kg_err want;
    } rows[] = {
        {"inproc has no encryption", "a", "inproc://x", KG_E_INVALID},
        {"nonsense", "a", "nonsense", KG_E_INVALID},
        {"no port", "a", "tcp://127.0.0.1", KG_E_INVALID},
        {"same name twice", "intake", "ipc://@keng-second", KG_E_CONFLICT},
        {"no name", "", "ipc://@keng-second", KG_E_INVALID},
        {"long name", "0123456789012345678901234567890123456789", "ipc://@keng-second", KG_E_INVALID},
        {"address taken", "b", NULL, KG_E_IO},
    };
    bus_server *other = NULL;
    assert_int_equal(bus_listen(w->b, "other", "tcp://127.0.0.1:*", false, &world_server_ops, w, &other, NULL), KG_OK);
    assert_true(strncmp(bus_server_endpoint(other), "tcp://", 6) == 0);
    assert_null(strchr(bus_server_endpoint(other), '*'));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bus_server *s = NULL;
        kg_diag diag = {{0}};
        const char *at = rows[i].endpoint != NULL ? rows[i].endpoint : bus_server_endpoint(other);
        const kg_err e = bus_listen(w->b, rows[i].domain, at, true, &world_server_ops, w, &s, &diag);
        if (e != rows[i].want || s != NULL || diag.text[0] == '\0') {
            fail_msg("%s: %s: %s", rows[i].label, kg_err_name(e), diag.text);
        }
    }
    static const bus_client_ops none = {0};
    bus_client *c = NULL;
    assert_int_equal(bus_connect(w->b, "inproc://x", &w->public_part, true, &none, w, &c, NULL), KG_E_INVALID);
    assert_int_equal(bus_connect(w->b, "tcp://", &w->public_part, true, &none, w, &c, NULL), KG_E_INVALID);
    assert_null(c);
    bus_server_close(&other);
}

static void a_signing_key_does_not_connect(void **state)
{
    (void)state;
    secret_key *k = NULL;
    bus *b = NULL;
    assert_int_equal(secret_new(KEY_SIGN_ACTUAL, &k, NULL), KG_OK);
    assert_int_equal(bus_new(k, &b, NULL), KG_E_INVALID);
    assert_null(b);
    secret_free(&k);
}

static void messages_go_both_ways(void **state)
{
    world *w = *state;
    world_client *c = world_client_new(w, true, NULL);
    world_until(w, &c->ups, 1, "up");
    assert_true(bus_client_up(c->c));
    assert_int_equal(bus_client_send(c->c, "a\0b", 3), KG_OK);
    world_until(w, &w->messages, 1, "there");
    assert_int_equal(w->last_bytes, 3);
    assert_memory_equal(w->last, "a\0b", 3);
    const public_key k = secret_public(c->key);
    assert_true(public_same(&k, &w->from_key));
    assert_int_equal(bus_send(w->s, w->from, "pong", 4), KG_OK);
    world_until(w, &c->messages, 1, "back");
    assert_string_equal(c->last, "pong");
    assert_int_equal(bus_count(w->b).in, 1);
    assert_int_equal(bus_count(w->b).out, 1);
}

static void a_frame_has_a_size(void **state)
{
    world *w = *state;
    world_client *c = world_client_new(w, true, NULL);
    world_until(w, &c->ups, 1, "up");
    char *big = calloc(1, WIRE_FRAME_MAX + 1);
    assert_non_null(big);
    assert_int_equal(bus_client_send(c->c, big, WIRE_FRAME_MAX + 1), KG_E_LIMIT);
    assert_int_equal(bus_client_send(c->c, big, 0), KG_E_LIMIT);
    assert_int_equal(bus_client_send(c->c, big, WIRE_FRAME_MAX), KG_OK);
    world_until(w, &w->messages, 1, "the largest frame");
    assert_int_equal(w->last_bytes, WIRE_FRAME_MAX);
    assert_int_equal(bus_send(w->s, w->from, big, WIRE_FRAME_MAX + 1), KG_E_LIMIT);
    assert_int_equal(bus_send(w->s, w->from, big, 0), KG_E_LIMIT);
    free(big);
}

static void sending_to_nobody_fails_at_once(void **state)
{
    world *w = *state;
    world_client *c = world_client_new(w, true, "ipc://@keng-nobody-is-there");
    assert_int_equal(bus_client_send(c->c, "x", 1), KG_E_AGAIN);
    assert_int_equal(bus_send(w->s, 12345, "x", 1), KG_E_NOTFOUND);
    assert_int_equal(bus_count(c->b).full, 1);
}

static void a_hundred_and_twenty_four_peers(void **state)
{
    world *w = *state;
    w->echo = true;
    enum { MANY = 124, EACH = 10 };
    for (int i = 0; i < MANY; i++) {
        (void)world_client_new(w, true, NULL);
    }
    for (int i = 0; i < MANY; i++) {
        world_until(w, &w->clients[i].ups, 1, "all up");
    }
    for (int n = 0; n < EACH; n++) {
        for (int i = 0; i < MANY; i++) {
            char text[16];
            const int len = snprintf(text, sizeof text, "%d/%d", i, n);
            assert_int_equal(bus_client_send(w->clients[i].c, text, (size_t)len), KG_OK);
        }
    }
    for (int i = 0; i < MANY; i++) {
        world_until(w, &w->clients[i].messages, EACH, "every answer");
        char want[16];
        (void)snprintf(want, sizeof want, "%d/%d", i, EACH - 1);
        assert_string_equal(w->clients[i].last, want); /* in order, and nobody else's */
    }
    assert_int_equal(w->messages, MANY * EACH);
    assert_int_equal(w->s->peers.count, MANY);
}

static void a_budget_is_kept(void **state)
{
    world *w = *state;
    world_client *c = world_client_new(w, true, NULL);
    world_until(w, &c->ups, 1, "up");
    for (int i = 0; i < 60; i++) {
        assert_int_equal(bus_client_send(c->c, "x", 1), KG_OK);
    }
    bool more = false;
    unsigned polls = 0;
    while (w->messages < 60) {
        const unsigned before = w->messages;
        assert_int_equal(bus_poll(w->b, 7, &more, NULL), KG_OK);
        assert_true(w->messages - before <= 7);
        assert_true(++polls < 10000000);
    }
}

static void a_lost_peer_is_told(void **state)
{
    world *w = *state;
    world_client *stays = world_client_new(w, true, NULL);
    world_client *goes = world_client_new(w, true, NULL);
    world_until(w, &stays->ups, 1, "up");
    world_until(w, &goes->ups, 1, "up");
    assert_int_equal(bus_client_send(stays->c, "stay", 4), KG_OK);
    world_until(w, &w->messages, 1, "first");
    const bus_peer stayed = w->from;
    assert_int_equal(bus_client_send(goes->c, "go", 2), KG_OK);
    world_until(w, &w->messages, 2, "second");
    const bus_peer left = w->from;
    bus_client_close(&goes->c);
    for (int i = 0; i < 3000 && w->gones == 0; i++) {
        bus_server_probe(w->s); /* as the clock does every BUS_PROBE_MS */
        world_rounds(w, 1);
    }
    assert_int_equal(w->gones, 1);
    assert_int_equal(w->gone, left);
    assert_int_equal(bus_send(w->s, left, "x", 1), KG_E_NOTFOUND);
    assert_int_equal(bus_send(w->s, stayed, "x", 1), KG_OK);
    world_until(w, &stays->messages, 1, "the other one still hears");
    assert_string_equal(stays->last, "x"); /* and none of the probes */
    assert_int_equal(stays->messages, 1);
    assert_int_equal(w->s->peers.count, 1);
}

static void a_restarted_server_is_found_again(void **state)
{
    world *w = *state;
    world_client *c = world_client_new(w, true, NULL);
    world_until(w, &c->ups, 1, "up");
    assert_int_equal(bus_client_send(c->c, "one", 3), KG_OK);
    world_until(w, &w->messages, 1, "before");
    const bus_peer before = w->from;
    char endpoint[256];
    (void)snprintf(endpoint, sizeof endpoint, "%s", bus_server_endpoint(w->s));
    bus_server_close(&w->s);
    world_until(w, &c->downs, 1, "down");
    assert_false(bus_client_up(c->c));
    assert_int_equal(bus_client_send(c->c, "kept", 4), KG_E_AGAIN);
    /* libzmq gives the address back a moment after the close, from a thread of its own. */
    for (int i = 0; i < 1000 && w->s == NULL; i++) {
        kg_ignore(bus_listen(w->b, "intake", endpoint, true, &world_server_ops, w, &w->s, NULL));
        world_rounds(w, 1);
    }
    assert_non_null(w->s);
    world_until(w, &c->ups, 2, "up again");
    assert_int_equal(bus_client_send(c->c, "two", 3), KG_OK);
    world_until(w, &w->messages, 2, "after");
    assert_string_equal(w->last, "two");
    assert_int_not_equal(w->from, before);
}

static void handlers_may_close(void **state)
{
    world *w = *state;
    world_client *a = world_client_new(w, true, NULL);
    world_client *b = world_client_new(w, true, NULL);
    world_until(w, &a->ups, 1, "up");
    world_until(w, &b->ups, 1, "up");
    w->echo = true;
    a->close_on_message = true;
    assert_int_equal(bus_client_send(a->c, "x", 1), KG_OK);
    assert_int_equal(bus_client_send(a->c, "y", 1), KG_OK);
    world_until(w, &a->messages, 1, "answer");
    assert_null(a->c);
    w->echo = false;
    w->close_on_message = true;
    assert_int_equal(bus_client_send(b->c, "1", 1), KG_OK);
    assert_int_equal(bus_client_send(b->c, "2", 1), KG_OK);
    world_until(w, &b->downs, 1, "the server closed itself");
    assert_null(w->s);
}

static void closing_a_peer_makes_us_deaf_to_it(void **state)
{
    world *w = *state;
    world_client *c = world_client_new(w, true, NULL);
    world_until(w, &c->ups, 1, "up");
    assert_int_equal(bus_client_send(c->c, "1", 1), KG_OK);
    world_until(w, &w->messages, 1, "heard");
    bus_close_peer(w->s, w->from);
    assert_int_equal(bus_send(w->s, w->from, "x", 1), KG_E_NOTFOUND);
    assert_int_equal(bus_client_send(c->c, "2", 1), KG_OK);
    while (bus_count(w->b).unwelcome == 0) {
        world_rounds(w, 1);
    }
    assert_int_equal(w->messages, 1);
}

static void status_reaches_the_admitted(void **state)
{
    world *w = *state;
    bus_pub *p = NULL;
    assert_int_equal(bus_publish_open(w->b, "tcp://127.0.0.1:*", world_server_ops.admit, w, &p, NULL), KG_OK);
    /* Two subscribers beside their (unused) server connections: one admitted, one not. */
    world_client *in = world_client_new(w, true, NULL);
    world_client *out = world_client_new(w, false, NULL);
    bus_client_ops ops = in->c->ops;
    bus_client *good = NULL;
    bus_client *bad = NULL;
    world_client ear = {0};
    world_client deaf = {0};
    assert_int_equal(bus_subscribe(in->b, bus_publish_endpoint(p), &w->public_part, &ops, &ear, &good, NULL), KG_OK);
    assert_int_equal(bus_subscribe(out->b, bus_publish_endpoint(p), &w->public_part, &ops, &deaf, &bad, NULL), KG_OK);
    world_until(w, &ear.ups, 1, "subscribed");
    world_until(w, &deaf.refusals, 1, "refused");
    while (ear.messages == 0) {
        bus_publish(p, "status", 6);
        world_rounds(w, 1);
    }
    assert_string_equal(ear.last, "status");
    assert_int_equal(deaf.messages, 0);
    bus_client_close(&good);
    bus_client_close(&bad);
    bus_publish_close(&p);
}

int main(void)
{
#define BUS_TEST(f) cmocka_unit_test_setup_teardown(f, world_listening, world_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_listens_before_the_guard, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_signing_key_does_not_connect, world_setup, world_teardown),
        BUS_TEST(addresses_are_checked),
        BUS_TEST(messages_go_both_ways),
        BUS_TEST(a_frame_has_a_size),
        BUS_TEST(sending_to_nobody_fails_at_once),
        BUS_TEST(a_hundred_and_twenty_four_peers),
        BUS_TEST(a_budget_is_kept),
        BUS_TEST(a_lost_peer_is_told),
        BUS_TEST(a_restarted_server_is_found_again),
        BUS_TEST(handlers_may_close),
        BUS_TEST(closing_a_peer_makes_us_deaf_to_it),
        BUS_TEST(status_reaches_the_admitted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
