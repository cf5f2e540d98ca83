#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "drivers.h"
#include "speech/wav.h"
#include "tests/unit/airing/host.h"

enum { STATIONS = 124 };

typedef struct room {
    host h;
    alert warning;
    sink_station stations[STATIONS];
    char names[STATIONS][32];
} room;

static int set_up(void **state)
{
    room *r = calloc(1, sizeof *r);
    *state = r;
    if (host_open(&r->h) != 0) {
        return -1;
    }
    host_alert(&r->warning, NULL);
    for (unsigned i = 0; i < STATIONS; i++) {
        (void)snprintf(r->names[i], sizeof r->names[i], "86.%05u.loa", 29000 + i);
        r->stations[i] = (sink_station){.id = r->names[i], .name = "Loa xã", .person = "", .settings = ""};
    }
    r->h.driver = &file_driver;
    return 0;
}

static int tear_down(void **state)
{
    room *r = *state;
    if (r->h.self != NULL) {
        file_driver.close(r->h.self);
    }
    alert_done(&r->warning);
    const int rc = host_close(&r->h);
    free(r);
    return rc;
}

static void open_with(room *r, const char *yaml, unsigned stations)
{
    char path[FOLDER_PATH + 64];
    kg_diag diag = {0};
    host_write(&r->h, "file.yaml", yaml, path);
    if (file_driver.open(host_sink(&r->h), "horns", path, &r->h.self, &diag) != KG_OK) {
        fail_msg("%s", diag.text);
    }
    for (unsigned i = 0; i < stations; i++) {
        assert_int_equal(file_driver.add(r->h.self, &r->stations[i], &diag), KG_OK);
    }
}

static void read_order(const room *r, const sink_job *job, kg_buf *json)
{
    char path[PATH_MAX];
    kg_diag diag = {0};
    (void)snprintf(path, sizeof path, "%s/spool/%s/%s-%u.json", r->h.dir, job->station->id, job->id_text, job->playing);
    kg_buf_clear(json);
    if (kg_file_read(path, 1 << 20, json, &diag) != KG_OK) {
        fail_msg("%s", diag.text);
    }
}

static void an_order_and_its_sound_lie_in_the_stations_folder(void **state)
{
    room *r = *state;
    char path[PATH_MAX];
    kg_buf json = {0}, samples = {0};
    kg_diag diag = {0};
    open_with(r, "folder: spool\n", 1);
    sink_job *j = host_job(&r->h, 0, &r->warning, &r->stations[0]);
    host_play(&r->h, j);
    host_wait(&r->h, 1, 0);
    assert_int_equal(r->h.told[0].outcome.state, DLV_DONE);
    assert_int_equal(r->h.told[0].outcome.certainty, CERTAIN_ACCEPTED); /* nobody said that it was played */
    assert_int_equal(r->h.told[0].outcome.started_ms, 0);
    read_order(r, j, &json);
    assert_non_null(strstr(json.s, "\"state\": \"play\""));
    (void)snprintf(path, sizeof path, "%s/spool/86.29000.loa/%s-0.wav", r->h.dir, j->id_text);
    assert_int_equal(wav_read(path, &samples, &diag), KG_OK);
    (void)snprintf(path, sizeof path, "%s-0.wav", j->id_text);
    assert_non_null(strstr(json.s, path));
    kg_buf_done(&json);
    kg_buf_done(&samples);
}

static void a_province_is_served_in_a_few_seconds(void **state)
{
    room *r = *state;
    open_with(r, "folder: spool\n", STATIONS);
    const int64_t begun = kg_clock_mono_ms();
    for (unsigned i = 0; i < STATIONS; i++) {
        host_play(&r->h, host_job(&r->h, i, &r->warning, &r->stations[i]));
    }
    host_wait(&r->h, STATIONS, 0);
    const int64_t took = kg_clock_mono_ms() - begun;
    print_message("124 stations in %lld ms\n", (long long)took);
    ino_t sound = 0;
    for (unsigned i = 0; i < STATIONS; i++) {
        char path[PATH_MAX];
        struct stat st;
        assert_int_equal(r->h.told[i].outcome.state, DLV_DONE);
        (void)snprintf(path, sizeof path, "%s/spool/%s/%s-0.wav", r->h.dir, r->names[i], r->h.jobs[0].id_text);
        assert_int_equal(stat(path, &st), 0);
        assert_true(sound == 0 || st.st_ino == sound); /* spoken once, linked 124 times */
        sound = st.st_ino;
    }
    assert_true(took < 20 * 1000); /* on a busy machine, under a sanitizer; alone it is a second */
}

static void pacing_keeps_the_station_until_the_sound_has_ended(void **state)
{
    room *r = *state;
    kg_buf json = {0};
    open_with(r, "folder: spool\npaced: true\nspeech: {rate: 250}\n", 1);
    r->warning.bulletin_class = CLASS_ROUTINE;
    r->warning.infos.items[0].speech = "Hết báo động.";
    sink_job *j = host_job(&r->h, 0, &r->warning, &r->stations[0]);
    host_play(&r->h, j);
    host_wait(&r->h, 0, 1);
    assert_false(r->h.told[0].finished);
    r->h.now_ms += 1500;
    file_driver.stop(r->h.self, j);
    assert_int_equal(r->h.told[0].outcome.state, DLV_PARTIAL);
    assert_int_equal(r->h.told[0].outcome.ended_ms - r->h.told[0].outcome.started_ms, 1500);
    read_order(r, j, &json);
    assert_non_null(strstr(json.s, "\"state\": \"stop\""));
    const int64_t begun = kg_clock_mono_ms();
    sink_job *k = host_job(&r->h, 1, &r->warning, &r->stations[0]);
    k->playing = 1;
    host_play(&r->h, k);
    host_wait(&r->h, 2, 2);
    assert_int_equal(r->h.told[1].outcome.state, DLV_DONE);
    assert_in_range(kg_clock_mono_ms() - begun, 1500, 15000);
    kg_buf_done(&json);
}

