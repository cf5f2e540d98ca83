/* Rules per operator, operators' answers, Kannel's answers and reports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "answer.h"
#include "dlr.h"
#include "kannel_message.h"
#include "rules.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static void rules_must_fit_together(void **state)
{
    (void)state;
    static const struct {
        const char *label, *sender;
        bool accented, ucs2;
        unsigned max_parts;
        kg_err want;
    } rows[] = {
        {"plain", "VINHLONG", false, false, 0, KG_OK},
        {"eleven", "PCTT-DAKLAK", false, true, 3, KG_OK},
        {"twelve", "PCTT-DAKLAK1", false, true, 3, KG_E_INVALID},
        {"accents in the name", "VĨNH LONG", false, true, 3, KG_E_INVALID},
        {"blanks alone", "   ", false, true, 3, KG_E_INVALID},
        {"accents without UCS-2", "A", true, false, 3, KG_E_INVALID},
        {"too many parts", "A", false, true, 11, KG_E_INVALID},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char sender[32];
        kg_diag diag = {{0}};
        (void)snprintf(sender, sizeof sender, "%s", rows[i].sender);
        rules r = {
            .sender = sender, .accented = rows[i].accented, .ucs2 = rows[i].ucs2, .max_parts = rows[i].max_parts};
        if (rules_check(&r, &diag) != rows[i].want || (rows[i].want == KG_OK && r.max_parts != 3)) {
            fail_msg("%s: %s", rows[i].label, diag.text);
        }
    }
}

static void forbidden_characters_become_words(void **state)
{
    (void)state;
    static const struct {
        const char *label, *in, *want;
    } rows[] = {
        {"nothing forbidden", "Lu ve!", "Lu ve!"},  {"and", "NN&MT", "NN va MT"},
        {"and with blanks", "NN & MT", "NN va MT"}, {"percent", "30% dien tich", "30 phan tram dien tich"},
        {"brackets", "[a] {b}", "(a) (b)"},         {"backslash, less, at", "a\\b <5 x@y", "a/b duoi 5 x a cong y"},
        {"number sign", "bao #9", "bao so 9"},
    };
    char sender[] = "A";
    char forbidden[] = "%#&[]{}\\<@";
    const rules r = {.sender = sender, .forbidden = forbidden, .max_parts = 3};
    for (size_t i = 0; i < COUNT(rows); i++) {
        kg_buf out = {0};
        sms_size size = {0};
        if (rules_apply(&r, rows[i].in, 1, &out, &size, NULL) != KG_OK || strcmp(kg_buf_str(&out), rows[i].want) != 0 ||
            size.units != strlen(rows[i].want)) {
            fail_msg("%s: '%s'", rows[i].label, kg_buf_str(&out));
        }
        kg_buf_done(&out);
    }
}

/* 158 characters and "&": in words 161, with the short form 159. */
static void words_that_do_not_fit_are_shortened_then_refused(void **state)
{
    (void)state;
    char text[400];
    char sender[] = "A";
    char forbidden[] = "&%";
    rules r = {.sender = sender, .forbidden = forbidden, .max_parts = 3};
    kg_buf out = {0};
    sms_size size = {0};
    kg_diag diag = {{0}};
    memset(text, 'a', sizeof text);
    text[157] = '&';
    text[158] = 'b';
    text[159] = '\0';
    assert_int_equal(rules_apply(&r, text, 1, &out, &size, &diag), KG_OK);
    assert_int_equal(size.units, 159);
    assert_int_equal(out.s[157], '-');
    text[159] = '%';
    text[160] = '\0'; /* 160 as written; in words 170, in short 161 */
    kg_buf_clear(&out);
    assert_int_equal(rules_apply(&r, text, 1, &out, &size, &diag), KG_E_LIMIT);
    assert_non_null(strstr(diag.text, "161 đơn vị (2 phần), tối đa 1"));
    assert_int_equal(out.len, 0);
    r.on_forbidden = FORBIDDEN_REFUSE;
    assert_int_equal(rules_apply(&r, "a & b", 1, &out, &size, &diag), KG_E_INVALID);
    assert_non_null(strstr(diag.text, "\"&\" (U+0026)"));
    kg_buf_done(&out);
}

