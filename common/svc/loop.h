/*
 * loop - the one event loop of a process: descriptors, timers, signals, children, the bus, and the end of a turn.
 *
 * Turn      Descriptors, then timers that are due, then the bus, then the turn-end hooks in the order they were added:
 *           that is where a group commit belongs, and the answers that may only go out after it.
 * Rules     Handlers do a bounded amount of work and never wait. A turn that leaves work behind calls loop_again, so
 *           that the next one starts at once. Any handler may watch, unwatch, set and free anything, itself included.
 * Built     epoll, one timerfd, one signalfd; children by pidfd. SIGTERM and SIGINT call the stop hooks (none: the loop
 *           quits); SIGHUP the reload hooks. loop_new blocks these and SIGPIPE (a write then only says EPIPE), so call
 *           it before any thread starts, and give a child process a fresh mask (POSIX_SPAWN_SETSIGMASK).
 * Limits    32 hooks in all (more is a bug: assert). A regular file cannot be watched (KG_E_IO).
 * Threads   One.
 */
#ifndef KENG_SVC_LOOP_H
#define KENG_SVC_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

typedef struct loop loop;
typedef struct loop_timer loop_timer;

enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_ERROR = 4 };

typedef void (*loop_fd_fn)(void *ctx, int fd, unsigned events);
typedef void (*loop_fn)(void *ctx);
typedef void (*loop_child_fn)(void *ctx, pid_t pid, int wait_status);

KG_MUST_CHECK kg_err loop_new(loop **out, kg_diag *diag);
void loop_free(loop **l);

/* Level-triggered. Watching a watched descriptor changes its events; 0 stops watching. Unwatch before you close. A
 * hang-up is told as LOOP_READ and LOOP_ERROR, so that a reader sees the end. */
KG_MUST_CHECK kg_err loop_watch(loop *l, int fd, unsigned events, loop_fd_fn fn, void *ctx);
void loop_unwatch(loop *l, int fd);

/* One-shot timers on the monotonic clock; loop_timer_set moves one and cannot fail, loop_timer_stop parks it. Freeing
 * after the loop is gone is allowed. */
KG_MUST_CHECK kg_err loop_timer_new(loop *l, loop_fn fn, void *ctx, loop_timer **out);
void loop_timer_set(loop_timer *t, int64_t after_ms);
void loop_timer_stop(loop_timer *t);
void loop_timer_free(loop_timer **t);

/* Reaps the child and tells how it ended (waitpid's status; SIGKILL when somebody else reaped it). The loop's end
 * leaves children alone. */
KG_MUST_CHECK kg_err loop_child(loop *l, pid_t pid, loop_child_fn fn, void *ctx);

void loop_before_turn_end(loop *l, loop_fn fn, void *ctx); /* runs before every turn-end hook; loop_bus stands here */
void loop_on_turn_end(loop *l, loop_fn fn, void *ctx);
void loop_after_turn_end(loop *l, loop_fn fn, void *ctx); /* and after them */
void loop_on_stop(loop *l, loop_fn fn, void *ctx);        /* SIGTERM, SIGINT: begin to stop; loop_quit when done */
void loop_on_reload(loop *l, loop_fn fn, void *ctx);      /* SIGHUP */
void loop_on_free(loop *l, loop_fn fn, void *ctx);        /* what a helper put into the loop goes with it */
void loop_again(loop *l);
void loop_quit(loop *l);
void loop_fail(loop *l, kg_err e, const kg_diag *diag); /* quit, and loop_run returns e with this sentence */
KG_MUST_CHECK kg_err loop_run(loop *l, kg_diag *diag);  /* until loop_quit: KG_OK; or loop_fail */

/* Puts a bus into a loop: polled at most once a turn, with `budget`, before the turn-end hooks; what they send is
 * looked after, too. Free the loop before the bus. A bus that fails, fails the loop. */
struct bus;
KG_MUST_CHECK kg_err loop_bus(loop *l, struct bus *b, unsigned budget);

#endif
