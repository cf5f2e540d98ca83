/*
 * Lifecycle: every set below is fed in every order, each message once and twice, with and without the clock running in
 * between; the states at the end must be the hand-written ones each time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lifecycle/life.h"

enum { MESSAGES_MAX = 6, REFS_MAX = 3 };

#define T0          INT64_C(1779339600000)
#define AT(minutes) (T0 + INT64_C(60000) * (minutes))
#define NOW         AT(100)
#define FAR         100000 /* minutes */

typedef struct ref {
    const char *identifier; /* NULL: none */
    int sent;               /* minutes; -1: left out */
    const char *sender;     /* NULL: "so"; "": left out */
} ref;

typedef struct message {
    const char *identifier;
    int sent;
    cap_msg_type type;
    ref refs[REFS_MAX];
    const char *sender; /* NULL: "so" */
    life_state want;
    cap_status status;
    int expires; /* minutes; 0: FAR */
    bool forced;
} message;

typedef struct set {
    const char *label;
    message items[MESSAGES_MAX];
} set;

#define NO_REF                                                                                                         \
    {                                                                                                                  \
        .identifier = NULL                                                                                             \
    }
#define REF(name, minute)                                                                                              \
    {                                                                                                                  \
        .identifier = (name), .sent = (minute)                                                                         \
    }
#define REF_BY(name, minute, who)                                                                                      \
    {                                                                                                                  \
        .identifier = (name), .sent = (minute), .sender = (who)                                                        \
    }
#define ALIVE LIFE_ALIVE
#define SUPER LIFE_SUPERSEDED
#define ENDED LIFE_CANCELLED
#define OVER  LIFE_EXPIRED

