#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "speech/resample.h"
#include "tone.h"

enum { SECOND = 48000 };

static void sine(unsigned rate, double hz, double level, int16_t *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        x[i] = (int16_t)lround(level * sin(2 * 3.14159265358979323846 * hz * (double)i / rate));
    }
}

static void convert(unsigned from, double gain, const int16_t *x, size_t n, size_t piece, kg_buf *out)
{
    resample *r = NULL;
    assert_int_equal(resample_new(from, 48000, gain, &r), KG_OK);
    for (size_t at = 0; at < n; at += piece) {
        assert_int_equal(resample_feed(r, x + at, n - at < piece ? n - at : piece, out), KG_OK);
    }
    assert_int_equal(resample_end(r, out), KG_OK);
    resample_free(&r);
}

static void a_tone_stays_a_tone(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        unsigned rate;
        double hz, level;
    } rows[] = {
        {"espeak-ng's rate, low", 22050, 200, 20000},
        {"speech", 22050, 1000, 20000},
        {"sibilants", 22050, 8000, 20000},
        {"near the edge", 22050, 9500, 20000},
        {"16 kHz voice", 16000, 3000, 20000},
        {"44.1 kHz", 44100, 5000, 20000},
        {"telephone", 8000, 1500, 20000},
        {"no change of rate", 48000, 1000, 20000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int16_t x[SECOND];
        kg_buf out = {0};
        sine(rows[i].rate, rows[i].hz, rows[i].level, x, rows[i].rate);
        convert(rows[i].rate, 1.0, x, rows[i].rate, 1000, &out);
        const size_t n = out.len / 2;
        if (n < SECOND - 10 || n > SECOND + 10) {
            fail_msg("%s: a second became %zu samples", rows[i].label, n);
        }
        /* the edges ring; the middle must be the tone and nothing else, as loud as before */
        const int16_t *y = (const int16_t *)(const void *)out.s + SECOND / 10;
        const size_t m = SECOND * 8 / 10;
        const double share = tone_share(y, m, 48000, rows[i].hz), rms = tone_rms(y, m);
        if (share < 0.999 || fabs(rms - rows[i].level / sqrt(2)) > 0.02 * rows[i].level) {
            fail_msg("%s: share %.5f, rms %.0f", rows[i].label, share, rms);
        }
        kg_buf_done(&out);
    }
}

static void no_mirror_image_above_the_voice(void **state)
{
    (void)state;
    int16_t x[22050];
    kg_buf out = {0};
    sine(22050, 9000, 20000, x, 22050);
    convert(22050, 1.0, x, 22050, 22050, &out);
    /* 22050 - 9000: what a lazy resampler leaves behind */
    assert_true(tone_share((const int16_t *)(const void *)out.s + 4800, 38400, 48000, 13050) < 1e-5);
    kg_buf_done(&out);
}

static void pieces_do_not_matter(void **state)
{
    (void)state;
    static const size_t pieces[] = {1, 7, 147, 4096};
    int16_t x[5000];
    kg_buf whole = {0};
    srand(1);
    for (size_t i = 0; i < 5000; i++) {
        x[i] = (int16_t)(rand() % 20000 - 10000);
    }
    convert(22050, 0.7, x, 5000, 5000, &whole);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        kg_buf out = {0};
        convert(22050, 0.7, x, 5000, pieces[i], &out);
        assert_int_equal(out.len, whole.len);
        assert_memory_equal(out.s, whole.s, whole.len);
        kg_buf_done(&out);
    }
    kg_buf_done(&whole);
}

static void three_decibels_keep_full_scale_from_clipping(void **state)
{
    (void)state;
    int16_t x[22050];
    kg_buf out = {0};
    for (size_t i = 0; i < 22050; i++) { /* square waves overshoot when filtered */
        x[i] = i / 20 % 2 == 0 ? INT16_MAX : INT16_MIN;
    }
    convert(22050, 0.70794578, x, 22050, 1000, &out);
    const int16_t *y = (const int16_t *)(const void *)out.s;
    int peak = 0;
    for (size_t i = 0; i < out.len / 2; i++) {
        peak = abs(y[i]) > peak ? abs(y[i]) : peak;
    }
    assert_in_range(peak, 23198, 32000);
    kg_buf_done(&out);
}

static void impossible_rates_are_refused(void **state)
{
    (void)state;
    resample *r = NULL;
    assert_int_equal(resample_new(0, 48000, 1, &r), KG_E_INVALID);
    assert_int_equal(resample_new(96000, 48000, 1, &r), KG_E_INVALID);
    assert_int_equal(resample_new(22051, 48000, 1, &r), KG_E_INVALID);
    assert_null(r);
    resample_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tone_stays_a_tone),          cmocka_unit_test(no_mirror_image_above_the_voice),
        cmocka_unit_test(pieces_do_not_matter),         cmocka_unit_test(three_decibels_keep_full_scale_from_clipping),
        cmocka_unit_test(impossible_rates_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
