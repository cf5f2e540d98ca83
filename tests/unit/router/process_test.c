/* A real keng-router between scripted publishers and sinks: what it promises, seen from outside. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/hex.h"
#include "store/audit.h"
#include "tests/peer/peer.h"

enum { SOON_MS = 20000, QUIET_MS = 300 };

typedef struct scene {
    peer_world *world;
    peer_publisher *publisher;
    peer_sink *sink;
} scene;

static scene open_scene(const peer_setup *setup)
{
    scene s = {.world = peer_world_new(setup)};
    peer_router_start(s.world, NULL);
    s.publisher = peer_publisher_new(s.world);
    return s;
}

/* Every scene ends with an orderly stop: exit 0, and with sanitizers nothing leaked. */
static void close_scene(scene *s)
{
    if (peer_router_alive(s->world)) {
        const int status = peer_router_end(s->world, SIGTERM);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            fail_msg("the router ended with status %d; see KENG_KEEP=1 and its log", status);
        }
    }
    peer_sink_free(&s->sink);
    peer_publisher_free(&s->publisher);
    peer_world_free(&s->world);
}

static const peer_who health[] = {PEER_HEALTH};

static peer_alert *make(scene *s, const peer_spec *spec, const peer_who *who, size_t count)
{
    peer_alert *a = calloc(1, sizeof *a);
    assert_non_null(a);
    peer_alert_new(s->world, spec, who, count, a);
    return a;
}

static void drop(peer_alert *a)
{
    peer_alert_done(a);
    free(a);
}

/* An Update or Cancel of one alert. */
static peer_alert *ending_of(scene *s, const peer_alert *of, cap_msg_type type, const char *area)
{
    const peer_spec spec = {
        .class = CLASS_URGENT, .msg_type = type, .references = &of->ref, .reference_count = 1, .area = area};
    return make(s, &spec, health, 1);
}

/* ---- what is waited for ---- */

typedef struct goal {
    scene *s;
    alert_id id;
    dlv_state state;
    int count;
} goal;

static bool reached(void *ctx)
{
    const goal *g = ctx;
    return peer_progress(g->s->publisher, g->id, g->state, NULL) == g->count;
}

static void want_progress(scene *s, alert_id id, dlv_state state, int count)
{
    goal g = {s, id, state, count};
    peer_follow(s->publisher, id);
    if (!peer_until(s->world, reached, &g, SOON_MS)) {
        fail_msg("%d deliveries %s wanted, %d seen", count, dlv_state_text(state),
                 peer_progress(s->publisher, id, state, NULL));
    }
}

typedef struct orders_goal {
    const peer_sink *sink;
    size_t count;
} orders_goal;

static bool orders_reached(void *ctx)
{
    const orders_goal *g = ctx;
    return peer_order_count(g->sink) >= g->count;
}

static void want_orders(scene *s, const peer_sink *sink, size_t count)
{
    orders_goal g = {sink, count};
    if (!peer_until(s->world, orders_reached, &g, SOON_MS)) {
        fail_msg("%zu orders wanted, %zu came", count, peer_order_count(sink));
    }
}

static void want_verdict(const peer_verdict *v, const char *label, wire_outcome outcome, const char *code)
{
    if (v->outcome != outcome || strcmp(v->code, code) != 0) {
        fail_msg("%s: outcome %d code %s: %s", label, (int)v->outcome, v->code, v->sentence);
    }
}

static size_t orders_of(const peer_sink *s, alert_id id)
{
    size_t n = 0;
    for (size_t i = 0; i < peer_order_count(s); i++) {
        n += alert_id_same(peer_order_at(s, i)->id, id) ? 1 : 0;
    }
    return n;
}

/* The chain as keng audit verify checks it: computed here. The number of rows with this action. */
static size_t audit_rows(scene *s, const char *action)
{
    control_answer a = {0};
    audit_checker checker;
    size_t found = 0;
    audit_check_start(&checker);
    peer_ask(s->world, "audit", NULL, 0, &a);
    assert_true(a.row_count > 0);
    for (size_t i = 0; i < a.row_count; i++) {
        const char *const *cells = a.rows[i].cells.items;
        audit_row row = {.n = strtoull(cells[0], NULL, 10),
                         .time_ms = strtoll(cells[1], NULL, 10),
                         .actor = cells[2],
                         .action = cells[3],
                         .object = cells[4],
                         .detail = cells[5]};
        kg_diag diag = {0};
        assert_true(kg_hex_read(cells[6], row.chain.b, sizeof row.chain.b));
        if (!audit_check(&checker, &row, &diag)) {
            fail_msg("%s", diag.text);
        }
        found += strcmp(cells[3], action) == 0 ? 1 : 0;
    }
    control_answer_done(&a);
    return found;
}