static const set sets[] = {
    {"an Alert alone", {{"A", 0, CAP_ALERT, {NO_REF}, .want = ALIVE}}},
    {"an Update supersedes",
     {{"A", 0, CAP_ALERT, {NO_REF}, .want = SUPER}, {"U", 1, CAP_UPDATE, {REF("A", 0)}, .want = ALIVE}}},
    {"a Cancel ends",
     {{"A", 0, CAP_ALERT, {NO_REF}, .want = ENDED}, {"C", 1, CAP_CANCEL, {REF("A", 0)}, .want = ALIVE}}},
    {"a chain that names the last only",
     {{"A", 0, CAP_ALERT, {NO_REF}, .want = SUPER},
      {"U", 1, CAP_UPDATE, {REF("A", 0)}, .want = SUPER},
      {"V", 2, CAP_UPDATE, {REF("U", 1)}, .want = SUPER},
      {"W", 3, CAP_UPDATE, {REF("V", 2)}, .want = ALIVE}}},
    {"a chain that names all live ancestors",
     {{"A", 0, CAP_ALERT, {NO_REF}, .want = SUPER},
      {"U", 1, CAP_UPDATE, {REF("A", 0)}, .want = SUPER},
      {"V", 2, CAP_UPDATE, {REF("A", 0), REF("U", 1)}, .want = ALIVE}}},
    {"cancelled Update: what it superseded stays dead",
     {{"A", 0, CAP_ALERT, {NO_REF}, .want = SUPER},
      {"U", 1, CAP_UPDATE, {REF("A", 0)}, .want = ENDED},
      {"C", 2, CAP_CANCEL, {REF("U", 1)}, .want = ALIVE}}},
    {"superseded and cancelled: the Cancel counts",
     {{"A", 0, CAP_ALERT, {NO_REF}, .want = ENDED},
      {"U", 1, CAP_UPDATE, {REF("A", 0)}, .want = ALIVE},
      {"C", 2, CAP_CANCEL, {REF("A", 0)}, .want = ALIVE}}},
    {"several references, all of them",
     {{"A", 0, CAP_ALERT, {NO_REF}, .want = ENDED},
      {"B", 0, CAP_ALERT, {NO_REF}, .want = ENDED},
      {"D", 0, CAP_ALERT, {NO_REF}, .want = ALIVE},
      {"C", 1, CAP_CANCEL, {REF("A", 0), REF("B", 0), REF("unknown", 0)}, .want = ALIVE}}},
    {"an expired Alert is over",
     {{"A", 0, CAP_ALERT, {NO_REF}, .want = OVER, .expires = 50}, {"B", 0, CAP_ALERT, {NO_REF}, .want = ALIVE}}},
    {"an expired Update still supersedes",
     {{"A", 0, CAP_ALERT, {NO_REF}, .want = SUPER}, {"U", 1, CAP_UPDATE, {REF("A", 0)}, .want = OVER, .expires = 50}}},
    {"expired and cancelled is cancelled",
     {{"A", 0, CAP_ALERT, {NO_REF}, .want = ENDED, .expires = 50}, {"C", 1, CAP_CANCEL, {REF("A", 0)}, .want = ALIVE}}},
    {"another sender's Update has no effect",
     {{"A", 0, CAP_ALERT, {NO_REF}, .want = ALIVE},
      {"U", 1, CAP_UPDATE, {REF_BY("A", 0, "so")}, .want = ALIVE, .sender = "other"}}},
    {"nor on its own part, until a person decides",
     {{"A", 0, CAP_ALERT, {NO_REF}, .want = ALIVE},
      {"B", 0, CAP_ALERT, {NO_REF}, .want = ALIVE, .sender = "other"},
      {"U", 1, CAP_UPDATE, {REF_BY("A", 0, "so"), REF_BY("B", 0, "other")}, .want = ALIVE, .sender = "other"}}},
    {"released by a person it has",
     {{"A", 0, CAP_ALERT, {NO_REF}, .want = ENDED},
      {"B", 0, CAP_ALERT, {NO_REF}, .want = ENDED, .sender = "other"},
      {"C",
       1,
       CAP_CANCEL,
       {REF_BY("A", 0, "so"), REF_BY("B", 0, "other")},
       .want = ALIVE,
       .sender = "other",
       .forced = true}}},
    {"an Exercise cannot cancel an Actual",
     {{"A", 0, CAP_ALERT, {NO_REF}, .want = ALIVE},
      {"C", 1, CAP_CANCEL, {REF("A", 0)}, .want = ALIVE, .status = CAP_EXERCISE}}},
    {"not even when released",
     {{"A", 0, CAP_ALERT, {NO_REF}, .want = ALIVE},
      {"C", 1, CAP_CANCEL, {REF("A", 0)}, .want = ALIVE, .status = CAP_EXERCISE, .forced = true}}},
    {"an Exercise its own",
     {{"A", 0, CAP_ALERT, {NO_REF}, .want = ENDED, .status = CAP_EXERCISE},
      {"C", 1, CAP_CANCEL, {REF("A", 0)}, .want = ALIVE, .status = CAP_EXERCISE}}},
    {"a reference to itself", {{"A", 0, CAP_UPDATE, {REF("A", 0)}, .want = ALIVE}}},
    {"a reference to something later",
     {{"A", 5, CAP_ALERT, {NO_REF}, .want = ALIVE}, {"U", 1, CAP_UPDATE, {REF("A", 5)}, .want = ALIVE}}},
    {"a circle over time: only the forward reference is refused",
     {{"U", 1, CAP_UPDATE, {REF("V", 2)}, .want = SUPER}, {"V", 2, CAP_UPDATE, {REF("U", 1)}, .want = ALIVE}}},
    {"a circle within one second ends nobody",
     {{"U", 1, CAP_UPDATE, {REF("V", 1)}, .want = ALIVE},
      {"V", 1, CAP_UPDATE, {REF("W", 1)}, .want = ALIVE},
      {"W", 1, CAP_CANCEL, {REF("U", 1)}, .want = ALIVE}}},
    {"an Update within the Alert's second",
     {{"A", 1, CAP_ALERT, {NO_REF}, .want = SUPER}, {"U", 1, CAP_UPDATE, {REF("A", 1)}, .want = ALIVE}}},
    {"a wrong time still finds the pair",
     {{"A", 0, CAP_ALERT, {NO_REF}, .want = ENDED}, {"C", 9, CAP_CANCEL, {REF("A", 7)}, .want = ALIVE}}},
    {"no time finds the pair",
     {{"A", 0, CAP_ALERT, {NO_REF}, .want = ENDED}, {"C", 9, CAP_CANCEL, {REF("A", -1)}, .want = ALIVE}}},
    {"no sender means its own",
     {{"A", 0, CAP_ALERT, {NO_REF}, .want = ENDED},
      {"A", 1, CAP_ALERT, {NO_REF}, .want = ALIVE, .sender = "other"},
      {"C", 9, CAP_CANCEL, {REF_BY("A", 0, "")}, .want = ALIVE}}},
    {"no sender does not reach another's",
     {{"A", 0, CAP_ALERT, {NO_REF}, .want = ALIVE, .sender = "other"},
      {"C", 9, CAP_CANCEL, {REF_BY("A", -1, "")}, .want = ALIVE}}},
    {"not even when released",
     {{"A", 0, CAP_ALERT, {NO_REF}, .want = ALIVE, .sender = "other"},
      {"C", 9, CAP_CANCEL, {REF_BY("A", -1, "")}, .want = ALIVE, .forced = true}}},
    {"an identifier used twice: the exact one is meant, the other lives",
     {{"A", 0, CAP_ALERT, {NO_REF}, .want = SUPER},
      {"A", 1, CAP_ALERT, {NO_REF}, .want = ALIVE},
      {"U", 9, CAP_UPDATE, {REF("A", 0)}, .want = ALIVE}}},
    {"an Alert does not act on what it names",
     {{"A", 0, CAP_ALERT, {NO_REF}, .want = ALIVE}, {"B", 1, CAP_ALERT, {REF("A", 0)}, .want = ALIVE}}},
    {"an Ack and an Error end nothing",
     {{"A", 0, CAP_ALERT, {NO_REF}, .want = ALIVE},
      {"K", 1, CAP_ACK, {REF("A", 0)}, .want = ALIVE},
      {"E", 1, CAP_ERROR, {REF("A", 0)}, .want = ALIVE}}},
    {"all at once",
     {{"A", 0, CAP_ALERT, {NO_REF}, .want = SUPER, .expires = 50},
      {"B", 0, CAP_ALERT, {NO_REF}, .want = ENDED},
      {"U", 1, CAP_UPDATE, {REF("A", 0)}, .want = ENDED},
      {"C", 2, CAP_CANCEL, {REF("U", 1), REF("B", 0)}, .want = ALIVE},
      {"X", 3, CAP_UPDATE, {REF_BY("B", 0, "so")}, .want = ALIVE, .sender = "other"},
      {"D", 3, CAP_ALERT, {NO_REF}, .want = OVER, .expires = 90}}},
};

