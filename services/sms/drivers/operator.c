/*
 * operator - one request per operator, alert and language, over HTTPS; followed until the operator says it is over.
 *
 * Contract  deploy/gateways/operator-sms.md. The request's id is the idempotency key: in doubt the same request goes
 *           out again and the operator answers with what it did the first time.
 * Lanes     Urgent alerts have connections of their own (a second http), so that they never queue behind others.
 * Wires     POST url -> taken, refused, not taken, doubt. Taken: GET url/id every poll_s, or the operator calls back.
 *           Recall: POST url/id/stop, once, without waiting for the answer.
 * Crash     The id was noted before the first POST; ask() looks it up and sends only what the operator never got.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "base/fault.h"
#include "base/log.h"
#include "carrier_config.h"
#include "drivers/drivers.h"
#include "listener.h"

enum { RETRY_FIRST_MS = 2000, RETRY_MOST_MS = 60000, STOP_MS = 5000 };

typedef struct operator_sink operator_sink;
typedef struct order order;

typedef enum phase { PHASE_POST, PHASE_ASK, PHASE_FOLLOW, PHASE_ENDED } phase;

typedef struct item { /* one language of one job */
    order *order;
    const message *text;
    char id[REQUEST_ID_MAX];
    kg_buf body;
    phase phase;
    bool in_flight;
    bool maybe_taken; /* the operator has it, or may have it */
    uint64_t call;
    unsigned tries;
    loop_timer *timer;
    answer last;
    dlv_state end; /* when PHASE_ENDED */
} item;

struct order { /* one job */
    order *next;
    operator_sink *owner;
    sink_job *job;
    http *lane;
    messages texts;
    item items[MESSAGES_MAX];
    int64_t deadline_ms;
};

struct operator_sink {
    sink *host;
    carrier_config *config;
    kg_buf token, secret, ca;
    http *urgent, *other;
    listener *callback;
    order *orders;
};

static void act(item *it);
static void settle(order *o);

/* ---- the life of an order ---- */

static void order_free(order *o)
{
    for (size_t i = 0; i < o->texts.count; i++) {
        item *it = &o->items[i];
        if (it->in_flight) {
            http_cancel(o->lane, it->call);
        }
        loop_timer_free(&it->timer);
        kg_buf_done(&it->body);
    }
    messages_done(&o->texts);
    free(o);
}

static void order_end(order *o, const sink_outcome *outcome)
{
    operator_sink *d = o->owner;
    sink_job *job = o->job;
    for (order **p = &d->orders; *p != NULL; p = &(*p)->next) {
        if (*p == o) {
            *p = o->next;
            break;
        }
    }
    job->driver_data = NULL;
    order_free(o);
    sink_finish(d->host, job, outcome);
}

static void item_timer(void *ctx)
{
    act(ctx);
}

static kg_err item_build(order *o, item *it, const message *text, kg_diag *diag)
{
    const operator_sink *d = o->owner;
    *it = (item){.order = o, .text = text, .phase = PHASE_POST};
    request_id(o->job, d->config->operator_id, text->language, it->id);
    const request r = {.job = o->job,
                       .text = text,
                       .operator_id = d->config->operator_id,
                       .sender = d->config->message.sender,
                       .deadline_ms = o->deadline_ms,
                       .callback = d->config->callback != NULL ? d->config->callback->url : NULL,
                       .phone = ""};
    const kg_err e = request_json(&r, &it->body, diag);
    return e != KG_OK ? e : loop_timer_new(sink_loop(d->host), item_timer, it, &it->timer);
}