/* How many targets of the alert the ledger shows in this state. */
static size_t ledger_rows(scene *s, const peer_alert *of, const char *state)
{
    char id[ALERT_ID_TEXT];
    alert_id_text(of->id, id);
    const char *arguments[] = {id};
    control_answer a = {0};
    size_t n = 0;
    peer_ask(s->world, "ledger", arguments, 1, &a);
    for (size_t i = 0; i < a.row_count; i++) {
        n += strcmp(a.rows[i].cells.items[2], state) == 0 ? 1 : 0;
    }
    control_answer_done(&a);
    return n;
}

static const char *act(scene *s, const char *verb, const peer_alert *of, const char *why)
{
    static const char *const results[] = {"ok", "notfound", "denied", "other"};
    char id[ALERT_ID_TEXT];
    alert_id_text(of->id, id);
    const char *arguments[] = {id, why};
    control_answer a = {0};
    peer_ask(s->world, verb, arguments, 2, &a);
    size_t at = 0;
    while (at < 3 && strcmp(results[at], a.error) != 0) {
        at++;
    }
    control_answer_done(&a);
    return results[at];
}

/* ---- the tests ---- */

static void test_from_submit_to_done(void **state)
{
    (void)state;
    scene s = open_scene(&(peer_setup){.stations = 4});
    s.sink = peer_sink_new(s.world, &(peer_sink_setup){.count = 4, .hold = true, .finish = true});
    peer_alert *a = make(&s, &(peer_spec){.class = CLASS_URGENT}, health, 1);
    const peer_verdict *v = peer_submit_wait(s.publisher, a);
    want_verdict(v, "accepted", WIRE_ACCEPTED, "ok");
    assert_int_equal(v->targets, 4);
    assert_int_equal(v->position, 1);
    assert_true(alert_id_same(v->id, a->id));
    want_progress(&s, a->id, DLV_DONE, 4);
    assert_int_equal(peer_order_count(s.sink), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(peer_order_at(s.sink, i)->lane, LANE_URGENT);
        assert_int_equal(peer_order_at(s.sink, i)->again, 0);
    }
    assert_int_equal(ledger_rows(&s, a, "done"), 4);
    assert_int_equal(audit_rows(&s, "alert.accepted"), 1);
    drop(a);
    close_scene(&s);
}

static void test_duplicate_and_conflict(void **state)
{
    (void)state;
    scene s = open_scene(&(peer_setup){.stations = 3});
    const int64_t sent = kg_clock_wall_ms();
    peer_alert *a = make(&s, &(peer_spec){.identifier = "so-1", .sent_ms = sent}, health, 1);
    peer_alert *other = make(&s, &(peer_spec){.identifier = "so-1", .sent_ms = sent, .extra_bytes = 1}, health, 1);
    want_verdict(peer_submit_wait(s.publisher, a), "first", WIRE_ACCEPTED, "ok");
    for (int i = 0; i < 2; i++) {
        const peer_verdict *v = peer_submit_wait(s.publisher, a);
        want_verdict(v, "again", WIRE_DUPLICATE, "ok");
        assert_int_equal(v->position, 1);
        assert_int_equal(v->targets, 3);
        want_verdict(peer_submit_wait(s.publisher, other), "other bytes", WIRE_REFUSED_FOR_GOOD, "conflict");
    }
    (void)peer_router_end(s.world, SIGKILL);
    peer_router_start(s.world, NULL);
    want_verdict(peer_submit_wait(s.publisher, a), "after a restart", WIRE_DUPLICATE, "ok");
    assert_int_equal(audit_rows(&s, "alert.refused"), 2);
    assert_int_equal(audit_rows(&s, "alert.accepted"), 1);
    drop(a);
    drop(other);
    close_scene(&s);
}

