#include "airing/airing.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "render/render.h"
#include "speech/speech.h"
#include "speech/wav.h"

typedef struct making making;

/* A recording on its way from the router. The engine has its address until it answers: it outlives the job. */
typedef struct fetch {
    struct fetch *next;
    airing *owner;
    making *for_job; /* NULL: came too late, or the job is gone */
    size_t language;
} fetch;

typedef struct tongue { /* one language of one job */
    const char *language;
    kg_buf text;
    bool by_hash, waiting;
    alert_hash hash;
    kg_buf wav; /* as fetched */
    kg_err err; /* KG_OK: can be sounded */
} tongue;

struct making {
    airing_sound sound; /* first: driver_data is a pointer to it */
    making *next;
    airing *owner;
    sink_job *job;
    speech_job *speaking;
    loop_timer *patience; /* for what is being fetched */
    bool ready;
    tongue tongues[AIRING_LANGUAGES_MAX];
    size_t count;
};

struct airing {
    sink *host;
    speech *speech;
    int64_t fetch_ms;
    making *makings;
    fetch *fetches;
};

/* ---- life ---- */

kg_err airing_open(sink *host, const char *name, const airing_config *config, airing **out, kg_diag *diag)
{
    char dir[PATH_MAX];
    airing *a = calloc(1, sizeof *a);
    if (a == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for a driver's sounds");
    }
    a->host = host;
    a->fetch_ms = config->fetch_ms != 0 ? config->fetch_ms : AIRING_FETCH_MS;
    kg_err e = KG_OK;
    if ((size_t)snprintf(dir, sizeof dir, "%s/%s/sound", sink_state_dir(host), name) >= sizeof dir) {
        e = kg_fail(diag, KG_E_LIMIT, "%s: the path is too long", sink_state_dir(host));
    }
    const speech_config speaking = {.work_dir = dir,
                                    .clips_dir = config->clips,
                                    .program = config->program,
                                    .voice = config->voice,
                                    .rate = config->rate};
    if (e == KG_OK) {
        e = speech_open(sink_loop(host), &speaking, &a->speech, diag);
    }
    if (e != KG_OK) {
        free(a);
        return e;
    }
    *out = a;
    return KG_OK;
}

static void making_free(making *m)
{
    airing *a = m->owner;
    for (making **p = &a->makings; *p != NULL; p = &(*p)->next) {
        if (*p == m) {
            *p = m->next;
            break;
        }
    }
    for (fetch *f = a->fetches; f != NULL; f = f->next) {
        f->for_job = f->for_job == m ? NULL : f->for_job;
    }
    speech_cancel(&m->speaking);
    loop_timer_free(&m->patience);
    if (m->sound.wav[0] != '\0') {
        (void)unlink(m->sound.wav);
    }
    for (size_t i = 0; i < m->count; i++) {
        kg_buf_done(&m->tongues[i].text);
        kg_buf_done(&m->tongues[i].wav);
    }
    kg_buf_done(&m->sound.missing);
    m->job->driver_data = NULL;
    free(m);
}

void airing_close(airing **a)
{
    if (a == NULL || *a == NULL) {
        return;
    }
    while ((*a)->makings != NULL) {
        making_free((*a)->makings);
    }
    while ((*a)->fetches != NULL) {
        fetch *f = (*a)->fetches;
        (*a)->fetches = f->next;
        free(f);
    }
    speech_close(&(*a)->speech);
    free(*a);
    *a = NULL;
}

airing_sound *airing_sound_of(const sink_job *job)
{
    return job->driver_data;
}

static making *making_of(const sink_job *job)
{
    return job->driver_data;
}

bool airing_ready(const sink_job *job)
{
    return job->driver_data != NULL && making_of(job)->ready;
}

void airing_each(airing *a, void (*visit)(void *ctx, sink_job *job), void *ctx)
{
    for (making *m = a->makings, *next = NULL; m != NULL; m = next) {
        next = m->next;
        visit(ctx, m->job);
    }
}

/* ---- what is missing, in words ---- */

