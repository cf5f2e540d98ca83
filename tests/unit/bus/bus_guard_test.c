/*
 * The proof that the guard refuses: it must fail where stock ZeroMQ fails open. Each case runs in a library without
 * option 93 (fault bus.option_93) and without a handler, which is what "start order" and "dead handler" look like.
 */
#include "tests/unit/bus/bus_world.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bus/bus_own.h"

/* The first domain socket of the process is the one without option 93. */
static void an_open_door_is_found_out(void **state)
{
    world *w = *state;
    kg_diag diag = {{0}};
    assert_int_equal(bus_zap_prove(w->b, &diag), KG_E_DENIED);
    assert_non_null(strstr(diag.text, "let a random key in"));
    assert_false(w->b->guarded);
    assert_int_equal(bus_listen(w->b, "intake", w->address, true, &world_server_ops, w, &w->s, &diag), KG_E_DENIED);
    assert_null(w->s);
}

/* With option 93 nobody gets in, but nobody is told either: that is no proof. */
static void a_silent_door_is_no_proof(void **state)
{
    world *w = *state;
    kg_diag diag = {{0}};
    assert_int_equal(bus_zap_prove(w->b, &diag), KG_E_DENIED);
    assert_non_null(strstr(diag.text, "did not answer"));
}

/* Even if somebody got in without being asked for a key, nothing of what he says is heard. */
static void who_was_not_asked_is_not_heard(void **state)
{
    world *w = *state;
    assert_int_equal(bus_server_open(w->b, "intake", w->address, false, &world_server_ops, w, &w->s, NULL), KG_OK);
    world_client *c = world_client_new(w, true, NULL);
    world_until(w, &c->ups, 1, "fails open, as libzmq does");
    assert_int_equal(bus_client_send(c->c, "x", 1), KG_OK);
    while (bus_count(w->b).no_identity == 0) {
        world_rounds(w, 1);
    }
    assert_int_equal(w->messages, 0);
}

int main(void)
{
    static const struct {
        const char *name, *fault;
        CMUnitTestFunction test;
    } cases[] = {
        {"open", "bus.option_93:1:fail", an_open_door_is_found_out},
        {"unasked", "bus.option_93:1:fail", who_was_not_asked_is_not_heard},
        {"silent", "", a_silent_door_is_no_proof},
    };
    int failed = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        /* A process has one fault armed at most, so each case is its own process. */
        const pid_t pid = fork();
        if (pid == 0) {
            (void)setenv("KENG_FAULT", cases[i].fault, 1);
            const struct CMUnitTest one[] = {
                {cases[i].name, cases[i].test, world_setup, world_teardown, NULL},
            };
            _exit(cmocka_run_group_tests(one, NULL, NULL));
        }
        int status = 1;
        failed += pid < 0 || waitpid(pid, &status, 0) != pid || status != 0 ? 1 : 0;
    }
    return failed;
}