static void test_refusals(void **state)
{
    (void)state;
    scene s = open_scene(&(peer_setup){.stations = 2});
    static const struct {
        const char *label, *code;
        peer_spec spec;
        peer_who who;
    } rows[] = {
        {"nobody knows the key", "unknown-key", {.class = CLASS_URGENT}, PEER_STRANGER},
        {"a router's own key", "wrong-agency", {.class = CLASS_URGENT}, PEER_ROUTER_SIGN},
        {"revoked", "revoked-key", {.class = CLASS_URGENT}, PEER_REVOKED},
        {"a drill key for a real one", "wrong-status", {.class = CLASS_URGENT}, PEER_DRILL},
        {"a real key for a drill", "wrong-status", {.status = CAP_EXERCISE}, PEER_HEALTH},
        {"another agency", "wrong-agency", {.agency = "cong-an-tinh"}, PEER_HEALTH},
        {"another sector", "wrong-sector", {.sector = "security"}, PEER_HEALTH},
        {"above its class",
         "wrong-class",
         {.agency = "ubnd-28756", .area = "28756", .class = CLASS_URGENT},
         PEER_COMMUNE},
        {"next door", "wrong-area", {.agency = "ubnd-28756", .area = "28777"}, PEER_COMMUNE},
        {"no such commune", "unknown-commune", {.area = "99999"}, PEER_HEALTH},
        {"too late", "expired", {.ttl_ms = -1000}, PEER_HEALTH},
        {"cancels nothing", "nothing-to-end", {.msg_type = CAP_CANCEL}, PEER_HEALTH},
    };
    const size_t n = sizeof rows / sizeof rows[0];
    for (size_t i = 0; i < n; i++) {
        peer_alert *a = make(&s, &rows[i].spec, &rows[i].who, 1);
        const peer_verdict *v = peer_submit_wait(s.publisher, a);
        want_verdict(v, rows[i].label, WIRE_REFUSED_FOR_GOOD, rows[i].code);
        assert_true(strlen(v->sentence) > 20);
        drop(a);
    }
    /* One altered byte of a valid alert; and no alert at all. */
    peer_alert *a = make(&s, &(peer_spec){.class = CLASS_URGENT}, health, 1);
    a->bytes.s[a->bytes.len / 2] ^= 1;
    a->hash = alert_hash_of(a->bytes.s, a->bytes.len);
    want_verdict(peer_submit_wait(s.publisher, a), "altered", WIRE_REFUSED_FOR_GOOD, "bad-signature");
    drop(a);
    peer_alert rubbish = {0};
    assert_int_equal(kg_buf_puts(&rubbish.bytes, "<alert/>"), KG_OK);
    rubbish.hash = alert_hash_of(rubbish.bytes.s, rubbish.bytes.len);
    want_verdict(peer_submit_wait(s.publisher, &rubbish), "rubbish", WIRE_REFUSED_FOR_GOOD, "bad-form");
    peer_alert_done(&rubbish);
    assert_int_equal(audit_rows(&s, "alert.refused"), n + 2);
    assert_int_equal(peer_status(s.world, "accepted"), 0);
    assert_int_equal(peer_status(s.world, "queued"), 0);
    close_scene(&s);
}

static void test_held_and_released(void **state)
{
    (void)state;
    scene s = open_scene(&(peer_setup){.stations = 2});
    s.sink = peer_sink_new(s.world, &(peer_sink_setup){.count = 2, .hold = true, .finish = true});
    peer_alert *a = make(&s, &(peer_spec){.class = CLASS_URGENT, .hold = "unusual area"}, health, 1);
    peer_alert *b = make(&s, &(peer_spec){.hold = "unusual area"}, health, 1);
    const peer_verdict *v = peer_submit_wait(s.publisher, a);
    assert_int_equal(v->outcome, WIRE_HELD_FOR_PERSON);
    assert_int_equal(v->targets, 0);
    assert_int_equal(peer_submit_wait(s.publisher, b)->outcome, WIRE_HELD_FOR_PERSON);
    assert_int_equal(peer_submit_wait(s.publisher, a)->outcome, WIRE_HELD_FOR_PERSON);
    (void)peer_router_end(s.world, SIGTERM); /* held alerts wait durably */
    peer_router_start(s.world, NULL);
    control_answer list = {0};
    peer_ask(s.world, "held list", NULL, 0, &list);
    assert_int_equal(list.row_count, 2);
    control_answer_done(&list);
    (void)peer_until(s.world, NULL, NULL, QUIET_MS);
    assert_int_equal(peer_order_count(s.sink), 0);

    assert_string_equal(act(&s, "held release", a, ""), "other"); /* a reason is needed */
    assert_string_equal(act(&s, "held release", a, "trực ban đã xem"), "ok");
    want_progress(&s, a->id, DLV_DONE, 2);
    assert_string_equal(act(&s, "held release", a, "một lần nữa"), "notfound");
    v = peer_submit_wait(s.publisher, a);
    want_verdict(v, "released", WIRE_DUPLICATE, "ok");
    assert_int_equal(v->targets, 2);

    assert_string_equal(act(&s, "held refuse", b, "sai địa bàn"), "ok");
    want_verdict(peer_submit_wait(s.publisher, b), "refused", WIRE_REFUSED_FOR_GOOD, "withdrawn");
    (void)peer_until(s.world, NULL, NULL, QUIET_MS);
    assert_int_equal(peer_order_count(s.sink), 2);
    assert_int_equal(audit_rows(&s, "held.released"), 1);
    assert_int_equal(audit_rows(&s, "held.refused"), 1);
    drop(a);
    drop(b);
    close_scene(&s);
}

