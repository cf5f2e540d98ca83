#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "endings.h"

/* 2026-11-22T21:05:00+07:00 */
static const int64_t SENT_MS = INT64_C(1795356300000);

static void make(alert *a, size_t infos)
{
    alert_init(a);
    a->identifier = "man-1";
    a->sender = "nnmt.example";
    a->sent_ms = SENT_MS;
    a->status = CAP_EXERCISE;
    a->bulletin_class = CLASS_URGENT;
    a->agency = "so-nnmt";
    a->sector = "water";
    a->note = "nội bộ";
    a->first_warning = true;
    a->next_bulletin_ms = SENT_MS + 1000;
    a->expires_ms = SENT_MS + 86400000;
    a->infos.items = kg_arena_array(&a->mem, infos > 0 ? infos : 1, sizeof *a->infos.items);
    a->infos.count = infos;
    for (size_t i = 0; i < infos; i++) {
        alert_info *info = &a->infos.items[i];
        memset(info, 0, sizeof *info);
        const char **texts[] = {&info->audience, &info->sender_name,  &info->web,         &info->contact,
                                &info->sms,      &info->sms_accented, &info->speech,      &info->crawl,
                                &info->event,    &info->headline,     &info->description, &info->instruction};
        for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) {
            *texts[k] = "";
        }
        info->language = i + 1 == infos ? "vi" : "km";
        info->categories = 1U << CAP_ENV;
        info->event = "Xâm nhập mặn";
        info->headline = i + 1 == infos ? "Mặn 4 g/l" : "ទឹកប្រៃ";
        info->sms = "Man 4 g/l";
        info->urgency = CAP_URGENCY_IMMEDIATE;
        info->severity = CAP_SEVERITY_EXTREME;
        info->certainty = CAP_CERTAINTY_OBSERVED;
        info->expires_ms = a->expires_ms;
        info->areas.items = kg_arena_array(&a->mem, 1, sizeof *info->areas.items);
        info->areas.count = 1;
        info->areas.items[0].description = "Xã Bình Đại";
        info->areas.items[0].altitude = info->areas.items[0].ceiling = "";
    }
}

static void the_cancel_names_and_unsays_the_alert(void **state)
{
    (void)state;
    alert a;
    alert c;
    make(&a, 2);
    assert_int_equal(endings_draft(&a, DRAFT_CANCEL, &c, NULL), KG_OK);
    assert_int_equal(c.msg_type, CAP_CANCEL);
    assert_int_equal(c.status, CAP_EXERCISE);
    assert_int_equal(c.bulletin_class, CLASS_URGENT);
    assert_string_equal(c.sector, "water");
    assert_int_equal(c.references.count, 1);
    assert_string_equal(c.references.items[0].sender, "nnmt.example");
    assert_string_equal(c.references.items[0].identifier, "man-1");
    assert_int_equal(c.references.items[0].sent_ms, SENT_MS);
    assert_true(c.sent_ms > SENT_MS);
    assert_true(strcmp(c.identifier, "man-1") != 0);
    assert_int_equal(c.infos.count, 1);
    const alert_info *info = &c.infos.items[0];
    assert_string_equal(info->language, "vi");
    assert_string_equal(info->headline, "HỦY BỎ: Mặn 4 g/l");
    assert_string_equal(info->description, "Bản tin \"Mặn 4 g/l\" phát lúc 21h05 ngày 22/11/2026 đã được hủy bỏ.");
    assert_string_equal(info->sms, "");
    assert_int_equal(info->urgency, CAP_URGENCY_PAST);
    assert_string_equal(info->areas.items[0].description, "Xã Bình Đại");
    assert_string_equal(c.note, "");
    assert_false(c.first_warning);
    assert_int_equal(c.next_bulletin_ms, 0);
    alert_done(&c);
    alert_done(&a);
}

static void the_all_clear_is_an_update(void **state)
{
    (void)state;
    alert a;
    alert c;
    make(&a, 1);
    assert_int_equal(endings_draft(&a, DRAFT_ALL_CLEAR, &c, NULL), KG_OK);
    assert_int_equal(c.msg_type, CAP_UPDATE);
    assert_int_equal(c.infos.items[0].responses, 1U << CAP_ALLCLEAR);
    assert_string_equal(c.infos.items[0].headline, "BÁO YÊN: Mặn 4 g/l");
    assert_int_equal(c.references.count, 1);
    alert_done(&c);
    alert_done(&a);
}

static void nothing_said_is_ended_without_words(void **state)
{
    (void)state;
    alert a;
    alert c;
    make(&a, 0);
    assert_int_equal(endings_draft(&a, DRAFT_CANCEL, &c, NULL), KG_OK);
    assert_int_equal(c.infos.count, 0);
    assert_int_equal(c.references.count, 1);
    alert_done(&c);
    alert_done(&a);
}

static void an_update_names_the_old_one_once(void **state)
{
    (void)state;
    alert old;
    alert a;
    make(&old, 1);
    make(&a, 1);
    a.identifier = "man-2";
    a.sent_ms += 60000;
    a.has_source = true;
    assert_int_equal(endings_update_of(&a, &old, NULL), KG_OK);
    assert_int_equal(endings_update_of(&a, &old, NULL), KG_OK);
    assert_int_equal(a.msg_type, CAP_UPDATE);
    assert_int_equal(a.references.count, 1);
    assert_false(a.has_source);
    kg_diag diag = {{0}};
    a.sent_ms = SENT_MS - 1000;
    assert_int_equal(endings_update_of(&a, &old, &diag), KG_E_INVALID);
    assert_non_null(strstr(diag.text, "before"));
    alert_done(&a);
    alert_done(&old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cancel_names_and_unsays_the_alert),
        cmocka_unit_test(the_all_clear_is_an_update),
        cmocka_unit_test(nothing_said_is_ended_without_words),
        cmocka_unit_test(an_update_names_the_old_one_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