static const char *language_vi(const char *tag)
{
    static const struct {
        const char *tag, *name;
    } names[] = {{"vi", "Việt"},    {"km", "Khmer"},    {"rad", "Ê Đê"},       {"mng", "M'nông"}, {"cmo", "M'nông"},
                 {"mnn", "M'nông"}, {"jra", "Gia Rai"}, {"hro", "Chăm H'roi"}, {"bdq", "Ba Na"},  {"en", "Anh"}};
    const size_t n = strcspn(tag, "-");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i].tag) == n && strncmp(names[i].tag, tag, n) == 0) {
            return names[i].name;
        }
    }
    return tag;
}

static const char *reason_vi(kg_err e)
{
    switch ((int)e) {
    case KG_E_NOTFOUND:
        return "không có giọng đọc, cũng không có bản ghi âm phù hợp";
    case KG_E_EXPIRED:
        return "bản ghi âm đã quá hạn dùng";
    case KG_E_DENIED:
        return "bản ghi âm chưa có người duyệt";
    case KG_E_TIMEOUT:
        return "không tải kịp bản ghi âm";
    case KG_E_INVALID:
        return "văn bản hoặc bản ghi âm không hợp lệ";
    default:
        return "lỗi kỹ thuật khi chuẩn bị âm thanh";
    }
}

static void tongue_missing(making *m, tongue *t, kg_err e, const kg_diag *diag)
{
    t->err = e;
    kg_log(KG_WARNING, "airing.language_missing", KG_TEXT("alert", m->job->id_text),
           KG_TEXT("station", m->job->station->id), KG_TEXT("language", t->language), KG_TEXT("why", diag->text));
    /* a sentence that finds no memory is not worth the warning that plays without it */
    kg_ignore(kg_buf_putf(&m->sound.missing, "%sChưa phát tiếng %s: %s.", m->sound.missing.len > 0 ? " " : "",
                          language_vi(t->language), reason_vi(e)));
}

/* ---- ends ---- */

void airing_finish(airing *a, sink_job *job, const sink_outcome *o)
{
    sink_outcome out = *o;
    making *m = making_of(job);
    kg_buf detail = {0};
    if (m != NULL && m->sound.missing.len > 0 && o->state == DLV_DONE) {
        out.state = DLV_PARTIAL;
        out.code = "language-missing";
        if (kg_buf_putf(&detail, "%s%s%s", o->detail != NULL ? o->detail : "",
                        o->detail != NULL && o->detail[0] != '\0' ? " " : "", m->sound.missing.s) == KG_OK) {
            out.detail = detail.s;
        }
    }
    if (m != NULL) {
        assert(m->sound.own == NULL);
        making_free(m);
    }
    sink_finish(a->host, job, &out);
    kg_buf_done(&detail);
}

void airing_abandon(airing *a, sink_job *job)
{
    airing_finish(a, job,
                  &(sink_outcome){.state = DLV_PENDING, .code = "stopped", .detail = "Đã dừng trước khi phát."});
}

static void refuse(making *m)
{
    airing *a = m->owner;
    kg_buf detail = {0};
    kg_ignore(kg_buf_putf(&detail, "Không phát được ngôn ngữ nào. %s", kg_buf_str(&m->sound.missing)));
    airing_finish(a, m->job, &(sink_outcome){.state = DLV_REFUSED, .code = "no-voice", .detail = kg_buf_str(&detail)});
    kg_buf_done(&detail);
}

static void fail(making *m, kg_err e, const kg_diag *diag)
{
    airing *a = m->owner;
    const bool later = kg_err_class(e) == KG_TEMP;
    kg_log(KG_WARNING, "airing.voice_failed", KG_TEXT("alert", m->job->id_text),
           KG_TEXT("station", m->job->station->id), KG_TEXT("why", diag->text));
    airing_finish(a, m->job,
                  &(sink_outcome){.state = later ? DLV_PENDING : DLV_REFUSED,
                                  .code = later ? "voice-failed" : "no-voice",
                                  .detail = later ? "Chưa tạo được âm thanh; sẽ thử lại."
                                                  : "Không tạo được âm thanh từ bản tin này."});
}

/* ---- the sound itself ---- */

static void on_made(void *ctx, kg_err e, const char *wav_path, int64_t length_ms, const kg_diag *diag)
{
    making *m = ctx;
    m->speaking = NULL;
    if (e != KG_OK) {
        fail(m, e, diag);
        return;
    }
    (void)snprintf(m->sound.wav, sizeof m->sound.wav, "%s", wav_path);
    m->sound.length_ms = length_ms;
    m->ready = true;
    KG_FAULT("airing.ready");
    sink_prepared(m->owner->host, m->job);
}

