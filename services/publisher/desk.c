#include "desk.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/pack.h"
#include "author.h"
#include "base/clock.h"
#include "base/log.h"
#include "cap/gate.h"
#include "cap/sniff.h"
#include "endings.h"
#include "progress.h"
#include "shortform/shortform.h"
#include "svc/cli.h"

enum { TALKS_MAX = 64, TALK_ALERTS_MAX = 256, DOCUMENT_MAX = 16 * 1024 * 1024, PREFIX_LEAST = 6, TIDY_MS = 10000 };

/* What a talk still expects of one alert. */
typedef struct topic {
    alert_id id;
    int64_t submit_ms; /* when it went into the outbox */
    bool answered, over;
} topic;

typedef struct talk {
    bool open;
    desk_ears ears;
    bool follow;
    int64_t until_ms; /* monotonic; 0: no limit */
    topic topics[TALK_ALERTS_MAX];
    size_t topic_count;
    bool failed; /* something of it was refused, failed or is uncertain */
} talk;

struct desk {
    loop *loop;
    outbox *outbox;
    const publisher_config *config;
    submit *submit;
    loop_timer *timer;
    int64_t tidied_ms;
    talk talks[TALKS_MAX];
};

KG_PRINTF(2, 3) static void say(const talk *t, const char *fmt, ...)
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

static topic *add_topic(talk *t, alert_id id)
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
        say(t, "%s: %s by %s%s%s%s%s", id, words[v->outcome], router, v->code[0] != '\0' ? ": " : "", v->code,
            v->sentence[0] != '\0' ? ": " : "", v->sentence);
        if (v->targets > 0) {
            say(t, "%s: %" PRIu32 " stations to reach", id, v->targets);
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

static void on_timer(void *ctx)
{
    desk *d = ctx;
    const int64_t now = kg_clock_mono_ms();
    for (size_t i = 0; i < TALKS_MAX; i++) {
        talk *t = &d->talks[i];
        if (t->open && t->until_ms != 0 && t->until_ms <= now) {
            say(t, "no final answer yet; it stays in the outbox and is tried again");
            end_talk(t, CLI_LATER);
        }
    }
    kg_diag diag = {{0}};
    if (now - d->tidied_ms > TIDY_MS && outbox_idle(d->outbox, &diag) != KG_OK) {
        kg_log(KG_WARNING, "publisher.outbox_not_tidied", KG_TEXT("why", diag.text));
    }
    d->tidied_ms = now - d->tidied_ms > TIDY_MS ? now : d->tidied_ms;
    loop_timer_set(d->timer, 200);
}

/* ---- documents ---- */

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
            say(l->talk, "answered before: %s%s%s", row->code != NULL && row->code[0] != '\0' ? row->code : "accepted",
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

static void queue_signed(desk *d, talk *t, authored *w, const desk_request *r)
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
        say(t, "%s: %s: not stored: %s", r->name, id, diag.text);
        t->failed = true;
        return;
    }
    say(t, e == KG_OK ? "%s: signed and in the outbox" : "%s: was in the outbox already, same content", id);
    topic *about = add_topic(t, w->row.id);
    if (about == NULL) {
        say(t, "%s: one document may hold %d alerts to wait for; this one goes out all the same", id, TALK_ALERTS_MAX);
    } else if (e == KG_E_EXISTS) {
        take_known(d, t, about);
    }
}

/* Completes, signs and queues one alert; says why not otherwise. */
static void take_alert(desk *d, talk *t, alert *a, const kg_buf *source, const desk_request *r)
{
    kg_diag diag = {{0}};
    authored w;
    const kg_err e = author_sign(d->config, a, source, r->folder, kg_clock_wall_ms(), &w, &diag);
    if (e != KG_OK) {
        say(t, "%s: refused: %s", r->name, diag.text);
        t->failed = true;
        return;
    }
    queue_signed(d, t, &w, r);
    authored_done(&w);
}

static kg_err find_own(desk *d, const char *name, alert_id *id, alert *out, kg_diag *diag);

/* An update names the alert it replaces; its document then is no longer the original word for word. */
static bool make_update(desk *d, talk *t, alert *a, const desk_request *r)
{
    kg_diag diag = {{0}};
    alert old;
    alert_id id;
    kg_err e = find_own(d, r->alert, &id, &old, &diag);
    if (e == KG_OK) {
        e = endings_update_of(a, &old, &diag);
        alert_done(&old);
    }
    if (e != KG_OK) {
        say(t, "%s: refused: %s", r->name, diag.text);
        t->failed = true;
    }
    return e == KG_OK;
}

