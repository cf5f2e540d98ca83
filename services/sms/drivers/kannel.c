/*
 * kannel - a small list of numbers, message by message, through Kannel's sendsms, with delivery reports.
 *
 * Kannel    Its 202 means "smsbox has it" and never counts as sent; only reports count (mask bits, dlr.h). Coding is
 *           chosen here: non-GSM text under coding 0 would arrive as question marks, without an error. A receipt that
 *           overtakes the SMSC's answer is lost, so no report in time is UNCERTAIN, never FAILED. Of a long message
 *           only the first part is reported, and the outcome says so.
 * Window    At most `window` requests under way, urgent ones over connections of their own.
 * Crash     roll.h. The key in the report URLs is kept in the state folder: reports of before a crash still count.
 * Privacy   Numbers stand in the list file (0600) and in requests to the gateway; nowhere else.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "drivers/drivers.h"
#include "http/http.h"
#include "kannel_config.h"
#include "kannel_message.h"
#include "listener.h"
#include "messages.h"
#include "roll.h"

enum { URL_MAX = 16384, PAUSE_FIRST_MS = 1000, PAUSE_MOST_MS = 30000, BURST_MAX = 200 };

typedef struct kannel_sink kannel_sink;
typedef struct batch batch;

typedef struct ask { /* one request under way */
    batch *batch;
    uint64_t mark, call;
    struct ask *next;
} ask;

struct batch { /* one job */
    batch *next;
    kannel_sink *owner;
    sink_job *job;
    uint64_t number; /* in report URLs; the same after a restart */
    messages texts;
    kg_buf repeat_text; /* labelled, "" when that does not fit */
    roll roll;
    bool rolled; /* roll is open */
    ask *asks;
    size_t under_way;
    unsigned pauses;
    bool stopping;
    char why_code[24];
    loop_timer *turn, *patience;
};

struct kannel_sink {
    sink *host;
    kannel_config *config;
    kg_buf password, list, folder;
    char key[KANNEL_KEY_TEXT];
    http *urgent, *other;
    listener *reports;
    batch *batches;
};

static void pump(batch *b);

/* ---- the life of a batch ---- */

static bool is_urgent(const batch *b)
{
    return b->job->alert->bulletin_class == CLASS_URGENT;
}

static http *lane_of(const batch *b)
{
    return is_urgent(b) ? b->owner->urgent : b->owner->other;
}

static void batch_free(batch *b)
{
    while (b->asks != NULL) {
        ask *a = b->asks;
        b->asks = a->next;
        http_cancel(lane_of(b), a->call);
        free(a);
    }
    loop_timer_free(&b->turn);
    loop_timer_free(&b->patience);
    if (b->rolled) {
        roll_close(&b->roll);
    }
    messages_done(&b->texts);
    kg_buf_done(&b->repeat_text);
    free(b);
}

static void batch_unlink(batch *b)
{
    batch **p = &b->owner->batches;
    while (*p != b) {
        p = &(*p)->next;
    }
    *p = b->next;
    b->job->driver_data = NULL;
}

static void batch_end(batch *b, const sink_outcome *o)
{
    sink *host = b->owner->host;
    sink_job *job = b->job;
    batch_unlink(b);
    batch_free(b);
    sink_finish(host, job, o);
}

/* What all numbers together come to. */
static dlv_state sum_up(const roll_counts *c, size_t count)
{
    if (c->delivered == count) {
        return DLV_DONE;
    }
    if (c->refused == count) {
        return DLV_REFUSED;
    }
    if (c->delivered > 0) {
        return DLV_PARTIAL;
    }
    return c->failed + c->refused == count ? DLV_FAILED : DLV_UNCERTAIN;
}