static void test_second_signature(void **state)
{
    (void)state;
    static const peer_who second[] = {PEER_HEALTH_2};
    static const peer_who both[] = {PEER_HEALTH, PEER_HEALTH_2};
    scene s = open_scene(&(peer_setup){.stations = 2, .two_signatures = true});
    const int64_t sent = kg_clock_wall_ms();
    const peer_spec spec = {.class = CLASS_URGENT, .identifier = "rong", .sent_ms = sent};
    /* The same payload: its end must be the same to the millisecond, so it is signed from one making. */
    peer_alert *a = make(&s, &spec, health, 1);
    peer_alert *one_more =
        make(&s, &(peer_spec){.class = CLASS_URGENT, .identifier = "hep", .area = "28756"}, health, 1);
    peer_alert *joined = make(&s, &spec, both, 2);
    peer_alert *other = make(&s, &spec, second, 1);
    const peer_verdict *v = peer_submit_wait(s.publisher, a);
    want_verdict(v, "one person for a province", WIRE_HELD_FOR_PERSON, "needs-signature");
    v = peer_submit_wait(s.publisher, one_more);
    want_verdict(v, "one person for one commune", WIRE_ACCEPTED, "ok");
    v = peer_submit_wait(s.publisher, other);
    want_verdict(v, "the second person", WIRE_DUPLICATE, "ok");
    assert_int_equal(v->targets, 2);
    want_verdict(peer_submit_wait(s.publisher, a), "the first again", WIRE_DUPLICATE, "ok");
    want_verdict(peer_submit_wait(s.publisher, joined), "both at once", WIRE_DUPLICATE, "ok");
    assert_int_equal(audit_rows(&s, "alert.signed-again"), 1);
    drop(a);
    drop(one_more);
    drop(joined);
    drop(other);
    close_scene(&s);
}

static void test_cancel_recalls(void **state)
{
    (void)state;
    scene s = open_scene(&(peer_setup){.stations = 4});
    s.sink = peer_sink_new(s.world, &(peer_sink_setup){.count = 2, .hold = true}); /* stations 2 and 3 are silent */
    peer_alert *a = make(&s, &(peer_spec){.class = CLASS_URGENT}, health, 1);
    want_verdict(peer_submit_wait(s.publisher, a), "alert", WIRE_ACCEPTED, "ok");
    want_progress(&s, a->id, DLV_HELD, 2);
    peer_alert *c = ending_of(&s, a, CAP_CANCEL, NULL);
    const peer_verdict *v = peer_submit_wait(s.publisher, c);
    want_verdict(v, "cancel", WIRE_ACCEPTED, "ok");
    assert_int_equal(v->targets, 2); /* exactly those that got the alert */
    want_progress(&s, a->id, DLV_CANCELLED, 4);
    want_progress(&s, c->id, DLV_HELD, 2);
    for (size_t i = 0; i < peer_order_count(s.sink); i++) {
        const peer_order *o = peer_order_at(s.sink, i);
        assert_int_equal(o->recalls, alert_id_same(o->id, a->id) ? 1 : 0);
        assert_true(o->station < 2);
    }
    /* The late sink of the other two hears nothing of either. */
    peer_sink *late = peer_sink_new(s.world, &(peer_sink_setup){.first = 2, .count = 2, .hold = true});
    (void)peer_until(s.world, NULL, NULL, QUIET_MS);
    assert_int_equal(peer_order_count(late), 0);
    peer_sink_free(&late);
    drop(a);
    drop(c);
    close_scene(&s);
}

static void test_update_reaches_who_got_the_wrong_one(void **state)
{
    (void)state;
    scene s = open_scene(&(peer_setup){.stations = 4});
    s.sink = peer_sink_new(s.world, &(peer_sink_setup){.count = 4, .hold = true, .finish = true});
    const peer_spec one_commune = {.class = CLASS_URGENT, .area = peer_commune(s.world, 0)};
    peer_alert *a = make(&s, &one_commune, health, 1);
    want_verdict(peer_submit_wait(s.publisher, a), "alert", WIRE_ACCEPTED, "ok");
    want_progress(&s, a->id, DLV_DONE, 1);
    peer_alert *u = ending_of(&s, a, CAP_UPDATE, peer_commune(s.world, 1));
    const peer_verdict *v = peer_submit_wait(s.publisher, u);
    want_verdict(v, "update", WIRE_ACCEPTED, "ok");
    assert_int_equal(v->targets, 2); /* its own commune, and the one that was told before */
    want_progress(&s, u->id, DLV_DONE, 2);
    assert_int_equal(orders_of(s.sink, u->id), 2);
    assert_int_equal(peer_order_at(s.sink, 0)->recalls, 1); /* it may be repeating */
    drop(a);
    drop(u);
    close_scene(&s);
}