/* The order of a job with its texts; NULL: the job has ended, or *e says why not. */
static order *order_new(operator_sink *d, sink_job *job, kg_err *e, kg_diag *diag)
{
    kg_diag why = {{0}};
    order *o = calloc(1, sizeof *o);
    *e = o != NULL ? messages_may_go(job->alert, d->config->drills, &why) : KG_E_NOMEM;
    const char *code = *e == KG_E_DENIED ? "drill-switch-off" : "text";
    if (*e == KG_OK) {
        *e = messages_make(job, &d->config->message, &o->texts, &why);
    }
    if (*e != KG_OK) {
        free(o);
        if (kg_err_class(*e) == KG_TEMP) {
            *e = kg_fail(diag, *e, "%s", why.text);
            return NULL;
        }
        *e = KG_OK;
        const sink_outcome refused = {.state = DLV_REFUSED, .code = code, .detail = why.text};
        sink_finish(d->host, job, &refused);
        return NULL;
    }
    const int64_t last_ms = job->alert->sent_ms + (int64_t)d->config->deadline_min * 60000;
    o->owner = d;
    o->job = job;
    o->lane = job->alert->bulletin_class == CLASS_URGENT ? d->urgent : d->other;
    o->deadline_ms = last_ms < job->ends_ms ? last_ms : job->ends_ms;
    for (size_t i = 0; *e == KG_OK && i < o->texts.count; i++) {
        *e = item_build(o, &o->items[i], &o->texts.items[i], diag);
    }
    if (*e != KG_OK) {
        order_free(o);
        return NULL;
    }
    o->next = d->orders;
    d->orders = o;
    job->driver_data = o;
    return o;
}

/* ---- what all languages together come to ---- */

static void add_counts(const order *o, sink_outcome *out)
{
    for (size_t i = 0; i < o->texts.count; i++) {
        const answer *a = &o->items[i].last;
        out->sent += a->sent;
        out->reached += a->delivered;
        out->started_ms = out->started_ms == 0 ? a->started_ms : out->started_ms;
        out->ended_ms = a->ended_ms > out->ended_ms ? a->ended_ms : out->ended_ms;
    }
}

/* All the same: that; else PARTIAL, for some of it went out or may have. */
static dlv_state common_end(const order *o)
{
    dlv_state all = o->items[0].end;
    for (size_t i = 1; i < o->texts.count; i++) {
        all = o->items[i].end == all ? all : DLV_PARTIAL;
    }
    return all;
}

static void describe(const order *o, const sink_outcome *out, kg_buf *detail)
{
    const answer *first = &o->items[0].last; /* Vietnamese */
    if (first->words[0] != '\0' && out->state != DLV_DONE) {
        kg_ignore(kg_buf_putf(detail, "%s ", first->words)); /* a remark: losing it loses nothing else */
    }
    kg_ignore(kg_buf_putf(detail, "Nhà mạng %s: đã gửi %llu, đến máy %llu.", o->owner->config->operator_id,
                          (unsigned long long)out->sent, (unsigned long long)out->reached)); /* the same */
    if (o->texts.gaps.len > 0) {
        kg_ignore(kg_buf_putf(detail, " Thiếu: %s.", o->texts.gaps.s)); /* the same */
    }
}

static void finish_order(order *o, dlv_state state)
{
    sink_outcome out = {.state = state, .code = ""};
    kg_buf detail = {.max = KG_DIAG_MAX};
    char code[ANSWER_CODE_MAX];
    add_counts(o, &out);
    out.certainty = state == DLV_DONE || state == DLV_PARTIAL ? CERTAIN_FINISHED
                    : state == DLV_UNCERTAIN                  ? CERTAIN_ACCEPTED
                                                              : CERTAIN_NONE;
    (void)snprintf(code, sizeof code, "%s", state == DLV_DONE ? "" : o->items[0].last.code);
    describe(o, &out, &detail);
    out.code = code;
    out.detail = kg_buf_str(&detail);
    order_end(o, &out);
    kg_buf_done(&detail);
}

/* Every item has ended, or waits for another try that nobody has taken yet: then the engine waits, not we. */
static void settle(order *o)
{
    bool ended = true;
    bool untouched = true;
    for (size_t i = 0; i < o->texts.count; i++) {
        const item *it = &o->items[i];
        ended = ended && it->phase == PHASE_ENDED;
        untouched = untouched && it->phase == PHASE_POST && !it->in_flight && !it->maybe_taken && it->tries > 0;
    }
    if (ended) {
        finish_order(o, common_end(o));
    } else if (untouched) {
        finish_order(o, DLV_PENDING);
    }
}

static void item_end(item *it, dlv_state end)
{
    it->phase = PHASE_ENDED;
    it->end = end;
    loop_timer_stop(it->timer);
    settle(it->order);
}

/* ---- answers ---- */