static void end_counted(batch *b)
{
    const roll_counts c = roll_count(&b->roll);
    const size_t doubt = b->roll.count - c.delivered - c.failed - c.refused;
    const dlv_state state = sum_up(&c, b->roll.count);
    char detail[KG_DIAG_MAX];
    (void)snprintf(detail, sizeof detail,
                   "Danh sách %zu số: đến máy %zu, không đến %zu, bị từ chối %zu, không rõ %zu.%s%s%s", b->roll.count,
                   c.delivered, c.failed, c.refused, doubt,
                   b->texts.items[0].size.parts > 1 ? " Tin nhiều phần: báo cáo chỉ cho phần đầu." : "",
                   b->texts.gaps.len > 0 ? " Thiếu: " : "", kg_buf_str(&b->texts.gaps));
    const char *code = state == DLV_DONE ? "" : doubt > 0 ? "no-report" : c.refused > 0 ? "refused" : "not-delivered";
    dlv_certainty sure = c.sent > 0 ? CERTAIN_ACCEPTED : CERTAIN_NONE;
    sure = state == DLV_DONE || state == DLV_PARTIAL ? CERTAIN_FINISHED : sure;
    const sink_outcome o = {
        .state = state, .certainty = sure, .code = code, .detail = detail, .sent = c.sent, .reached = c.delivered};
    batch_end(b, &o);
}

/* Nothing was handed over: the engine tries again, waiting longer each time. */
static void end_untouched(batch *b)
{
    const bool login = strcmp(b->why_code, "login") == 0;
    static const sink_outcome no_login = {
        .state = DLV_PENDING, .code = "login", .detail = "Kannel không nhận tên hoặc mật khẩu: kiểm tra cấu hình."};
    static const sink_outcome down = {
        .state = DLV_PENDING, .code = "gateway-down", .detail = "Không kết nối được với Kannel; sẽ gửi lại."};
    batch_end(b, login ? &no_login : &down);
}

/* After each change: is it over? */
static void look(batch *b)
{
    const roll_counts c = roll_count(&b->roll);
    sink_progress(b->owner->host, b->job, c.sent, c.delivered);
    if (c.waiting + c.asked + c.open == 0) {
        end_counted(b);
    } else if (c.waiting == 0 && c.asked == 0) {
        loop_timer_set(b->patience, (int64_t)b->owner->config->receipt_wait_s * 1000);
    } else if (c.waiting == b->roll.count && b->why_code[0] != '\0' && b->under_way == 0) {
        end_untouched(b);
    }
}

static void on_patience(void *ctx)
{
    batch *b = ctx;
    const roll_counts c = roll_count(&b->roll);
    if (c.waiting == 0 && c.asked == 0) {
        end_counted(b); /* what has no report stays in doubt */
    }
}

/* ---- one message ---- */

static void pause_batch(batch *b)
{
    int64_t wait_ms = PAUSE_FIRST_MS;
    for (unsigned i = 0; i < b->pauses && wait_ms < PAUSE_MOST_MS; i++) {
        wait_ms *= 2;
    }
    b->pauses++;
    loop_timer_set(b->turn, wait_ms < PAUSE_MOST_MS ? wait_ms : PAUSE_MOST_MS);
}

static void on_answer(void *ctx, const http_answer *h)
{
    ask *a = ctx;
    batch *b = a->batch;
    const char *why_code = "";
    const dlr_stand stand = kannel_judge(h, &why_code);
    for (ask **p = &b->asks; *p != NULL; p = &(*p)->next) {
        if (*p == a) {
            *p = a->next;
            break;
        }
    }
    b->under_way--;
    roll_entry *e = roll_find(&b->roll, a->mark);
    free(a);
    KG_FAULT("sms.kannel.answered");
    if (e != NULL && stand == STAND_QUEUED) {
        roll_queued(&b->roll, e);
        b->pauses = 0;
    } else if (e != NULL && stand == STAND_WAITING && e->stand == STAND_ASKED) {
        roll_returned(&b->roll, e);
    } else if (e != NULL && stand == STAND_REFUSED && e->stand < STAND_REFUSED) {
        roll_stands(&b->roll, e, STAND_REFUSED);
    }
    if (why_code[0] != '\0') {
        (void)snprintf(b->why_code, sizeof b->why_code, "%s", why_code);
        kg_log(KG_WARNING, "kannel.answer", KG_TEXT("alert", b->job->id_text), KG_INT("status", h->status),
               KG_TEXT("code", why_code), KG_TEXT("why", h->sentence));
        pause_batch(b);
    } else if (b->pauses == 0) {
        loop_timer_set(b->turn, 0);
    }
    look(b);
}

