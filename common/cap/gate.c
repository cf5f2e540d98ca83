#include "cap/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "cap/answer.h"

enum { WAIT_MS = 10000, PATH_ROOM = 4096, OFFSET_ROOM = 16, CHUNK = 64 * 1024 };

typedef struct gate {
    int fd; /* our end; the other one is the child's standard input and output */
    pid_t pid;
    const char *bytes;
    size_t n, sent;
    kg_buf answer;
    kg_diag *diag;
} gate;

static kg_err child_path(char out[PATH_ROOM], kg_diag *diag)
{
    static const char name[] = "keng-capgate";
    const char *told = getenv("KENG_CAPGATE");
    if (told != NULL && *told != '\0' && strlen(told) < PATH_ROOM) {
        memcpy(out, told, strlen(told) + 1);
        return KG_OK;
    }
    const ssize_t n = readlink("/proc/self/exe", out, PATH_ROOM - sizeof name);
    char *slash = n > 0 && n < (ssize_t)(PATH_ROOM - sizeof name) ? memrchr(out, '/', (size_t)n) : NULL;
    if (slash == NULL) {
        return kg_fail(diag, KG_E_IO,
                       "keng-capgate: the folder of the running program cannot be told; set KENG_CAPGATE");
    }
    memcpy(slash + 1, name, sizeof name);
    return KG_OK;
}

/* Nothing of ours reaches the child but the socket: no environment, no other descriptor, no blocked signal. */
static int spawn(const char *path, const char *offset, int fd, pid_t *pid)
{
    char name[] = "keng-capgate";
    char argument[OFFSET_ROOM];
    char locale[] = "LC_ALL=C";
    (void)snprintf(argument, sizeof argument, "%s", offset);
    char *argv[] = {name, argument, NULL};
    char *envp[] = {locale, NULL};
    sigset_t none;
    sigset_t all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    int rc = posix_spawn_file_actions_init(&files);
    if (rc != 0) {
        return rc;
    }
    rc = posix_spawnattr_init(&attr);
    if (rc != 0) {
        (void)posix_spawn_file_actions_destroy(&files);
        return rc;
    }
    const int steps[] = {
        posix_spawn_file_actions_adddup2(&files, fd, STDIN_FILENO),
        posix_spawn_file_actions_adddup2(&files, fd, STDOUT_FILENO),
        posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0),
        posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1),
        posix_spawnattr_setsigmask(&attr, &none),
        posix_spawnattr_setsigdefault(&attr, &all),
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF),
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && rc == 0; i++) {
        rc = steps[i];
    }
    if (rc == 0) {
        rc = posix_spawn(pid, path, &files, &attr, argv, envp);
    }
    (void)posix_spawnattr_destroy(&attr);
    (void)posix_spawn_file_actions_destroy(&files);
    return rc;
}

static kg_err start(gate *g, int assume_offset_min)
{
    char path[PATH_ROOM];
    char offset[OFFSET_ROOM] = "none";
    int ends[2];
    const kg_err e = child_path(path, g->diag);
    if (e != KG_OK) {
        return e;
    }
    if (assume_offset_min != INT_MIN) {
        (void)snprintf(offset, sizeof offset, "%d", assume_offset_min);
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return kg_fail(g->diag, KG_E_IO, "keng-capgate: no socket for it: %s", strerror(errno));
    }
    const int rc = spawn(path, offset, ends[1], &g->pid);
    (void)close(ends[1]);
    if (rc != 0) {
        (void)close(ends[0]);
        return kg_fail(g->diag, KG_E_IO, "%s cannot be started: %s; install it beside this program or set KENG_CAPGATE",
                       path, strerror(rc));
    }
    g->fd = ends[0];
    return KG_OK;
}

