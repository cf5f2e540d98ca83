#include "tests/unit/store/store_fixture.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

int fixture_setup(void **state)
{
    char name[] = "/tmp/keng-store-XXXXXX";
    *state = mkdtemp(name) != NULL ? strdup(name) : NULL;
    return *state != NULL ? 0 : -1;
}

int fixture_teardown(void **state)
{
    DIR *d = opendir(*state);
    for (struct dirent *f = d != NULL ? readdir(d) : NULL; f != NULL; f = readdir(d)) {
        char path[FIXTURE_PATH * 2];
        (void)snprintf(path, sizeof path, "%s/%s", (const char *)*state, f->d_name);
        (void)unlink(path);
    }
    if (d != NULL) {
        (void)closedir(d);
    }
    (void)rmdir(*state);
    free(*state);
    return 0;
}

void fixture_path(void *const *state, const char *name, char out[FIXTURE_PATH])
{
    (void)snprintf(out, FIXTURE_PATH, "%s/%s", (const char *)*state, name);
}

alert_id fixture_id(unsigned n)
{
    alert_id id = {{0}};
    memcpy(id.b, &n, sizeof n);
    id.b[15] = 0x5A;
    return id;
}

alert_hash fixture_hash(unsigned n)
{
    alert_hash h = {{0}};
    memcpy(h.b, &n, sizeof n);
    h.b[31] = 0xA5;
    return h;
}

void fixture_want(kg_err e, kg_err want, const kg_diag *diag, int line)
{
    if (e != want) {
        fail_msg("line %d: got %s, not %s: %s", line, kg_err_name(e), kg_err_name(want), diag->text);
    }
}

int fixture_child(const char *fault, int (*fn)(void *ctx), void *ctx)
{
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (fault != NULL) {
            (void)setenv("KENG_FAULT", fault, 1);
        }
        _exit(fn(ctx)); /* no atexit, no leak check: the parent judges what is on disk */
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status)) {
        assert_int_equal(WTERMSIG(status), SIGKILL);
        return FIXTURE_KILLED;
    }
    return WEXITSTATUS(status);
}
