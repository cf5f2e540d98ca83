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

#include "base/file.h"
#include "base/hex.h"
#include "folder.h"
#include "speech/attention.h"
#include "speech/speech.h"
#include "speech/wav.h"
#include "tone.h"

static const int64_t NOW = INT64_C(1795323600000); /* 2026-11-22 12:00 in Viet Nam */

enum { ANSWERS_MAX = 160 };

typedef struct answer {
    struct room *room;
    bool came;
    kg_err err;
    char path[256];
    int64_t length_ms;
    kg_diag diag;
} answer;

typedef struct room {
    char dir[FOLDER_PATH];
    char work[FOLDER_PATH + 8], clips[FOLDER_PATH + 8];
    alert_hash recorded;
    loop *l;
    loop_timer *limit;
    speech *s;
    answer answers[ANSWERS_MAX];
    unsigned wanted; /* answers to wait for */
    bool late;
} room;

static void on_limit(void *ctx)
{
    room *r = ctx;
    r->late = true;
    loop_quit(r->l);
}

static void on_done(void *ctx, kg_err e, const char *path, int64_t length_ms, const kg_diag *diag)
{
    answer *a = ctx;
    assert_false(a->came);
    a->came = true;
    a->err = e;
    a->length_ms = length_ms;
    a->diag = *diag;
    (void)snprintf(a->path, sizeof a->path, "%s", path != NULL ? path : "");
    if (--a->room->wanted == 0) {
        loop_quit(a->room->l);
    }
}

/* Runs until n answers came, or 20 s are over. */
static void wait_for(room *r, unsigned n)
{
    kg_diag diag = {0};
    r->wanted = n;
    loop_timer_set(r->limit, 20 * 1000);
    assert_int_equal(loop_run(r->l, &diag), KG_OK);
    loop_timer_stop(r->limit);
    if (r->late) {
        fail_msg("%u answers did not come", r->wanted);
    }
}

/* One Khmer sentence, recorded: a tone of 1500 Hz for half a second. */
static void record(room *r)
{
    char path[256], hex[65];
    kg_buf samples = {0}, file = {0}, row = {0};
    kg_diag diag = {0};
    const attention_signal tone = {.first_hz = 1500, .second_hz = 1500, .step_ms = 500, .steps = 1};
    assert_int_equal(kg_dir_make(r->clips, 0755, &diag), KG_OK);
    assert_int_equal(attention_put(&tone, &samples), KG_OK);
    (void)snprintf(path, sizeof path, "%s/new.wav", r->clips);
    assert_int_equal(wav_write(path, &samples, &diag), KG_OK);
    assert_int_equal(kg_file_read(path, 1 << 20, &file, &diag), KG_OK);
    r->recorded = alert_hash_of(file.s, file.len);
    kg_hex(r->recorded.b, sizeof r->recorded.b, hex);
    char named[256];
    (void)snprintf(named, sizeof named, "%s/%s.wav", r->clips, hex);
    assert_int_equal(rename(path, named), 0);
    assert_int_equal(kg_buf_putf(&row, "%s\tkm\tសូមប្រយ័ត្ន\t500\tA\t2026-12-31\n", hex), KG_OK);
    (void)snprintf(path, sizeof path, "%s/catalogue.tsv", r->clips);
    assert_int_equal(kg_file_replace(path, row.s, row.len, 0644, &diag), KG_OK);
    kg_buf_done(&samples);
    kg_buf_done(&file);
    kg_buf_done(&row);
}

static int set_up(void **state)
{
    room *r = calloc(1, sizeof *r);
    kg_diag diag = {0};
    *state = r;
    if (folder_make(r->dir) != 0 || loop_new(&r->l, &diag) != KG_OK) {
        return -1;
    }
    (void)snprintf(r->work, sizeof r->work, "%s/work", r->dir);
    (void)snprintf(r->clips, sizeof r->clips, "%s/clips", r->dir);
    record(r);
    for (unsigned i = 0; i < ANSWERS_MAX; i++) {
        r->answers[i].room = r;
    }
    return loop_timer_new(r->l, on_limit, r, &r->limit) == KG_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    room *r = *state;
    speech_close(&r->s);
    loop_timer_free(&r->limit);
    loop_free(&r->l);
    const int rc = folder_remove(r->dir);
    free(r);
    return rc;
}

static void open_with(room *r, const char *program, int64_t timeout_ms)
{
    kg_diag diag = {0};
    const speech_config config = {
        .work_dir = r->work, .clips_dir = r->clips, .program = program, .timeout_ms = timeout_ms, .seconds_max = 30};
    speech_close(&r->s);
    if (speech_open(r->l, &config, &r->s, &diag) != KG_OK) {
        fail_msg("%s", diag.text);
    }
}

