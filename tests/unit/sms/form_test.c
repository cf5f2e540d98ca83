/* E-mails, secrets beside a config, and what a request's id is made of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "mime.h"
#include "nearby.h"
#include "request.h"

static void an_email(void **state)
{
    (void)state;
    static const char *const to[] = {"a@x.vn", "b@x.vn"};
    static const mime_part part = {"r.json", "application/json", "{}", 2};
    const mime_letter m = {.from = "k@y.vn",
                           .to = to,
                           .to_count = 2,
                           .subject = "Lũ quét",
                           .id = "id1",
                           .date_ms = 1795356300000,
                           .urgent = true,
                           .text = "Xin chào\n",
                           .parts = &part,
                           .part_count = 1};
    kg_buf out = {0};
    assert_int_equal(mime_write(&m, &out, NULL), KG_OK);
    assert_string_equal(kg_buf_str(&out),
                        "From: <k@y.vn>\r\nTo: <a@x.vn>,\r\n <b@x.vn>\r\nSubject: =?UTF-8?B?TMWpIHF1w6l0?=\r\n"
                        "Date: Sun, 22 Nov 2026 21:05:00 +0700\r\nMessage-ID: <id1@y.vn>\r\n"
                        "Importance: high\r\nX-Priority: 1\r\nMIME-Version: 1.0\r\n"
                        "Content-Type: multipart/mixed; boundary=\"=_keng_part\"\r\n\r\n"
                        "--=_keng_part\r\nContent-Type: text/plain; charset=utf-8\r\n"
                        "Content-Transfer-Encoding: base64\r\n\r\nWGluIGNow6BvCg==\r\n"
                        "--=_keng_part\r\nContent-Type: application/json\r\nContent-Transfer-Encoding: base64\r\n"
                        "Content-Disposition: attachment; filename=\"r.json\"\r\n\r\ne30=\r\n--=_keng_part--\r\n");
    kg_buf_done(&out);
}

/* No line of a mail may be longer than 76 characters where base64 or encoded words make it. */
static void long_texts_are_folded(void **state)
{
    (void)state;
    static const char *const to[] = {"a@x.vn"};
    char text[601];
    for (size_t i = 0; i < 200; i++) {
        memcpy(text + 3 * i, "ữ", 3); /* three bytes: cuts must fall between characters */
    }
    text[600] = '\0';
    const mime_letter m = {.from = "k@y.vn", .to = to, .to_count = 1, .subject = text, .id = "i", .text = text};
    kg_buf out = {0};
    assert_int_equal(mime_write(&m, &out, NULL), KG_OK);
    for (const char *p = kg_buf_str(&out); *p != '\0';) {
        const size_t n = strcspn(p, "\r");
        if (n > 76 + 8) { /* the first encoded word stands behind "Subject:" */
            fail_msg("a line of %zu characters", n);
        }
        p += n + strspn(p + n, "\r\n");
    }
    kg_buf_done(&out);
}

static void secrets_beside_the_config(void **state)
{
    (void)state;
    char dir[] = "/tmp/keng-nearby-XXXXXX";
    char path[96];
    char config[96];
    static const struct {
        const char *label, *text;
        mode_t mode;
        bool want;
    } rows[] = {
        {"one line", "s3cret\n", 0600, true},
        {"no line end", "s3cret", 0600, true},
        {"read by others", "s3cret\n", 0644, false},
        {"two lines", "a\nb\n", 0600, false},
        {"empty", "\n", 0600, false},
    };
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/secret", dir);
    (void)snprintf(config, sizeof config, "%s/x.yaml", dir);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kg_buf out = {0};
        assert_int_equal(kg_file_replace(path, rows[i].text, strlen(rows[i].text), rows[i].mode, NULL), KG_OK);
        const bool good = nearby_secret(config, "secret", &out, NULL) == KG_OK;
        if (good != rows[i].want || (good && strcmp(out.s, "s3cret") != 0)) {
            fail_msg("%s", rows[i].label);
        }
        kg_buf_done(&out);
    }
    (void)unlink(path);
    (void)rmdir(dir);
    kg_buf out = {0};
    assert_int_equal(nearby_path("/etc/keng/sms.yaml", "/run/x", &out, NULL), KG_OK);
    assert_string_equal(out.s, "/run/x");
    kg_buf_clear(&out);
    assert_int_equal(nearby_path("sms.yaml", "x", &out, NULL), KG_OK);
    assert_string_equal(out.s, "x");
    kg_buf_done(&out);
}

static void ids(void **state)
{
    (void)state;
    sink_job job = {.playing = 3, .id_text = "00112233445566778899aabbccddeeff"};
    char id[REQUEST_ID_MAX];
    request_id(&job, "viettel", "km", id);
    assert_string_equal(id, "00112233445566778899aabbccddeeff.3.viettel.km");
    assert_int_equal(request_check_operator("vnpt-2", NULL), KG_OK);
    assert_int_equal(request_check_operator("", NULL), KG_E_INVALID);
    assert_int_equal(request_check_operator("../x", NULL), KG_E_INVALID);
    assert_int_equal(request_check_operator("Viettel", NULL), KG_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_email),
        cmocka_unit_test(long_texts_are_folded),
        cmocka_unit_test(secrets_beside_the_config),
        cmocka_unit_test(ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
