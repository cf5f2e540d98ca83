#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "drivers.h"
#include "tests/unit/airing/host.h"

static const sink_station WIRED = {
    .id = "86.29300.fm", .name = "Loa FM xã Tân An", .person = "ông Nguyễn Văn B", .settings = ""};

typedef struct room {
    host h;
    alert warning;
    kg_buf task;
} room;

static int set_up(void **state)
{
    room *r = calloc(1, sizeof *r);
    char path[FOLDER_PATH + 64];
    kg_diag diag = {0};
    *state = r;
    if (host_open(&r->h) != 0) {
        return -1;
    }
    host_alert(&r->warning, "សូមប្រយ័ត្ន។");
    host_write(&r->h, "manual.yaml", "folder: tasks\n", path);
    r->h.driver = &manual_driver;
    return manual_driver.open(host_sink(&r->h), "people", path, &r->h.self, &diag) == KG_OK &&
                   manual_driver.add(r->h.self, &WIRED, &diag) == KG_OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    room *r = *state;
    manual_driver.close(r->h.self);
    alert_done(&r->warning);
    kg_buf_done(&r->task);
    const int rc = host_close(&r->h);
    free(r);
    return rc;
}

static const char *task(room *r, const sink_job *job)
{
    char path[PATH_MAX];
    kg_diag diag = {0};
    (void)snprintf(path, sizeof path, "%s/tasks/86.29300.fm/%s-%u.txt", r->h.dir, job->id_text, job->playing);
    kg_buf_clear(&r->task);
    if (kg_file_read(path, 1 << 20, &r->task, &diag) != KG_OK) {
        fail_msg("%s", diag.text);
    }
    return kg_buf_str(&r->task);
}

static void contains(const char *text, const char *const *wanted, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strstr(text, wanted[i]) == NULL) {
            fail_msg("no \"%s\" in:\n%s", wanted[i], text);
        }
    }
}

static void a_task_says_all_that_a_person_needs(void **state)
{
    room *r = *state;
    static const char *const both[] = {"vi", "km"};
    static const char *const wanted[] = {"VIỆC CẦN LÀM NGAY: CHƯA XÁC NHẬN",
                                         "khẩn cấp",
                                         "Người thực hiện: ông Nguyễn Văn B",
                                         "Loa FM xã Tân An (86.29300.fm)",
                                         "Ban hành lúc: 2026-11-22T11:00:00+07:00",
                                         "Còn hiệu lực đến: 2026-11-23T11:00:00+07:00",
                                         "Thông tư 39/2020/TT-BTTTT",
                                         "Lũ quét tại xã Cái Nhum",
                                         "Bà con sơ tán ngay.",
                                         "UBND tỉnh Vĩnh Long",
                                         "ទឹកជំនន់",
                                         "រត់ទៅទីខ្ពស់",
                                         "keng station confirm 86.29300.fm"};
    sink_job *j = host_job(&r->h, 0, &r->warning, &WIRED);
    j->languages = (alert_texts){.items = (const char **)(uintptr_t)both, .count = 2};
    host_play(&r->h, j);
    contains(task(r, j), wanted, sizeof wanted / sizeof wanted[0]);
    assert_non_null(strstr(task(r, j), j->id_text));
    assert_null(strstr(task(r, j), "DIỄN TẬP"));
    host_run_ms(&r->h, 50);
    assert_false(r->h.told[0].finished); /* only a person ends it */
    manual_driver.stop(r->h.self, j);
}

static void a_drill_is_a_drill_on_paper_too(void **state)
{
    room *r = *state;
    r->warning.status = CAP_EXERCISE;
    sink_job *j = host_job(&r->h, 0, &r->warning, &WIRED);
    host_play(&r->h, j);
    assert_non_null(strstr(task(r, j), "DIỄN TẬP"));
    manual_driver.stop(r->h.self, j);
}

