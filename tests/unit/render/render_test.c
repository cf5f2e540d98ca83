#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "render/render.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

/* 22 November 2026, 21:05 in Hanoi = 14:05 UTC. */
static const int64_t SENT_MS = 1795356300000;

enum { AREAS_MOST = 12 };

typedef struct sample {
    alert a;
    alert_info infos[2];
    alert_area areas[AREAS_MOST];
    alert_pair parameters[2];
} sample;

static alert_info blank_info(const char *language)
{
    return (alert_info){.language = language,
                        .event = "",
                        .audience = "",
                        .sender_name = "",
                        .headline = "",
                        .description = "",
                        .instruction = "",
                        .web = "",
                        .contact = "",
                        .sms = "",
                        .sms_accented = "",
                        .speech = "",
                        .crawl = ""};
}

static void salinity(sample *s)
{
    memset(s, 0, sizeof *s);
    alert_init(&s->a);
    s->a.sent_ms = SENT_MS;
    s->infos[0] = blank_info("vi-VN");
    s->infos[0].event = "Xâm nhập mặn";
    s->infos[0].headline = "KHẨN CẤP: Mặn 4‰ trên sông Cổ Chiên";
    s->infos[0].instruction = "Đóng cống, trữ nước ngọt. Không tưới khi mặn trên 1 g/l.";
    s->infos[0].sender_name = "Sở NN&MT Vĩnh Long";
    s->areas[0].description = "Xã An Định";
    s->infos[0].areas.items = s->areas;
    s->infos[0].areas.count = 1;
    s->infos[0].parameters.items = s->parameters;
    s->a.infos.items = s->infos;
    s->a.infos.count = 1;
}

typedef struct change {
    const char *label;
    cap_status status;
    cap_msg_type msg_type;
    uint32_t responses;
    const char *headline, *instruction, *sms; /* NULL: as in the sample */
    const char *parameter, *value;
    kg_err want_error;
    const char *want;
} change;

static void apply(const change *c, sample *s)
{
    salinity(s);
    s->a.status = c->status;
    s->a.msg_type = c->msg_type;
    s->infos[0].responses = c->responses;
    s->infos[0].headline = c->headline != NULL ? c->headline : s->infos[0].headline;
    s->infos[0].instruction = c->instruction != NULL ? c->instruction : s->infos[0].instruction;
    s->infos[0].sms = c->sms != NULL ? c->sms : "";
    if (c->parameter != NULL) {
        s->parameters[0] = (alert_pair){c->parameter, c->value};
        s->infos[0].parameters.count = 1;
    }
}