static void test_cancel_before_alert(void **state)
{
    (void)state;
    scene s = open_scene(&(peer_setup){.stations = 2});
    s.sink = peer_sink_new(s.world, &(peer_sink_setup){.count = 2, .hold = true});
    peer_alert *a = make(&s, &(peer_spec){.class = CLASS_URGENT}, health, 1);
    peer_alert *c = ending_of(&s, a, CAP_CANCEL, NULL);
    const peer_verdict *v = peer_submit_wait(s.publisher, c);
    want_verdict(v, "cancel first", WIRE_ACCEPTED, "ok");
    assert_int_equal(v->targets, 0);
    (void)peer_router_end(s.world, SIGKILL);
    peer_router_start(s.world, NULL);
    v = peer_submit_wait(s.publisher, a);
    want_verdict(v, "the alert after it", WIRE_ACCEPTED, "ok");
    assert_int_equal(v->targets, 0);
    (void)peer_until(s.world, NULL, NULL, QUIET_MS);
    assert_int_equal(peer_order_count(s.sink), 0);
    drop(a);
    drop(c);
    close_scene(&s);
}

static void test_foreign_cancel_is_held(void **state)
{
    (void)state;
    static const peer_who police[] = {PEER_POLICE};
    scene s = open_scene(&(peer_setup){.stations = 2});
    s.sink = peer_sink_new(s.world, &(peer_sink_setup){.count = 2, .hold = true});
    peer_alert *a = make(&s, &(peer_spec){.class = CLASS_URGENT}, health, 1);
    want_verdict(peer_submit_wait(s.publisher, a), "alert", WIRE_ACCEPTED, "ok");
    want_progress(&s, a->id, DLV_HELD, 2);
    /* The police sign a cancel under the health department's own sender name. */
    const peer_spec foreign = {.class = CLASS_URGENT,
                               .msg_type = CAP_CANCEL,
                               .agency = "cong-an-tinh",
                               .sector = "security",
                               .references = &a->ref,
                               .reference_count = 1};
    peer_alert *c = make(&s, &foreign, police, 1);
    want_verdict(peer_submit_wait(s.publisher, c), "foreign", WIRE_HELD_FOR_PERSON, "foreign-reference");
    (void)peer_until(s.world, NULL, NULL, QUIET_MS);
    assert_int_equal(ledger_rows(&s, a, "held"), 2);
    assert_int_equal(peer_recall_count(s.sink), 0);
    assert_string_equal(act(&s, "held release", c, "hai bên đã thống nhất"), "ok");
    want_progress(&s, a->id, DLV_CANCELLED, 2);
    drop(a);
    drop(c);
    close_scene(&s);
}

static void test_restart_with_queued(void **state)
{
    (void)state;
    enum { ALERTS = 5, STATIONS = 30 };
    scene s = open_scene(&(peer_setup){.stations = STATIONS});
    peer_alert *alerts[ALERTS];
    for (size_t i = 0; i < ALERTS; i++) {
        const bulletin_class class = i % 2 == 0 ? CLASS_URGENT : CLASS_ROUTINE;
        alerts[i] = make(&s, &(peer_spec){.class = class}, health, 1);
        want_verdict(peer_submit_wait(s.publisher, alerts[i]), "accepted", WIRE_ACCEPTED, "ok");
    }
    (void)peer_router_end(s.world, SIGKILL);
    peer_router_start(s.world, NULL);
    assert_int_equal(peer_status(s.world, "queued"), ALERTS * STATIONS);
    s.sink = peer_sink_new(s.world, &(peer_sink_setup){.count = STATIONS, .hold = true, .finish = true});
    want_orders(&s, s.sink, (size_t)ALERTS * STATIONS);
    for (size_t i = 0; i < ALERTS; i++) {
        want_progress(&s, alerts[i]->id, DLV_DONE, STATIONS);
        assert_int_equal(orders_of(s.sink, alerts[i]->id), STATIONS);
        drop(alerts[i]);
    }
    close_scene(&s);
}

static void test_sink_lost_before_held(void **state)
{
    (void)state;
    scene s = open_scene(&(peer_setup){.stations = 3});
    s.sink = peer_sink_new(s.world, &(peer_sink_setup){.count = 3}); /* takes orders and says nothing */
    peer_alert *a = make(&s, &(peer_spec){.class = CLASS_URGENT}, health, 1);
    want_verdict(peer_submit_wait(s.publisher, a), "accepted", WIRE_ACCEPTED, "ok");
    want_orders(&s, s.sink, 3);
    peer_sink_disconnect(s.sink);
    (void)peer_until(s.world, NULL, NULL, QUIET_MS);
    peer_sink *next = peer_sink_new(s.world, &(peer_sink_setup){.count = 3, .hold = true, .finish = true});
    want_orders(&s, next, 3);
    want_progress(&s, a->id, DLV_DONE, 3);
    peer_sink_free(&next);
    drop(a);
    close_scene(&s);
}

