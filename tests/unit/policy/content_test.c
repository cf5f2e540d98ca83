/* Article 6 of Law 18/2023: each item taken away in turn from a complete alert, and the forms that need fewer. */
#include "desk.h"

#define ALL                                                                                                                                                          \
    "loại sự cố, thời gian, địa điểm, cường độ hoặc cấp độ, khu vực dự kiến bị ảnh hưởng, dự báo, biện pháp khuyến " \
    "cáo"

enum { KIND = 1, TIME = 2, PLACE = 4, LEVEL = 8, AREA = 16, FORECAST = 32, MEASURES = 64, EVERY = 127 };

static alert_area area;
static alert_info info;
static alert_pair code = {AREAS_COMMUNE, "10001"};

static alert with(unsigned items)
{
    area = (alert_area){.description = (items & PLACE) != 0 ? "xã A" : " \n", .geocodes = {&code, (items & AREA) != 0}};
    info = (alert_info){.language = "vi",
                        .event = (items & KIND) != 0 ? "Lũ" : "",
                        .onset_ms = (items & TIME) != 0 ? DESK_NOW : 0,
                        .severity = (items & LEVEL) != 0 ? CAP_SEVERITY_SEVERE : CAP_SEVERITY_UNKNOWN,
                        .description = (items & FORECAST) != 0 ? "Nước lên nhanh trong 3 giờ tới." : "",
                        .instruction = (items & MEASURES) != 0 ? "Lên chỗ cao." : "",
                        .areas = {&area, 1}};
    return (alert){.infos = {&info, 1}};
}

static void check(const char *label, const alert *a, const char *want)
{
    kg_arena mem = {0};
    const char *got = route_missing_content(a, &mem);
    const bool same = got == NULL || want == NULL ? got == want : strcmp(got, want) == 0;
    if (!same) {
        fail_msg("%s: %s", label, got != NULL ? got : "nothing is missing");
    }
    kg_arena_done(&mem);
}

static void names_what_is_missing(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        unsigned items;
        bool first;
        const char *want;
    } rows[] = {
        {"complete", EVERY, false, NULL},
        {"kind", EVERY & ~KIND, false, "loại sự cố"},
        {"time", EVERY & ~TIME, false, "thời gian"},
        {"place", EVERY & ~PLACE, false, "địa điểm"},
        {"level", EVERY & ~LEVEL, false, "cường độ hoặc cấp độ"},
        {"area", EVERY & ~AREA, false, "khu vực dự kiến bị ảnh hưởng"},
        {"forecast", EVERY & ~FORECAST, false, "dự báo"},
        {"measures", EVERY & ~MEASURES, false, "biện pháp khuyến cáo"},
        {"two", EVERY & ~(KIND | FORECAST), false, "loại sự cố, dự báo"},
        {"all", 0, false, ALL},
        {"a first warning: kind, place, what to do", KIND | PLACE | MEASURES, true, NULL},
        {"a first warning with a code for its place", KIND | AREA | MEASURES, true, NULL},
        {"a first warning without kind", PLACE | MEASURES, true, "loại sự cố"},
        {"a first warning without place", KIND | MEASURES, true, "địa điểm"},
        {"a first warning without what to do", KIND | PLACE, true, "biện pháp khuyến cáo"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        alert a = with(rows[i].items);
        a.first_warning = rows[i].first;
        check(rows[i].label, &a, rows[i].want);
    }
}

static void other_fields_say_the_same(void **state)
{
    (void)state;
    alert a = with(EVERY & ~LEVEL);
    a.risk_level = 3;
    check("a risk level is a level", &a, NULL);
    a = with(EVERY & ~LEVEL);
    a.civil_defence_level = 1;
    check("a civil-defence level too", &a, NULL);
    a = with(EVERY & ~MEASURES);
    info.responses = 1u << CAP_EVACUATE;
    check("a response type tells what to do", &a, NULL);
    info.responses = 1u << CAP_NONE;
    check("None does not", &a, "biện pháp khuyến cáo");
    a = with(EVERY & ~TIME);
    info.effective_ms = DESK_NOW;
    check("effective is a time", &a, NULL);
}

static void an_end_and_a_drill_need_none(void **state)
{
    (void)state;
    alert a = with(0);
    a.msg_type = CAP_CANCEL;
    check("Cancel", &a, NULL);
    a = (alert){.msg_type = CAP_CANCEL};
    check("Cancel without infos", &a, NULL);
    a = with(0);
    a.msg_type = CAP_UPDATE;
    check("an Update needs all", &a, ALL);
    info.responses = 1u << CAP_ALLCLEAR;
    check("an all-clear needs none", &a, NULL);
    a = with(0);
    a.status = CAP_EXERCISE;
    check("Exercise", &a, NULL);
    a = (alert){.msg_type = CAP_ALERT};
    check("no infos", &a, ALL);
    a.msg_type = CAP_ACK;
    check("Ack", &a, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_what_is_missing),
        cmocka_unit_test(other_fields_say_the_same),
        cmocka_unit_test(an_end_and_a_drill_need_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
