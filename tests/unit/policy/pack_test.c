/*
 * The packs of the two provinces: what they promise, written by hand from the law and the plans, and that each entry
 * carries weight: with any one of them deleted the policy no longer loads, or the check complains, or a promise fails.
 */
#include "desk.h"

typedef struct pack {
    const char *folder, *code, *inner; /* inner: one commune of it */
    size_t communes;
} pack;

static const pack packs[] = {{"vinh-long", "86", "28756", 124}, {"dak-lak", "66", "22015", 102}};
enum { PACKS = sizeof packs / sizeof packs[0] };

/* ---- what the agencies may: domain.md 1, 3, 4; the plans' part IV ---- */

typedef struct right {
    const char *id;
    bulletin_class class_max;
    bool first_warning;
    const char *sectors; /* of Vinh Long; "+x" only in Dak Lak */
} right;

static const right rights[] = {
    {"ubnd-tinh", CLASS_URGENT, true, "*"},
    {"cong-an-tinh", CLASS_URGENT, true, "cyber crime terrorism security fire transport +multi-crisis"},
    {"bo-chqs-tinh", CLASS_URGENT, true, "disaster"},
    {"so-y-te", CLASS_URGENT, true, "health"},
    {"so-nnmt", CLASS_URGENT, true, "environment water food forest-fire disaster"},
    {"so-cong-thuong", CLASS_URGENT, true, "energy"},
    {"so-xay-dung", CLASS_URGENT, true, "transport"},
    {"so-khcn", CLASS_PRIORITY, false, "telecom"},
    {"so-gddt", CLASS_PRIORITY, false, "education"},
    {"so-dttg", CLASS_PRIORITY, false, "ethnic"},
    {"so-noi-vu", CLASS_PRIORITY, false, "social"},
    {"so-tai-chinh", CLASS_ROUTINE, false, "finance"},
    {"so-vhttdl", CLASS_PRIORITY, false, "culture"},
    {"mttq-tinh", CLASS_ROUTINE, false, "social"},
    {"kttv", CLASS_URGENT, true, "disaster water environment"},
    {"vat-ly-dia-cau", CLASS_URGENT, true, "disaster"},
    {"kiem-lam", CLASS_URGENT, true, "forest-fire"},
};

static bool sectors_are(const policy_agency *a, const char *want, bool dak_lak)
{
    char list[256], plain[256];
    size_t n = 0;
    for (const char *s = want; *s != '\0'; s++) {
        if (*s == '+' && !dak_lak) {
            break;
        }
        if (*s != '+') {
            plain[n++] = *s;
        }
    }
    while (n > 0 && plain[n - 1] == ' ') {
        n--;
    }
    plain[n] = '\0';
    return strcmp(made_join(&a->sectors, list), plain) == 0;
}

static const char *broken_right(const policy *p, const pack *k)
{
    for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++) {
        const policy_agency *a = policy_agency_find(p, rights[i].id);
        if (a == NULL || a->class_max != rights[i].class_max || a->first_warning != rights[i].first_warning ||
            !sectors_are(a, rights[i].sectors, strcmp(k->code, "66") == 0) || a->areas.count != 1 ||
            strcmp(a->areas.items[0], k->code) != 0) {
            return rights[i].id;
        }
    }
    char own[32];
    (void)snprintf(own, sizeof own, "ubnd.%s", k->inner);
    const policy_agency *a = policy_agency_find(p, own);
    const bool good = a != NULL && a->areas.count == 1 && strcmp(a->areas.items[0], k->inner) == 0 &&
                      a->class_max == CLASS_URGENT && a->first_warning && strcmp(a->sectors.items[0], "*") == 0;
    return !good                                                                      ? "ubnd"
           : policy_agency_count(p) != sizeof rights / sizeof rights[0] + k->communes ? "the number of agencies"
                                                                                      : NULL;
}

/* ---- who carries what, how and how often: domain.md 10, rows 6, 8, 10, 14, 21 ---- */

typedef struct promise {
    const char *label;
    words w;      /* areas: the pack's inner commune */
    char station; /* L oudspeaker, R adio, T v, S ms */
    bool in;
    policy_mode mode;
    const char *repeat_rule, *repeat;
    const char *languages; /* NULL: "vi" */
    const char *only;      /* the pack's code; NULL both */
} promise;

