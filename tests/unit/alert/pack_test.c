#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alert/pack.h"
#include "tests/unit/alert/sample.h"

static void pack(const alert *a, kg_buf *out)
{
    assert_int_equal(alert_pack(a, out), KG_OK);
}

static void round_trip_keeps_every_field(void **state)
{
    (void)state;
    alert a;
    alert b;
    kg_buf first = {0};
    kg_buf second = {0};
    kg_diag diag = {{0}};
    sample_alert(&a);
    pack(&a, &first);
    if (alert_unpack(first.s, first.len, &b, &diag) != KG_OK) {
        fail_msg("%s", diag.text);
    }
    pack(&b, &second);
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.s, second.s, first.len);

    assert_string_equal(b.identifier, "VN-86-2026-0001");
    assert_int_equal(b.sent_ms, 1774000000000);
    assert_int_equal(b.sent_offset_min, 420);
    assert_int_equal(b.status, CAP_EXERCISE);
    assert_int_equal(b.msg_type, CAP_UPDATE);
    assert_int_equal(b.scope, CAP_RESTRICTED);
    assert_string_equal(b.addresses.items[1], "ban chỉ huy");
    assert_int_equal(b.references.items[1].sent_ms, 0);
    assert_int_equal(b.bulletin_class, CLASS_URGENT);
    assert_int_equal(b.risk_level, 3);
    assert_true(b.first_warning);
    assert_string_equal(b.worst_hit.items[1], "29554");
    assert_string_equal(b.hold, "ALT-1: một lý do");
    assert_true(b.has_source);
    const alert_info *i = &b.infos.items[0];
    assert_int_equal(i->categories, 1U << CAP_MET | 1U << CAP_ENV);
    assert_int_equal(i->onset_offset_min, -300);
    assert_string_equal(i->parameters.items[1].value, "46");
    assert_true(i->resources.items[0].carried);
    assert_int_equal(i->resources.items[0].size, 70000);
    assert_string_equal(i->areas.items[0].circles.items[1], "10.1,106 0");
    assert_string_equal(i->areas.items[0].geocodes.items[0].value, "29551");
    assert_string_equal(i->crawl, "XÂM NHẬP MẶN");
    kg_buf_done(&first);
    kg_buf_done(&second);
    alert_done(&a);
    alert_done(&b);
}

static void an_almost_empty_alert_has_texts_everywhere(void **state)
{
    (void)state;
    alert a;
    alert b;
    kg_buf bytes = {0};
    alert_init(&a);
    a.identifier = "i";
    a.sender = "s";
    a.sent_ms = 1;
    pack(&a, &bytes);
    assert_int_equal(alert_unpack(bytes.s, bytes.len, &b, NULL), KG_E_INVALID); /* no expiry */
    assert_int_equal(alert_unpack_draft(bytes.s, bytes.len, &b, NULL), KG_OK);
    assert_string_equal(b.note, "");
    assert_string_equal(b.hold, "");
    assert_string_equal(b.agency, "");
    assert_int_equal(b.infos.count, 0);
    alert_done(&b);
    alert_done(&a);
    kg_buf_done(&bytes);
}

/* One wrong value a row; the sentence must name the field. */
static char *long_text(size_t n)
{
    char *s = malloc(n + 1);
    assert_non_null(s);
    memset(s, 'x', n);
    s[n] = '\0';
    return s;
}

typedef void (*spoiler)(alert *a);
static char *spare; /* what a spoiler allocated */

#define INFO (&a->infos.items[0])
#define SPOIL(name, ...)                                                                                               \
    static void name(alert *a)                                                                                         \
    {                                                                                                                  \
        __VA_ARGS__;                                                                                                   \
    }
