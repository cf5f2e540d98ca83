#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "svc/notify.h"

/* The manager's side: an abstract datagram socket, named by our pid. */
static int manager_open(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char name[64];
    const int n = snprintf(name, sizeof name, "@keng-notify-%ld", (long)getpid());
    memcpy(at.sun_path, name, (size_t)n);
    at.sun_path[0] = '\0';
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n);
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, size), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
    return fd;
}

static const char *heard(int fd, char text[64])
{
    const ssize_t n = recv(fd, text, 63, 0);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void says_ready_and_stopping(void **state)
{
    (void)state;
    char text[64];
    const int fd = manager_open();
    notify_ready();
    assert_string_equal(heard(fd, text), "READY=1");
    notify_stopping();
    assert_string_equal(heard(fd, text), "STOPPING=1");
    assert_string_equal(heard(fd, text), "");
    (void)close(fd);
    notify_ready(); /* the manager is gone: nothing happens */
    (void)unsetenv("NOTIFY_SOCKET");
    notify_ready();
    (void)setenv("NOTIFY_SOCKET", "relative/path", 1);
    notify_ready();
    (void)unsetenv("NOTIFY_SOCKET");
}

typedef struct counting {
    loop *l;
    loop_timer *t;
    int fd;
    unsigned beats;
} counting;

static void on_datagram(void *ctx, int fd, unsigned events)
{
    (void)events;
    counting *c = ctx;
    char text[64];
    assert_string_equal(heard(fd, text), "WATCHDOG=1");
    if (++c->beats == 4) {
        loop_quit(c->l);
    }
}

static void too_late(void *ctx)
{
    loop_fail(((counting *)ctx)->l, KG_E_TIMEOUT, NULL);
}

static void feeds_the_watchdog(void **state)
{
    (void)state;
    static const struct {
        const char *label, *usec;
        bool ours;
        unsigned beats;
    } rows[] = {
        {"every 10 ms for 20", "20000", true, 4},
        {"not asked of us", "20000", false, 0},
        {"rubbish", "soon", true, 0},
        {"empty", "", true, 0},
        {"zero", "0", true, 0},
    };
    const int fd = manager_open();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char pid[32];
        (void)snprintf(pid, sizeof pid, "%ld", (long)getpid() + (rows[i].ours ? 0 : 1));
        (void)setenv("WATCHDOG_PID", pid, 1);
        (void)setenv("WATCHDOG_USEC", rows[i].usec, 1);
        counting c = {.fd = fd};
        assert_int_equal(loop_new(&c.l, NULL), KG_OK);
        assert_int_equal(loop_watch(c.l, fd, LOOP_READ, on_datagram, &c), KG_OK);
        assert_int_equal(loop_timer_new(c.l, too_late, &c, &c.t), KG_OK);
        loop_timer_set(c.t, rows[i].beats > 0 ? 10000 : 50);
        assert_int_equal(notify_watchdog(c.l), KG_OK);
        const kg_err e = loop_run(c.l, NULL);
        if (c.beats != rows[i].beats || (e == KG_OK) != (rows[i].beats > 0)) {
            fail_msg("%s: %u beats", rows[i].label, c.beats);
        }
        loop_timer_free(&c.t);
        loop_free(&c.l);
    }
    (void)unsetenv("WATCHDOG_PID");
    (void)unsetenv("WATCHDOG_USEC");
    (void)unsetenv("NOTIFY_SOCKET");
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_ready_and_stopping),
        cmocka_unit_test(feeds_the_watchdog),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
