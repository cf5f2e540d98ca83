/* What is written: the order of the schema, true offsets, nothing lost; Keng's scales as CAP-VN parameters. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "alert/pack.h"
#include "cap/profile.h"
#include "tests/unit/alert/sample.h"
#include "tests/unit/cap/capdoc.h"

static void write_and_read(const alert *a, kg_buf *xml, cap_reading *r)
{
    kg_diag diag = {{0}};
    if (cap_write(a, xml, &diag) != KG_OK) {
        fail_msg("%s", diag.text);
    }
    assert_int_equal(cap_read(xml->s, xml->len, INT_MIN, r, NULL), KG_OK);
    if (r->count != 1 || !r->documents[0].has_alert) {
        capdoc_fail("what was written is not read", r);
    }
}

/* The base document is in the schema's order with nothing to spare, so it comes back letter by letter but for layout. */
static void the_base_comes_back_as_it_was(void **state)
{
    (void)state;
    static const char *const want[] = {
        "<identifier>VN-1</identifier>",
        "<sender>a@example.vn</sender>",
        "<sent>2026-03-20T14:00:00+07:00</sent>",
        "<status>Actual</status>",
        "<msgType>Update</msgType>",
        "<source>mẫu</source>",
        "<scope>Public</scope>",
        "<code>profile:CAP-VN:1.0</code>",
        "<note>thử</note>",
        "<references>a@example.vn,VN-0,2026-03-19T14:00:00+07:00</references>",
        "<incidents>mặn \"hạn 2026\"</incidents>",
        "<info>",
        "<language>vi</language>",
        "<category>Met</category>",
        "<event>Xâm nhập mặn</event>",
        "<responseType>Prepare</responseType>",
        "<urgency>Expected</urgency>",
        "<severity>Severe</severity>",
        "<certainty>Likely</certainty>",
        "<eventCode>",
        "<valueName>OET</valueName>",
        "<value>OET-1</value>",
        "</eventCode>",
        "<effective>2026-03-20T14:00:00+07:00</effective>",
        "<onset>2026-03-20T15:00:00+07:00</onset>",
        "<expires>2026-03-21T14:00:00+07:00</expires>",
        "<senderName>Đài</senderName>",
        "<headline>Mặn 4 g/l</headline>",
        "<description>Mặn vào sâu.</description>",
        "<instruction>Trữ nước.</instruction>",
        "<web>https://example.vn/1</web>",
        "<contact>112</contact>",
        "<parameter>",
        "<valueName>x</valueName>",
        "<value>1</value>",
        "</parameter>",
        "<resource>",
        "<resourceDesc>Bản đồ</resourceDesc>",
        "<mimeType>image/png</mimeType>",
        "<size>10</size>",
        "<uri>https://example.vn/m.png</uri>",
        "</resource>",
        "<area>",
        "<areaDesc>Xã Trà Cú</areaDesc>",
        "<polygon>9.7,106.2 9.7,106.3 9.8,106.3 9.7,106.2</polygon>",
        "<circle>9.7,106.2 3</circle>",
        "<geocode>",
        "<valueName>CAP-VN:commune</valueName>",
        "<value>29461</value>",
        "</geocode>",
        "<altitude>0</altitude>",
        "<ceiling>100</ceiling>",
        "</area>",
        "</info>",
        "</alert>",
    };
    cap_reading r;
    cap_reading again;
    kg_buf xml = {0};
    assert_int_equal(cap_read(capdoc_base, strlen(capdoc_base), INT_MIN, &r, NULL), KG_OK);
    write_and_read(&r.documents[0].alert, &xml, &again);
    static const char head[] =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">\n";
    assert_memory_equal(xml.s, head, sizeof head - 1);
    const char *at = xml.s;
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        const char *found = strstr(at, want[i]);
        if (found == NULL) {
            fail_msg("%s is missing or out of order in:\n%s", want[i], xml.s);
            return;
        }
        at = found + strlen(want[i]);
    }
    assert_int_equal(again.documents[0].finding_count, 0);
    cap_reading_done(&r);
    cap_reading_done(&again);
    kg_buf_done(&xml);
}

typedef void (*changer)(alert *a);
#define CHANGE(name, ...)                                                                                              \
    static void name(alert *a)                                                                                         \
    {                                                                                                                  \
        __VA_ARGS__;                                                                                                   \
    }
