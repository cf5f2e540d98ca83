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

#include "airing/airing.h"
#include "airing/airing_config.h"
#include "airing/airing_order.h"
#include "base/file.h"
#include "base/hex.h"
#include "speech/attention.h"
#include "speech/wav.h"
#include "tests/unit/airing/host.h"

static const sink_station HORN = {.id = "86.29254.loa", .name = "Loa xã Cái Nhum", .person = "", .settings = ""};

typedef struct room {
    host h;
    airing *a;
    alert warning;
    kg_buf clip; /* a WAV of 500 ms */
} room;

static int set_up(void **state)
{
    room *r = calloc(1, sizeof *r);
    char path[FOLDER_PATH + 64];
    kg_buf samples = {0};
    kg_diag diag = {0};
    const attention_signal tone = {.first_hz = 1500, .second_hz = 1500, .step_ms = 500, .steps = 1};
    *state = r;
    if (host_open(&r->h) != 0 || attention_put(&tone, &samples) != KG_OK) {
        return -1;
    }
    (void)snprintf(path, sizeof path, "%s/clip.wav", r->h.dir);
    const bool made =
        wav_write(path, &samples, &diag) == KG_OK && kg_file_read(path, 1 << 20, &r->clip, &diag) == KG_OK;
    kg_buf_done(&samples);
    return made ? 0 : -1;
}

static int tear_down(void **state)
{
    room *r = *state;
    airing_close(&r->a);
    alert_done(&r->warning);
    kg_buf_done(&r->clip);
    const int rc = host_close(&r->h);
    free(r);
    return rc;
}

static void open_with(room *r, const airing_config *config)
{
    kg_diag diag = {0};
    if (airing_open(host_sink(&r->h), "horns", config, &r->a, &diag) != KG_OK) {
        fail_msg("%s", diag.text);
    }
}

static sink_job *job(room *r, unsigned n, const char *const *languages, size_t count)
{
    sink_job *j = host_job(&r->h, n, &r->warning, &HORN);
    j->languages = (alert_texts){.items = (const char **)(uintptr_t)languages, .count = count};
    return j;
}

static const sink_outcome DONE = {.state = DLV_DONE, .certainty = CERTAIN_PACKETS};
static const char *const vi_km[] = {"vi", "km"};

/* A recording that the alert carries in its Khmer part. */
static void carry(room *r, alert_resource *resource, const char *mime)
{
    *resource = (alert_resource){.description = "",
                                 .mime_type = mime,
                                 .uri = "",
                                 .digest = "",
                                 .carried = true,
                                 .size = r->clip.len,
                                 .hash = alert_hash_of(r->clip.s, r->clip.len)};
    r->warning.infos.items[1].resources.items = resource;
    r->warning.infos.items[1].resources.count = 1;
}

static void vietnamese_is_heard(void **state)
{
    room *r = *state;
    kg_diag diag = {0};
    host_alert(&r->warning, NULL);
    open_with(r, &(airing_config){0});
    sink_job *j = job(r, 0, NULL, 0);
    assert_int_equal(airing_prepare(r->a, j, &diag), KG_OK);
    assert_false(airing_ready(j));
    host_wait(&r->h, 0, 1);
    assert_true(airing_ready(j));
    const airing_sound *s = airing_sound_of(j);
    char wav[PATH_MAX];
    (void)snprintf(wav, sizeof wav, "%s", s->wav);
    assert_int_equal(access(wav, R_OK), 0);
    assert_in_range(s->length_ms, 4000 + 600 + 3000, 30000); /* the signal, a pause, and some seconds of speech */
    airing_finish(r->a, j, &DONE);
    assert_int_equal(r->h.told[0].outcome.state, DLV_DONE);
    assert_int_not_equal(access(wav, F_OK), 0); /* released */
}