static const char *sender_of(const char *s)
{
    return s != NULL ? s : "so";
}

static size_t size_of(const set *s)
{
    size_t n = 0;
    while (n < MESSAGES_MAX && s->items[n].identifier != NULL) {
        n++;
    }
    return n;
}

static alert_id id_of(const message *m)
{
    return alert_id_of(sender_of(m->sender), m->identifier, AT(m->sent));
}

static kg_err add(life *l, const message *m, int64_t now_ms, bool forced, life_verdict *out)
{
    alert_ref refs[REFS_MAX];
    size_t n = 0;
    for (; n < REFS_MAX && m->refs[n].identifier != NULL; n++) {
        refs[n] = (alert_ref){m->refs[n].sender != NULL ? m->refs[n].sender : sender_of(m->sender),
                              m->refs[n].identifier, m->refs[n].sent < 0 ? 0 : AT(m->refs[n].sent)};
    }
    const alert a = {.identifier = m->identifier,
                     .sender = sender_of(m->sender),
                     .sent_ms = AT(m->sent),
                     .status = m->status,
                     .msg_type = m->type,
                     .expires_ms = AT(m->expires != 0 ? m->expires : FAR),
                     .references = {refs, n}};
    return life_add(l, &a, now_ms, forced, out);
}

/* What the change reports say, told apart from what life_find says: both must agree. */
typedef struct ledger {
    bool here[MESSAGES_MAX], alive[MESSAGES_MAX];
} ledger;

static void note_changes(const set *s, ledger *book, const life_changes *changes, const char *how)
{
    for (size_t i = 0; i < changes->count; i++) {
        for (size_t k = 0; k < size_of(s); k++) {
            if (alert_id_same(changes->items[i].id, id_of(&s->items[k]))) {
                if (!book->here[k] || book->alive[k] == (changes->items[i].state == LIFE_ALIVE)) {
                    fail_msg("%s (%s): a change of %s that is none", s->label, how, s->items[k].identifier);
                }
                book->alive[k] = changes->items[i].state == LIFE_ALIVE;
            }
        }
    }
}

