/* The plan: who is in, how, how often, in which languages, for which communes, and what waits for a person. */
#include "desk.h"

/* ---- mode and repeats: one row a rule ---- */

static void modes_and_repeats_follow_the_policy(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        words w;
        const char *station, *rule;
        bool in;
        policy_mode mode;
        const char *repeat_rule, *repeat;
    } rows[] = {
        {"loudspeaker routine: offered",
         {.areas = "10001"},
         "90.10001.loa",
         "media.loudspeaker.routine",
         true,
         MODE_OFFER,
         "",
         "/"},
        {"loudspeaker priority: next",
         {.areas = "10001", .class = CLASS_PRIORITY},
         "90.10001.loa",
         "media.loudspeaker.priority",
         true,
         MODE_NEXT,
         "",
         "/"},
        {"loudspeaker urgent: now, every 2 h",
         {.areas = "10001", .class = CLASS_URGENT},
         "90.10001.loa",
         "media.loudspeaker.urgent",
         true,
         MODE_INTERRUPT,
         "repeats.any",
         "/7200"},
        {"a manual station is a station like others",
         {.areas = "10002", .class = CLASS_URGENT},
         "90.10002.loa",
         "media.loudspeaker.urgent",
         true,
         MODE_INTERRUPT,
         "repeats.any",
         "/7200"},
        {"radio routine: not carried", {.areas = "10001"}, "90.radio", "media", false, MODE_OFFER, "", "/"},
        {"tv priority: crawl",
         {.areas = "10001", .class = CLASS_PRIORITY},
         "90.tv",
         "media.tv.priority",
         true,
         MODE_CRAWL,
         "",
         "/"},
        {"sms urgent: once",
         {.areas = "10001", .class = CLASS_URGENT},
         "90.sms.mot",
         "media.sms.urgent",
         true,
         MODE_INTERRUPT,
         "",
         "/"},
        {"tv urgent: no repeat rule for it",
         {.areas = "10001", .class = CLASS_URGENT},
         "90.tv",
         "media.tv.urgent",
         true,
         MODE_INTERRUPT,
         "",
         "/"},
        {"by event code",
         {.areas = "10001", .class = CLASS_URGENT, .event_code = "wave"},
         "90.radio",
         "media.radio.urgent",
         true,
         MODE_INTERRUPT,
         "repeats.wave",
         "300 600/1200"},
        {"an event code is exact",
         {.areas = "10001", .class = CLASS_URGENT, .event_code = "Wave"},
         "90.radio",
         "media.radio.urgent",
         true,
         MODE_INTERRUPT,
         "repeats.any",
         "/7200"},
        {"by the event's words, any letter case",
         {.areas = "10001", .class = CLASS_URGENT, .event = "Cảnh báo SÓNG THẦN cấp 3"},
         "90.radio",
         "media.radio.urgent",
         true,
         MODE_INTERRUPT,
         "repeats.wave",
         "300 600/1200"},
        {"accents count",
         {.areas = "10001", .class = CLASS_URGENT, .event = "song than"},
         "90.radio",
         "media.radio.urgent",
         true,
         MODE_INTERRUPT,
         "repeats.any",
         "/7200"},
        {"the next news: 11:30 to 18:00",
         {.areas = "10001", .class = CLASS_PRIORITY, .event = "Động đất"},
         "90.radio",
         "media.radio.priority",
         true,
         MODE_NEXT,
         "repeats.quake",
         "23400/"},
        {"whole words: lũ",
         {.areas = "10001", .class = CLASS_PRIORITY, .event = "Lũ trên sông"},
         "90.radio",
         "media.radio.priority",
         true,
         MODE_NEXT,
         "repeats.flood",
         "/7200h"},
        {"whole words: not lũng",
         {.areas = "10001", .class = CLASS_PRIORITY, .event = "Thung lũng"},
         "90.radio",
         "media.radio.priority",
         true,
         MODE_NEXT,
         "",
         "/"},
        {"whole words: not lửa",
         {.areas = "10001", .class = CLASS_PRIORITY, .event = "Lửa"},
         "90.radio",
         "media.radio.priority",
         true,
         MODE_NEXT,
         "",
         "/"},
        {"the class counts",
         {.areas = "10001", .class = CLASS_URGENT, .event = "lũ"},
         "90.radio",
         "media.radio.urgent",
         true,
         MODE_INTERRUPT,
         "repeats.any",
         "/7200"},
        {"an end has its own rule, the news between",
         {.areas = "10001", .class = CLASS_URGENT, .type = CAP_CANCEL, .event_code = "wave"},
         "90.radio",
         "media.radio.urgent",
         true,
         MODE_INTERRUPT,
         "repeats.end",
         "600 7200 23400/"},
        {"an all-clear is an end",
         {.areas = "10001", .class = CLASS_URGENT, .type = CAP_UPDATE, .all_clear = true},
         "90.radio",
         "media.radio.urgent",
         true,
         MODE_INTERRUPT,
         "repeats.end",
         "600 7200 23400/"},
        {"an end elsewhere is said once",
         {.areas = "10001", .class = CLASS_URGENT, .type = CAP_CANCEL},
         "90.10001.loa",
         "media.loudspeaker.urgent",
         true,
         MODE_INTERRUPT,
         "",
         "/"},
    };
    desk d = desk_open();
    desk_load(&d, desk_policy);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        made m;
        plan p;
        kg_diag diag = {{0}};
        char repeat[256];
        make(&m, &rows[i].w);
        if (route_plan(d.p, d.ar, &m.a, DESK_NOW, &p, &diag) != KG_OK) {
            fail_msg("%s: %s", rows[i].label, diag.text);
        }
        const plan_line *l = plan_find(&p, rows[i].station);
        if (l == NULL || l->in != rows[i].in || l->mode != rows[i].mode || strcmp(l->rule, rows[i].rule) != 0 ||
            strcmp(l->repeat_rule, rows[i].repeat_rule) != 0 ||
            strcmp(made_repeat(&l->repeat, repeat), rows[i].repeat) != 0) {
            fail_msg("%s: %s", rows[i].label, l == NULL ? "no line" : l->rule);
        }
        assert_true(l != NULL && strlen(l->why) > 10);
        plan_done(&p);
    }
    desk_close(&d);
}

