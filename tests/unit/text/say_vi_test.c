#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "text/say_vi.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static void numbers_in_words(void **state)
{
    (void)state;
    static const struct {
        int64_t n;
        const char *want;
    } rows[] = {
        {0, "không"},
        {1, "một"},
        {4, "bốn"},
        {5, "năm"},
        {10, "mười"},
        {11, "mười một"},
        {14, "mười bốn"},
        {15, "mười lăm"},
        {20, "hai mươi"},
        {21, "hai mươi mốt"},
        {24, "hai mươi tư"},
        {25, "hai mươi lăm"},
        {55, "năm mươi lăm"},
        {91, "chín mươi mốt"},
        {100, "một trăm"},
        {101, "một trăm linh một"},
        {105, "một trăm linh năm"},
        {110, "một trăm mười"},
        {111, "một trăm mười một"},
        {115, "một trăm mười lăm"},
        {121, "một trăm hai mươi mốt"},
        {999, "chín trăm chín mươi chín"},
        {1000, "một nghìn"},
        {1005, "một nghìn không trăm linh năm"},
        {1015, "một nghìn không trăm mười lăm"},
        {1500, "một nghìn năm trăm"},
        {2026, "hai nghìn không trăm hai mươi sáu"},
        {10000, "mười nghìn"},
        {15121, "mười lăm nghìn một trăm hai mươi mốt"},
        {1000000, "một triệu"},
        {1000001, "một triệu không trăm linh một"},
        {1050000, "một triệu không trăm năm mươi nghìn"},
        {4257581, "bốn triệu hai trăm năm mươi bảy nghìn năm trăm tám mươi mốt"},
        {1000000000, "một tỷ"},
        {1000000005, "một tỷ không trăm linh năm"},
        {2500000000, "hai tỷ năm trăm triệu"},
        {1000000000000, "một nghìn tỷ"},
        {-5, "âm năm"},
        {INT64_MIN, "âm chín tỷ hai trăm hai mươi ba triệu ba trăm bảy mươi hai nghìn không trăm ba mươi sáu tỷ "
                    "tám trăm năm mươi tư triệu bảy trăm bảy mươi lăm nghìn tám trăm linh tám"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        kg_buf out = {0};
        if (say_vi_number(rows[i].n, &out) != KG_OK || strcmp(kg_buf_str(&out), rows[i].want) != 0) {
            fail_msg("%lld: got '%s'", (long long)rows[i].n, kg_buf_str(&out));
        }
        kg_buf_done(&out);
    }
}

typedef struct said {
    const char *in, *want;
} said;

static void check(const said *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        kg_buf out = {0};
        unsigned urls = 9;
        if (say_vi(rows[i].in, &out, &urls) != KG_OK || strcmp(kg_buf_str(&out), rows[i].want) != 0) {
            fail_msg("'%s'\n  got  '%s'\n  want '%s'", rows[i].in, kg_buf_str(&out), rows[i].want);
        }
        kg_buf_done(&out);
    }
}

static void times_and_dates(void **state)
{
    (void)state;
    static const said rows[] = {
        {"18h30 ngày 22/11/2026, mưa 150mm, QL14", "mười tám giờ ba mươi phút ngày hai mươi hai tháng mười một năm hai "
                                                   "nghìn không trăm hai mươi sáu, mưa một trăm "
                                                   "năm mươi mi li mét, quốc lộ mười bốn"},
        {"lúc 18:30", "lúc mười tám giờ ba mươi phút"},
        {"18h", "mười tám giờ"},
        {"18h00", "mười tám giờ"},
        {"5h05", "năm giờ năm phút"},
        {"0h15", "không giờ mười lăm phút"},
        {"18g30", "mười tám giờ ba mươi phút"},
        {"18h30 phút.", "mười tám giờ ba mươi phút."},
        {"18h30' tối", "mười tám giờ ba mươi phút tối"},
        {"08:05:09", "tám giờ năm phút chín giây"},
        {"trong 24h tới", "trong hai mươi tư giờ tới"},
        {"trực 24/24h", "trực hai mươi tư trên hai mươi tư giờ"},
        {"7h-9h30", "bảy giờ đến chín giờ ba mươi phút"},
        {"18 giờ 30", "mười tám giờ ba mươi"},
        {"ngày 1/4/2026", "ngày mùng một tháng tư năm hai nghìn không trăm hai mươi sáu"},
        {"22/11", "ngày hai mươi hai tháng mười một"},
        {"đêm 5/7", "đêm ngày mùng năm tháng bảy"},
        {"mùng 5/7", "mùng năm tháng bảy"},
        {"từ 22-24/11", "từ ngày hai mươi hai đến ngày hai mươi tư tháng mười một"},
        {"22/11 - 24/11", "ngày hai mươi hai tháng mười một đến ngày hai mươi tư tháng mười một"},
        {"22-11-2026", "ngày hai mươi hai tháng mười một năm hai nghìn không trăm hai mươi sáu"},
        {"22.11.2026", "ngày hai mươi hai tháng mười một năm hai nghìn không trăm hai mươi sáu"},
        {"tháng 11/2026", "tháng mười một năm hai nghìn không trăm hai mươi sáu"},
        {"5/7 xã", "năm trên bảy xã"},
        {"tỷ lệ 1:50000", "tỷ lệ một: năm mươi nghìn"},
    };
    check(rows, COUNT(rows));
}