static void report(order *o)
{
    sink_outcome sum = {.state = DLV_STARTED};
    add_counts(o, &sum);
    sink_progress(o->owner->host, o->job, sum.sent, sum.reached);
}

static void again_later(item *it, int64_t at_least_ms)
{
    int64_t wait_ms = RETRY_FIRST_MS;
    for (unsigned i = 0; i < it->tries && wait_ms < RETRY_MOST_MS; i++) {
        wait_ms *= 2;
    }
    it->tries++;
    wait_ms = wait_ms > RETRY_MOST_MS ? RETRY_MOST_MS : wait_ms;
    loop_timer_set(it->timer, wait_ms > at_least_ms ? wait_ms : at_least_ms);
}

/* The operator has it. Is it over? */
static void follow(item *it, const answer *a)
{
    order *o = it->order;
    const operator_sink *d = o->owner;
    it->last = *a;
    it->maybe_taken = true;
    it->phase = PHASE_FOLLOW;
    it->tries = 0;
    report(o);
    if (a->state == ANSWER_FINISHED) {
        item_end(it, a->sent > 0 || a->targeted == 0 ? DLV_DONE : DLV_FAILED);
    } else if (a->state == ANSWER_STOPPED) {
        item_end(it, a->sent > 0 ? DLV_PARTIAL : DLV_FAILED);
    } else {
        loop_timer_set(it->timer, (int64_t)d->config->poll_s * 1000);
    }
}

static void on_verdict(item *it, answer_verdict v, const answer *a, int64_t at_least_ms)
{
    order *o = it->order;
    switch (v) {
    case VERDICT_TAKEN:
        follow(it, a);
        break;
    case VERDICT_REFUSED:
        it->last = *a;
        item_end(it, DLV_REFUSED);
        break;
    case VERDICT_UNKNOWN_ID:
        it->phase = PHASE_POST; /* it never got it, or has lost it: the same id once more */
        it->maybe_taken = false;
        loop_timer_set(it->timer, 0);
        break;
    case VERDICT_NOT_TAKEN:
        it->last = it->phase == PHASE_POST && !it->maybe_taken ? *a : it->last;
        again_later(it, at_least_ms);
        settle(o);
        break;
    case VERDICT_DOUBT:
        it->maybe_taken = true;
        again_later(it, at_least_ms);
        break;
    }
}

static void on_answer(void *ctx, const http_answer *h)
{
    item *it = ctx;
    answer a;
    const answer_verdict v = answer_judge(h, it->id, it->phase != PHASE_POST, &a);
    it->in_flight = false;
    KG_FAULT("sms.operator.answered");
    if (v != VERDICT_TAKEN) {
        kg_log(v == VERDICT_UNKNOWN_ID ? KG_INFO : KG_WARNING, "operator.answer",
               KG_TEXT("alert", it->order->job->id_text), KG_TEXT("request", it->id), KG_INT("status", h->status),
               KG_TEXT("code", a.code), KG_TEXT("why", h->sentence), KG_INT("try", it->tries));
    }
    on_verdict(it, v, &a, h->retry_after_s * 1000);
}

/* ---- questions ---- */

static void set_url(const operator_sink *d, const char *id, const char *tail, kg_buf *out)
{
    kg_ignore(kg_buf_putf(out, "%s%s%s%s", d->config->url, id[0] != '\0' ? "/" : "", id, tail)); /* checked by sender */
}

static kg_err send_one(item *it, bool post, kg_diag *diag)
{
    static const char *const headers[2] = {"Content-Type: application/json; charset=utf-8", "Accept: application/json"};
    const operator_sink *d = it->order->owner;
    char key[REQUEST_ID_MAX + 32];
    kg_buf url = {0};
    (void)snprintf(key, sizeof key, "Idempotency-Key: %s", it->id);
    const char *const all[] = {headers[0], headers[1], key};
    set_url(d, post ? "" : it->id, "", &url);
    const http_request r = {.url = kg_buf_str(&url),
                            .headers = all,
                            .header_count = 3,
                            .body = post ? kg_buf_str(&it->body) : NULL,
                            .body_bytes = post ? it->body.len : 0,
                            .token = kg_buf_str(&d->token),
                            .timeout_ms = (int64_t)d->config->answer_s * 1000,
                            .answer_max = ANSWER_BYTES_MAX};
    KG_FAULT("sms.operator.before_send");
    const kg_err e = http_send(it->order->lane, &r, on_answer, it, &it->call, diag);
    it->in_flight = e == KG_OK;
    kg_buf_done(&url);
    return e;
}

