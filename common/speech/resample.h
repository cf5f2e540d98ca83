/*
 * resample - sound from a voice's rate to ours, as it comes: a windowed sinc, one small filter a phase.
 *
 * Rules     Upwards only (from <= to). Fed in any pieces, the result is the same to the bit. Gain is applied before
 *           rounding, so a voice at full scale does not clip. Bounded: about 50 multiplications an output sample.
 */
#ifndef KENG_SPEECH_RESAMPLE_H
#define KENG_SPEECH_RESAMPLE_H

#include <stdint.h>

#include "base/buf.h"

enum { RESAMPLE_TAPS = 48, RESAMPLE_PHASES_MAX = 1024 };

typedef struct resample resample;

/* KG_E_INVALID: rates that do not fit (to < from, or no small ratio). */
KG_MUST_CHECK kg_err resample_new(uint32_t from, uint32_t to, double gain, resample **out);
void resample_free(resample **r);
KG_MUST_CHECK kg_err resample_feed(resample *r, const int16_t *in, size_t n, kg_buf *samples);
KG_MUST_CHECK kg_err resample_end(resample *r, kg_buf *samples); /* the last few samples; r takes no more */

#endif