/* A voice of the test's own: a shell script that answers in some way. */
static void open_script(room *r, const char *script, int64_t timeout_ms)
{
    char path[FOLDER_PATH + 8];
    kg_diag diag = {0};
    (void)snprintf(path, sizeof path, "%s/voice", r->dir);
    assert_int_equal(kg_file_replace(path, script, strlen(script), 0755, &diag), KG_OK);
    open_with(r, path, timeout_ms);
}

static kg_err ask(room *r, unsigned slot, const speech_order *o, speech_job **job, kg_diag *diag)
{
    speech_job *ignored = NULL;
    return speech_make(r->s, o, on_done, &r->answers[slot], job != NULL ? job : &ignored, diag);
}

static speech_order say(const speech_part *parts, size_t count)
{
    return (speech_order){.class = CLASS_URGENT, .parts = parts, .count = count, .now_ms = NOW};
}

static const speech_part WARNING = {.language = "vi",
                                    .text = "Khẩn cấp. Có lũ quét tại xã Hoà Thịnh. Bà con sơ tán ngay."};
static const speech_part KHMER = {.language = "km", .text = "សូមប្រយ័ត្ន។"};

static void a_warning_is_signal_then_speech(void **state)
{
    room *r = *state;
    kg_diag diag = {0};
    kg_buf b = {0};
    open_with(r, NULL, 0);
    const speech_order o = say(&WARNING, 1);
    assert_int_equal(ask(r, 0, &o, NULL, &diag), KG_OK);
    assert_false(r->answers[0].came); /* never from within speech_make */
    wait_for(r, 1);
    const answer *a = &r->answers[0];
    if (a->err != KG_OK) {
        fail_msg("%s", a->diag.text);
    }
    assert_int_equal(wav_read(a->path, &b, &diag), KG_OK);
    assert_int_equal(a->length_ms, wav_length_ms(&b));
    const int16_t *x = (const int16_t *)(const void *)b.s;
    /* four seconds of 1000 and 750 Hz, by turns; 600 ms of silence; then speech: loud, not a tone, not clipped */
    assert_true(tone_share(x, 12000, 48000, 1000) > 0.9);
    assert_true(tone_share(x + 12000, 12000, 48000, 750) > 0.9);
    assert_true(tone_rms(x + 4 * 48000, 28000) == 0);
    const int16_t *speech_at = x + 4 * 48000 + 28800;
    const size_t left = b.len / 2 - 4 * 48000 - 28800;
    assert_in_range(left, 3 * 48000, 12 * 48000);
    assert_true(tone_rms(speech_at, left) > 1000);
    assert_true(tone_share(speech_at, left, 48000, 1000) < 0.1);
    for (size_t i = 0; i < left; i++) {
        assert_in_range(speech_at[i] + 32768, 32768 - 26000, 32768 + 26000);
    }
    kg_buf_done(&b);
}

static void a_drill_sounds_like_one_first_and_last(void **state)
{
    room *r = *state;
    kg_diag diag = {0};
    kg_buf b = {0};
    open_with(r, NULL, 0);
    speech_order o = say(&KHMER, 1);
    o.drill = true;
    assert_int_equal(ask(r, 0, &o, NULL, &diag), KG_OK);
    wait_for(r, 1);
    assert_int_equal(r->answers[0].err, KG_OK);
    assert_int_equal(wav_read(r->answers[0].path, &b, &diag), KG_OK);
    const int16_t *x = (const int16_t *)(const void *)b.s;
    const size_t n = b.len / 2, drill = (size_t)(4 * 600 * 48);
    /* drill signal, pause 600, the recording 500, pause 250, drill signal */
    assert_int_equal(n, drill + 1350 * 48 + drill);
    assert_true(tone_share(x, 350 * 48, 48000, 440) > 0.9);
    assert_true(tone_share(x + drill + 600 * 48, 500 * 48, 48000, 1500) > 0.9);
    assert_true(tone_share(x + n - drill, 350 * 48, 48000, 440) > 0.9);
    kg_buf_done(&b);
}

static void a_hundred_stations_share_one_synthesis(void **state)
{
    room *r = *state;
    kg_diag diag = {0};
    open_with(r, NULL, 0);
    const speech_order o = say(&WARNING, 1);
    for (unsigned i = 0; i < 124; i++) {
        assert_int_equal(ask(r, i, &o, NULL, &diag), KG_OK);
    }
    wait_for(r, 124);
    assert_int_equal(speech_made(r->s), 1);
    assert_int_equal(folder_files(r->work), 125); /* the cache's and everybody's own name */
    for (unsigned i = 0; i < 124; i++) {
        assert_int_equal(r->answers[i].err, KG_OK);
        assert_int_equal(unlink(r->answers[i].path), 0);
    }
    assert_int_equal(ask(r, 124, &o, NULL, &diag), KG_OK); /* later: from the cache */
    wait_for(r, 1);
    assert_int_equal(speech_made(r->s), 1);
    speech_order other = o;
    other.class = CLASS_PRIORITY; /* another signal: another sound */
    assert_int_equal(ask(r, 125, &other, NULL, &diag), KG_OK);
    wait_for(r, 1);
    assert_int_equal(speech_made(r->s), 2);
}