/* What the item's phase asks for now. May end the order. */
static void act(item *it)
{
    const operator_sink *d = it->order->owner;
    const int64_t last_ms = it->order->deadline_ms + (int64_t)d->config->patience_min * 60000;
    kg_diag why = {{0}};
    if (it->in_flight || it->phase == PHASE_ENDED) {
        return;
    }
    if (it->maybe_taken && sink_now_ms(d->host) > last_ms) {
        (void)snprintf(it->last.code, sizeof it->last.code, "%s", "operator-silent");
        (void)snprintf(it->last.words, sizeof it->last.words, "%s", "Nhà mạng không báo kết quả cuối; cần gọi hỏi.");
        item_end(it, DLV_UNCERTAIN);
        return;
    }
    if (send_one(it, it->phase == PHASE_POST, &why) != KG_OK) {
        kg_log(KG_WARNING, "operator.send", KG_TEXT("request", it->id), KG_TEXT("why", why.text));
        again_later(it, 0);
    }
}

/* ---- the driver's contract ---- */

static kg_err operator_prepare(void *self, sink_job *job, kg_diag *diag)
{
    operator_sink *d = self;
    kg_err e = KG_OK;
    if (order_new(d, job, &e, diag) != NULL) {
        sink_prepared(d->host, job);
    }
    return e;
}

static kg_err operator_start(void *self, sink_job *job, kg_diag *diag)
{
    const operator_sink *d = self;
    order *o = job->driver_data;
    const kg_err e = sink_note_ref(d->host, job, o->items[0].id, diag);
    for (size_t i = 0; e == KG_OK && i < o->texts.count; i++) {
        loop_timer_set(o->items[i].timer, 0); /* Vietnamese first; nothing ends within start */
    }
    if (e != KG_OK) {
        order **p = &o->owner->orders;
        while (*p != o) {
            p = &(*p)->next;
        }
        *p = o->next;
        job->driver_data = NULL;
        order_free(o);
    }
    return e;
}

static kg_err operator_ask(void *self, sink_job *job, const char *driver_ref, kg_diag *diag)
{
    kg_err e = KG_OK;
    (void)driver_ref; /* ids follow from the job */
    order *o = order_new(self, job, &e, diag);
    for (size_t i = 0; o != NULL && i < o->texts.count; i++) {
        o->items[i].phase = PHASE_ASK;
        o->items[i].maybe_taken = true; /* the process ended somewhere around the POST */
        loop_timer_set(o->items[i].timer, 0);
    }
    return e;
}

static void on_stop_answer(void *ctx, const http_answer *h)
{
    (void)ctx;
    if (h->error != KG_OK || (h->status >= 300 && h->status != 404)) {
        kg_log(KG_WARNING, "operator.stop", KG_INT("status", h->status), KG_TEXT("why", h->sentence));
    }
}

static void tell_stop(const item *it)
{
    const operator_sink *d = it->order->owner;
    kg_buf url = {0};
    kg_diag why = {{0}};
    set_url(d, it->id, "/stop", &url);
    const http_request r = {.url = kg_buf_str(&url),
                            .body = "",
                            .token = kg_buf_str(&d->token),
                            .timeout_ms = STOP_MS,
                            .answer_max = ANSWER_BYTES_MAX};
    if (http_send(it->order->lane, &r, on_stop_answer, NULL, NULL, &why) != KG_OK) {
        kg_log(KG_WARNING, "operator.stop", KG_TEXT("request", it->id), KG_TEXT("why", why.text));
    }
    kg_buf_done(&url);
}