static void the_next_news_is_found_around_the_clock(void **state)
{
    (void)state;
    static const struct {
        const char *label, *hours;
        int minutes; /* after 11:30 */
        const char *want;
    } rows[] = {
        {"later today", "[\"18:00\", \"06:00\"]", 0, "23400/"},
        {"tomorrow morning", "[\"18:00\", \"06:00\"]", 7 * 60, "41400/"},
        {"just now is over: the next one", "[\"18:00\", \"06:00\"]", 6 * 60 + 30, "43200/"},
        {"past midnight", "[\"18:00\", \"06:00\"]", 13 * 60, "19800/"},
        {"only one, tomorrow", "[\"11:30\"]", 0, "86400/"},
        {"not known: the full hour", "[]", 0, "1800/"},
        {"not known, on the hour: the next", "[]", 30, "3600/"},
    };
    desk d = desk_open();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *yaml = desk_edit(desk_policy, "[\"18:00\", \"06:00\"]", rows[i].hours);
        desk_load(&d, yaml);
        free(yaml);
        made m;
        plan p;
        char got[256];
        make(&m, &(words){.areas = "10001", .class = CLASS_PRIORITY, .event = "động đất", .expires_ms = DESK_NOW * 2});
        assert_int_equal(route_plan(d.p, d.ar, &m.a, DESK_NOW + rows[i].minutes * INT64_C(60000), &p, NULL), KG_OK);
        made_repeat(&plan_find(&p, "90.radio")->repeat, got);
        if (strcmp(got, rows[i].want) != 0) {
            fail_msg("%s: %s", rows[i].label, got);
        }
        plan_done(&p);
    }
    desk_close(&d);
}

/* ---- areas and order ---- */

/* "90.10001.loa+ 90.tv-": in or out, in the plan's order */
static const char *lines_of(const plan *p, char out[512])
{
    out[0] = '\0';
    for (size_t i = 0; i < p->count; i++) {
        const size_t at = strlen(out);
        (void)snprintf(out + at, 512 - at, "%s%s%s", i > 0 ? " " : "", p->lines[i].station->id,
                       p->lines[i].in ? "+" : "-");
    }
    return out;
}

