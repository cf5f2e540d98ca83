/*
 * bench_common - what every bench program shares: a clock all processes agree on, percentiles, lines of results.
 *
 * Result    One line a figure on standard output: name, tab, value, tab, unit. tests/bench/run reads them.
 * Errors    A bench that cannot go on says why and exits with 1: a number from half a run is worse than none.
 */
#ifndef KENG_BENCH_COMMON_H
#define KENG_BENCH_COMMON_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

double bench_now(void); /* seconds, CLOCK_MONOTONIC: the same in every process of the machine */
void bench_sleep(double seconds);
double bench_percentile(double *values, size_t n, double percent); /* sorts them; nearest rank */
void bench_result(const char *name, double value, const char *unit);
void bench_results(const char *name, double *values, size_t n, const char *unit); /* p50, p99 and max */
_Noreturn void bench_die(const char *fmt, ...) KG_PRINTF(1, 2);
void bench_must(kg_err e, const kg_diag *diag, const char *what);
/* calloc and reallocarray that die instead of giving NULL. */
void *bench_room(size_t count, size_t size);
void *bench_grow(void *old, size_t count, size_t size);
size_t bench_number(const char *text, size_t most); /* dies when it is none, 0 or more than most */

/* A child process; it ends when its parent does. 0 in the child. */
pid_t bench_fork(void);
void bench_end(pid_t *children, size_t n); /* kills and reaps */

/* Whole records over a pipe: dies when the other end has gone. */
void bench_write(int fd, const void *record, size_t n);
void bench_read(int fd, void *record, size_t n);

#endif
