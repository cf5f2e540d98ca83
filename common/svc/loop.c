#include "svc/loop.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum { EVENTS_A_TURN = 128, HOOKS_MAX = 32, FD_MAX = 1 << 20, TIMERS_MAX = 1 << 20, PARKED = -1 };

typedef struct watch {
    loop_fd_fn fn; /* NULL: not watched */
    void *ctx;
    unsigned events;
    uint32_t generation; /* tells an event of this watch from a late one of a closed descriptor of the same number */
} watch;

struct loop_timer {
    loop *owner; /* NULL once the loop is gone */
    loop_fn fn;
    void *ctx;
    int64_t due_ms;
    uint64_t order; /* timers due in the same millisecond fire in the order they were set */
    int at;         /* place in the heap, or PARKED */
    loop_timer *next, *prev;
};

typedef struct child {
    struct child *next, *prev;
    loop *owner;
    pid_t pid;
    int fd;
    loop_child_fn fn;
    void *ctx;
} child;

typedef enum moment { AT_STOP, AT_RELOAD, BEFORE_TURN_END, AT_TURN_END, AFTER_TURN_END, AT_FREE } moment;

typedef struct hook {
    moment when;
    loop_fn fn;
    void *ctx;
} hook;

struct loop {
    int epoll_fd, timer_fd, signal_fd;
    watch *watches; /* by descriptor */
    size_t watch_cap;
    uint32_t generation;
    loop_timer **heap;
    size_t heap_len, heap_cap;
    size_t timer_count; /* all that exist: the heap has room for each, so that setting one cannot fail */
    loop_timer *timers;
    uint64_t timer_order;
    int64_t armed_ms; /* what timer_fd is set to; 0 disarmed */
    child *children;
    hook hooks[HOOKS_MAX];
    size_t hook_count;
    sigset_t old_mask;
    bool again, quit;
    kg_err failed;
    kg_diag why;
};

/* ---- descriptors ---- */

static uint32_t to_epoll(unsigned events)
{
    return ((events & LOOP_READ) != 0 ? EPOLLIN | EPOLLRDHUP : 0U) | ((events & LOOP_WRITE) != 0 ? EPOLLOUT : 0U);
}

static unsigned from_epoll(uint32_t events)
{
    return ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) != 0 ? (unsigned)LOOP_READ : 0U) |
           ((events & EPOLLOUT) != 0 ? (unsigned)LOOP_WRITE : 0U) |
           ((events & (EPOLLERR | EPOLLHUP)) != 0 ? (unsigned)LOOP_ERROR : 0U);
}

static kg_err grow_watches(loop *l, int fd)
{
    if (fd < 0 || fd >= FD_MAX) {
        return KG_E_LIMIT;
    }
    if ((size_t)fd < l->watch_cap) {
        return KG_OK;
    }
    size_t cap = l->watch_cap != 0 ? l->watch_cap : 64;
    while (cap <= (size_t)fd) {
        cap *= 2;
    }
    watch *w = realloc(l->watches, cap * sizeof *w);
    if (w == NULL) {
        return KG_E_NOMEM;
    }
    memset(w + l->watch_cap, 0, (cap - l->watch_cap) * sizeof *w);
    l->watches = w;
    l->watch_cap = cap;
    return KG_OK;
}

kg_err loop_watch(loop *l, int fd, unsigned events, loop_fd_fn fn, void *ctx)
{
    if (events == 0) {
        loop_unwatch(l, fd);
        return KG_OK;
    }
    const kg_err e = grow_watches(l, fd);
    if (e != KG_OK) {
        return e;
    }
    watch *w = &l->watches[fd];
    const bool fresh = w->fn == NULL;
    const uint32_t generation = fresh ? ++l->generation : w->generation;
    struct epoll_event ev = {.events = to_epoll(events), .data.u64 = (uint64_t)generation << 32 | (uint32_t)fd};
    int rc = epoll_ctl(l->epoll_fd, fresh ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &ev);
    if (rc != 0 && !fresh && errno == ENOENT) {
        /* It was closed without loop_unwatch and the number given out again. */
        rc = epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev);
    }
    if (rc != 0) {
        return errno == ENOMEM || errno == ENOSPC ? KG_E_NOMEM : KG_E_IO;
    }
    *w = (watch){.fn = fn, .ctx = ctx, .events = events, .generation = generation};
    return KG_OK;
}

