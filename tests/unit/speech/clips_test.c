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
#include "base/hex.h"
#include "folder.h"
#include "speech/clips.h"
#include "speech/wav.h"

/* 2026-11-22 12:00 in Viet Nam */
static const int64_t NOW = INT64_C(1795323600000);

typedef struct place {
    char dir[FOLDER_PATH];
    kg_buf catalogue;
    clips *c;
    char hash[65]; /* of the last recording made */
} place;

static int set_up(void **state)
{
    place *p = calloc(1, sizeof *p);
    *state = p;
    return folder_make(p->dir);
}

static int tear_down(void **state)
{
    place *p = *state;
    clips_close(&p->c);
    kg_buf_done(&p->catalogue);
    const int rc = folder_remove(p->dir);
    free(p);
    return rc;
}

/* A recording of `ms` milliseconds of the value `mark`. */
static void record(place *p, int16_t mark, unsigned ms)
{
    char path[160];
    kg_buf samples = {0}, file = {0};
    kg_diag diag = {0};
    for (unsigned i = 0; i < ms * 48; i++) {
        assert_int_equal(kg_buf_put(&samples, &mark, 2), KG_OK);
    }
    (void)snprintf(path, sizeof path, "%s/new", p->dir);
    assert_int_equal(wav_write(path, &samples, &diag), KG_OK);
    assert_int_equal(kg_file_read(path, 1 << 20, &file, &diag), KG_OK);
    const alert_hash h = alert_hash_of(file.s, file.len);
    kg_hex(h.b, sizeof h.b, p->hash);
    char named[160];
    (void)snprintf(named, sizeof named, "%s/%s.wav", p->dir, p->hash);
    assert_int_equal(rename(path, named), 0);
    kg_buf_done(&samples);
    kg_buf_done(&file);
}

static void enter(place *p, const char *rest)
{
    assert_int_equal(kg_buf_putf(&p->catalogue, "%s\t%s\n", p->hash, rest), KG_OK);
}

static kg_err open_all(place *p, kg_diag *diag)
{
    char path[96];
    (void)snprintf(path, sizeof path, "%s/catalogue.tsv", p->dir);
    clips_close(&p->c);
    assert_int_equal(kg_file_replace(path, kg_buf_str(&p->catalogue), p->catalogue.len, 0644, diag), KG_OK);
    return clips_open(p->dir, &p->c, diag);
}

static alert_hash own(const place *p)
{
    alert_hash h;
    assert_true(kg_hex_read(p->hash, h.b, sizeof h.b));
    return h;
}

