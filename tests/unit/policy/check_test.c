/* What `keng policy check` complains of and what it remarks. */
#include "desk.h"

static size_t check(desk *d, const char *yaml, kg_buf *report)
{
    size_t complaints = 99;
    desk_load(d, yaml);
    kg_buf_clear(report);
    assert_int_equal(policy_check(d->p, d->ar, report, &complaints), KG_OK);
    return complaints;
}

static void the_small_province_is_fit(void **state)
{
    (void)state;
    desk d = desk_open();
    kg_buf report = {0};
    if (check(&d, desk_policy, &report) != 0) {
        fail_msg("%s", report.s);
    }
    kg_buf_done(&report);
    desk_close(&d);
}

static void finds_each_fault_of_the_rules(void **state)
{
    (void)state;
    static const struct {
        const char *label, *from, *to;
        size_t complaints;
        const char *want;
    } rows[] = {
        {"an unknown commune", "areas: [\"10002\"]", "areas: [\"99999\"]", 1,
         "rad\tmã xã hoặc mã tỉnh không có trong danh mục: 99999"},
        {"an unknown province", "areas: [\"90\"], sectors: [health]", "areas: [\"77\"], sectors: [health]", 1,
         "so-y-te\tmã xã"},
        {"a retired commune names its successor", "areas: [\"10002\"]", "areas: [\"10009\"]", 1,
         "rad\tmã xã đã bãi bỏ, được thay bằng: 10001"},
        {"an agency without sectors", "sectors: [health],", "", 2, "so-y-te\tcơ quan không có lĩnh vực"},
        {"a lead that may not speak of its sector", "sectors: [health],", "sectors: [disaster],", 1,
         "health\tcơ quan chủ trì không được"},
        {"a lead that may not urge", "sectors: [health],\n     class_max: urgent",
         "sectors: [health],\n     class_max: priority", 0, "LƯU Ý\tso-y-te"},
        {"a sector nobody leads", "lead: so-y-te, ", "", 0, "LƯU Ý\thealth\tlĩnh vực chưa có"},
        {"a blank basis", "basis: L5", "basis: \" \"", 1, "media.loudspeaker.urgent\tkhông ghi căn cứ"},
        {"an undecided one", "basis: L5", "basis: \"province to decide (ai?)\"", 0,
         "LƯU Ý\tmedia.loudspeaker.urgent\ttỉnh phải quyết định"},
        {"loudspeakers that do not urge", "  - {medium: loudspeaker, class: urgent, mode: interrupt, basis: L5}\n", "",
         1, "media.loudspeaker.urgent\ttrạm của phương tiện"},
        {"urgent, but next in line", "mode: interrupt, basis: L5", "mode: next, basis: L5", 1,
         "media.loudspeaker.urgent\ttin khẩn cấp phải được phát ngay"},
        {"a class not carried", "  - {medium: tv, class: priority, mode: crawl, basis: L4}\n", "", 0,
         "LƯU Ý\tmedia.tv.priority\tloại tin này không đi qua"},
        {"a line for no station", "medium: tv, class: priority", "medium: board, class: priority", 0,
         "LƯU Ý\tmedia.board.priority\tdòng không dùng tới"},
        {"commune offices that may not warn",
         "each_commune: true, sectors: [\"*\"],\n     class_max: urgent, first_warning: true",
         "each_commune: true, sectors: [\"*\"],\n     class_max: urgent, first_warning: false", 3,
         "10001\tkhông có cơ quan cấp xã"},
        {"a repeat behind one for everything", "  - {id: wave, media: [loudspeaker, radio],",
         "  - {id: all, media: [loudspeaker, radio], every_minutes: 60, basis: L}\n  - {id: wave, media: [loudspeaker, "
         "radio],",
         4, "any\tquy tắc lặp lại không bao giờ dùng tới vì đứng sau: all"},
        {"no drill line", "drills:\n  - {status: exercise, media: [loudspeaker, sms], public_sms: false, basis: L9}\n",
         "", 0, "LƯU Ý\tdrills\tthiếu dòng"},
        {"drills on phones", "public_sms: false", "public_sms: true", 0, "LƯU Ý\tdrills.public_sms"},
        {"two signatures switched off", "enforced: true", "enforced: false", 0,
         "LƯU Ý\tsignatures.enforced\tquy tắc hai chữ ký đang tắt"},
        {"news not known", "[\"18:00\", \"06:00\"]", "[]", 0, "LƯU Ý\tnews.hours"},
        {"types not known", "basis: L5", "basis: L5", 0,
         "stations\tsố cụm loa chưa biết loại thiết bị (type để trống): 2"},
    };
    desk d = desk_open();
    kg_buf report = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *yaml = desk_edit(desk_policy, rows[i].from, rows[i].to);
        const size_t got = check(&d, yaml, &report);
        free(yaml);
        if (got != rows[i].complaints || strstr(kg_buf_str(&report), rows[i].want) == NULL) {
            fail_msg("%s: %zu complaints:\n%s", rows[i].label, got, kg_buf_str(&report));
        }
    }
    kg_buf_done(&report);
    desk_close(&d);
}

static void finds_each_fault_of_the_stations(void **state)
{
    (void)state;
    static const struct {
        const char *label, *from, *to;
        size_t complaints;
        const char *want;
    } rows[] = {
        {"a station in no commune", "loudspeaker\t10001", "loudspeaker\t99999", 1, "90.10001.loa\tmã xã"},
        {"a commune without loudspeaker", "loudspeaker\t10001", "loudspeaker\t10002", 0,
         "LƯU Ý\t10001\txã, phường không có loa"},
        {"a manual station without a person", "Trưởng thôn B", "", 1, "90.10002.loa\ttrạm thủ công"},
    };
    desk d = desk_open();
    kg_buf report = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *table = desk_edit(desk_stations, rows[i].from, rows[i].to);
        desk_write(&d, "stations.tsv", table);
        free(table);
        const size_t got = check(&d, desk_policy, &report);
        if (got != rows[i].complaints || strstr(kg_buf_str(&report), rows[i].want) == NULL) {
            fail_msg("%s: %zu complaints:\n%s", rows[i].label, got, kg_buf_str(&report));
        }
    }
    /* only the list of officials reaches 10003: no way for the public; and 10002 has nothing at all */
    desk_write(&d, "stations.tsv",
               "id\tname\tmedium\tareas\ttype\tlanguages\tperson\taudience\n"
               "a\tA\tloudspeaker\t10001\t\t\t\t\nb\tB\tsms\t10003\t\t\t\tofficials\n");
    assert_int_equal(check(&d, desk_policy, &report), 2);
    assert_non_null(strstr(report.s, "10002\txã, phường không có trạm nào"));
    assert_non_null(strstr(report.s, "10003\txã, phường không có đường nào cho tin khẩn cấp"));
    kg_buf_done(&report);
    desk_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_small_province_is_fit),
        cmocka_unit_test(finds_each_fault_of_the_rules),
        cmocka_unit_test(finds_each_fault_of_the_stations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
