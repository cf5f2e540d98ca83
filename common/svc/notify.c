#include "svc/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* One datagram to the manager. Nothing depends on it arriving: a service without a manager runs as well. */
static void tell(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (path == NULL || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof to.sun_path) {
        return;
    }
    const size_t n = strlen(path);
    memcpy(to.sun_path, path, n);
    if (path[0] == '@') {
        to.sun_path[0] = '\0'; /* the abstract name space */
    }
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return;
    }
    const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to, size);
    (void)close(fd);
}

void notify_ready(void)
{
    tell("READY=1");
}

void notify_stopping(void)
{
    tell("STOPPING=1");
}

typedef struct watchdog {
    loop_timer *timer;
    int64_t every_ms;
} watchdog;

static void feed(void *ctx)
{
    watchdog *w = ctx;
    tell("WATCHDOG=1");
    loop_timer_set(w->timer, w->every_ms);
}

static void drop_watchdog(void *ctx)
{
    watchdog *w = ctx;
    loop_timer_free(&w->timer);
    free(w);
}

/* Microseconds asked for by the manager, or 0: none asked, or asked of another process. */
static unsigned long long period_us(void)
{
    const char *usec = getenv("WATCHDOG_USEC");
    const char *pid = getenv("WATCHDOG_PID");
    if (usec == NULL || (pid != NULL && strtoll(pid, NULL, 10) != (long long)getpid())) {
        return 0;
    }
    char *end = NULL;
    errno = 0;
    const unsigned long long us = strtoull(usec, &end, 10);
    return errno == 0 && end != usec && *end == '\0' && us < 86400ULL * 1000000 * 365 ? us : 0;
}

kg_err notify_watchdog(loop *l)
{
    const unsigned long long us = period_us();
    if (us == 0) {
        return KG_OK;
    }
    watchdog *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return KG_E_NOMEM;
    }
    loop_on_free(l, drop_watchdog, w);
    w->every_ms = us / 2000 > 0 ? (int64_t)(us / 2000) : 1;
    const kg_err e = loop_timer_new(l, feed, w, &w->timer);
    if (e == KG_OK) {
        feed(w);
    }
    return e;
}