#define INFO (&a->infos.items[0])
CHANGE(utc, a->sent_offset_min = 0)
CHANGE(west, a->sent_offset_min = -210)
CHANGE(signs, a->note = "a < b & c > \"d\" ]]>")
CHANGE(no_categories, INFO->categories = 0)
CHANGE(no_type, INFO->resources.items[0].mime_type = "")
CHANGE(no_identifier, a->identifier = "")
CHANGE(no_sender, a->sender = "")
CHANGE(no_sent, a->sent_ms = 0)
CHANGE(bell, a->note = "a\ab")
CHANGE(not_utf8, INFO->headline = "\xff")
CHANGE(no_character, INFO->headline = "\xef\xbf\xbf")
CHANGE(bad_language, INFO->language = "vi VN")
CHANGE(long_subtag, INFO->language = "vietnamese")
CHANGE(high_words, INFO->areas.items[0].altitude = "high")
CHANGE(bad_status, a->status = CAP_STATUS_COUNT)

static void forms_and_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        changer change;
        kg_err want;
        const char *text; /* in the document, or in the sentence of the refusal */
    } rows[] = {
        {"UTC is -00:00", utc, KG_OK, "<sent>2026-03-20T09:46:40-00:00</sent>"},
        {"a true offset", west, KG_OK, "<sent>2026-03-20T06:16:40-03:30</sent>"},
        {"signs are escaped once", signs, KG_OK, "<note>a &lt; b &amp; c &gt; \"d\" ]]&gt;</note>"},
        {"a category is required", no_categories, KG_OK, "<category>Other</category>"},
        {"a type is required", no_type, KG_OK, "<mimeType>application/octet-stream</mimeType>"},
        {"no identifier", no_identifier, KG_E_INVALID, "<identifier>"},
        {"no sender", no_sender, KG_E_INVALID, "<sender>"},
        {"no sent", no_sent, KG_E_INVALID, "<sent>"},
        {"a control character", bell, KG_E_INVALID, "<note>"},
        {"not UTF-8", not_utf8, KG_E_INVALID, "<headline>"},
        {"no character", no_character, KG_E_INVALID, "<headline>"},
        {"no language", bad_language, KG_E_INVALID, "<language>"},
        {"a subtag of ten letters", long_subtag, KG_E_INVALID, "<language>"},
        {"no number", high_words, KG_E_INVALID, "<altitude>"},
        {"no status", bad_status, KG_E_INVALID, "<status>"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        alert a;
        kg_buf xml = {0};
        kg_diag diag = {{0}};
        sample_alert(&a);
        rows[i].change(&a);
        const kg_err e = cap_write(&a, &xml, &diag);
        const char *where = e == KG_OK ? xml.s : diag.text;
        if (e != rows[i].want || strstr(where, rows[i].text) == NULL || (e != KG_OK && xml.len != 0)) {
            fail_msg("%s: %s: %s", rows[i].label, kg_err_name(e), where);
        }
        assert_true(e != KG_OK || strstr(xml.s, "Z</") == NULL);
        kg_buf_done(&xml);
        alert_done(&a);
    }
}