#define R CLASS_ROUTINE
#define P CLASS_PRIORITY
#define U CLASS_URGENT

static const promise promises[] = {
    {"row 6: routine is offered", {.class = R}, 'L', true, MODE_OFFER, "", "/", NULL, NULL},
    {"row 6: priority is next", {.class = P}, 'L', true, MODE_NEXT, "", "/", NULL, NULL},
    {"row 6: urgent interrupts", {.class = U}, 'L', true, MODE_INTERRUPT, "repeats.urgent", "/7200", NULL, NULL},
    {"radio routine", {.class = R}, 'R', true, MODE_SCHEDULE, "", "/", NULL, NULL},
    {"radio priority", {.class = P}, 'R', true, MODE_NEXT, "", "/", NULL, NULL},
    {"radio urgent", {.class = U}, 'R', true, MODE_INTERRUPT, "repeats.urgent", "/7200", NULL, NULL},
    {"tv routine", {.class = R}, 'T', true, MODE_SCHEDULE, "", "/", NULL, NULL},
    {"tv priority", {.class = P}, 'T', true, MODE_NEXT, "", "/", NULL, NULL},
    {"tv urgent", {.class = U}, 'T', true, MODE_INTERRUPT, "repeats.urgent", "/7200", NULL, NULL},
    {"sms routine: not carried", {.class = R}, 'S', false, MODE_OFFER, "", "/", NULL, NULL},
    {"sms priority", {.class = P}, 'S', true, MODE_NEXT, "", "/", NULL, NULL},
    {"sms urgent, once", {.class = U}, 'S', true, MODE_INTERRUPT, "", "/", NULL, NULL},
    {"row 8: urgent storm",
     {.class = U, .event = "Bão số 12"},
     'R',
     true,
     MODE_INTERRUPT,
     "repeats.storm-flood-urgent",
     "/7200",
     NULL,
     NULL},
    {"row 8: urgent flood on loudspeakers",
     {.class = U, .event = "Lũ quét"},
     'L',
     true,
     MODE_INTERRUPT,
     "repeats.storm-flood-urgent",
     "/7200",
     NULL,
     NULL},
    {"row 8: urgent depression by code",
     {.class = U, .event_code = "tropical-depression"},
     'T',
     true,
     MODE_INTERRUPT,
     "repeats.storm-flood-urgent",
     "/7200",
     NULL,
     NULL},
    {"row 8: ordinary storm, radio on the hour",
     {.class = P, .event = "Áp thấp nhiệt đới gần bờ"},
     'R',
     true,
     MODE_NEXT,
     "repeats.storm-flood-radio",
     "/7200h",
     NULL,
     NULL},
    {"row 8: ordinary flood, TV",
     {.class = R, .event = "Lũ trên sông"},
     'T',
     true,
     MODE_SCHEDULE,
     "repeats.storm-flood-tv",
     "/10800",
     NULL,
     NULL},
    {"row 8: ordinary flood, loudspeakers once",
     {.class = P, .event = "Lũ"},
     'L',
     true,
     MODE_NEXT,
     "",
     "/",
     NULL,
     NULL},
    {"row 8: tsunami 1",
     {.class = U, .event = "Sóng thần", .event_code = "tsunami-1"},
     'L',
     true,
     MODE_INTERRUPT,
     "repeats.tsunami-1-2",
     "300 600/1800",
     NULL,
     NULL},
    {"row 8: tsunami 2",
     {.class = U, .event_code = "tsunami-2"},
     'R',
     true,
     MODE_INTERRUPT,
     "repeats.tsunami-1-2",
     "300 600/1800",
     NULL,
     NULL},
    {"row 8: tsunami 3",
     {.class = U, .event_code = "tsunami-3"},
     'T',
     true,
     MODE_INTERRUPT,
     "repeats.tsunami-3",
     "300 600/1200",
     NULL,
     NULL},
    {"row 8: tsunami of no level as the worst",
     {.class = U, .event = "Cảnh báo sóng thần"},
     'L',
     true,
     MODE_INTERRUPT,
     "repeats.tsunami-3",
     "300 600/1200",
     NULL,
     NULL},
    {"row 8: earthquake, next news (full hour: 11:30 to 12:00)",
     {.class = U, .event = "Động đất"},
     'R',
     true,
     MODE_INTERRUPT,
     "repeats.earthquake-air",
     "1800/",
     NULL,
     NULL},
    {"row 8: earthquake, loudspeakers once",
     {.class = U, .event = "Động đất"},
     'L',
     true,
     MODE_INTERRUPT,
     "repeats.earthquake-loudspeaker",
     "/",
     NULL,
     NULL},
    {"row 8: cancel, now and next news",
     {.class = U, .type = CAP_CANCEL, .event = "Bão"},
     'T',
     true,
     MODE_INTERRUPT,
     "repeats.end",
     "1800/",
     NULL,
     NULL},
    {"row 8: final, loudspeakers once",
     {.class = U, .type = CAP_UPDATE, .all_clear = true},
     'L',
     true,
     MODE_INTERRUPT,
     "",
     "/",
     NULL,
     NULL},
    {"row 14: Khmer after Vietnamese",
     {.class = U, .languages = "km vi"},
     'L',
     true,
     MODE_INTERRUPT,
     "repeats.urgent",
     "/7200",
     "vi km",
     "86"},
    {"row 14: E De",
     {.class = U, .languages = "rad vi"},
     'L',
     true,
     MODE_INTERRUPT,
     "repeats.urgent",
     "/7200",
     "vi rad",
     "66"},
    {"row 14: Eastern M'nong",
     {.class = U, .languages = "vi mng"},
     'L',
     true,
     MODE_INTERRUPT,
     "repeats.urgent",
     "/7200",
     "vi mng",
     "66"},
    {"row 14: Central M'nong",
     {.class = U, .languages = "vi cmo"},
     'L',
     true,
     MODE_INTERRUPT,
     "repeats.urgent",
     "/7200",
     "vi cmo",
     "66"},
    {"row 14: Southern M'nong",
     {.class = U, .languages = "vi mnn"},
     'L',
     true,
     MODE_INTERRUPT,
     "repeats.urgent",
     "/7200",
     "vi mnn",
     "66"},
    {"row 14: Jarai",
     {.class = U, .languages = "vi jra"},
     'L',
     true,
     MODE_INTERRUPT,
     "repeats.urgent",
     "/7200",
     "vi jra",
     "66"},
    {"row 14: Cham H'roi",
     {.class = U, .languages = "vi hro"},
     'L',
     true,
     MODE_INTERRUPT,
     "repeats.urgent",
     "/7200",
     "vi hro",
     "66"},
    {"row 14: Bahnar",
     {.class = U, .languages = "vi bdq"},
     'L',
     true,
     MODE_INTERRUPT,
     "repeats.urgent",
     "/7200",
     "vi bdq",
     "66"},
    {"row 21: an exercise on loudspeakers",
     {.class = U, .status = CAP_EXERCISE},
     'L',
     true,
     MODE_INTERRUPT,
     "repeats.urgent",
     "/7200",
     NULL,
     NULL},
    {"row 21: never on phones", {.class = U, .status = CAP_EXERCISE}, 'S', false, MODE_OFFER, "", "/", NULL, NULL},
    {"a test is not aired", {.class = U, .status = CAP_TEST}, 'L', false, MODE_OFFER, "", "/", NULL, NULL},
};

