/* What a stranger, a thief of one key, or a broken program can not do. */
#include "tests/unit/bus/bus_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "base/clock.h"
#include "bus/bus_own.h"

static void an_unknown_key_stays_outside(void **state)
{
    world *w = *state;
    world_client *c = world_client_new(w, false, NULL);
    world_until(w, &c->refusals, 1, "told that it is refused");
    bus_client_mend(c->c); /* as the clock does every BUS_PROBE_MS: libzmq itself has given up */
    world_until(w, &c->refusals, 2, "also when it tries again");
    assert_int_equal(c->ups, 0);
    assert_int_equal(bus_client_send(c->c, "x", 1), KG_E_AGAIN);
    assert_true(bus_count(w->b).refused_keys >= 2);
    assert_int_equal(w->messages, 0);
    /* Once its key is in the table, its next attempt succeeds: no restart needed. */
    const public_key k = secret_public(c->key);
    world_admit(w, &k);
    bus_client_mend(c->c);
    world_until(w, &c->ups, 1, "admitted");
}

static void a_wrong_server_key_connects_nobody(void **state)
{
    world *w = *state;
    secret_key *other = world_key();
    w->public_part = secret_public(other); /* whom the client believes to talk to */
    world_client *c = world_client_new(w, true, NULL);
    world_rounds(w, 60);
    assert_int_equal(c->ups, 0);
    assert_int_equal(bus_client_send(c->c, "x", 1), KG_E_AGAIN);
    secret_free(&other);
}

/* E16: whoever came before the guard gets no further than whoever comes later. */
static void the_order_of_starting_does_not_matter(void **state)
{
    world *w = *state; /* not even guarded */
    const char *endpoint = w->address;
    world_client *stranger = world_client_new(w, false, endpoint);
    world_client *friend = world_client_new(w, true, endpoint);
    world_rounds(w, 20);
    assert_int_equal(bus_guard(w->b, NULL), KG_OK);
    assert_int_equal(bus_listen(w->b, "intake", endpoint, true, &world_server_ops, w, &w->s, NULL), KG_OK);
    world_until(w, &friend->ups, 1, "the friend");
    world_until(w, &stranger->refusals, 1, "the stranger");
    assert_int_equal(stranger->ups, 0);
}

static void a_key_revoked_while_connected_is_heard_no_more(void **state)
{
    world *w = *state;
    world_client *c = world_client_new(w, true, NULL);
    const public_key k = secret_public(c->key);
    world_until(w, &c->ups, 1, "up");
    assert_int_equal(bus_client_send(c->c, "before", 6), KG_OK);
    world_until(w, &w->messages, 1, "before");
    world_banish(w, &k);
    assert_int_equal(bus_client_send(c->c, "after", 5), KG_OK);
    while (bus_count(w->b).unwelcome == 0) {
        world_rounds(w, 1);
    }
    assert_int_equal(w->messages, 1);
    assert_string_equal(w->last, "before");
    world_admit(w, &k);
    assert_int_equal(bus_client_send(c->c, "again", 5), KG_OK);
    world_until(w, &w->messages, 2, "admitted anew");
    assert_string_equal(w->last, "again");
}

static void route_of(const world *w, bus_peer number, uint8_t id[5])
{
    const peer *p = peers_by_number(&w->s->peers, number);
    assert_non_null(p);
    const uint8_t route[5] = {0, (uint8_t)(p->route >> 24), (uint8_t)(p->route >> 16), (uint8_t)(p->route >> 8),
                              (uint8_t)p->route};
    memcpy(id, route, sizeof route);
}

