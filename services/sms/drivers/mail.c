/*
 * mail - the operator's form as an e-mail, for operators without an interface; a person confirms by telephone.
 *
 * Outcome   The mail server's 250 is only "accepted": the job stays open until `confirm` names who confirmed, which the
 *           engine puts on record. Not confirmed by the alert's end: UNCERTAIN.
 * Doubt     A letter that may have been taken is sent again under the same number and Message-ID; the form says not to
 *           send twice under one number.
 * Crash     The noted ref says "sending <id>" before the letter goes and "taken <id>" afterwards.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "drivers/drivers.h"
#include "http/smtp.h"
#include "mime.h"
#include "nearby.h"
#include "request.h"

enum { TO_MAX = 8, TRIES_MAX = 4, AGAIN_MS = 15000, DEADLINE_MIN = 60, REF_MAX = REQUEST_ID_MAX + 16 };

typedef struct mail_config {
    char *operator_id;
    char *server;          /* smtp://host:port or smtps://host:port */
    char *user, *password; /* password: file, 0600 */
    char *ca;
    bool plain;
    char *from;
    char **to;
    unsigned to_count;
    char *phone; /* who rings whom to confirm */
    bool drills;
    unsigned deadline_min;
    rules message;
} mail_config;

static const cyaml_schema_value_t address = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 3, 254)};
static const cyaml_schema_field_t mail_fields[] = {
    CYAML_FIELD_STRING_PTR("operator", CYAML_FLAG_POINTER, mail_config, operator_id, 1, REQUEST_OPERATOR_MAX - 1),
    CYAML_FIELD_STRING_PTR("server", CYAML_FLAG_POINTER, mail_config, server, 1, 1024),
    CYAML_FIELD_STRING_PTR("user", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, mail_config, user, 1, 254),
    CYAML_FIELD_STRING_PTR("password", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, mail_config, password, 1, 4096),
    CYAML_FIELD_STRING_PTR("ca", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, mail_config, ca, 1, 4096),
    YAML_SWITCH("plain", CYAML_FLAG_OPTIONAL, mail_config, plain),
    CYAML_FIELD_STRING_PTR("from", CYAML_FLAG_POINTER, mail_config, from, 3, 254),
    CYAML_FIELD_SEQUENCE("to", CYAML_FLAG_POINTER, mail_config, to, &address, 1, TO_MAX),
    CYAML_FIELD_STRING_PTR("phone", CYAML_FLAG_POINTER, mail_config, phone, 1, 64),
    YAML_SWITCH("drills", CYAML_FLAG_OPTIONAL, mail_config, drills),
    CYAML_FIELD_UINT("deadline_min", CYAML_FLAG_OPTIONAL, mail_config, deadline_min),
    CYAML_FIELD_MAPPING("message", CYAML_FLAG_DEFAULT, mail_config, message, rules_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t mail_schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, mail_config, mail_fields)};

typedef struct mail mail;

typedef struct errand { /* one job: one letter */
    struct errand *next;
    mail *owner;
    sink_job *job;
    char id[REQUEST_ID_MAX];
    kg_buf letter; /* the whole message */
    kg_buf gaps;
    loop_timer *again;
    uint64_t call;
    bool in_flight, maybe_taken, taken;
    unsigned tries;
} errand;

struct mail {
    sink *host;
    mail_config *config;
    kg_buf password, ca;
    http *urgent, *other;
    errand *errands;
};

/* ---- the life of an errand ---- */

static http *lane_of(const errand *r)
{
    return r->job->alert->bulletin_class == CLASS_URGENT ? r->owner->urgent : r->owner->other;
}

static void errand_free(errand *r)
{
    if (r->in_flight) {
        http_cancel(lane_of(r), r->call);
    }
    loop_timer_free(&r->again);
    kg_buf_done(&r->letter);
    kg_buf_done(&r->gaps);
    free(r);
}

static void errand_unlink(errand *r)
{
    errand **p = &r->owner->errands;
    while (*p != r) {
        p = &(*p)->next;
    }
    *p = r->next;
    r->job->driver_data = NULL;
}

static void errand_end(errand *r, const sink_outcome *o)
{
    const mail *d = r->owner;
    sink_job *job = r->job;
    errand_unlink(r);
    errand_free(r);
    sink_finish(d->host, job, o);
}

/* ---- writing the letter ---- */