static speech_part part_of(const tongue *t)
{
    if (!t->by_hash) {
        return (speech_part){.language = t->language, .text = kg_buf_str(&t->text)};
    }
    return (speech_part){.language = t->language, .clip = &t->hash, .wav = t->wav.s, .wav_bytes = t->wav.len};
}

/* All that had to be fetched is here, or given up. */
static void make(making *m)
{
    speech_part parts[AIRING_LANGUAGES_MAX];
    size_t n = 0;
    kg_diag diag = {0};
    const alert *al = m->job->alert;
    const int64_t now = sink_now_ms(m->owner->host);
    for (size_t i = 0; i < m->count; i++) {
        tongue *t = &m->tongues[i];
        if (t->err != KG_OK) {
            continue;
        }
        parts[n] = part_of(t);
        const kg_err e = speech_check(m->owner->speech, &parts[n], now, &diag);
        if (e == KG_OK) {
            n++;
        } else {
            tongue_missing(m, t, e, &diag);
        }
    }
    if (n == 0) {
        refuse(m);
        return;
    }
    const speech_order order = {
        .class = al->bulletin_class, .drill = al->status != CAP_ACTUAL, .parts = parts, .count = n, .now_ms = now};
    const kg_err e = speech_make(m->owner->speech, &order, on_made, m, &m->speaking, &diag);
    if (e != KG_OK) {
        fail(m, e, &diag);
    }
}

static bool waiting(const making *m)
{
    for (size_t i = 0; i < m->count; i++) {
        if (m->tongues[i].waiting) {
            return true;
        }
    }
    return false;
}

static void on_patience_end(void *ctx)
{
    making *m = ctx;
    kg_diag diag = {0};
    for (fetch *f = m->owner->fetches; f != NULL; f = f->next) {
        f->for_job = f->for_job == m ? NULL : f->for_job;
    }
    for (size_t i = 0; i < m->count; i++) {
        tongue *t = &m->tongues[i];
        if (t->waiting) {
            t->waiting = false;
            const kg_err e = kg_fail(&diag, KG_E_TIMEOUT, "the recording did not come in time");
            tongue_missing(m, t, e, &diag);
        }
    }
    make(m);
}

static void fetch_free(fetch *f)
{
    for (fetch **p = &f->owner->fetches; *p != NULL; p = &(*p)->next) {
        if (*p == f) {
            *p = f->next;
            break;
        }
    }
    free(f);
}

static void on_fetched(void *ctx, kg_err e, const void *bytes, size_t n)
{
    fetch *f = ctx;
    making *m = f->for_job;
    const size_t language = f->language;
    fetch_free(f);
    if (m == NULL) {
        return;
    }
    tongue *t = &m->tongues[language];
    kg_diag diag = {0};
    t->waiting = false;
    if (e == KG_OK) {
        e = kg_buf_put(&t->wav, bytes, n);
    }
    if (e != KG_OK) {
        tongue_missing(m, t, kg_fail(&diag, e, "the recording could not be had"), &diag);
    }
    /* Answers may come from within sink_fetch, while the other languages are not looked at yet: making goes on from
     * the timer, which airing_prepare sets last. */
    if (!waiting(m)) {
        loop_timer_set(m->patience, 0);
    }
}

static void fetch_begin(making *m, size_t language, const alert_resource *r)
{
    airing *a = m->owner;
    tongue *t = &m->tongues[language];
    kg_diag diag = {0};
    fetch *f = calloc(1, sizeof *f);
    if (f == NULL) {
        tongue_missing(m, t, kg_fail(&diag, KG_E_NOMEM, "no memory to fetch a recording"), &diag);
        return;
    }
    *f = (fetch){.next = a->fetches, .owner = a, .for_job = m, .language = language};
    a->fetches = f;
    t->by_hash = true;
    t->hash = r->hash;
    t->waiting = true;
    const kg_err e = sink_fetch(a->host, &r->hash, r->size, on_fetched, f, &diag);
    if (e != KG_OK) {
        t->waiting = false;
        fetch_free(f);
        tongue_missing(m, t, e, &diag);
    }
}

/* ---- what each language says ---- */