typedef enum way { PLAIN, TWICE, CLOCKED, FORCED_LATER, WAYS } way;
static const char *const way_names[WAYS] = {"once", "twice", "with the clock", "released later"};

static void run_clock(life *l, const set *s, ledger *book, int64_t now_ms, const char *how)
{
    life_changes over;
    int64_t next = 0;
    assert_int_equal(life_expire(l, now_ms, &over, &next), KG_OK);
    assert_true(next > now_ms);
    note_changes(s, book, &over, how);
}

static void feed(life *l, const set *s, size_t which, way w, ledger *book)
{
    const message *m = &s->items[which];
    /* the clock way lets everything arrive before it expires, at times that rise with the order of arrival */
    life_verdict v;
    assert_int_equal(add(l, m, w == CLOCKED ? AT(40) : NOW, w != FORCED_LATER && m->forced, &v), KG_OK);
    assert_false(v.duplicate);
    book->here[which] = true;
    book->alive[which] = v.own == LIFE_ALIVE;
    note_changes(s, book, &v.ends, way_names[w]);
    if (w == TWICE) {
        assert_int_equal(add(l, m, NOW, m->forced, &v), KG_OK);
        assert_true(v.duplicate);
        assert_int_equal(v.ends.count, 0);
        assert_int_equal(v.own == LIFE_ALIVE, book->alive[which]);
    }
    if (w == CLOCKED) {
        run_clock(l, s, book, AT(40), way_names[w]);
    }
}

static void try_order(const set *s, const size_t *order, size_t n, way w)
{
    life *l = NULL;
    ledger book = {{0}, {0}};
    assert_int_equal(life_new(&l), KG_OK);
    for (size_t i = 0; i < n; i++) {
        feed(l, s, order[i], w, &book);
    }
    for (size_t i = 0; i < n && w == FORCED_LATER; i++) {
        life_verdict v;
        if (s->items[i].forced) {
            assert_int_equal(add(l, &s->items[i], NOW, true, &v), KG_OK);
            note_changes(s, &book, &v.ends, way_names[w]);
        }
    }
    run_clock(l, s, &book, NOW, way_names[w]);
    for (size_t i = 0; i < n; i++) {
        life_state got = LIFE_STATE_COUNT;
        if (!life_find(l, id_of(&s->items[i]), &got) || got != s->items[i].want ||
            book.alive[i] != (got == LIFE_ALIVE)) {
            fail_msg("%s (%s, first %s): %s is %s%s", s->label, way_names[w], s->items[order[0]].identifier,
                     s->items[i].identifier, life_state_text(got), book.alive[i] ? ", reported alive" : "");
        }
    }
    life_free(&l);
}

/* Heap's algorithm, iterative. */
static void every_order(const set *s, way w)
{
    const size_t n = size_of(s);
    size_t order[MESSAGES_MAX], c[MESSAGES_MAX] = {0};
    for (size_t i = 0; i < n; i++) {
        order[i] = i;
    }
    try_order(s, order, n, w);
    for (size_t i = 1; i < n;) {
        if (c[i] < i) {
            const size_t k = i % 2 == 0 ? 0 : c[i], swap = order[k];
            order[k] = order[i];
            order[i] = swap;
            try_order(s, order, n, w);
            c[i]++;
            i = 1;
        } else {
            c[i++] = 0;
        }
    }
}

static void any_order_gives_the_same_states(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        for (int w = 0; w < WAYS; w++) {
            every_order(&sets[i], (way)w);
        }
    }
}

