/*
 * spool - one self-describing JSON file a request, in a folder; the embedded default.
 *
 * Config    folder, operator, drills, deadline_min, phone, message (rules.h).
 * Idempotent  The file's name is the request's id: written twice, it is one file. Whoever fetches files remembers ids.
 * Outcome   DONE with certainty "accepted": the file is on disk; what becomes of it is not known here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "drivers/drivers.h"
#include "nearby.h"
#include "request.h"

enum { DEADLINE_MIN = 60 };

typedef struct spool_config {
    char *folder;
    char *operator_id;
    bool drills;
    unsigned deadline_min;
    char *phone;
    rules message;
} spool_config;

static const cyaml_schema_field_t spool_fields[] = {
    CYAML_FIELD_STRING_PTR("folder", CYAML_FLAG_POINTER, spool_config, folder, 1, 4096),
    CYAML_FIELD_STRING_PTR("operator", CYAML_FLAG_POINTER, spool_config, operator_id, 1, REQUEST_OPERATOR_MAX - 1),
    YAML_SWITCH("drills", CYAML_FLAG_OPTIONAL, spool_config, drills),
    CYAML_FIELD_UINT("deadline_min", CYAML_FLAG_OPTIONAL, spool_config, deadline_min),
    CYAML_FIELD_STRING_PTR("phone", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, spool_config, phone, 0, 64),
    CYAML_FIELD_MAPPING("message", CYAML_FLAG_DEFAULT, spool_config, message, rules_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t spool_schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, spool_config, spool_fields)};

typedef struct spool {
    sink *host;
    spool_config *config;
    kg_buf folder;
} spool;

static void spool_close(void *self)
{
    spool *d = self;
    if (d == NULL) {
        return;
    }
    void *config = d->config;
    yaml_free(&spool_schema, &config);
    kg_buf_done(&d->folder);
    free(d);
}

static kg_err spool_open(sink *host, const char *name, const char *config_path, void **self, kg_diag *diag)
{
    void *loaded = NULL;
    if (config_path == NULL) {
        return kg_fail(diag, KG_E_INVALID, "driver \"%s\": a spool needs its config file", name);
    }
    kg_err e = yaml_load(config_path, &spool_schema, &loaded, diag);
    if (e != KG_OK) {
        return e;
    }
    spool *d = calloc(1, sizeof *d);
    if (d == NULL) {
        yaml_free(&spool_schema, &loaded);
        return kg_fail(diag, KG_E_NOMEM, "no memory for driver \"%s\"", name);
    }
    d->host = host;
    d->config = loaded;
    e = rules_check(&d->config->message, diag);
    if (e == KG_OK) {
        e = request_check_operator(d->config->operator_id, diag);
    }
    if (e == KG_OK) {
        e = nearby_path(config_path, d->config->folder, &d->folder, diag);
    }
    if (e == KG_OK) {
        e = kg_dir_make(kg_buf_str(&d->folder), 0750, diag);
    }
    if (e != KG_OK) {
        spool_close(d);
        return kg_fail_in(diag, e, "%s: ", config_path);
    }
    d->config->deadline_min = d->config->deadline_min == 0 ? DEADLINE_MIN : d->config->deadline_min;
    *self = d;
    return KG_OK;
}

static void end_job(const spool *d, sink_job *job, const sink_outcome *o)
{
    messages *m = job->driver_data;
    if (m != NULL) {
        messages_done(m);
        free(m);
        job->driver_data = NULL;
    }
    sink_finish(d->host, job, o);
}

/* The job's texts into driver_data; false: the job has ended. */
static bool make_texts(const spool *d, sink_job *job)
{
    kg_diag why = {{0}};
    messages *m = calloc(1, sizeof *m);
    kg_err e = m != NULL ? messages_may_go(job->alert, d->config->drills, &why) : KG_E_NOMEM;
    const char *code = e == KG_E_DENIED ? "drill-switch-off" : "text";
    if (e == KG_OK) {
        e = messages_make(job, &d->config->message, m, &why);
    }
    if (e != KG_OK) {
        free(m);
        const bool later = kg_err_class(e) == KG_TEMP;
        const sink_outcome o = {.state = later ? DLV_PENDING : DLV_REFUSED, .code = code, .detail = why.text};
        end_job(d, job, &o);
        return false;
    }
    job->driver_data = m;
    return true;
}

