/*
 * speech - from words to one sound file: attention signal, spoken text, recorded clips.
 *
 * Shape     speech_make starts a job and calls `done` from the loop, never from within speech_make; the result is a
 *           WAV, 48 kHz, mono, 16 bit, under a name of the caller's own. The sequence: the signal of the class (or of a
 *           drill), then part after part with a pause between; a drill ends with its signal again.
 * Voices    "vi" by espeak-ng as a child process (GPL-3: never linked), bounded in time and output. Other languages are
 *           spoken by recordings: of a hash, or those that together say the text sentence by sentence (clips.h). Text in
 *           a script that does not fit its language is refused, never spelt out.
 * Sharing   The same order (124 stations, one text) is made once: jobs that ask for it while it is being made wait for
 *           it, later ones find it in a cache of at most SPEECH_CACHE_FILES files and SPEECH_CACHE_BYTES bytes.
 * Errors    KG_E_NOTFOUND no voice and no recording; KG_E_INVALID script, damaged recording; KG_E_EXPIRED, KG_E_DENIED
 *           a recording that is past its date or that nobody reviewed; KG_E_TIMEOUT; KG_E_LIMIT longer than
 *           SPEECH_SECONDS_MAX; KG_E_IO the child or the disk failed.
 * Threads   One.
 */
#ifndef KENG_SPEECH_SPEECH_H
#define KENG_SPEECH_SPEECH_H

#include "alert/alert.h"
#include "base/buf.h"
#include "svc/loop.h"

enum {
    SPEECH_RATE = 48000,
    SPEECH_PARTS_MAX = 16,
    SPEECH_TEXT_MAX = 16 * 1024, /* bytes of one part */
    SPEECH_SECONDS_MAX = 300,    /* of the whole */
    SPEECH_CACHE_FILES = 64,
    SPEECH_CACHE_BYTES = 256 * 1024 * 1024
};

typedef struct speech speech; /* the workshop: voices, clips, temporary files */
typedef struct speech_job speech_job;

/* Zero and NULL mean the default in brackets. */
typedef struct speech_config {
    const char *work_dir;  /* the workshop's alone: what is in it at the start is removed */
    const char *clips_dir; /* with catalogue.tsv [no recordings] */
    const char *program;   /* [/usr/bin/espeak-ng]; takes -v VOICE -s RATE, text on stdin, gives WAV on stdout */
    const char *voice;     /* [vi]; vi-vn-x-central, vi-vn-x-south */
    unsigned rate;         /* words a minute [150] */
    int64_t timeout_ms;    /* for one spoken part [30 s] */
    unsigned seconds_max;  /* of the whole [SPEECH_SECONDS_MAX] */
} speech_config;

typedef struct speech_part {
    const char *language;
    const char *text;       /* to be spoken, for "vi" made speakable already (say_vi); or NULL: */
    const alert_hash *clip; /* a recording by hash, from the catalogue, */
    const void *wav;        /* or brought along (NULL: from the catalogue): the alert's author signed its hash */
    size_t wav_bytes;
} speech_part;

typedef struct speech_order {
    bulletin_class class;
    bool drill; /* exercise or test: another signal, first and last */
    const speech_part *parts;
    size_t count;
    int64_t now_ms; /* judges the recordings' dates */
} speech_order;

/* wav_path is the caller's: a file of its own inside work_dir that it removes (or renames) when done with it. */
typedef void (*speech_done)(void *ctx, kg_err e, const char *wav_path, int64_t length_ms, const kg_diag *diag);

KG_MUST_CHECK kg_err speech_open(loop *l, const speech_config *config, speech **out, kg_diag *diag);
void speech_close(speech **s); /* jobs still open are forgotten: their done is not called */

/* Could this part be sounded? The same judgement and sentence as speech_make's, without making anything. */
KG_MUST_CHECK kg_err speech_check(const speech *s, const speech_part *part, int64_t now_ms, kg_diag *diag);

/* The order is copied. *out is set NULL by nobody: it is valid until done is called or speech_cancel. */
KG_MUST_CHECK kg_err speech_make(speech *s, const speech_order *order, speech_done fn, void *ctx, speech_job **out,
                                 kg_diag *diag);
void speech_cancel(speech_job **job); /* before done; takes NULL */

/* How often a voice or clip was really worked, for the status line: a shared text counts once. */
unsigned speech_made(const speech *s);

#endif
