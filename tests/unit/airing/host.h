/*
 * host - stands in for the sink engine in tests of airing and of drivers: gives them a loop, a folder and a clock, and
 * writes down what they tell it.
 */
#ifndef KENG_TESTS_AIRING_HOST_H
#define KENG_TESTS_AIRING_HOST_H

#include "sink/sink.h"
#include "tests/unit/speech/folder.h"

enum { HOST_JOBS_MAX = 160, HOST_TEXT_MAX = 1024 };

typedef struct host_told {
    bool prepared, finished;
    sink_outcome outcome; /* its texts are the two below */
    char code[64], detail[HOST_TEXT_MAX], ref[256];
    unsigned refs;
} host_told;

typedef struct host {
    char dir[FOLDER_PATH];
    loop *l;
    loop_timer *limit;
    int64_t now_ms;
    const sink_driver *driver; /* started when prepared, when set */
    void *self;
    sink_job jobs[HOST_JOBS_MAX]; /* number = place in it */
    host_told told[HOST_JOBS_MAX];
    unsigned finished, prepared;
    unsigned wait_finished, wait_prepared;
    bool tested, tested_good, late;
    char tested_detail[HOST_TEXT_MAX];
    bool device_on;
    unsigned fetches;
    const void *fetch_bytes; /* what sink_fetch answers; NULL: KG_E_NOTFOUND */
    size_t fetch_count;
    bool fetch_silent; /* never answers */
} host;

int host_open(host *h); /* 0 done */
int host_close(host *h);
sink *host_sink(host *h);
void host_wait(host *h, unsigned finished, unsigned prepared); /* until so many in all; fails after 20 s */
void host_run_ms(host *h, int64_t ms);
void host_wait_tested(host *h);

/* The host's n-th job: one alert at one station; languages "vi" only. */
sink_job *host_job(host *h, unsigned n, const alert *a, const sink_station *at);
/* Prepares it by the driver under test and lets it start; the test waits. */
void host_play(host *h, sink_job *job);

/* A Vietnamese warning, urgent, actual; km adds a Khmer part with this speech text (NULL none). */
void host_alert(alert *a, const char *km);
/* Writes a file beside the host's folder and gives its path. */
void host_write(const host *h, const char *name, const char *text, char path[FOLDER_PATH + 64]);

#endif