static void subject(const errand *r, kg_buf *out)
{
    const alert *a = r->job->alert;
    const char *drill = a->status == CAP_ACTUAL ? "" : a->status == CAP_TEST ? "[THỬ NGHIỆM] " : "[DIỄN TẬP] ";
    const char *class = bulletin_class_vi(a->bulletin_class);
    kg_ignore(kg_buf_putf(out, "%sYêu cầu nhắn tin cảnh báo (%s) - phiếu %.8s", drill, class, r->id)); /* asked below */
}

static kg_err write_mail(errand *r, const messages *texts, kg_diag *diag)
{
    const mail *d = r->owner;
    const int64_t last_ms = r->job->alert->sent_ms + (int64_t)d->config->deadline_min * 60000;
    kg_buf text = {0};
    kg_buf title = {0};
    kg_buf json[MESSAGES_MAX] = {{0}};
    char names[MESSAGES_MAX][REQUEST_ID_MAX + 8];
    mime_part parts[MESSAGES_MAX];
    kg_err e = KG_OK;
    for (size_t i = 0; e == KG_OK && i < texts->count; i++) {
        const request q = {.job = r->job,
                           .text = &texts->items[i],
                           .operator_id = d->config->operator_id,
                           .sender = d->config->message.sender,
                           .deadline_ms = last_ms < r->job->ends_ms ? last_ms : r->job->ends_ms,
                           .phone = d->config->phone};
        request_id(r->job, d->config->operator_id, texts->items[i].language, names[i]);
        (void)snprintf(names[i] + strlen(names[i]), 8, ".json");
        kg_ignore(kg_buf_puts(&text, i > 0 ? "\n\n==========\n\n" : "")); /* asked below */
        e = request_letter(&q, &text, diag);
        if (e == KG_OK) {
            e = request_json(&q, &json[i], diag);
        }
        parts[i] = (mime_part){names[i], "application/json", kg_buf_str(&json[i]), json[i].len};
    }
    subject(r, &title);
    if (e == KG_OK && (kg_buf_failed(&text) != KG_OK || kg_buf_failed(&title) != KG_OK)) {
        e = kg_fail(diag, KG_E_NOMEM, "no memory for an e-mail");
    }
    const char *to[TO_MAX];
    for (unsigned i = 0; i < d->config->to_count; i++) {
        to[i] = d->config->to[i];
    }
    const mime_letter m = {.from = d->config->from,
                           .to = to,
                           .to_count = d->config->to_count,
                           .subject = kg_buf_str(&title),
                           .id = r->id,
                           .date_ms = sink_now_ms(d->host),
                           .urgent = r->job->alert->bulletin_class == CLASS_URGENT,
                           .text = kg_buf_str(&text),
                           .parts = parts,
                           .part_count = texts->count};
    if (e == KG_OK) {
        e = mime_write(&m, &r->letter, diag);
    }
    for (size_t i = 0; i < MESSAGES_MAX; i++) {
        kg_buf_done(&json[i]);
    }
    kg_buf_done(&text);
    kg_buf_done(&title);
    return e;
}

/* ---- sending it ---- */

static void post(errand *r);

static void on_again(void *ctx)
{
    post(ctx);
}

static void note(const errand *r, const char *word)
{
    char ref[REF_MAX];
    kg_diag why = {{0}};
    (void)snprintf(ref, sizeof ref, "%s %s", word, r->id);
    if (sink_note_ref(r->owner->host, r->job, ref, &why) != KG_OK) {
        kg_log(KG_ERROR, "mail.note", KG_TEXT("alert", r->job->id_text), KG_TEXT("why", why.text));
    }
}

static void on_taken(errand *r)
{
    r->taken = true;
    KG_FAULT("sms.mail.taken");
    note(r, "taken");
    kg_log(KG_INFO, "mail.taken", KG_TEXT("alert", r->job->id_text), KG_TEXT("request", r->id));
}

static void on_mail(void *ctx, const http_answer *a)
{
    errand *r = ctx;
    r->in_flight = false;
    if (a->error == KG_OK) {
        on_taken(r);
        return;
    }
    const bool refused = a->status >= 500 && a->status < 600;
    r->maybe_taken = r->maybe_taken || (a->sent && !refused && a->status < 400 && a->status != 220);
    kg_log(KG_WARNING, "mail.failed", KG_TEXT("alert", r->job->id_text), KG_TEXT("request", r->id),
           KG_INT("status", a->status), KG_TEXT("why", a->sentence));
    if (refused && !r->maybe_taken) {
        errand_end(r, &(sink_outcome){.state = DLV_FAILED,
                                      .code = "mail-refused",
                                      .detail = "Máy chủ thư từ chối thư yêu cầu nhắn tin; cần gọi điện thoại ngay."});
    } else if (!r->maybe_taken) {
        errand_end(r, &(sink_outcome){.state = DLV_PENDING,
                                      .code = "mail-down",
                                      .detail = "Chưa gửi được thư yêu cầu nhắn tin; sẽ gửi lại."});
    } else if (++r->tries < TRIES_MAX) {
        loop_timer_set(r->again, AGAIN_MS); /* the same letter: same number, same Message-ID */
    }                                       /* else: it waits for the telephone, or for the alert's end */
}

