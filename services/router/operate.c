#include "operate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/pack.h"
#include "base/clock.h"
#include "base/hex.h"
#include "held.h"
#include "svc/auditpage.h"

/* ---- names of alerts ---- */

typedef struct wanted {
    const char *prefix;
    size_t matches;
    alert_id id;
} wanted;

static kg_err match(void *ctx, const journal_alert *a)
{
    wanted *w = ctx;
    char text[ALERT_ID_TEXT];
    alert_id_text(a->id, text);
    if (strncmp(text, w->prefix, strlen(w->prefix)) == 0) {
        w->id = a->id;
        w->matches++;
    }
    return KG_OK;
}

static kg_err find_alert(const router *r, const control_call *call, alert_id *id, kg_diag *diag)
{
    if (call->arguments.count == 0 || call->arguments.items[0][0] == '\0') {
        return kg_fail(diag, KG_E_INVALID, "say which alert: the first digits of its id");
    }
    wanted w = {.prefix = call->arguments.items[0]};
    if (alert_id_read(w.prefix, id)) {
        return KG_OK;
    }
    const kg_err e = journal_alerts(r->core.journal, false, match, &w, diag);
    if (e != KG_OK) {
        return e;
    }
    if (w.matches != 1) {
        return kg_fail(diag, KG_E_NOTFOUND,
                       w.matches == 0 ? "no alert's id begins with \"%s\""
                                      : "several alerts' ids begin with \"%s\"; give more digits",
                       w.prefix);
    }
    *id = w.id;
    return KG_OK;
}

static const char *when(int64_t ms, char out[KG_TIME_TEXT_MAX])
{
    out[0] = '\0';
    if (ms != 0) {
        kg_time_text(ms, KG_VN_OFFSET_MIN, out);
    }
    return out;
}

/* Who acted: the key's holder, and the name given with the query. */
static void actor(const control_call *call, char out[160])
{
    (void)snprintf(out, 160, "%s (%s)", call->caller->holder, call->who[0] != '\0' ? call->who : "no name given");
}

/* ---- status ---- */

static kg_err say_number(control_reply *reply, const char *name, uint64_t value)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%" PRIu64, value);
    const char *cells[] = {name, text};
    return control_row(reply, cells, 2);
}

/* On both lanes: a station that could be told now, whatever comes. */
static uint64_t stations_connected(const router *r)
{
    uint64_t connected = 0;
    for (size_t i = 0; i < policy_station_count(r->core.policy); i++) {
        const sinks_station look = sinks_look(r->sinks, (uint32_t)i);
        connected += look.up[LANE_URGENT] && look.up[LANE_OTHER] ? 1 : 0;
    }
    return connected;
}

static kg_err status(void *ctx, const control_call *call, control_reply *reply, kg_diag *diag)
{
    (void)call;
    (void)diag;
    const router *r = ctx;
    const core *c = &r->core;
    static const char *const columns[] = {"what", "value"};
    kg_err e = control_columns(reply, columns, 2);
    for (int i = 0; e == KG_OK && i < COUNTER_COUNT; i++) {
        e = say_number(reply, core_counter_name((core_counter)i), c->counts[i]);
    }
    for (int i = 0; e == KG_OK && i < DLV_STATE_COUNT; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "now-%s", dlv_state_text((dlv_state)i)); /* deliveries, beside the counters */
        e = say_number(reply, name, c->states[i]);
    }
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"queued", queue_total(c->queue)},
        {"waiting-for-a-person", c->held_count},
        {"sinks", sinks_count(r->sinks)},
        {"stations-connected", stations_connected(r)},
        {"publishers", router_intake_peers(r->intake)},
        {"manifest", manifest_version(c->manifest)},
        {"queue-bytes", queue_bytes(c->queue)},
        {"book-bytes", book_bytes(c->book)},
        {"material-bytes", dispatch_bytes(r->dispatch)},
        {"short-of-room", journal_short_of_room(c->journal) ? 1 : 0},
    };
    for (size_t i = 0; e == KG_OK && i < sizeof rows / sizeof rows[0]; i++) {
        e = say_number(reply, rows[i].name, rows[i].value);
    }
    if (e == KG_OK && manifest_degraded(c->manifest, c->now_ms)) {
        e = control_say(reply, "The key manifest is past its end: install a new one.");
    }
    return e;
}