static void answers_are_read_or_rubbish(void **state)
{
    (void)state;
    static const struct {
        const char *label, *json;
        kg_err want;
        answer_state state;
        uint64_t sent, delivered;
    } rows[] = {
        {"accepted", "{\"status\":\"accepted\"}", KG_OK, ANSWER_ACCEPTED, 0, 0},
        {"with counts", "{\"status\":\"finished\",\"counts\":{\"targeted\":9,\"sent\":8,\"delivered\":7}}", KG_OK,
         ANSWER_FINISHED, 8, 7},
        {"unknown fields are ignored", "{\"status\":\"sending\",\"x\":[1,{}]}", KG_OK, ANSWER_SENDING, 0, 0},
        {"no status", "{\"counts\":{}}", KG_E_INVALID, ANSWER_ACCEPTED, 0, 0},
        {"status of another kind", "{\"status\":1}", KG_E_INVALID, ANSWER_ACCEPTED, 0, 0},
        {"unknown status", "{\"status\":\"ok\"}", KG_E_INVALID, ANSWER_ACCEPTED, 0, 0},
        {"negative count", "{\"status\":\"sending\",\"counts\":{\"sent\":-1}}", KG_E_INVALID, ANSWER_ACCEPTED, 0, 0},
        {"count as text", "{\"status\":\"sending\",\"counts\":{\"sent\":\"5\"}}", KG_E_INVALID, ANSWER_ACCEPTED, 0, 0},
        {"count with a fraction", "{\"status\":\"sending\",\"counts\":{\"sent\":5.5}}", KG_E_INVALID, ANSWER_ACCEPTED,
         0, 0},
        {"more than people on earth", "{\"status\":\"sending\",\"counts\":{\"sent\":1000000001}}", KG_E_INVALID,
         ANSWER_ACCEPTED, 0, 0},
        {"more delivered than sent", "{\"status\":\"sending\",\"counts\":{\"sent\":1,\"delivered\":2}}", KG_E_INVALID,
         ANSWER_ACCEPTED, 0, 0},
        {"said twice", "{\"status\":\"sending\",\"status\":\"finished\"}", KG_E_INVALID, ANSWER_ACCEPTED, 0, 0},
        {"a list", "[]", KG_E_INVALID, ANSWER_ACCEPTED, 0, 0},
        {"cut", "{\"status\":\"acc", KG_E_INVALID, ANSWER_ACCEPTED, 0, 0},
        {"something behind", "{\"status\":\"sending\"} x", KG_E_INVALID, ANSWER_ACCEPTED, 0, 0},
        {"a bad time", "{\"status\":\"finished\",\"ended\":\"yesterday\"}", KG_E_INVALID, ANSWER_ACCEPTED, 0, 0},
        {"empty", "", KG_E_INVALID, ANSWER_ACCEPTED, 0, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        answer a = {.sent = 77};
        const kg_err e = answer_read(rows[i].json, strlen(rows[i].json), &a);
        const bool good = e == KG_OK
                              ? a.state == rows[i].state && a.sent == rows[i].sent && a.delivered == rows[i].delivered
                              : a.sent == 77; /* nothing half-read */
        if (e != rows[i].want || !good) {
            fail_msg("%s", rows[i].label);
        }
    }
    answer a;
    static const char words[] = "{\"status\":\"refused\",\"code\":\"x\",\"reason\":\"a\\u0007b\",\"id\":\"i\","
                                "\"started\":\"2026-11-22T21:06:10+07:00\"}";
    assert_int_equal(answer_read(words, strlen(words), &a), KG_OK);
    assert_string_equal(a.words, "a b");
    assert_int_equal(a.started_ms, 1795356370000);
}

static void verdicts(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        kg_err error;
        bool sent;
        long status;
        const char *body;
        bool asked;
        answer_verdict want;
        const char *code;
    } rows[] = {
        {"202", KG_OK, true, 202, "{\"status\":\"accepted\",\"id\":\"k\"}", false, VERDICT_TAKEN, ""},
        {"id may be left out", KG_OK, true, 200, "{\"status\":\"sending\"}", false, VERDICT_TAKEN, ""},
        {"of another id", KG_OK, true, 200, "{\"status\":\"sending\",\"id\":\"j\"}", false, VERDICT_DOUBT, "rubbish"},
        {"200 and HTML", KG_OK, true, 200, "<html>", false, VERDICT_DOUBT, "rubbish"},
        {"204", KG_OK, true, 204, "", false, VERDICT_DOUBT, "rubbish"},
        {"refused with 200", KG_OK, true, 200, "{\"status\":\"refused\",\"code\":\"area-unknown\"}", false,
         VERDICT_REFUSED, "area-unknown"},
        {"422 with words", KG_OK, true, 422, "{\"status\":\"refused\",\"code\":\"sender-unknown\"}", false,
         VERDICT_REFUSED, "sender-unknown"},
        {"400 bare", KG_OK, true, 400, "", false, VERDICT_REFUSED, "bad-request"},
        {"409", KG_OK, true, 409, "", false, VERDICT_REFUSED, "conflict"},
        {"401", KG_OK, true, 401, "", false, VERDICT_NOT_TAKEN, "login"},
        {"404 to a request", KG_OK, true, 404, "", false, VERDICT_NOT_TAKEN, "wrong-address"},
        {"404 to a question", KG_OK, true, 404, "", true, VERDICT_UNKNOWN_ID, ""},
        {"302", KG_OK, true, 302, "", false, VERDICT_NOT_TAKEN, "wrong-address"},
        {"429", KG_OK, true, 429, "", false, VERDICT_NOT_TAKEN, "busy"},
        {"429 quota", KG_OK, true, 429, "{\"status\":\"refused\",\"code\":\"quota-exceeded\"}", false, VERDICT_REFUSED,
         "quota-exceeded"},
        {"503", KG_OK, true, 503, "", false, VERDICT_NOT_TAKEN, "busy"},
        {"500", KG_OK, true, 500, "", false, VERDICT_DOUBT, "server-error"},
        {"502", KG_OK, true, 502, "", false, VERDICT_DOUBT, "server-error"},
        {"nobody there", KG_E_IO, false, 0, "", false, VERDICT_NOT_TAKEN, "gateway-down"},
        {"hung up", KG_E_IO, true, 0, "", false, VERDICT_DOUBT, "gateway-down"},
        {"no answer", KG_E_TIMEOUT, true, 0, "", false, VERDICT_DOUBT, "no-answer"},
        {"no answer to a question", KG_E_TIMEOUT, true, 0, "", true, VERDICT_NOT_TAKEN, "no-answer"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        answer a;
        const http_answer h = {.error = rows[i].error,
                               .sent = rows[i].sent,
                               .status = rows[i].status,
                               .body = rows[i].body,
                               .body_bytes = strlen(rows[i].body),
                               .sentence = ""};
        const answer_verdict v = answer_judge(&h, "k", rows[i].asked, &a);
        if (v != rows[i].want || strcmp(a.code, rows[i].code) != 0) {
            fail_msg("%s: verdict %d code '%s'", rows[i].label, (int)v, a.code);
        }
    }
}

static void reports_are_read_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        bool want;
        unsigned status;
    } rows[] = {
        {"/dlr/0a1b/12/34/8", true, 8},
        {"/dlr/0a1b/18446744073709551615/34/1", true, 1},
        {"/dlr/0a1b/12/34/2/id:1 stat:UNDELIV err:0", true, 2},
        {"/dlr/0a1b/12/34/2/id:1 stat:UNKNOWN err:0", true, 66},
        {"/dlr/0a1b/12/34/34/", true, 34},
        {"/dlr/0a1b/18446744073709551616/34/1", false, 0},
        {"/dlr/0a1b/12/34/256", false, 0},
        {"/dlr/0a1b/12/34/", false, 0},
        {"/dlr/0a1b/12/34", false, 0},
        {"/dlr/0a1b/12/-34/1", false, 0},
        {"/dlr/0A1B/12/34/1", false, 0},
        {"/dlr//12/34/1", false, 0},
        {"/dlr/00000000000000000000000000000000000000000000000000/1/1/1", false, 0},
        {"/dlr/0a/1/1/%d", false, 0},
        {"/", false, 0},
        {"", false, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        dlr d = {.status = 0};
        if (dlr_read(rows[i].path, &d) != rows[i].want || d.status != rows[i].status) {
            fail_msg("%s: %u", rows[i].path, d.status);
        }
    }
}

