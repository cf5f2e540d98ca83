/*
 * file - stations whose player fetches the sound from a folder; and what a province sees before it has any player.
 *
 * Shape     <folder>/<station>/<alert>-<playing>.wav, complete and synced, then .json (airing_order.h): a player that
 *           has seen the order has the sound. The station's settings may name another folder, relative to the file's.
 * Proof     accepted: the order is there; whether anybody played it is not known here.
 * paced     true: the station is taken for as long as the sound lasts, and stopping rewrites the order to "stop";
 *           false: the job ends when the order is written.
 * keep      so many playings are kept a station; older ones are removed.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "airing/airing_config.h"
#include "airing/airing_order.h"
#include "base/fault.h"
#include "base/file.h"
#include "drivers.h"

enum { KEEP_DEFAULT = 50, KEEP_MAX = 10000, ENDING_MAX = 8 };

typedef struct file_config {
    airing_speech *speech;
    char *folder;
    bool paced;
    unsigned keep;
} file_config;

static const cyaml_schema_field_t file_fields[] = {
    AIRING_SPEECH_FIELD(file_config, speech),
    CYAML_FIELD_STRING_PTR("folder", CYAML_FLAG_POINTER, file_config, folder, 1, 1024),
    YAML_SWITCH("paced", CYAML_FLAG_OPTIONAL, file_config, paced),
    CYAML_FIELD_UINT("keep", CYAML_FLAG_OPTIONAL, file_config, keep),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t file_schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, file_config, file_fields)};

typedef struct file {
    sink *host;
    airing *airing;
    file_config *config;
    char folder[PATH_MAX];
} file;

typedef struct pacing { /* a job whose sound is taken to be playing */
    file *owner;
    sink_job *job;
    loop_timer *end;
    int64_t started_ms;
} pacing;

/* ---- places ---- */

static kg_err station_folder(const file *f, const sink_station *s, char out[PATH_MAX], kg_diag *diag)
{
    const char *name = s->settings[0] != '\0' ? s->settings : s->id;
    const bool absolute = name[0] == '/';
    if (strstr(name, "..") != NULL) {
        return kg_fail(diag, KG_E_INVALID, "station %s: the folder \"%s\" leads out of the spool", s->id, name);
    }
    if ((size_t)snprintf(out, PATH_MAX, "%s%s%s", absolute ? "" : f->folder, absolute ? "" : "/", name) >= PATH_MAX) {
        return kg_fail(diag, KG_E_LIMIT, "station %s: the folder's path is too long", s->id);
    }
    return KG_OK;
}

static kg_err file_path(const file *f, const sink_job *job, const char *ending, char out[PATH_MAX], kg_diag *diag)
{
    char folder[PATH_MAX], ref[AIRING_REF_TEXT];
    const kg_err e = station_folder(f, job->station, folder, diag);
    if (e != KG_OK) {
        return e;
    }
    airing_ref(job, ref);
    if ((size_t)snprintf(out, PATH_MAX, "%s/%s%s", folder, ref, ending) >= PATH_MAX) {
        return kg_fail(diag, KG_E_LIMIT, "station %s: the folder's path is too long", job->station->id);
    }
    return KG_OK;
}

/* ---- life ---- */

static void pacing_free(sink_job *job)
{
    airing_sound *s = airing_sound_of(job);
    pacing *p = s != NULL ? s->own : NULL;
    if (p != NULL) {
        loop_timer_free(&p->end);
        free(p);
        s->own = NULL;
    }
}

static void forget(void *ctx, sink_job *job)
{
    (void)ctx;
    pacing_free(job);
}

static void file_close(void *self)
{
    file *f = self;
    if (f == NULL) {
        return;
    }
    if (f->airing != NULL) {
        airing_each(f->airing, forget, NULL);
        airing_close(&f->airing);
    }
    void *data = f->config;
    yaml_free(&file_schema, &data);
    free(f);
}

static kg_err config_load(file *f, const char *name, const char *path, kg_diag *diag)
{
    void *data = NULL;
    if (path == NULL) {
        return kg_fail(diag, KG_E_INVALID, "driver %s: kind file needs a config file with its folder", name);
    }
    const kg_err e = yaml_load(path, &file_schema, &data, diag);
    if (e != KG_OK) {
        return e;
    }
    f->config = data;
    f->config->keep = f->config->keep != 0 ? f->config->keep : KEEP_DEFAULT;
    if (f->config->keep > KEEP_MAX) {
        return kg_fail(diag, KG_E_INVALID, "%s: keep: at most %d playings a station", path, KEEP_MAX);
    }
    return airing_path(path, f->config->folder, f->folder, diag);
}

