#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "text/text.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

/* A text of `count` times `unit`, `middle`, and `count2` times `unit2`. */
typedef struct made {
    const char *unit;
    unsigned count;
    const char *middle;
    const char *unit2;
    unsigned count2;
} made;

static void build(const made *m, kg_buf *out)
{
    for (unsigned i = 0; i < m->count; i++) {
        assert_int_equal(kg_buf_puts(out, m->unit), KG_OK);
    }
    assert_int_equal(kg_buf_puts(out, m->middle), KG_OK);
    for (unsigned i = 0; i < m->count2; i++) {
        assert_int_equal(kg_buf_puts(out, m->unit2), KG_OK);
    }
}

static void parts_are_counted(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        made text;
        sms_size want;
    } rows[] = {
        {"empty", {"", 0, "", "", 0}, {SMS_GSM7, 0, 1, 160, 0}},
        {"160 is one", {"a", 160, "", "", 0}, {SMS_GSM7, 160, 1, 0, 0}},
        {"161 is two", {"a", 161, "", "", 0}, {SMS_GSM7, 161, 2, 145, 0}},
        {"306 is two", {"a", 306, "", "", 0}, {SMS_GSM7, 306, 2, 0, 0}},
        {"307 is three", {"a", 307, "", "", 0}, {SMS_GSM7, 307, 3, 152, 0}},
        {"459 is three", {"a", 459, "", "", 0}, {SMS_GSM7, 459, 3, 0, 0}},
        {"80 escapes are 160 septets", {"[", 80, "", "", 0}, {SMS_GSM7, 160, 1, 0, 0}},
        {"an escape pair is not split: 152 + pair", {"a", 152, "[", "a", 100}, {SMS_GSM7, 254, 2, 51, 0}},
        {"two full parts but for the pair: three", {"a", 152, "[", "a", 152}, {SMS_GSM7, 306, 3, 152, 0}},
        {"euro costs two", {"€", 1, "", "", 0}, {SMS_GSM7, 2, 1, 158, 0}},
        {"letters GSM has", {"", 0, "èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà@£$¥_", "", 0}, {SMS_GSM7, 42, 1, 118, 0}},
        {"small c cedilla is not in it", {"ç", 1, "", "", 0}, {SMS_UCS2, 1, 1, 69, 0xE7}},
        {"backtick is not in it", {"`", 1, "", "", 0}, {SMS_UCS2, 1, 1, 69, '`'}},
        {"newline is", {"\n", 2, "", "", 0}, {SMS_GSM7, 2, 1, 158, 0}},
        {"no Vietnamese o", {"a", 3, "ô", "ă", 1}, {SMS_UCS2, 5, 1, 65, 0xF4}},
        {"70 is one", {"ữ", 70, "", "", 0}, {SMS_UCS2, 70, 1, 0, 0x1EEF}},
        {"71 is two", {"ữ", 71, "", "", 0}, {SMS_UCS2, 71, 2, 63, 0x1EEF}},
        {"134 is two", {"ữ", 134, "", "", 0}, {SMS_UCS2, 134, 2, 0, 0x1EEF}},
        {"135 is three", {"ữ", 135, "", "", 0}, {SMS_UCS2, 135, 3, 66, 0x1EEF}},
        {"beyond U+FFFF costs two", {"ữ", 68, "🌊", "", 0}, {SMS_UCS2, 70, 1, 0, 0x1EEF}},
        {"a surrogate pair is not split", {"ữ", 66, "🌊", "ữ", 66}, {SMS_UCS2, 134, 3, 66, 0x1EEF}},
        {"in UCS-2 a bracket costs one", {"[", 69, "ữ", "", 0}, {SMS_UCS2, 70, 1, 0, 0x1EEF}},
        {"Khmer", {"ទ", 70, "", "", 0}, {SMS_UCS2, 70, 1, 0, 0x1791}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        kg_buf text = {0};
        sms_size got = {0};
        build(&rows[i].text, &text);
        const sms_size *want = &rows[i].want;
        if (sms_measure(kg_buf_str(&text), &got) != KG_OK || got.coding != want->coding || got.units != want->units ||
            got.parts != want->parts || got.left != want->left || got.first_odd != want->first_odd) {
            fail_msg("%s: coding %d units %u parts %u left %u odd U+%04X", rows[i].label, (int)got.coding, got.units,
                     got.parts, got.left, (unsigned)got.first_odd);
        }
        kg_buf_done(&text);
    }
}

/* The guides' own sample: 198 characters, three parts accented, two plain. */
static void the_evacuation_text(void **state)
{
    (void)state;
    static const char text[] =
        "KHẨN CẤP: Lũ quét tại xã Đắk Tô. Nước sông Đăk Bla vượt báo động 3. Người dân vùng trũng, "
        "ven suối sơ tán ngay lên nhà văn hóa thôn trước 18 giờ. Không qua ngầm, tràn. Ban chỉ huy "
        "PCTT tỉnh Kon Tum.";
    sms_size size = {0};
    kg_buf plain = {0};
    assert_int_equal(sms_measure(text, &size), KG_OK);
    assert_int_equal(size.units, 198);
    assert_int_equal(size.parts, 3);
    assert_int_equal(text_unaccent(text, &plain), KG_OK);
    assert_int_equal(sms_measure(kg_buf_str(&plain), &size), KG_OK);
    assert_int_equal(size.coding, SMS_GSM7);
    assert_int_equal(size.parts, 2);
    kg_buf_done(&plain);
}

static void broken_text_is_refused(void **state)
{
    (void)state;
    sms_size size = {.units = 7};
    assert_int_equal(sms_measure("a\xC3", &size), KG_E_INVALID);
    assert_int_equal(size.units, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_counted),
        cmocka_unit_test(the_evacuation_text),
        cmocka_unit_test(broken_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