/* E6: the thief's key is admitted too, and it says it is the victim, by a name and by the very id libzmq gave it. */
static void mail_cannot_be_stolen(void **state)
{
    world *w = *state;
    world_client *victim = world_client_new(w, true, NULL);
    world_until(w, &victim->ups, 1, "up");
    assert_int_equal(bus_client_send(victim->c, "hello", 5), KG_OK);
    world_until(w, &w->messages, 1, "hello");
    const bus_peer number = w->from;
    uint8_t id[5];
    route_of(w, number, id);

    secret_key *key = world_key();
    const public_key k = secret_public(key);
    world_admit(w, &k);
    raw_peer by_name = world_raw(w, key, "siren-7", 7);
    raw_peer by_id = world_raw(w, key, id, sizeof id);
    while (bus_count(w->b).own_ids == 0) {
        (void)zmq_send(by_name.socket, "hello", 5, ZMQ_DONTWAIT);
        (void)zmq_send(by_id.socket, "hello", 5, ZMQ_DONTWAIT);
        world_rounds(w, 1);
    }
    world_rounds(w, 50);
    assert_int_equal(w->messages, 1); /* neither is heard */
    assert_int_equal(bus_send(w->s, number, "for you", 7), KG_OK);
    world_until(w, &victim->messages, 1, "the victim's mail");
    assert_string_equal(victim->last, "for you");
    char stolen[16];
    assert_int_equal(zmq_recv(by_name.socket, stolen, sizeof stolen, ZMQ_DONTWAIT), -1);
    assert_int_equal(zmq_recv(by_id.socket, stolen, sizeof stolen, ZMQ_DONTWAIT), -1);
    world_raw_done(&by_name);
    world_raw_done(&by_id);
    secret_free(&key);
}

/* A line that comes back under the same id with another key is another peer. */
static void another_key_is_another_peer(void **state)
{
    world *w = *state;
    static const uint8_t id[5] = {0, 1, 2, 3, 4};
    secret_key *keys[2];
    bus_peer numbers[2];
    for (unsigned i = 0; i < 2; i++) {
        keys[i] = world_key();
        const public_key k = secret_public(keys[i]);
        world_admit(w, &k);
        raw_peer r = world_raw(w, keys[i], id, sizeof id);
        assert_true(zmq_send(r.socket, "hello", 5, 0) >= 0);
        world_until(w, &w->messages, i + 1, "hello");
        assert_true(public_same(&w->from_key, &k));
        numbers[i] = w->from;
        world_raw_done(&r);
        world_rounds(w, 20); /* until libzmq has let go of the id */
    }
    assert_int_not_equal(numbers[0], numbers[1]);
    assert_int_equal(w->gones, 1);
    assert_int_equal(w->gone, numbers[0]);
    assert_int_equal(bus_send(w->s, numbers[0], "x", 1), KG_E_NOTFOUND);
    secret_free(&keys[0]);
    secret_free(&keys[1]);
}

static void send_frames(void *socket, int count, size_t bytes)
{
    char *frame = calloc(1, bytes);
    assert_non_null(frame);
    for (int i = 0; i < count; i++) {
        assert_true(zmq_send(socket, frame, bytes, i + 1 < count ? ZMQ_SNDMORE : 0) >= 0);
    }
    free(frame);
}

static raw_peer admitted_raw(world *w, secret_key **key)
{
    *key = world_key();
    const public_key k = secret_public(*key);
    world_admit(w, &k);
    raw_peer r = world_raw(w, *key, NULL, 0);
    assert_true(zmq_send(r.socket, "hello", 5, 0) >= 0); /* queued until the handshake is through */
    world_until(w, &w->messages, 1, "hello");
    return r;
}

static void a_multipart_bomb_is_drained_and_counted(void **state)
{
    world *w = *state;
    secret_key *key = NULL;
    raw_peer r = admitted_raw(w, &key);
    send_frames(r.socket, 20000, 100);
    send_frames(r.socket, 2, 1);
    assert_true(zmq_send(r.socket, "fine", 4, 0) >= 0);
    world_until(w, &w->messages, 2, "the message after the bomb");
    assert_string_equal(w->last, "fine");
    assert_int_equal(bus_count(w->b).multipart, 2);
    world_raw_done(&r);
    secret_free(&key);
}

static void strikes_end_in_deafness(void **state)
{
    world *w = *state;
    secret_key *key = NULL;
    raw_peer r = admitted_raw(w, &key);
    for (int i = 0; i < BUS_STRIKES_MAX; i++) {
        send_frames(r.socket, 3, 10);
    }
    assert_true(zmq_send(r.socket, "late", 4, 0) >= 0);
    while (bus_count(w->b).unwelcome == 0) {
        world_rounds(w, 1);
    }
    assert_int_equal(bus_count(w->b).multipart, BUS_STRIKES_MAX);
    assert_int_equal(w->messages, 1);
    world_raw_done(&r);
    secret_free(&key);
}