static void stopping_before_the_sound_is_made(void **state)
{
    room *r = *state;
    open_with(r, "folder: spool\n", 1);
    sink_job *j = host_job(&r->h, 0, &r->warning, &r->stations[0]);
    host_play(&r->h, j);
    file_driver.stop(r->h.self, j);
    assert_int_equal(r->h.told[0].outcome.state, DLV_PENDING);
    host_run_ms(&r->h, 300);
    assert_false(r->h.told[0].prepared);
}

static void a_folder_that_cannot_be_written_is_tried_again(void **state)
{
    room *r = *state;
    char path[FOLDER_PATH + 64], folder[FOLDER_PATH + 64];
    kg_diag diag = {0};
    open_with(r, "folder: spool\n", 1);
    (void)snprintf(folder, sizeof folder, "%s/spool/86.29000.loa", r->h.dir);
    assert_int_equal(rmdir(folder), 0);
    host_write(&r->h, "spool/86.29000.loa", "a file where the folder was", path);
    host_play(&r->h, host_job(&r->h, 0, &r->warning, &r->stations[0]));
    host_wait(&r->h, 1, 0);
    assert_int_equal(r->h.told[0].outcome.state, DLV_PENDING);
    assert_string_equal(r->h.told[0].code, "not-written");
    assert_false(r->h.device_on);
    assert_int_equal(file_driver.test(r->h.self, &r->stations[0], &diag), KG_OK);
    assert_true(r->h.tested && !r->h.tested_good);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(folder, 0755), 0);
    assert_int_equal(file_driver.test(r->h.self, &r->stations[0], &diag), KG_OK);
    assert_true(r->h.tested_good && r->h.device_on);
}

static void after_a_crash_the_folder_tells(void **state)
{
    room *r = *state;
    kg_diag diag = {0};
    open_with(r, "folder: spool\n", 2);
    host_play(&r->h, host_job(&r->h, 0, &r->warning, &r->stations[0]));
    host_wait(&r->h, 1, 0);
    assert_int_equal(file_driver.ask(r->h.self, host_job(&r->h, 1, &r->warning, &r->stations[0]), "", &diag), KG_OK);
    assert_int_equal(file_driver.ask(r->h.self, host_job(&r->h, 2, &r->warning, &r->stations[1]), "", &diag), KG_OK);
    assert_int_equal(r->h.told[1].outcome.state, DLV_DONE);
    assert_int_equal(r->h.told[2].outcome.state, DLV_PENDING);
}

static void old_playings_make_room(void **state)
{
    room *r = *state;
    char folder[FOLDER_PATH + 64];
    open_with(r, "folder: spool\nkeep: 3\n", 1);
    (void)snprintf(folder, sizeof folder, "%s/spool/86.29000.loa", r->h.dir);
    for (unsigned i = 0; i < 6; i++) {
        sink_job *j = host_job(&r->h, i, &r->warning, &r->stations[0]);
        j->playing = i;
        host_play(&r->h, j);
        host_wait(&r->h, i + 1, 0);
    }
    assert_int_equal(folder_files(folder), 6); /* three orders, three sounds */
    char path[PATH_MAX];
    for (unsigned i = 0; i < 6; i++) {
        (void)snprintf(path, sizeof path, "%s/%s-%u.json", folder, r->h.jobs[0].id_text, i);
        if ((access(path, F_OK) == 0) != (i >= 3)) {
            fail_msg("playing %u", i);
        }
    }
}

static void bad_files_and_settings_are_refused(void **state)
{
    room *r = *state;
    static const struct {
        const char *yaml, *says;
    } rows[] = {
        {"paced: true\n", "folder"},
        {"folder: spool\nkeep: 999999\n", "keep"},
        {"folder: spool\nspeech: {rate: 10}\n", "rate"},
        {"folder: spool\nspeech: {clips: none}\n", "catalogue.tsv"},
        {"folder: spool\nspeech: {program: /none/espeak}\n", "/none/espeak"},
        {"folder: spool\nloud: true\n", "loud"},
    };
    char path[FOLDER_PATH + 64];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kg_diag diag = {0};
        host_write(&r->h, "file.yaml", rows[i].yaml, path);
        const kg_err e = file_driver.open(host_sink(&r->h), "horns", path, &r->h.self, &diag);
        if (e == KG_OK || strstr(diag.text, rows[i].says) == NULL) {
            fail_msg("%s: %s \"%s\"", rows[i].yaml, kg_err_name(e), diag.text);
        }
    }
    kg_diag diag = {0};
    assert_int_equal(file_driver.open(host_sink(&r->h), "horns", NULL, &r->h.self, &diag), KG_E_INVALID);
    open_with(r, "folder: spool\n", 0);
    r->stations[0].settings = "../../etc";
    assert_int_equal(file_driver.add(r->h.self, &r->stations[0], &diag), KG_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_order_and_its_sound_lie_in_the_stations_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_province_is_served_in_a_few_seconds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pacing_keeps_the_station_until_the_sound_has_ended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stopping_before_the_sound_is_made, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_written_is_tried_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(after_a_crash_the_folder_tells, set_up, tear_down),
        cmocka_unit_test_setup_teardown(old_playings_make_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_files_and_settings_are_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
