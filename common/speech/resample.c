#include "speech/resample.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HALF = RESAMPLE_TAPS / 2, CHUNK = 1024 };

static const double PI = 3.14159265358979323846;
static const double CUTOFF = 0.94; /* of the lower Nyquist frequency; the rest is the filter's slope */

struct resample {
    uint32_t up, down;              /* the ratio in lowest terms */
    uint32_t phase;                 /* 0 .. up-1: where the next output falls between two inputs */
    size_t skip;                    /* inputs still to pass by before the next output */
    int16_t window[RESAMPLE_TAPS];  /* the last inputs, oldest first */
    float (*filter)[RESAMPLE_TAPS]; /* one a phase */
};

static double sinc(double x)
{
    return fabs(x) < 1e-9 ? 1.0 : sin(PI * x) / (PI * x);
}

/* Blackman window over the filter's width, t in inputs from its middle. */
static double blackman(double t)
{
    const double u = PI * t / HALF;
    return fabs(t) >= HALF ? 0.0 : 0.42 + 0.5 * cos(u) + 0.08 * cos(2 * u);
}

/* Each phase sums to the gain, so that a constant stays constant. */
static void filter_fill(resample *r, double gain)
{
    for (uint32_t p = 0; p < r->up; p++) {
        double h[RESAMPLE_TAPS], sum = 0;
        for (int i = 0; i < RESAMPLE_TAPS; i++) {
            const double t = (double)(i - (HALF - 1)) - (double)p / r->up;
            h[i] = CUTOFF * sinc(CUTOFF * t) * blackman(t);
            sum += h[i];
        }
        for (int i = 0; i < RESAMPLE_TAPS; i++) {
            r->filter[p][i] = (float)(gain * h[i] / sum);
        }
    }
}

static uint32_t gcd(uint32_t a, uint32_t b)
{
    while (b != 0) {
        const uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

kg_err resample_new(uint32_t from, uint32_t to, double gain, resample **out)
{
    if (from == 0 || to < from || to / gcd(from, to) > RESAMPLE_PHASES_MAX) {
        return KG_E_INVALID;
    }
    resample *r = calloc(1, sizeof *r);
    if (r == NULL) {
        return KG_E_NOMEM;
    }
    r->up = to / gcd(from, to);
    r->down = from / gcd(from, to);
    r->filter = calloc(r->up, sizeof *r->filter);
    if (r->filter == NULL) {
        free(r);
        return KG_E_NOMEM;
    }
    filter_fill(r, gain);
    r->skip = HALF + 1; /* the first output stands on the first input: half a window must lie behind it */
    *out = r;
    return KG_OK;
}

void resample_free(resample **r)
{
    if (r != NULL && *r != NULL) {
        free((*r)->filter);
        free(*r);
        *r = NULL;
    }
}

static int16_t sample_at(const resample *r)
{
    const float *h = r->filter[r->phase];
    float sum = 0;
    for (int i = 0; i < RESAMPLE_TAPS; i++) {
        sum += h[i] * (float)r->window[i];
    }
    const long v = lrintf(sum);
    return (int16_t)(v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : v);
}

static kg_err step(resample *r, int16_t in, kg_buf *samples)
{
    kg_err e = KG_OK;
    memmove(r->window, r->window + 1, sizeof r->window - sizeof r->window[0]);
    r->window[RESAMPLE_TAPS - 1] = in;
    assert(r->skip > 0);
    r->skip--;
    while (r->skip == 0 && e == KG_OK) {
        const int16_t v = sample_at(r);
        e = kg_buf_put(samples, &v, sizeof v);
        const uint32_t next = r->phase + r->down;
        r->skip = next / r->up;
        r->phase = next % r->up;
    }
    return e;
}

kg_err resample_feed(resample *r, const int16_t *in, size_t n, kg_buf *samples)
{
    kg_err e = KG_OK;
    for (size_t i = 0; i < n && e == KG_OK; i++) {
        e = step(r, in[i], samples);
    }
    return e;
}

kg_err resample_end(resample *r, kg_buf *samples)
{
    static const int16_t silence[HALF];
    return resample_feed(r, silence, HALF, samples);
}
