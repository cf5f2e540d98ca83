#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "drivers.h"
#include "speech/wav.h"
#include "tests/unit/airing/host.h"

static const sink_station SCREEN = {
    .id = "86.tv", .name = "Truyền hình Vĩnh Long", .person = "", .medium = MEDIUM_TV, .settings = ""};

typedef struct room {
    host h;
    alert warning;
    kg_buf text;
} room;

static int set_up(void **state)
{
    room *r = calloc(1, sizeof *r);
    *state = r;
    if (host_open(&r->h) != 0) {
        return -1;
    }
    host_alert(&r->warning, NULL);
    r->h.driver = &spool_driver;
    return 0;
}

static int tear_down(void **state)
{
    room *r = *state;
    if (r->h.self != NULL) {
        spool_driver.close(r->h.self);
    }
    alert_done(&r->warning);
    kg_buf_done(&r->text);
    const int rc = host_close(&r->h);
    free(r);
    return rc;
}

static void open_with(room *r, const char *yaml)
{
    char path[FOLDER_PATH + 64];
    kg_diag diag = {0};
    host_write(&r->h, "spool.yaml", yaml, path);
    if (spool_driver.open(host_sink(&r->h), "tv", path, &r->h.self, &diag) != KG_OK) {
        fail_msg("%s", diag.text);
    }
    assert_int_equal(spool_driver.add(r->h.self, &SCREEN, &diag), KG_OK);
}

static void path_of(const room *r, const sink_job *job, const char *ending, char path[PATH_MAX])
{
    (void)snprintf(path, PATH_MAX, "%s/spool/86.tv/%s-%u%s", r->h.dir, job->id_text, job->playing, ending);
}

static const char *file(room *r, const sink_job *job, const char *ending)
{
    char path[PATH_MAX];
    kg_diag diag = {0};
    path_of(r, job, ending, path);
    kg_buf_clear(&r->text);
    if (kg_file_read(path, 1 << 20, &r->text, &diag) != KG_OK) {
        fail_msg("%s", diag.text);
    }
    return kg_buf_str(&r->text);
}

static void drop(const room *r, const sink_job *job, const char *ending, const char *text)
{
    char path[PATH_MAX];
    kg_diag diag = {0};
    path_of(r, job, ending, path);
    assert_int_equal(kg_file_replace(path, text, strlen(text), 0644, &diag), KG_OK);
}

static sink_job *play(room *r, unsigned n)
{
    sink_job *j = host_job(&r->h, n, &r->warning, &SCREEN);
    j->playing = n;
    host_play(&r->h, j);
    host_wait(&r->h, 0, r->h.prepared + 1);
    return j;
}

static void everything_lies_beside_the_order(void **state)
{
    room *r = *state;
    char path[PATH_MAX];
    kg_buf samples = {0};
    kg_diag diag = {0};
    open_with(r, "folder: spool\n");
    const sink_job *j = play(r, 0);
    host_wait(&r->h, 1, 1);
    assert_int_equal(r->h.told[0].outcome.state, DLV_DONE);
    assert_int_equal(r->h.told[0].outcome.certainty, CERTAIN_ACCEPTED); /* no more is known */
    assert_int_equal(r->h.told[0].outcome.started_ms, 0);
    const char *order = file(r, j, ".json");
    assert_non_null(strstr(order, "\"full_text_must_carry\": true"));
    assert_non_null(strstr(order, "\"legal_basis\": \"Thông tư 39/2020/TT-BTTTT\""));
    assert_non_null(strstr(order, "\"mode\": \"interrupt\""));
    assert_non_null(strstr(order, "\"ordered_by_name\": \"UBND tỉnh Vĩnh Long\""));
    (void)snprintf(path, sizeof path, "\"crawl_file\": \"%s-0.crawl.txt\"", j->id_text);
    assert_non_null(strstr(order, path));
    const char *crawl = file(r, j, ".crawl.txt");
    assert_non_null(strstr(crawl, "Lũ quét tại xã Cái Nhum"));
    assert_non_null(strchr(crawl, '\n'));
    assert_int_equal(strchr(crawl, '\n')[1], '\0'); /* one line */
    assert_non_null(strstr(file(r, j, ".vi.txt"), "Bà con sơ tán ngay"));
    path_of(r, j, ".wav", path);
    assert_int_equal(wav_read(path, &samples, &diag), KG_OK);
    kg_buf_done(&samples);
}

