/*
 * voice - one text spoken by a child process.
 *
 * Shape     The program gets "-b 1 -v VOICE -s RATE --stdin --stdout", the text on standard input (a sealed memory
 *           file, never an argument, never a shell) and writes a WAV to standard output. What comes is lowered by 3 dB
 *           and resampled to 48 kHz as it comes, so a long text never blocks the loop.
 * Bounds    Time (wall and processor), memory, and seconds of sound; past one of them the child is killed.
 * Why       espeak-ng is GPL-3: a process of its own, not a library. Any command that behaves so may stand in.
 * Ends      In exactly one call of done, from the loop; or in voice_cancel, then in none. The loop must outlive the
 *           child by one turn to collect it.
 */
#ifndef KENG_SPEECH_VOICE_H
#define KENG_SPEECH_VOICE_H

#include "base/buf.h"
#include "svc/loop.h"

typedef struct voice voice; /* one text being spoken */

typedef struct voice_spec {
    const char *program; /* full path */
    const char *name;    /* "vi" */
    unsigned rate;       /* words a minute */
    int64_t timeout_ms;
    size_t samples_max; /* of sound at 48 kHz */
} voice_spec;

/* samples (48 kHz) may be taken by the callee, who then zeroes *samples. e != KG_OK: they are not to be used. */
typedef void (*voice_done)(void *ctx, kg_err e, kg_buf *samples, const kg_diag *diag);

KG_MUST_CHECK kg_err voice_speak(loop *l, const voice_spec *spec, const char *text, voice_done fn, void *ctx,
                                 voice **out, kg_diag *diag);
void voice_cancel(voice **v);

#endif
