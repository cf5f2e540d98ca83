#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "delivery/dlv.h"
#include "policy/policy.h"
#include "progress.h"

static void a_bar_a_medium_and_the_times(void **state)
{
    (void)state;
    static const wire_tally tallies[] = {
        {MEDIUM_LOUDSPEAKER, DLV_DONE, 93}, {MEDIUM_LOUDSPEAKER, DLV_HELD, 31}, {MEDIUM_SMS, DLV_DONE, 6}};
    wire_msg m = {.kind = WIRE_PROGRESS};
    m.u.progress.tallies = tallies;
    m.u.progress.tally_count = 3;
    kg_buf out = {0};
    assert_true(progress_lines(&m, 1000, &out));
    assert_string_equal(out.s, "sms          [########################] 6/6  done 6\n"
                               "loudspeaker  [##################......] 93/124  held 31  done 93");
    kg_buf_clear(&out);
    m.u.progress.final = true;
    m.u.progress.last_held_ms = 1350;
    m.u.progress.last_outcome_ms = 4200;
    assert_true(progress_lines(&m, 1000, &out));
    assert_non_null(strstr(out.s, "last held 350 ms, last outcome 3200 ms after it was submitted"));
    kg_buf_done(&out);
}

static void what_a_person_must_see_is_told(void **state)
{
    (void)state;
    static const struct {
        dlv_state state;
        bool good;
    } rows[] = {{DLV_DONE, true},     {DLV_EXPIRED, true}, {DLV_CANCELLED, true},  {DLV_PARTIAL, false},
                {DLV_REFUSED, false}, {DLV_FAILED, false}, {DLV_UNCERTAIN, false}, {DLV_PENDING, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const wire_tally tally = {MEDIUM_SMS, rows[i].state, 1};
        wire_msg m = {.kind = WIRE_PROGRESS};
        m.u.progress.tallies = &tally;
        m.u.progress.tally_count = 1;
        kg_buf out = {0};
        if (progress_lines(&m, 1000, &out) != rows[i].good) {
            fail_msg("%s", dlv_state_text(rows[i].state));
        }
        kg_buf_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bar_a_medium_and_the_times),
        cmocka_unit_test(what_a_person_must_see_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