static void a_crawl_has_no_sound(void **state)
{
    room *r = *state;
    char path[PATH_MAX];
    open_with(r, "folder: spool\n");
    sink_job *j = host_job(&r->h, 0, &r->warning, &SCREEN);
    j->mode = MODE_CRAWL;
    host_play(&r->h, j);
    host_wait(&r->h, 1, 1);
    assert_int_equal(r->h.told[0].outcome.state, DLV_DONE);
    assert_non_null(strstr(file(r, j, ".json"), "\"wav\": \"\""));
    path_of(r, j, ".wav", path);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void the_control_room_answers_with_files(void **state)
{
    room *r = *state;
    open_with(r, "folder: spool\nconfirm_within_s: 3600\n");
    const sink_job *aired = play(r, 0), *refused = play(r, 1), *silent = play(r, 2), *begun = play(r, 3);
    host_run_ms(&r->h, 700);
    assert_int_equal(r->h.finished, 0);
    drop(r, aired, ".onair", "");
    drop(r, begun, ".onair", "");
    drop(r, refused, ".refused", "đang truyền hình trực tiếp\nký tên");
    host_wait(&r->h, 1, 4);
    assert_int_equal(r->h.told[1].outcome.state, DLV_REFUSED);
    assert_string_equal(r->h.told[1].code, "station-refused");
    assert_non_null(strstr(r->h.told[1].detail, "trực tiếp"));
    assert_null(strstr(r->h.told[1].detail, "ký tên"));
    drop(r, aired, ".ended", "");
    host_wait(&r->h, 2, 4);
    assert_int_equal(r->h.told[0].outcome.state, DLV_DONE);
    assert_int_equal(r->h.told[0].outcome.certainty, CERTAIN_FINISHED);
    assert_true(r->h.told[0].outcome.started_ms > 0);
    assert_true(r->h.told[0].outcome.ended_ms >= r->h.told[0].outcome.started_ms);
    r->h.now_ms += INT64_C(3600000);
    host_wait(&r->h, 4, 4);
    (void)silent;
    assert_int_equal(r->h.told[2].outcome.certainty, CERTAIN_ACCEPTED);
    assert_int_equal(r->h.told[3].outcome.certainty, CERTAIN_STARTED);
}

static void a_person_confirms(void **state)
{
    room *r = *state;
    kg_diag diag = {0};
    open_with(r, "folder: spool\nconfirm_within_s: 60\n");
    sink_job *yes = play(r, 0), *no = play(r, 1);
    assert_int_equal(spool_driver.confirm(r->h.self, yes, true, "", "", &diag), KG_E_INVALID);
    assert_int_equal(spool_driver.confirm(r->h.self, yes, true, "chị Lan", "đã chạy chữ", &diag), KG_OK);
    assert_int_equal(spool_driver.confirm(r->h.self, no, false, "chị Lan", "mất điện", &diag), KG_OK);
    assert_int_equal(r->h.told[0].outcome.state, DLV_DONE);
    assert_int_equal(r->h.told[0].outcome.certainty, CERTAIN_FINISHED);
    assert_non_null(strstr(r->h.told[0].detail, "chị Lan"));
    assert_int_equal(r->h.told[1].outcome.state, DLV_REFUSED);
    assert_non_null(strstr(r->h.told[1].detail, "mất điện"));
}

static void a_recall_is_written_down_and_says_what_is_known(void **state)
{
    room *r = *state;
    open_with(r, "folder: spool\nconfirm_within_s: 60\n");
    sink_job *unknown = play(r, 0), *begun = play(r, 1), *over = play(r, 2);
    drop(r, begun, ".onair", "");
    drop(r, over, ".ended", "");
    spool_driver.stop(r->h.self, unknown);
    spool_driver.stop(r->h.self, begun);
    spool_driver.stop(r->h.self, over);
    assert_int_equal(r->h.told[0].outcome.state, DLV_UNCERTAIN);
    assert_int_equal(r->h.told[1].outcome.state, DLV_PARTIAL);
    assert_int_equal(r->h.told[2].outcome.state, DLV_DONE);
    assert_non_null(strstr(file(r, unknown, ".json"), "\"state\": \"stop\""));
    sink_job *early = host_job(&r->h, 3, &r->warning, &SCREEN);
    host_play(&r->h, early);
    spool_driver.stop(r->h.self, early);
    assert_int_equal(r->h.told[3].outcome.state, DLV_PENDING);
}

static void after_a_crash_the_folder_tells(void **state)
{
    room *r = *state;
    kg_diag diag = {0};
    open_with(r, "folder: spool\nconfirm_within_s: 60\n");
    sink_job *j = play(r, 0);
    spool_driver.close(r->h.self);
    r->h.self = NULL;
    open_with(r, "folder: spool\nconfirm_within_s: 60\n");
    j = host_job(&r->h, 0, &r->warning, &SCREEN);
    assert_int_equal(spool_driver.ask(r->h.self, j, "", &diag), KG_OK);
    drop(r, j, ".ended", "");
    host_wait(&r->h, 1, 1);
    assert_int_equal(r->h.told[0].outcome.certainty, CERTAIN_FINISHED);
    sink_job *never = host_job(&r->h, 1, &r->warning, &SCREEN);
    never->playing = 9;
    assert_int_equal(spool_driver.ask(r->h.self, never, "", &diag), KG_OK);
    assert_int_equal(r->h.told[1].outcome.state, DLV_PENDING);
}

static void a_folder_that_is_gone_is_no_success(void **state)
{
    room *r = *state;
    char path[FOLDER_PATH + 64], spool[FOLDER_PATH + 64], place[FOLDER_PATH + 64];
    kg_diag diag = {0};
    open_with(r, "folder: spool\n");
    (void)snprintf(place, sizeof place, "%s/spool/86.tv", r->h.dir);
    (void)snprintf(spool, sizeof spool, "%s/spool", r->h.dir);
    assert_int_equal(rmdir(place), 0);
    host_write(&r->h, "spool/86.tv", "a file where the folder was", path);
    (void)play(r, 0);
    host_wait(&r->h, 1, 1);
    assert_int_equal(r->h.told[0].outcome.state, DLV_PENDING);
    assert_string_equal(r->h.told[0].code, "not-written");
    assert_int_equal(spool_driver.test(r->h.self, &SCREEN, &diag), KG_OK);
    assert_false(r->h.tested_good);
    static const sink_station elsewhere = {.id = "86.tv", .name = "", .person = "", .settings = "../x"};
    assert_int_equal(spool_driver.add(r->h.self, &elsewhere, &diag), KG_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everything_lies_beside_the_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_crawl_has_no_sound, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_control_room_answers_with_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_person_confirms, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_recall_is_written_down_and_says_what_is_known, set_up, tear_down),
        cmocka_unit_test_setup_teardown(after_a_crash_the_folder_tells, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_that_is_gone_is_no_success, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
