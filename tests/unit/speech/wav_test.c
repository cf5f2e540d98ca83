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
#include "speech/wav.h"

#define FMT "fmt \x10\0\0\0\x01\0\x01\0\x80\xbb\0\0\0\x77\x01\0\x02\0\x10\0"
#define WAV "RIFF\0\0\0\0WAVE"

typedef struct bytes {
    const char *label, *s;
    size_t n;
    kg_err want;
    const char *says;
} bytes;
#define ROW(label, text, want, says)                                                                                   \
    {                                                                                                                  \
        label, text, sizeof text - 1, want, says                                                                       \
    }

static void a_file_is_judged_by_its_bytes(void **state)
{
    (void)state;
    static const bytes rows[] = {
        ROW("good", WAV FMT "data\x04\0\0\0\x01\0\xff\xff", KG_OK, ""),
        ROW("a chunk between is passed over", WAV FMT "LIST\x03\0\0\0abc\0data\x02\0\0\0\x01\0", KG_OK, ""),
        ROW("empty", "", KG_E_INVALID, "header"),
        ROW("not a WAV", "ID3 an mp3 file, say", KG_E_INVALID, "not a WAV"),
        ROW("cut in the header", WAV "fmt \x10\0\0\0\x01", KG_E_INVALID, "ends inside"),
        ROW("no format", WAV "data\x02\0\0\0\x01\0", KG_E_INVALID, "format before"),
        ROW("two channels", WAV "fmt \x10\0\0\0\x01\0\x02\0\x80\xbb\0\0\0\x77\x01\0\x02\0\x10\0data\x02\0\0\0\x01\0",
            KG_E_INVALID, "2 channel"),
        ROW("float samples", WAV "fmt \x10\0\0\0\x03\0\x01\0\x80\xbb\0\0\0\x77\x01\0\x02\0\x20\0data\x02\0\0\0\x01\0",
            KG_E_INVALID, "format 3"),
        ROW("22050 Hz", WAV "fmt \x10\0\0\0\x01\0\x01\0\x22\x56\0\0\0\x77\x01\0\x02\0\x10\0data\x02\0\0\0\x01\0",
            KG_E_INVALID, "22050"),
        ROW("cut in the sound", WAV FMT "data\x08\0\0\0\x01\0", KG_E_INVALID, "promises 8"),
        ROW("half a sample", WAV FMT "data\x03\0\0\0\x01\0\x01", KG_E_INVALID, "promises 3"),
        ROW("no sound", WAV FMT "data\0\0\0\0", KG_E_INVALID, "promises 0"),
        ROW("a giant chunk before", WAV "LIST\xff\xff\xff\xff", KG_E_INVALID, "chunk of"),
        ROW("short format chunk", WAV "fmt \x02\0\0\0\x01\0data\x02\0\0\0\x01\0", KG_E_INVALID, "cut short"),
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kg_buf samples = {0};
        kg_diag diag = {0};
        char *copy = malloc(rows[i].n + 1); /* of its own size, so that a sanitizer sees one byte too many */
        assert_non_null(copy);
        memcpy(copy, rows[i].s, rows[i].n);
        const kg_err e = wav_parse(copy, rows[i].n, &samples, &diag);
        free(copy);
        if (e != rows[i].want || (e != KG_OK && strstr(diag.text, rows[i].says) == NULL)) {
            fail_msg("%s: %s \"%s\"", rows[i].label, kg_err_name(e), diag.text);
        }
        kg_buf_done(&samples);
    }
}

static void a_stream_may_lack_its_end(void **state)
{
    (void)state;
    static const char stream[] = WAV FMT "data\x00\xf0\xff\x7f";
    wav_head h = {0};
    kg_diag diag = {0};
    for (size_t n = 0; n < sizeof stream - 1; n++) {
        assert_int_equal(wav_head_read(stream, n, &h, &diag), KG_E_AGAIN);
    }
    assert_int_equal(wav_head_read(stream, sizeof stream - 1, &h, &diag), KG_OK);
    assert_int_equal(h.rate, 48000);
    assert_int_equal(h.data_at, 44);
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    char dir[] = "/tmp/keng-wav-XXXXXX", path[64];
    static const int16_t sound[] = {0, 1, -1, INT16_MAX, INT16_MIN};
    kg_buf in = {0}, out = {0}, file = {0};
    kg_diag diag = {0};
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/a.wav", dir);
    assert_int_equal(kg_buf_put(&in, sound, sizeof sound), KG_OK);
    assert_int_equal(wav_write(path, &in, &diag), KG_OK);
    assert_int_equal(wav_read(path, &out, &diag), KG_OK);
    assert_int_equal(out.len, sizeof sound);
    assert_memory_equal(out.s, sound, sizeof sound);
    assert_int_equal(kg_file_read(path, 1000, &file, &diag), KG_OK);
    assert_int_equal(file.len, 44 + sizeof sound);
    assert_memory_equal(
        file.s, "RIFF\x2e\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\xbb\0\0\0\x77\x01\0\x02\0\x10\0data\x0a\0\0\0", 44);
    assert_int_equal(unlink(path), 0);
    (void)snprintf(path, sizeof path, "%s/none/a.wav", dir);
    assert_int_equal(wav_write(path, &in, &diag), KG_E_IO);
    assert_int_equal(wav_read(path, &out, &diag), KG_E_NOTFOUND);
    assert_int_equal(rmdir(dir), 0);
    kg_buf_done(&in);
    kg_buf_done(&out);
    kg_buf_done(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_judged_by_its_bytes),
        cmocka_unit_test(a_stream_may_lack_its_end),
        cmocka_unit_test(what_is_written_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
