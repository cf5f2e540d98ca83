#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "svc/loop.h"

enum { TRACE_MAX = 64 };

/* What ran, in order: one letter an event. */
typedef struct world {
    loop *l;
    loop_timer *a, *b;
    int pipe[2];
    char trace[TRACE_MAX];
    size_t n;
    int status;
    pid_t pid;
} world;

static void mark(world *w, char c)
{
    if (w->n + 1 < TRACE_MAX) {
        w->trace[w->n++] = c;
    }
}

static int setup(void **state)
{
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    assert_int_equal(loop_new(&w->l, NULL), KG_OK);
    assert_int_equal(pipe(w->pipe), 0);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    world *w = *state;
    loop_timer_free(&w->a);
    loop_free(&w->l);
    loop_timer_free(&w->b); /* after the loop: allowed */
    (void)close(w->pipe[0]);
    (void)close(w->pipe[1]);
    free(w);
    return 0;
}

static void quit_now(void *ctx)
{
    world *w = ctx;
    mark(w, 'q');
    loop_quit(w->l);
}

static void mark_a(void *ctx)
{
    mark(ctx, 'a');
}

static void mark_b(void *ctx)
{
    mark(ctx, 'b');
}

static void mark_c(void *ctx)
{
    mark(ctx, 'c');
}

static void take_byte(void *ctx, int fd, unsigned events)
{
    char c = 0;
    world *w = ctx;
    assert_true((events & LOOP_READ) != 0);
    if (read(fd, &c, 1) == 1) {
        mark(w, c);
    } else {
        mark(w, 'e');
        loop_unwatch(w->l, fd);
    }
}

static void a_turn_has_an_order(void **state)
{
    world *w = *state;
    loop_after_turn_end(w->l, mark_c, w);
    loop_on_turn_end(w->l, quit_now, w);
    loop_before_turn_end(w->l, mark_b, w);
    assert_int_equal(loop_timer_new(w->l, mark_a, w, &w->a), KG_OK);
    loop_timer_set(w->a, 0);
    assert_int_equal(loop_watch(w->l, w->pipe[0], LOOP_READ, take_byte, w), KG_OK);
    assert_int_equal(write(w->pipe[1], "1", 1), 1);
    assert_int_equal(loop_run(w->l, NULL), KG_OK);
    assert_string_equal(w->trace, "1abqc");
}

static void reading_sees_the_end(void **state)
{
    world *w = *state;
    assert_int_equal(loop_watch(w->l, w->pipe[0], LOOP_READ, take_byte, w), KG_OK);
    assert_int_equal(write(w->pipe[1], "12", 2), 2);
    (void)close(w->pipe[1]);
    w->pipe[1] = -1;
    assert_int_equal(loop_timer_new(w->l, quit_now, w, &w->a), KG_OK);
    loop_timer_set(w->a, 30);
    assert_int_equal(loop_run(w->l, NULL), KG_OK);
    assert_string_equal(w->trace, "12eq");
}

/* Two descriptors are ready in one turn; the first handler closes the second, whose number comes back at once. */
static void close_other(void *ctx, int fd, unsigned events)
{
    (void)events;
    world *w = ctx;
    mark(w, 'x');
    loop_unwatch(w->l, fd);
    const int other = w->status; /* the number to close */
    if (other > 0) {
        loop_unwatch(w->l, other);
        (void)close(other);
        assert_int_equal(dup2(w->pipe[0], other), other);
        assert_int_equal(loop_watch(w->l, other, LOOP_WRITE, close_other, w), KG_OK);
        loop_unwatch(w->l, other);
        (void)close(other);
        w->status = 0;
    }
}

static void a_late_event_reaches_nobody(void **state)
{
    world *w = *state;
    int more[2];
    assert_int_equal(pipe(more), 0);
    assert_int_equal(write(w->pipe[1], "1", 1), 1);
    assert_int_equal(write(more[1], "1", 1), 1);
    w->status = more[0];
    assert_int_equal(loop_watch(w->l, w->pipe[0], LOOP_READ, close_other, w), KG_OK);
    assert_int_equal(loop_watch(w->l, more[0], LOOP_READ, take_byte, w), KG_OK);
    loop_on_turn_end(w->l, quit_now, w);
    assert_int_equal(loop_run(w->l, NULL), KG_OK);
    /* epoll gives them in the order they became ready, so take_byte would have run second. */
    assert_string_equal(w->trace, "xq");
    (void)close(more[1]);
}

static void set_again(void *ctx)
{
    world *w = ctx;
    mark(w, 's');
    loop_timer_set(w->a, 0);
}

static void a_busy_timer_lets_the_turn_end(void **state)
{
    world *w = *state;
    assert_int_equal(loop_timer_new(w->l, set_again, w, &w->a), KG_OK);
    loop_timer_set(w->a, 0);
    loop_on_turn_end(w->l, quit_now, w);
    assert_int_equal(loop_run(w->l, NULL), KG_OK);
    assert_string_equal(w->trace, "sq");
}

static void free_itself(void *ctx)
{
    world *w = ctx;
    mark(w, 'f');
    loop_timer_free(&w->a);
}

static void timers_fire_in_order(void **state)
{
    world *w = *state;
    loop_timer *t[4] = {NULL};
    static const loop_fn fns[] = {quit_now, mark_b, mark_c, mark_a};
    static const int64_t after[] = {40, 20, 20, 1};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(loop_timer_new(w->l, fns[i], w, &t[i]), KG_OK);
        loop_timer_set(t[i], after[i]);
    }
    assert_int_equal(loop_timer_new(w->l, free_itself, w, &w->a), KG_OK);
    loop_timer_set(w->a, 5);
    assert_int_equal(loop_timer_new(w->l, mark_a, w, &w->b), KG_OK);
    loop_timer_set(w->b, 2);
    loop_timer_stop(w->b);    /* parked: never */
    loop_timer_set(t[3], 30); /* moved */
    assert_int_equal(loop_run(w->l, NULL), KG_OK);
    assert_string_equal(w->trace, "fbcaq");
    for (size_t i = 0; i < 4; i++) {
        loop_timer_free(&t[i]);
    }
}