static kg_err stations(void *ctx, const control_call *call, control_reply *reply, kg_diag *diag)
{
    (void)call;
    (void)diag;
    const router *r = ctx;
    static const char *const columns[] = {"station", "medium", "sink", "urgent", "other", "waiting", "heard"};
    kg_err e = control_columns(reply, columns, 7);
    for (size_t i = 0; e == KG_OK && i < policy_station_count(r->core.policy); i++) {
        const station *s = policy_station(r->core.policy, i);
        const sinks_station look = sinks_look(r->sinks, (uint32_t)i);
        char waiting[24];
        char heard[KG_TIME_TEXT_MAX];
        (void)snprintf(waiting, sizeof waiting, "%zu", queue_waiting(r->core.queue, (uint32_t)i));
        const char *cells[] = {s->id,
                               medium_text(s->medium),
                               look.sink,
                               look.up[LANE_URGENT] ? "up" : "down",
                               look.up[LANE_OTHER] ? "up" : "down",
                               waiting,
                               when(look.heard_ms, heard)};
        e = control_row(reply, cells, 7);
    }
    return e;
}

/* ---- ledger ---- */

typedef struct ledger_reply {
    const router *r;
    control_reply *reply;
    uint64_t position;
    size_t rows, final;
    uint8_t lifecycle;
    bool held;
    int64_t accepted_ms;
    char hold[KG_DIAG_MAX];
} ledger_reply;

static kg_err take_ledger(void *ctx, const journal_alert *a)
{
    ledger_reply *l = ctx;
    l->position = a->position;
    l->lifecycle = a->lifecycle;
    l->held = a->held;
    l->accepted_ms = a->accepted_ms;
    (void)snprintf(l->hold, sizeof l->hold, "%s", a->held && a->hold_sentence != NULL ? a->hold_sentence : "");
    return KG_OK;
}

static kg_err ledger_row(void *ctx, const journal_delivery *d)
{
    ledger_reply *l = ctx;
    const book_alert *a = book_find(l->r->core.book, l->position);
    const uint32_t line = (uint32_t)(d->number & ((1u << JOURNAL_LINE_BITS) - 1));
    dlv_state state = d->state;
    if (a != NULL && line < a->count && a->lines[line].state != BOOK_ABSENT) {
        state = (dlv_state)a->lines[line].state;
    }
    const station *s = policy_station_find(l->r->core.policy, d->station);
    char held[KG_TIME_TEXT_MAX];
    char done[KG_TIME_TEXT_MAX];
    char playings[16];
    char sent[24];
    char reached[24];
    (void)snprintf(playings, sizeof playings, "%u", d->playings);
    (void)snprintf(sent, sizeof sent, "%" PRIu64, d->sent);
    (void)snprintf(reached, sizeof reached, "%" PRIu64, d->reached);
    const char *cells[] = {d->station,
                           s != NULL ? medium_text(s->medium) : "",
                           dlv_state_text(state),
                           dlv_certainty_text(d->certainty),
                           when(d->held_ms, held),
                           when(d->done_ms, done),
                           playings,
                           sent,
                           reached,
                           d->code != NULL ? d->code : "",
                           d->detail != NULL ? d->detail : ""};
    l->rows++;
    l->final += dlv_final(state) ? 1 : 0;
    return control_row(l->reply, cells, 11);
}