#define A160                                                                                                           \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"                                 \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void short_messages(void **state)
{
    (void)state;
    static const change rows[] = {
        {"proposed", CAP_ACTUAL, CAP_ALERT, 0, NULL, NULL, NULL, NULL, NULL, KG_OK,
         "KHAN CAP: Man 4 phan nghin tren song Co Chien. Xa An Dinh. Dong cong, tru nuoc ngot. Khong tuoi khi man tren "
         "1 "
         "g/l. 21h05 22/11, So NN&MT Vinh Long. Goi 112."},
        /* with the issuer it would be 165: he is left out first */
        {"the issuer goes first", CAP_ACTUAL, CAP_ALERT, 0, "KHẨN CẤP: Mặn 4‰ trên sông Cổ Chiên lúc 20h", NULL, NULL,
         NULL, NULL, KG_OK,
         "KHAN CAP: Man 4 phan nghin tren song Co Chien luc 20h. Xa An Dinh. Dong cong, tru nuoc ngot. Khong tuoi khi "
         "man "
         "tren 1 g/l. 21h05 22/11. Goi 112."},
        {"drill, first and last", CAP_EXERCISE, CAP_ALERT, 0, NULL, "Trữ nước ngọt.", NULL, NULL, NULL, KG_OK,
         "DIEN TAP. KHAN CAP: Man 4 phan nghin tren song Co Chien. Xa An Dinh. Tru nuoc ngot. 21h05 22/11, So NN&MT "
         "Vinh "
         "Long. Goi 112. DIEN TAP."},
        {"test", CAP_TEST, CAP_ALERT, 0, "Mặn", "Trữ nước.", NULL, NULL, NULL, KG_OK,
         "THU NGHIEM. Man. Xa An Dinh. Tru nuoc. 21h05 22/11, So NN&MT Vinh Long. Goi 112. THU NGHIEM."},
        {"cancel says so first, and calls nobody", CAP_ACTUAL, CAP_CANCEL, 0, "Mặn đã rút", "Lấy nước bình thường.",
         NULL, NULL, NULL, KG_OK,
         "HUY CANH BAO: Man da rut. Xa An Dinh. Lay nuoc binh thuong. 21h05 22/11, So NN&MT Vinh Long."},
        {"cancel that says it itself", CAP_ACTUAL, CAP_CANCEL, 0, "Hủy cảnh báo mặn", "Lấy nước bình thường.", NULL,
         NULL, NULL, KG_OK, "Huy canh bao man. Xa An Dinh. Lay nuoc binh thuong. 21h05 22/11, So NN&MT Vinh Long."},
        {"all-clear has no advice of danger", CAP_ACTUAL, CAP_UPDATE, 1U << CAP_ALLCLEAR | 1U << CAP_EVACUATE,
         "Mặn đã rút", "", NULL, NULL, NULL, KG_OK,
         "HET NGUY HIEM: Man da rut. Xa An Dinh. 21h05 22/11, So NN&MT Vinh Long."},
        {"update", CAP_ACTUAL, CAP_UPDATE, 0, "Mặn 5 g/l", "Trữ nước.", NULL, NULL, NULL, KG_OK,
         "CAP NHAT: Man 5 g/l. Xa An Dinh. Tru nuoc. 21h05 22/11, So NN&MT Vinh Long. Goi 112."},
        {"correction", CAP_ACTUAL, CAP_UPDATE, 0, "Mặn 5 g/l", "Trữ nước.", NULL, "CAP-VN:kind", "correction", KG_OK,
         "DINH CHINH: Man 5 g/l. Xa An Dinh. Tru nuoc. 21h05 22/11, So NN&MT Vinh Long. Goi 112."},
        {"no instruction: responseType in words", CAP_ACTUAL, CAP_ALERT, 1U << CAP_EVACUATE | 1U << CAP_MONITOR,
         "Lũ quét", "", NULL, NULL, NULL, KG_OK,
         "Lu quet. Xa An Dinh. Hay so tan ngay. Hay theo doi tin tiep theo. 21h05 22/11, So NN&MT Vinh Long. Goi 112."},
        {"place named in the headline is not said twice", CAP_ACTUAL, CAP_ALERT, 0, "Lũ quét tại xã An Định",
         "Lên cao.", NULL, NULL, NULL, KG_OK,
         "Lu quet tai xa An Dinh. Len cao. 21h05 22/11, So NN&MT Vinh Long. Goi 112."},
        {"another number to call", CAP_ACTUAL, CAP_ALERT, 0, "Lũ quét", "Lên cao.", NULL, "CAP-VN:footer",
         "0270 3822 222", KG_OK, "Lu quet. Xa An Dinh. Len cao. 21h05 22/11, So NN&MT Vinh Long. Goi 0270 3822 222."},
        {"an ornament does not cost the message", CAP_ACTUAL, CAP_ALERT, 0, "⚠ Lũ quét ⚠️ lớn", "Lên cao.",
         NULL, NULL, NULL, KG_OK, "Lu quet lon. Xa An Dinh. Len cao. 21h05 22/11, So NN&MT Vinh Long. Goi 112."},
        {"long: the first sentence of what to do", CAP_ACTUAL, CAP_ALERT, 0, NULL,
         "Sơ tán lên TP. Vĩnh Long trước 18h. Mang theo giấy tờ tùy thân, thuốc men, nước uống và lương khô đủ dùng "
         "cho "
         "ba ngày.",
         NULL, NULL, NULL, KG_OK,
         "KHAN CAP: Man 4 phan nghin tren song Co Chien. Xa An Dinh. So tan len TP. Vinh Long truoc 18h. 21h05 22/11. "
         "Goi "
         "112."},
        {"longer: the event instead of the headline", CAP_ACTUAL, CAP_ALERT, 0,
         "KHẨN CẤP: Xâm nhập mặn vượt mức bốn phần nghìn trên toàn tuyến sông Cổ Chiên, sông Hậu và các kênh rạch nội "
         "đồng "
         "trong đêm nay",
         NULL, NULL, NULL, NULL, KG_OK, "Xam nhap man. Xa An Dinh. Dong cong, tru nuoc ngot. 21h05 22/11. Goi 112."},
        {"nothing fits: refused", CAP_ACTUAL, CAP_ALERT, 0, NULL,
         "Đóng toàn bộ các cống lấy nước dọc theo bờ sông Cổ Chiên và trữ nước ngọt trong ao hồ, lu vại, túi chứa, "
         "kênh "
         "nội đồng trước khi triều lên vào tối nay",
         NULL, NULL, NULL, KG_E_LIMIT, "dài 186 đơn vị (2 phần), tối đa 1 phần"},
        {"the author's own 160", CAP_ACTUAL, CAP_ALERT, 0, NULL, NULL, A160, NULL, NULL, KG_OK, A160},
        {"the author's own 161", CAP_ACTUAL, CAP_ALERT, 0, NULL, NULL, A160 "b", NULL, NULL, KG_E_LIMIT,
         "dài 161 đơn vị (2 phần), tối đa 1 phần"},
        {"the author's 160 in a drill", CAP_EXERCISE, CAP_ALERT, 0, NULL, NULL, A160, NULL, NULL, KG_E_LIMIT,
         "dài 181 đơn vị"},
        {"the author's, with accents", CAP_ACTUAL, CAP_ALERT, 0, NULL, NULL, "Lũ về! Chạy lên cao", NULL, NULL, KG_OK,
         "Lu ve! Chay len cao"},
        {"the author's drill word stays single", CAP_EXERCISE, CAP_ALERT, 0, NULL, NULL, "DIEN TAP: lu ve. DIEN TAP",
         NULL, NULL, KG_OK, "DIEN TAP: lu ve. DIEN TAP."},
        {"another script", CAP_ACTUAL, CAP_ALERT, 0, "ទឹកជំនន់", NULL, NULL, NULL, NULL, KG_E_INVALID, "La-tinh"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        sample s;
        kg_buf out = {0};
        sms_size size = {0};
        kg_diag diag = {{0}};
        apply(&rows[i], &s);
        const kg_err e = render_sms(&s.a, &out, &size, &diag);
        const bool good = rows[i].want_error == KG_OK
                              ? strcmp(kg_buf_str(&out), rows[i].want) == 0 && size.units == strlen(rows[i].want) &&
                                    size.coding == SMS_GSM7 && size.parts == 1 && size.units <= 160
                              : strstr(diag.text, rows[i].want) != NULL && out.len == 0;
        if (e != rows[i].want_error || !good) {
            fail_msg("%s: %s '%s' %s", rows[i].label, kg_err_name(e), kg_buf_str(&out), diag.text);
        }
        kg_buf_done(&out);
    }
}

static void many_places_are_counted_not_cut(void **state)
{
    (void)state;
    static const char *const names[AREAS_MOST] = {
        "Xã An Định", "Xã An Hiệp",   "Xã An Ngãi Trung", "Xã An Phú Tân", "Xã An Qui",    "Xã An Trường",
        "Xã Ba Tri",  "Xã Bảo Thạnh", "Xã Bình Đại",      "Xã Bình Phú",   "Xã Cái Ngang", "Xã Cái Nhum",
    };
    sample s;
    kg_buf out = {0};
    sms_size size;
    salinity(&s);
    s.infos[0].headline = "Mặn 4 g/l";
    s.infos[0].instruction = "Trữ nước.";
    for (size_t i = 0; i < AREAS_MOST; i++) {
        s.areas[i].description = names[i];
    }
    s.infos[0].areas.count = 3;
    assert_int_equal(render_sms(&s.a, &out, &size, NULL), KG_OK);
    assert_string_equal(kg_buf_str(&out),
                        "Man 4 g/l. Xa An Dinh, Xa An Hiep, Xa An Ngai Trung. Tru nuoc. 21h05 22/11, So "
                        "NN&MT Vinh Long. Goi 112.");
    kg_buf_clear(&out);
    s.infos[0].areas.count = AREAS_MOST;
    assert_int_equal(render_sms(&s.a, &out, &size, NULL), KG_OK);
    assert_string_equal(kg_buf_str(&out),
                        "Man 4 g/l. Xa An Dinh va 11 noi khac. Tru nuoc. 21h05 22/11, So NN&MT Vinh Long. Goi 112.");
    kg_buf_done(&out);
}

static void accented_messages(void **state)
{
    (void)state;
    sample s;
    kg_buf out = {0};
    sms_size size;
    kg_diag diag = {{0}};
    salinity(&s);
    s.infos[0].headline = "Mặn 4 g/l";
    s.infos[0].instruction = "Trữ nước.";
    assert_int_equal(render_sms_accented(&s.a, "vi", 3, &out, &size, &diag), KG_OK);
    assert_string_equal(kg_buf_str(&out), "Mặn 4 g/l. Xã An Định. Trữ nước. 21h05 22/11, Sở NN&MT Vĩnh Long. Gọi 112.");
    assert_int_equal(size.coding, SMS_UCS2);
    assert_int_equal(size.units, 74); /* 10 + 12 + 10 + 33 + 9 */
    assert_int_equal(size.parts, 2);
    /* in one part of 70: the issuer goes */
    kg_buf_clear(&out);
    assert_int_equal(render_sms_accented(&s.a, "vi", 1, &out, &size, &diag), KG_OK);
    assert_string_equal(kg_buf_str(&out), "Mặn 4 g/l. Xã An Định. Trữ nước. 21h05 22/11. Gọi 112.");
    assert_int_equal(size.parts, 1);
    /* no such language */
    assert_int_equal(render_sms_accented(&s.a, "km", 3, &out, &size, &diag), KG_E_NOTFOUND);
    /* Khmer: the author's text, and of ours no words but the markers */
    s.infos[1] = blank_info("km");
    s.infos[1].headline = "ទឹកប្រៃ";
    s.infos[1].instruction = "រក្សាទឹក";
    s.a.infos.count = 2;
    kg_buf_clear(&out);
    assert_int_equal(render_sms_accented(&s.a, "km-KH", 3, &out, &size, &diag), KG_OK);
    assert_string_equal(kg_buf_str(&out), "ទឹកប្រៃ. រក្សាទឹក. 21:05 22/11. 112.");
    s.a.status = CAP_EXERCISE;
    kg_buf_clear(&out);
    assert_int_equal(render_sms_accented(&s.a, "km", 3, &out, &size, &diag), KG_OK);
    assert_string_equal(kg_buf_str(&out), "DIỄN TẬP. ទឹកប្រៃ. រក្សាទឹក. 21:05 22/11. 112. DIỄN TẬP.");
    /* Latin text that claims to be Khmer */
    s.a.status = CAP_ACTUAL;
    s.infos[1].headline = "Nuoc man";
    s.infos[1].instruction = "Tru nuoc";
    kg_buf_clear(&out);
    assert_int_equal(render_sms_accented(&s.a, "km", 3, &out, &size, &diag), KG_E_INVALID);
    assert_int_equal(out.len, 0);
    kg_buf_done(&out);
}

static void speech_says_when(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        cap_status status;
        cap_msg_type msg_type;
        unsigned playing;
        bool labelled;
        const char *speech, *want;
    } rows[] = {
        {"composed", CAP_ACTUAL, CAP_ALERT, 0, false, "",
         "khẩn cấp: Mặn bốn phần nghìn trên sông Cổ Chiên. Xã An Định. Đóng cống, trữ nước ngọt. Không tưới khi mặn "
         "trên "
         "một gam trên lít. Tin phát lúc hai mươi mốt giờ năm phút ngày hai mươi hai tháng mười một năm hai nghìn "
         "không "
         "trăm hai mươi sáu, Sở nông nghiệp và môi trường Vĩnh Long. Khi cần cứu giúp, gọi một một hai."},
        {"the author's, third playing", CAP_ACTUAL, CAP_ALERT, 2, false, "Mặn về. Gọi 112.",
         "Mặn về. Gọi một một hai. Tin phát lúc hai mươi mốt giờ năm phút ngày hai mươi hai tháng mười một năm hai "
         "nghìn "
         "không trăm hai mươi sáu, Sở nông nghiệp và môi trường Vĩnh Long."},
        {"labelled drill", CAP_EXERCISE, CAP_ALERT, 0, true, "Mặn về. Gọi 112.",
         "diễn tập. Phát lại. Mặn về. Gọi một một hai. Tin phát lúc hai mươi mốt giờ năm phút ngày hai mươi hai tháng "
         "mười "
         "một năm hai nghìn không trăm hai mươi sáu, Sở nông nghiệp và môi trường Vĩnh Long. diễn tập."},
        {"cancel", CAP_ACTUAL, CAP_CANCEL, 0, false, "Mặn đã rút.",
         "hủy cảnh báo. Mặn đã rút. Tin phát lúc hai mươi mốt giờ năm phút ngày hai mươi hai tháng mười một năm hai "
         "nghìn "
         "không trăm hai mươi sáu, Sở nông nghiệp và môi trường Vĩnh Long."},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        sample s;
        kg_buf out = {0};
        kg_diag diag = {{0}};
        salinity(&s);
        s.a.status = rows[i].status;
        s.a.msg_type = rows[i].msg_type;
        s.infos[0].speech = rows[i].speech;
        const kg_err e = render_speech(&s.a, "vi", rows[i].playing, rows[i].labelled, &out, &diag);
        if (e != KG_OK || strcmp(kg_buf_str(&out), rows[i].want) != 0) {
            fail_msg("%s: %s '%s' %s", rows[i].label, kg_err_name(e), kg_buf_str(&out), diag.text);
        }
        kg_buf_done(&out);
    }
}