/* An alert that never was CAP: every field and scale survives the way through a document. */
static void scales_travel_as_parameters(void **state)
{
    (void)state;
    alert a;
    cap_reading r;
    kg_buf xml = {0};
    sample_alert(&a);
    write_and_read(&a, &xml, &r);
    const alert *b = &r.documents[0].alert;
    assert_int_equal(b->bulletin_class, CLASS_URGENT);
    assert_string_equal(b->agency, "kttv-vinh-long");
    assert_string_equal(b->sector, "disaster");
    assert_int_equal(b->risk_level, 3);
    assert_int_equal(b->civil_defence_level, 2);
    assert_string_equal(b->civil_defence_decision, "12/QĐ-UBND");
    assert_int_equal(b->phase, 1);
    assert_string_equal(b->emergency_instrument, "15/NQ-CP");
    assert_true(b->first_warning);
    assert_int_equal(b->next_bulletin_ms, 1774020000000);
    assert_int_equal(b->worst_hit.count, 2);
    assert_string_equal(b->worst_hit.items[0], "29551");
    assert_string_equal(b->infos.items[0].sms, "Man 4 g/l, tru nuoc ngot");
    assert_string_equal(b->infos.items[0].sms_accented, "Mặn 4 g/l, trữ nước ngọt");
    assert_string_equal(b->infos.items[0].speech, "Mặn bốn gam trên lít.");
    assert_string_equal(b->infos.items[0].crawl, "XÂM NHẬP MẶN");
    assert_string_equal(b->codes.items[0], CAP_VN_CODE);
    assert_int_equal(b->codes.count, 2); /* it was there and is not put twice */
    assert_string_equal(b->infos.items[0].parameters.items[0].name, "depth");
    assert_int_equal(b->references.count, 2);
    assert_string_equal(b->references.items[1].identifier, "old");
    assert_int_equal(b->infos.items[0].onset_offset_min, -300);
    /* the rest, at once: what a document cannot carry is taken out, the parameters are put in */
    kg_buf first = {0};
    kg_buf second = {0};
    a.hold = "";
    a.has_source = false;
    a.expires_ms = 0;
    a.infos.items[0].resources.items[0].carried = false;
    assert_int_equal(profile_write(&a), KG_OK);
    assert_int_equal(alert_pack(&a, &first), KG_OK);
    assert_int_equal(alert_pack(b, &second), KG_OK);
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.s, second.s, first.len);
    kg_buf_done(&first);
    kg_buf_done(&second);
    kg_buf_done(&xml);
    cap_reading_done(&r);
    alert_done(&a);
}

/* profile_write replaces what the parameters said before and leaves all others alone. */
static void scales_replace_old_parameters(void **state)
{
    (void)state;
    alert_pair pairs[] = {{"CAP-VN:class", "routine"}, {"x", "1"}, {"CAP-VN:risk-level", "1"}, {"x", "2"}};
    alert_info info = {.parameters = {pairs, 4}, .sms = "", .sms_accented = "", .speech = "", .crawl = ""};
    alert a;
    alert_init(&a);
    a.infos.items = &info;
    a.infos.count = 1;
    a.bulletin_class = CLASS_PRIORITY;
    assert_int_equal(profile_write(&a), KG_OK);
    assert_int_equal(info.parameters.count, 3);
    assert_string_equal(info.parameters.items[0].value, "1");
    assert_string_equal(info.parameters.items[1].value, "2");
    assert_string_equal(info.parameters.items[2].name, "CAP-VN:class");
    assert_string_equal(info.parameters.items[2].value, "priority");
    assert_string_equal(a.codes.items[0], CAP_VN_CODE);
    alert_done(&a);
}

static void count_findings(void *ctx, const char *rule, cap_verdict v, const char *sentence)
{
    size_t *n = ctx;
    assert_string_equal(rule, "CAP-VN");
    assert_true(v > CAP_ACCEPT && *sentence != '\0');
    (*n)++;
}

/* What a document says itself is told apart from what it leaves to the publisher; nothing is derived. */
static void tells_what_was_given(void **state)
{
    (void)state;
    static const struct {
        const char *label, *name, *value;
        unsigned given;
        size_t findings;
    } rows[] = {
        {"routine, said aloud", "CAP-VN:class", "routine", PROFILE_CLASS, 0},
        {"a class nobody knows", "CAP-VN:class", "red", 0, 1},
        {"a sector", "CAP-VN:sector", "disaster", PROFILE_SECTOR, 0},
        {"an agency", "CAP-VN:agency", "kttv", PROFILE_AGENCY, 0},
        {"a risk level is no class", "CAP-VN:risk-level", "5", 0, 0},
        {"another's parameter", "awareness_level", "4; red; Extreme", 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        alert_pair pair = {rows[i].name, rows[i].value};
        alert_info info = {.parameters = {&pair, 1}, .severity = CAP_SEVERITY_EXTREME};
        alert a;
        unsigned given = 99;
        size_t findings = 0;
        alert_init(&a);
        a.infos.items = &info;
        a.infos.count = 1;
        assert_int_equal(profile_read(&a, &given, count_findings, &findings), KG_OK);
        if (given != rows[i].given || findings != rows[i].findings || a.bulletin_class != CLASS_ROUTINE) {
            fail_msg("%s: given %u, %zu findings", rows[i].label, given, findings);
        }
        alert_done(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_base_comes_back_as_it_was), cmocka_unit_test(forms_and_refusals),
        cmocka_unit_test(scales_travel_as_parameters),   cmocka_unit_test(scales_replace_old_parameters),
        cmocka_unit_test(tells_what_was_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
