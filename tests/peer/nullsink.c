/* nullsink - a sink whose device is a log file: it ends at once, late, badly or not at all, as its config says. For
 * the crash tests and the benches; every start, stop and end is a line, so that what people would have heard can be
 * counted afterwards. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "config/yaml.h"
#include "sink/sink.h"

typedef enum null_outcome { NULL_DONE, NULL_FAIL, NULL_REFUSE, NULL_LATER, NULL_HANG, NULL_DIE } null_outcome;

typedef struct null_config {
    char *log;
    unsigned delay_ms, prepare_ms;
    unsigned first; /* how many times `outcome` happens; then it is done; 0: always */
    null_outcome outcome;
    bool can_ask;
} null_config;

static const cyaml_strval_t outcomes[] = {{"done", NULL_DONE},   {"fail", NULL_FAIL}, {"refuse", NULL_REFUSE},
                                          {"later", NULL_LATER}, {"hang", NULL_HANG}, {"die", NULL_DIE}};
static const cyaml_schema_field_t null_fields[] = {
    CYAML_FIELD_STRING_PTR("log", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, null_config, log, 1, 1024),
    CYAML_FIELD_UINT("delay_ms", CYAML_FLAG_OPTIONAL, null_config, delay_ms),
    CYAML_FIELD_UINT("prepare_ms", CYAML_FLAG_OPTIONAL, null_config, prepare_ms),
    CYAML_FIELD_UINT("first", CYAML_FLAG_OPTIONAL, null_config, first),
    CYAML_FIELD_ENUM("outcome", CYAML_FLAG_OPTIONAL, null_config, outcome, outcomes,
                     sizeof outcomes / sizeof outcomes[0]),
    CYAML_FIELD_BOOL("can_ask", CYAML_FLAG_OPTIONAL, null_config, can_ask),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t null_schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, null_config, null_fields)};

typedef struct null_device {
    sink *host;
    null_config *config;
    char log_path[1200];
    int log; /* -1: none */
    unsigned times;
} null_device;

typedef struct null_job {
    null_device *device;
    sink_job *job;
    loop_timer *timer;
    bool started;
} null_job;

static void write_line(const null_device *d, const char *what, const sink_job *job)
{
    char line[256];
    if (d->log < 0) {
        return;
    }
    const int n = snprintf(line, sizeof line, "%lld %s %s %s %u%s\n", (long long)kg_clock_wall_ms(), what,
                           job->station->id, job->id_text, job->playing, job->labelled ? " again" : "");
    if (write(d->log, line, (size_t)n) != n) {
        abort(); /* a test whose witness cannot write proves nothing */
    }
}

