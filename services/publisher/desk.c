#include "desk.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "desk_own.h"
#include "progress.h"
#include "svc/cli.h"

enum { TIDY_MS = 10000 };

void desk_say(const talk *t, const char *fmt, ...)
{
    char line[2048];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    t->ears.say(t->ears.ctx, line);
}

static void end_talk(talk *t, int status)
{
    t->open = false;
    t->ears.end(t->ears.ctx, status);
}

static bool settled(const talk *t)
{
    for (size_t i = 0; i < t->topic_count; i++) {
        if (!t->topics[i].answered || (t->follow && !t->topics[i].over)) {
            return false;
        }
    }
    return true;
}

static void end_if_settled(talk *t)
{
    if (t->open && settled(t)) {
        end_talk(t, t->failed ? CLI_FAILED : CLI_OK);
    }
}

static topic *topic_of(talk *t, alert_id id)
{
    for (size_t i = 0; t->open && i < t->topic_count; i++) {
        if (alert_id_same(t->topics[i].id, id)) {
            return &t->topics[i];
        }
    }
    return NULL;
}

topic *desk_topic(talk *t, alert_id id)
{
    topic *known = topic_of(t, id);
    if (known != NULL || t->topic_count == TALK_ALERTS_MAX) {
        return known;
    }
    t->topics[t->topic_count] = (topic){.id = id, .submit_ms = kg_clock_wall_ms()};
    return &t->topics[t->topic_count++];
}

/* ---- what comes back from the router ---- */

static void on_answered(void *ctx, const wire_verdict *v, const char *router)
{
    desk *d = ctx;
    static const char *const words[WIRE_OUTCOME_COUNT] = {"accepted", "accepted before", "held for a person", "refused",
                                                          "try later"};
    char id[ALERT_ID_TEXT];
    alert_id_text(v->id, id);
    kg_log(KG_INFO, "publisher.answered", KG_TEXT("alert", id), KG_TEXT("outcome", words[v->outcome]),
           KG_TEXT("code", v->code), KG_TEXT("router", router));
    for (size_t i = 0; i < TALKS_MAX; i++) {
        topic *about = topic_of(&d->talks[i], v->id);
        if (about == NULL) {
            continue;
        }
        talk *t = &d->talks[i];
        const bool refused = v->outcome == WIRE_REFUSED_FOR_GOOD;
        desk_say(t, "%s: %s by %s%s%s%s%s", id, words[v->outcome], router, v->code[0] != '\0' ? ": " : "", v->code,
                 v->sentence[0] != '\0' ? ": " : "", v->sentence);
        if (v->targets > 0) {
            desk_say(t, "%s: %" PRIu32 " stations to reach", id, v->targets);
        }
        about->answered = true;
        about->over = refused || v->outcome == WIRE_HELD_FOR_PERSON;
        t->failed = t->failed || refused;
        if (t->follow && !about->over) {
            submit_follow(d->submit, v->id);
        }
        end_if_settled(t);
    }
}

static void on_progress(void *ctx, const wire_msg *m)
{
    desk *d = ctx;
    for (size_t i = 0; i < TALKS_MAX; i++) {
        topic *about = topic_of(&d->talks[i], m->u.progress.id);
        if (about == NULL || about->over) {
            continue;
        }
        talk *t = &d->talks[i];
        kg_buf lines = {0};
        const bool good = progress_lines(m, about->submit_ms, &lines);
        if (t->follow && lines.len > 0) {
            t->ears.say(t->ears.ctx, lines.s);
        }
        kg_buf_done(&lines);
        if (m->u.progress.final) {
            about->answered = about->over = true;
            t->failed = t->failed || !good;
            end_if_settled(t);
        }
    }
}

/* The wait is over: what is still missing of each alert, and what goes on by itself. */
static void say_missing(const talk *t)
{
    for (size_t i = 0; i < t->topic_count; i++) {
        const topic *about = &t->topics[i];
        char id[ALERT_ID_TEXT];
        alert_id_text(about->id, id);
        if (!about->answered) {
            desk_say(t, "%s: no router has answered yet; it stays in the outbox and is tried again", id);
        } else if (t->follow && !about->over) {
            desk_say(t, "%s: the router has it; not every delivery is final yet. Look with: keng ledger %s", id, id);
        }
    }
}

static void on_timer(void *ctx)
{
    desk *d = ctx;
    const int64_t now = kg_clock_mono_ms();
    for (size_t i = 0; i < TALKS_MAX; i++) {
        talk *t = &d->talks[i];
        if (t->open && t->until_ms != 0 && t->until_ms <= now) {
            say_missing(t);
            end_talk(t, CLI_LATER);
        }
    }
    kg_diag diag = {{0}};
    if (outbox_broken(d->outbox, &diag)) {
        loop_fail(d->loop, KG_E_IO, &diag); /* what is in it is read again by the next start */
        return;
    }
    if (now - d->tidied_ms > TIDY_MS && outbox_idle(d->outbox, &diag) != KG_OK) {
        kg_log(KG_WARNING, "publisher.outbox_not_tidied", KG_TEXT("why", diag.text));
    }
    d->tidied_ms = now - d->tidied_ms > TIDY_MS ? now : d->tidied_ms;
    loop_timer_set(d->timer, 200);
}

