/*
 * speech - from text to sound: attention signal, spoken text, recorded clips, one WAV file.
 *
 * Shape     speech_make starts a job and calls `done` from the loop; the result is a WAV, 48 kHz, mono, 16 bit, in
 *           `path`. The sequence: attention signal of the class, then per language the spoken text or the recorded
 *           clip, then the closing signal for a drill phrase where there is one.
 * Voices    "vi" by espeak-ng as a child process (GPL-3: never linked), bounded in time and size; other languages by
 *           recorded clips found by hash in `clips_dir`. Text in a script the voice does not know is refused.
 * Errors    KG_E_NOTFOUND no voice and no clip for a language; KG_E_TIMEOUT; KG_E_IO the child failed.
 */
#ifndef KENG_SPEECH_SPEECH_H
#define KENG_SPEECH_SPEECH_H

#include "alert/alert.h"
#include "base/buf.h"
#include "svc/loop.h"

enum { SPEECH_RATE = 48000 };

typedef struct speech speech; /* the workshop: voices, clips, temporary files */
typedef struct speech_job speech_job;

typedef struct speech_part {
    const char *language;
    const char *text;       /* to be spoken, or NULL: */
    const alert_hash *clip; /* a recording by hash */
} speech_part;

typedef void (*speech_done)(void *ctx, kg_err e, const char *wav_path, int64_t length_ms, const kg_diag *diag);

KG_MUST_CHECK kg_err speech_open(loop *l, const char *work_dir, const char *clips_dir, speech **out, kg_diag *diag);
void speech_close(speech **s);
bool speech_can(const speech *s, const char *language); /* there is a voice for it */
/* Parts are copied. The caller removes the WAV when it is done with it. */
KG_MUST_CHECK kg_err speech_make(speech *s, bulletin_class class, const speech_part *parts, size_t count,
                                 speech_done fn, void *ctx, speech_job **out, kg_diag *diag);
void speech_cancel(speech_job **job);

/* Attention signals (tone pairs and pattern by class), for tests and drivers: appends 16-bit samples. */
KG_MUST_CHECK kg_err speech_attention(bulletin_class class, kg_buf *samples);

/* WAV, 48 kHz mono 16 bit. */
KG_MUST_CHECK kg_err wav_read(const char *path, kg_buf *samples, kg_diag *diag);
KG_MUST_CHECK kg_err wav_write(const char *path, const kg_buf *samples, kg_diag *diag);

#endif