static void says_what_the_router_must_know(void **state)
{
    (void)state;
    static const message known = {"A", 0, CAP_ALERT, {NO_REF}, .want = ALIVE};
    static const struct {
        const char *label;
        message m;
        size_t ends;
        life_state own;
        bool known, foreign, clash;
    } rows[] = {
        {"an Update of a known Alert",
         {"U", 1, CAP_UPDATE, {REF("A", 0)}, .want = ALIVE},
         1,
         LIFE_ALIVE,
         true,
         false,
         false},
        {"a Cancel of an unknown one",
         {"C", 1, CAP_CANCEL, {REF("B", 0)}, .want = ALIVE},
         0,
         LIFE_ALIVE,
         false,
         false,
         false},
        {"a foreign one",
         {"C", 1, CAP_CANCEL, {REF_BY("A", 0, "so")}, .want = ALIVE, .sender = "other"},
         0,
         LIFE_ALIVE,
         true,
         true,
         false},
        {"a foreign one of something unknown",
         {"C", 1, CAP_CANCEL, {REF_BY("B", 0, "third")}, .want = ALIVE},
         0,
         LIFE_ALIVE,
         false,
         true,
         false},
        {"foreign by name alone",
         {"C", 1, CAP_CANCEL, {REF_BY("A", -1, "")}, .want = ALIVE, .sender = "other"},
         0,
         LIFE_ALIVE,
         false,
         true,
         false},
        {"released",
         {"C", 1, CAP_CANCEL, {REF_BY("A", 0, "so")}, .want = ALIVE, .sender = "other", .forced = true},
         1,
         LIFE_ALIVE,
         true,
         false,
         false},
        {"a drill",
         {"C", 1, CAP_CANCEL, {REF("A", 0)}, .want = ALIVE, .status = CAP_EXERCISE},
         0,
         LIFE_ALIVE,
         true,
         false,
         true},
        {"expired on arrival",
         {"U", 1, CAP_UPDATE, {REF("A", 0)}, .want = OVER, .expires = 50},
         1,
         LIFE_EXPIRED,
         true,
         false,
         false},
        {"a reference to itself",
         {"U", 1, CAP_UPDATE, {REF("U", 1)}, .want = ALIVE},
         0,
         LIFE_ALIVE,
         false,
         false,
         false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        life *l = NULL;
        life_verdict v;
        assert_int_equal(life_new(&l), KG_OK);
        assert_int_equal(add(l, &known, NOW, false, &v), KG_OK);
        assert_int_equal(add(l, &rows[i].m, NOW, rows[i].m.forced, &v), KG_OK);
        if (v.known != rows[i].known || v.foreign != rows[i].foreign || v.status_clash != rows[i].clash ||
            v.ends.count != rows[i].ends || v.own != rows[i].own) {
            fail_msg("%s: known %d foreign %d clash %d ends %zu own %s", rows[i].label, v.known, v.foreign,
                     v.status_clash, v.ends.count, life_state_text(v.own));
        }
        if (v.ends.count == 1) {
            assert_true(alert_id_same(v.ends.items[0].by, id_of(&rows[i].m)));
            assert_true(alert_id_same(v.ends.items[0].id, id_of(&known)));
        }
        life_free(&l);
    }
}

static void a_late_alert_learns_who_ended_it(void **state)
{
    (void)state;
    static const message cancel = {"C", 5, CAP_CANCEL, {REF("A", 0)}, .want = ALIVE},
                         late = {"A", 0, CAP_ALERT, {NO_REF}, .want = ENDED};
    life *l = NULL;
    life_verdict v;
    assert_int_equal(life_new(&l), KG_OK);
    assert_int_equal(add(l, &cancel, NOW, false, &v), KG_OK);
    assert_false(v.known);
    assert_int_equal(add(l, &late, NOW, false, &v), KG_OK);
    assert_int_equal(v.own, LIFE_CANCELLED);
    assert_true(alert_id_same(v.own_by, id_of(&cancel)));
    life_free(&l);
}

static void a_refused_update_gives_back_what_it_ended(void **state)
{
    (void)state;
    static const message first = {"A", 0, CAP_ALERT, {NO_REF}, .want = ALIVE},
                         next = {"U", 1, CAP_UPDATE, {REF("A", 0)}, .want = ALIVE};
    life *l = NULL;
    life_verdict v;
    life_changes back;
    life_state got;
    assert_int_equal(life_new(&l), KG_OK);
    assert_int_equal(life_withdraw(l, id_of(&next), NOW, &back), KG_E_NOTFOUND);
    assert_int_equal(add(l, &first, NOW, false, &v), KG_OK);
    assert_int_equal(add(l, &next, NOW, false, &v), KG_OK);
    assert_int_equal(life_withdraw(l, id_of(&next), NOW, &back), KG_OK);
    assert_int_equal(back.count, 1);
    assert_int_equal(back.items[0].state, LIFE_ALIVE);
    assert_true(life_find(l, id_of(&next), &got) && got == LIFE_WITHDRAWN);
    assert_true(life_find(l, id_of(&first), &got) && got == LIFE_ALIVE);
    life_free(&l);
}

static void the_clock_tells_each_end_once_and_the_next(void **state)
{
    (void)state;
    static const message m[] = {{"A", 0, CAP_ALERT, {NO_REF}, .want = ALIVE, .expires = 30},
                                {"B", 0, CAP_ALERT, {NO_REF}, .want = ALIVE, .expires = 10},
                                {"D", 0, CAP_ALERT, {NO_REF}, .want = ALIVE, .expires = 20},
                                {"C", 1, CAP_CANCEL, {REF("D", 0)}, .want = ALIVE, .expires = 40}};
    static const struct {
        int at, next;
        const char *over; /* NULL nothing */
    } rows[] = {{9, 10, NULL}, {10, 20, "B"},  {20, 30, NULL}, {29, 30, NULL},
                {30, 40, "A"}, {30, 40, NULL}, {41, -1, "C"}};
    life *l = NULL;
    life_verdict v;
    assert_int_equal(life_new(&l), KG_OK);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(add(l, &m[i], AT(2), false, &v), KG_OK);
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        life_changes over;
        int64_t next = 0;
        assert_int_equal(life_expire(l, AT(rows[i].at), &over, &next), KG_OK);
        assert_int_equal(over.count, rows[i].over != NULL ? 1 : 0);
        assert_true(next == (rows[i].next < 0 ? INT64_MAX : AT(rows[i].next)));
        if (over.count == 1) {
            assert_true(alert_id_same(over.items[0].id,
                                      alert_id_of("so", rows[i].over, rows[i].over[0] == 'C' ? AT(1) : AT(0))));
            assert_int_equal(over.items[0].state, LIFE_EXPIRED);
        }
    }
    life_free(&l);
}