static kg_err send_one(batch *b, const roll_entry *e, kg_diag *diag)
{
    kg_buf url = {.max = URL_MAX};
    ask *a = calloc(1, sizeof *a);
    if (a == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for a message");
    }
    const message *m = &b->texts.items[0];
    const kannel_message one = {.to = e->digits,
                                .text = e->once_more ? kg_buf_str(&b->repeat_text) : kg_buf_str(&m->text),
                                .coding = m->size.coding,
                                .key = b->owner->key,
                                .batch = b->number,
                                .mark = e->mark};
    kg_err err = kannel_url(b->owner->config, kg_buf_str(&b->owner->password), &one, &url);
    if (err != KG_OK) {
        err = kg_fail(diag, err, "no memory for a message");
    } else {
        *a = (ask){.batch = b, .mark = e->mark};
        KG_FAULT("sms.kannel.before_send");
        err = http_send(lane_of(b), &(http_request){.url = url.s, .answer_max = 4096}, on_answer, a, &a->call, diag);
    }
    if (err == KG_OK) {
        a->next = b->asks;
        b->asks = a;
        b->under_way++;
    } else {
        free(a);
    }
    if (url.s != NULL) {
        explicit_bzero(url.s, url.len);
    }
    kg_buf_done(&url);
    return err;
}

/* Fills the window: announced on disk first, all at once, then sent. */
static void pump(batch *b)
{
    const kannel_config *c = b->owner->config;
    const size_t window = is_urgent(b) ? c->urgent_window : c->window;
    roll_entry *burst[BURST_MAX];
    size_t n = 0;
    kg_diag why = {{0}};
    while (b->under_way + n < window && n < BURST_MAX) {
        roll_entry *e = roll_next_waiting(&b->roll);
        if (e == NULL) {
            break;
        }
        if (e->once_more && b->repeat_text.len == 0) {
            roll_stands(&b->roll, e, STAND_DOUBT);
            continue;
        }
        e->stand = STAND_ASKED;
        burst[n++] = e;
    }
    kg_err err = n > 0 ? roll_announce(&b->roll, burst, n, &why) : KG_OK;
    KG_FAULT("sms.kannel.announced");
    for (size_t i = 0; i < n; i++) {
        if (err == KG_OK) {
            err = send_one(b, burst[i], &why);
        }
        if (err != KG_OK) {
            roll_returned(&b->roll, burst[i]);
        }
    }
    if (err != KG_OK) {
        kg_log(KG_WARNING, "kannel.send", KG_TEXT("alert", b->job->id_text), KG_TEXT("why", why.text));
        pause_batch(b);
    } else if (n == 0) {
        look(b);
    }
}

static void on_turn(void *ctx)
{
    pump(ctx);
}

/* ---- reports ---- */

static unsigned on_report(void *ctx, const listener_call *call)
{
    kannel_sink *d = ctx;
    dlr r;
    if (!dlr_read(call->path, &r) || !listener_same_secret(r.key, d->key)) {
        return 404;
    }
    for (batch *b = d->batches; b != NULL; b = b->next) {
        if (b->number != r.batch) {
            continue;
        }
        roll_entry *e = roll_find(&b->roll, r.mark);
        const dlr_stand to = e != NULL ? dlr_step(e->stand, r.status) : STAND_WAITING;
        if (e != NULL && to != e->stand) {
            roll_stands(&b->roll, e, to);
            look(b);
        }
        return 200;
    }
    return 200; /* of a job that has ended here: nothing to keep */
}

/* ---- the driver's contract ---- */

/* The same text, said to be a repeat; nothing when that does not fit into as many parts. */
static void label_text(batch *b)
{
    const message *m = &b->texts.items[0];
    sms_size size;
    const char *label = m->size.coding == SMS_UCS2 ? "NHẮC LẠI. " : "NHAC LAI. ";
    kg_ignore(kg_buf_putf(&b->repeat_text, "%s%s", label, kg_buf_str(&m->text))); /* measured in the next line */
    if (sms_measure(kg_buf_str(&b->repeat_text), &size) != KG_OK || size.parts > m->size.parts) {
        kg_buf_clear(&b->repeat_text);
    }
}