/* 500 timers at scattered times: each fires once, never before an earlier one. */
typedef struct scattered {
    world *w;
    int64_t at;
    int64_t *last;
    size_t *left;
    loop_timer *t;
} scattered;

static void scattered_fired(void *ctx)
{
    scattered *s = ctx;
    assert_true(s->at >= *s->last);
    *s->last = s->at;
    if (--*s->left == 0) {
        loop_quit(s->w->l);
    }
}

static void the_heap_holds_many(void **state)
{
    world *w = *state;
    static scattered all[500];
    int64_t last = 0;
    size_t left = 0;
    uint32_t seed = 7;
    for (size_t i = 0; i < 500; i++) {
        seed = seed * 1664525U + 1013904223U;
        all[i] = (scattered){.w = w, .at = 20 + seed % 40U, .last = &last, .left = &left};
        assert_int_equal(loop_timer_new(w->l, scattered_fired, &all[i], &all[i].t), KG_OK);
    }
    for (size_t i = 0; i < 500; i++) {
        loop_timer_set(all[i].t, all[i].at * 4);
        left++;
    }
    for (size_t i = 0; i < 500; i += 3) {
        loop_timer_stop(all[i].t);
        left--;
    }
    assert_int_equal(loop_run(w->l, NULL), KG_OK);
    assert_int_equal(left, 0);
    for (size_t i = 0; i < 500; i++) {
        loop_timer_free(&all[i].t);
    }
}

static int turns_left;

static void one_more_turn(void *ctx)
{
    world *w = ctx;
    if (--turns_left > 0) {
        loop_again(w->l);
    } else {
        loop_quit(w->l);
    }
}

static void again_does_not_wait(void **state)
{
    world *w = *state;
    turns_left = 1000;
    loop_on_turn_end(w->l, one_more_turn, w);
    loop_again(w->l);
    assert_int_equal(loop_run(w->l, NULL), KG_OK);
    assert_int_equal(turns_left, 0);
}

static void signals_come_as_events(void **state)
{
    world *w = *state;
    loop_on_reload(w->l, mark_a, w);
    loop_on_stop(w->l, quit_now, w);
    assert_int_equal(raise(SIGHUP), 0);
    assert_int_equal(raise(SIGTERM), 0);
    assert_int_equal(loop_run(w->l, NULL), KG_OK);
    assert_true(strcmp(w->trace, "aq") == 0 || strcmp(w->trace, "qa") == 0);
}

static void without_a_hook_a_signal_stops(void **state)
{
    world *w = *state;
    assert_int_equal(raise(SIGINT), 0);
    assert_int_equal(loop_run(w->l, NULL), KG_OK);
    assert_string_equal(w->trace, "");
}

static void a_closed_pipe_is_an_error_not_a_death(void **state)
{
    world *w = *state;
    (void)close(w->pipe[0]);
    w->pipe[0] = -1;
    assert_int_equal(write(w->pipe[1], "1", 1), -1);
}

static void child_ended(void *ctx, pid_t pid, int status)
{
    world *w = ctx;
    w->pid = pid;
    w->status = status;
    mark(w, 'w');
    loop_quit(w->l);
}

static void children_are_reaped(void **state)
{
    world *w = *state;
    for (int how = 0; how < 2; how++) {
        const pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            if (how == 1) {
                (void)raise(SIGKILL);
            }
            _exit(7);
        }
        assert_int_equal(loop_child(w->l, pid, child_ended, w), KG_OK);
        assert_int_equal(loop_run(w->l, NULL), KG_OK);
        assert_int_equal(w->pid, pid);
        assert_true(how == 0 ? WIFEXITED(w->status) && WEXITSTATUS(w->status) == 7
                             : WIFSIGNALED(w->status) && WTERMSIG(w->status) == SIGKILL);
        assert_int_equal(waitpid(pid, NULL, WNOHANG), -1); /* nothing left of it */
    }
    assert_string_equal(w->trace, "ww");
    assert_int_not_equal(loop_child(w->l, getpid() == 1 ? 2 : 99999999, child_ended, w), KG_OK);
}

static void files_cannot_be_watched(void **state)
{
    world *w = *state;
    FILE *f = tmpfile();
    assert_non_null(f);
    assert_int_equal(loop_watch(w->l, fileno(f), LOOP_READ, take_byte, w), KG_E_IO);
    assert_int_equal(loop_watch(w->l, -1, LOOP_READ, take_byte, w), KG_E_LIMIT);
    (void)fclose(f);
}

int main(void)
{
#define LOOP_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        LOOP_TEST(a_turn_has_an_order),           LOOP_TEST(reading_sees_the_end),
        LOOP_TEST(a_late_event_reaches_nobody),   LOOP_TEST(a_busy_timer_lets_the_turn_end),
        LOOP_TEST(timers_fire_in_order),          LOOP_TEST(the_heap_holds_many),
        LOOP_TEST(again_does_not_wait),           LOOP_TEST(signals_come_as_events),
        LOOP_TEST(without_a_hook_a_signal_stops), LOOP_TEST(a_closed_pipe_is_an_error_not_a_death),
        LOOP_TEST(children_are_reaped),           LOOP_TEST(files_cannot_be_watched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