static void worst_hit_goes_first(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        words w;
        const char *want, *radio, *ranks; /* communes of the radio; rank of each line */
    } rows[] = {
        {"none named: by id, communes by code",
         {.areas = "10003 10001", .class = CLASS_PRIORITY},
         "90.10001.loa+ 90.10003.loa+ 90.radio+ 90.tv+ 90.sms.can-bo- 90.sms.mot-",
         "10001 10003",
         "000000"},
        {"the named one first",
         {.areas = "10003 10001", .class = CLASS_PRIORITY, .worst = "10003"},
         "90.10003.loa+ 90.radio+ 90.tv+ 90.10001.loa+ 90.sms.can-bo- 90.sms.mot-",
         "10003 10001",
         "000100"},
        {"in the order named, the rest behind",
         {.areas = "90", .class = CLASS_PRIORITY, .worst = "10002 10003"},
         "90.10002.loa+ 90.radio+ 90.tv+ 90.10003.loa+ 90.10001.loa+ 90.sms.can-bo- 90.sms.mot-",
         "10002 10003 10001",
         "0001200"},
        {"named twice, outside, unknown: no matter",
         {.areas = "10001 10003", .class = CLASS_PRIORITY, .worst = "10002 77777 10003 10003 10009"},
         "90.10003.loa+ 90.radio+ 90.tv+ 90.10001.loa+ 90.sms.can-bo- 90.sms.mot-",
         "10003 10001",
         "000100"},
    };
    desk d = desk_open();
    desk_load(&d, desk_policy);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        made m;
        plan p;
        char got[512], communes[256];
        make(&m, &rows[i].w);
        assert_int_equal(route_plan(d.p, d.ar, &m.a, DESK_NOW, &p, NULL), KG_OK);
        const plan_line *radio = plan_find(&p, "90.radio");
        bool ranks = p.count == strlen(rows[i].ranks);
        for (size_t k = 0; ranks && k < p.count; k++) {
            ranks = p.lines[k].hit_rank == (uint32_t)(rows[i].ranks[k] - '0');
        }
        if (strcmp(lines_of(&p, got), rows[i].want) != 0 || radio == NULL ||
            strcmp(made_join(&radio->communes, communes), rows[i].radio) != 0 || !ranks) {
            fail_msg("%s: %s [%s]", rows[i].label, got, communes);
        }
        assert_string_equal(made_join(&plan_find(&p, "90.10003.loa")->communes, communes), "10003");
        plan_done(&p);
    }
    desk_close(&d);
}

static void nothing_reaches_beyond_the_area(void **state)
{
    (void)state;
    desk d = desk_open();
    desk_load(&d, desk_policy);
    made m;
    plan p;
    char got[512], communes[256];
    make(&m, &(words){.areas = "20001", .class = CLASS_URGENT});
    assert_int_equal(route_plan(d.p, d.ar, &m.a, DESK_NOW, &p, NULL), KG_OK);
    assert_string_equal(lines_of(&p, got), "90.sms.mot+ 91.20001.loa+");
    assert_string_equal(made_join(&p.lines[0].communes, communes), "20001");
    assert_int_equal(p.communes, 1);
    plan_done(&p);
    /* explain names everyone, with a reason */
    assert_int_equal(route_explain(d.p, d.ar, &m.a, DESK_NOW, &p, NULL), KG_OK);
    assert_int_equal(p.count, 8);
    assert_int_equal(p.in_count, 2);
    const plan_line *l = plan_find(&p, "90.10001.loa");
    assert_true(l != NULL && !l->in && strcmp(l->rule, "area") == 0 && l->communes.count == 0);
    plan_done(&p);
    /* a code that is not there is no plan */
    kg_diag diag = {{0}};
    make(&m, &(words){.areas = "10009"});
    assert_int_equal(route_plan(d.p, d.ar, &m.a, DESK_NOW, &p, &diag), KG_E_NOTFOUND);
    assert_non_null(strstr(diag.text, "its successor is 10001"));
    assert_int_equal(p.count, 0);
    desk_close(&d);
}