static void reports_in_any_order_end_the_same(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        dlr_stand from;
        unsigned status;
        dlr_stand want;
    } rows[] = {
        {"taken by the centre", STAND_QUEUED, 8, STAND_SENT},
        {"buffered is not sent", STAND_ASKED, 4, STAND_QUEUED},
        {"delivered", STAND_SENT, 1, STAND_DELIVERED},
        {"8 after 1 changes nothing", STAND_DELIVERED, 8, STAND_DELIVERED},
        {"report before our own answer", STAND_ASKED, 8, STAND_SENT},
        {"undelivered", STAND_SENT, 2, STAND_FAILED},
        {"expired", STAND_SENT, 34, STAND_FAILED},
        {"unknown", STAND_SENT, 66, STAND_DOUBT},
        {"delivered after unknown", STAND_DOUBT, 1, STAND_DELIVERED},
        {"refused", STAND_QUEUED, 16, STAND_REFUSED},
        {"a failure never undoes a delivery", STAND_DELIVERED, 2, STAND_DELIVERED},
        {"no bit at all", STAND_SENT, 0, STAND_SENT},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (dlr_step(rows[i].from, rows[i].status) != rows[i].want) {
            fail_msg("%s", rows[i].label);
        }
    }
}

static void kannels_answers(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        kg_err error;
        bool sent;
        long status;
        const char *body;
        dlr_stand want;
        const char *code;
    } rows[] = {
        {"accepted", KG_OK, true, 202, "0: Accepted for delivery", STAND_QUEUED, ""},
        {"queued", KG_OK, true, 202, "3: Queued for later delivery", STAND_QUEUED, ""},
        {"login", KG_OK, true, 403, "Authorization failed for sendsms", STAND_WAITING, "login"},
        {"no route", KG_OK, true, 403, "Not routable. Do not try again.", STAND_REFUSED, ""},
        {"bad number", KG_OK, true, 400, "Missing receiver number, rejected", STAND_REFUSED, ""},
        {"later", KG_OK, true, 503, "Temporal failure, try again later.", STAND_WAITING, "gateway-down"},
        {"down", KG_E_IO, false, 0, "", STAND_WAITING, "gateway-down"},
        {"lost after sending", KG_E_IO, true, 0, "", STAND_QUEUED, ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *code = NULL;
        const http_answer h = {
            .error = rows[i].error, .sent = rows[i].sent, .status = rows[i].status, .body = rows[i].body};
        if (kannel_judge(&h, &code) != rows[i].want || strcmp(code, rows[i].code) != 0) {
            fail_msg("%s: %s", rows[i].label, code);
        }
    }
}