static void a_recording_is_used_only_when_it_may_be(void **state)
{
    place *p = *state;
    static const struct {
        const char *label, *rest;
        kg_err want;
        const char *says;
    } rows[] = {
        {"reviewed, no end", "km\tសូមប្រយ័ត្ន\t100\tbà Sóc Thị A\t-", KG_OK, ""},
        {"its last day counts", "km\tសូមប្រយ័ត្ន\t100\tA\t2026-11-22", KG_OK, ""},
        {"yesterday was its last day", "km\tសូមប្រយ័ត្ន\t100\tA\t2026-11-21", KG_E_EXPIRED, "valid-until"},
        {"nobody has listened", "km\tសូមប្រយ័ត្ន\t100\t-\t-", KG_E_DENIED, "reviewed"},
        {"a little shorter than said", "km\tសូមប្រយ័ត្ន\t119\tA\t-", KG_OK, ""},
        {"much shorter than said", "km\tសូមប្រយ័ត្ន\t1000\tA\t-", KG_E_INVALID, "lasts 100 ms"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kg_diag diag = {0};
        kg_buf samples = {0};
        kg_buf_clear(&p->catalogue);
        record(p, 77, 100);
        enter(p, rows[i].rest);
        assert_int_equal(open_all(p, &diag), KG_OK);
        const alert_hash h = own(p);
        const clip *one = clips_find(p->c, &h);
        assert_non_null(one);
        const kg_err e = clips_load(p->c, one, NOW, &samples, &diag);
        if (e != rows[i].want || (e != KG_OK && strstr(diag.text, rows[i].says) == NULL)) {
            fail_msg("%s: %s \"%s\"", rows[i].label, kg_err_name(e), diag.text);
        }
        assert_int_equal(samples.len, e == KG_OK ? 9600 : 0);
        kg_buf_done(&samples);
    }
}

static void an_altered_recording_is_refused(void **state)
{
    place *p = *state;
    kg_diag diag = {0};
    kg_buf samples = {0}, file = {0};
    char path[160];
    record(p, 77, 100);
    enter(p, "km\tសូមប្រយ័ត្ន\t100\tA\t-");
    assert_int_equal(open_all(p, &diag), KG_OK);
    (void)snprintf(path, sizeof path, "%s/%s.wav", p->dir, p->hash);
    assert_int_equal(kg_file_read(path, 1 << 20, &file, &diag), KG_OK);
    file.s[5000] ^= 1;
    assert_int_equal(kg_file_replace(path, file.s, file.len, 0644, &diag), KG_OK);
    const alert_hash h = own(p);
    assert_int_equal(clips_load(p->c, clips_find(p->c, &h), NOW, &samples, &diag), KG_E_INVALID);
    assert_non_null(strstr(diag.text, "altered"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(clips_load(p->c, clips_find(p->c, &h), NOW, &samples, &diag), KG_E_NOTFOUND);
    kg_buf_done(&file);
    kg_buf_done(&samples);
}

static void a_text_is_said_by_all_its_sentences_or_not_at_all(void **state)
{
    place *p = *state;
    static const struct {
        const char *label, *language, *text;
        kg_err want;
        size_t count;
    } rows[] = {
        {"one", "km", "សូមប្រយ័ត្ន", KG_OK, 1},
        {"with its full stop", "km", "សូមប្រយ័ត្ន។", KG_OK, 1},
        {"two, blanks and lines between", "km", "  សូមប្រយ័ត្ន។\n ទឹកជំនន់។ ", KG_OK, 2},
        {"again", "km", "ទឹកជំនន់! ទឹកជំនន់!", KG_OK, 2},
        {"one is missing", "km", "សូមប្រយ័ត្ន។ រត់។", KG_E_NOTFOUND, 0},
        {"not in this language", "th", "សូមប្រយ័ត្ន", KG_E_NOTFOUND, 0},
        {"its recording is past its date", "km", "បញ្ឈប់។", KG_E_EXPIRED, 0},
        {"a newer recording stands beside the expired one", "km", "ចាំ។", KG_OK, 1},
        {"nothing", "km", " ។ ", KG_E_INVALID, 0},
        {"not UTF-8", "km", "\xff", KG_E_INVALID, 0},
    };
    kg_diag diag = {0};
    record(p, 1, 10);
    enter(p, "km\tសូមប្រយ័ត្ន។\t10\tA\t-");
    record(p, 2, 10);
    enter(p, "km\tទឹកជំនន់\t10\tA\t-");
    record(p, 3, 10);
    enter(p, "km\tបញ្ឈប់\t10\tA\t2026-01-01");
    record(p, 4, 10);
    enter(p, "km\tចាំ\t10\tA\t2026-01-01");
    record(p, 5, 10);
    enter(p, "km\tចាំ\t10\tA\t2027-01-01");
    assert_int_equal(open_all(p, &diag), KG_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const clip *order[CLIPS_IN_TEXT_MAX];
        size_t n = 0;
        const kg_err e = clips_saying(p->c, rows[i].language, rows[i].text, NOW, order, &n, &diag);
        if (e != rows[i].want || n != rows[i].count) {
            fail_msg("%s: %s, %zu sentences", rows[i].label, kg_err_name(e), n);
        }
    }
}

static void a_bad_catalogue_is_refused_with_its_line(void **state)
{
    place *p = *state;
    static const char h[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    static const struct {
        const char *label, *row, *says;
    } rows[] = {
        {"columns", "%s\tkm\tសូម\t10\tA\n", "six columns"},
        {"one too many", "%s\tkm\tសូម\t10\tA\t-\tx\n", "six columns"},
        {"hash", "xx%s\tkm\tសូម\t10\tA\t-\n", "no hash"},
        {"length", "%s\tkm\tសូម\tten\tA\t-\n", "no length"},
        {"no length at all", "%s\tkm\tសូម\t0\tA\t-\n", "no length"},
        {"date", "%s\tkm\tសូម\t10\tA\t22/11/2026\n", "no date"},
        {"impossible date", "%s\tkm\tសូម\t10\tA\t2026-02-30\n", "no date"},
        {"language and script", "%s\tkm\tcoi chừng\t10\tA\t-\n", "not written as"},
        {"two sentences", "%s\tkm\tសូម។ ចាំ។\t10\tA\t-\n", "one sentence"},
        {"UTF-8", "%s\tkm\t\xff\t10\tA\t-\n", "UTF-8"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kg_diag diag = {0};
        char row[256];
        int n = 0;
        const char *mark = strstr(rows[i].row, "%s");
        n = snprintf(row, sizeof row, "%.*s%s%s", (int)(mark - rows[i].row), rows[i].row, h, mark + 2);
        assert_true(n > 0);
        kg_buf_clear(&p->catalogue);
        assert_int_equal(kg_buf_puts(&p->catalogue, "# hash\tlanguage\n\n"), KG_OK);
        assert_int_equal(kg_buf_puts(&p->catalogue, row), KG_OK);
        const kg_err e = open_all(p, &diag);
        const char *line = strcmp(rows[i].label, "UTF-8") == 0 ? "catalogue.tsv" : "catalogue.tsv:3: ";
        if (e != KG_E_INVALID || strstr(diag.text, rows[i].says) == NULL || strstr(diag.text, line) == NULL) {
            fail_msg("%s: %s \"%s\"", rows[i].label, kg_err_name(e), diag.text);
        }
    }
}

static void twice_and_none(void **state)
{
    place *p = *state;
    kg_diag diag = {0};
    assert_int_equal(clips_open(p->dir, &p->c, &diag), KG_E_NOTFOUND);
    assert_int_equal(open_all(p, &diag), KG_OK);
    assert_int_equal(clips_count(p->c), 0);
    record(p, 1, 10);
    enter(p, "km\tសូម\t10\tA\t-");
    enter(p, "km\tសូម\t10\tA\t-");
    assert_int_equal(open_all(p, &diag), KG_E_INVALID);
    assert_non_null(strstr(diag.text, "twice"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_recording_is_used_only_when_it_may_be, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_altered_recording_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_text_is_said_by_all_its_sentences_or_not_at_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bad_catalogue_is_refused_with_its_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(twice_and_none, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