void loop_unwatch(loop *l, int fd)
{
    if (fd < 0 || (size_t)fd >= l->watch_cap || l->watches[fd].fn == NULL) {
        return;
    }
    l->watches[fd] = (watch){0};
    /* Fails when the descriptor was closed first: then the kernel has forgotten it already. */
    (void)epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

/* ---- timers: a binary heap ---- */

static bool sooner(const loop_timer *a, const loop_timer *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->order < b->order;
}

static void place(loop *l, loop_timer *t, size_t at)
{
    l->heap[at] = t;
    t->at = (int)at;
}

static void sift(loop *l, loop_timer *t, size_t at)
{
    while (at > 0 && sooner(t, l->heap[(at - 1) / 2])) {
        place(l, l->heap[(at - 1) / 2], at);
        at = (at - 1) / 2;
    }
    for (;;) {
        size_t kid = 2 * at + 1;
        if (kid + 1 < l->heap_len && sooner(l->heap[kid + 1], l->heap[kid])) {
            kid++;
        }
        if (kid >= l->heap_len || !sooner(l->heap[kid], t)) {
            break;
        }
        place(l, l->heap[kid], at);
        at = kid;
    }
    place(l, t, at);
}

kg_err loop_timer_new(loop *l, loop_fn fn, void *ctx, loop_timer **out)
{
    if (l->timer_count == l->heap_cap) {
        const size_t cap = l->heap_cap != 0 ? 2 * l->heap_cap : 16;
        if (cap > TIMERS_MAX) {
            return KG_E_LIMIT;
        }
        loop_timer **heap = realloc(l->heap, cap * sizeof(loop_timer *));
        if (heap == NULL) {
            return KG_E_NOMEM;
        }
        l->heap = heap;
        l->heap_cap = cap;
    }
    loop_timer *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return KG_E_NOMEM;
    }
    *t = (loop_timer){.owner = l, .fn = fn, .ctx = ctx, .at = PARKED, .next = l->timers};
    if (l->timers != NULL) {
        l->timers->prev = t;
    }
    l->timers = t;
    l->timer_count++;
    *out = t;
    return KG_OK;
}

void loop_timer_stop(loop_timer *t)
{
    loop *l = t->owner;
    if (l == NULL || t->at == PARKED) {
        return;
    }
    const size_t at = (size_t)t->at;
    t->at = PARKED;
    loop_timer *last = l->heap[--l->heap_len];
    if (last != t) {
        sift(l, last, at);
    }
}

void loop_timer_set(loop_timer *t, int64_t after_ms)
{
    loop *l = t->owner;
    if (l == NULL) {
        return;
    }
    loop_timer_stop(t);
    const int64_t now = kg_clock_mono_ms();
    const int64_t wait = after_ms > 0 ? after_ms : 0;
    t->due_ms = wait < INT64_MAX - now ? now + wait : INT64_MAX;
    t->order = l->timer_order++;
    sift(l, t, l->heap_len++);
}

void loop_timer_free(loop_timer **timer)
{
    loop_timer *t = *timer;
    if (t == NULL) {
        return;
    }
    loop_timer_stop(t);
    if (t->owner != NULL) {
        if (t->prev != NULL) {
            t->prev->next = t->next;
        } else {
            t->owner->timers = t->next;
        }
        if (t->next != NULL) {
            t->next->prev = t->prev;
        }
        t->owner->timer_count--;
    }
    free(t);
    *timer = NULL;
}

static void run_timers(loop *l)
{
    const int64_t now = kg_clock_mono_ms();
    /* A timer that sets itself to "at once" must not keep the turn from ending. */
    for (size_t left = l->heap_len; left > 0 && l->heap_len > 0 && l->heap[0]->due_ms <= now; left--) {
        loop_timer *t = l->heap[0];
        loop_timer_stop(t);
        t->fn(t->ctx);
    }
}