static void operator_stop(void *self, sink_job *job)
{
    order *o = job->driver_data;
    bool maybe = false;
    uint64_t sent = 0;
    (void)self;
    for (size_t i = 0; i < o->texts.count; i++) {
        const item *it = &o->items[i];
        const bool out = it->maybe_taken || it->in_flight || it->phase == PHASE_ENDED;
        maybe = maybe || (out && !(it->phase == PHASE_ENDED && it->end == DLV_REFUSED));
        sent += it->last.sent;
        if (out && it->phase != PHASE_ENDED) {
            KG_FAULT("sms.operator.before_stop");
            tell_stop(it);
        }
    }
    if (maybe && o->items[0].last.code[0] == '\0') {
        (void)snprintf(o->items[0].last.code, ANSWER_CODE_MAX, "%s", "stopped");
        (void)snprintf(o->items[0].last.words, ANSWER_WORDS_MAX, "%s", "Đã yêu cầu nhà mạng dừng gửi.");
    }
    finish_order(o, !maybe ? DLV_PENDING : sent > 0 ? DLV_PARTIAL : DLV_UNCERTAIN);
}

/* The operator calls back with the same JSON that a status question gets. */
static unsigned on_callback(void *ctx, const listener_call *call)
{
    operator_sink *d = ctx;
    char wanted[4200];
    answer a;
    (void)snprintf(wanted, sizeof wanted, "Bearer %s", kg_buf_str(&d->secret));
    const bool ours = listener_same_secret(call->authorization, wanted);
    explicit_bzero(wanted, sizeof wanted);
    if (!ours) {
        return 401;
    }
    if (answer_read(call->body, call->body_bytes, &a) != KG_OK || a.id[0] == '\0') {
        return 400;
    }
    for (order *o = d->orders; o != NULL; o = o->next) {
        for (size_t i = 0; i < o->texts.count; i++) {
            item *it = &o->items[i];
            if (strcmp(it->id, a.id) == 0) {
                if (it->phase != PHASE_ENDED) {
                    on_verdict(it, a.state == ANSWER_REFUSED ? VERDICT_REFUSED : VERDICT_TAKEN, &a, 0);
                }
                return 200;
            }
        }
    }
    return 200; /* of a request that has ended here: nothing to keep */
}

static void operator_close(void *self)
{
    operator_sink *d = self;
    if (d == NULL) {
        return;
    }
    while (d->orders != NULL) {
        order *o = d->orders;
        d->orders = o->next;
        o->job->driver_data = NULL;
        order_free(o);
    }
    listener_close(&d->callback);
    http_free(&d->urgent);
    http_free(&d->other);
    if (d->token.s != NULL) {
        explicit_bzero(d->token.s, d->token.len);
    }
    kg_buf_done(&d->token);
    kg_buf_done(&d->secret);
    kg_buf_done(&d->ca);
    carrier_config_free(&d->config);
    free(d);
}

static kg_err open_doors(operator_sink *d, kg_diag *diag)
{
    const char *ca = d->ca.len > 0 ? d->ca.s : NULL;
    const http_options urgent = {.connections = d->config->urgent_connections, .ca_file = ca};
    const http_options other = {.connections = d->config->connections, .ca_file = ca};
    kg_err e = http_new(sink_loop(d->host), &urgent, &d->urgent, diag);
    if (e == KG_OK) {
        e = http_new(sink_loop(d->host), &other, &d->other, diag);
    }
    if (e == KG_OK && d->config->callback != NULL) {
        e = listener_open(sink_loop(d->host), d->config->callback->listen, on_callback, d, &d->callback, diag);
    }
    return e;
}

static kg_err operator_open(sink *host, const char *name, const char *config_path, void **self, kg_diag *diag)
{
    if (config_path == NULL) {
        return kg_fail(diag, KG_E_INVALID, "driver \"%s\": an operator needs its config file", name);
    }
    operator_sink *d = calloc(1, sizeof *d);
    if (d == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for driver \"%s\"", name);
    }
    d->host = host;
    kg_err e = carrier_config_load(config_path, &d->config, &d->token, &d->secret, &d->ca, diag);
    if (e == KG_OK) {
        e = open_doors(d, diag);
    }
    if (e != KG_OK) {
        operator_close(d);
        return e;
    }
    *self = d;
    return KG_OK;
}

const sink_driver operator_driver = {
    .kind = "operator",
    .open = operator_open,
    .prepare = operator_prepare,
    .start = operator_start,
    .stop = operator_stop,
    .ask = operator_ask,
    .close = operator_close,
};