/* Receipts of a sink that was cut off count when it returns; the router asks for nothing twice. */
static void test_receipts_after_restart(void **state)
{
    (void)state;
    scene s = open_scene(&(peer_setup){.stations = 3});
    s.sink = peer_sink_new(s.world, &(peer_sink_setup){.count = 3, .hold = true});
    peer_alert *a = make(&s, &(peer_spec){.class = CLASS_URGENT}, health, 1);
    want_verdict(peer_submit_wait(s.publisher, a), "accepted", WIRE_ACCEPTED, "ok");
    want_progress(&s, a->id, DLV_HELD, 3);
    (void)peer_router_end(s.world, SIGKILL);
    peer_sink_say_all(s.sink, DLV_DONE); /* while nobody listens */
    peer_router_start(s.world, NULL);
    want_progress(&s, a->id, DLV_DONE, 3);
    assert_int_equal(peer_order_count(s.sink), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(peer_order_at(s.sink, i)->again, 0);
    }
    drop(a);
    close_scene(&s);
}

static bool nothing_unkept(void *ctx)
{
    return peer_sink_unkept(ctx) == 0;
}

static void test_impostor_and_strange_receipts(void **state)
{
    (void)state;
    scene s = open_scene(&(peer_setup){.stations = 12});
    s.sink = peer_sink_new(s.world, &(peer_sink_setup){.count = 12});
    /* The second sink may serve st-0000*: stations 0 to 9 of the twelve. */
    peer_sink *second = peer_sink_new(s.world, &(peer_sink_setup){.first = 8, .count = 4, .second_key = true});
    assert_int_equal(peer_sink_refused(second), 4); /* stations 10 and 11, on both lanes */
    peer_sink_free(&second);
    (void)peer_until(s.world, NULL, NULL, QUIET_MS);
    assert_int_equal(peer_status(s.world, "strange-receipts"), 0);
    close_scene(&s);
}

static bool urgent_there(void *ctx)
{
    const peer_sink *s = ctx;
    const size_t n = peer_order_count(s);
    return n > 0 && peer_order_at(s, n - 1)->lane == LANE_URGENT;
}

static void test_urgent_overtakes(void **state)
{
    (void)state;
    enum { ROUTINE = 10000, CREDIT = 8 };
    scene s = open_scene(&(peer_setup){.stations = 1});
    for (size_t i = 0; i < ROUTINE; i++) {
        peer_alert *a = make(&s, &(peer_spec){.class = CLASS_ROUTINE}, health, 1);
        peer_submit(s.publisher, a);
        drop(a);
        if (i % 64 == 63) {
            (void)peer_until(s.world, NULL, NULL, 1);
        }
    }
    while (peer_verdict_count(s.publisher) < ROUTINE) {
        (void)peer_until(s.world, NULL, NULL, 20);
    }
    assert_int_equal(peer_status(s.world, "queued"), ROUTINE);
    s.sink = peer_sink_new(s.world, &(peer_sink_setup){.count = 1, .credit = CREDIT}); /* takes eight, says nothing */
    want_orders(&s, s.sink, CREDIT);
    peer_alert *u = make(&s, &(peer_spec){.class = CLASS_URGENT}, health, 1);
    const int64_t before = peer_now_us();
    peer_submit(s.publisher, u);
    assert_true(peer_until(s.world, urgent_there, s.sink, SOON_MS));
    const int64_t took_us = peer_order_at(s.sink, peer_order_count(s.sink) - 1)->at_us - before;
    print_message("urgent past %d routine deliveries: %lld us\n", ROUTINE, (long long)took_us);
    assert_int_equal(peer_order_count(s.sink), CREDIT + 1);
    assert_true(took_us < 1000000);
    drop(u);
    close_scene(&s);
}

static void test_large_alert_in_pieces(void **state)
{
    (void)state;
    scene s = open_scene(&(peer_setup){.stations = 2});
    s.sink = peer_sink_new(s.world, &(peer_sink_setup){.count = 2, .hold = true});
    peer_alert *a = make(&s, &(peer_spec){.class = CLASS_URGENT, .extra_bytes = (size_t)300 * 1024}, health, 1);
    assert_true(a->bytes.len > (size_t)5 * WIRE_PIECE_MAX);
    want_verdict(peer_submit_wait(s.publisher, a), "in pieces", WIRE_ACCEPTED, "ok");
    want_progress(&s, a->id, DLV_HELD, 2);
    drop(a);
    close_scene(&s);
}

