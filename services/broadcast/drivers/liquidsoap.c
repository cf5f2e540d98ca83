/*
 * liquidsoap - a playout that is told by HTTP and asked what became of it (deploy/gateways/liquidsoap/keng.liq).
 *
 * Modes     interrupt cuts in, next and schedule wait for the programme's item to end; the engine has kept a scheduled
 *           one back until its session.
 * Secret    The token is the first line of token_file, which nobody else may read.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "airing/airing_config.h"
#include "airtime.h"
#include "base/file.h"
#include "drivers.h"

enum { TOKEN_MAX = 256, POLL_MS = 500, POLL_MIN_MS = 50, POLL_MAX_MS = 5000 };

typedef struct liquidsoap_config {
    airing_speech *speech;
    char *url, *token_file, *folder, *seen_as;
    unsigned poll_ms;
    bool plain;
} liquidsoap_config;

static const cyaml_schema_field_t config_fields[] = {
    AIRING_SPEECH_FIELD(liquidsoap_config, speech),
    CYAML_FIELD_STRING_PTR("url", CYAML_FLAG_POINTER, liquidsoap_config, url, 8, 256),
    CYAML_FIELD_STRING_PTR("token_file", CYAML_FLAG_POINTER, liquidsoap_config, token_file, 1, 1024),
    CYAML_FIELD_STRING_PTR("folder", CYAML_FLAG_POINTER, liquidsoap_config, folder, 1, 1024),
    CYAML_FIELD_STRING_PTR("seen_as", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, liquidsoap_config, seen_as, 1, 1024),
    CYAML_FIELD_UINT("poll_ms", CYAML_FLAG_OPTIONAL, liquidsoap_config, poll_ms),
    YAML_SWITCH("plain", CYAML_FLAG_OPTIONAL, liquidsoap_config, plain),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t config_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, liquidsoap_config, config_fields)};

typedef struct playout playout;

typedef struct trial { /* a self-test under way */
    playout *owner;
    const sink_station *place; /* NULL: none */
} trial;

struct playout {
    airtime_desk desk;
    liquidsoap_config *config;
    char token[TOKEN_MAX];
    char folder[PATH_MAX];
    trial trial;
};

static void liquidsoap_close(void *self)
{
    playout *p = self;
    if (p == NULL) {
        return;
    }
    http_free(&p->desk.http);
    airtime_forget(&p->desk); /* the next run of ours asks for them */
    airing_close(&p->desk.airing);
    void *data = p->config;
    yaml_free(&config_schema, &data);
    free(p);
}

static kg_err token_read(playout *p, const char *path, kg_diag *diag)
{
    char file[PATH_MAX];
    kg_buf b = {0};
    kg_err e = airing_path(path, p->config->token_file, file, diag);
    e = e == KG_OK ? kg_file_is_private(file, diag) : e;
    e = e == KG_OK ? kg_file_read(file, TOKEN_MAX - 1, &b, diag) : e;
    if (e == KG_OK) {
        const size_t n = strcspn(kg_buf_str(&b), "\r\n");
        (void)snprintf(p->token, sizeof p->token, "%.*s", (int)n, kg_buf_str(&b));
        e = n > 0 ? KG_OK : kg_fail(diag, KG_E_INVALID, "%s: no token in its first line", file);
    }
    kg_buf_done(&b);
    return e;
}

static kg_err config_load(playout *p, const char *name, const char *path, kg_diag *diag)
{
    void *data = NULL;
    char folder[PATH_MAX];
    if (path == NULL) {
        return kg_fail(diag, KG_E_INVALID, "driver %s: kind liquidsoap needs a config file", name);
    }
    kg_err e = yaml_load(path, &config_schema, &data, diag);
    if (e != KG_OK) {
        return e;
    }
    p->config = data;
    p->config->poll_ms = p->config->poll_ms != 0 ? p->config->poll_ms : POLL_MS;
    if (p->config->poll_ms < POLL_MIN_MS || p->config->poll_ms > POLL_MAX_MS) {
        return kg_fail(diag, KG_E_INVALID, "%s: poll_ms: from %d to %d", path, POLL_MIN_MS, POLL_MAX_MS);
    }
    e = http_check_url(p->config->url, p->config->plain, diag);
    if (e != KG_OK) {
        return kg_fail_in(diag, e, "%s: url: ", path);
    }
    e = token_read(p, path, diag);
    e = e == KG_OK ? airing_path(path, p->config->folder, folder, diag) : e;
    e = e == KG_OK ? kg_dir_make(folder, 0755, diag) : e;
    if (e == KG_OK && realpath(folder, p->folder) == NULL) {
        e = kg_fail(diag, KG_E_IO, "%s: %s", folder, strerror(errno));
    }
    return e;
}

