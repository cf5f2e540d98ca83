/*
 * airtime - one order at a playout with keng.liq: told, then asked until it says what became of it.
 *
 * Story     The sound is put where the playout finds it, the order is noted, then told; from then on it is asked, every
 *           half second, until it says that the order was aired, cut or removed. One call at a time an order.
 * Proof     finished: the playout's own times of on air and off air.
 * Doubt     Its memory ends with it. `boot` names its run: an order that an earlier run had on the air, and no run has
 *           ended, was heard in part; an urgent one is played once more, labelled (sink_outcome.again). One that waited
 *           in the queue is told again: telling twice is harmless, the id is the same.
 * Ends      Every airtime ends its job once, through airing_finish, and frees itself; or is forgotten by airtime_forget.
 */
#ifndef KENG_BROADCAST_AIRTIME_H
#define KENG_BROADCAST_AIRTIME_H

#include <jansson.h>

#include "airing/airing_order.h"
#include "http/http.h"
#include "liqanswer.h"

enum {
    AIRTIME_ID_MAX = STATION_ID_MAX + AIRING_REF_TEXT + 32,
    AIRTIME_WAV_MAX = PATH_MAX + AIRTIME_ID_MAX + 8,
    AIRTIME_SILENT_MS = 60 * 1000, /* without an answer for so long: nobody knows */
    AIRTIME_STOP_MS = 5000         /* the same, when it was told to stop */
};

typedef struct airtime airtime;

typedef struct airtime_desk { /* one playout; filled by the driver */
    sink *host;
    airing *airing;
    http *http;
    const char *url, *token;
    const char *folder;  /* for sounds, as we see it, absolute */
    const char *seen_as; /* as the playout sees it; NULL: the same */
    int64_t poll_ms;
    char boot[LIQANSWER_BOOT_MAX]; /* the run last heard of; "" none yet */
    airtime *open;
} airtime_desk;

/* The job's sound is ready: hands it over. An error ends the job here, as the engine could not release the sound. */
void airtime_start(airtime_desk *d, sink_job *job);
/* After a crash of ours: takes up an order again by what was noted of it. */
KG_MUST_CHECK kg_err airtime_adopt(airtime_desk *d, sink_job *job, const char *driver_ref, kg_diag *diag);
/* false: the job has no order there. */
bool airtime_stop(airtime_desk *d, const sink_job *job);
void airtime_forget(airtime_desk *d); /* all of them; the playout goes on */

/* One call of the playout's door; takes body. */
KG_MUST_CHECK kg_err airtime_call(const airtime_desk *d, const char *verb, json_t *body, http_done_fn fn, void *ctx);

#endif
