/*
 * spool - radio and television whose control room works from files: the sound, the line at the foot of the screen, the
 * order with who ordered it and on what legal basis.
 *
 * Shape     <folder>/<station>/<alert>-<playing>.wav, .crawl.txt (UTF-8), .vi.txt (what is read out), then .json
 *           (airing_order.h): whoever sees the order has the rest. A crawl-only order has no sound.
 * Answers   The control room drops files beside the order, or an operator types "keng station confirm":
 *             .onair    it is on the air (the file's time counts)
 *             .ended    it was aired to its end
 *             .refused  it will not be; the first line says why
 *           They are awaited for confirm_within_s (0: not at all). Without any the order counts as accepted, no more.
 * Settings  of a station: another folder's name; none: the station's id.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "airing/airing_config.h"
#include "airing/airing_order.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/utf8.h"
#include "drivers.h"
#include "render/render.h"

enum { LOOK_MS = 500, WAIT_MAX_S = 24 * 3600, WHY_MAX = 300, ENDING_MAX = 16 };

typedef struct spool_config {
    airing_speech *speech;
    char *folder;
    unsigned confirm_within_s;
} spool_config;

static const cyaml_schema_field_t spool_fields[] = {
    AIRING_SPEECH_FIELD(spool_config, speech),
    CYAML_FIELD_STRING_PTR("folder", CYAML_FLAG_POINTER, spool_config, folder, 1, 1024),
    CYAML_FIELD_UINT("confirm_within_s", CYAML_FLAG_OPTIONAL, spool_config, confirm_within_s),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t spool_schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, spool_config, spool_fields)};

typedef struct spool spool;

typedef struct vigil { /* an order whose answer is awaited */
    struct vigil *next;
    spool *owner;
    sink_job *job;
    loop_timer *look;
    int64_t until_ms;
    int64_t on_air_ms; /* 0 not yet */
} vigil;

struct spool {
    sink *host;
    airing *airing;
    spool_config *config;
    char folder[PATH_MAX];
    vigil *vigils;
};

/* ---- places ---- */

static kg_err place_folder(const spool *s, const sink_station *place, char out[PATH_MAX], kg_diag *diag)
{
    const char *name = place->settings[0] != '\0' ? place->settings : place->id;
    if (strchr(name, '/') != NULL || strcmp(name, "..") == 0) {
        return kg_fail(diag, KG_E_INVALID, "station %s: \"%s\" is no name of a folder in the spool", place->id, name);
    }
    if ((size_t)snprintf(out, PATH_MAX, "%s/%s", s->folder, name) >= PATH_MAX) {
        return kg_fail(diag, KG_E_LIMIT, "station %s: the folder's path is too long", place->id);
    }
    return KG_OK;
}

static kg_err job_path(const spool *s, const sink_job *job, const char *ending, char out[PATH_MAX], kg_diag *diag)
{
    char folder[PATH_MAX], ref[AIRING_REF_TEXT];
    const kg_err e = place_folder(s, job->station, folder, diag);
    if (e != KG_OK) {
        return e;
    }
    airing_ref(job, ref);
    if ((size_t)snprintf(out, PATH_MAX, "%s/%s%s", folder, ref, ending) >= PATH_MAX) {
        return kg_fail(diag, KG_E_LIMIT, "station %s: the folder's path is too long", job->station->id);
    }
    return KG_OK;
}