/* A Cancel that was signed with its alert may go out days later: its own time would mislead. */
static void an_ending_drafted_beforehand_has_no_time_of_its_own(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        int64_t after_ms;
        bool timed;
    } rows[] = {{"signed together", 1000, false}, {"written later", 3600000, true}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        sample s;
        kg_buf out = {0};
        salinity(&s);
        alert_ref old = {.sender = s.a.sender, .identifier = "x", .sent_ms = s.a.sent_ms - rows[i].after_ms};
        s.a.msg_type = CAP_CANCEL;
        s.a.references.items = &old;
        s.a.references.count = 1;
        assert_int_equal(render_speech(&s.a, "vi", 0, false, &out, NULL), KG_OK);
        if ((strstr(out.s, "Tin phát lúc") != NULL) != rows[i].timed) {
            fail_msg("%s: %s", rows[i].label, out.s);
        }
        kg_buf_done(&out);
    }
}

static void speech_refuses_a_wrong_script(void **state)
{
    (void)state;
    sample s;
    kg_buf out = {0};
    salinity(&s);
    s.infos[0].headline = "ទឹកប្រៃ";
    assert_int_equal(render_speech(&s.a, "vi", 0, false, &out, NULL), KG_E_INVALID);
    assert_int_equal(render_speech(&s.a, "km", 0, false, &out, NULL), KG_E_NOTFOUND);
    assert_int_equal(out.len, 0);
    kg_buf_done(&out);
}