static void quantities(void **state)
{
    (void)state;
    static const said rows[] = {
        {"1.500 hộ", "một nghìn năm trăm hộ"},
        {"1.500.000 đồng", "một triệu năm trăm nghìn đồng"},
        {"2,5 m", "hai phẩy năm mét"},
        {"0,05 g/l", "không phẩy không năm gam trên lít"},
        {"3,14", "ba phẩy mười bốn"},
        {"1,125 km", "một phẩy một hai năm ki lô mét"},
        {"1.5 m", "một phẩy năm mét"},
        {"1,500,000", "một triệu năm trăm nghìn"},
        {"10\u00A0000 người", "mười nghìn người"},
        {"cấp 8-9, giật cấp 11", "cấp tám đến chín, giật cấp mười một"},
        {"3–5 m", "ba đến năm mét"},
        {"3 - 5m", "ba đến năm mét"},
        {"100-150mm", "một trăm đến một trăm năm mươi mi li mét"},
        {"30%", "ba mươi phần trăm"},
        {"20-30%", "hai mươi đến ba mươi phần trăm"},
        {"độ mặn 4‰", "độ mặn bốn phần nghìn"},
        {"độ mặn 4 g/l vào sâu 50-60km", "độ mặn bốn gam trên lít vào sâu năm mươi đến sáu mươi ki lô mét"},
        {"lũ 1.200 m3/s", "lũ một nghìn hai trăm mét khối trên giây"},
        {"1200m³/s", "một nghìn hai trăm mét khối trên giây"},
        {"60 km/h", "sáu mươi ki lô mét trên giờ"},
        {"39°C", "ba mươi chín độ xê"},
        {"-2 °C", "âm hai độ xê"},
        {"10,5°N", "mười phẩy năm độ vĩ bắc"},
        {"200 ha lúa", "hai trăm héc ta lúa"},
        {"05 xã", "năm xã"},
        {"2½ m", "hai rưỡi mét"},
        {"rộng 12 m², sâu 3 m.", "rộng mười hai mét vuông, sâu ba mét."},
        {"5 triệu m3", "năm triệu mét khối"},
        {"≥ 4 g/l", "lớn hơn hoặc bằng bốn gam trên lít"},
        {"bão số 9", "bão số chín"},
        {"năm 2025-2026", "năm hai nghìn không trăm hai mươi lăm đến hai nghìn không trăm hai mươi sáu"},
        {"PM2.5: 150 µg/m3", "pê mờ hai phẩy năm: một trăm năm mươi mi crô gam trên mét khối"},
    };
    check(rows, COUNT(rows));
}

static void telephones(void **state)
{
    (void)state;
    static const said rows[] = {
        {"Gọi 112.", "Gọi một một hai."},
        {"Gọi 112", "Gọi một một hai"},
        {"gọi 112 hoặc 114 ngay", "gọi một một hai hoặc một một bốn ngay"},
        {"Khẩn cấp: 112, 113, 115", "Khẩn cấp: một một hai, một một ba, một một năm"},
        {"112 hộ dân", "một trăm mười hai hộ dân"},
        {"mưa 112 mm", "mưa một trăm mười hai mi li mét"},
        {"QL112", "quốc lộ một trăm mười hai"},
        {"tổng đài 1022", "tổng đài một không hai hai"},
        {"ĐT: 0270.3822.222", "điện thoại: không hai bảy không, ba tám hai hai, hai hai hai"},
        {"hotline 1900 1234", "hotline một chín không không, một hai ba bốn"},
        {"0912345678", "không chín một hai ba bốn năm sáu bảy tám"},
    };
    check(rows, COUNT(rows));
}

