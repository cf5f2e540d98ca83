#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "liqanswer.h"

static void answers_are_judged(void **state)
{
    (void)state;
#define TAIL "\"boot\":\"17\"}"
    static const struct {
        const char *label, *text;
        kg_err want;
        liqanswer_state state;
        int64_t started_ms, ended_ms;
    } rows[] = {
        {"unknown", "{\"id\":\"a\",\"state\":\"\",\"started\":0.0,\"ended\":0.0," TAIL, KG_OK, LIQ_UNKNOWN, 0, 0},
        {"queued", "{\"id\":\"a\",\"state\":\"queued\",\"started\":0.0,\"ended\":0.0," TAIL, KG_OK, LIQ_QUEUED, 0, 0},
        {"on air", "{\"id\":\"a\",\"state\":\"on_air\",\"started\":12.5,\"ended\":0," TAIL, KG_OK, LIQ_ON_AIR, 12500,
         0},
        {"done", "{\"id\":\"a\",\"state\":\"done\",\"started\":12.5,\"ended\":20.25," TAIL, KG_OK, LIQ_DONE, 12500,
         20250},
        {"cut", "{\"id\":\"a\",\"state\":\"cut\",\"started\":12.5,\"ended\":12.5," TAIL, KG_OK, LIQ_CUT, 12500, 12500},
        {"removed", "{\"id\":\"a\",\"state\":\"removed\",\"started\":0,\"ended\":0," TAIL, KG_OK, LIQ_REMOVED, 0, 0},
        {"a further field", "{\"x\":1,\"id\":\"a\",\"state\":\"\",\"started\":0,\"ended\":0," TAIL, KG_OK, LIQ_UNKNOWN,
         0, 0},
        {"another order", "{\"id\":\"b\",\"state\":\"queued\",\"started\":0,\"ended\":0," TAIL, KG_E_INVALID, 0, 0, 0},
        {"no state", "{\"id\":\"a\",\"started\":0,\"ended\":0," TAIL, KG_E_INVALID, 0, 0, 0},
        {"a new state", "{\"id\":\"a\",\"state\":\"paused\",\"started\":0,\"ended\":0," TAIL, KG_E_INVALID, 0, 0, 0},
        {"on air since never", "{\"id\":\"a\",\"state\":\"on_air\",\"started\":0,\"ended\":0," TAIL, KG_E_INVALID, 0, 0,
         0},
        {"queued and started", "{\"id\":\"a\",\"state\":\"queued\",\"started\":1,\"ended\":0," TAIL, KG_E_INVALID, 0, 0,
         0},
        {"done and not ended", "{\"id\":\"a\",\"state\":\"done\",\"started\":1,\"ended\":0," TAIL, KG_E_INVALID, 0, 0,
         0},
        {"ended first", "{\"id\":\"a\",\"state\":\"done\",\"started\":9,\"ended\":8," TAIL, KG_E_INVALID, 0, 0, 0},
        {"before time", "{\"id\":\"a\",\"state\":\"on_air\",\"started\":-1,\"ended\":0," TAIL, KG_E_INVALID, 0, 0, 0},
        {"after time", "{\"id\":\"a\",\"state\":\"on_air\",\"started\":1e300,\"ended\":0," TAIL, KG_E_INVALID, 0, 0, 0},
        {"time as text", "{\"id\":\"a\",\"state\":\"on_air\",\"started\":\"1\",\"ended\":0," TAIL, KG_E_INVALID, 0, 0,
         0},
        {"no run", "{\"id\":\"a\",\"state\":\"\",\"started\":0,\"ended\":0}", KG_E_INVALID, 0, 0, 0},
        {"a run that would break a note", "{\"id\":\"a\",\"state\":\"\",\"started\":0,\"ended\":0,\"boot\":\"1 2\"}",
         KG_E_INVALID, 0, 0, 0},
        {"twice the same field", "{\"id\":\"a\",\"id\":\"a\",\"state\":\"\",\"started\":0,\"ended\":0," TAIL,
         KG_E_INVALID, 0, 0, 0},
        {"a list", "[]", KG_E_INVALID, 0, 0, 0},
        {"a word", "\"done\"", KG_E_INVALID, 0, 0, 0},
        {"HTML", "<html>502 Bad Gateway</html>", KG_E_INVALID, 0, 0, 0},
        {"nothing", "", KG_E_INVALID, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        liqanswer a = {.state = LIQ_REMOVED};
        kg_diag diag = {0};
        const kg_err e = liqanswer_read(rows[i].text, strlen(rows[i].text), "a", &a, &diag);
        if (e != rows[i].want) {
            fail_msg("%s: %s \"%s\"", rows[i].label, kg_err_name(e), diag.text);
        }
        if (e == KG_OK && (a.state != rows[i].state || a.started_ms != rows[i].started_ms ||
                           a.ended_ms != rows[i].ended_ms || strcmp(a.boot, "17") != 0)) {
            fail_msg("%s: read as %d", rows[i].label, (int)a.state);
        }
    }
}

static void an_endless_answer_is_not_read(void **state)
{
    (void)state;
    static char text[LIQANSWER_BYTES_MAX + 1];
    liqanswer a;
    kg_diag diag = {0};
    memset(text, ' ', sizeof text);
    assert_int_equal(liqanswer_read(text, sizeof text, "a", &a, &diag), KG_E_INVALID);
    assert_non_null(strstr(diag.text, "at most"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_judged),
        cmocka_unit_test(an_endless_answer_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