static void a_language_nobody_can_hear_is_named(void **state)
{
    room *r = *state;
    kg_diag diag = {0};
    host_alert(&r->warning, "សូមប្រយ័ត្ន។");
    open_with(r, &(airing_config){0});
    sink_job *j = job(r, 0, vi_km, 2);
    assert_int_equal(airing_prepare(r->a, j, &diag), KG_OK);
    host_wait(&r->h, 0, 1);
    airing_finish(r->a, j, &DONE);
    const host_told *t = &r->h.told[0];
    assert_int_equal(t->outcome.state, DLV_PARTIAL);
    assert_int_equal(t->outcome.certainty, CERTAIN_PACKETS);
    assert_string_equal(t->code, "language-missing");
    assert_non_null(strstr(t->detail, "Khmer"));
    /* other ends keep their state */
    sink_job *k = job(r, 1, vi_km, 2);
    assert_int_equal(airing_prepare(r->a, k, &diag), KG_OK);
    host_wait(&r->h, 0, 2);
    airing_finish(r->a, k, &(sink_outcome){.state = DLV_FAILED, .code = "x"});
    assert_int_equal(r->h.told[1].outcome.state, DLV_FAILED);
}

static void khmer_alone_without_a_recording_is_refused(void **state)
{
    room *r = *state;
    kg_diag diag = {0};
    host_alert(&r->warning, "សូមប្រយ័ត្ន។");
    open_with(r, &(airing_config){0});
    assert_int_equal(airing_prepare(r->a, job(r, 0, vi_km + 1, 1), &diag), KG_OK);
    host_wait(&r->h, 1, 0);
    assert_false(r->h.told[0].prepared);
    assert_int_equal(r->h.told[0].outcome.state, DLV_REFUSED);
    assert_string_equal(r->h.told[0].code, "no-voice");
}

static void khmer_letters_in_the_vietnamese_part_are_not_spelt(void **state)
{
    room *r = *state;
    kg_diag diag = {0};
    host_alert(&r->warning, NULL);
    r->warning.infos.items[0].speech = "សូមប្រយ័ត្ន ទឹកជំនន់ សូមប្រយ័ត្ន ទឹកជំនន់";
    r->warning.infos.items[0].sender_name = "";
    open_with(r, &(airing_config){0});
    assert_int_equal(airing_prepare(r->a, job(r, 0, NULL, 0), &diag), KG_OK);
    host_wait(&r->h, 1, 0);
    assert_int_equal(r->h.told[0].outcome.state, DLV_REFUSED);
}

static void reviewed_recordings_say_the_authors_text(void **state)
{
    room *r = *state;
    char path[FOLDER_PATH + 64], row[256], clips[FOLDER_PATH + 8], name[128], hex[65], whole[FOLDER_PATH + 256];
    kg_diag diag = {0};
    const alert_hash hash = alert_hash_of(r->clip.s, r->clip.len);
    kg_hex(hash.b, sizeof hash.b, hex);
    (void)snprintf(clips, sizeof clips, "%s/clips", r->h.dir);
    assert_int_equal(kg_dir_make(clips, 0755, &diag), KG_OK);
    (void)snprintf(name, sizeof name, "clips/%s.wav", hex);
    (void)snprintf(whole, sizeof whole, "%s/%s", r->h.dir, name);
    assert_int_equal(kg_file_replace(whole, r->clip.s, r->clip.len, 0644, &diag), KG_OK);
    (void)snprintf(row, sizeof row, "%s\tkm\tសូមប្រយ័ត្ន\t500\tA\t-\n", hex);
    host_write(&r->h, "clips/catalogue.tsv", row, path);
    host_alert(&r->warning, "សូមប្រយ័ត្ន។ សូមប្រយ័ត្ន។");
    open_with(r, &(airing_config){.clips = clips});
    sink_job *both = job(r, 0, vi_km, 2), *one = job(r, 1, NULL, 0);
    assert_int_equal(airing_prepare(r->a, both, &diag), KG_OK);
    assert_int_equal(airing_prepare(r->a, one, &diag), KG_OK);
    host_wait(&r->h, 0, 2);
    /* twice the recording, a long pause before the first, a short one before the second */
    assert_int_equal(airing_sound_of(both)->length_ms - airing_sound_of(one)->length_ms, 600 + 500 + 250 + 500);
    airing_finish(r->a, both, &DONE);
    airing_finish(r->a, one, &DONE);
    assert_int_equal(r->h.told[0].outcome.state, DLV_DONE);
}