static void post(errand *r)
{
    const mail *d = r->owner;
    kg_diag why = {{0}};
    const char *to[TO_MAX];
    for (unsigned i = 0; i < d->config->to_count; i++) {
        to[i] = d->config->to[i];
    }
    const smtp_mail m = {.server = d->config->server,
                         .user = d->config->user,
                         .password = d->config->user != NULL ? kg_buf_str(&d->password) : NULL,
                         .from = d->config->from,
                         .to = to,
                         .to_count = d->config->to_count,
                         .message = kg_buf_str(&r->letter),
                         .message_bytes = r->letter.len,
                         .plain = d->config->plain};
    KG_FAULT("sms.mail.before_send");
    if (smtp_send(lane_of(r), &m, on_mail, r, &r->call, &why) == KG_OK) {
        r->in_flight = true;
        return;
    }
    kg_log(KG_WARNING, "mail.send", KG_TEXT("request", r->id), KG_TEXT("why", why.text));
    loop_timer_set(r->again, AGAIN_MS);
}

/* ---- the driver's contract ---- */

/* The job's errand; NULL: the job has ended, or *e says why not. */
static errand *errand_new(mail *d, sink_job *job, kg_err *e, kg_diag *diag)
{
    kg_diag why = {{0}};
    messages texts = {.count = 0};
    *e = messages_may_go(job->alert, d->config->drills, &why);
    const char *code = *e == KG_E_DENIED ? "drill-switch-off" : "text";
    if (*e == KG_OK) {
        *e = messages_make(job, &d->config->message, &texts, &why);
    }
    if (*e != KG_OK && kg_err_class(*e) != KG_TEMP) {
        *e = KG_OK;
        const sink_outcome refused = {.state = DLV_REFUSED, .code = code, .detail = why.text};
        sink_finish(d->host, job, &refused);
        return NULL;
    }
    errand *r = *e == KG_OK ? calloc(1, sizeof *r) : NULL;
    if (r != NULL) {
        *r = (errand){.owner = d, .job = job, .gaps = texts.gaps};
        texts.gaps = (kg_buf){0};
        request_id(job, d->config->operator_id, "vi", r->id);
        *e = write_mail(r, &texts, diag);
    }
    if (r != NULL && *e == KG_OK) {
        *e = loop_timer_new(sink_loop(d->host), on_again, r, &r->again);
    }
    messages_done(&texts);
    if (r == NULL || *e != KG_OK) {
        if (r != NULL) {
            errand_free(r);
        }
        *e = *e != KG_OK ? *e : KG_E_NOMEM;
        return NULL;
    }
    r->next = d->errands;
    d->errands = r;
    job->driver_data = r;
    return r;
}

static kg_err mail_prepare(void *self, sink_job *job, kg_diag *diag)
{
    mail *d = self;
    kg_err e = KG_OK;
    if (errand_new(d, job, &e, diag) != NULL) {
        sink_prepared(d->host, job);
    }
    return e;
}

static kg_err mail_start(void *self, sink_job *job, kg_diag *diag)
{
    const mail *d = self;
    errand *r = job->driver_data;
    char ref[REF_MAX];
    (void)snprintf(ref, sizeof ref, "sending %s", r->id);
    const kg_err e = sink_note_ref(d->host, job, ref, diag);
    if (e != KG_OK) {
        errand_unlink(r);
        errand_free(r);
        return e;
    }
    loop_timer_set(r->again, 0);
    return KG_OK;
}

static kg_err mail_ask(void *self, sink_job *job, const char *driver_ref, kg_diag *diag)
{
    kg_err e = KG_OK;
    errand *r = errand_new(self, job, &e, diag);
    if (r == NULL) {
        return e;
    }
    r->maybe_taken = true;
    if (strncmp(driver_ref, "taken ", 6) == 0) {
        r->taken = true; /* only the telephone is missing */
    } else {
        loop_timer_set(r->again, 0);
    }
    return KG_OK;
}