static kg_err file_open(sink *host, const char *name, const char *path, void **self, kg_diag *diag)
{
    file *f = calloc(1, sizeof *f);
    if (f == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for driver %s", name);
    }
    f->host = host;
    kg_err e = config_load(f, name, path, diag);
    if (e == KG_OK) {
        e = kg_dir_make(f->folder, 0755, diag);
    }
    if (e == KG_OK) {
        e = airing_open_with(host, name, path, f->config->speech, &f->airing, diag);
    }
    if (e != KG_OK) {
        file_close(f);
        return e;
    }
    *self = f;
    return KG_OK;
}

static kg_err file_add(void *self, const sink_station *place, kg_diag *diag)
{
    char folder[PATH_MAX];
    const kg_err e = station_folder(self, place, folder, diag);
    return e == KG_OK ? kg_dir_make(folder, 0755, diag) : e;
}

/* ---- old playings ---- */

typedef struct old {
    char name[NAME_MAX + 1];
    int64_t at_ns;
} old;

static int by_age(const void *a, const void *b)
{
    const old *x = a, *y = b;
    return x->at_ns != y->at_ns ? (x->at_ns < y->at_ns ? -1 : 1) : strcmp(x->name, y->name);
}

static bool is_order(const char *name)
{
    const size_t n = strlen(name);
    return n > 5 && n < NAME_MAX - ENDING_MAX && strcmp(name + n - 5, ".json") == 0;
}

/* Removes the eldest orders and their sounds beyond `keep`. What cannot be removed waits for the next time. */
static void prune(const file *f, const char *folder)
{
    DIR *d = opendir(folder);
    size_t n = 0, cap = 0;
    old *all = NULL;
    for (const struct dirent *e; d != NULL && n < KEEP_MAX && (e = readdir(d)) != NULL;) {
        struct stat st;
        if (!is_order(e->d_name) || fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
            continue;
        }
        if (n == cap) {
            old *more = reallocarray(all, cap + 64, sizeof *all);
            if (more == NULL) {
                break;
            }
            all = more;
            cap += 64;
        }
        (void)snprintf(all[n].name, sizeof all[n].name, "%s", e->d_name);
        all[n++].at_ns = (int64_t)st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec;
    }
    if (all != NULL && n >= f->config->keep) {
        qsort(all, n, sizeof *all, by_age);
        for (size_t i = 0; i + f->config->keep <= n; i++) {
            (void)unlinkat(dirfd(d), all[i].name, 0);
            (void)snprintf(strrchr(all[i].name, '.'), ENDING_MAX, ".wav");
            (void)unlinkat(dirfd(d), all[i].name, 0);
        }
    }
    free(all);
    if (d != NULL) {
        (void)closedir(d);
    }
}

/* ---- playing ---- */

static kg_err order_write(const file *f, const sink_job *job, const char *state, kg_diag *diag)
{
    char path[PATH_MAX], wav[AIRING_REF_TEXT + ENDING_MAX];
    kg_buf json = {0};
    airing_ref(job, wav);
    (void)snprintf(wav + strlen(wav), ENDING_MAX, ".wav");
    const airing_order o = {.state = state, .wav = wav, .crawl = "", .written_ms = sink_now_ms(f->host)};
    kg_err e = file_path(f, job, ".json", path, diag);
    if (e == KG_OK) {
        e = airing_order_json(job, &o, &json, diag);
    }
    if (e == KG_OK) {
        e = kg_file_replace(path, json.s, json.len, 0644, diag);
    }
    kg_buf_done(&json);
    return e;
}

static kg_err file_prepare(void *self, sink_job *job, kg_diag *diag)
{
    file *f = self;
    return airing_prepare(f->airing, job, diag);
}

static void handed_over(file *f, sink_job *job, int64_t started_ms)
{
    const sink_outcome o = {.state = DLV_DONE,
                            .certainty = CERTAIN_ACCEPTED,
                            .started_ms = started_ms,
                            .ended_ms = started_ms != 0 ? sink_now_ms(f->host) : 0};
    pacing_free(job);
    sink_device(f->host, job->station, true, -1, "");
    airing_finish(f->airing, job, &o);
}

static void on_paced(void *ctx)
{
    const pacing *p = ctx;
    handed_over(p->owner, p->job, p->started_ms);
}

static kg_err pace(file *f, sink_job *job, kg_diag *diag)
{
    airing_sound *s = airing_sound_of(job);
    pacing *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for a playing");
    }
    *p = (pacing){.owner = f, .job = job, .started_ms = sink_now_ms(f->host)};
    const kg_err e = loop_timer_new(sink_loop(f->host), on_paced, p, &p->end);
    if (e != KG_OK) {
        free(p);
        return kg_fail(diag, e, "no timer for a playing");
    }
    s->own = p;
    loop_timer_set(p->end, s->length_ms);
    return KG_OK;
}