static void arm_timer(loop *l)
{
    const int64_t due = l->heap_len > 0 ? l->heap[0]->due_ms : 0;
    if (due == l->armed_ms) {
        return;
    }
    const struct itimerspec at = {.it_value = {.tv_sec = due / 1000, .tv_nsec = due % 1000 * 1000000}};
    const int rc = timerfd_settime(l->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
    assert(rc == 0);
    l->armed_ms = due;
}

static void on_timer_fd(void *ctx, int fd, unsigned events)
{
    (void)events;
    loop *l = ctx;
    uint64_t fired = 0;
    if (read(fd, &fired, sizeof fired) > 0) {
        l->armed_ms = 0; /* spent; run_timers does the work, arm_timer sets the next */
    }
}

/* ---- signals and children ---- */

static void run_hooks(loop *l, moment when)
{
    for (size_t i = 0; i < l->hook_count; i++) {
        if (l->hooks[i].when == when) {
            l->hooks[i].fn(l->hooks[i].ctx);
        }
    }
}

static void add_hook(loop *l, moment when, loop_fn fn, void *ctx)
{
    assert(l->hook_count < HOOKS_MAX);
    l->hooks[l->hook_count++] = (hook){when, fn, ctx};
}

static bool has_hook(const loop *l, moment when)
{
    for (size_t i = 0; i < l->hook_count; i++) {
        if (l->hooks[i].when == when) {
            return true;
        }
    }
    return false;
}

static void on_signal_fd(void *ctx, int fd, unsigned events)
{
    (void)events;
    loop *l = ctx;
    struct signalfd_siginfo info;
    while (read(fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGHUP) {
            run_hooks(l, AT_RELOAD);
        } else if (has_hook(l, AT_STOP)) {
            run_hooks(l, AT_STOP);
        } else {
            l->quit = true;
        }
    }
}

static void child_drop(child *c)
{
    loop *l = c->owner;
    loop_unwatch(l, c->fd);
    (void)close(c->fd);
    if (c->prev != NULL) {
        c->prev->next = c->next;
    } else {
        l->children = c->next;
    }
    if (c->next != NULL) {
        c->next->prev = c->prev;
    }
    free(c);
}

static void on_child(void *ctx, int fd, unsigned events)
{
    (void)fd;
    (void)events;
    child *c = ctx;
    int status = 0;
    const pid_t got = waitpid(c->pid, &status, WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR)) {
        return; /* not yet: the descriptor stays readable */
    }
    const child ended = *c;
    child_drop(c);
    /* Somebody else reaped it: what it said is lost, so it counts as a failure, as if killed. */
    ended.fn(ended.ctx, ended.pid, got == ended.pid ? status : SIGKILL);
}

kg_err loop_child(loop *l, pid_t pid, loop_child_fn fn, void *ctx)
{
    child *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return KG_E_NOMEM;
    }
    *c = (child){.owner = l, .pid = pid, .fd = pidfd_open(pid, 0), .fn = fn, .ctx = ctx};
    if (c->fd < 0) {
        free(c);
        return KG_E_IO;
    }
    const kg_err e = loop_watch(l, c->fd, LOOP_READ, on_child, c);
    if (e != KG_OK) {
        (void)close(c->fd);
        free(c);
        return e;
    }
    c->next = l->children;
    if (c->next != NULL) {
        c->next->prev = c;
    }
    l->children = c;
    return KG_OK;
}

/* ---- life ---- */

static bool open_descriptors(loop *l)
{
    sigset_t ours;
    (void)sigemptyset(&ours);
    (void)sigaddset(&ours, SIGTERM);
    (void)sigaddset(&ours, SIGINT);
    (void)sigaddset(&ours, SIGHUP);
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    l->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    l->signal_fd = signalfd(-1, &ours, SFD_NONBLOCK | SFD_CLOEXEC);
    /* SIGPIPE is blocked and never read: a write to a closed pipe or socket then only returns EPIPE. */
    (void)sigaddset(&ours, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &ours, &l->old_mask);
    return l->epoll_fd >= 0 && l->timer_fd >= 0 && l->signal_fd >= 0 &&
           loop_watch(l, l->timer_fd, LOOP_READ, on_timer_fd, l) == KG_OK &&
           loop_watch(l, l->signal_fd, LOOP_READ, on_signal_fd, l) == KG_OK;
}