static void what_cannot_be_said_is_refused(void **state)
{
    room *r = *state;
    static const alert_hash unknown = {.b = {9}};
    char *long_text = malloc(SPEECH_TEXT_MAX + 2);
    assert_non_null(long_text);
    memset(long_text, 'a', SPEECH_TEXT_MAX + 1);
    long_text[SPEECH_TEXT_MAX + 1] = '\0';
    const struct {
        const char *label;
        speech_part part;
        kg_err want;
        const char *says;
    } rows[] = {
        {"Khmer text as Vietnamese", {.language = "vi", .text = "សូមប្រយ័ត្ន"}, KG_E_INVALID, "script"},
        {"Vietnamese text as Khmer", {.language = "km", .text = "coi chừng"}, KG_E_INVALID, "script"},
        {"Khmer without a recording", {.language = "km", .text = "រត់"}, KG_E_NOTFOUND, "no recording says"},
        {"a language without a voice", {.language = "rad", .text = "Êa lip"}, KG_E_NOTFOUND, "no recording says"},
        {"nothing", {.language = "vi", .text = " \n"}, KG_E_INVALID, "nothing to say"},
        {"neither text nor recording", {.language = "vi"}, KG_E_INVALID, "neither"},
        {"an unknown recording", {.language = "km", .clip = &unknown}, KG_E_NOTFOUND, "not in the catalogue"},
        {"a recording with another hash",
         {.language = "km", .clip = &unknown, .wav = "x", .wav_bytes = 1},
         KG_E_INVALID,
         "another hash"},
        {"too long", {.language = "vi", .text = long_text}, KG_E_LIMIT, "at most"},
    };
    open_with(r, NULL, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kg_diag diag = {0};
        const speech_part parts[2] = {WARNING, rows[i].part};
        const speech_order o = say(parts, 2);
        const kg_err e = ask(r, 0, &o, NULL, &diag);
        if (e != rows[i].want || strstr(diag.text, rows[i].says) == NULL) {
            fail_msg("%s: %s \"%s\"", rows[i].label, kg_err_name(e), diag.text);
        }
    }
    kg_diag diag = {0};
    speech_order old = say(&KHMER, 1);
    old.now_ms = INT64_C(1798736400000); /* 2027-01-01: the recording's last day was yesterday */
    assert_int_equal(ask(r, 0, &old, NULL, &diag), KG_E_EXPIRED);
    const speech_order none = say(&KHMER, 0);
    assert_int_equal(ask(r, 0, &none, NULL, &diag), KG_E_LIMIT);
    free(long_text);
}

static void a_recording_may_come_with_the_alert(void **state)
{
    room *r = *state;
    char path[256], hex[65];
    kg_buf file = {0};
    kg_diag diag = {0};
    kg_hex(r->recorded.b, sizeof r->recorded.b, hex);
    (void)snprintf(path, sizeof path, "%s/%s.wav", r->clips, hex);
    assert_int_equal(kg_file_read(path, 1 << 20, &file, &diag), KG_OK);
    (void)snprintf(path, sizeof path, "%s/catalogue.tsv", r->clips);
    assert_int_equal(kg_file_replace(path, "# none\n", 7, 0644, &diag), KG_OK);
    open_with(r, NULL, 0);
    const speech_part part = {.language = "km", .clip = &r->recorded, .wav = file.s, .wav_bytes = file.len};
    const speech_order o = say(&part, 1);
    assert_int_equal(ask(r, 0, &o, NULL, &diag), KG_OK);
    wait_for(r, 1);
    assert_int_equal(r->answers[0].err, KG_OK);
    assert_int_equal(r->answers[0].length_ms, 4000 + 600 + 500 + 250);
    kg_buf_done(&file);
}