static void what_resolves_goes_out_and_the_rest_is_said(void **state)
{
    (void)state;
    desk d = desk_open();
    desk_load(&d, desk_policy);
    made m;
    plan p;
    make(&m, &(words){.areas = "10001", .class = CLASS_URGENT});
    const char *polygon[] = {"10,105 10,106 11,106 10,105"};
    m.area.polygons = (alert_texts){polygon, 1};
    assert_int_equal(route_plan(d.p, d.ar, &m.a, DESK_NOW, &p, NULL), KG_OK);
    assert_null(p.hold);
    assert_true(p.in_count > 0);
    assert_non_null(strstr(p.notes, "no outlines were imported"));
    plan_done(&p);
    desk_close(&d);
}

/* ---- holds, expiry, drills ---- */

static void what_a_person_must_decide_is_held(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        words w;
        const char *hold, *released; /* NULL: not held; after release */
    } rows[] = {
        {"an ordinary one", {.areas = "10001", .class = CLASS_URGENT}, NULL, NULL},
        {"the publisher asks", {.areas = "10001", .class = CLASS_URGENT, .hold = "không chắc"}, "publisher-asks", NULL},
        {"Restricted", {.areas = "10001", .class = CLASS_URGENT, .scope = CAP_RESTRICTED}, "restricted-scope", NULL},
        {"Private", {.areas = "10001", .class = CLASS_URGENT, .scope = CAP_PRIVATE}, "private-scope", NULL},
        {"no info", {.areas = "10001", .class = CLASS_URGENT, .languages = ""}, "no-public-info", NULL},
        {"no area", {.class = CLASS_URGENT}, "no-usable-area", "no-usable-area"},
        {"nobody may say it there", {.areas = "10001", .class = CLASS_URGENT, .status = CAP_ACTUAL}, NULL, NULL},
        {"a Cancel without infos waits for nobody",
         {.class = CLASS_URGENT, .type = CAP_CANCEL, .languages = ""},
         NULL,
         NULL},
        {"a drill for nobody", {.areas = "10001", .class = CLASS_URGENT, .status = CAP_TEST}, NULL, NULL},
        {"System is not for people", {.areas = "10001", .status = CAP_SYSTEM}, NULL, NULL},
        {"Draft neither", {.areas = "10001", .status = CAP_DRAFT, .scope = CAP_PRIVATE}, NULL, NULL},
        {"nor an Ack", {.type = CAP_ACK, .languages = ""}, NULL, NULL},
        {"expired: too late to ask", {.areas = "10001", .scope = CAP_PRIVATE, .expires_ms = DESK_NOW}, NULL, NULL},
    };
    desk d = desk_open();
    desk_load(&d, desk_policy);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int released = 0; released < 2; released++) {
            made m;
            plan p;
            make(&m, &rows[i].w);
            const route_context c = {.released = released == 1};
            assert_int_equal(route_with(d.p, d.ar, &m.a, &c, DESK_NOW, &p, NULL), KG_OK);
            const char *want = released == 1 ? rows[i].released : rows[i].hold;
            if ((p.hold == NULL) != (want == NULL) || (want != NULL && strcmp(p.hold, want) != 0)) {
                fail_msg("%s (released %d): %s", rows[i].label, released, p.hold != NULL ? p.hold : "not held");
            }
            if (want != NULL) {
                assert_true(p.in_count == 0 && strlen(p.hold_vi) > 20);
                for (size_t k = 0; k < p.count; k++) {
                    assert_false(p.lines[k].in);
                }
            }
            plan_done(&p);
        }
    }
    /* a province whose plan carries nothing of the class */
    char *yaml = desk_edit(desk_policy, "  - {medium: loudspeaker, class: routine, mode: offer, basis: L4}\n", "");
    desk_load(&d, yaml);
    free(yaml);
    made m;
    plan p;
    make(&m, &(words){.areas = "10001"});
    assert_int_equal(route_with(d.p, d.ar, &m.a, &(route_context){.released = true}, DESK_NOW, &p, NULL), KG_OK);
    assert_string_equal(p.hold, "reaches-nobody");
    plan_done(&p);
    desk_close(&d);
}