static uint64_t batch_number(const sink_job *job)
{
    char key[ALERT_ID_TEXT + STATION_ID_MAX + 16];
    (void)snprintf(key, sizeof key, "%s.%u.%s", job->id_text, job->playing, job->station->id);
    const alert_hash h = alert_hash_of(key, strlen(key));
    uint64_t own = 0;
    memcpy(&own, h.b, sizeof own);
    return own;
}

static kg_err open_roll(batch *b, bool again, kg_diag *diag)
{
    const kannel_sink *d = b->owner;
    numbers all = {.items = NULL};
    kg_buf path = {0};
    kg_err e = numbers_load(kg_buf_str(&d->list), &all, diag);
    if (e == KG_OK) {
        e = kg_buf_putf(&path, "%s/%016" PRIx64 ".roll", kg_buf_str(&d->folder), b->number);
    }
    if (e == KG_OK) {
        e = roll_open(path.s, &all, &b->job->communes, d->config->province != NULL ? d->config->province : "", again,
                      &b->roll, diag);
        b->rolled = e == KG_OK;
    }
    numbers_done(&all);
    kg_buf_done(&path);
    return e;
}

/* The job's batch; NULL: the job has ended, or *e says why not. */
static batch *batch_new(kannel_sink *d, sink_job *job, kg_err *e, kg_diag *diag)
{
    kg_diag why = {{0}};
    batch *b = calloc(1, sizeof *b);
    const char *code = "text";
    *e = b != NULL ? messages_may_go(job->alert, d->config->drills, &why) : KG_E_NOMEM;
    code = *e == KG_E_DENIED ? "drill-switch-off" : code;
    if (*e == KG_OK) {
        b->owner = d;
        b->job = job;
        b->number = batch_number(job);
        *e = messages_make(job, &d->config->message, &b->texts, &why);
    }
    if (*e == KG_OK) {
        label_text(b);
        code = "list";
        *e = open_roll(b, is_urgent(b), &why);
    }
    if (*e == KG_OK && b->roll.count == 0) {
        code = "no-numbers";
        *e = kg_fail(&why, KG_E_NOTFOUND, "Danh sách không có số nào cho địa bàn của bản tin.");
    }
    if (*e == KG_OK) {
        *e = loop_timer_new(sink_loop(d->host), on_turn, b, &b->turn);
    }
    if (*e == KG_OK) {
        *e = loop_timer_new(sink_loop(d->host), on_patience, b, &b->patience);
    }
    if (*e == KG_OK) {
        b->next = d->batches;
        d->batches = b;
        job->driver_data = b;
        return b;
    }
    if (b != NULL) {
        batch_free(b);
    }
    if (kg_err_class(*e) == KG_TEMP) {
        *e = kg_fail(diag, *e, "%s", why.text);
        return NULL;
    }
    *e = KG_OK;
    const sink_outcome refused = {.state = DLV_REFUSED, .code = code, .detail = why.text};
    sink_finish(d->host, job, &refused);
    return NULL;
}

static kg_err kannel_prepare(void *self, sink_job *job, kg_diag *diag)
{
    kannel_sink *d = self;
    kg_err e = KG_OK;
    if (batch_new(d, job, &e, diag) != NULL) {
        sink_prepared(d->host, job);
    }
    return e;
}

static kg_err kannel_start(void *self, sink_job *job, kg_diag *diag)
{
    const kannel_sink *d = self;
    batch *b = job->driver_data;
    char ref[32];
    (void)snprintf(ref, sizeof ref, "%016" PRIx64, b->number);
    const kg_err e = sink_note_ref(d->host, job, ref, diag);
    if (e != KG_OK) {
        batch_unlink(b);
        batch_free(b);
        return e;
    }
    loop_timer_set(b->turn, 0);
    return KG_OK;
}