static void a_recording_comes_with_the_alert_or_is_not_waited_for(void **state)
{
    room *r = *state;
    static const struct {
        const char *label, *mime;
        bool there, silent;
        dlv_state want;
        unsigned fetches;
    } rows[] = {
        {"fetched", "audio/wav", true, false, DLV_DONE, 1},
        {"not to be had", "audio/wav", false, false, DLV_PARTIAL, 1},
        {"never answers", "audio/wav", false, true, DLV_PARTIAL, 1},
        {"a picture is no recording", "image/png", true, false, DLV_PARTIAL, 0},
    };
    alert_resource resource;
    host_alert(&r->warning, "សូមប្រយ័ត្ន។");
    open_with(r, &(airing_config){.fetch_ms = 50});
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kg_diag diag = {0};
        carry(r, &resource, rows[i].mime);
        r->h.fetches = 0;
        r->h.fetch_bytes = rows[i].there ? r->clip.s : NULL;
        r->h.fetch_count = r->clip.len;
        r->h.fetch_silent = rows[i].silent;
        sink_job *j = job(r, i, vi_km, 2);
        assert_int_equal(airing_prepare(r->a, j, &diag), KG_OK);
        host_wait(&r->h, 0, i + 1);
        airing_finish(r->a, j, &DONE);
        if (r->h.told[i].outcome.state != rows[i].want || r->h.fetches != rows[i].fetches) {
            fail_msg("%s: %s, %u fetches", rows[i].label, r->h.told[i].detail, r->h.fetches);
        }
    }
}

static void an_altered_recording_is_not_heard(void **state)
{
    room *r = *state;
    kg_diag diag = {0};
    alert_resource resource;
    host_alert(&r->warning, "សូមប្រយ័ត្ន។");
    open_with(r, &(airing_config){0});
    carry(r, &resource, "audio/wav");
    r->clip.s[1000] ^= 1;
    r->h.fetch_bytes = r->clip.s;
    r->h.fetch_count = r->clip.len;
    sink_job *j = job(r, 0, vi_km, 2);
    assert_int_equal(airing_prepare(r->a, j, &diag), KG_OK);
    host_wait(&r->h, 0, 1);
    airing_finish(r->a, j, &DONE);
    assert_int_equal(r->h.told[0].outcome.state, DLV_PARTIAL);
}

static void a_failing_voice_is_tried_again_later(void **state)
{
    room *r = *state;
    char path[FOLDER_PATH + 64];
    kg_diag diag = {0};
    host_write(&r->h, "voice", "#!/bin/sh\nexit 1\n", path);
    assert_int_equal(chmod(path, 0755), 0);
    host_alert(&r->warning, NULL);
    open_with(r, &(airing_config){.program = path});
    assert_int_equal(airing_prepare(r->a, job(r, 0, NULL, 0), &diag), KG_OK);
    host_wait(&r->h, 1, 0);
    assert_int_equal(r->h.told[0].outcome.state, DLV_PENDING);
    assert_string_equal(r->h.told[0].code, "voice-failed");
}

static void stopped_while_being_made(void **state)
{
    room *r = *state;
    kg_diag diag = {0};
    host_alert(&r->warning, NULL);
    open_with(r, &(airing_config){0});
    sink_job *j = job(r, 0, NULL, 0), *k = job(r, 1, NULL, 0);
    assert_int_equal(airing_prepare(r->a, j, &diag), KG_OK);
    airing_abandon(r->a, j);
    assert_int_equal(r->h.told[0].outcome.state, DLV_PENDING);
    assert_int_equal(airing_prepare(r->a, k, &diag), KG_OK);
    host_wait(&r->h, 1, 1);
    assert_false(r->h.told[0].prepared);
    airing_finish(r->a, k, &DONE);
    sink_job *open = job(r, 2, NULL, 0); /* left open when everything closes */
    assert_int_equal(airing_prepare(r->a, open, &diag), KG_OK);
}