SPOIL(no_identifier, a->identifier = "")
SPOIL(no_sender, a->sender = "")
SPOIL(no_sent, a->sent_ms = 0)
SPOIL(no_expiry, a->expires_ms = 0)
SPOIL(sent_before_1970, a->sent_ms = -1)
SPOIL(sent_after_9999, a->sent_ms = INT64_C(253402300800000))
SPOIL(zone_too_far, a->sent_offset_min = 841)
SPOIL(status_unknown, a->status = CAP_STATUS_COUNT)
SPOIL(type_unknown, a->msg_type = CAP_MSG_TYPE_COUNT)
SPOIL(scope_unknown, a->scope = CAP_SCOPE_COUNT)
SPOIL(class_unknown, a->bulletin_class = CLASS_COUNT)
SPOIL(risk_six, a->risk_level = 6)
SPOIL(civil_four, a->civil_defence_level = 4)
SPOIL(phase_four, a->phase = 4)
SPOIL(worst_hit_name, a->worst_hit.items[0] = "An Bình")
SPOIL(not_utf8, a->note = "\xff")
SPOIL(overlong_nul, a->note = "\xc0\x80")
SPOIL(surrogate, INFO->headline = "\xed\xa0\x80")
SPOIL(not_nfc, INFO->headline = "M\xc4\x83\xcc\xa3n") /* a-breve, then a dot below */
SPOIL(singleton, a->note = "\xe2\x84\xaa")            /* the Kelvin sign, which is K */
SPOIL(long_identifier, a->identifier = spare = long_text(ALERT_NAME_MAX + 1))
SPOIL(long_sms, INFO->sms = spare = long_text(ALERT_SMS_MAX + 1))
SPOIL(no_language, INFO->language = "")
SPOIL(bad_language, INFO->language = "vi VN")
SPOIL(urgency_unknown, INFO->urgency = CAP_URGENCY_COUNT)
SPOIL(severity_unknown, INFO->severity = CAP_SEVERITY_COUNT)
SPOIL(certainty_unknown, INFO->certainty = CAP_CERTAINTY_COUNT)
SPOIL(category_unknown, INFO->categories = 1U << CAP_CATEGORY_COUNT)
SPOIL(response_unknown, INFO->responses = 1U << CAP_RESPONSE_COUNT)
SPOIL(onset_zone, INFO->onset_offset_min = -841)
SPOIL(nameless_reference, a->references.items[0].identifier = "")
SPOIL(source_too_big, a->source_bytes = ALERT_PAYLOAD_MAX + 1)
SPOIL(source_empty, a->source_bytes = 0)

