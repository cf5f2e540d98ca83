#include "airtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"

enum {
    REF_MAX = AIRTIME_ID_MAX + LIQANSWER_BOOT_MAX,
    URL_MAX = 512,
    CONNECT_MS = 2000,
    ANSWER_MS = 8000, /* it reads the sound first, for up to five seconds */
    SHORT_MS = 1500   /* a playing shorter by more than this was cut */
};

struct airtime {
    struct airtime *next;
    airtime_desk *desk;
    sink_job *job;
    char id[AIRTIME_ID_MAX];
    char boot[LIQANSWER_BOOT_MAX]; /* the run that took it, or was known when it was noted; "" none */
    loop_timer *poll;
    bool calling;  /* an answer is awaited */
    bool accepted; /* it said that it has it */
    bool adopted;  /* found after a crash of ours: whether it was ever told is not known */
    bool stopping;
    int64_t started_ms;    /* on air, by the playout's clock */
    int64_t length_ms;     /* 0 not known */
    int64_t answered_ms;   /* last heard of, by our clock */
    int64_t stop_asked_ms; /* 0 not */
};

static void tell(airtime *t);
static void ask(airtime *t);

/* "<station>.<alert>-<playing>", and what tells a further try of the same playing from the first. */
static void id_make(const sink_job *job, char out[AIRTIME_ID_MAX])
{
    char ref[AIRING_REF_TEXT], attempt[16] = "";
    airing_ref(job, ref);
    if (job->attempt > 0) {
        (void)snprintf(attempt, sizeof attempt, "-a%u", job->attempt);
    }
    (void)snprintf(out, AIRTIME_ID_MAX, "%s.%s%s%s", job->station->id, ref, job->labelled ? "-r" : "", attempt);
    for (char *p = out; *p != '\0'; p++) {
        const bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9');
        *p = plain || *p == '.' || *p == '-' ? *p : '_';
    }
}

static void wav_path(const airtime *t, char out[AIRTIME_WAV_MAX])
{
    (void)snprintf(out, AIRTIME_WAV_MAX, "%s/%s.wav", t->desk->folder, t->id);
}

static airtime *airtime_of(const airtime_desk *d, const sink_job *job)
{
    airtime *t = d->open;
    while (t != NULL && t->job != job) {
        t = t->next;
    }
    return t;
}

static void on_poll(void *ctx)
{
    ask(ctx);
}

static kg_err airtime_new(airtime_desk *d, sink_job *job, airtime **out, kg_diag *diag)
{
    airtime *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for an order");
    }
    *t = (airtime){.desk = d, .job = job, .answered_ms = sink_now_ms(d->host)};
    const kg_err e = loop_timer_new(sink_loop(d->host), on_poll, t, &t->poll);
    if (e != KG_OK) {
        free(t);
        return kg_fail(diag, e, "no timer for an order");
    }
    t->next = d->open;
    d->open = t;
    *out = t;
    return KG_OK;
}

static void airtime_free(airtime *t)
{
    for (airtime **p = &t->desk->open; *p != NULL; p = &(*p)->next) {
        if (*p == t) {
            *p = t->next;
            break;
        }
    }
    loop_timer_free(&t->poll);
    free(t);
}

static void finish(airtime *t, const sink_outcome *o)
{
    airtime_desk *d = t->desk;
    sink_job *job = t->job;
    char wav[AIRTIME_WAV_MAX];
    wav_path(t, wav);
    (void)unlink(wav);
    airtime_free(t);
    KG_FAULT("broadcast.ended");
    airing_finish(d->airing, job, o);
}

/* Nobody can say any more what became of it. */
static void lose(airtime *t, const char *code, const char *detail)
{
    finish(t, &(sink_outcome){.state = DLV_UNCERTAIN,
                              .certainty = t->started_ms != 0 ? CERTAIN_STARTED
                                           : t->accepted      ? CERTAIN_ACCEPTED
                                                              : CERTAIN_NONE,
                              .code = code,
                              .detail = detail,
                              .started_ms = t->started_ms,
                              .again = true});
}