static const char *station_of(const pack *k, char kind, char out[48])
{
    switch (kind) {
    case 'L':
        (void)snprintf(out, 48, "%s.%s.loa", k->code, k->inner);
        break;
    case 'S':
        (void)snprintf(out, 48, "%s.sms.viettel", k->code);
        break;
    default:
        (void)snprintf(out, 48, "%s.%s", k->code, kind == 'R' ? "radio" : "tv");
        break;
    }
    return out;
}

static bool kept(const policy *p, const areas *ar, const pack *k, const promise *pr)
{
    made m;
    plan got;
    char id[48], repeat[256], languages[256];
    words w = pr->w;
    w.areas = k->inner;
    make(&m, &w);
    assert_int_equal(route_plan(p, ar, &m.a, DESK_NOW, &got, NULL), KG_OK);
    const plan_line *l = plan_find(&got, station_of(k, pr->station, id));
    const bool good = l != NULL && l->in == pr->in && l->mode == pr->mode &&
                      strcmp(l->repeat_rule, pr->repeat_rule) == 0 &&
                      strcmp(made_repeat(&l->repeat, repeat), pr->repeat) == 0 &&
                      strcmp(made_join(&l->languages, languages), pr->languages != NULL ? pr->languages : "vi") == 0;
    plan_done(&got);
    return good;
}