static void kannels_url(void **state)
{
    (void)state;
    char url[] = "http://127.0.0.1:13013/cgi-bin/sendsms";
    char user[] = "u";
    char sender[] = "PCTT VL";
    char listen[] = "127.0.0.1:8086";
    const kannel_config c = {.url = url, .user = user, .reports = {.listen = listen}, .message = {.sender = sender}};
    const kannel_message m = {
        .to = "+84912345678", .text = "Lũ & 5%", .coding = SMS_UCS2, .key = "0a", .batch = 1, .mark = 2};
    kg_buf out = {0};
    assert_int_equal(kannel_url(&c, "p w", &m, &out), KG_OK);
    assert_string_equal(
        kg_buf_str(&out),
        "http://127.0.0.1:13013/cgi-bin/sendsms?username=u&password=p%20w&from=PCTT%20VL&to=%2B84912345678"
        "&coding=2&charset=utf-8&text=L%C5%A9%20%26%205%25&dlr-mask=31&dlr-url="
        "http%3A%2F%2F127.0.0.1%3A8086%2Fdlr%2F0a%2F1%2F2%2F%25d%2F%25A");
    kg_buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_must_fit_together),
        cmocka_unit_test(forbidden_characters_become_words),
        cmocka_unit_test(words_that_do_not_fit_are_shortened_then_refused),
        cmocka_unit_test(answers_are_read_or_rubbish),
        cmocka_unit_test(verdicts),
        cmocka_unit_test(reports_are_read_strictly),
        cmocka_unit_test(reports_in_any_order_end_the_same),
        cmocka_unit_test(kannels_answers),
        cmocka_unit_test(kannels_url),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
