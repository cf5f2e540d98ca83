/*
 * airing - the sound of one playing, for every driver that plays (loudspeakers, radio, television).
 *
 * Shape     A driver's prepare is airing_prepare: the job's languages are rendered, spoken or found as recordings, and
 *           made into one WAV, which airing_sound_of(job) then shows; it ends in sink_prepared. A driver ends a job with
 *           airing_finish, which releases the sound and calls sink_finish. job->driver_data is airing's; `own` in it is
 *           the driver's.
 * Languages Vietnamese is spoken by the voice. Others are heard as the recording the alert carries by hash (audio/wav,
 *           signed with the alert), else as reviewed recordings that say the author's text sentence by sentence. A
 *           language that cannot be heard is left out and named in `missing`: the job then ends PARTIAL instead of DONE.
 *           A warning never waits for a translation: fetching gives up after AIRING_FETCH_MS. Nothing left to be heard:
 *           REFUSED, "no-voice".
 * Errors    A voice or disk that fails: PENDING, "voice-failed", the engine tries again.
 * Owns      The WAVs, in <state>/<driver>/sound; a driver that keeps one links or copies it.
 */
#ifndef KENG_AIRING_AIRING_H
#define KENG_AIRING_AIRING_H

#include <limits.h>

#include "base/buf.h"
#include "sink/sink.h"

enum { AIRING_FETCH_MS = 3000, AIRING_LANGUAGES_MAX = 12 };

typedef struct airing airing;

/* Zero and NULL mean speech's defaults. Paths are usable as they are. */
typedef struct airing_config {
    const char *clips; /* folder of recordings with its catalogue */
    const char *voice, *program;
    unsigned rate;
    int64_t fetch_ms; /* [AIRING_FETCH_MS] */
} airing_config;

typedef struct airing_sound {
    char wav[PATH_MAX];
    int64_t length_ms;
    kg_buf missing; /* sentence in Vietnamese: what was not heard and why; empty: nothing */
    void *own;      /* the driver's; gone before airing_finish */
} airing_sound;

KG_MUST_CHECK kg_err airing_open(sink *host, const char *name, const airing_config *config, airing **out,
                                 kg_diag *diag);
void airing_close(airing **a); /* forgets all jobs; the driver has released its `own` parts */

/* As a driver's prepare: on KG_OK ends in sink_prepared, or in sink_finish when it cannot be sounded. */
KG_MUST_CHECK kg_err airing_prepare(airing *a, sink_job *job, kg_diag *diag);
bool airing_ready(const sink_job *job);             /* the WAV is there */
airing_sound *airing_sound_of(const sink_job *job); /* NULL before airing_prepare */
/* Visits every job that airing_prepare took and airing_finish has not ended; each may be finished by the visit. */
void airing_each(airing *a, void (*visit)(void *ctx, sink_job *job), void *ctx);

/* Releases the sound and ends the job. DONE becomes PARTIAL when a language is missing. */
void airing_finish(airing *a, sink_job *job, const sink_outcome *o);
/* For stop before anything was heard: ends the job PENDING, "stopped". */
void airing_abandon(airing *a, sink_job *job);

/* The WAV under another name, complete and synced before it is seen: a link, or a copy on another file system. */
KG_MUST_CHECK kg_err airing_export(const airing_sound *s, const char *path, kg_diag *diag);

#endif
