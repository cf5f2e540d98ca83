#include "tests/bench/bench_common.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

double bench_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void bench_sleep(double seconds)
{
    if (seconds <= 0) {
        return;
    }
    struct timespec t = {.tv_sec = (time_t)seconds};
    t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
    while (nanosleep(&t, &t) != 0 && errno == EINTR) {
    }
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_percentile(double *values, size_t n, double percent)
{
    qsort(values, n, sizeof *values, by_value);
    size_t rank = (size_t)((double)n * percent / 100.0 + 0.999999);
    rank = rank < 1 ? 1 : rank > n ? n : rank;
    return values[rank - 1];
}

void bench_result(const char *name, double value, const char *unit)
{
    (void)printf("%s\t%.9g\t%s\n", name, value, unit);
    (void)fflush(stdout);
}

void bench_results(const char *name, double *values, size_t n, const char *unit)
{
    static const struct {
        const char *name;
        double percent;
    } rows[] = {{"p50", 50}, {"p99", 99}, {"max", 100}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[128];
        (void)snprintf(text, sizeof text, "%s %s", name, rows[i].name);
        bench_result(text, bench_percentile(values, n, rows[i].percent), unit);
    }
}

_Noreturn void bench_die(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vfprintf(stderr, fmt, args);
    va_end(args);
    (void)fputc('\n', stderr);
    exit(1);
}

void bench_must(kg_err e, const kg_diag *diag, const char *what)
{
    if (e != KG_OK) {
        bench_die("%s: %s: %s", what, kg_err_name(e), diag != NULL ? diag->text : "");
    }
}

static void *there(void *room, size_t count, size_t size)
{
    if (room == NULL && count > 0) {
        bench_die("no memory for %zu times %zu bytes", count, size);
    }
    return room;
}

void *bench_room(size_t count, size_t size)
{
    return there(calloc(count, size), count, size);
}

void *bench_grow(void *old, size_t count, size_t size)
{
    return there(reallocarray(old, count, size), count, size);
}

size_t bench_number(const char *text, size_t most)
{
    char *end = NULL;
    const unsigned long long n = strtoull(text, &end, 10);
    if (*text == '\0' || *end != '\0' || n == 0 || n > most) {
        bench_die("\"%s\" is no number from 1 to %zu", text, most);
    }
    return (size_t)n;
}

pid_t bench_fork(void)
{
    const pid_t parent = getpid();
    (void)fflush(stdout);
    const pid_t child = fork();
    if (child < 0) {
        bench_die("cannot fork: %s", strerror(errno));
    }
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) {
            _exit(1);
        }
    }
    return child;
}

void bench_end(pid_t *children, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        (void)kill(children[i], SIGKILL);
        (void)waitpid(children[i], NULL, 0);
    }
}

void bench_write(int fd, const void *record, size_t n)
{
    if (write(fd, record, n) != (ssize_t)n) { /* shorter than PIPE_BUF: whole or not at all */
        _exit(1);
    }
}

void bench_read(int fd, void *record, size_t n)
{
    size_t got = 0;
    while (got < n) {
        const ssize_t r = read(fd, (char *)record + got, n - got);
        if (r <= 0 && !(r < 0 && errno == EINTR)) {
            bench_die("a process of the bench has gone; its last words are above");
        }
        got += r > 0 ? (size_t)r : 0;
    }
}
