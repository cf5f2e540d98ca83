/* Fault points: each case is its own process, because a process has one fault armed at most. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"

/* Reaches "a" five times and "b" twice; the exit status says at which step KG_FAULT_FAILS was true. */
static void work(void)
{
    int failed_at = 0;
    for (int i = 1; i <= 5; i++) {
        KG_FAULT("a");
        if (KG_FAULT_FAILS("c") && failed_at == 0) {
            failed_at = i;
        }
    }
    KG_FAULT("b");
    KG_FAULT("b");
    _exit(failed_at);
}

static int ends(const char *fault, const char *list)
{
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)unsetenv("KENG_FAULT");
        if (fault != NULL) {
            (void)setenv("KENG_FAULT", fault, 1);
        }
        if (list != NULL) {
            (void)setenv("KENG_FAULT_LIST", list, 1);
        }
        work();
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void a_fault_strikes_when_it_should(void **state)
{
    (void)state;
    static const struct {
        const char *label, *fault;
        int want;
    } rows[] = {
        {"none", NULL, 0},
        {"empty", "", 0},
        {"first time", "a", -SIGKILL},
        {"fifth time", "a:5", -SIGKILL},
        {"a sixth does not come", "a:6", 0},
        {"the other one", "b:2", -SIGKILL},
        {"not a prefix", "ab", 0},
        {"fails the third time", "c:3:fail", 3},
        {"a failing point does not kill", "c:3", 0},
        {"a killing point does not fail", "a:1:fail", 0},
        {"never", "a:0", 0},
        {"rubbish", "a:x", 0},
        {"a name too long", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int got = ends(rows[i].fault, NULL);
        if (got != rows[i].want) {
            fail_msg("%s: %d", rows[i].label, got);
        }
    }
}

static void every_name_is_listed_with_its_times(void **state)
{
    (void)state;
    char path[] = "/tmp/keng-faults-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(ends(NULL, path), 0);
    kg_buf got = {0};
    assert_int_equal(kg_file_read(path, 1000, &got, NULL), KG_OK);
    assert_string_equal(got.s, "a 1\nc 1\na 2\nc 2\na 4\nc 4\nb 1\nb 2\n");
    kg_buf_done(&got);
    (void)unlink(path);
}

static void the_wall_clock_starts_where_it_is_told(void **state)
{
    (void)state;
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)setenv("KENG_CLOCK_OFFSET_MS", "86400000", 1);
        struct timespec t = {0};
        (void)clock_gettime(CLOCK_REALTIME, &t);
        const int64_t ahead = kg_clock_wall_ms() - ((int64_t)t.tv_sec * 1000);
        _exit(ahead >= 86400000 && ahead < 2 * 86400000 ? 0 : 1);
    }
    int status = 1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_strikes_when_it_should),
        cmocka_unit_test(every_name_is_listed_with_its_times),
        cmocka_unit_test(the_wall_clock_starts_where_it_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