static bool is_update(const desk_request *r)
{
    return strcmp(r->verb, "update") == 0;
}

static void take_short(desk *d, talk *t, const desk_request *r)
{
    kg_diag diag = {{0}};
    alert a;
    const shortform_source source = {r->name, r->document, d->config->sender, d->config->agency, r->document_ms};
    if (shortform_read(&source, &a, &diag) != KG_OK) {
        say(t, "refused: %s", diag.text);
        t->failed = true;
        return;
    }
    if (!is_update(r) || make_update(d, t, &a, r)) {
        take_alert(d, t, &a, NULL, r);
    }
    alert_done(&a);
}

static void take_cap_alert(desk *d, talk *t, cap_document *doc, const desk_request *r)
{
    alert *a = &doc->alert;
    kg_diag diag = {{0}};
    if (author_class(d->config, a, &diag) != KG_OK) {
        say(t, "%s: refused: %s", r->name, diag.text);
        t->failed = true;
        return;
    }
    if (doc->verdict == CAP_HOLD) {
        for (size_t i = 0; i < doc->finding_count; i++) {
            if (doc->findings[i].verdict == CAP_HOLD) {
                const char *why = kg_arena_str(&a->mem, doc->findings[i].sentence);
                a->hold = why != NULL ? why : "see the document";
                break;
            }
        }
    }
    if (is_update(r)) {
        if (make_update(d, t, a, r)) {
            take_alert(d, t, a, NULL, r);
        }
        return;
    }
    kg_buf source = {0};
    if (kg_buf_put(&source, r->document->s + doc->from, doc->length) == KG_OK) {
        take_alert(d, t, a, &source, r);
    }
    kg_buf_done(&source);
}

static void take_cap(desk *d, talk *t, const desk_request *r)
{
    kg_diag diag = {{0}};
    cap_reading reading;
    if (gate_read(r->document->s, r->document->len, d->config->offset_min, &reading, &diag) != KG_OK) {
        say(t, "%s: refused: %s", r->name, diag.text);
        t->failed = true;
        return;
    }
    if (is_update(r) && reading.count != 1) {
        say(t, "%s: refused: an update is one alert; this holds %zu", r->name, reading.count);
        t->failed = true;
        cap_reading_done(&reading);
        return;
    }
    for (size_t i = 0; i < reading.count; i++) {
        cap_document *doc = &reading.documents[i];
        for (size_t k = 0; k < doc->finding_count && !r->quiet_if_known; k++) {
            say(t, "%s:%d: %s: %s: %s", r->name, doc->findings[k].line, cap_verdict_text(doc->findings[k].verdict),
                doc->findings[k].rule, doc->findings[k].sentence);
        }
        if (doc->verdict == CAP_REFUSE || !doc->has_alert) {
            say(t, "%s: refused%s%s", r->name, doc->entry != NULL ? ": " : "", doc->entry != NULL ? doc->entry : "");
            t->failed = true;
        } else {
            take_cap_alert(d, t, doc, r);
        }
    }
    cap_reading_done(&reading);
}

static void do_document(desk *d, talk *t, const desk_request *r)
{
    if (r->document == NULL || r->document->len == 0) {
        say(t, "%s: refused: empty", r->name);
        t->failed = true;
    } else if (cap_is_xml(r->document->s, r->document->len)) {
        take_cap(d, t, r);
    } else {
        take_short(d, t, r);
    }
    submit_wake(d->submit);
}

/* ---- alerts by name ---- */

typedef struct search {
    desk *desk;
    const char *name;
    size_t found;
    alert_id id;
} search;

static kg_err open_own(desk *d, alert_id id, alert *out, kg_diag *diag)
{
    kg_buf bytes = {0};
    signed_view v = {0};
    kg_err e = outbox_signed(d->outbox, id, &bytes, diag);
    if (e == KG_OK) {
        e = signed_open(bytes.s, bytes.len, &v, diag);
    }
    if (e == KG_OK) {
        e = alert_unpack(v.payload, v.payload_len, out, diag);
        signed_done(&v);
    }
    kg_buf_done(&bytes);
    return e;
}

