#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "areas/areas.h"
#include "shortform/shortform.h"

/* 2026-11-22T08:00:00+07:00 */
static const int64_t SENT_MS = INT64_C(1795309200000);

static const char full[] = "status: Actual\n"
                           "class: khẩn cấp\n"
                           "sector: water\n"
                           "event: Xâm nhập mặn\n"
                           "headline: Mặn 4 g/l\n"
                           "description: Lúc 15h00.\n"
                           "instruction: Đóng cống.\n"
                           "category: [Env, Infra]\n"
                           "response: [Prepare]\n"
                           "urgency: Immediate\n"
                           "severity: Severe\n"
                           "certainty: Observed\n"
                           "expires: \"2026-11-23T08:00:00+07:00\"\n"
                           "next_bulletin: \"2026-11-22T14:00:00+07:00\"\n"
                           "areas: [\"29050\", \"86\"]\n"
                           "worst_hit: [\"29104\", \"29050\"]\n"
                           "risk_level: 3\n"
                           "sms: Man 4 g/l\n"
                           "translations:\n"
                           "  - {language: km, headline: \"ទឹកប្រៃ\", instruction: \"ស្តុកទឹក\"}\n"
                           "audio:\n"
                           "  - {language: km, file: km.wav, description: giọng đọc}\n";

static kg_err read_text(const char *text, alert *out, kg_diag *diag)
{
    kg_buf b = {0};
    assert_int_equal(kg_buf_puts(&b, text), KG_OK);
    const shortform_source source = {"ban-tin.yaml", &b, "nnmt.example", "so-nnmt", SENT_MS};
    const kg_err e = shortform_read(&source, out, diag);
    kg_buf_done(&b);
    return e;
}

static void every_key_reaches_its_place(void **state)
{
    (void)state;
    alert a;
    kg_diag diag = {{0}};
    if (read_text(full, &a, &diag) != KG_OK) {
        fail_msg("%s", diag.text);
    }
    assert_string_equal(a.sender, "nnmt.example");
    assert_int_equal(a.sent_ms, SENT_MS);
    assert_int_equal(a.status, CAP_ACTUAL);
    assert_int_equal(a.msg_type, CAP_ALERT);
    assert_int_equal(a.bulletin_class, CLASS_URGENT);
    assert_string_equal(a.sector, "water");
    assert_int_equal(a.risk_level, 3);
    assert_int_equal(a.next_bulletin_ms, SENT_MS + 6 * 3600000);
    assert_int_equal(a.worst_hit.count, 2);
    assert_string_equal(a.worst_hit.items[0], "29104");
    assert_int_equal(a.infos.count, 2);
    const alert_info *vi = &a.infos.items[0];
    assert_string_equal(vi->language, "vi");
    assert_string_equal(vi->headline, "Mặn 4 g/l");
    assert_string_equal(vi->sms, "Man 4 g/l");
    assert_int_equal(vi->categories, (1U << CAP_ENV) | (1U << CAP_INFRA));
    assert_int_equal(vi->expires_ms, SENT_MS + 24 * 3600000);
    assert_int_equal(vi->areas.count, 1);
    assert_string_equal(vi->areas.items[0].geocodes.items[0].name, AREAS_COMMUNE);
    assert_string_equal(vi->areas.items[0].geocodes.items[1].name, AREAS_PROVINCE);
    const alert_info *km = &a.infos.items[1];
    assert_string_equal(km->language, "km");
    assert_string_equal(km->headline, "ទឹកប្រៃ");
    assert_string_equal(km->sms, "");
    assert_int_equal(km->severity, CAP_SEVERITY_SEVERE);
    assert_int_equal(km->resources.count, 1);
    assert_string_equal(km->resources.items[0].uri, "km.wav");
    assert_false(km->resources.items[0].carried);
    alert_done(&a);
}

static void the_same_file_is_the_same_alert(void **state)
{
    (void)state;
    alert a;
    alert b;
    alert c;
    assert_int_equal(read_text(full, &a, NULL), KG_OK);
    assert_int_equal(read_text(full, &b, NULL), KG_OK);
    char other[sizeof full + 16];
    memcpy(other, full, sizeof full);
    memcpy(strstr(other, "4 g/l"), "5", 1);
    assert_int_equal(read_text(other, &c, NULL), KG_OK);
    assert_true(alert_id_same(alert_own_id(&a), alert_own_id(&b)));
    assert_false(alert_id_same(alert_own_id(&a), alert_own_id(&c)));
    alert_done(&a);
    alert_done(&b);
    alert_done(&c);
}

/* One line of the full form replaced; "" removes it. */
static void faults_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *label, *from, *to, *want;
    } rows[] = {
        {"no status", "status: Actual\n", "", "status"},
        {"no class", "class: khẩn cấp\n", "", "class"},
        {"status is no word", "status: Actual", "status: Real", "\"Real\""},
        {"class is no word", "class: khẩn cấp", "class: rất gấp", "rất gấp"},
        {"area by name", "\"29050\", \"86\"", "\"Bình Đại\"", "Bình Đại"},
        {"area of three digits", "\"29050\", \"86\"", "\"290\"", "\"290\""},
        {"no areas", "areas: [\"29050\", \"86\"]\n", "", "areas"},
        {"not a time", "2026-11-23T08:00:00+07:00", "ngày mai", "ngày mai"},
        {"impossible day", "2026-11-23T08:00:00+07:00", "2026-02-30T08:00:00+07:00", "2026-02-30"},
        {"risk level six", "risk_level: 3", "risk_level: 6", "risk_level"},
        {"unknown key", "risk_level: 3", "risklevel: 3", "risklevel"},
        {"category is no word", "[Env, Infra]", "[Water]", "\"Water\""},
        {"audio without text", "language: km, file", "language: rad, file", "\"rad\""},
        {"id with a blank", "status: Actual\n", "status: Actual\nid: a b\n", "\"a b\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kg_buf text = {0};
        const char *at = strstr(full, rows[i].from);
        assert_non_null(at);
        assert_int_equal(kg_buf_put(&text, full, (size_t)(at - full)), KG_OK);
        assert_int_equal(kg_buf_putf(&text, "%s%s", rows[i].to, at + strlen(rows[i].from)), KG_OK);
        alert a;
        kg_diag diag = {{0}};
        const kg_err e = read_text(text.s, &a, &diag);
        if (e != KG_E_INVALID || strstr(diag.text, rows[i].want) == NULL || strstr(diag.text, "ban-tin.yaml") == NULL) {
            fail_msg("%s: %s: %s", rows[i].label, kg_err_name(e), diag.text);
        }
        kg_buf_done(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_reaches_its_place),
        cmocka_unit_test(the_same_file_is_the_same_alert),
        cmocka_unit_test(faults_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
