#include "feedpoll.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "cap/gate.h"
#include "http/http.h"
#include "svc/cli.h"

enum { LINKS_MAX = 512, SEEN_MAX = 4096, ANSWER_BYTES_MAX = 16 * 1024 * 1024, REQUEST_MS = 60000, VALIDATOR_MAX = 256 };

typedef enum kind { KIND_UNKNOWN, KIND_CAP, KIND_FEED } kind;

typedef struct feed {
    feedpoll *all;
    const publisher_poll *poll;
    loop_timer *timer;
    bool asking;
    char etag[VALIDATOR_MAX], modified[VALIDATOR_MAX];
    kind kind;
    bool had_entries;
    const char *alarm;      /* raised and not yet cleared; NULL none */
    char *links[LINKS_MAX]; /* CAP documents that entries point to, still to be fetched */
    size_t link_count;
} feed;

struct feedpoll {
    loop *loop;
    desk *desk;
    http *http;
    const publisher_config *config;
    feed *feeds;
    size_t count;
    alert_hash seen[SEEN_MAX]; /* links fetched lately: a ring; the outbox is what really prevents a second sending */
    size_t seen_at;
};

static void raise_alarm(feed *f, const char *what, const char *detail)
{
    if (f->alarm == NULL || strcmp(f->alarm, what) != 0) {
        kg_log(KG_ERROR, "poll.alarm", KG_TEXT("url", f->poll->url), KG_TEXT("what", what), KG_TEXT("detail", detail),
               KG_TEXT("note", "this does not mean that there are no warnings"));
    }
    f->alarm = what;
}

static void clear_alarm(feed *f)
{
    if (f->alarm != NULL) {
        kg_log(KG_WARNING, "poll.alarm_over", KG_TEXT("url", f->poll->url), KG_TEXT("what", f->alarm));
    }
    f->alarm = NULL;
}

static void on_say(void *ctx, const char *line)
{
    const feed *f = ctx;
    kg_log(KG_INFO, "poll.desk", KG_TEXT("url", f->poll->url), KG_TEXT("says", line));
}

static void on_end(void *ctx, int status)
{
    const feed *f = ctx;
    if (status == CLI_FAILED) {
        kg_log(KG_WARNING, "poll.refused", KG_TEXT("url", f->poll->url));
    }
}

static void hand_over(feed *f, const char *name, const kg_buf *document)
{
    const desk_request r = {
        .verb = "send", .name = name, .document = document, .document_ms = kg_clock_wall_ms(), .quiet_if_known = true};
    const desk_ears ears = {.say = on_say, .end = on_end, .ctx = f};
    desk_ask(f->all->desk, &r, &ears);
}

static bool seen_before(feedpoll *p, const char *link)
{
    const alert_hash h = alert_hash_of(link, strlen(link));
    for (size_t i = 0; i < SEEN_MAX; i++) {
        if (memcmp(&p->seen[i], &h, sizeof h) == 0) {
            return true;
        }
    }
    return false;
}

static void mark_seen(feedpoll *p, const char *link)
{
    p->seen[p->seen_at] = alert_hash_of(link, strlen(link));
    p->seen_at = (p->seen_at + 1) % SEEN_MAX;
}

static void queue_link(feed *f, const char *link)
{
    if (seen_before(f->all, link)) {
        return;
    }
    for (size_t i = 0; i < f->link_count; i++) {
        if (strcmp(f->links[i], link) == 0) {
            return;
        }
    }
    char *copy = f->link_count < LINKS_MAX ? strdup(link) : NULL;
    if (copy == NULL) {
        raise_alarm(f, "more links than can be fetched at once", link);
        return;
    }
    f->links[f->link_count++] = copy;
}

static void next_link(feed *f);

static void on_linked(void *ctx, const http_answer *a)
{
    feed *f = ctx;
    char *link = f->links[0];
    f->link_count--;
    memmove(&f->links[0], &f->links[1], f->link_count * sizeof f->links[0]);
    if (a->error != KG_OK || a->status != 200) {
        raise_alarm(f, "an entry's document cannot be fetched", a->error != KG_OK ? a->sentence : link);
        f->etag[0] = f->modified[0] = '\0'; /* so that the next look sees the entry again */
    } else {
        kg_buf body = {0};
        if (kg_buf_put(&body, a->body, a->body_bytes) == KG_OK) {
            hand_over(f, link, &body);
            mark_seen(f->all, link);
        }
        kg_buf_done(&body);
    }
    free(link);
    next_link(f);
}

/* One at a time: a feed of hundreds of entries does not crowd out the next one's look. */
static void next_link(feed *f)
{
    kg_diag diag = {{0}};
    while (f->link_count > 0) {
        const http_request r = {.url = f->links[0], .timeout_ms = REQUEST_MS, .answer_max = ANSWER_BYTES_MAX};
        if (http_send(f->all->http, &r, on_linked, f, NULL, &diag) == KG_OK) {
            return;
        }
        raise_alarm(f, "an entry's document cannot be fetched", diag.text);
        free(f->links[0]);
        f->link_count--;
        memmove(&f->links[0], &f->links[1], f->link_count * sizeof f->links[0]);
    }
    f->asking = false;
}

static void remember(char out[VALIDATOR_MAX], const char *value)
{
    const bool fits = value != NULL && strlen(value) < VALIDATOR_MAX;
    (void)snprintf(out, VALIDATOR_MAX, "%s", fits ? value : "");
}

