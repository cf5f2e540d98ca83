/* The operator's door: a process in a loop, and the tool asking from a thread of its own. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "svc/control.h"

enum { ROWS_MANY = 30000, PATIENCE_MS = 20000 };

typedef struct world {
    loop *l;
    loop_timer *poll;
    secret_key *process, *root, *operator, * sink, *stranger;
    public_key process_key;
    bus *b;
    control *c;
    manifest *m;
    const manifest *current;
    char endpoint[128];
    char last_who[64], last_holder[64], last_argument[64];
    unsigned calls;
} world;

static kg_err verb_status(void *ctx, const control_call *call, control_reply *reply, kg_diag *diag)
{
    (void)diag;
    world *w = ctx;
    w->calls++;
    (void)snprintf(w->last_who, sizeof w->last_who, "%s", call->who);
    (void)snprintf(w->last_holder, sizeof w->last_holder, "%s", call->caller->holder);
    (void)snprintf(w->last_argument, sizeof w->last_argument, "%s",
                   call->arguments.count > 0 ? call->arguments.items[0] : "");
    static const char *const columns[] = {"tên", "số"};
    static const char *const row[] = {"hàng đợi", NULL};
    kg_err e = control_columns(reply, columns, 2);
    if (e == KG_OK) {
        e = control_row(reply, row, 2);
    }
    return e == KG_OK ? control_say(reply, "%d row", 1) : e;
}

static kg_err verb_many(void *ctx, const control_call *call, control_reply *reply, kg_diag *diag)
{
    (void)ctx;
    (void)call;
    (void)diag;
    for (int i = 0; i < ROWS_MANY; i++) {
        char number[16];
        (void)snprintf(number, sizeof number, "%d", i);
        const char *const row[] = {number, "a cell of some length, as a station's name is"};
        const kg_err e = control_row(reply, row, 2);
        if (e != KG_OK) {
            return e;
        }
    }
    return KG_OK;
}

static kg_err verb_refuse(void *ctx, const control_call *call, control_reply *reply, kg_diag *diag)
{
    (void)ctx;
    (void)call;
    static const char *const row[] = {"half"};
    const kg_err e = control_row(reply, row, 1);
    return e != KG_OK ? e : kg_fail(diag, KG_E_CONFLICT, "it is decided already");
}

static kg_err verb_endless(void *ctx, const control_call *call, control_reply *reply, kg_diag *diag)
{
    (void)ctx;
    (void)call;
    (void)diag;
    static char cell[CONTROL_CELL_MAX + 1];
    memset(cell, 'x', CONTROL_CELL_MAX);
    const char *const row[] = {cell};
    kg_err e = KG_OK;
    while (e == KG_OK) {
        e = control_row(reply, row, 1);
    }
    return e;
}

static kg_err verb_wide(void *ctx, const control_call *call, control_reply *reply, kg_diag *diag)
{
    (void)ctx;
    (void)call;
    (void)diag;
    static char cell[CONTROL_CELL_MAX + 1];
    memset(cell, 'x', CONTROL_CELL_MAX);
    const char *const row[] = {cell, cell, cell, cell, cell};
    return control_row(reply, row, 5);
}

static const control_verb verbs[] = {
    {"status", verb_status},   {"many", verb_many}, {"held refuse", verb_refuse},
    {"endless", verb_endless}, {"wide", verb_wide},
};

static key_entry connects(const secret_key *k, const char *holder, key_role role)
{
    return (key_entry){.use = KEY_CONNECT, .key = secret_public(k), .holder = holder, .agency = "", .role = role};
}

static manifest *make_manifest(const world *w, uint64_t version, int64_t operator_revoked_ms)
{
    key_entry entries[] = {connects(w->operator, "Trực ban A", ROLE_OPERATOR), connects(w->sink, "sink", ROLE_SINK)};
    const char *station = "vl-01";
    entries[0].revoked_ms = operator_revoked_ms;
    entries[1].stations = (alert_texts){&station, 1};
    kg_buf packed = {0};
    kg_diag diag = {{0}};
    const public_key root = secret_public(w->root);
    manifest *m = NULL;
    if (manifest_make(version, 1, 0, entries, 2, w->root, &packed, &diag) != KG_OK ||
        manifest_read(packed.s, packed.len, &root, &m, &diag) != KG_OK) {
        fail_msg("manifest: %s", diag.text);
    }
    kg_buf_done(&packed);
    return m;
}

static int setup(void **state)
{
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    assert_int_equal(trust_start(NULL), KG_OK);
    assert_int_equal(secret_new(KEY_SIGN_ACTUAL, &w->root, NULL), KG_OK);
    secret_key **const keys[] = {&w->process, &w->operator, & w->sink, &w->stranger};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(secret_new(KEY_CONNECT, keys[i], NULL), KG_OK);
    }
    w->process_key = secret_public(w->process);
    w->m = make_manifest(w, 1, 0);
    w->current = w->m;
    kg_diag diag = {{0}};
    assert_int_equal(loop_new(&w->l, NULL), KG_OK);
    assert_int_equal(bus_new(w->process, &w->b, NULL), KG_OK);
    assert_int_equal(bus_guard(w->b, NULL), KG_OK);
    assert_int_equal(loop_bus(w->l, w->b, 64), KG_OK);
    if (control_open(w->b, "tcp://127.0.0.1:*", &w->current, verbs, sizeof verbs / sizeof verbs[0], w, &w->c, &diag) !=
        KG_OK) {
        fail_msg("%s", diag.text);
    }
    (void)snprintf(w->endpoint, sizeof w->endpoint, "%s", control_endpoint(w->c));
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    world *w = *state;
    control_close(&w->c);
    loop_free(&w->l);
    bus_free(&w->b);
    manifest_free(&w->m);
    secret_key **const keys[] = {&w->process, &w->operator, & w->sink, &w->stranger, &w->root};
    for (size_t i = 0; i < 5; i++) {
        secret_free(keys[i]);
    }
    free(w);
    return 0;
}

/* One question from a thread; the process's loop runs until it is answered. */
typedef struct question {
    world *w;
    const secret_key *key;
    const char *verb;
    const char *argument;
    int64_t timeout_ms;
    control_answer answer;
    kg_err e;
    kg_diag diag;
    int finished[2];
} question;

