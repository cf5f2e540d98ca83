#include "publisher.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "deskdoor.h"
#include "drop.h"
#include "feedpoll.h"
#include "svc/cli.h"
#include "svc/notify.h"

enum { BUS_BUDGET = 256, LINGER_MS = 250 };

static const char program[] = "keng-publisher";

/* Everything a running publisher holds, opened in this order and closed in the other. */
typedef struct house {
    loop *loop;
    bus *bus;
    outbox *outbox;
    desk *desk;
    deskdoor *door;
    drop *drop;
    feedpoll *feeds;
    loop_timer *linger;
    int status;
    size_t block; /* lines of the progress last printed */
} house;

static kg_err open_house(house *h, const publisher_config *c, kg_diag *diag)
{
    char path[PATH_MAX];
    const int n = snprintf(path, sizeof path, "%s/outbox.db", c->state);
    if (n < 0 || (size_t)n >= sizeof path) {
        return kg_fail(diag, KG_E_LIMIT, "%s: path is too long", c->state);
    }
    kg_err e = loop_new(&h->loop, diag); /* first: it blocks signals before any thread starts */
    if (e == KG_OK) {
        e = outbox_open(path, &h->outbox, diag);
    }
    if (e == KG_OK) {
        e = bus_new(c->connect_key, &h->bus, diag);
    }
    if (e == KG_OK) {
        e = desk_open(h->loop, h->bus, h->outbox, c, &h->desk, diag);
    }
    if (e == KG_OK) {
        e = loop_bus(h->loop, h->bus, BUS_BUDGET);
    }
    if (e == KG_OK) {
        e = deskdoor_open(h->loop, h->desk, c->state, &h->door, diag);
    }
    return e;
}

static void close_house(house *h)
{
    feedpoll_close(&h->feeds);
    drop_close(&h->drop);
    deskdoor_close(&h->door);
    loop_timer_free(&h->linger);
    desk_close(&h->desk);
    bus_free(&h->bus);
    outbox_close(&h->outbox);
    loop_free(&h->loop);
}

static void on_stop(void *ctx)
{
    house *h = ctx;
    notify_stopping();
    loop_quit(h->loop); /* what is not answered waits in the outbox */
}

int publisher_serve(const publisher_config *c, const publisher_watch *w)
{
    house h = {0};
    kg_diag diag = {{0}};
    kg_err e = open_house(&h, c, &diag);
    if (e == KG_OK && w->drop[0] != '\0') {
        e = drop_open(h.loop, h.desk, w->drop, &h.drop, &diag);
    }
    if (e == KG_OK && w->poll_count > 0) {
        e = feedpoll_open(h.loop, h.desk, c, w->polls, w->poll_count, &h.feeds, &diag);
    }
    if (e == KG_OK) {
        loop_on_stop(h.loop, on_stop, &h);
        e = notify_watchdog(h.loop);
    }
    if (e == KG_OK) {
        kg_log(KG_INFO, "publisher.ready", KG_TEXT("agency", c->agency), KG_TEXT("state", c->state),
               KG_TEXT("drop", w->drop), KG_INT("polls", w->poll_count));
        notify_ready();
        e = loop_run(h.loop, &diag);
    }
    close_house(&h);
    return e == KG_OK ? CLI_OK : cli_fail(program, e, &diag);
}

static size_t line_ends(const char *text)
{
    size_t ends = 0;
    for (const char *p = text; *p != '\0'; p++) {
        ends += *p == '\n' ? 1 : 0;
    }
    return ends;
}

/* Progress comes as a block of lines; on a terminal the next block is drawn over the last one. */
static void print_text(void *ctx, const char *text)
{
    size_t *block = ctx; /* lines of the block that the cursor stands behind; 0 none */
    const size_t lines = line_ends(text) + 1;
    const bool terminal = isatty(STDOUT_FILENO) == 1;
    if (terminal && lines > 1 && *block > 0) {
        (void)printf("\033[%zuA\033[J", *block);
    }
    (void)puts(text);
    (void)fflush(stdout);
    *block = lines > 1 ? lines : 0;
}

static void on_say(void *ctx, const char *line)
{
    house *h = ctx;
    print_text(&h->block, line);
}

/* The answer is there; the router may still be fetching the original document or a recording. */
static void on_linger(void *ctx)
{
    house *h = ctx;
    if (h->status != CLI_OK || desk_quiet(h->desk)) {
        loop_quit(h->loop);
    } else {
        loop_timer_set(h->linger, LINGER_MS);
    }
}

static void on_end(void *ctx, int status)
{
    house *h = ctx;
    h->status = status;
    loop_timer_set(h->linger, LINGER_MS);
}

int publisher_once(const publisher_config *c, const desk_request *r)
{
    kg_diag diag = {{0}};
    int status = CLI_LATER;
    size_t block = 0;
    kg_err e = deskdoor_ask(c->state, r, &(deskdoor_line){print_text, &block}, &status, &diag);
    if (e == KG_OK) {
        return status;
    }
    if (e != KG_E_NOTFOUND) {
        return cli_fail(program, e, &diag);
    }
    house h = {.status = CLI_LATER};
    e = open_house(&h, c, &diag);
    if (e == KG_OK) {
        e = loop_timer_new(h.loop, on_linger, &h, &h.linger);
    }
    if (e == KG_OK) {
        const desk_ears ears = {.say = on_say, .end = on_end, .ctx = &h};
        loop_on_stop(h.loop, on_stop, &h);
        desk_ask(h.desk, r, &ears);
        e = loop_run(h.loop, &diag);
    }
    close_house(&h);
    return e == KG_OK ? h.status : cli_fail(program, e, &diag);
}