/* Many alerts: a bounded number of changes a call, and old records are let go while tombstones stay. */
static void many_alerts_expire_in_steps_and_are_forgotten(void **state)
{
    (void)state;
    enum { MANY = 10000 };
    life *l = NULL;
    life_verdict v;
    assert_int_equal(life_new(&l), KG_OK);
    static const message grave = {"C", 1, CAP_CANCEL, {REF("late", 0)}, .want = ALIVE, .expires = 20};
    assert_int_equal(add(l, &grave, AT(2), false, &v), KG_OK);
    for (int i = 0; i < MANY; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "n%d", i);
        const message m = {name, 0, CAP_ALERT, {NO_REF}, .want = ALIVE, .expires = 10};
        assert_int_equal(add(l, &m, AT(2), false, &v), KG_OK);
    }
    size_t over_count = 0;
    int64_t next = 0;
    unsigned calls = 0;
    while (next <= AT(30)) {
        life_changes over;
        assert_int_equal(life_expire(l, AT(30), &over, &next), KG_OK);
        over_count += over.count;
        calls++;
    }
    assert_int_equal(over_count, MANY + 1);
    assert_true(calls > 1);
    assert_int_equal(life_count(l), MANY + 1);
    life_changes none;
    assert_int_equal(life_expire(l, AT(30) + LIFE_KEEP_MS + 1, &none, &next), KG_OK);
    assert_int_equal(life_count(l), 1);
    static const message late = {"late", 0, CAP_ALERT, {NO_REF}, .want = ENDED};
    assert_int_equal(add(l, &late, AT(31) + LIFE_KEEP_MS, false, &v), KG_OK);
    assert_int_equal(v.own, LIFE_CANCELLED);
    life_free(&l);
    assert_null(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_gives_the_same_states),
        cmocka_unit_test(says_what_the_router_must_know),
        cmocka_unit_test(a_late_alert_learns_who_ended_it),
        cmocka_unit_test(a_refused_update_gives_back_what_it_ended),
        cmocka_unit_test(the_clock_tells_each_end_once_and_the_next),
        cmocka_unit_test(many_alerts_expire_in_steps_and_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