/* A small list of officials must hear a Test: added to the pack's stations for this question. */
static const char *broken_promise(const policy *p, const areas *ar, const pack *k)
{
    for (size_t i = 0; i < sizeof promises / sizeof promises[0]; i++) {
        if ((promises[i].only == NULL || strcmp(promises[i].only, k->code) == 0) && !kept(p, ar, k, &promises[i])) {
            return promises[i].label;
        }
    }
    made m;
    plan got;
    make(&m, &(words){.areas = k->inner, .class = CLASS_URGENT, .status = CAP_TEST});
    assert_int_equal(route_plan(p, ar, &m.a, DESK_NOW, &got, NULL), KG_OK);
    const plan_line *l = plan_find(&got, "test.officials");
    const bool heard = l != NULL && l->in;
    plan_done(&got);
    return heard ? NULL : "row 21: a test reaches the officials' list";
}

static const char *broken_ttl(const policy *p)
{
    static const int64_t hour = 3600000;
    const bool good = policy_default_ttl_ms(p, CLASS_ROUTINE) == 24 * hour &&
                      policy_default_ttl_ms(p, CLASS_PRIORITY) == 12 * hour &&
                      policy_default_ttl_ms(p, CLASS_URGENT) == 6 * hour;
    return good ? NULL : "default time to live";
}

static unsigned signatures(const policy *p, const areas *ar, const words *w)
{
    made m;
    plan got;
    make(&m, w);
    assert_int_equal(route_plan(p, ar, &m.a, DESK_NOW, &got, NULL), KG_OK);
    const unsigned n = got.signatures;
    plan_done(&got);
    return n;
}

/* design.md 8, with the switch on. */
static const char *broken_signature(const policy *p, const areas *ar, const pack *k)
{
    return signatures(p, ar, &(words){.areas = k->code, .class = U}) != 2    ? "urgent and wide needs two"
           : signatures(p, ar, &(words){.areas = k->inner, .class = U}) != 1 ? "urgent in one commune needs one"
           : signatures(p, ar, &(words){.areas = k->inner, .severity = CAP_SEVERITY_EXTREME}) != 2 ? "Extreme needs two"
           : signatures(p, ar, &(words){.areas = k->code, .class = U, .first_warning = true}) != 1
               ? "a first warning needs one"
               : NULL;
}

/* ---- loading a pack, as it is and with an entry deleted ---- */

static char *read_pack(const pack *k, const char *name)
{
    char path[512];
    kg_buf text = {0};
    kg_diag diag = {{0}};
    (void)snprintf(path, sizeof path, "%s/deploy/provinces/%s/%s", getenv("KENG_SOURCE_DIR"), k->folder, name);
    if (kg_file_read(path, 4 << 20, &text, &diag) != KG_OK) {
        fail_msg("%s", diag.text);
    }
    return text.s; /* kg_buf_done would free this: the caller does */
}

static desk open_pack(const pack *k)
{
    desk d = {.folder = "/tmp/keng-policy-XXXXXX"};
    assert_non_null(mkdtemp(d.folder));
    char *communes = read_pack(k, "communes.tsv"), *stations = read_pack(k, "stations.tsv");
    desk_write(&d, "communes.tsv", communes);
    kg_buf more = {0};
    assert_int_equal(
        kg_buf_putf(&more, "%stest.officials\tDanh sách thử\tsms\t%s\t\t\t\tofficials\n", stations, k->code), KG_OK);
    desk_write(&d, "stations.tsv", more.s);
    char path[128];
    (void)snprintf(path, sizeof path, "%s/communes.tsv", d.folder);
    assert_int_equal(areas_load(path, &d.ar, NULL), KG_OK);
    kg_buf_done(&more);
    free(communes);
    free(stations);
    return d;
}