static void an_alert_has_an_end(void **state)
{
    (void)state;
    static const int64_t hour = 3600000;
    static const struct {
        const char *label;
        words w;
        int64_t now_ms, want;
        bool in;
    } rows[] = {
        {"urgent: 6 hours", {.areas = "10001", .class = CLASS_URGENT}, DESK_NOW, DESK_NOW + 6 * hour, true},
        {"priority: 12 hours", {.areas = "10001", .class = CLASS_PRIORITY}, DESK_NOW, DESK_NOW + 12 * hour, true},
        {"counted from when it was sent",
         {.areas = "10001", .class = CLASS_URGENT},
         DESK_NOW + 5 * hour,
         DESK_NOW + 6 * hour,
         true},
        {"a stated end stands, however long",
         {.areas = "10001", .expires_ms = DESK_NOW + 1000 * hour},
         DESK_NOW,
         DESK_NOW + 1000 * hour,
         true},
        {"past it nobody hears it",
         {.areas = "10001", .class = CLASS_URGENT},
         DESK_NOW + 6 * hour,
         DESK_NOW + 6 * hour,
         false},
    };
    desk d = desk_open();
    desk_load(&d, desk_policy);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        made m;
        plan p;
        make(&m, &rows[i].w);
        assert_int_equal(route_plan(d.p, d.ar, &m.a, rows[i].now_ms, &p, NULL), KG_OK);
        if (p.expires_ms != rows[i].want || (p.in_count > 0) != rows[i].in || p.hold != NULL) {
            fail_msg("%s", rows[i].label);
        }
        plan_done(&p);
    }
    desk_close(&d);
}

static void drills_stay_off_peoples_phones(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        const char *from, *to; /* an edit of the policy */
        cap_status status;
        const char *want;
    } rows[] = {
        {"an Exercise", "L9", "L9", CAP_EXERCISE, "90.10001.loa+ 90.sms.can-bo+ 90.radio- 90.sms.mot- 90.tv-"},
        {"with the second switch", "public_sms: false", "public_sms: true", CAP_EXERCISE,
         "90.10001.loa+ 90.sms.can-bo+ 90.sms.mot+ 90.radio- 90.tv-"},
        {"the switch alone is not enough", "[loudspeaker, sms], public_sms: false", "[loudspeaker], public_sms: true",
         CAP_EXERCISE, "90.10001.loa+ 90.radio- 90.sms.can-bo- 90.sms.mot- 90.tv-"},
        {"a Test without a line goes nowhere", "L9", "L9", CAP_TEST,
         "90.10001.loa- 90.radio- 90.sms.can-bo- 90.sms.mot- 90.tv-"},
        {"System goes nowhere", "public_sms: false", "public_sms: true", CAP_SYSTEM,
         "90.10001.loa- 90.radio- 90.sms.can-bo- 90.sms.mot- 90.tv-"},
    };
    desk d = desk_open();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *yaml = desk_edit(desk_policy, rows[i].from, rows[i].to);
        desk_load(&d, yaml);
        free(yaml);
        made m;
        plan p;
        char got[512];
        make(&m, &(words){.areas = "10001", .class = CLASS_URGENT, .status = rows[i].status});
        assert_int_equal(route_plan(d.p, d.ar, &m.a, DESK_NOW, &p, NULL), KG_OK);
        if (strcmp(lines_of(&p, got), rows[i].want) != 0) {
            fail_msg("%s: %s", rows[i].label, got);
        }
        if (rows[i].status == CAP_EXERCISE) {
            assert_string_equal(plan_find(&p, "90.tv")->rule, "drills.exercise");
            assert_string_equal(plan_find(&p, "90.tv")->basis, "L9");
        }
        plan_done(&p);
    }
    desk_close(&d);
}

/* ---- languages ---- */