static void nothing_heard(airtime *t, const char *code, const char *detail)
{
    finish(t, &(sink_outcome){.state = DLV_PENDING, .code = code, .detail = detail});
}

/* ---- what it says ---- */

static void aired(airtime *t, const liqanswer *a)
{
    const bool whole = t->length_ms == 0 || a->ended_ms - a->started_ms >= t->length_ms - SHORT_MS;
    finish(t, &(sink_outcome){.state = whole ? DLV_DONE : DLV_PARTIAL,
                              .certainty = CERTAIN_FINISHED,
                              .code = whole ? "" : "cut-short",
                              .detail = whole ? "" : "Máy phát kết thúc bản tin sớm hơn độ dài của nó.",
                              .started_ms = a->started_ms,
                              .ended_ms = a->ended_ms});
}

static void cut(airtime *t, const liqanswer *a)
{
    finish(t, &(sink_outcome){.state = DLV_PARTIAL,
                              .certainty = CERTAIN_FINISHED,
                              .code = t->stopping ? "interrupted" : "cut-by-station",
                              .detail = t->stopping ? "Đã ngừng phát giữa chừng." : "Đài đã cắt bản tin giữa chừng.",
                              .started_ms = a->started_ms,
                              .ended_ms = a->ended_ms});
}

/* It knows nothing of the order: it was never told, or another run was. */
static void forgotten(airtime *t, const char *boot)
{
    const bool same_run = t->boot[0] != '\0' && strcmp(t->boot, boot) == 0;
    const bool maybe_heard = t->started_ms != 0 || (t->accepted && t->job->mode == MODE_INTERRUPT);
    if (maybe_heard || (t->adopted && !same_run)) {
        lose(t, "playout-restarted", "Máy phát khởi động lại giữa chừng; không rõ bản tin đã phát đến đâu.");
    } else if (t->adopted || t->stopping) {
        nothing_heard(t, "not-aired", "Máy phát chưa nhận bản tin.");
    } else {
        tell(t);
    }
}

static void heard_of(airtime *t, const liqanswer *a)
{
    airtime_desk *d = t->desk;
    t->answered_ms = sink_now_ms(d->host);
    (void)snprintf(d->boot, sizeof d->boot, "%s", a->boot);
    sink_device(d->host, t->job->station, true, -1, "");
    if (a->state == LIQ_UNKNOWN) {
        forgotten(t, a->boot);
        return;
    }
    t->accepted = true;
    t->started_ms = a->started_ms;
    (void)snprintf(t->boot, sizeof t->boot, "%s", a->boot);
    switch (a->state) {
    case LIQ_DONE:
        aired(t, a);
        break;
    case LIQ_CUT:
        cut(t, a);
        break;
    case LIQ_REMOVED:
        nothing_heard(t, "removed", "Bản tin được lấy ra khỏi hàng chờ của máy phát trước khi phát.");
        break;
    case LIQ_UNKNOWN:
    case LIQ_QUEUED:
    case LIQ_ON_AIR:
        loop_timer_set(t->poll, t->stopping ? 0 : d->poll_ms);
        break;
    }
}

static void silent(airtime *t, const http_answer *a)
{
    const int64_t now = sink_now_ms(t->desk->host);
    sink_device(t->desk->host, t->job->station, false, -1, a->sentence);
    if (t->stopping && now - t->stop_asked_ms >= AIRTIME_STOP_MS) {
        lose(t, "playout-silent", "Máy phát không trả lời lệnh dừng; không rõ bản tin còn phát hay không.");
    } else if (now - t->answered_ms >= AIRTIME_SILENT_MS) {
        lose(t, "playout-silent", "Máy phát không trả lời; không rõ bản tin đã phát hay chưa.");
    } else {
        loop_timer_set(t->poll, t->desk->poll_ms);
    }
}