static void confirmation_ends_it(void **state)
{
    room *r = *state;
    kg_diag diag = {0};
    sink_job *j = host_job(&r->h, 0, &r->warning, &WIRED);
    host_play(&r->h, j);
    assert_int_equal(manual_driver.confirm(r->h.self, j, true, "", "", &diag), KG_E_INVALID);
    assert_false(r->h.told[0].finished);
    r->h.now_ms += INT64_C(600000);
    assert_int_equal(manual_driver.confirm(r->h.self, j, true, "Nguyễn Văn B", "đã đọc hai lần", &diag), KG_OK);
    const host_told *t = &r->h.told[0];
    assert_int_equal(t->outcome.state, DLV_DONE);
    assert_int_equal(t->outcome.certainty, CERTAIN_FINISHED);
    assert_int_equal(t->outcome.ended_ms, r->h.now_ms);
    assert_non_null(strstr(t->detail, "Nguyễn Văn B"));
    static const char *const wanted[] = {"ĐÃ THỰC HIỆN", "2026-11-22T12:10:00+07:00", "Nguyễn Văn B: đã đọc hai lần"};
    contains(task(r, j), wanted, 3);
}

static void a_refusal_is_an_outcome(void **state)
{
    room *r = *state;
    kg_diag diag = {0};
    sink_job *j = host_job(&r->h, 0, &r->warning, &WIRED);
    host_play(&r->h, j);
    assert_int_equal(manual_driver.confirm(r->h.self, j, false, "Nguyễn Văn B", "mất điện", &diag), KG_OK);
    assert_int_equal(r->h.told[0].outcome.state, DLV_REFUSED);
    assert_string_equal(r->h.told[0].code, "person-refused");
    assert_non_null(strstr(r->h.told[0].detail, "mất điện"));
    assert_non_null(strstr(task(r, j), "KHÔNG THỰC HIỆN"));
}

static void a_recalled_task_is_withdrawn_and_nobody_pretends_to_know(void **state)
{
    room *r = *state;
    sink_job *j = host_job(&r->h, 0, &r->warning, &WIRED);
    host_play(&r->h, j);
    manual_driver.stop(r->h.self, j);
    assert_int_equal(r->h.told[0].outcome.state, DLV_UNCERTAIN);
    assert_string_equal(r->h.told[0].code, "not-confirmed");
    assert_non_null(strstr(task(r, j), "ĐÃ THU HỒI"));
}

static void after_a_crash_a_given_task_waits_on(void **state)
{
    room *r = *state;
    kg_diag diag = {0};
    sink_job *j = host_job(&r->h, 0, &r->warning, &WIRED);
    host_play(&r->h, j);
    assert_int_equal(manual_driver.ask(r->h.self, j, "", &diag), KG_OK);
    assert_false(r->h.told[0].finished);
    assert_int_equal(manual_driver.confirm(r->h.self, j, true, "B", "", &diag), KG_OK);
    assert_int_equal(r->h.told[0].outcome.state, DLV_DONE);
    sink_job *never = host_job(&r->h, 1, &r->warning, &WIRED);
    never->playing = 5;
    assert_int_equal(manual_driver.ask(r->h.self, never, "", &diag), KG_OK);
    assert_int_equal(r->h.told[1].outcome.state, DLV_PENDING);
}

static void a_station_without_a_person_is_refused(void **state)
{
    room *r = *state;
    kg_diag diag = {0};
    static const sink_station nobody = {.id = "86.1.fm", .name = "x", .person = "", .settings = ""};
    assert_int_equal(manual_driver.add(r->h.self, &nobody, &diag), KG_E_INVALID);
    assert_non_null(strstr(diag.text, "person"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_task_says_all_that_a_person_needs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_drill_is_a_drill_on_paper_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(confirmation_ends_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refusal_is_an_outcome, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_recalled_task_is_withdrawn_and_nobody_pretends_to_know, set_up, tear_down),
        cmocka_unit_test_setup_teardown(after_a_crash_a_given_task_waits_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_station_without_a_person_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
