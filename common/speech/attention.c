#include "speech/attention.h"

#include <assert.h>
#include <math.h>

#include "speech/wav.h"

enum { RAMP_MS = 5, LEVEL = 16384 /* half of full scale: -6 dB */ };

static const double PI = 3.14159265358979323846;

static const attention_signal signals[CLASS_COUNT] = {
    [CLASS_ROUTINE] = {.first_hz = 660, .second_hz = 520, .step_ms = 400, .steps = 2},
    [CLASS_PRIORITY] = {.first_hz = 620, .second_hz = 820, .step_ms = 500, .steps = 4},
    [CLASS_URGENT] = {.first_hz = 1000, .second_hz = 750, .step_ms = 250, .steps = 16},
};
static const attention_signal drill_signal = {
    .first_hz = 440, .second_hz = 580, .step_ms = 350, .gap_ms = 250, .steps = 4};

const attention_signal *attention_of(bulletin_class class, bool drill)
{
    assert(class < CLASS_COUNT);
    return drill ? &drill_signal : &signals[class];
}

int64_t attention_ms(const attention_signal *a)
{
    return (int64_t)a->steps * (a->step_ms + a->gap_ms);
}

/* Steps begin and end softly: a hard edge clicks in every horn. */
static double envelope(size_t i, size_t n)
{
    const size_t ramp = (size_t)RAMP_MS * WAV_RATE / 1000;
    const size_t edge = i < n - i ? i : n - i;
    return edge >= ramp ? 1.0 : (double)edge / (double)ramp;
}

static kg_err step_put(unsigned hz, unsigned ms, kg_buf *samples)
{
    const size_t n = (size_t)ms * WAV_RATE / 1000;
    kg_err e = kg_buf_reserve(samples, n * 2);
    for (size_t i = 0; i < n && e == KG_OK; i++) {
        const double phase = 2 * PI * (double)hz * (double)i / WAV_RATE;
        const int16_t v = hz == 0 ? 0 : (int16_t)lround(LEVEL * envelope(i, n) * sin(phase));
        e = kg_buf_put(samples, &v, sizeof v);
    }
    return e;
}

kg_err attention_put(const attention_signal *a, kg_buf *samples)
{
    kg_err e = KG_OK;
    for (unsigned step = 0; step < a->steps && e == KG_OK; step++) {
        e = step_put(step % 2 == 0 ? a->first_hz : a->second_hz, a->step_ms, samples);
        if (e == KG_OK) {
            e = step_put(0, a->gap_ms, samples);
        }
    }
    return e;
}