static void roads_and_abbreviations(void **state)
{
    (void)state;
    static const said rows[] = {
        {"QL.53, QL 54, QL14B", "quốc lộ năm mươi ba, quốc lộ năm mươi tư, quốc lộ mười bốn bê"},
        {"ĐT907 và ĐT.908", "đường tỉnh chín trăm linh bảy và đường tỉnh chín trăm linh tám"},
        {"TL1", "tỉnh lộ một"},
        {"Km12+300", "ki lô mét số mười hai cộng ba trăm"},
        {"UBND tỉnh", "Ủy ban nhân dân tỉnh"},
        {"BCH PCTT&TKCN", "Ban chỉ huy phòng chống thiên tai và tìm kiếm cứu nạn"},
        {"BCH PCTT-TKCN", "Ban chỉ huy phòng chống thiên tai tìm kiếm cứu nạn"},
        {"BCH PTDS xã", "Ban chỉ huy phòng thủ dân sự xã"},
        {"TP. Vĩnh Long, TP.HCM", "thành phố Vĩnh Long, thành phố Hồ Chí Minh"},
        {"P.5", "phường năm"},
        {"lũ vượt BĐ3", "lũ vượt báo động ba"},
        {"báo động III", "báo động ba"},
        {"rủi ro cấp IV", "rủi ro cấp bốn"},
        {"ATNĐ mạnh lên", "áp thấp nhiệt đới mạnh lên"},
        {"CAO", "cao"},
    };
    check(rows, COUNT(rows));
}

static void capitals_and_signs(void **state)
{
    (void)state;
    static const said rows[] = {
        {"KHẨN CẤP: LŨ QUÉT", "khẩn cấp: lũ quét"},
        {"DIỄN TẬP", "diễn tập"},
        {"NGHIÊNG, KHUỶU, GIẾNG", "nghiêng, khuỷu, giếng"},
        {"VNPT", "vê nờ pê tê"},
        {"xã/phường", "xã phường"},
        {"Tin “khẩn”", "Tin khẩn"},
        {"a\nb", "a. b"},
        {"a.\n- b\n- c", "a. b. c"},
        {"Sơ tán ngay - không chờ", "Sơ tán ngay, không chờ"},
        {"(QL53)", "(quốc lộ năm mươi ba)"},
        {"", ""},
    };
    check(rows, COUNT(rows));
}

static void addresses_are_not_read(void **state)
{
    (void)state;
    static const struct {
        const char *in, *want;
        unsigned urls;
    } rows[] = {
        {"Xem https://vinhlong.gov.vn/tin?id=5.", "Xem.", 1},
        {"Xem (www.nchmf.gov.vn) ngay", "Xem ngay", 1},
        {"Thư: pctt@vinhlong.gov.vn, gọi 112", "Thư:, gọi một một hai", 1},
        {"vinhlong.gov.vn và daklak.gov.vn:8080/a", "và", 2},
        {"v.v. hết", "vân vân hết", 0},
        {"Không có", "Không có", 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        kg_buf out = {0};
        unsigned urls = 9;
        if (say_vi(rows[i].in, &out, &urls) != KG_OK || strcmp(kg_buf_str(&out), rows[i].want) != 0 ||
            urls != rows[i].urls) {
            fail_msg("'%s': got '%s', %u", rows[i].in, kg_buf_str(&out), urls);
        }
        kg_buf_done(&out);
    }
}

static void both_normal_forms_sound_the_same(void **state)
{
    (void)state;
    kg_buf out = {0};
    unsigned urls = 0;
    assert_int_equal(say_vi("nga\u0300y 22/11", &out, &urls), KG_OK);
    assert_string_equal(kg_buf_str(&out), "ngày hai mươi hai tháng mười một");
    assert_int_equal(say_vi("a\xFF", &out, &urls), KG_E_INVALID);
    kg_buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_in_words),
        cmocka_unit_test(times_and_dates),
        cmocka_unit_test(quantities),
        cmocka_unit_test(telephones),
        cmocka_unit_test(roads_and_abbreviations),
        cmocka_unit_test(capitals_and_signs),
        cmocka_unit_test(addresses_are_not_read),
        cmocka_unit_test(both_normal_forms_sound_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