static void refuses_each_wrong_value(void **state)
{
    (void)state;
    static const struct {
        const char *field;
        spoiler spoil;
        kg_err want;
    } rows[] = {
        {"identifier", no_identifier, KG_E_INVALID},
        {"sender", no_sender, KG_E_INVALID},
        {"sent", no_sent, KG_E_INVALID},
        {"expires", no_expiry, KG_E_INVALID},
        {"sent", sent_before_1970, KG_E_INVALID},
        {"sent", sent_after_9999, KG_E_INVALID},
        {"sent", zone_too_far, KG_E_INVALID},
        {"status", status_unknown, KG_E_INVALID},
        {"message type", type_unknown, KG_E_INVALID},
        {"scope", scope_unknown, KG_E_INVALID},
        {"class", class_unknown, KG_E_INVALID},
        {"risk level", risk_six, KG_E_INVALID},
        {"civil-defence", civil_four, KG_E_INVALID},
        {"phase", phase_four, KG_E_INVALID},
        {"worst hit", worst_hit_name, KG_E_INVALID},
        {"note", not_utf8, KG_E_INVALID},
        {"note", overlong_nul, KG_E_INVALID},
        {"info 1: headline", surrogate, KG_E_INVALID},
        {"identifier", long_identifier, KG_E_LIMIT},
        {"info 1: sms", long_sms, KG_E_LIMIT},
        {"info 1: language", no_language, KG_E_INVALID},
        {"language", bad_language, KG_E_INVALID},
        {"urgency", urgency_unknown, KG_E_INVALID},
        {"severity", severity_unknown, KG_E_INVALID},
        {"certainty", certainty_unknown, KG_E_INVALID},
        {"categories", category_unknown, KG_E_INVALID},
        {"responses", response_unknown, KG_E_INVALID},
        {"onset", onset_zone, KG_E_INVALID},
        {"reference", nameless_reference, KG_E_INVALID},
        {"original", source_too_big, KG_E_INVALID},
        {"original", source_empty, KG_E_INVALID},
        {"info 1: headline", not_nfc, KG_E_INVALID},
        {"note", singleton, KG_E_INVALID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        alert a;
        alert b;
        kg_buf bytes = {0};
        kg_diag diag = {{0}};
        sample_alert(&a);
        rows[i].spoil(&a);
        pack(&a, &bytes);
        const kg_err e = alert_unpack(bytes.s, bytes.len, &b, &diag);
        if (e != rows[i].want || strstr(diag.text, rows[i].field) == NULL) {
            fail_msg("row %zu, %s: %s: %s", i, rows[i].field, kg_err_name(e), diag.text);
        }
        kg_buf_done(&bytes);
        alert_done(&a);
        free(spare);
        spare = NULL;
    }
}

/* A list one longer than its limit, all its entries the same. */
static void refuses_lists_over_their_limits(void **state)
{
    (void)state;
    enum { MOST = ALERT_CODES_MAX + 1 };
    static const char *texts[MOST];
    static alert_pair pairs[MOST];
    static alert_area areas[ALERT_AREAS_MAX + 1];
    static alert_info infos[ALERT_INFOS_MAX + 1];
    for (size_t i = 0; i < MOST; i++) {
        texts[i] = "";
        pairs[i] = (alert_pair){"", ""};
    }
    static const char *const labels[] = {"codes", "infos", "areas", "geocodes", "parameters", "at the limit"};
    for (size_t row = 0; row < sizeof labels / sizeof labels[0]; row++) {
        alert a;
        alert b;
        kg_buf bytes = {0};
        kg_diag diag = {{0}};
        sample_alert(&a);
        alert_info *info = &a.infos.items[0];
        for (size_t i = 0; i <= ALERT_AREAS_MAX; i++) {
            areas[i] = (alert_area){.description = "", .altitude = "", .ceiling = ""};
        }
        for (size_t i = 0; i <= ALERT_INFOS_MAX; i++) {
            infos[i] = *info;
        }
        switch (row) {
        case 0:
            a.codes = (alert_texts){texts, ALERT_LIST_MAX + 1};
            break;
        case 1:
            a.infos.items = infos;
            a.infos.count = ALERT_INFOS_MAX + 1;
            break;
        case 2:
            info->areas.items = areas;
            info->areas.count = ALERT_AREAS_MAX + 1;
            break;
        case 3: /* over two areas together */
            areas[0].geocodes = (alert_pairs){pairs, ALERT_CODES_MAX};
            areas[1].geocodes = (alert_pairs){pairs, 1};
            info->areas.items = areas;
            info->areas.count = 2;
            break;
        case 4:
            info->parameters = (alert_pairs){pairs, ALERT_LIST_MAX + 1};
            break;
        default:
            a.codes = (alert_texts){texts, ALERT_LIST_MAX};
            areas[0].geocodes = (alert_pairs){pairs, ALERT_CODES_MAX};
            info->areas.items = areas;
            info->areas.count = ALERT_AREAS_MAX;
            break;
        }
        pack(&a, &bytes);
        const bool at_limit = row + 1 == sizeof labels / sizeof labels[0];
        const kg_err e = alert_unpack(bytes.s, bytes.len, &b, &diag);
        if (e != (at_limit ? KG_OK : KG_E_LIMIT) || (!at_limit && strstr(diag.text, labels[row]) == NULL)) {
            fail_msg("%s: %s: %s", labels[row], kg_err_name(e), diag.text);
        }
        if (e == KG_OK) {
            alert_done(&b);
        }
        kg_buf_done(&bytes);
        alert_done(&a);
    }
}

/* protobuf's own NUL trap: text is bytes here, so an embedded NUL must be seen and refused. */
static void refuses_an_embedded_nul(void **state)
{
    (void)state;
    alert a;
    alert b;
    kg_buf bytes = {0};
    kg_diag diag = {{0}};
    sample_alert(&a);
    a.note = "abXcd";
    pack(&a, &bytes);
    char *at = memmem(bytes.s, bytes.len, "abXcd", 5);
    assert_non_null(at);
    at[2] = '\0';
    assert_int_equal(alert_unpack(bytes.s, bytes.len, &b, &diag), KG_E_INVALID);
    assert_non_null(strstr(diag.text, "note"));
    kg_buf_done(&bytes);
    alert_done(&a);
}

static void survives_any_flipped_byte_and_any_cut(void **state)
{
    (void)state;
    alert a;
    kg_buf bytes = {0};
    sample_alert(&a);
    pack(&a, &bytes);
    unsigned refused = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            alert b;
            bytes.s[i] = (char)(bytes.s[i] ^ (1 << bit));
            if (alert_unpack(bytes.s, bytes.len, &b, NULL) == KG_OK) {
                alert_done(&b);
            } else {
                refused++;
            }
            bytes.s[i] = (char)(bytes.s[i] ^ (1 << bit));
        }
    }
    assert_true(refused > 1000);
    for (size_t n = 0; n < bytes.len; n++) {
        alert b;
        /* A copy of exactly n bytes, so that a read beyond them is seen by the sanitizer. */
        char *cut = malloc(n + 1);
        assert_non_null(cut);
        memcpy(cut, bytes.s, n);
        char *exact = realloc(cut, n != 0 ? n : 1);
        assert_non_null(exact);
        if (alert_unpack(exact, n, &b, NULL) == KG_OK) {
            alert_done(&b);
        }
        free(exact);
    }
    kg_buf_done(&bytes);
    alert_done(&a);
}

