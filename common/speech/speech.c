#include "speech/speech.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fault.h"
#include "speech/attention.h"
#include "speech/cache.h"
#include "speech/clips.h"
#include "speech/voice.h"
#include "speech/wav.h"
#include "text/text.h"

enum {
    VOICES_MAX = 2, /* children at a time: two processors */
    PIECES_MAX = SPEECH_PARTS_MAX * CLIPS_IN_TEXT_MAX,
    DELIVER_STEP = 32, /* jobs answered in one turn of the loop */
    PAUSE_PART_MS = 600,
    PAUSE_SENTENCE_MS = 250
};

/* What is sounded in one go: a text for the voice, a recording of the catalogue, or one brought along. */
typedef struct piece {
    const char *text;
    const clip *recording;
    const void *wav;
    size_t wav_bytes;
    unsigned pause_ms; /* of silence before it */
} piece;

/* One sound being made, for all jobs that asked for the same. */
typedef struct work {
    struct work *next;
    speech *shop;
    alert_hash key;
    kg_arena mem;
    bulletin_class class;
    bool drill, begun;
    int64_t now_ms;
    piece *pieces;
    size_t count, at;
    kg_buf samples;
    voice *voice;
} work;

struct speech_job {
    speech_job *next;
    speech *shop;
    work *work; /* NULL: the result below is ready */
    speech_done fn;
    void *ctx;
    kg_err err;
    kg_diag diag;
    char path[PATH_MAX];
    int64_t length_ms;
};

struct speech {
    loop *loop;
    kg_arena mem;
    const char *work_dir, *program, *voice;
    unsigned rate;
    int64_t timeout_ms;
    size_t samples_max;
    clips *clips; /* NULL: none */
    cache *cache;
    loop_timer *turn; /* 0 ms: there are jobs to answer or works to begin */
    work *works;
    speech_job *jobs; /* in the order of asking */
    unsigned voices, made;
    uint64_t names;
};

static void shop_turn(void *ctx);

static const char *or_default(kg_arena *mem, const char *given, const char *otherwise)
{
    return kg_arena_str(mem, given != NULL && given[0] != '\0' ? given : otherwise);
}

static kg_err shop_fill(speech *s, const speech_config *config, kg_diag *diag)
{
    s->work_dir = kg_arena_str(&s->mem, config->work_dir);
    s->program = or_default(&s->mem, config->program, "/usr/bin/espeak-ng");
    s->voice = or_default(&s->mem, config->voice, "vi");
    s->rate = config->rate != 0 ? config->rate : 150;
    s->timeout_ms = config->timeout_ms != 0 ? config->timeout_ms : 30 * 1000;
    s->samples_max = (size_t)SPEECH_RATE * (config->seconds_max != 0 ? config->seconds_max : SPEECH_SECONDS_MAX);
    if (s->work_dir == NULL || s->program == NULL || s->voice == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for speech");
    }
    if (access(s->program, X_OK) != 0) {
        return kg_fail(diag, KG_E_NOTFOUND, "%s: no such program; install espeak-ng or name another voice program",
                       s->program);
    }
    kg_err e = KG_OK;
    if (config->clips_dir != NULL && config->clips_dir[0] != '\0') {
        e = clips_open(config->clips_dir, &s->clips, diag);
    }
    if (e == KG_OK) {
        e = cache_open(s->work_dir, SPEECH_CACHE_FILES, SPEECH_CACHE_BYTES, &s->cache, diag);
    }
    if (e == KG_OK) {
        e = loop_timer_new(s->loop, shop_turn, s, &s->turn);
        e = e == KG_OK ? e : kg_fail(diag, e, "no timer for speech");
    }
    return e;
}

kg_err speech_open(loop *l, const speech_config *config, speech **out, kg_diag *diag)
{
    speech *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for speech");
    }
    s->loop = l;
    const kg_err e = shop_fill(s, config, diag);
    if (e != KG_OK) {
        speech_close(&s);
        return e;
    }
    *out = s;
    return KG_OK;
}

static void work_free(work *w)
{
    speech *s = w->shop;
    for (work **p = &s->works; *p != NULL; p = &(*p)->next) {
        if (*p == w) {
            *p = w->next;
            break;
        }
    }
    if (w->voice != NULL) {
        voice_cancel(&w->voice);
        s->voices--;
    }
    kg_buf_done(&w->samples);
    kg_arena_done(&w->mem);
    free(w);
}

void speech_close(speech **s)
{
    if (s == NULL || *s == NULL) {
        return;
    }
    while ((*s)->jobs != NULL) {
        speech_job *j = (*s)->jobs;
        speech_cancel(&j);
    }
    loop_timer_free(&(*s)->turn);
    cache_close(&(*s)->cache);
    clips_close(&(*s)->clips);
    kg_arena_done(&(*s)->mem);
    free(*s);
    *s = NULL;
}