/* When the control room dropped the file; 0: it did not. */
static int64_t dropped_ms(const spool *s, const sink_job *job, const char *ending)
{
    char path[PATH_MAX];
    struct stat st;
    kg_diag diag;
    if (job_path(s, job, ending, path, &diag) != KG_OK || stat(path, &st) != 0) {
        return 0;
    }
    return (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
}

/* ---- vigils ---- */

static void vigil_free(vigil *v)
{
    for (vigil **p = &v->owner->vigils; *p != NULL; p = &(*p)->next) {
        if (*p == v) {
            *p = v->next;
            break;
        }
    }
    loop_timer_free(&v->look);
    free(v);
}

static vigil *vigil_of(const spool *s, const sink_job *job)
{
    vigil *v = s->vigils;
    while (v != NULL && v->job != job) {
        v = v->next;
    }
    return v;
}

static void vigil_end(vigil *v, const sink_outcome *o)
{
    spool *s = v->owner;
    sink_job *job = v->job;
    vigil_free(v);
    airing_finish(s->airing, job, o);
}

static void refused(vigil *v)
{
    char path[PATH_MAX];
    kg_buf why = {0};
    kg_diag detail = {0};
    const char *text = "";
    if (job_path(v->owner, v->job, ".refused", path, &detail) == KG_OK &&
        kg_file_read(path, WHY_MAX, &why, &detail) == KG_OK && kg_utf8_valid(kg_buf_str(&why), why.len)) {
        text = kg_buf_str(&why);
    }
    (void)kg_fail(&detail, KG_OK, "Đài từ chối phát%s%.*s", text[0] != '\0' ? ": " : "", (int)strcspn(text, "\r\n"),
                  text);
    vigil_end(v, &(sink_outcome){.state = DLV_REFUSED, .code = "station-refused", .detail = detail.text});
    kg_buf_done(&why);
}

/* What is known when nobody answers any more. */
static void unanswered(vigil *v)
{
    vigil_end(v, &(sink_outcome){.state = DLV_DONE,
                                 .certainty = v->on_air_ms != 0 ? CERTAIN_STARTED : CERTAIN_ACCEPTED,
                                 .detail = v->on_air_ms != 0 ? "Đài báo đã lên sóng, chưa báo kết thúc."
                                                             : "Đài đã nhận lệnh, chưa báo lên sóng.",
                                 .started_ms = v->on_air_ms});
}

static void on_look(void *ctx)
{
    vigil *v = ctx;
    const int64_t ended = dropped_ms(v->owner, v->job, ".ended");
    const int64_t on_air = dropped_ms(v->owner, v->job, ".onair");
    v->on_air_ms = on_air != 0 ? on_air : v->on_air_ms;
    if (dropped_ms(v->owner, v->job, ".refused") != 0) {
        refused(v);
    } else if (ended != 0) {
        vigil_end(v,
                  &(sink_outcome){
                      .state = DLV_DONE, .certainty = CERTAIN_FINISHED, .started_ms = v->on_air_ms, .ended_ms = ended});
    } else if (sink_now_ms(v->owner->host) >= v->until_ms) {
        unanswered(v);
    } else {
        loop_timer_set(v->look, LOOK_MS);
    }
}

static kg_err vigil_new(spool *s, sink_job *job, kg_diag *diag)
{
    vigil *v = calloc(1, sizeof *v);
    if (v == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for an order");
    }
    *v =
        (vigil){.owner = s, .job = job, .until_ms = sink_now_ms(s->host) + (int64_t)s->config->confirm_within_s * 1000};
    const kg_err e = loop_timer_new(sink_loop(s->host), on_look, v, &v->look);
    if (e != KG_OK) {
        free(v);
        return kg_fail(diag, e, "no timer for an order");
    }
    v->next = s->vigils;
    s->vigils = v;
    loop_timer_set(v->look, 0);
    return KG_OK;
}

/* ---- life ---- */

static void spool_close(void *self)
{
    spool *s = self;
    if (s == NULL) {
        return;
    }
    while (s->vigils != NULL) {
        vigil_free(s->vigils);
    }
    airing_close(&s->airing);
    void *data = s->config;
    yaml_free(&spool_schema, &data);
    free(s);
}

static kg_err config_load(spool *s, const char *name, const char *path, kg_diag *diag)
{
    void *data = NULL;
    if (path == NULL) {
        return kg_fail(diag, KG_E_INVALID, "driver %s: kind spool needs a config file with its folder", name);
    }
    const kg_err e = yaml_load(path, &spool_schema, &data, diag);
    if (e != KG_OK) {
        return e;
    }
    s->config = data;
    if (s->config->confirm_within_s > WAIT_MAX_S) {
        return kg_fail(diag, KG_E_INVALID, "%s: confirm_within_s: at most %d", path, WAIT_MAX_S);
    }
    return airing_path(path, s->config->folder, s->folder, diag);
}

static kg_err spool_open(sink *host, const char *name, const char *path, void **self, kg_diag *diag)
{
    spool *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for driver %s", name);
    }
    s->host = host;
    kg_err e = config_load(s, name, path, diag);
    if (e == KG_OK) {
        e = kg_dir_make(s->folder, 0755, diag);
    }
    if (e == KG_OK) {
        e = airing_open_with(host, name, path, s->config->speech, &s->airing, diag);
    }
    if (e != KG_OK) {
        spool_close(s);
        return e;
    }
    *self = s;
    return KG_OK;
}

static kg_err folder_make(const spool *s, const sink_station *place, kg_diag *diag)
{
    char folder[PATH_MAX];
    const kg_err e = place_folder(s, place, folder, diag);
    return e == KG_OK ? kg_dir_make(folder, 0755, diag) : e;
}

static kg_err spool_add(void *self, const sink_station *place, kg_diag *diag)
{
    return folder_make(self, place, diag);
}