/* ---- what was signed ---- */

typedef struct lookup {
    topic *about;
    const talk *talk;
    outbox_state state;
} lookup;

static kg_err note_state(void *ctx, const outbox_row *row)
{
    lookup *l = ctx;
    if (alert_id_same(l->about->id, row->id)) {
        l->state = row->state;
        l->about->submit_ms = row->signed_ms;
        if (row->state != OUTBOX_WAITING) {
            desk_say(l->talk, "answered before: %s%s%s",
                     row->code != NULL && row->code[0] != '\0' ? row->code : "accepted",
                     row->sentence != NULL && row->sentence[0] != '\0' ? ": " : "",
                     row->sentence != NULL ? row->sentence : "");
        }
    }
    return KG_OK;
}

/* What was answered before is the answer again. */
static void take_known(desk *d, talk *t, topic *about)
{
    kg_diag diag = {{0}};
    lookup l = {.about = about, .talk = t};
    if (outbox_rows(d->outbox, false, note_state, &l, &diag) != KG_OK || l.state == OUTBOX_WAITING) {
        return;
    }
    about->answered = true;
    about->over = l.state != OUTBOX_ACCEPTED;
    t->failed = t->failed || l.state == OUTBOX_REFUSED || l.state == OUTBOX_EXPIRED;
    if (t->follow && !about->over) {
        submit_follow(d->submit, about->id);
    }
}

void desk_queue(desk *d, talk *t, const authored *w, const desk_request *r)
{
    kg_diag diag = {{0}};
    char id[ALERT_ID_TEXT];
    alert_id_text(w->row.id, id);
    const outbox_parcel parcel = {&w->signed_bytes, w->drafts, w->blobs, w->blob_count};
    const kg_err e = outbox_put(d->outbox, &w->row, &parcel, &diag);
    if (e == KG_E_EXISTS && r->quiet_if_known) {
        return;
    }
    if (e != KG_OK && e != KG_E_EXISTS) {
        desk_say(t, "%s: %s: not stored: %s", r->name, id, diag.text);
        t->failed = true;
        return;
    }
    desk_say(t, e == KG_OK ? "%s: signed and in the outbox" : "%s: was in the outbox already, same content", id);
    topic *about = desk_topic(t, w->row.id);
    if (about == NULL) {
        desk_say(t, "%s: one document may hold %d alerts to wait for; this one goes out all the same", id,
                 TALK_ALERTS_MAX);
    } else if (e == KG_E_EXISTS) {
        take_known(d, t, about);
    }
}

/* ---- requests ---- */

static const struct {
    const char *verb;
    desk_verb run;
} verbs[] = {
    {"send", desk_document}, {"update", desk_document},     {"retract", desk_retract},
    {"list", desk_list},     {"all-clear", desk_all_clear}, {"follow", desk_follow},
};

void desk_ask(desk *d, const desk_request *r, const desk_ears *ears)
{
    talk *t = NULL;
    for (size_t i = 0; i < TALKS_MAX && t == NULL; i++) {
        t = d->talks[i].open ? NULL : &d->talks[i];
    }
    if (t == NULL) {
        ears->say(ears->ctx, "too many requests at once; try again in a moment");
        ears->end(ears->ctx, CLI_LATER);
        return;
    }
    *t = (talk){.open = true, .ears = *ears, .follow = r->follow};
    t->until_ms = r->wait_ms > 0 ? kg_clock_mono_ms() + r->wait_ms : 0;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(verbs[i].verb, r->verb) == 0) {
            verbs[i].run(d, t, r);
            end_if_settled(t);
            return;
        }
    }
    desk_say(t, "\"%s\": no such verb", r->verb);
    end_talk(t, CLI_USAGE);
}

void desk_hang_up(desk *d, const void *ears_ctx)
{
    for (size_t i = 0; i < TALKS_MAX; i++) {
        if (d->talks[i].open && d->talks[i].ears.ctx == ears_ctx) {
            d->talks[i].open = false;
        }
    }
}

bool desk_quiet(const desk *d)
{
    return submit_quiet(d->submit);
}

kg_err desk_open(loop *l, bus *b, outbox *o, const publisher_config *c, desk **out, kg_diag *diag)
{
    static const submit_ops ops = {.answered = on_answered, .progress = on_progress};
    desk *d = calloc(1, sizeof *d);
    if (d == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for the desk");
    }
    d->loop = l;
    d->outbox = o;
    d->config = c;
    kg_err e = loop_timer_new(l, on_timer, d, &d->timer);
    if (e == KG_OK) {
        e = submit_open(l, b, o, c, &ops, d, &d->submit, diag);
    }
    if (e != KG_OK) {
        desk_close(&d);
        return e;
    }
    loop_timer_set(d->timer, 200);
    *out = d;
    return KG_OK;
}

void desk_close(desk **d)
{
    if (d == NULL || *d == NULL) {
        return;
    }
    submit_close(&(*d)->submit);
    loop_timer_free(&(*d)->timer);
    free(*d);
    *d = NULL;
}