static void test_manifest_reload(void **state)
{
    (void)state;
    scene s = open_scene(&(peer_setup){.stations = 1});
    peer_manifest(s.world, 3, PEER_HEALTH);
    peer_router_signal(s.world, SIGHUP);
    while (peer_router_log_count(s.world, "manifest.loaded version=3") == 0) {
        (void)peer_until(s.world, NULL, NULL, 10);
    }
    peer_alert *a = make(&s, &(peer_spec){.class = CLASS_URGENT}, health, 1);
    want_verdict(peer_submit_wait(s.publisher, a), "revoked just now", WIRE_REFUSED_FOR_GOOD, "revoked-key");
    peer_manifest(s.world, 2, PEER_WHO_COUNT); /* the thief's wish: the manifest before the revocation */
    peer_router_signal(s.world, SIGHUP);
    while (peer_router_log_count(s.world, "manifest.refused") == 0) {
        (void)peer_until(s.world, NULL, NULL, 10);
    }
    want_verdict(peer_submit_wait(s.publisher, a), "still revoked", WIRE_REFUSED_FOR_GOOD, "revoked-key");
    drop(a);
    close_scene(&s);
}

/* The disk is full at a commit: nothing is acknowledged that is not there, and what is urgent is taken at once. */
static void test_disk_full(void **state)
{
    (void)state;
    scene s = {.world = peer_world_new(&(peer_setup){.stations = 2})};
    peer_router_start(s.world, "router.commit_full:3:fail");
    s.publisher = peer_publisher_new(s.world);
    peer_alert *first = make(&s, &(peer_spec){.class = CLASS_ROUTINE}, health, 1);
    peer_alert *full = make(&s, &(peer_spec){.class = CLASS_ROUTINE}, health, 1);
    want_verdict(peer_submit_wait(s.publisher, first), "room", WIRE_ACCEPTED, "ok");
    want_verdict(peer_submit_wait(s.publisher, full), "no room", WIRE_TRY_LATER, "try-later");
    peer_alert *urgent = make(&s, &(peer_spec){.class = CLASS_URGENT}, health, 1);
    want_verdict(peer_submit_wait(s.publisher, urgent), "urgent", WIRE_ACCEPTED, "ok");
    bool taken = false; /* room is made again when the router is idle */
    for (int i = 0; i < 100 && !taken; i++) {
        taken = peer_submit_wait(s.publisher, full)->outcome == WIRE_ACCEPTED;
        (void)peer_until(s.world, NULL, NULL, 100);
    }
    assert_true(taken);
    assert_int_equal(audit_rows(&s, "alert.accepted"), 3);
    s.sink = peer_sink_new(s.world, &(peer_sink_setup){.count = 2, .hold = true, .finish = true});
    want_orders(&s, s.sink, 6);
    drop(first);
    drop(full);
    drop(urgent);
    close_scene(&s);
}

/* Killed at each boundary in turn: no accepted alert is lost, none is delivered to a station twice unasked. */
static void test_killed_at_every_point(void **state)
{
    (void)state;
    static const char *const points[] = {
        "router.accepting:1",      "router.before_commit:3", "router.after_commit:3",  "router.before_answer:1",
        "router.after_answer:1",   "router.before_order:1",  "router.after_order:1",   "router.receipts:1",
        "router.before_kept:1",    "router.after_kept:1",    "router.before_commit:4", "router.after_commit:4",
        "journal.before_commit:4", "journal.after_commit:4",
    };
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        scene s = {.world = peer_world_new(&(peer_setup){.stations = 3})};
        peer_router_start(s.world, points[i]);
        s.publisher = peer_publisher_new(s.world);
        s.sink = peer_sink_new(s.world, &(peer_sink_setup){.count = 3, .hold = true, .finish = true});
        peer_alert *a = make(&s, &(peer_spec){.class = CLASS_URGENT}, health, 1);
        peer_submit(s.publisher, a);
        const int status = peer_router_wait(s.world, SOON_MS);
        if (status == -1 || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
            fail_msg("%s: the router was not killed there, status %d", points[i], status);
        }
        peer_router_start(s.world, NULL);
        const peer_verdict *v = peer_submit_wait(s.publisher, a); /* as its outbox would */
        if (v->outcome != WIRE_ACCEPTED && v->outcome != WIRE_DUPLICATE) {
            fail_msg("%s: %s", points[i], v->code);
        }
        want_progress(&s, a->id, DLV_DONE, 3);
        if (peer_order_count(s.sink) != 3 || ledger_rows(&s, a, "done") != 3) {
            fail_msg("%s: %zu orders", points[i], peer_order_count(s.sink));
        }
        assert_true(peer_until(s.world, nothing_unkept, s.sink, SOON_MS));
        assert_int_equal(audit_rows(&s, "alert.accepted"), 1);
        drop(a);
        close_scene(&s);
    }
}