/* ---- an order ---- */

/* A text of its own file; a text that cannot be rendered has none. */
static kg_err text_write(const spool *s, const sink_job *job, const char *ending, const kg_buf *text, kg_diag *diag)
{
    char path[PATH_MAX];
    const kg_err e = job_path(s, job, ending, path, diag);
    return e == KG_OK ? kg_file_replace(path, kg_buf_str(text), text->len, 0644, diag) : e;
}

static kg_err crawl_write(const spool *s, const sink_job *job, bool *there, kg_diag *diag)
{
    kg_buf text = {0};
    kg_diag why = {0};
    kg_err e = KG_OK;
    *there = render_crawl(job->alert, "vi", &text, &why) == KG_OK && kg_buf_put(&text, "\n", 1) == KG_OK;
    if (*there) {
        e = text_write(s, job, ".crawl.txt", &text, diag);
    } else if (job->mode == MODE_CRAWL) {
        e = kg_fail(diag, KG_E_INVALID, "the alert has no text for the foot of the screen: %s", why.text);
    }
    kg_buf_done(&text);
    return e;
}

static kg_err read_out_write(const spool *s, const sink_job *job, kg_diag *diag)
{
    kg_buf text = {0};
    kg_diag why = {0};
    kg_err e = KG_OK;
    if (render_speech(job->alert, "vi", job->playing, job->labelled, &text, &why) == KG_OK &&
        kg_buf_put(&text, "\n", 1) == KG_OK) {
        e = text_write(s, job, ".vi.txt", &text, diag);
    }
    kg_buf_done(&text);
    return e;
}

static kg_err order_write(const spool *s, const sink_job *job, const airing_order *o, kg_diag *diag)
{
    char path[PATH_MAX];
    kg_buf json = {0};
    kg_err e = job_path(s, job, ".json", path, diag);
    e = e == KG_OK ? airing_order_json(job, o, &json, diag) : e;
    e = e == KG_OK ? kg_file_replace(path, json.s, json.len, 0644, diag) : e;
    kg_buf_done(&json);
    return e;
}

/* The names of an order's files, as the order gives them. */
typedef struct names {
    char wav[AIRING_REF_TEXT + ENDING_MAX], crawl[AIRING_REF_TEXT + ENDING_MAX];
} names;

static airing_order order_of(const spool *s, const sink_job *job, const char *state, bool crawl, names *n)
{
    char ref[AIRING_REF_TEXT];
    airing_ref(job, ref);
    (void)snprintf(n->wav, sizeof n->wav, "%s.wav", ref);
    (void)snprintf(n->crawl, sizeof n->crawl, "%s.crawl.txt", ref);
    return (airing_order){.state = state,
                          .wav = airing_sound_of(job) != NULL ? n->wav : "",
                          .crawl = crawl ? n->crawl : "",
                          .written_ms = sink_now_ms(s->host)};
}

static kg_err order_put(const spool *s, const sink_job *job, kg_diag *diag)
{
    char path[PATH_MAX];
    names n = {.wav = "", .crawl = ""};
    bool crawl = false;
    kg_err e = folder_make(s, job->station, diag);
    if (e == KG_OK) {
        e = crawl_write(s, job, &crawl, diag);
    }
    if (e == KG_OK) {
        e = read_out_write(s, job, diag);
    }
    if (e == KG_OK && airing_sound_of(job) != NULL) {
        e = job_path(s, job, ".wav", path, diag);
        e = e == KG_OK ? airing_export(airing_sound_of(job), path, diag) : e;
    }
    KG_FAULT("broadcast.spool_sound");
    if (e == KG_OK) {
        const airing_order o = order_of(s, job, "play", crawl, &n);
        e = order_write(s, job, &o, diag);
    }
    KG_FAULT("broadcast.spool_order");
    return e;
}

static kg_err spool_prepare(void *self, sink_job *job, kg_diag *diag)
{
    spool *s = self;
    if (job->mode == MODE_CRAWL) { /* nothing is to be heard */
        sink_prepared(s->host, job);
        return KG_OK;
    }
    return airing_prepare(s->airing, job, diag);
}

static kg_err spool_start(void *self, sink_job *job, kg_diag *diag)
{
    spool *s = self;
    kg_err e = order_put(s, job, diag);
    if (e == KG_OK) {
        sink_device(s->host, job->station, true, -1, "");
        e = vigil_new(s, job, diag);
    } else {
        sink_device(s->host, job->station, false, -1, diag->text);
    }
    if (e != KG_OK) { /* ended here: the engine could not release the sound */
        kg_diag detail;
        (void)kg_fail(&detail, e, "Không ghi được lệnh phát vào thư mục của đài: %s", diag->text);
        airing_finish(s->airing, job,
                      &(sink_outcome){.state = kg_err_class(e) == KG_TEMP ? DLV_PENDING : DLV_FAILED,
                                      .code = "not-written",
                                      .detail = detail.text});
    }
    return KG_OK;
}