static bool understood(airtime *t, const http_answer *a, liqanswer *out)
{
    kg_diag diag = {0};
    if (a->error != KG_OK || liqanswer_read(a->body, a->body_bytes, t->id, out, &diag) == KG_OK) {
        return a->error == KG_OK;
    }
    if (a->status >= 200 && a->status < 300) {
        kg_log(KG_WARNING, "broadcast.answer", KG_TEXT("alert", t->job->id_text), KG_INT("status", a->status),
               KG_TEXT("why", diag.text));
    }
    return false;
}

static void on_told(void *ctx, const http_answer *a)
{
    airtime *t = ctx;
    liqanswer answer;
    kg_diag why;
    t->calling = false;
    KG_FAULT("broadcast.told");
    if (a->status == 422) {
        finish(t, &(sink_outcome){.state = DLV_FAILED,
                                  .code = "sound-unreadable",
                                  .detail = "Máy phát không đọc được tệp âm thanh; kiểm tra thư mục dùng chung."});
    } else if (a->status == 401 || a->status == 403) {
        nothing_heard(t, "playout-denied", "Máy phát từ chối mã truy cập (token).");
    } else if (a->error != KG_OK && !a->sent && !t->accepted) {
        sink_device(t->desk->host, t->job->station, false, -1, a->sentence);
        (void)kg_fail(&why, a->error, "Không kết nối được với máy phát: %s", a->sentence);
        nothing_heard(t, "playout-down", why.text);
    } else if ((a->status == 200 || a->status == 202) && understood(t, a, &answer) && answer.state != LIQ_UNKNOWN) {
        heard_of(t, &answer);
    } else if (a->error == KG_OK && a->status >= 400) {
        (void)kg_fail(&why, KG_E_IO, "Máy phát trả lời lỗi (mã %ld).", a->status);
        nothing_heard(t, "playout-failed", why.text);
    } else {
        silent(t, a); /* it may have been taken: asking will tell */
    }
}

static void on_asked(void *ctx, const http_answer *a)
{
    airtime *t = ctx;
    liqanswer answer;
    t->calling = false;
    if ((a->status == 200 || a->status == 404) && understood(t, a, &answer)) {
        heard_of(t, &answer);
    } else {
        silent(t, a);
    }
}

/* ---- what it is told and asked ---- */

kg_err airtime_call(const airtime_desk *d, const char *verb, json_t *body, http_done_fn fn, void *ctx)
{
    static const char *const headers[] = {"Content-Type: application/json"};
    char url[URL_MAX];
    char *text = body != NULL ? json_dumps(body, 0) : NULL;
    kg_diag diag = {0};
    json_decref(body);
    if (text == NULL) {
        return KG_E_NOMEM;
    }
    (void)snprintf(url, sizeof url, "%s/keng/%s", d->url, verb);
    const http_request r = {.method = "POST",
                            .url = url,
                            .headers = headers,
                            .header_count = 1,
                            .body = text,
                            .body_bytes = strlen(text),
                            .token = d->token,
                            .connect_ms = CONNECT_MS,
                            .timeout_ms = ANSWER_MS,
                            .answer_max = LIQANSWER_BYTES_MAX};
    const kg_err e = http_send(d->http, &r, fn, ctx, NULL, &diag);
    if (e != KG_OK) {
        kg_log(KG_WARNING, "broadcast.call", KG_TEXT("verb", verb), KG_TEXT("why", diag.text));
    }
    free(text);
    return e;
}

/* A call that could not even be made (memory, too many) is made later. */
static void called(airtime *t, kg_err e)
{
    t->calling = e == KG_OK;
    if (e != KG_OK) {
        loop_timer_set(t->poll, t->desk->poll_ms);
    }
}

static const char *mode_word(policy_mode m)
{
    return m == MODE_INTERRUPT ? "interrupt" : m == MODE_NEXT ? "next" : "schedule";
}