static void take_document(feed *f, const http_answer *a)
{
    kg_diag diag = {{0}};
    cap_reading reading;
    kg_buf body = {0};
    kg_err e = kg_buf_put(&body, a->body, a->body_bytes);
    if (e == KG_OK) {
        e = gate_read(kg_buf_str(&body), body.len, f->all->config->offset_min, &reading, &diag);
    }
    if (e != KG_OK) {
        raise_alarm(f, "unreadable", diag.text);
        kg_buf_done(&body);
        return;
    }
    const kind now = reading.container ? KIND_FEED : KIND_CAP;
    bool has_alerts = false;
    for (size_t i = 0; i < reading.count; i++) {
        const cap_document *d = &reading.documents[i];
        has_alerts = has_alerts || d->has_alert || d->verdict == CAP_REFUSE;
        if (!d->has_alert && d->link != NULL && d->link[0] != '\0') {
            queue_link(f, d->link);
        }
    }
    if (f->kind != KIND_UNKNOWN && f->kind != now) {
        raise_alarm(f, "changed its kind",
                    now == KIND_FEED ? "was a CAP document, is a feed" : "was a feed, is a CAP document");
    } else if (reading.count == 0) {
        raise_alarm(f, "empty",
                    f->had_entries ? "it had entries before; an entry that disappears is not a Cancel"
                                   : "it has had no entry since this publisher started");
    } else if (!reading.container && reading.documents[0].verdict == CAP_REFUSE) {
        raise_alarm(f, "unreadable",
                    reading.documents[0].finding_count > 0 ? reading.documents[0].findings[0].sentence
                                                           : "it is neither CAP nor a feed");
        has_alerts = false;
    } else {
        clear_alarm(f);
    }
    f->kind = now;
    f->had_entries = f->had_entries || reading.count > 0;
    cap_reading_done(&reading);
    if (has_alerts) {
        hand_over(f, f->poll->url, &body);
    }
    remember(f->etag, http_header(a, "ETag"));
    remember(f->modified, http_header(a, "Last-Modified"));
    kg_buf_done(&body);
}

static void on_answer(void *ctx, const http_answer *a)
{
    feed *f = ctx;
    char status[48];
    (void)snprintf(status, sizeof status, "HTTP status %ld", a->status);
    if (a->error != KG_OK) {
        raise_alarm(f, "cannot be fetched", a->sentence);
    } else if (a->status == 304) {
        clear_alarm(f);
    } else if (a->status != 200) {
        raise_alarm(f, "cannot be fetched", status);
    } else {
        take_document(f, a);
    }
    next_link(f);
}

static void look(void *ctx)
{
    feed *f = ctx;
    loop_timer_set(f->timer, (int64_t)f->poll->every_s * 1000);
    if (f->asking) {
        raise_alarm(f, "slow", "the last look is not over");
        return;
    }
    char none_match[VALIDATOR_MAX + 20];
    char since[VALIDATOR_MAX + 24];
    const char *headers[3] = {
        "Accept: application/cap+xml, application/atom+xml, application/rss+xml, application/xml, text/xml"};
    size_t count = 1;
    if (f->etag[0] != '\0') {
        (void)snprintf(none_match, sizeof none_match, "If-None-Match: %s", f->etag);
        headers[count++] = none_match;
    }
    if (f->modified[0] != '\0') {
        (void)snprintf(since, sizeof since, "If-Modified-Since: %s", f->modified);
        headers[count++] = since;
    }
    kg_diag diag = {{0}};
    const http_request r = {.url = f->poll->url,
                            .headers = headers,
                            .header_count = count,
                            .timeout_ms = REQUEST_MS,
                            .answer_max = ANSWER_BYTES_MAX};
    f->asking = http_send(f->all->http, &r, on_answer, f, NULL, &diag) == KG_OK;
    if (!f->asking) {
        raise_alarm(f, "cannot be fetched", diag.text);
    }
}

static kg_err open_feed(feedpoll *p, feed *f, const publisher_poll *poll, kg_diag *diag)
{
    f->all = p;
    f->poll = poll;
    kg_err e = http_check_url(poll->url, true, diag);
    if (e == KG_OK) {
        e = loop_timer_new(p->loop, look, f, &f->timer);
    }
    if (e == KG_OK) {
        loop_timer_set(f->timer, 0);
    }
    return e;
}

kg_err feedpoll_open(loop *l, desk *d, const publisher_config *c, const publisher_poll *polls, size_t count,
                     feedpoll **out, kg_diag *diag)
{
    feedpoll *p = calloc(1, sizeof *p);
    if (p == NULL || (p->feeds = calloc(count, sizeof *p->feeds)) == NULL) {
        free(p);
        return kg_fail(diag, KG_E_NOMEM, "no memory for %zu feeds", count);
    }
    p->loop = l;
    p->desk = d;
    p->config = c;
    p->count = count;
    const http_options options = {.connections = 4, .plain = true}; /* what comes in is signed by us, not by its line */
    kg_err e = http_new(l, &options, &p->http, diag);
    for (size_t i = 0; i < count && e == KG_OK; i++) {
        e = open_feed(p, &p->feeds[i], &polls[i], diag);
    }
    if (e != KG_OK) {
        feedpoll_close(&p);
        return e;
    }
    *out = p;
    return KG_OK;
}

void feedpoll_close(feedpoll **p)
{
    if (p == NULL || *p == NULL) {
        return;
    }
    for (size_t i = 0; i < (*p)->count; i++) {
        feed *f = &(*p)->feeds[i];
        desk_hang_up((*p)->desk, f);
        loop_timer_free(&f->timer);
        for (size_t k = 0; k < f->link_count; k++) {
            free(f->links[k]);
        }
    }
    http_free(&(*p)->http);
    free((*p)->feeds);
    free(*p);
    *p = NULL;
}