static void spool_stop(void *self, sink_job *job)
{
    spool *s = self;
    vigil *v = vigil_of(s, job);
    kg_diag diag = {0};
    names n = {.wav = "", .crawl = ""};
    if (v == NULL) {
        airing_abandon(s->airing, job);
        return;
    }
    const airing_order o = order_of(s, job, "stop", true, &n);
    const bool told = order_write(s, job, &o, &diag) == KG_OK;
    const int64_t on_air = dropped_ms(s, job, ".onair");
    const int64_t ended = dropped_ms(s, job, ".ended");
    const dlv_state state = ended != 0 ? DLV_DONE : on_air != 0 ? DLV_PARTIAL : DLV_UNCERTAIN;
    vigil_end(v, &(sink_outcome){.state = state,
                                 .certainty = ended != 0    ? CERTAIN_FINISHED
                                              : on_air != 0 ? CERTAIN_STARTED
                                                            : CERTAIN_ACCEPTED,
                                 .code = ended != 0 ? "" : "interrupted",
                                 .detail = told ? "Đã ghi lệnh dừng vào thư mục của đài."
                                                : "Không ghi được lệnh dừng; hãy gọi điện cho đài.",
                                 .started_ms = on_air,
                                 .ended_ms = ended});
}

/* The order is written in one piece or not at all: it tells what a crash left. */
static kg_err spool_ask(void *self, sink_job *job, const char *driver_ref, kg_diag *diag)
{
    spool *s = self;
    char path[PATH_MAX];
    (void)driver_ref; /* the name of an order is always the same */
    const kg_err e = job_path(s, job, ".json", path, diag);
    if (e != KG_OK) {
        return e;
    }
    if (access(path, F_OK) == 0) {
        return vigil_new(s, job, diag);
    }
    airing_finish(s->airing, job,
                  &(sink_outcome){.state = DLV_PENDING,
                                  .code = "not-written",
                                  .detail = "Lệnh phát chưa được ghi trước khi khởi động lại."});
    return KG_OK;
}

static kg_err spool_confirm(void *self, sink_job *job, bool done, const char *who, const char *note, kg_diag *diag)
{
    spool *s = self;
    vigil *v = vigil_of(s, job);
    kg_diag detail;
    if (v == NULL || who == NULL || who[0] == '\0') {
        return kg_fail(diag, KG_E_INVALID, v == NULL ? "Lệnh này không chờ xác nhận." : "Phải ghi tên người xác nhận.");
    }
    (void)kg_fail(&detail, KG_OK, "%s %s%s%s", done ? "Người xác nhận đã phát:" : "Người báo không phát:", who,
                  note != NULL && note[0] != '\0' ? ". " : "", note != NULL ? note : "");
    vigil_end(v, &(sink_outcome){.state = done ? DLV_DONE : DLV_REFUSED,
                                 .certainty = done ? CERTAIN_FINISHED : CERTAIN_NONE,
                                 .code = done ? "" : "station-refused",
                                 .detail = detail.text,
                                 .started_ms = v->on_air_ms,
                                 .ended_ms = done ? sink_now_ms(s->host) : 0});
    return KG_OK;
}

static kg_err spool_test(void *self, const sink_station *place, kg_diag *diag)
{
    spool *s = self;
    char folder[PATH_MAX], path[PATH_MAX + ENDING_MAX];
    kg_err e = place_folder(s, place, folder, diag);
    if (e == KG_OK) {
        (void)snprintf(path, sizeof path, "%s/self-test", folder);
        e = kg_file_replace(path, "Keng\n", 5, 0644, diag);
        (void)unlink(path);
    }
    sink_device(s->host, place, e == KG_OK, -1, e == KG_OK ? "" : diag->text);
    sink_tested(s->host, place, e == KG_OK, e == KG_OK ? "Ghi được vào thư mục của đài." : diag->text);
    return KG_OK;
}

const sink_driver spool_driver = {
    .kind = "spool",
    .exclusive = false, /* the control room decides what follows what */
    .open = spool_open,
    .add = spool_add,
    .prepare = spool_prepare,
    .start = spool_start,
    .stop = spool_stop,
    .ask = spool_ask,
    .confirm = spool_confirm,
    .test = spool_test,
    .close = spool_close,
};
