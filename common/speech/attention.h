/*
 * attention - the sound before the words, so that ears know the class before the first one.
 *
 * Shape     Two tones in steps, made here sample by sample. Routine: a falling pair, once. Priority: rising pairs,
 *           slowly. Urgent: fast, four seconds. A drill has tones and a rhythm of its own (with silence between the
 *           steps), whatever its class: nobody may run for it, nobody may later take the real one for a drill.
 * Choice    440 to 1000 Hz, where a horn is loud and old ears still hear; not the pairs other countries reserve.
 */
#ifndef KENG_SPEECH_ATTENTION_H
#define KENG_SPEECH_ATTENTION_H

#include "alert/alert.h"
#include "base/buf.h"

typedef struct attention_signal {
    unsigned first_hz, second_hz;
    unsigned step_ms, gap_ms; /* each step is one tone, then silence */
    unsigned steps;
} attention_signal;

const attention_signal *attention_of(bulletin_class class, bool drill);
int64_t attention_ms(const attention_signal *a);
/* Appends 16-bit samples at 48 kHz. */
KG_MUST_CHECK kg_err attention_put(const attention_signal *a, kg_buf *samples);

#endif