static kg_err ledger(void *ctx, const control_call *call, control_reply *reply, kg_diag *diag)
{
    router *r = ctx;
    static const char *const columns[] = {"station",  "medium", "state",   "certainty", "held",  "done",
                                          "playings", "sent",   "reached", "code",      "detail"};
    alert_id id;
    char text[ALERT_ID_TEXT];
    ledger_reply l = {.r = r, .reply = reply};
    kg_err e = find_alert(r, call, &id, diag);
    if (e == KG_OK) {
        alert_id_text(id, text);
        e = journal_find(r->core.journal, id, take_ledger, &l, diag);
    }
    if (e == KG_OK) {
        e = control_columns(reply, columns, 11);
    }
    if (e == KG_OK) {
        e = journal_deliveries_of(r->core.journal, l.position, ledger_row, &l, diag);
    }
    if (e == KG_OK) {
        char accepted[KG_TIME_TEXT_MAX];
        e = control_say(reply, "%s: %s%s%s, accepted %s, %zu targets, %zu of them final, each in one state.", text,
                        life_state_text((life_state)l.lifecycle), l.held ? ", held: " : "", l.hold,
                        when(l.accepted_ms, accepted), l.rows, l.final);
    }
    return e;
}

/* ---- held ---- */

typedef struct held_reply {
    control_reply *reply;
    size_t rows;
} held_reply;

static kg_err held_row(void *ctx, const journal_alert *a)
{
    held_reply *h = ctx;
    if (!a->held || a->lifecycle != LIFE_ALIVE) {
        return KG_OK;
    }
    char id[ALERT_ID_TEXT];
    char since[KG_TIME_TEXT_MAX];
    char until[KG_TIME_TEXT_MAX];
    alert_id_text(a->id, id);
    const char *cells[] = {id,
                           a->agency,
                           bulletin_class_text((bulletin_class)a->class),
                           when(a->accepted_ms, since),
                           when(a->expires_ms, until),
                           a->hold_code != NULL ? a->hold_code : "",
                           a->hold_sentence != NULL ? a->hold_sentence : ""};
    h->rows++;
    return control_row(h->reply, cells, 7);
}

static kg_err held_list(void *ctx, const control_call *call, control_reply *reply, kg_diag *diag)
{
    (void)call;
    const router *r = ctx;
    static const char *const columns[] = {"alert", "agency", "class", "since", "until", "code", "why"};
    held_reply h = {.reply = reply};
    kg_err e = control_columns(reply, columns, 7);
    if (e == KG_OK) {
        e = journal_open_alerts(r->core.journal, false, held_row, &h, diag);
    }
    return e == KG_OK && h.rows == 0 ? control_say(reply, "No alert waits for a person.") : e;
}

static kg_err show_texts(const alert *a, control_reply *reply)
{
    kg_err e = KG_OK;
    for (size_t i = 0; e == KG_OK && i < a->infos.count; i++) {
        const alert_info *info = &a->infos.items[i];
        const struct {
            const char *name, *text;
        } rows[] = {{"language", info->language},
                    {"event", info->event},
                    {"headline", info->headline},
                    {"description", info->description},
                    {"instruction", info->instruction}};
        for (size_t j = 0; e == KG_OK && j < sizeof rows / sizeof rows[0]; j++) {
            const char *cells[] = {rows[j].name, rows[j].text};
            e = rows[j].text[0] == '\0' ? KG_OK : control_row(reply, cells, 2);
        }
        for (size_t j = 0; e == KG_OK && j < info->areas.count; j++) {
            const char *cells[] = {"area", info->areas.items[j].description};
            e = control_row(reply, cells, 2);
        }
    }
    return e;
}

static kg_err show(void *ctx, const journal_alert *j)
{
    control_reply *reply = ctx;
    signed_view v = {0};
    alert a = {0};
    kg_err e = signed_open(j->signed_bytes, j->signed_len, &v, NULL);
    if (e == KG_OK) {
        e = alert_unpack(v.payload, v.payload_len, &a, NULL);
    }
    if (e == KG_OK) {
        char until[KG_TIME_TEXT_MAX];
        const struct {
            const char *name, *text;
        } rows[] = {{"sender", a.sender},
                    {"identifier", a.identifier},
                    {"agency", a.agency},
                    {"sector", a.sector},
                    {"status", cap_status_text(a.status)},
                    {"kind", cap_msg_type_text(a.msg_type)},
                    {"class", bulletin_class_text(a.bulletin_class)},
                    {"until", when(j->expires_ms, until)},
                    {"held", j->held ? j->hold_code : "no"},
                    {"why", j->held ? j->hold_sentence : ""},
                    {"publisher's remark", a.hold}};
        for (size_t i = 0; e == KG_OK && i < sizeof rows / sizeof rows[0]; i++) {
            const char *cells[] = {rows[i].name, rows[i].text};
            e = control_row(reply, cells, 2);
        }
        e = e == KG_OK ? show_texts(&a, reply) : e;
    }
    alert_done(&a);
    signed_done(&v);
    return e;
}