/* 64 KiB of empty references: two bytes each on the wire, a struct each in memory. */
static void hostile_counts_meet_the_ceiling(void **state)
{
    (void)state;
    static uint8_t bytes[ALERT_PAYLOAD_MAX];
    for (size_t i = 0; i + 1 < sizeof bytes; i += 2) {
        bytes[i] = 15 << 3 | 2; /* infos, length-delimited */
        bytes[i + 1] = 0;
    }
    alert a;
    assert_int_equal(kg_err_class(alert_unpack(bytes, sizeof bytes, &a, NULL)), KG_PERM);
    assert_int_equal(alert_unpack(bytes, ALERT_PAYLOAD_MAX + 1, &a, NULL), KG_E_LIMIT);
}

static void signed_round_trip_and_its_limits(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        size_t signatures, payload;
        kg_err want;
    } rows[] = {
        {"one signature", 1, 10, KG_OK},
        {"four", 4, 10, KG_OK},
        {"none", 0, 10, KG_E_INVALID},
        {"no payload", 1, 0, KG_E_INVALID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        signed_view v = {.kind = 1,
                         .payload = (const uint8_t *)"0123456789",
                         .payload_len = rows[i].payload,
                         .signature_count = rows[i].signatures};
        memset(v.signatures[0].key, 7, SIGNED_KEY_BYTES);
        memset(v.signatures[0].sig, 9, SIGNED_SIG_BYTES);
        kg_buf bytes = {0};
        assert_int_equal(signed_pack(&v, &bytes), KG_OK);
        signed_view back;
        const kg_err e = signed_open(bytes.s, bytes.len, &back, NULL);
        if (e != rows[i].want) {
            fail_msg("%s: %s", rows[i].label, kg_err_name(e));
        }
        if (e == KG_OK) {
            assert_int_equal(back.kind, 1);
            assert_int_equal(back.payload_len, rows[i].payload);
            assert_memory_equal(back.payload, v.payload, v.payload_len);
            assert_int_equal(back.signature_count, rows[i].signatures);
            assert_memory_equal(back.signatures[0].sig, v.signatures[0].sig, SIGNED_SIG_BYTES);
            signed_done(&back);
        }
        kg_buf_done(&bytes);
    }
    signed_view over = {.signature_count = SIGNED_SIGNATURES_MAX + 1};
    kg_buf none = {0};
    assert_int_equal(signed_pack(&over, &none), KG_E_LIMIT);
    signed_view v;
    /* kind 1, payload "x", one signature with a key of one byte */
    static const uint8_t short_key[] = {0x08, 1, 0x12, 1, 'x', 0x1a, 3, 0x0a, 1, 'k'};
    assert_int_equal(signed_open(short_key, sizeof short_key, &v, NULL), KG_E_INVALID);
    assert_int_equal(signed_open(short_key, SIGNED_BYTES_MAX + 1, &v, NULL), KG_E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip_keeps_every_field),    cmocka_unit_test(an_almost_empty_alert_has_texts_everywhere),
        cmocka_unit_test(refuses_each_wrong_value),        cmocka_unit_test(refuses_lists_over_their_limits),
        cmocka_unit_test(refuses_an_embedded_nul),         cmocka_unit_test(survives_any_flipped_byte_and_any_cut),
        cmocka_unit_test(hostile_counts_meet_the_ceiling), cmocka_unit_test(signed_round_trip_and_its_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