/* Hands over what the child will take now. A child that does not read is no error: perhaps it answers all the same. */
static void send_some(gate *g)
{
    const ssize_t n = send(g->fd, g->bytes + g->sent, g->n - g->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
        g->sent += (size_t)n;
    } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
        g->sent = g->n;
    }
    if (g->sent == g->n) {
        (void)shutdown(g->fd, SHUT_WR);
    }
}

/* False at the end of the answer. */
static bool take_some(gate *g)
{
    if (kg_buf_reserve(&g->answer, CHUNK) != KG_OK) {
        return false; /* more than any honest answer */
    }
    const ssize_t n = recv(g->fd, g->answer.s + g->answer.len, CHUNK, MSG_DONTWAIT);
    if (n < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    g->answer.len += (size_t)n;
    return n > 0;
}

/* True when the child closed its end in time. */
static bool talk(gate *g)
{
    const int64_t end_ms = kg_clock_mono_ms() + WAIT_MS;
    for (;;) {
        const int64_t left_ms = end_ms - kg_clock_mono_ms();
        struct pollfd p = {.fd = g->fd, .events = (short)(g->sent < g->n ? POLLIN | POLLOUT : POLLIN)};
        if (left_ms <= 0) {
            return false;
        }
        if (poll(&p, 1, (int)left_ms) <= 0) {
            continue; /* interrupted, or the time is over */
        }
        if ((p.revents & POLLOUT) != 0 && g->sent < g->n) {
            send_some(g);
        }
        if ((p.revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !take_some(g)) {
            return true;
        }
    }
}

static int reap(gate *g)
{
    int status = 0;
    pid_t got = waitpid(g->pid, &status, WNOHANG);
    if (got == 0) {
        (void)kill(g->pid, SIGKILL);
        do {
            got = waitpid(g->pid, &status, 0);
        } while (got < 0 && errno == EINTR);
    }
    return got == g->pid ? status : 0;
}

static kg_err judge(const gate *g, bool in_time, int status, cap_reading *out)
{
    const uint8_t *head = (const uint8_t *)g->answer.s;
    if (!in_time) {
        return kg_fail(g->diag, KG_E_INVALID,
                       "The document kept its reader busy for over %d s; it was stopped and the document refused.",
                       WAIT_MS / 1000);
    }
    if (g->answer.len == 0 && WIFEXITED(status)) {
        return kg_fail(g->diag, KG_E_IO,
                       "keng-capgate ended with status %d before it was ready; start it by hand to see why",
                       WEXITSTATUS(status));
    }
    if (g->answer.len < ANSWER_HEAD_BYTES || memcmp(head, ANSWER_MARK, ANSWER_MARK_BYTES) != 0) {
        return kg_fail(g->diag, KG_E_INVALID, "The document brought its reader down (%s %d); it is refused.",
                       WIFSIGNALED(status) ? "signal" : "status",
                       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
    size_t n = 0;
    for (size_t i = ANSWER_MARK_BYTES; i < ANSWER_HEAD_BYTES; i++) {
        n = n << 8 | head[i];
    }
    if (n != g->answer.len - ANSWER_HEAD_BYTES) {
        return kg_fail(g->diag, KG_E_INVALID, "The reader of CAP documents broke off in the middle of its answer.");
    }
    return answer_unpack(head + ANSWER_HEAD_BYTES, n, g->n, out, g->diag);
}

kg_err gate_read(const void *bytes, size_t n, int assume_offset_min, cap_reading *out, kg_diag *diag)
{
    gate g = {
        .fd = -1, .bytes = bytes, .n = n, .diag = diag, .answer = {.max = ANSWER_MAX + ANSWER_HEAD_BYTES + CHUNK}};
    kg_err e = start(&g, assume_offset_min);
    if (e != KG_OK) {
        return e;
    }
    if (n == 0) {
        send_some(&g); /* says at once that nothing comes */
    }
    const bool in_time = talk(&g);
    const int status = reap(&g);
    (void)close(g.fd);
    e = judge(&g, in_time, status, out);
    kg_buf_done(&g.answer);
    return e;
}