static kg_err kannel_ask(void *self, sink_job *job, const char *driver_ref, kg_diag *diag)
{
    kg_err e = KG_OK;
    (void)driver_ref; /* the roll's name follows from the job */
    batch *b = batch_new(self, job, &e, diag);
    if (b != NULL) {
        loop_timer_set(b->turn, 0);
    }
    return e;
}

static void kannel_stop(void *self, sink_job *job)
{
    batch *b = job->driver_data;
    const roll_counts c = roll_count(&b->roll);
    (void)self;
    if (c.waiting == b->roll.count) {
        batch_end(b, &(sink_outcome){.state = DLV_PENDING});
        return;
    }
    char detail[160];
    (void)snprintf(detail, sizeof detail, "Đã dừng: %zu trên %zu số chưa gửi, đến máy %zu.", c.waiting, b->roll.count,
                   c.delivered);
    const sink_outcome o = {.state = c.sent > 0 ? DLV_PARTIAL : DLV_UNCERTAIN,
                            .certainty = c.sent > 0 ? CERTAIN_STARTED : CERTAIN_NONE,
                            .code = "stopped",
                            .detail = detail,
                            .sent = c.sent,
                            .reached = c.delivered};
    batch_end(b, &o);
}

static void kannel_close(void *self)
{
    kannel_sink *d = self;
    if (d == NULL) {
        return;
    }
    while (d->batches != NULL) {
        batch *b = d->batches;
        d->batches = b->next;
        b->job->driver_data = NULL;
        batch_free(b);
    }
    listener_close(&d->reports);
    http_free(&d->urgent);
    http_free(&d->other);
    if (d->password.s != NULL) {
        explicit_bzero(d->password.s, d->password.len);
    }
    kg_buf_done(&d->password);
    kg_buf_done(&d->list);
    kg_buf_done(&d->folder);
    kannel_config_free(&d->config);
    free(d);
}

static kg_err open_doors(kannel_sink *d, const char *name, kg_diag *diag)
{
    const http_options urgent = {.connections = d->config->urgent_window};
    const http_options other = {.connections = d->config->window};
    kg_err e = kg_buf_putf(&d->folder, "%s/kannel-%s", sink_state_dir(d->host), name);
    if (e == KG_OK) {
        e = kg_dir_make(kg_buf_str(&d->folder), 0700, diag);
    }
    if (e == KG_OK) {
        e = kannel_key(kg_buf_str(&d->folder), d->key, diag);
    }
    if (e == KG_OK) {
        e = http_new(sink_loop(d->host), &urgent, &d->urgent, diag);
    }
    if (e == KG_OK) {
        e = http_new(sink_loop(d->host), &other, &d->other, diag);
    }
    if (e == KG_OK) {
        e = listener_open(sink_loop(d->host), d->config->reports.listen, on_report, d, &d->reports, diag);
    }
    return e;
}

static kg_err kannel_open(sink *host, const char *name, const char *config_path, void **self, kg_diag *diag)
{
    numbers all = {.items = NULL};
    if (config_path == NULL) {
        return kg_fail(diag, KG_E_INVALID, "driver \"%s\": kannel needs its config file", name);
    }
    kannel_sink *d = calloc(1, sizeof *d);
    if (d == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for driver \"%s\"", name);
    }
    d->host = host;
    kg_err e = kannel_config_load(config_path, &d->config, &d->password, &d->list, diag);
    if (e == KG_OK) {
        e = numbers_load(kg_buf_str(&d->list), &all, diag); /* a bad list is found now, not at night */
        numbers_done(&all);
    }
    if (e == KG_OK) {
        e = open_doors(d, name, diag);
    }
    if (e != KG_OK) {
        kannel_close(d);
        return e;
    }
    *self = d;
    return KG_OK;
}

const sink_driver kannel_driver = {
    .kind = "kannel",
    .open = kannel_open,
    .prepare = kannel_prepare,
    .start = kannel_start,
    .stop = kannel_stop,
    .ask = kannel_ask,
    .close = kannel_close,
};