static void what_is_too_large_does_not_arrive(void **state)
{
    world *w = *state;
    world_client *honest = world_client_new(w, true, NULL);
    world_until(w, &honest->ups, 1, "up");
    secret_key *key = NULL;
    raw_peer r = admitted_raw(w, &key);
    send_frames(r.socket, 1, WIRE_FRAME_MAX + 1);
    while (bus_count(w->b).oversize == 0) {
        world_rounds(w, 1);
    }
    send_frames(r.socket, 1, (size_t)4 * WIRE_FRAME_MAX); /* far too large: libzmq cuts the line */
    world_rounds(w, 20);
    assert_int_equal(w->messages, 1);
    assert_int_equal(bus_client_send(honest->c, "fine", 4), KG_OK);
    world_until(w, &w->messages, 2, "the others go on");
    assert_string_equal(w->last, "fine");
    world_raw_done(&r);
    secret_free(&key);
}

static void a_peer_that_does_not_read_never_blocks_us(void **state)
{
    world *w = *state;
    secret_key *key = NULL;
    raw_peer frozen = admitted_raw(w, &key); /* never receives */
    const bus_peer number = w->from;
    world_client *other = world_client_new(w, true, NULL);
    world_until(w, &other->ups, 1, "up");
    assert_int_equal(bus_client_send(other->c, "hello", 5), KG_OK);
    world_until(w, &w->messages, 2, "hello");
    const bus_peer reader = w->from;

    char block[4096] = {0};
    kg_err e = KG_OK;
    int sent = 0;
    int64_t slowest = 0;
    for (; e == KG_OK && sent < 1000000; sent++) {
        const int64_t start = kg_clock_mono_ms();
        e = bus_send(w->s, number, block, sizeof block);
        const int64_t took = kg_clock_mono_ms() - start;
        slowest = took > slowest ? took : slowest;
    }
    assert_int_equal(e, KG_E_AGAIN);
    assert_true(slowest < 2000);
    assert_int_equal(bus_count(w->b).full, 1);
    assert_int_equal(bus_send(w->s, reader, "through", 7), KG_OK);
    world_until(w, &other->messages, 1, "the other peer");
    assert_string_equal(other->last, "through");
    world_raw_done(&frozen);
    secret_free(&key);
}

/* A server that is not ours sends a client too many frames. */
static void a_client_defends_itself_too(void **state)
{
    world *w = *state;
    world_client *c = world_client_new(w, true, NULL);
    world_until(w, &c->ups, 1, "up");
    assert_int_equal(bus_client_send(c->c, "hello", 5), KG_OK);
    world_until(w, &w->messages, 1, "hello");
    uint8_t route[5];
    route_of(w, w->from, route);
    assert_int_equal(zmq_send(w->s->door.socket, route, sizeof route, ZMQ_SNDMORE), 5);
    send_frames(w->s->door.socket, 600, 10);
    assert_int_equal(bus_send(w->s, w->from, "fine", 4), KG_OK);
    world_until(w, &c->messages, 1, "after the bomb");
    assert_string_equal(c->last, "fine");
    assert_int_equal(bus_count(c->b).multipart, 1);
}

int main(void)
{
#define HOSTILE_TEST(f) cmocka_unit_test_setup_teardown(f, world_listening, world_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_order_of_starting_does_not_matter, world_setup, world_teardown),
        HOSTILE_TEST(an_unknown_key_stays_outside),
        HOSTILE_TEST(a_wrong_server_key_connects_nobody),
        HOSTILE_TEST(a_key_revoked_while_connected_is_heard_no_more),
        HOSTILE_TEST(mail_cannot_be_stolen),
        HOSTILE_TEST(another_key_is_another_peer),
        HOSTILE_TEST(a_multipart_bomb_is_drained_and_counted),
        HOSTILE_TEST(strikes_end_in_deafness),
        HOSTILE_TEST(what_is_too_large_does_not_arrive),
        HOSTILE_TEST(a_peer_that_does_not_read_never_blocks_us),
        HOSTILE_TEST(a_client_defends_itself_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