unsigned speech_made(const speech *s)
{
    return s->made;
}

/* "vi", "vi-VN": the language the voice speaks. */
static bool spoken(const char *language)
{
    return strncmp(language, "vi", 2) == 0 && (language[2] == '\0' || language[2] == '-');
}

static kg_err text_check(const speech *s, const speech_part *p, int64_t now_ms, kg_diag *diag)
{
    const clip *order[CLIPS_IN_TEXT_MAX];
    size_t n = 0;
    if (p->text[strspn(p->text, " \t\r\n")] == '\0') {
        return kg_fail(diag, KG_E_INVALID, "there is nothing to say in \"%s\"", p->language);
    }
    if (strlen(p->text) > SPEECH_TEXT_MAX) {
        return kg_fail(diag, KG_E_LIMIT, "a text of %zu bytes to be spoken; at most %d are taken", strlen(p->text),
                       SPEECH_TEXT_MAX);
    }
    if (!text_fits_language(p->text, p->language)) {
        return kg_fail(diag, KG_E_INVALID,
                       "the text is not in the script of \"%s\": a voice would spell it letter by letter", p->language);
    }
    if (spoken(p->language)) {
        return KG_OK;
    }
    if (s->clips == NULL) {
        return kg_fail(diag, KG_E_NOTFOUND, "no voice speaks \"%s\" and there is no catalogue of recordings",
                       p->language);
    }
    return clips_saying(s->clips, p->language, p->text, now_ms, order, &n, diag);
}

static kg_err wav_check(const speech_part *p, kg_diag *diag)
{
    kg_buf samples = {0};
    const alert_hash is = alert_hash_of(p->wav, p->wav_bytes);
    if (memcmp(is.b, p->clip->b, sizeof is.b) != 0) {
        return kg_fail(diag, KG_E_INVALID,
                       "the recording that came with the alert has another hash than the alert says");
    }
    const kg_err e = wav_parse(p->wav, p->wav_bytes, &samples, diag);
    kg_buf_done(&samples);
    return e;
}

kg_err speech_check(const speech *s, const speech_part *p, int64_t now_ms, kg_diag *diag)
{
    if (p->text != NULL) {
        return text_check(s, p, now_ms, diag);
    }
    if (p->clip == NULL) {
        return kg_fail(diag, KG_E_INVALID, "a part with neither text nor recording");
    }
    if (p->wav != NULL) {
        return wav_check(p, diag);
    }
    const clip *one = s->clips != NULL ? clips_find(s->clips, p->clip) : NULL;
    if (one == NULL) {
        return kg_fail(diag, KG_E_NOTFOUND, "the recording in \"%s\" is not in the catalogue", p->language);
    }
    return clips_check(one, now_ms, diag);
}

/* What makes two orders the same sound. */
static kg_err key_of(const speech *s, const speech_order *o, alert_hash *key)
{
    kg_buf b = {0};
    kg_err e =
        kg_buf_putf(&b, "%d|%d|%s|%s|%u|%zu", (int)o->class, (int)o->drill, s->program, s->voice, s->rate, o->count);
    for (size_t i = 0; i < o->count && e == KG_OK; i++) {
        const speech_part *p = &o->parts[i];
        e = kg_buf_putf(&b, "|%s|%c|%zu|", p->language, p->text != NULL ? 't' : 'c',
                        p->text != NULL ? strlen(p->text) : 0);
        if (e == KG_OK) {
            e = p->text != NULL ? kg_buf_puts(&b, p->text) : kg_buf_put(&b, p->clip->b, sizeof p->clip->b);
        }
    }
    if (e == KG_OK) {
        *key = alert_hash_of(kg_buf_str(&b), b.len);
    }
    kg_buf_done(&b);
    return e;
}

static kg_err part_plan(const speech *s, work *w, const speech_part *p, kg_diag *diag)
{
    piece *first = &w->pieces[w->count];
    kg_err e = KG_OK;
    if (p->text != NULL && spoken(p->language)) {
        first->text = kg_arena_str(&w->mem, p->text);
        e = first->text != NULL ? KG_OK : KG_E_NOMEM;
        w->count++;
    } else if (p->text != NULL) {
        const clip *order[CLIPS_IN_TEXT_MAX];
        size_t n = 0;
        e = clips_saying(s->clips, p->language, p->text, w->now_ms, order, &n, diag);
        for (size_t i = 0; i < n && e == KG_OK; i++) {
            w->pieces[w->count++] = (piece){.recording = order[i], .pause_ms = PAUSE_SENTENCE_MS};
        }
    } else if (p->wav != NULL) {
        first->wav = kg_arena_strn(&w->mem, p->wav, p->wav_bytes);
        first->wav_bytes = p->wav_bytes;
        e = first->wav != NULL ? KG_OK : KG_E_NOMEM;
        w->count++;
    } else {
        first->recording = clips_find(s->clips, p->clip);
        w->count++;
    }
    first->pause_ms = PAUSE_PART_MS;
    return e;
}