static void crawl_is_one_line(void **state)
{
    (void)state;
    sample s;
    kg_buf out = {0};
    salinity(&s);
    s.infos[0].headline = "Mặn 4 g/l\nsông Cổ Chiên";
    s.infos[0].description = "Không lên màn hình.";
    assert_int_equal(render_crawl(&s.a, "vi", &out, NULL), KG_OK);
    assert_string_equal(kg_buf_str(&out),
                        "Mặn 4 g/l sông Cổ Chiên. Xã An Định. Đóng cống, trữ nước ngọt. Không tưới khi "
                        "mặn trên 1 g/l. Tin phát lúc 21h05 ngày 22/11/2026, Sở NN&MT Vĩnh Long. Khi "
                        "cần cứu giúp, gọi 112.");
    s.infos[0].crawl = "Mặn về";
    s.a.status = CAP_EXERCISE;
    kg_buf_clear(&out);
    assert_int_equal(render_crawl(&s.a, "vi", &out, NULL), KG_OK);
    assert_string_equal(kg_buf_str(&out),
                        "DIỄN TẬP. Mặn về. Tin phát lúc 21h05 ngày 22/11/2026, Sở NN&MT Vĩnh Long. Khi "
                        "cần cứu giúp, gọi 112. DIỄN TẬP.");
    kg_buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_messages),
        cmocka_unit_test(many_places_are_counted_not_cut),
        cmocka_unit_test(accented_messages),
        cmocka_unit_test(speech_says_when),
        cmocka_unit_test(crawl_is_one_line),
        cmocka_unit_test(an_ending_drafted_beforehand_has_no_time_of_its_own),
        cmocka_unit_test(speech_refuses_a_wrong_script),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
