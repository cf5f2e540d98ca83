#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "alert/alert.h"

typedef int (*word_reader)(const char *);
#define CASE(read, text, want)                                                                                         \
    {                                                                                                                  \
#read " '" text "'", read, text, want                                                                          \
    }

static void reads_words_of_every_scale(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        word_reader read;
        const char *text;
        int want;
    } rows[] = {
        CASE(cap_status_read, "Actual", CAP_ACTUAL),
        CASE(cap_status_read, " exercise\n", CAP_EXERCISE),
        CASE(cap_status_read, "", -1),
        CASE(cap_status_read, "Act", -1),
        CASE(cap_msg_type_read, "Cancel", CAP_CANCEL),
        CASE(cap_msg_type_read, "Revoke", -1),
        CASE(cap_scope_read, "Private", CAP_PRIVATE),
        CASE(cap_category_read, "CBRNE", CAP_CBRNE),
        CASE(cap_category_read, "Meteorological", -1),
        CASE(cap_response_read, "AllClear", CAP_ALLCLEAR),
        CASE(cap_urgency_read, "Immediate", CAP_URGENCY_IMMEDIATE),
        CASE(cap_severity_read, "Extreme", CAP_SEVERITY_EXTREME),
        CASE(cap_certainty_read, "Likely", CAP_CERTAINTY_LIKELY),
        CASE(cap_certainty_read, "Very Likely", CAP_CERTAINTY_LIKELY),
        CASE(cap_certainty_read, "Very  Likely", -1),
        CASE(bulletin_class_read, "urgent", CLASS_URGENT),
        CASE(bulletin_class_read, "2", CLASS_URGENT),
        CASE(bulletin_class_read, "3", -1),
        CASE(bulletin_class_read, "khẩn cấp", CLASS_URGENT),
        CASE(bulletin_class_read, "Khẩn cấp", CLASS_URGENT),
        CASE(bulletin_class_read, "KHẨN CẤP", CLASS_URGENT),
        CASE(bulletin_class_read, "khan cap", CLASS_URGENT),
        CASE(bulletin_class_read, "Ưu tiên", CLASS_PRIORITY),
        CASE(bulletin_class_read, "UU TIEN", CLASS_PRIORITY),
        CASE(bulletin_class_read, "thông thường", CLASS_ROUTINE),
        CASE(bulletin_class_read, "", -1),
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int got = rows[i].read(rows[i].text);
        if (got != rows[i].want) {
            fail_msg("%s: got %d", rows[i].label, got);
        }
    }
}

static void writes_what_it_reads(void **state)
{
    (void)state;
    for (int i = 0; i < CAP_CATEGORY_COUNT; i++) {
        assert_int_equal(cap_category_read(cap_category_text((cap_category)i)), i);
    }
    for (int i = 0; i < CAP_RESPONSE_COUNT; i++) {
        assert_int_equal(cap_response_read(cap_response_text((cap_response)i)), i);
    }
    for (int i = 0; i < CLASS_COUNT; i++) {
        assert_int_equal(bulletin_class_read(bulletin_class_vi((bulletin_class)i)), i);
    }
    assert_string_equal(cap_status_text((cap_status)99), "");
    assert_string_equal(bulletin_class_vi(CLASS_URGENT), "khẩn cấp");
}

/* BLAKE2b from another implementation (Python's hashlib, digest_size 16 and 32). */
static void hashes_are_blake2b(void **state)
{
    (void)state;
    char text[ALERT_ID_TEXT];
    alert_id_text(alert_id_of("s", "i", 1000), text);
    assert_string_equal(text, "49137ae3fd2094692a2a2387cbf07935");
    const alert_hash h = alert_hash_of("abc", 3);
    static const uint8_t want[4] = {0xbd, 0xdd, 0x81, 0x3c};
    assert_memory_equal(h.b, want, sizeof want);
}

static void an_id_is_the_cap_triple(void **state)
{
    (void)state;
    const alert_id id = alert_id_of("a", "bc", 5000);
    static const struct {
        const char *label, *sender, *identifier;
        int64_t sent_ms;
        bool same;
    } rows[] = {
        {"the same", "a", "bc", 5000, true},
        {"a fraction of a second does not count", "a", "bc", 5999, true},
        {"the next second does", "a", "bc", 6000, false},
        {"fields do not flow together", "ab", "c", 5000, false},
        {"another sender", "A", "bc", 5000, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (alert_id_same(id, alert_id_of(rows[i].sender, rows[i].identifier, rows[i].sent_ms)) != rows[i].same) {
            fail_msg("%s", rows[i].label);
        }
    }
    char text[ALERT_ID_TEXT];
    alert_id back = {{0}};
    alert_id_text(id, text);
    assert_true(alert_id_read(text, &back));
    assert_true(alert_id_same(id, back));
    assert_false(alert_id_read("12", &back));
}

static void picks_the_info_of_a_language(void **state)
{
    (void)state;
    alert_info infos[] = {{.language = "vi-VN", .severity = CAP_SEVERITY_MINOR},
                          {.language = "km", .severity = CAP_SEVERITY_SEVERE},
                          {.language = "vi", .severity = CAP_SEVERITY_MODERATE}};
    alert a;
    alert_init(&a);
    a.infos.items = infos;
    a.infos.count = 3;
    static const struct {
        const char *language;
        int want;
    } rows[] = {{"vi", 2}, {"VI-vn", 0}, {"vi-Latn", 0}, {"km-KH", 1}, {"k", -1}, {"lo", -1}, {"", -1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const alert_info *got = alert_info_for(&a, rows[i].language);
        const int at = got != NULL ? (int)(got - infos) : -1;
        if (at != rows[i].want) {
            fail_msg("%s: info %d", rows[i].language, at);
        }
    }
    assert_int_equal(alert_severity(&a), CAP_SEVERITY_SEVERE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_words_of_every_scale),   cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(hashes_are_blake2b),           cmocka_unit_test(an_id_is_the_cap_triple),
        cmocka_unit_test(picks_the_info_of_a_language),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