/* NULL when the policy is whole; else the first thing that shows it is not. */
static const char *first_fault(desk *d, const pack *k, const char *yaml)
{
    static kg_diag diag; /* the answer may point into it */
    if (desk_try(d, yaml, &diag) != KG_OK) {
        return diag.text;
    }
    kg_buf report = {0};
    size_t complaints = 0;
    assert_int_equal(policy_check(d->p, d->ar, &report, &complaints), KG_OK);
    kg_buf_done(&report);
    const char *fault = complaints > 0 ? "policy check" : broken_right(d->p, k);
    fault = fault != NULL ? fault : broken_ttl(d->p);
    fault = fault != NULL ? fault : broken_promise(d->p, d->ar, k);
    if (fault != NULL) {
        return fault;
    }
    char *on = strstr(yaml, "enforced: false") != NULL ? desk_edit(yaml, "enforced: false", "enforced: true") : NULL;
    if (on == NULL) {
        return "the switch of the two signatures is not where it was";
    }
    fault = desk_try(d, on, &diag) != KG_OK ? diag.text : broken_signature(d->p, d->ar, k);
    free(on);
    return fault;
}

static void the_packs_keep_what_they_promise(void **state)
{
    (void)state;
    for (size_t i = 0; i < PACKS; i++) {
        desk d = open_pack(&packs[i]);
        char *yaml = read_pack(&packs[i], "policy.yaml");
        const char *fault = first_fault(&d, &packs[i], yaml);
        if (fault != NULL) {
            fail_msg("%s: %s", packs[i].folder, fault);
        }
        desk_load(&d, yaml);
        made m;
        plan p;
        make(&m, &(words){.areas = packs[i].code, .class = CLASS_URGENT});
        assert_int_equal(route_plan(d.p, d.ar, &m.a, DESK_NOW, &p, NULL), KG_OK);
        assert_int_equal(p.in_count,
                         packs[i].communes + 2 + 6 + 1); /* loudspeakers, radio and TV, operators, the list */
        assert_int_equal(p.signatures, 1);
        assert_int_equal(plan_find(&p, packs[i].code[0] == '8' ? "86.sms.gtel" : "66.sms.gtel")->communes.count,
                         packs[i].communes);
        for (size_t k = 0; k < p.count; k++) {
            assert_true(strlen(p.lines[k].basis) > 10 && strlen(p.lines[k].why) > 10);
        }
        plan_done(&p);
        free(yaml);
        desk_close(&d);
    }
}

/* The next list entry at or after `at`: a line that begins with blanks and "- ", with all lines deeper than the dash. */
static const char *next_entry(const char *at, size_t *len)
{
    for (; *at != '\0'; at += strcspn(at, "\n") + (at[strcspn(at, "\n")] == '\n' ? 1 : 0)) {
        const size_t indent = strspn(at, " ");
        if (indent == 0 || strncmp(at + indent, "- ", 2) != 0) {
            continue;
        }
        const char *end = at;
        do {
            end += strcspn(end, "\n");
            end += *end == '\n' ? 1 : 0;
        } while (*end != '\0' && strspn(end, " ") > indent);
        *len = (size_t)(end - at);
        return at;
    }
    return NULL;
}

static void each_entry_carries_weight(void **state)
{
    (void)state;
    for (size_t i = 0; i < PACKS; i++) {
        desk d = open_pack(&packs[i]);
        char *yaml = read_pack(&packs[i], "policy.yaml");
        size_t len = 0, entries = 0;
        for (const char *at = next_entry(yaml, &len); at != NULL; at = next_entry(at + len, &len)) {
            kg_buf without = {0};
            assert_int_equal(kg_buf_put(&without, yaml, (size_t)(at - yaml)), KG_OK);
            assert_int_equal(kg_buf_puts(&without, at + len), KG_OK);
            if (first_fault(&d, &packs[i], without.s) == NULL) {
                fail_msg("%s: nobody misses this entry:\n%.*s", packs[i].folder, (int)len, at);
            }
            kg_buf_done(&without);
            entries++;
        }
        /* 19 (20 in Dak Lak) sectors, 18 agencies, 3 classes, 11 media lines, 9 repeats, 1 (7) languages, 2 drills, 2
         * signature rules */
        assert_int_equal(entries, packs[i].code[0] == '8' ? 65 : 72);
        (void)printf("    %s: %zu entries deleted in turn\n", packs[i].folder, entries);
        free(yaml);
        desk_close(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_packs_keep_what_they_promise),
        cmocka_unit_test(each_entry_carries_weight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