static kg_err spool_prepare(void *self, sink_job *job, kg_diag *diag)
{
    spool *d = self;
    (void)diag;
    if (make_texts(d, job)) {
        sink_prepared(d->host, job);
    }
    return KG_OK;
}

static kg_err write_one(const spool *d, const sink_job *job, const message *text, kg_buf *path, kg_diag *diag)
{
    char id[REQUEST_ID_MAX];
    kg_buf json = {0};
    const int64_t last_ms = job->alert->sent_ms + (int64_t)d->config->deadline_min * 60000;
    const request r = {.job = job,
                       .text = text,
                       .operator_id = d->config->operator_id,
                       .sender = d->config->message.sender,
                       .deadline_ms = last_ms < job->ends_ms ? last_ms : job->ends_ms,
                       .phone = d->config->phone != NULL ? d->config->phone : "",
                       .for_people = true};
    request_id(job, d->config->operator_id, text->language, id);
    kg_err e = request_json(&r, &json, diag);
    if (e == KG_OK) {
        e = kg_buf_puts(&json, "\n");
    }
    kg_buf_clear(path);
    if (e == KG_OK) {
        e = kg_buf_putf(path, "%s/%s.json", kg_buf_str(&d->folder), id);
    }
    if (e == KG_OK) {
        KG_FAULT("sms.spool.before_write");
        e = kg_file_replace(path->s, json.s, json.len, 0640, diag);
        KG_FAULT("sms.spool.after_write");
    }
    kg_buf_done(&json);
    return e;
}

static kg_err spool_start(void *self, sink_job *job, kg_diag *diag)
{
    spool *d = self;
    messages *m = job->driver_data;
    char id[REQUEST_ID_MAX];
    kg_buf path = {0};
    kg_buf detail = {0};
    kg_diag why = {{0}};
    (void)diag;
    request_id(job, d->config->operator_id, m->items[0].language, id);
    kg_err e = sink_note_ref(d->host, job, id, &why);
    for (size_t i = 0; e == KG_OK && i < m->count; i++) {
        e = write_one(d, job, &m->items[i], &path, &why);
        if (e == KG_OK) {
            e = kg_buf_putf(&detail, "%s%s", i > 0 ? " " : "", path.s);
        }
    }
    if (e == KG_OK && m->gaps.len > 0) {
        e = kg_buf_putf(&detail, " (%s)", m->gaps.s);
    }
    const sink_outcome done = {
        .state = DLV_DONE, .certainty = CERTAIN_ACCEPTED, .code = "", .detail = kg_buf_str(&detail)};
    const sink_outcome later = {.state = DLV_PENDING, .code = "disk", .detail = why.text};
    end_job(d, job, e == KG_OK ? &done : &later);
    kg_buf_done(&path);
    kg_buf_done(&detail);
    return KG_OK;
}

/* The same file again, under the same name. */
static kg_err spool_ask(void *self, sink_job *job, const char *driver_ref, kg_diag *diag)
{
    spool *d = self;
    (void)driver_ref;
    return make_texts(d, job) ? spool_start(self, job, diag) : KG_OK;
}

static void spool_stop(void *self, sink_job *job)
{
    end_job(self, job, &(sink_outcome){.state = DLV_PENDING}); /* prepared, and not a byte written */
}

const sink_driver spool_driver = {
    .kind = "spool",
    .open = spool_open,
    .prepare = spool_prepare,
    .start = spool_start,
    .stop = spool_stop,
    .ask = spool_ask,
    .close = spool_close,
};