static kg_err work_new(speech *s, const speech_order *o, const alert_hash *key, work **out, kg_diag *diag)
{
    work *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for a sound");
    }
    *w = (work){.shop = s, .key = *key, .class = o->class, .drill = o->drill, .now_ms = o->now_ms};
    w->pieces = kg_arena_array(&w->mem, PIECES_MAX, sizeof *w->pieces);
    kg_err e = w->pieces != NULL ? KG_OK : kg_fail(diag, KG_E_NOMEM, "no memory for a sound");
    for (size_t i = 0; i < o->count && e == KG_OK; i++) {
        e = part_plan(s, w, &o->parts[i], diag);
    }
    if (e == KG_OK) {
        e = attention_put(attention_of(w->class, w->drill), &w->samples);
    }
    if (e != KG_OK) {
        work_free(w);
        return e;
    }
    work **end = &s->works;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = w;
    *out = w;
    return KG_OK;
}

/* The finished sound, under a name of the job's own. */
static void job_link(speech_job *j, const alert_hash *key)
{
    speech *s = j->shop;
    if ((size_t)snprintf(j->path, sizeof j->path, "%s/out-%llu.wav", s->work_dir, (unsigned long long)++s->names) >=
        sizeof j->path) {
        j->err = kg_fail(&j->diag, KG_E_LIMIT, "%s: the path is too long", s->work_dir);
        return;
    }
    j->err = cache_link(s->cache, key, j->path, &j->length_ms, &j->diag);
}

static void work_end(work *w, kg_err e, const kg_diag *diag)
{
    speech *s = w->shop;
    for (speech_job *j = s->jobs; j != NULL; j = j->next) {
        if (j->work != w) {
            continue;
        }
        j->work = NULL;
        j->err = e;
        if (e == KG_OK) {
            job_link(j, &w->key);
        } else {
            j->diag = *diag;
        }
    }
    work_free(w);
    loop_timer_set(s->turn, 0);
}

static kg_err silence_put(unsigned ms, kg_buf *samples)
{
    static const int16_t silence[SPEECH_RATE / 1000];
    kg_err e = KG_OK;
    for (unsigned i = 0; i < ms && e == KG_OK; i++) {
        e = kg_buf_put(samples, silence, sizeof silence);
    }
    return e;
}

static kg_err work_finish(work *w, kg_diag *diag)
{
    speech *s = w->shop;
    kg_err e = silence_put(PAUSE_SENTENCE_MS, &w->samples);
    if (e == KG_OK && w->drill) {
        e = attention_put(attention_of(w->class, true), &w->samples);
    }
    if (e != KG_OK) {
        return kg_fail(diag, e, "no memory for the sound");
    }
    if (w->samples.len / 2 > s->samples_max) {
        return kg_fail(diag, KG_E_LIMIT, "the whole lasts longer than %zu s; shorten the text",
                       s->samples_max / SPEECH_RATE);
    }
    KG_FAULT("speech.write");
    e = cache_add(s->cache, &w->key, &w->samples, diag);
    s->made++;
    return e == KG_E_EXISTS ? KG_OK : e;
}

static void on_spoken(void *ctx, kg_err e, kg_buf *samples, const kg_diag *diag)
{
    work *w = ctx;
    kg_diag d = *diag;
    w->voice = NULL;
    w->shop->voices--;
    if (e == KG_OK) {
        e = kg_buf_put(&w->samples, kg_buf_str(samples), samples->len);
        if (e != KG_OK) {
            e = kg_fail(&d, e, "no memory for the sound");
        }
    }
    if (e != KG_OK) {
        work_end(w, e, &d);
        return;
    }
    w->at++;
    loop_timer_set(w->shop->turn, 0);
}

static kg_err piece_begin(work *w, kg_diag *diag)
{
    speech *s = w->shop;
    const piece *p = &w->pieces[w->at];
    kg_err e = silence_put(p->pause_ms, &w->samples);
    if (e != KG_OK) {
        return kg_fail(diag, e, "no memory for the sound");
    }
    if (p->text != NULL) {
        const voice_spec spec = {.program = s->program,
                                 .name = s->voice,
                                 .rate = s->rate,
                                 .timeout_ms = s->timeout_ms,
                                 .samples_max = s->samples_max};
        e = voice_speak(s->loop, &spec, p->text, on_spoken, w, &w->voice, diag);
        s->voices += e == KG_OK ? 1 : 0;
        return e;
    }
    e = p->recording != NULL ? clips_load(s->clips, p->recording, w->now_ms, &w->samples, diag)
                             : wav_parse(p->wav, p->wav_bytes, &w->samples, diag);
    w->at++;
    return e;
}