static kg_err device_open(sink *host, const char *name, const char *config_path, void **self, kg_diag *diag)
{
    (void)name;
    null_device *d = calloc(1, sizeof *d);
    if (d == NULL) {
        return KG_E_NOMEM;
    }
    d->host = host;
    d->log = -1;
    void *config = NULL;
    kg_err e = config_path != NULL ? yaml_load(config_path, &null_schema, &config, diag)
                                   : yaml_read(name, "{}", 2, &null_schema, &config, diag);
    d->config = config;
    if (e == KG_OK && d->config->log != NULL) {
        (void)snprintf(d->log_path, sizeof d->log_path, "%s/%s", sink_state_dir(host), d->config->log);
        d->log = open(d->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        e = d->log < 0 ? kg_fail(diag, KG_E_IO, "cannot write %s", d->log_path) : KG_OK;
    }
    if (e != KG_OK) {
        yaml_free(&null_schema, &config);
        free(d);
        return e;
    }
    *self = d;
    return KG_OK;
}

static void device_close(void *self)
{
    null_device *d = self;
    void *config = d->config;
    if (d->log >= 0) {
        (void)close(d->log);
    }
    yaml_free(&null_schema, &config);
    free(d);
}

static void end_job(null_job *n, const sink_outcome *o)
{
    null_device *d = n->device;
    sink_job *job = n->job;
    if (n->started) {
        write_line(d, o->state == DLV_DONE ? "end" : "broken", job);
    }
    loop_timer_free(&n->timer);
    job->driver_data = NULL;
    free(n);
    sink_finish(d->host, job, o);
}

static const sink_outcome done = {.state = DLV_DONE, .certainty = CERTAIN_FINISHED, .sent = 1, .reached = 1};

static sink_outcome outcome_of(null_device *d)
{
    const bool bad = d->config->first == 0 || d->times < d->config->first;
    d->times++;
    if (bad && d->config->outcome == NULL_FAIL) {
        return (sink_outcome){.state = DLV_FAILED, .code = "null-fail", .detail = "The null device was told to fail."};
    }
    if (bad && d->config->outcome == NULL_REFUSE) {
        return (sink_outcome){.state = DLV_REFUSED, .code = "null-refuse", .detail = "The null device refuses."};
    }
    if (bad && d->config->outcome == NULL_LATER) {
        return (sink_outcome){.state = DLV_PENDING, .code = "null-later", .detail = "The null device is away."};
    }
    if (bad && d->config->outcome == NULL_DIE) {
        (void)raise(SIGKILL);
    }
    return done;
}

static void on_timer(void *ctx)
{
    null_job *n = ctx;
    if (!n->started) {
        loop_timer_stop(n->timer);
        sink_prepared(n->device->host, n->job);
        return;
    }
    const sink_outcome o = outcome_of(n->device);
    end_job(n, &o);
}

static null_job *job_new(null_device *d, sink_job *job)
{
    null_job *n = calloc(1, sizeof *n);
    if (n != NULL && loop_timer_new(sink_loop(d->host), on_timer, n, &n->timer) != KG_OK) {
        free(n);
        n = NULL;
    }
    if (n != NULL) {
        n->device = d;
        n->job = job;
        job->driver_data = n;
    }
    return n;
}

static kg_err device_prepare(void *self, sink_job *job, kg_diag *diag)
{
    null_device *d = self;
    if (d->config->prepare_ms == 0) {
        sink_prepared(d->host, job);
        return KG_OK;
    }
    null_job *n = job_new(d, job);
    if (n == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for a job");
    }
    loop_timer_set(n->timer, d->config->prepare_ms);
    return KG_OK;
}

static kg_err device_start(void *self, sink_job *job, kg_diag *diag)
{
    null_device *d = self;
    write_line(d, "start", job);
    const bool at_once = d->config->delay_ms == 0 && d->config->outcome != NULL_HANG;
    null_job *n = job->driver_data != NULL ? job->driver_data : at_once ? NULL : job_new(d, job);
    if (at_once) {
        const sink_outcome o = outcome_of(d);
        if (n != NULL) {
            n->started = true;
            end_job(n, &o);
            return KG_OK;
        }
        write_line(d, o.state == DLV_DONE ? "end" : "broken", job);
        sink_finish(d->host, job, &o);
        return KG_OK;
    }
    if (n == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for a job");
    }
    n->started = true;
    if (d->config->outcome != NULL_HANG) {
        loop_timer_set(n->timer, d->config->delay_ms);
    }
    return KG_OK;
}

static void device_stop(void *self, sink_job *job)
{
    null_device *d = self;
    null_job *n = job->driver_data;
    write_line(d, "stop", job);
    if (n == NULL) {
        sink_finish(d->host, job, &(sink_outcome){.state = DLV_PENDING});
        return;
    }
    const sink_outcome o = {.state = n->started ? DLV_PARTIAL : DLV_PENDING,
                            .certainty = CERTAIN_STARTED,
                            .code = "stopped",
                            .detail = "Stopped on order."};
    end_job(n, &o);
}

/* The log is the device's memory: it knows what it began and what it ended. */
static kg_err device_ask(void *self, sink_job *job, const char *driver_ref, kg_diag *diag)
{
    (void)driver_ref;
    null_device *d = self;
    if (!d->config->can_ask || d->log < 0) {
        return kg_fail(diag, KG_E_NOTFOUND, "this device cannot be asked");
    }
    kg_buf all = {0};
    const kg_err e = kg_file_read(d->log_path, KG_BUF_MAX, &all, diag);
    if (e != KG_OK) {
        return e;
    }
    char key[128];
    (void)snprintf(key, sizeof key, " %s %s %u", job->station->id, job->id_text, job->playing);
    bool began = false;
    bool ended = false;
    for (const char *at = strstr(kg_buf_str(&all), key); at != NULL; at = strstr(at + 1, key)) {
        began = began || (at - all.s >= 5 && strncmp(at - 5, "start", 5) == 0);
        ended = ended || (at - all.s >= 3 && strncmp(at - 3, "end", 3) == 0);
    }
    kg_buf_done(&all);
    const sink_outcome o = {.state = ended   ? DLV_DONE
                                     : began ? DLV_PARTIAL
                                             : DLV_PENDING,
                            .certainty = CERTAIN_FINISHED,
                            .code = ended ? "" : "broken-off",
                            .detail = ended ? "" : "The device was broken off."};
    sink_finish(d->host, job, &o);
    return KG_OK;
}

static kg_err device_confirm(void *self, sink_job *job, bool was_done, const char *who, const char *what, kg_diag *diag)
{
    (void)self;
    (void)what;
    null_job *n = job->driver_data;
    if (n == NULL || !n->started) {
        return kg_fail(diag, KG_E_INVALID, "nothing waits for %s", who);
    }
    const sink_outcome refused = {.state = DLV_FAILED, .code = "not-done", .detail = "The person could not do it."};
    const sink_outcome good = {.state = DLV_DONE, .certainty = CERTAIN_HEARD};
    end_job(n, was_done ? &good : &refused);
    return KG_OK;
}

static kg_err device_test(void *self, const sink_station *where, kg_diag *diag)
{
    (void)diag;
    null_device *d = self;
    sink_device(d->host, where, true, 70, "");
    sink_tested(d->host, where, true, "the null device is always well");
    return KG_OK;
}

#define NULL_CALLS                                                                                                     \
    .open = device_open, .prepare = device_prepare, .start = device_start, .stop = device_stop, .ask = device_ask,     \
    .confirm = device_confirm, .test = device_test, .close = device_close

static const sink_driver exclusive = {.kind = "null", .exclusive = true, NULL_CALLS};
static const sink_driver parallel = {.kind = "null-parallel", .exclusive = false, NULL_CALLS};

int main(int argc, char **argv)
{
    static const sink_driver *const drivers[] = {&exclusive, &parallel};
    return sink_main(argc, argv, "nullsink", "a sink for tests, whose device is a log file", (1U << MEDIUM_COUNT) - 1,
                     drivers, sizeof drivers / sizeof drivers[0]);
}