static void vietnamese_first_and_gaps_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        words w;
        const char *station, *languages, *gaps;
    } rows[] = {
        {"Vietnamese alone where only it is spoken", {.areas = "10003"}, "90.10003.loa", "vi", ""},
        {"wanted always and missing", {.areas = "10001"}, "90.10001.loa", "vi", "km"},
        {"wanted always and there, Vietnamese still first",
         {.areas = "10001", .languages = "km vi"},
         "90.10001.loa",
         "vi km",
         ""},
        {"when written: played where it is", {.areas = "10002", .languages = "vi km"}, "90.10002.loa", "vi km", ""},
        {"when written: no gap where it is not", {.areas = "10002"}, "90.10002.loa", "vi", ""},
        {"each its own", {.areas = "10002", .languages = "vi rad km"}, "90.10002.loa", "vi km rad", ""},
        {"not spoken there", {.areas = "10001", .languages = "vi rad km"}, "90.10001.loa", "vi km", ""},
        {"a wide station speaks for all its communes",
         {.areas = "10001 10002", .class = CLASS_PRIORITY, .languages = "vi rad km"},
         "90.radio",
         "vi km rad",
         ""},
        {"and has their gaps",
         {.areas = "90", .class = CLASS_PRIORITY, .languages = "vi rad"},
         "90.radio",
         "vi rad",
         "km"},
        {"a station that renders Vietnamese only", {.areas = "10003", .languages = "vi km"}, "90.10003.loa", "vi", ""},
        {"a region's tag is the language", {.areas = "10001", .languages = "vi-vn km-kh"}, "90.10001.loa", "vi km", ""},
        {"no Vietnamese: said, and the wanted one plays",
         {.areas = "10001", .languages = "km"},
         "90.10001.loa",
         "km",
         "vi"},
        {"none of them: better English than silence",
         {.areas = "10001", .languages = "en"},
         "90.10001.loa",
         "en",
         "vi km"},
    };
    desk d = desk_open();
    desk_load(&d, desk_policy);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        made m;
        plan p;
        char languages[256], gaps[256];
        make(&m, &rows[i].w);
        assert_int_equal(route_plan(d.p, d.ar, &m.a, DESK_NOW, &p, NULL), KG_OK);
        const plan_line *l = plan_find(&p, rows[i].station);
        assert_non_null(l);
        if (strcmp(made_join(&l->languages, languages), rows[i].languages) != 0 ||
            strcmp(made_join(&l->gaps, gaps), rows[i].gaps) != 0) {
            fail_msg("%s: [%s] gaps [%s]", rows[i].label, languages, gaps);
        }
        plan_done(&p);
    }
    desk_close(&d);
}

/* ---- signatures ---- */

static void signatures_follow_class_width_and_severity(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        words w;
        unsigned want, off; /* with the switch on, off */
    } rows[] = {
        {"urgent, one commune", {.areas = "10001", .class = CLASS_URGENT}, 1, 1},
        {"urgent, two communes", {.areas = "10001 10002", .class = CLASS_URGENT}, 2, 1},
        {"urgent, the province", {.areas = "90", .class = CLASS_URGENT}, 2, 1},
        {"priority, the province", {.areas = "90", .class = CLASS_PRIORITY}, 1, 1},
        {"Severe, one commune", {.areas = "10001", .class = CLASS_PRIORITY, .severity = CAP_SEVERITY_SEVERE}, 1, 1},
        {"Extreme, one commune, any class", {.areas = "10001", .severity = CAP_SEVERITY_EXTREME}, 3, 1},
        {"the larger of two rules", {.areas = "90", .class = CLASS_URGENT, .severity = CAP_SEVERITY_EXTREME}, 3, 1},
        {"a first warning",
         {.areas = "90", .class = CLASS_URGENT, .severity = CAP_SEVERITY_EXTREME, .first_warning = true},
         1,
         1},
        {"a drill", {.areas = "90", .class = CLASS_URGENT, .status = CAP_EXERCISE}, 1, 1},
    };
    desk d = desk_open();
    char *off = desk_edit(desk_policy, "enforced: true", "enforced: false");
    for (int on = 0; on < 2; on++) {
        desk_load(&d, on == 1 ? desk_policy : off);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            made m;
            plan p;
            make(&m, &rows[i].w);
            assert_int_equal(route_plan(d.p, d.ar, &m.a, DESK_NOW, &p, NULL), KG_OK);
            if (p.signatures != (on == 1 ? rows[i].want : rows[i].off)) {
                fail_msg("%s (switch %d): %u", rows[i].label, on, p.signatures);
            }
            plan_done(&p);
        }
    }
    free(off);
    desk_close(&d);
}

/* ---- Updates and Cancels go to those who were told ---- */