kg_err loop_new(loop **out, kg_diag *diag)
{
    loop *l = calloc(1, sizeof *l);
    if (l == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for the event loop");
    }
    if (!open_descriptors(l)) {
        const kg_err e = kg_fail(diag, KG_E_IO, "cannot open the event loop: %s", strerror(errno));
        loop_free(&l);
        return e;
    }
    *out = l;
    return KG_OK;
}

static void restore_signals(const loop *l)
{
    /* A SIGPIPE that was held back all the time must not strike now. */
    sigset_t pipe_only;
    (void)sigemptyset(&pipe_only);
    (void)sigaddset(&pipe_only, SIGPIPE);
    (void)sigtimedwait(&pipe_only, NULL, &(struct timespec){0});
    (void)pthread_sigmask(SIG_SETMASK, &l->old_mask, NULL);
}

void loop_free(loop **loop_to_free)
{
    loop *l = *loop_to_free;
    if (l == NULL) {
        return;
    }
    run_hooks(l, AT_FREE);
    for (child *c = l->children; c != NULL;) {
        child *next = c->next;
        (void)close(c->fd);
        free(c);
        c = next;
    }
    for (loop_timer *t = l->timers; t != NULL; t = t->next) {
        t->owner = NULL;
        t->at = PARKED;
    }
    const int fds[] = {l->signal_fd, l->timer_fd, l->epoll_fd};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]);
        }
    }
    restore_signals(l);
    free(l->watches);
    free(l->heap);
    free(l);
    *loop_to_free = NULL;
}

void loop_on_stop(loop *l, loop_fn fn, void *ctx)
{
    add_hook(l, AT_STOP, fn, ctx);
}

void loop_on_reload(loop *l, loop_fn fn, void *ctx)
{
    add_hook(l, AT_RELOAD, fn, ctx);
}

void loop_before_turn_end(loop *l, loop_fn fn, void *ctx)
{
    add_hook(l, BEFORE_TURN_END, fn, ctx);
}

void loop_on_turn_end(loop *l, loop_fn fn, void *ctx)
{
    add_hook(l, AT_TURN_END, fn, ctx);
}

void loop_after_turn_end(loop *l, loop_fn fn, void *ctx)
{
    add_hook(l, AFTER_TURN_END, fn, ctx);
}

void loop_on_free(loop *l, loop_fn fn, void *ctx)
{
    add_hook(l, AT_FREE, fn, ctx);
}

void loop_again(loop *l)
{
    l->again = true;
}

void loop_quit(loop *l)
{
    l->quit = true;
}

void loop_fail(loop *l, kg_err e, const kg_diag *diag)
{
    l->quit = true;
    if (l->failed == KG_OK) { /* the first cause is the one to tell */
        l->failed = e;
        l->why = diag != NULL ? *diag : (kg_diag){{0}};
    }
}

static void dispatch(loop *l, const struct epoll_event *ev)
{
    const size_t fd = (size_t)(ev->data.u64 & UINT32_MAX);
    if (fd >= l->watch_cap) {
        return;
    }
    const watch w = l->watches[fd];
    if (w.fn != NULL && w.generation == ev->data.u64 >> 32) {
        w.fn(w.ctx, (int)fd, from_epoll(ev->events));
    }
}

kg_err loop_run(loop *l, kg_diag *diag)
{
    struct epoll_event events[EVENTS_A_TURN];
    l->quit = false;
    l->failed = KG_OK;
    while (!l->quit) {
        arm_timer(l);
        const int n = epoll_wait(l->epoll_fd, events, EVENTS_A_TURN, l->again ? 0 : -1);
        if (n < 0 && errno != EINTR) {
            return kg_fail(diag, KG_E_IO, "the event loop cannot wait: %s", strerror(errno));
        }
        l->again = false;
        for (int i = 0; i < n; i++) {
            dispatch(l, &events[i]);
        }
        run_timers(l);
        run_hooks(l, BEFORE_TURN_END);
        run_hooks(l, AT_TURN_END);
        run_hooks(l, AFTER_TURN_END);
    }
    return l->failed == KG_OK ? KG_OK : kg_fail(diag, l->failed, "%s", l->why.text);
}
