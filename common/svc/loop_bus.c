#include <stdlib.h>

#include "bus/bus.h"
#include "svc/loop.h"

typedef struct seat {
    loop *l;
    bus *b;
    unsigned budget;
    bool woken;
} seat;

static void on_wake(void *ctx, int fd, unsigned events)
{
    (void)fd;
    (void)events;
    ((seat *)ctx)->woken = true;
}

static void poll_bus(void *ctx)
{
    seat *s = ctx;
    if (!s->woken && !bus_pending(s->b)) {
        return;
    }
    s->woken = false;
    kg_diag diag = {{0}};
    const kg_err e = bus_poll(s->b, s->budget, NULL, &diag);
    if (e != KG_OK) {
        loop_fail(s->l, e, &diag);
    }
}

/* What was sent in this turn may have taken a wake-up with it, and a budget may have ended: look again at once. */
static void look_again(void *ctx)
{
    const seat *s = ctx;
    if (bus_pending(s->b)) {
        loop_again(s->l);
    }
}

kg_err loop_bus(loop *l, bus *b, unsigned budget)
{
    seat *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return KG_E_NOMEM;
    }
    *s = (seat){.l = l, .b = b, .budget = budget, .woken = true};
    loop_on_free(l, free, s);
    loop_before_turn_end(l, poll_bus, s);
    loop_after_turn_end(l, look_again, s);
    loop_again(l);
    return loop_watch(l, bus_fd(b), LOOP_READ, on_wake, s);
}