static void corrections_go_to_exactly_those_who_were_told(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        words w;
        const char *told; /* station/commune pairs: those who got the earlier alert */
        const char *want; /* lines */
        const char *sms;  /* communes of 90.sms.mot; NULL no line */
    } rows[] = {
        {"an Update elsewhere: the old place is told too",
         {.areas = "10003", .class = CLASS_URGENT, .type = CAP_UPDATE},
         "90.10001.loa/10001 90.sms.mot/10001",
         "90.10003.loa+ 90.radio+ 90.sms.can-bo+ 90.sms.mot+ 90.tv+ 90.10001.loa+",
         "10003 10001"},
        {"an Update of the same place",
         {.areas = "10001", .class = CLASS_URGENT, .type = CAP_UPDATE},
         "90.10001.loa/10001 90.sms.mot/10001",
         "90.10001.loa+ 90.radio+ 90.sms.can-bo+ 90.sms.mot+ 90.tv+",
         "10001"},
        {"a Cancel goes to them alone, whatever area it names",
         {.areas = "90", .class = CLASS_URGENT, .type = CAP_CANCEL},
         "90.10001.loa/10001 90.sms.mot/10001",
         "90.10001.loa+ 90.sms.mot+",
         "10001"},
        {"a Cancel without infos too",
         {.class = CLASS_URGENT, .type = CAP_CANCEL, .languages = ""},
         "90.10001.loa/10001 90.sms.mot/10001",
         "90.10001.loa+ 90.sms.mot+",
         "10001"},
        {"an all-clear too",
         {.areas = "90", .class = CLASS_URGENT, .type = CAP_UPDATE, .all_clear = true},
         "90.10002.loa/10002",
         "90.10002.loa+",
         NULL},
        {"a Cancel of what nobody was told is not aired",
         {.areas = "90", .class = CLASS_URGENT, .type = CAP_CANCEL},
         "",
         "",
         NULL},
    };
    desk d = desk_open();
    desk_load(&d, desk_policy);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        route_earlier told[4];
        char text[128];
        const char *communes[4];
        size_t n = 0;
        (void)snprintf(text, sizeof text, "%s", rows[i].told);
        for (char *s = text; *s != '\0'; n++) {
            char *slash = strchr(s, '/'), *end = slash + 1 + strcspn(slash + 1, " ");
            char *next = *end == ' ' ? end + 1 : end;
            *slash = '\0';
            *end = '\0';
            communes[n] = slash + 1;
            told[n] = (route_earlier){policy_station_find(d.p, s), {&communes[n], 1}};
            assert_non_null(told[n].station);
            s = next;
        }
        made m;
        plan p;
        char got[512], list[256];
        make(&m, &rows[i].w);
        const route_context c = {.earlier = told, .earlier_count = n, .earlier_known = true};
        assert_int_equal(route_with(d.p, d.ar, &m.a, &c, DESK_NOW, &p, NULL), KG_OK);
        const plan_line *sms = plan_find(&p, "90.sms.mot");
        if (strcmp(lines_of(&p, got), rows[i].want) != 0 || p.hold != NULL || (sms == NULL) != (rows[i].sms == NULL) ||
            (sms != NULL && strcmp(made_join(&sms->communes, list), rows[i].sms) != 0)) {
            fail_msg("%s: %s [%s] %s", rows[i].label, got, sms != NULL ? list : "", p.hold != NULL ? p.hold : "");
        }
        plan_done(&p);
    }
    desk_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modes_and_repeats_follow_the_policy),
        cmocka_unit_test(the_next_news_is_found_around_the_clock),
        cmocka_unit_test(worst_hit_goes_first),
        cmocka_unit_test(nothing_reaches_beyond_the_area),
        cmocka_unit_test(what_resolves_goes_out_and_the_rest_is_said),
        cmocka_unit_test(what_a_person_must_decide_is_held),
        cmocka_unit_test(an_alert_has_an_end),
        cmocka_unit_test(drills_stay_off_peoples_phones),
        cmocka_unit_test(vietnamese_first_and_gaps_are_named),
        cmocka_unit_test(signatures_follow_class_width_and_severity),
        cmocka_unit_test(corrections_go_to_exactly_those_who_were_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
