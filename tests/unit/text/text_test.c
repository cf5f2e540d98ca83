#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <utf8proc.h>

#include "text/text.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static void nfc_composes_and_cleans(void **state)
{
    (void)state;
    static const struct {
        const char *label, *in;
        bool clean;
        const char *want;
    } rows[] = {
        {"composed stays", "Lũ quét", false, "Lũ quét"},
        {"two marks in either order", "e\u0323\u0302 e\u0302\u0323", false, "ệ ệ"},
        {"horn and tone", "u\u031B\u0301", false, "ứ"},
        {"control characters go",
         "a\x01"
         "b\x7F"
         "c\xC2\x85"
         "d",
         true, "abc\nd"},
        {"newline stays, tab is a blank, CR goes", "a\r\n\tb", true, "a\n b"},
        {"bidi overrides go", "a\u202Eb\u2066c\u2069", true, "abc"},
        {"not cleaned: they stay", "a\u202Eb", false, "a\u202Eb"},
        {"byte order mark goes", "\uFEFFa", true, "a"},
        {"a mark behind a removed character joins", "a\u202E\u0301", true, "á"},
        {"Khmer with its zero-width blank", "ទឹក\u200Bជំនន់", true, "ទឹក\u200Bជំនន់"},
        {"empty", "", true, ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        kg_buf out = {0};
        if (text_nfc(rows[i].in, rows[i].clean, &out) != KG_OK || strcmp(kg_buf_str(&out), rows[i].want) != 0) {
            fail_msg("%s: got '%s'", rows[i].label, kg_buf_str(&out));
        }
        kg_buf_done(&out);
    }
    kg_buf out = {0};
    assert_int_equal(text_nfc("a\xC3", false, &out), KG_E_INVALID);
    assert_int_equal(text_nfc("\xED\xA0\x80", true, &out), KG_E_INVALID);
    kg_buf_done(&out);
}

static void script_is_of_the_letters(void **state)
{
    (void)state;
    static const struct {
        const char *label, *in;
        text_script want;
    } rows[] = {
        {"Vietnamese", "Khẩn cấp: lũ quét 22/11", SCRIPT_LATIN},
        {"decomposed", "lu\u0303", SCRIPT_LATIN},
        {"E De", "Ƀuôn Čư̆ Êbur", SCRIPT_LATIN},
        {"Khmer", "ទឹកជំនន់ ១១២", SCRIPT_KHMER},
        {"Lao", "ນ້ຳຖ້ວມ", SCRIPT_LAO},
        {"Thai", "น้ำท่วม", SCRIPT_THAI},
        {"Chinese", "洪水", SCRIPT_OTHER},
        {"Cyrillic look-alike", "Сảnh báo", SCRIPT_MIXED},
        {"digits alone", "18:30 – 112", SCRIPT_NONE},
        {"units do not count", "5 µ", SCRIPT_NONE},
        {"Khmer and Latin", "ទឹក QL53", SCRIPT_MIXED},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (text_script_of(rows[i].in) != rows[i].want) {
            fail_msg("%s: got %d", rows[i].label, (int)text_script_of(rows[i].in));
        }
    }
}

static void language_and_script_must_fit(void **state)
{
    (void)state;
    static const struct {
        const char *label, *text, *language;
        bool want;
    } rows[] = {
        {"vi", "Lũ quét", "vi", true},
        {"vi with a region", "Lũ quét", "vi-VN", true},
        {"Khmer as vi", "ទឹកជំនន់", "vi", false},
        {"Khmer", "ទឹកជំនន់", "km", true},
        {"Khmer, road", "ទឹក QL53", "km-KH", true},
        {"Latin as km", "Lu quet", "km", false},
        {"some Khmer in vi", "Lũ ទឹក", "vi", false},
        {"M'nong", "Ƀon M’nông", "cmo", true},
        {"digits fit all", "112", "km", true},
        {"unknown language", "洪水", "zh", true},
        {"vie is not vi", "洪水", "vie", true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (text_fits_language(rows[i].text, rows[i].language) != rows[i].want) {
            fail_msg("%s", rows[i].label);
        }
    }
}

/* The 29 letters and the 60 toned vowels, small and capital: 178. */
static const struct {
    const char *letters;
    char plain;
} alphabet[] = {
    {"aàảãáạăằẳẵắặâầẩẫấậ", 'a'},
    {"AÀẢÃÁẠĂẰẲẴẮẶÂẦẨẪẤẬ", 'A'},
    {"b", 'b'},
    {"B", 'B'},
    {"c", 'c'},
    {"C", 'C'},
    {"dđ", 'd'},
    {"DĐ", 'D'},
    {"eèẻẽéẹêềểễếệ", 'e'},
    {"EÈẺẼÉẸÊỀỂỄẾỆ", 'E'},
    {"g", 'g'},
    {"G", 'G'},
    {"h", 'h'},
    {"H", 'H'},
    {"iìỉĩíị", 'i'},
    {"IÌỈĨÍỊ", 'I'},
    {"k", 'k'},
    {"K", 'K'},
    {"l", 'l'},
    {"L", 'L'},
    {"m", 'm'},
    {"M", 'M'},
    {"n", 'n'},
    {"N", 'N'},
    {"oòỏõóọôồổỗốộơờởỡớợ", 'o'},
    {"OÒỎÕÓỌÔỒỔỖỐỘƠỜỞỠỚỢ", 'O'},
    {"p", 'p'},
    {"P", 'P'},
    {"q", 'q'},
    {"Q", 'Q'},
    {"r", 'r'},
    {"R", 'R'},
    {"s", 's'},
    {"S", 'S'},
    {"t", 't'},
    {"T", 'T'},
    {"uùủũúụưừửữứự", 'u'},
    {"UÙỦŨÚỤƯỪỬỮỨỰ", 'U'},
    {"v", 'v'},
    {"V", 'V'},
    {"x", 'x'},
    {"X", 'X'},
    {"yỳỷỹýỵ", 'y'},
    {"YỲỶỸÝỴ", 'Y'},
};

static size_t characters(const char *s)
{
    size_t n = 0;
    for (; *s != '\0'; s++) {
        n += ((unsigned char)*s & 0xC0U) != 0x80U ? 1U : 0U;
    }
    return n;
}

static void check_plain(const char *in, size_t want_count, char plain)
{
    kg_buf out = {0};
    assert_int_equal(text_unaccent(in, &out), KG_OK);
    if (out.len != want_count || strspn(kg_buf_str(&out), (char[2]){plain, '\0'}) != want_count) {
        fail_msg("%c: '%s' became '%s'", plain, in, kg_buf_str(&out));
    }
    kg_buf_done(&out);
}

static void every_vietnamese_letter_loses_its_marks(void **state)
{
    (void)state;
    size_t total = 0;
    for (size_t i = 0; i < COUNT(alphabet); i++) {
        const size_t n = characters(alphabet[i].letters);
        total += n;
        check_plain(alphabet[i].letters, n, alphabet[i].plain);
        utf8proc_uint8_t *nfd = utf8proc_NFD((const utf8proc_uint8_t *)alphabet[i].letters);
        assert_non_null(nfd);
        check_plain((const char *)nfd, n, alphabet[i].plain);
        free(nfd);
    }
    assert_int_equal(total, 178);
}

static void unaccent_keeps_the_sense(void **state)
{
    (void)state;
    static const struct {
        const char *label, *in, *want;
    } rows[] = {
        {"a warning", "KHẨN CẤP: Lũ quét tại xã Đắk Liêng", "KHAN CAP: Lu quet tai xa Dak Lieng"},
        {"E De", "Ƀuôn Čư̆ Mgar, Ea H’leo, ƀĕ ñu", "Buon Cu Mgar, Ea H'leo, be nu"},
        {"Gia Rai", "Pleiku, ia Čŭ, bơ̆", "Pleiku, ia Cu, bo"},
        {"M'nong", "M’nông, ŏ ĭ ŭ", "M'nong, o i u"},
        {"quotes and dashes", "“sơ tán” – ‘ngay’ — «đi»…", "\"so tan\" - 'ngay' - \"di\"..."},
        {"degrees in a run", "25°C", "25 do C"},
        {"degrees before a stop", "10°.", "10 do."},
        {"degrees before a blank", "10° Bắc", "10 do Bac"},
        {"comparison", "độ mặn ≥4‰", "do man >=4 phan nghin"},
        {"a half alone", "½ bao", "1/2 bao"},
        {"two and a half", "2½ m", "2 1/2 m"},
        {"squares and cubes", "m² m³/s", "m2 m3/s"},
        {"no-break blank", "5\u00A0km", "5 km"},
        {"invisible ones go", "a\u200B\u00ADb", "ab"},
        {"fullwidth", "Ａ１", "A1"},
        {"ligature", "ﬁ", "fi"},
        {"a sign without plain form stays", "⚠ lũ", "⚠ lu"},
        {"Khmer digits stay", "១១២", "១១២"},
        {"GSM's own letters go plain too", "à è ñ ö ß", "a e n o ss"},
        {"currency", "5.000₫ £ €", "5.000d £ €"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        kg_buf out = {0};
        if (text_unaccent(rows[i].in, &out) != KG_OK || strcmp(kg_buf_str(&out), rows[i].want) != 0) {
            fail_msg("%s: got '%s'", rows[i].label, kg_buf_str(&out));
        }
        kg_buf_done(&out);
    }
}

static void unaccent_refuses_other_scripts(void **state)
{
    (void)state;
    static const struct {
        const char *label, *in;
    } rows[] = {
        {"Khmer", "ទឹកជំនន់"},
        {"Lao", "ນ້ຳຖ້ວມ"},
        {"Thai", "น้ำท่วม"},
        {"Chinese", "洪水"},
        {"Cyrillic", "Сanh"},
        {"Khmer after Latin", "lũ ទឹក"},
        {"a lone Khmer sign", "a\u17C6"},
        {"broken UTF-8", "a\xE1\xBB"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        kg_buf out = {0};
        assert_int_equal(kg_buf_puts(&out, "before"), KG_OK);
        if (text_unaccent(rows[i].in, &out) != KG_E_INVALID || strcmp(kg_buf_str(&out), "before") != 0) {
            fail_msg("%s: got '%s'", rows[i].label, kg_buf_str(&out));
        }
        kg_buf_done(&out);
    }
}

static void fold_is_for_names(void **state)
{
    (void)state;
    static const struct {
        const char *label, *in, *want;
    } rows[] = {
        {"a commune", "  Xã   Hoà\tThuận ", "xa hoa thuan"},
        {"old and new spelling", "HÒA THUẬN", "hoa thuan"},
        {"Dak", "Đắk Lắk", "dak lak"},
        {"Khmer stays", "ទឹក  QL", "ទឹក ql"},
        {"empty", " ", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        kg_buf out = {0};
        if (text_fold(rows[i].in, &out) != KG_OK || strcmp(kg_buf_str(&out), rows[i].want) != 0) {
            fail_msg("%s: got '%s'", rows[i].label, kg_buf_str(&out));
        }
        kg_buf_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nfc_composes_and_cleans),
        cmocka_unit_test(script_is_of_the_letters),
        cmocka_unit_test(language_and_script_must_fit),
        cmocka_unit_test(every_vietnamese_letter_loses_its_marks),
        cmocka_unit_test(unaccent_keeps_the_sense),
        cmocka_unit_test(unaccent_refuses_other_scripts),
        cmocka_unit_test(fold_is_for_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