static void a_sound_can_be_given_away(void **state)
{
    room *r = *state;
    char path[PATH_MAX];
    kg_diag diag = {0};
    kg_buf samples = {0};
    host_alert(&r->warning, NULL);
    open_with(r, &(airing_config){0});
    sink_job *j = job(r, 0, NULL, 0);
    assert_int_equal(airing_prepare(r->a, j, &diag), KG_OK);
    host_wait(&r->h, 0, 1);
    (void)snprintf(path, sizeof path, "%s/out.wav", r->h.dir);
    assert_int_equal(airing_export(airing_sound_of(j), path, &diag), KG_OK);
    assert_int_equal(airing_export(airing_sound_of(j), path, &diag), KG_OK); /* again, over the old one */
    assert_int_equal(airing_export(airing_sound_of(j), "/dev/shm/keng-airing-test.wav", &diag),
                     KG_OK); /* another disk */
    assert_int_equal(unlink("/dev/shm/keng-airing-test.wav"), 0);
    assert_int_equal(airing_export(airing_sound_of(j), "/none/out.wav", &diag), KG_E_IO);
    airing_finish(r->a, j, &DONE);
    assert_int_equal(wav_read(path, &samples, &diag), KG_OK);
    kg_buf_done(&samples);
}

static void the_order_says_everything(void **state)
{
    room *r = *state;
    static const char *const wanted[] = {"\"state\": \"play\"",
                                         "\"playing\": 2",
                                         "\"repeat_labelled\": true",
                                         "\"station\": \"86.29254.loa\"",
                                         "\"station_name\": \"Loa xã Cái Nhum\"",
                                         "\"mode\": \"interrupt\"",
                                         "\"full_text_must_carry\": true",
                                         "\"class\": \"urgent\"",
                                         "\"class_vi\": \"khẩn cấp\"",
                                         "\"status\": \"Actual\"",
                                         "\"drill\": false",
                                         "\"ordered_by\": \"ubnd-vinh-long\"",
                                         "\"ordered_by_name\": \"UBND tỉnh Vĩnh Long\"",
                                         "\"legal_basis\": \"Thông tư 39/2020/TT-BTTTT\"",
                                         "\"issued\": \"2026-11-22T11:00:00+07:00\"",
                                         "\"until\": \"2026-11-23T11:00:00+07:00\"",
                                         "\"wav\": \"a.wav\"",
                                         "\"languages\": [\n    \"vi\",\n    \"km\"\n  ]",
                                         "\"written\": \"2026-11-22T12:00:00+07:00\"",
                                         "\"headline\": \"Lũ quét tại xã Cái Nhum\""};
    kg_buf json = {0};
    kg_diag diag = {0};
    host_alert(&r->warning, NULL);
    sink_job *j = job(r, 0, vi_km, 2);
    j->playing = 2;
    j->labelled = true;
    const airing_order o = {.state = "play", .wav = "a.wav", .crawl = "", .written_ms = r->h.now_ms};
    assert_int_equal(airing_order_json(j, &o, &json, &diag), KG_OK);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if (strstr(json.s, wanted[i]) == NULL) {
            fail_msg("no %s in %s", wanted[i], json.s);
        }
    }
    kg_buf_done(&json);
}

static void paths_are_beside_the_file(void **state)
{
    static const struct {
        const char *config, *written, *want;
    } rows[] = {
        {"/etc/keng/rtp.yaml", "clips", "/etc/keng/clips"},
        {"/etc/keng/rtp.yaml", "/srv/clips", "/srv/clips"},
        {"rtp.yaml", "clips", "clips"},
        {"d/rtp.yaml", "../clips", "d/../clips"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[PATH_MAX];
        kg_diag diag = {0};
        assert_int_equal(airing_path(rows[i].config, rows[i].written, out, &diag), KG_OK);
        assert_string_equal(out, rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(vietnamese_is_heard, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_language_nobody_can_hear_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(khmer_alone_without_a_recording_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(khmer_letters_in_the_vietnamese_part_are_not_spelt, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reviewed_recordings_say_the_authors_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_recording_comes_with_the_alert_or_is_not_waited_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_altered_recording_is_not_heard, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failing_voice_is_tried_again_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stopped_while_being_made, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_sound_can_be_given_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_order_says_everything, set_up, tear_down),
        cmocka_unit_test(paths_are_beside_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