static kg_err mail_confirm(void *self, sink_job *job, bool done, const char *who, const char *by_note, kg_diag *diag)
{
    errand *r = job->driver_data;
    kg_buf detail = {.max = KG_DIAG_MAX};
    (void)self;
    if (who[0] == '\0') {
        return kg_fail(diag, KG_E_INVALID, "Xác nhận phải có tên người xác nhận.");
    }
    kg_ignore(kg_buf_putf(
        &detail, "%s %s%s%s.%s%s",
        done ? "Nhà mạng xác nhận qua điện thoại, người ghi:" : "Nhà mạng từ chối qua điện thoại, người ghi:", who,
        by_note[0] != '\0' ? ", " : "", by_note, r->gaps.len > 0 ? " Thiếu: " : "",
        kg_buf_str(&r->gaps))); /* cut short it is still a record: the engine has who and note */
    const sink_outcome o = {.state = done ? DLV_DONE : DLV_REFUSED,
                            .certainty = done ? CERTAIN_ACCEPTED : CERTAIN_NONE,
                            .code = done ? "" : "refused-by-telephone",
                            .detail = kg_buf_str(&detail)};
    errand_end(r, &o);
    kg_buf_done(&detail);
    return KG_OK;
}

static void mail_stop(void *self, sink_job *job)
{
    errand *r = job->driver_data;
    (void)self;
    const bool nothing = !r->taken && !r->maybe_taken && !r->in_flight;
    const sink_outcome o = {.state = nothing ? DLV_PENDING : DLV_UNCERTAIN,
                            .certainty = r->taken ? CERTAIN_ACCEPTED : CERTAIN_NONE,
                            .code = "not-confirmed",
                            .detail =
                                "Đã gửi thư tới nhà mạng nhưng chưa ai xác nhận qua điện thoại; cần gọi hỏi và báo "
                                "dừng nếu còn đang gửi."};
    errand_end(r, &o);
}

static void mail_close(void *self)
{
    mail *d = self;
    if (d == NULL) {
        return;
    }
    while (d->errands != NULL) {
        errand *r = d->errands;
        d->errands = r->next;
        r->job->driver_data = NULL;
        errand_free(r);
    }
    http_free(&d->urgent);
    http_free(&d->other);
    kg_buf_done(&d->password);
    kg_buf_done(&d->ca);
    void *config = d->config;
    yaml_free(&mail_schema, &config);
    free(d);
}

static kg_err check(mail *d, const char *path, kg_diag *diag)
{
    mail_config *c = d->config;
    kg_err e = rules_check(&c->message, diag);
    if (e == KG_OK) {
        e = request_check_operator(c->operator_id, diag);
    }
    if (e == KG_OK) {
        e = smtp_check_server(c->server, diag);
    }
    if (e == KG_OK && (c->user != NULL) != (c->password != NULL)) {
        e = kg_fail(diag, KG_E_INVALID, "user and password belong together: give both, or none");
    }
    if (e == KG_OK && c->password != NULL) {
        e = nearby_secret(path, c->password, &d->password, diag);
    }
    if (e == KG_OK && c->ca != NULL) {
        e = nearby_path(path, c->ca, &d->ca, diag);
    }
    c->deadline_min = c->deadline_min == 0 ? DEADLINE_MIN : c->deadline_min;
    return e;
}

static kg_err mail_open(sink *host, const char *name, const char *config_path, void **self, kg_diag *diag)
{
    void *loaded = NULL;
    if (config_path == NULL) {
        return kg_fail(diag, KG_E_INVALID, "driver \"%s\": mail needs its config file", name);
    }
    kg_err e = yaml_load(config_path, &mail_schema, &loaded, diag);
    if (e != KG_OK) {
        return e;
    }
    mail *d = calloc(1, sizeof *d);
    if (d == NULL) {
        yaml_free(&mail_schema, &loaded);
        return kg_fail(diag, KG_E_NOMEM, "no memory for driver \"%s\"", name);
    }
    d->host = host;
    d->config = loaded;
    e = check(d, config_path, diag);
    const http_options options = {.connections = 2, .ca_file = d->ca.len > 0 ? d->ca.s : NULL};
    if (e == KG_OK) {
        e = http_new(sink_loop(host), &options, &d->urgent, diag);
    }
    if (e == KG_OK) {
        e = http_new(sink_loop(host), &options, &d->other, diag);
    }
    if (e != KG_OK) {
        mail_close(d);
        return kg_fail_in(diag, e, "%s: ", config_path);
    }
    *self = d;
    return KG_OK;
}

const sink_driver mail_driver = {
    .kind = "mail",
    .open = mail_open,
    .prepare = mail_prepare,
    .start = mail_start,
    .stop = mail_stop,
    .ask = mail_ask,
    .confirm = mail_confirm,
    .close = mail_close,
};