static void a_bad_voice_is_an_error_not_a_hang(void **state)
{
    room *r = *state;
    static const struct {
        const char *label, *script;
        int64_t timeout_ms;
        kg_err want;
        const char *says;
    } rows[] = {
        {"fails", "#!/bin/sh\nexit 3\n", 5000, KG_E_IO, "status 3"},
        {"is killed", "#!/bin/sh\nkill -9 $$\n", 5000, KG_E_IO, "signal 9"},
        {"says nothing", "#!/bin/sh\nexit 0\n", 5000, KG_E_IO, "without a sound"},
        {"does not answer with WAV", "#!/bin/sh\necho 'no such voice, sorry about that'\n", 5000, KG_E_IO, "WAV"},
        {"half a header", "#!/bin/sh\nprintf 'RIFF....WAVEfmt '\n", 5000, KG_E_IO, "without a sound"},
        {"hangs", "#!/bin/sh\nexec sleep 60\n", 200, KG_E_TIMEOUT, "in time"},
        {"never ends", "#!/bin/sh\n/usr/bin/espeak-ng --stdout -v vi a\nexec cat /dev/zero\n", 20000, KG_E_LIMIT,
         "longer than 30 s"},
        {"is not told in an argument", "#!/bin/sh\ncase \"$*\" in *quét*) exit 9;; esac\nexit 4\n", 5000, KG_E_IO,
         "status 4"},
        {"gets the text on standard input", "#!/bin/sh\ngrep -q 'lũ quét' && exit 5\nexit 6\n", 5000, KG_E_IO,
         "status 5"},
    };
    const speech_order o = say(&WARNING, 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kg_diag diag = {0};
        r->answers[0] = (answer){.room = r};
        open_script(r, rows[i].script, rows[i].timeout_ms);
        assert_int_equal(ask(r, 0, &o, NULL, &diag), KG_OK);
        wait_for(r, 1);
        const answer *a = &r->answers[0];
        if (a->err != rows[i].want || strstr(a->diag.text, rows[i].says) == NULL || a->path[0] != '\0') {
            fail_msg("%s: %s \"%s\"", rows[i].label, kg_err_name(a->err), a->diag.text);
        }
        assert_int_equal(folder_files(r->work), 0);
    }
}

static void phoneme_brackets_are_not_obeyed(void **state)
{
    room *r = *state;
    kg_diag diag = {0};
    open_script(r, "#!/bin/sh\ngrep -qF '[' && exit 7\nexit 8\n", 5000);
    const speech_part part = {.language = "vi", .text = "xã [[t'aU]] An"};
    const speech_order o = say(&part, 1);
    assert_int_equal(ask(r, 0, &o, NULL, &diag), KG_OK);
    wait_for(r, 1);
    assert_non_null(strstr(r->answers[0].diag.text, "status 8"));
}

static void a_cancelled_job_is_silent_and_its_voice_ends(void **state)
{
    room *r = *state;
    kg_diag diag = {0};
    char mark[FOLDER_PATH + 8], script[256];
    speech_job *first = NULL, *second = NULL;
    (void)snprintf(mark, sizeof mark, "%s/mark", r->dir);
    (void)snprintf(script, sizeof script,
                   "#!/bin/sh\n[ -e %s ] && exec /usr/bin/espeak-ng \"$@\"\n: >%s\nexec sleep 60\n", mark, mark);
    open_script(r, script, 30000);
    speech_order o = say(&WARNING, 1);
    assert_int_equal(ask(r, 0, &o, &first, &diag), KG_OK);
    assert_int_equal(ask(r, 1, &o, &second, &diag), KG_OK);
    speech_cancel(&first);
    assert_null(first);
    speech_cancel(&second); /* nobody wants it now */
    const speech_part other = {.language = "vi", .text = "Hết báo động."};
    o.parts = &other;
    assert_int_equal(kg_file_replace(mark, "", 0, 0644, &diag), KG_OK);
    assert_int_equal(ask(r, 2, &o, &first, &diag), KG_OK);
    wait_for(r, 1);
    assert_true(r->answers[2].came && r->answers[2].err == KG_OK);
    assert_false(r->answers[0].came || r->answers[1].came);
    assert_int_equal(ask(r, 3, &o, &first, &diag), KG_OK); /* ready at once, then cancelled: its file goes */
    speech_cancel(&first);
    assert_int_equal(folder_files(r->work), 2);
}

static void opening_says_what_is_missing(void **state)
{
    room *r = *state;
    kg_diag diag = {0};
    speech *s = NULL;
    assert_int_equal(speech_open(r->l, &(speech_config){.work_dir = r->work, .program = "/none/espeak"}, &s, &diag),
                     KG_E_NOTFOUND);
    assert_non_null(strstr(diag.text, "/none/espeak"));
    assert_int_equal(speech_open(r->l, &(speech_config){.work_dir = r->work, .clips_dir = "/none"}, &s, &diag),
                     KG_E_NOTFOUND);
    assert_null(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_warning_is_signal_then_speech, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_drill_sounds_like_one_first_and_last, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_hundred_stations_share_one_synthesis, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_said_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_recording_may_come_with_the_alert, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bad_voice_is_an_error_not_a_hang, set_up, tear_down),
        cmocka_unit_test_setup_teardown(phoneme_brackets_are_not_obeyed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cancelled_job_is_silent_and_its_voice_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(opening_says_what_is_missing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