static void tell(airtime *t)
{
    const airtime_desk *d = t->desk;
    const alert_info *info = alert_info_for(t->job->alert, "vi");
    char uri[AIRTIME_WAV_MAX];
    if (d->seen_as != NULL) {
        (void)snprintf(uri, sizeof uri, "%s/%s.wav", d->seen_as, t->id);
    } else {
        wav_path(t, uri);
    }
    KG_FAULT("broadcast.tell");
    called(t, airtime_call(t->desk, "play",
                           json_pack("{s:s, s:s, s:s, s:s}", "id", t->id, "uri", uri, "mode", mode_word(t->job->mode),
                                     "title", info != NULL ? info->headline : ""),
                           on_told, t));
}

static void ask(airtime *t)
{
    if (!t->calling) {
        called(t, airtime_call(t->desk, t->stopping ? "stop" : "status", json_pack("{s:s}", "id", t->id), on_asked, t));
    }
}

/* ---- begin, take up, end ---- */

static kg_err hand_over(airtime *t, kg_diag *diag)
{
    const airtime_desk *d = t->desk;
    const airing_sound *s = airing_sound_of(t->job);
    char ref[REF_MAX], wav[AIRTIME_WAV_MAX];
    id_make(t->job, t->id);
    wav_path(t, wav);
    t->length_ms = s->length_ms;
    (void)snprintf(t->boot, sizeof t->boot, "%s", d->boot);
    (void)snprintf(ref, sizeof ref, "%s %s", t->id, d->boot[0] != '\0' ? d->boot : "-");
    kg_err e = airing_export(s, wav, diag);
    if (e == KG_OK) {
        e = sink_note_ref(d->host, t->job, ref, diag);
    }
    return e;
}

void airtime_start(airtime_desk *d, sink_job *job)
{
    airtime *t = NULL;
    kg_diag diag = {0}, detail;
    kg_err e = airtime_new(d, job, &t, &diag);
    if (e == KG_OK) {
        e = hand_over(t, &diag);
    }
    if (e == KG_OK) {
        tell(t);
        return;
    }
    (void)kg_fail(&detail, e, "Không giao được bản tin cho máy phát: %s", diag.text);
    const sink_outcome o = {
        .state = kg_err_class(e) == KG_TEMP ? DLV_PENDING : DLV_FAILED, .code = "not-started", .detail = detail.text};
    if (t != NULL) {
        finish(t, &o);
    } else {
        airing_finish(d->airing, job, &o);
    }
}

kg_err airtime_adopt(airtime_desk *d, sink_job *job, const char *driver_ref, kg_diag *diag)
{
    airtime *t = NULL;
    const size_t n = strcspn(driver_ref, " ");
    if (n == 0 || n >= AIRTIME_ID_MAX) { /* it was not told: the note comes first */
        const sink_outcome o = {.state = DLV_PENDING, .code = "not-aired", .detail = "Máy phát chưa nhận bản tin."};
        airing_finish(d->airing, job, &o);
        return KG_OK;
    }
    const kg_err e = airtime_new(d, job, &t, diag);
    if (e != KG_OK) {
        return e;
    }
    t->adopted = true;
    (void)snprintf(t->id, sizeof t->id, "%.*s", (int)n, driver_ref);
    const char *boot = driver_ref[n] == ' ' ? driver_ref + n + 1 : "-";
    (void)snprintf(t->boot, sizeof t->boot, "%s", strcmp(boot, "-") == 0 ? "" : boot);
    ask(t);
    return KG_OK;
}

bool airtime_stop(airtime_desk *d, const sink_job *job)
{
    airtime *t = airtime_of(d, job);
    if (t == NULL) {
        return false;
    }
    t->stopping = true;
    t->stop_asked_ms = sink_now_ms(d->host);
    ask(t); /* while an answer is awaited, it is told right after that */
    return true;
}

void airtime_forget(airtime_desk *d)
{
    while (d->open != NULL) {
        airtime_free(d->open); /* NOLINT(clang-analyzer-unix.Malloc) it takes itself out of the list */
    }
}