/* A warning nobody could be given in time is not given late. */
static void test_expiry(void **state)
{
    (void)state;
    scene s = open_scene(&(peer_setup){.stations = 3});
    s.sink = peer_sink_new(s.world, &(peer_sink_setup){.count = 1, .hold = true});
    peer_alert *a = make(&s, &(peer_spec){.class = CLASS_URGENT, .ttl_ms = 1500}, health, 1);
    peer_alert *held = make(&s, &(peer_spec){.ttl_ms = 1500, .hold = "unusual"}, health, 1);
    want_verdict(peer_submit_wait(s.publisher, a), "accepted", WIRE_ACCEPTED, "ok");
    assert_int_equal(peer_submit_wait(s.publisher, held)->outcome, WIRE_HELD_FOR_PERSON);
    want_progress(&s, a->id, DLV_EXPIRED, 2);
    want_progress(&s, a->id, DLV_CANCELLED, 1); /* the sink held it, was told to stop, and did */
    (void)peer_until(s.world, NULL, NULL, QUIET_MS);
    assert_string_equal(act(&s, "held release", held, "quá muộn"), "notfound");
    want_verdict(peer_submit_wait(s.publisher, a), "again, after its end", WIRE_DUPLICATE, "ok");
    peer_sink *late = peer_sink_new(s.world, &(peer_sink_setup){.first = 1, .count = 2, .hold = true});
    (void)peer_until(s.world, NULL, NULL, QUIET_MS);
    assert_int_equal(peer_order_count(late), 0);
    assert_int_equal(audit_rows(&s, "held.expired"), 1);
    peer_sink_free(&late);
    drop(a);
    drop(held);
    close_scene(&s);
}

/* Killed while an alert's end is on its way: it ends all the same, and its correction reaches who got it. */
static void test_killed_while_recalling(void **state)
{
    (void)state;
    static const char *const points[] = {"router.before_recall:1", "router.after_recall:1", "router.accepting:2"};
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        scene s = {.world = peer_world_new(&(peer_setup){.stations = 3})};
        peer_router_start(s.world, points[i]);
        s.publisher = peer_publisher_new(s.world);
        s.sink = peer_sink_new(s.world, &(peer_sink_setup){.count = 3, .hold = true});
        peer_alert *a = make(&s, &(peer_spec){.class = CLASS_URGENT}, health, 1);
        want_verdict(peer_submit_wait(s.publisher, a), "alert", WIRE_ACCEPTED, "ok");
        want_progress(&s, a->id, DLV_HELD, 3);
        peer_alert *c = ending_of(&s, a, CAP_CANCEL, NULL);
        peer_submit(s.publisher, c);
        if (peer_router_wait(s.world, SOON_MS) == -1) {
            fail_msg("%s: not reached", points[i]);
        }
        peer_router_start(s.world, NULL);
        const peer_verdict *v = peer_submit_wait(s.publisher, c);
        if ((v->outcome != WIRE_ACCEPTED && v->outcome != WIRE_DUPLICATE) || v->targets != 3) {
            fail_msg("%s: %s, %u targets", points[i], v->code, v->targets);
        }
        want_progress(&s, a->id, DLV_CANCELLED, 3);
        want_progress(&s, c->id, DLV_HELD, 3);
        assert_int_equal(orders_of(s.sink, a->id), 3);
        drop(a);
        drop(c);
        close_scene(&s);
    }
}

/* reliability.md, invariant 11: after a failed write nothing is acknowledged by this process again, and it ends. */
static void test_io_error(void **state)
{
    (void)state;
    scene s = {.world = peer_world_new(&(peer_setup){.stations = 2})};
    peer_router_start(s.world, "db.commit_io:2:fail");
    s.publisher = peer_publisher_new(s.world);
    peer_alert *a = make(&s, &(peer_spec){.class = CLASS_URGENT}, health, 1);
    peer_submit(s.publisher, a);
    const int status = peer_router_wait(s.world, SOON_MS);
    assert_true(status != -1 && WIFEXITED(status) && WEXITSTATUS(status) != 0);
    assert_int_equal(peer_verdict_count(s.publisher), 0);
    peer_router_start(s.world, NULL);
    want_verdict(peer_submit_wait(s.publisher, a), "by the next process", WIRE_ACCEPTED, "ok");
    drop(a);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_submit_to_done),
        cmocka_unit_test(test_duplicate_and_conflict),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_held_and_released),
        cmocka_unit_test(test_second_signature),
        cmocka_unit_test(test_cancel_recalls),
        cmocka_unit_test(test_update_reaches_who_got_the_wrong_one),
        cmocka_unit_test(test_cancel_before_alert),
        cmocka_unit_test(test_foreign_cancel_is_held),
        cmocka_unit_test(test_restart_with_queued),
        cmocka_unit_test(test_sink_lost_before_held),
        cmocka_unit_test(test_receipts_after_restart),
        cmocka_unit_test(test_impostor_and_strange_receipts),
        cmocka_unit_test(test_urgent_overtakes),
        cmocka_unit_test(test_large_alert_in_pieces),
        cmocka_unit_test(test_manifest_reload),
        cmocka_unit_test(test_disk_full),
        cmocka_unit_test(test_killed_at_every_point),
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_killed_while_recalling),
        cmocka_unit_test(test_io_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
