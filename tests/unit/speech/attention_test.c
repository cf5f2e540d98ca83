
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "speech/attention.h"
#include "tone.h"

static const struct {
    const char *label;
    bulletin_class class;
    bool drill;
    unsigned first_hz, second_hz, step_ms, gap_ms, steps;
} rows[] = {
    {"routine falls once", CLASS_ROUTINE, false, 660, 520, 400, 0, 2},
    {"priority rises slowly", CLASS_PRIORITY, false, 620, 820, 500, 0, 4},
    {"urgent alternates fast for four seconds", CLASS_URGENT, false, 1000, 750, 250, 0, 16},
    {"an urgent drill is a drill", CLASS_URGENT, true, 440, 580, 350, 250, 4},
    {"a routine drill is the same drill", CLASS_ROUTINE, true, 440, 580, 350, 250, 4},
};

static void each_step_has_its_tone(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kg_buf b = {0};
        assert_int_equal(attention_put(attention_of(rows[i].class, rows[i].drill), &b), KG_OK);
        const size_t step = rows[i].step_ms * 48U, gap = rows[i].gap_ms * 48U;
        const int16_t *x = (const int16_t *)(const void *)b.s;
        assert_int_equal(b.len / 2, rows[i].steps * (step + gap));
        for (unsigned s = 0; s < rows[i].steps; s++, x += step + gap) {
            const unsigned hz = s % 2 == 0 ? rows[i].first_hz : rows[i].second_hz;
            const unsigned other = s % 2 == 0 ? rows[i].second_hz : rows[i].first_hz;
            if (tone_share(x, step, 48000, hz) < 0.9 || tone_share(x, step, 48000, other) > 0.05) {
                fail_msg("%s: step %u is not %u Hz", rows[i].label, s, hz);
            }
            if (tone_rms(x, step) < 8000 || tone_rms(x + step, gap) > 0) {
                fail_msg("%s: step %u is not loud, or its gap not silent", rows[i].label, s);
            }
        }
        kg_buf_done(&b);
    }
}

static void no_signal_clips_or_clicks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kg_buf b = {0};
        assert_int_equal(attention_put(attention_of(rows[i].class, rows[i].drill), &b), KG_OK);
        const int16_t *x = (const int16_t *)(const void *)b.s;
        for (size_t k = 1; k < b.len / 2; k++) {
            const int jump = x[k] - x[k - 1];
            /* the steepest sine here, 1000 Hz at half scale, rises 2145 a sample */
            if (x[k] > 16500 || x[k] < -16500 || jump > 2200 || jump < -2200) {
                fail_msg("%s: sample %zu is %d after %d", rows[i].label, k, x[k], x[k - 1]);
            }
        }
        kg_buf_done(&b);
    }
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    kg_buf b = {.max = 1000};
    assert_int_equal(attention_put(attention_of(CLASS_URGENT, false), &b), KG_E_LIMIT);
    kg_buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_step_has_its_tone),
        cmocka_unit_test(no_signal_clips_or_clicks),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