static void *ask(void *ctx)
{
    question *q = ctx;
    q->e = control_ask(q->key, q->w->endpoint, &q->w->process_key, q->verb, &q->argument, q->argument != NULL ? 1 : 0,
                       "Nguyễn Văn A", q->timeout_ms, &q->answer, &q->diag);
    const ssize_t told = write(q->finished[1], "x", 1);
    return told == 1 ? ctx : NULL;
}

static void on_finished(void *ctx, int fd, unsigned events)
{
    (void)fd;
    (void)events;
    loop_quit(((question *)ctx)->w->l);
}

static void put(question *q)
{
    pthread_t thread;
    q->timeout_ms = q->timeout_ms != 0 ? q->timeout_ms : PATIENCE_MS;
    assert_int_equal(pipe(q->finished), 0);
    assert_int_equal(loop_watch(q->w->l, q->finished[0], LOOP_READ, on_finished, q), KG_OK);
    assert_int_equal(pthread_create(&thread, NULL, ask, q), 0);
    assert_int_equal(loop_run(q->w->l, NULL), KG_OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
    loop_unwatch(q->w->l, q->finished[0]);
    (void)close(q->finished[0]);
    (void)close(q->finished[1]);
}

static void an_operator_is_answered(void **state)
{
    world *w = *state;
    question q = {.w = w, .key = w->operator, .verb = "status", .argument = "tất cả"};
    put(&q);
    assert_int_equal(q.e, KG_OK);
    assert_string_equal(q.answer.error, "ok");
    assert_int_equal(control_result(&q.answer, NULL), KG_OK);
    assert_string_equal(q.answer.sentence, "1 row");
    assert_int_equal(q.answer.columns.count, 2);
    assert_string_equal(q.answer.columns.items[1], "số");
    assert_int_equal(q.answer.row_count, 1);
    assert_string_equal(q.answer.rows[0].cells.items[0], "hàng đợi");
    assert_string_equal(q.answer.rows[0].cells.items[1], "");
    assert_string_equal(w->last_who, "Nguyễn Văn A");
    assert_string_equal(w->last_holder, "Trực ban A");
    assert_string_equal(w->last_argument, "tất cả");
    control_answer_done(&q.answer);
}

static void a_long_answer_comes_whole_and_in_order(void **state)
{
    world *w = *state;
    question q = {.w = w, .key = w->operator, .verb = "many" };
    put(&q);
    assert_int_equal(q.e, KG_OK);
    assert_int_equal(q.answer.row_count, ROWS_MANY);
    for (size_t i = 0; i < ROWS_MANY; i++) {
        assert_int_equal(strtol(q.answer.rows[i].cells.items[0], NULL, 10), (long)i);
    }
    control_answer_done(&q.answer);
}

static void refusals_say_why(void **state)
{
    world *w = *state;
    static const struct {
        const char *verb, *error;
        kg_err result;
        const char *sentence;
    } rows[] = {
        {"held refuse", "conflict", KG_E_CONFLICT, "it is decided already"},
        {"endless", "limit", KG_E_LIMIT, "ask for less"},
        {"wide", "limit", KG_E_LIMIT, "ask for less"},
        {"sttaus", "notfound", KG_E_NOTFOUND, "unknown request \"sttaus\"; known here: status, many, held refuse"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        question q = {.w = w, .key = w->operator, .verb = rows[i].verb };
        put(&q);
        if (q.e != KG_OK || strcmp(q.answer.error, rows[i].error) != 0 ||
            strstr(q.answer.sentence, rows[i].sentence) == NULL || q.answer.row_count != 0) {
            fail_msg("%s: %s: %s (%s)", rows[i].verb, q.answer.error, q.answer.sentence, q.diag.text);
        }
        kg_diag diag = {{0}};
        assert_int_equal(control_result(&q.answer, &diag), rows[i].result);
        assert_string_equal(diag.text, q.answer.sentence);
        control_answer_done(&q.answer);
    }
}

static void only_operators_come_in(void **state)
{
    world *w = *state;
    const secret_key *const keys[] = {w->sink, w->stranger};
    for (size_t i = 0; i < 2; i++) {
        question q = {.w = w, .key = keys[i], .verb = "status"};
        put(&q);
        assert_int_equal(q.e, KG_E_DENIED);
        assert_non_null(strstr(q.diag.text, "role operator"));
        assert_null(q.answer.error);
    }
    assert_int_equal(w->calls, 0);
}

static void a_reloaded_manifest_counts_at_once(void **state)
{
    world *w = *state;
    manifest *revoked = make_manifest(w, 2, 12345);
    w->current = revoked;
    question q = {.w = w, .key = w->operator, .verb = "status" };
    put(&q);
    assert_int_equal(q.e, KG_E_DENIED);
    w->current = NULL; /* none loaded: nobody */
    question none = {.w = w, .key = w->operator, .verb = "status" };
    put(&none);
    assert_int_equal(none.e, KG_E_DENIED);
    manifest_free(&revoked);
}

static void nobody_there_is_a_timeout(void **state)
{
    world *w = *state;
    /* An address of our own: a port that was just given back may be another process's by now. */
    (void)snprintf(w->endpoint, sizeof w->endpoint, "ipc://@keng-nobody-%ld", (long)getpid());
    question q = {.w = w, .key = w->operator, .verb = "status", .timeout_ms = 200};
    put(&q);
    assert_int_equal(q.e, KG_E_TIMEOUT);
    assert_non_null(strstr(q.diag.text, w->endpoint));
    assert_non_null(strstr(q.diag.text, "nobody answers"));
}

int main(void)
{
#define CONTROL_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CONTROL_TEST(an_operator_is_answered),
        CONTROL_TEST(a_long_answer_comes_whole_and_in_order),
        CONTROL_TEST(refusals_say_why),
        CONTROL_TEST(only_operators_come_in),
        CONTROL_TEST(a_reloaded_manifest_counts_at_once),
        CONTROL_TEST(nobody_there_is_a_timeout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