static kg_err match(void *ctx, const outbox_row *row)
{
    search *s = ctx;
    char text[ALERT_ID_TEXT];
    alert_id_text(row->id, text);
    bool same = strlen(s->name) >= PREFIX_LEAST && strncmp(text, s->name, strlen(s->name)) == 0;
    alert a;
    if (!same && open_own(s->desk, row->id, &a, NULL) == KG_OK) {
        same = strcmp(a.identifier, s->name) == 0;
        alert_done(&a);
    }
    if (same) {
        s->found++;
        s->id = row->id;
    }
    return KG_OK;
}

static kg_err find_own(desk *d, const char *name, alert_id *id, alert *out, kg_diag *diag)
{
    search s = {.desk = d, .name = name};
    const kg_err e = outbox_rows(d->outbox, false, match, &s, diag);
    if (e != KG_OK) {
        return e;
    }
    if (s.found != 1) {
        return kg_fail(diag, KG_E_NOTFOUND, "\"%s\": %s; `keng-publisher list` shows what this agency has sent", name,
                       s.found == 0 ? "no such alert in the outbox" : "several alerts fit; write more of the id");
    }
    *id = s.id;
    return open_own(d, s.id, out, diag);
}

static void do_ending(desk *d, talk *t, const desk_request *r, outbox_draft kind)
{
    kg_diag diag = {{0}};
    alert_id id;
    alert old;
    alert ending;
    authored w = {0};
    signed_view v = {0};
    kg_err e = find_own(d, r->alert, &id, &old, &diag);
    if (e == KG_OK) {
        alert_done(&old);
        e = outbox_draft_get(d->outbox, id, kind, &w.signed_bytes, &diag);
    }
    if (e == KG_OK) {
        e = signed_open(w.signed_bytes.s, w.signed_bytes.len, &v, &diag);
    }
    if (e == KG_OK) {
        e = alert_unpack(v.payload, v.payload_len, &ending, &diag);
        signed_done(&v);
    }
    if (e != KG_OK) {
        say(t, "refused: %s", diag.text);
        t->failed = true;
    } else {
        w.row = (outbox_row){.id = alert_own_id(&ending),
                             .hash = alert_hash_of(w.signed_bytes.s, w.signed_bytes.len),
                             .class = (uint8_t)ending.bulletin_class,
                             .signed_ms = kg_clock_wall_ms(),
                             .expires_ms = ending.expires_ms};
        alert_done(&ending);
        queue_signed(d, t, &w, r);
        submit_wake(d->submit);
    }
    authored_done(&w);
}

static void do_follow(desk *d, talk *t, const desk_request *r)
{
    kg_diag diag = {{0}};
    alert_id id;
    alert old;
    if (find_own(d, r->alert, &id, &old, &diag) != KG_OK) {
        say(t, "refused: %s", diag.text);
        t->failed = true;
        return;
    }
    alert_done(&old);
    topic *about = add_topic(t, id);
    if (about != NULL) {
        about->answered = true;
        t->follow = true;
        submit_follow(d->submit, id);
    }
}

static kg_err list_row(void *ctx, const outbox_row *row)
{
    static const char *const states[] = {"waiting", "accepted", "held", "refused", "expired"};
    const talk *t = ctx;
    char id[ALERT_ID_TEXT];
    char when[KG_TIME_TEXT_MAX];
    alert_id_text(row->id, id);
    kg_time_text(row->signed_ms, KG_VN_OFFSET_MIN, when);
    say(t, "%s\t%s\t%s\t%s\t%s", id, when, bulletin_class_text((bulletin_class)row->class), states[row->state],
        row->sentence != NULL ? row->sentence : "");
    return KG_OK;
}

static void do_list(desk *d, talk *t, const desk_request *r)
{
    (void)r;
    kg_diag diag = {{0}};
    if (outbox_rows(d->outbox, false, list_row, t, &diag) != KG_OK) {
        say(t, "the outbox cannot be read: %s", diag.text);
        t->failed = true;
    }
}

static void do_retract(desk *d, talk *t, const desk_request *r)
{
    do_ending(d, t, r, DRAFT_CANCEL);
}

static void do_all_clear(desk *d, talk *t, const desk_request *r)
{
    do_ending(d, t, r, DRAFT_ALL_CLEAR);
}

static const struct {
    const char *verb;
    void (*run)(desk *, talk *, const desk_request *);
} verbs[] = {
    {"send", do_document}, {"update", do_document},     {"retract", do_retract},
    {"list", do_list},     {"all-clear", do_all_clear}, {"follow", do_follow},
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
    say(t, "\"%s\": no such verb", r->verb);
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
