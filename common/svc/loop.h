/*
 * loop - the one event loop of a process: descriptors, timers, signals, children, the bus, and the end of a turn.
 *
 * Rules     Handlers do a bounded amount of work and never wait. After all handlers of a turn ran, the turn-end hooks
 *           run in the order they were added: that is where a group commit belongs. A turn that leaves work behind
 *           calls loop_again, so that the next one starts at once.
 * Built     epoll, one timerfd, one signalfd; children by pidfd. SIGTERM and SIGINT call the stop hook; SIGHUP the
 *           reload hook. Signals are blocked by loop_new, before any thread starts. Threads One.
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

/* Level-triggered. Watching a watched descriptor changes its events; 0 stops watching. */
KG_MUST_CHECK kg_err loop_watch(loop *l, int fd, unsigned events, loop_fd_fn fn, void *ctx);
void loop_unwatch(loop *l, int fd);

/* One-shot timers on the monotonic clock; loop_timer_set moves one, loop_timer_stop parks it. */
KG_MUST_CHECK kg_err loop_timer_new(loop *l, loop_fn fn, void *ctx, loop_timer **out);
void loop_timer_set(loop_timer *t, int64_t after_ms);
void loop_timer_stop(loop_timer *t);
void loop_timer_free(loop_timer **t);

KG_MUST_CHECK kg_err loop_child(loop *l, pid_t pid, loop_child_fn fn, void *ctx);

void loop_on_turn_end(loop *l, loop_fn fn, void *ctx);
void loop_on_stop(loop *l, loop_fn fn, void *ctx);   /* SIGTERM, SIGINT: begin to stop; loop_quit when done */
void loop_on_reload(loop *l, loop_fn fn, void *ctx); /* SIGHUP */
void loop_again(loop *l);
void loop_quit(loop *l);
KG_MUST_CHECK kg_err loop_run(loop *l, kg_diag *diag); /* until loop_quit; KG_OK */

/* Puts a bus into a loop: watches its descriptors, polls it once a turn with `budget`. */
struct bus;
KG_MUST_CHECK kg_err loop_bus(loop *l, struct bus *b, unsigned budget);

#endif