static const alert_resource *recording_in(const alert_info *info)
{
    for (size_t i = 0; i < info->resources.count; i++) {
        const alert_resource *r = &info->resources.items[i];
        if (r->carried && strncmp(r->mime_type, "audio/", 6) == 0) {
            return r;
        }
    }
    return NULL;
}

static bool is_vietnamese(const char *tag)
{
    return strncmp(tag, "vi", 2) == 0 && (tag[2] == '\0' || tag[2] == '-');
}

/* What a recording would have to say: the author's own text, without what the renderer adds (time, repeat), which
 * nobody can have recorded; Vietnamese, which goes first, says that. */
static kg_err author_text(const alert_info *info, kg_buf *out)
{
    if (info->speech[0] != '\0') {
        return kg_buf_puts(out, info->speech);
    }
    return kg_buf_putf(out, "%s\n%s", info->headline, info->instruction);
}

static void tongue_begin(making *m, size_t at)
{
    tongue *t = &m->tongues[at];
    const sink_job *job = m->job;
    kg_diag diag = {0};
    kg_err e = KG_OK;
    const alert_info *info = alert_info_for(job->alert, t->language);
    const alert_resource *recording = info != NULL ? recording_in(info) : NULL;
    if (is_vietnamese(t->language)) {
        e = render_speech(job->alert, t->language, job->playing, job->labelled, &t->text, &diag);
    } else if (info == NULL) {
        e = kg_fail(&diag, KG_E_NOTFOUND, "the alert has no text in \"%s\"", t->language);
    } else if (recording != NULL) {
        fetch_begin(m, at, recording);
        return;
    } else {
        e = author_text(info, &t->text);
    }
    if (e != KG_OK) {
        tongue_missing(m, t, e, &diag);
    }
}

kg_err airing_prepare(airing *a, sink_job *job, kg_diag *diag)
{
    static const char *const only_vi[] = {"vi"};
    const size_t listed = job->languages.count;
    const char *const *languages = listed > 0 ? (const char *const *)job->languages.items : only_vi;
    const size_t count = listed > 0 ? listed : 1;
    if (count > AIRING_LANGUAGES_MAX) {
        return kg_fail(diag, KG_E_LIMIT, "%zu languages in one order; at most %d are sounded", count,
                       AIRING_LANGUAGES_MAX);
    }
    making *m = calloc(1, sizeof *m);
    if (m == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for a sound");
    }
    *m = (making){.next = a->makings, .owner = a, .job = job, .count = count};
    a->makings = m;
    job->driver_data = m;
    const kg_err e = loop_timer_new(sink_loop(a->host), on_patience_end, m, &m->patience);
    if (e != KG_OK) {
        making_free(m);
        return kg_fail(diag, e, "no timer for a sound");
    }
    for (size_t i = 0; i < count; i++) {
        m->tongues[i].language = languages[i];
    }
    for (size_t i = 0; i < count; i++) {
        tongue_begin(m, i);
    }
    loop_timer_set(m->patience, waiting(m) ? a->fetch_ms : 0);
    return KG_OK;
}

/* ---- a name outside ---- */

static kg_err copy_to(const char *from, const char *path, kg_diag *diag)
{
    kg_buf b = {0};
    kg_err e = kg_file_read(from, WAV_FILE_MAX, &b, diag);
    if (e == KG_OK) {
        e = kg_file_replace(path, kg_buf_str(&b), b.len, 0644, diag);
    }
    kg_buf_done(&b);
    return e;
}

kg_err airing_export(const airing_sound *s, const char *path, kg_diag *diag)
{
    (void)unlink(path); /* of an attempt before a crash */
    if (link(s->wav, path) != 0) {
        if (errno == EXDEV || errno == EPERM || errno == EMLINK) {
            return copy_to(s->wav, path, diag);
        }
        return kg_fail(diag, errno == ENOSPC || errno == EDQUOT ? KG_E_FULL : KG_E_IO, "%s: cannot be written: %s",
                       path, strerror(errno));
    }
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    /* public by its nature, and read by players that run as somebody else */
    const bool synced = fd >= 0 && fchmod(fd, 0644) == 0 && fsync(fd) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return synced ? KG_OK : kg_fail(diag, KG_E_IO, "%s: cannot be synced: %s", path, strerror(errno));
}