/* One step of one work; false when it waits for its voice. */
static void work_step(work *w)
{
    kg_diag diag = {0};
    kg_err e = KG_OK;
    w->begun = true;
    if (w->at < w->count) {
        e = piece_begin(w, &diag);
        if (e == KG_OK) {
            loop_timer_set(w->shop->turn, 0);
            return;
        }
    } else {
        e = work_finish(w, &diag);
    }
    work_end(w, e, &diag);
}

/* The next work that can go on: one begun before one that is not, then the highest class, then the eldest. */
static work *work_pick(speech *s)
{
    work *best = NULL;
    for (work *w = s->works; w != NULL; w = w->next) {
        const bool wants_voice = w->at < w->count && w->pieces[w->at].text != NULL;
        if (w->voice != NULL || (wants_voice && s->voices >= VOICES_MAX)) {
            continue;
        }
        if (best == NULL || w->begun > best->begun || (w->begun == best->begun && w->class > best->class)) {
            best = w;
        }
    }
    return best;
}

static speech_job *job_ready(speech *s)
{
    speech_job **p = &s->jobs;
    while (*p != NULL && (*p)->work != NULL) {
        p = &(*p)->next;
    }
    speech_job *j = *p;
    if (j != NULL) {
        *p = j->next;
    }
    return j;
}

static void shop_turn(void *ctx)
{
    speech *s = ctx;
    work *w = work_pick(s);
    if (w != NULL) {
        work_step(w);
    }
    for (unsigned i = 0; i < DELIVER_STEP; i++) {
        speech_job *j = job_ready(s); /* taken out first: its done may ask for more, or cancel others */
        if (j == NULL) {
            return;
        }
        j->fn(j->ctx, j->err, j->err == KG_OK ? j->path : NULL, j->length_ms, &j->diag);
        free(j);
    }
    loop_timer_set(s->turn, 0);
}

static work *work_find(const speech *s, const alert_hash *key)
{
    for (work *w = s->works; w != NULL; w = w->next) {
        if (memcmp(w->key.b, key->b, sizeof key->b) == 0) {
            return w;
        }
    }
    return NULL;
}

static kg_err order_check(const speech *s, const speech_order *o, kg_diag *diag)
{
    if (o->count == 0 || o->count > SPEECH_PARTS_MAX) {
        return kg_fail(diag, KG_E_LIMIT, "%zu parts to be sounded; from 1 to %d are taken", o->count, SPEECH_PARTS_MAX);
    }
    kg_err e = KG_OK;
    for (size_t i = 0; i < o->count && e == KG_OK; i++) {
        e = speech_check(s, &o->parts[i], o->now_ms, diag);
    }
    return e;
}

kg_err speech_make(speech *s, const speech_order *o, speech_done fn, void *ctx, speech_job **out, kg_diag *diag)
{
    alert_hash key;
    kg_err e = order_check(s, o, diag);
    if (e == KG_OK && key_of(s, o, &key) != KG_OK) {
        e = kg_fail(diag, KG_E_NOMEM, "no memory for a sound");
    }
    if (e != KG_OK) {
        return e;
    }
    speech_job *j = calloc(1, sizeof *j);
    if (j == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for a sound");
    }
    *j = (speech_job){.shop = s, .fn = fn, .ctx = ctx, .work = work_find(s, &key)};
    if (j->work == NULL) {
        job_link(j, &key);
        e = j->err == KG_E_NOTFOUND ? work_new(s, o, &key, &j->work, diag) : KG_OK;
        if (e != KG_OK) {
            free(j);
            return e;
        }
    }
    speech_job **end = &s->jobs;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = j;
    loop_timer_set(s->turn, 0);
    *out = j;
    return KG_OK;
}

void speech_cancel(speech_job **job)
{
    if (job == NULL || *job == NULL) {
        return;
    }
    speech_job *gone = *job;
    speech *s = gone->shop; /* NOLINT(clang-analyzer-unix.Malloc) a freed job is in no list any more */
    *job = NULL;
    for (speech_job **p = &s->jobs; *p != NULL; p = &(*p)->next) {
        if (*p == gone) {
            *p = gone->next;
            break;
        }
    }
    if (gone->work == NULL && gone->err == KG_OK) {
        (void)unlink(gone->path); /* made, and nobody wants it */
    }
    work *w = gone->work;
    free(gone);
    for (const speech_job *j = s->jobs; j != NULL && w != NULL; j = j->next) {
        w = j->work == w ? NULL : w;
    }
    if (w != NULL) {
        work_free(w);
        loop_timer_set(s->turn, 0);
    }
}