static kg_err held_show(void *ctx, const control_call *call, control_reply *reply, kg_diag *diag)
{
    const router *r = ctx;
    static const char *const columns[] = {"what", "value"};
    alert_id id;
    kg_err e = find_alert(r, call, &id, diag);
    if (e == KG_OK) {
        e = control_columns(reply, columns, 2);
    }
    return e == KG_OK ? journal_find(r->core.journal, id, show, reply, diag) : e;
}

static kg_err need_reason(const control_call *call, kg_diag *diag)
{
    return call->arguments.count >= 2 && call->arguments.items[1][0] != '\0'
               ? KG_OK
               : kg_fail(diag, KG_E_INVALID, "say why: it goes on record");
}

typedef kg_err (*held_fn)(core *c, alert_id id, const char *who, const char *why, kg_diag *diag);

static kg_err held_act(router *r, const control_call *call, held_fn act, kg_diag *diag)
{
    alert_id id;
    char who[160];
    actor(call, who);
    core_tick(&r->core);
    kg_err e = find_alert(r, call, &id, diag);
    if (e == KG_OK) {
        e = need_reason(call, diag);
    }
    if (e == KG_OK) {
        e = act(&r->core, id, who, call->arguments.items[1], diag);
    }
    if (e == KG_OK) {
        e = router_commit_now(r, diag);
    }
    loop_again(r->loop); /* what it let go is sent in this turn */
    return e;
}

static kg_err release(void *ctx, const control_call *call, control_reply *reply, kg_diag *diag)
{
    const kg_err e = held_act(ctx, call, held_release, diag);
    return e == KG_OK ? control_say(reply, "Released; see: keng ledger %s", call->arguments.items[0]) : e;
}

static kg_err refuse(void *ctx, const control_call *call, control_reply *reply, kg_diag *diag)
{
    const kg_err e = held_act(ctx, call, held_refuse, diag);
    return e == KG_OK ? control_say(reply, "Refused; it will not go out.") : e;
}

/* ---- records ---- */

static kg_err note(void *ctx, const control_call *call, control_reply *reply, kg_diag *diag)
{
    router *r = ctx;
    alert_id id;
    char text[ALERT_ID_TEXT];
    char who[160];
    actor(call, who);
    core_tick(&r->core);
    kg_err e = find_alert(r, call, &id, diag);
    if (e == KG_OK) {
        e = need_reason(call, diag);
    }
    if (e == KG_OK) {
        alert_id_text(id, text);
        core_audit(&r->core, who, "note", text, "%s", call->arguments.items[1]);
        e = router_commit_now(r, diag);
    }
    return e == KG_OK ? control_say(reply, "Noted.") : e;
}

static kg_err audit(void *ctx, const control_call *call, control_reply *reply, kg_diag *diag)
{
    const router *r = ctx;
    auditpage page;
    kg_err e = auditpage_open(call, reply, &page, diag);
    if (e == KG_OK) {
        e = auditpage_close(journal_audit_rows(r->core.journal, page.from, auditpage_row, &page, diag));
    }
    return e;
}

kg_err operate_open(router *r, kg_diag *diag)
{
    static const control_verb verbs[] = {
        {"status", status},       {"stations", stations},   {"ledger", ledger},
        {"held list", held_list}, {"held show", held_show}, {"held release", release},
        {"held refuse", refuse},  {"note", note},           {"audit", audit},
    };
    const manifest *const *current = (const manifest *const *)&r->core.manifest;
    return control_open(r->bus, r->config.control, current, verbs, sizeof verbs / sizeof verbs[0], r, &r->control,
                        diag);
}
