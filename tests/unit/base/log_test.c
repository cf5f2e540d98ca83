#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/utf8.h"

/* What one call writes to standard error. */
static void logged(kg_level level, const char *event, const kg_field *fields, kg_buf *out)
{
    int pipe_fds[2];
    assert_int_equal(pipe(pipe_fds), 0);
    const int err = dup(STDERR_FILENO);
    (void)dup2(pipe_fds[1], STDERR_FILENO);
    (void)close(pipe_fds[1]);
    kg_log_fields(level, event, fields);
    (void)dup2(err, STDERR_FILENO);
    (void)close(err);
    kg_buf_clear(out);
    char chunk[4096];
    for (ssize_t n = read(pipe_fds[0], chunk, sizeof chunk); n > 0; n = read(pipe_fds[0], chunk, sizeof chunk)) {
        assert_int_equal(kg_buf_put(out, chunk, (size_t)n), KG_OK);
    }
    (void)close(pipe_fds[0]);
}

static void values_cannot_break_out(void **state)
{
    (void)state;
    static const struct {
        const char *label, *value, *want;
    } rows[] = {
        {"plain", "abc-7", " v=abc-7\n"},
        {"empty", "", " v=\"\"\n"},
        {"blank", "a b", " v=\"a b\"\n"},
        {"Vietnamese", "Cà Mau", " v=\"Cà Mau\"\n"},
        {"quote", "a\"b", " v=\"a\\\"b\"\n"},
        {"backslash", "a\\b", " v=\"a\\\\b\"\n"},
        {"looks like a field", "x alert=1", " v=\"x alert=1\"\n"},
        {"new line", "a\nerror", " v=a\\x0aerror\n"},
        {"return", "a\rb", " v=a\\x0db\n"},
        {"escape", "\x1b[2J", " v=\\x1b[2J\n"},
        {"delete", "a\x7f", " v=a\\x7f\n"},
        {"C1 control sequence",
         "\xC2\x9B"
         "2J",
         " v=\\u009b2J\n"},
        {"line separator", "a\xE2\x80\xA8z", " v=a\\u2028z\n"},
        {"turned around", "\xE2\x80\xAEgnp.exe", " v=\\u202egnp.exe\n"},
        {"not UTF-8", "a\xFFz", " v=a\\xffz\n"},
        {"half a character", "a\xE1\xBB", " v=a\\xe1\\xbb\n"},
        {"a null pointer", NULL, " v=\"\"\n"},
    };
    kg_buf line = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        logged(KG_WARNING, "test.event", (const kg_field[]){KG_TEXT("v", rows[i].value), {.key = NULL}}, &line);
        const size_t n = strlen(rows[i].want);
        if (line.len < n || strcmp(line.s + line.len - n, rows[i].want) != 0 || strncmp(line.s, "warning ", 8) != 0 ||
            strstr(line.s, " log_test test.event v=") == NULL) {
            fail_msg("%s: %s", rows[i].label, kg_buf_str(&line));
        }
    }
    kg_buf_done(&line);
}

static void numbers_and_levels(void **state)
{
    (void)state;
    kg_buf line = {0};
    const kg_field fields[] = {KG_INT("n", INT64_MIN), KG_INT("m", 7), {.key = NULL}};
    logged(KG_INFO, "e", fields, &line);
    assert_non_null(strstr(line.s, " e n=-9223372036854775808 m=7\n"));
    logged(KG_DEBUG, "e", fields, &line);
    assert_int_equal(line.len, 0);
    kg_buf_done(&line);
}

static void a_long_line_is_cut_and_ends(void **state)
{
    (void)state;
    kg_buf line = {0};
    kg_buf text = {0};
    for (int shift = 0; shift < 4; shift++) {
        kg_buf_clear(&text);
        assert_int_equal(kg_buf_put(&text, "abc", (size_t)shift), KG_OK);
        for (int i = 0; i < 5000; i++) {
            assert_int_equal(kg_buf_puts(&text, "\xE1\xBB\x87"), KG_OK);
        }
        logged(KG_ERROR, "e", (const kg_field[]){KG_TEXT("v", text.s), KG_INT("after", 1), {.key = NULL}}, &line);
        assert_true(line.len <= 8192 && line.len > 8192 - 8);
        assert_int_equal(line.s[line.len - 1], '\n');
        assert_ptr_equal(strchr(line.s, '\n'), line.s + line.len - 1);
        assert_true(kg_utf8_valid(line.s, line.len));
    }
    kg_buf_done(&text);
    kg_buf_done(&line);
}

int main(void)
{
    kg_log_open("log_test", KG_INFO);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_cannot_break_out),
        cmocka_unit_test(numbers_and_levels),
        cmocka_unit_test(a_long_line_is_cut_and_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