static kg_err spool(file *f, sink_job *job, kg_diag *diag)
{
    char folder[PATH_MAX], path[PATH_MAX];
    kg_err e = station_folder(f, job->station, folder, diag);
    if (e == KG_OK) {
        e = kg_dir_make(folder, 0755, diag);
    }
    if (e == KG_OK) {
        prune(f, folder);
        e = file_path(f, job, ".wav", path, diag);
    }
    if (e == KG_OK) {
        e = airing_export(airing_sound_of(job), path, diag);
    }
    KG_FAULT("loudspeaker.file_wav");
    if (e == KG_OK) {
        e = order_write(f, job, "play", diag);
    }
    KG_FAULT("loudspeaker.file_order");
    return e;
}

static kg_err file_start(void *self, sink_job *job, kg_diag *diag)
{
    file *f = self;
    kg_err e = spool(f, job, diag);
    if (e == KG_OK && !f->config->paced) {
        handed_over(f, job, 0);
        return KG_OK;
    }
    if (e == KG_OK) {
        e = pace(f, job, diag);
    }
    if (e != KG_OK) { /* ended here: the engine could not release the sound */
        kg_diag detail;
        (void)kg_fail(&detail, e, "Không ghi được bản tin vào thư mục của trạm: %s", diag->text);
        sink_device(f->host, job->station, false, -1, diag->text);
        airing_finish(f->airing, job,
                      &(sink_outcome){.state = kg_err_class(e) == KG_TEMP ? DLV_PENDING : DLV_FAILED,
                                      .code = "not-written",
                                      .detail = detail.text});
    }
    return KG_OK;
}

static void file_stop(void *self, sink_job *job)
{
    file *f = self;
    airing_sound *s = airing_sound_of(job);
    const pacing *p = s->own;
    kg_diag diag = {0};
    if (p == NULL) {
        airing_abandon(f->airing, job);
        return;
    }
    const int64_t started = p->started_ms;
    const bool told = order_write(f, job, "stop", &diag) == KG_OK;
    pacing_free(job);
    airing_finish(f->airing, job,
                  &(sink_outcome){.state = DLV_PARTIAL,
                                  .certainty = CERTAIN_ACCEPTED,
                                  .code = "interrupted",
                                  .detail = told ? "Đã ngừng phát giữa chừng."
                                                 : "Đã ngừng phát giữa chừng; không ghi được lệnh dừng cho máy phát.",
                                  .started_ms = started,
                                  .ended_ms = sink_now_ms(f->host)});
}

/* The order is written in one piece or not at all: it tells what a crash left. */
static kg_err file_ask(void *self, sink_job *job, const char *driver_ref, kg_diag *diag)
{
    file *f = self;
    char path[PATH_MAX];
    (void)driver_ref; /* the name of a playing is always the same */
    const kg_err e = file_path(f, job, ".json", path, diag);
    if (e != KG_OK) {
        return e;
    }
    const bool there = access(path, F_OK) == 0;
    airing_finish(f->airing, job,
                  &(sink_outcome){.state = there ? DLV_DONE : DLV_PENDING,
                                  .certainty = there ? CERTAIN_ACCEPTED : CERTAIN_NONE,
                                  .code = there ? "" : "not-written",
                                  .detail = there ? "Bản tin đã nằm trong thư mục của trạm trước khi khởi động lại."
                                                  : "Bản tin chưa được ghi trước khi khởi động lại."});
    return KG_OK;
}

static kg_err file_test(void *self, const sink_station *place, kg_diag *diag)
{
    file *f = self;
    char folder[PATH_MAX], path[PATH_MAX + 16];
    kg_err e = station_folder(f, place, folder, diag);
    if (e == KG_OK) {
        (void)snprintf(path, sizeof path, "%s/self-test", folder);
        e = kg_file_replace(path, "Keng\n", 5, 0644, diag);
        (void)unlink(path);
    }
    sink_device(f->host, place, e == KG_OK, -1, e == KG_OK ? "" : diag->text);
    sink_tested(f->host, place, e == KG_OK, e == KG_OK ? "Ghi được vào thư mục của trạm." : diag->text);
    return KG_OK;
}

const sink_driver file_driver = {
    .kind = "file",
    .exclusive = true,
    .open = file_open,
    .add = file_add,
    .prepare = file_prepare,
    .start = file_start,
    .stop = file_stop,
    .ask = file_ask,
    .test = file_test,
    .close = file_close,
};