static void on_trial(void *ctx, const http_answer *a)
{
    trial *t = ctx;
    playout *p = t->owner;
    const sink_station *place = t->place;
    liqanswer answer;
    kg_diag diag = {0};
    bool good = false;
    if (a->error != KG_OK) {
        (void)kg_fail(&diag, KG_E_IO, "Không kết nối được với máy phát: %s", a->sentence);
    } else if (a->status != 404 || liqanswer_read(a->body, a->body_bytes, "keng-self-test", &answer, &diag) != KG_OK) {
        (void)kg_fail(&diag, KG_E_IO, "Máy phát trả lời không đúng (mã %ld).", a->status);
    } else {
        (void)kg_fail(&diag, KG_OK, "Máy phát trả lời và nhận lệnh.");
        (void)snprintf(p->desk.boot, sizeof p->desk.boot, "%s", answer.boot);
        good = true;
    }
    t->place = NULL;
    if (place != NULL) {
        sink_device(p->desk.host, place, good, -1, good ? "" : diag.text);
        sink_tested(p->desk.host, place, good, diag.text);
    }
}

/* Asks for an order that never was: whoever knows that, understands us. place NULL: only to learn its run. */
static kg_err hello(playout *p, const sink_station *place)
{
    p->trial = (trial){.owner = p, .place = place};
    return airtime_call(&p->desk, "status", json_pack("{s:s}", "id", "keng-self-test"), on_trial, &p->trial);
}

static kg_err liquidsoap_open(sink *host, const char *name, const char *path, void **self, kg_diag *diag)
{
    playout *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for driver %s", name);
    }
    p->desk.host = host;
    kg_err e = config_load(p, name, path, diag);
    if (e == KG_OK) {
        const http_options options = {.plain = p->config->plain};
        e = http_new(sink_loop(host), &options, &p->desk.http, diag);
    }
    if (e == KG_OK) {
        e = airing_open_with(host, name, path, p->config->speech, &p->desk.airing, diag);
    }
    if (e != KG_OK) {
        liquidsoap_close(p);
        return e;
    }
    p->desk.url = p->config->url;
    p->desk.token = p->token;
    p->desk.folder = p->folder;
    p->desk.seen_as = p->config->seen_as;
    p->desk.poll_ms = p->config->poll_ms;
    kg_ignore(hello(p, NULL)); /* if not now, the first order learns it */
    *self = p;
    return KG_OK;
}

static kg_err liquidsoap_prepare(void *self, sink_job *job, kg_diag *diag)
{
    playout *p = self;
    return airing_prepare(p->desk.airing, job, diag);
}

static kg_err liquidsoap_start(void *self, sink_job *job, kg_diag *diag)
{
    playout *p = self;
    (void)diag;
    airtime_start(&p->desk, job);
    return KG_OK;
}

static void liquidsoap_stop(void *self, sink_job *job)
{
    playout *p = self;
    if (!airtime_stop(&p->desk, job)) {
        airing_abandon(p->desk.airing, job);
    }
}

static kg_err liquidsoap_ask(void *self, sink_job *job, const char *driver_ref, kg_diag *diag)
{
    playout *p = self;
    return airtime_adopt(&p->desk, job, driver_ref, diag);
}

static kg_err liquidsoap_test(void *self, const sink_station *place, kg_diag *diag)
{
    playout *p = self;
    if (p->trial.place != NULL) {
        return kg_fail(diag, KG_E_AGAIN, "a self-test of this playout is under way");
    }
    const kg_err e = hello(p, place);
    if (e != KG_OK) {
        p->trial.place = NULL;
        return kg_fail(diag, e, "the playout cannot be asked now");
    }
    return KG_OK;
}

const sink_driver liquidsoap_driver = {
    .kind = "liquidsoap",
    .exclusive = true,
    .open = liquidsoap_open,
    .prepare = liquidsoap_prepare,
    .start = liquidsoap_start,
    .stop = liquidsoap_stop,
    .ask = liquidsoap_ask,
    .test = liquidsoap_test,
    .close = liquidsoap_close,
};
