/* policy.yaml and stations.tsv: what is read, and each fault with the place where it stands. */
#include "desk.h"

static void reads_the_small_province(void **state)
{
    (void)state;
    desk d = desk_open();
    desk_load(&d, desk_policy);
    assert_string_equal(policy_province(d.p), "90");
    assert_int_equal(policy_station_count(d.p), 8);
    for (size_t i = 0; i < policy_station_count(d.p); i++) {
        assert_int_equal(policy_station(d.p, i)->index, i);
    }
    assert_null(policy_station(d.p, 8));
    assert_null(policy_station_find(d.p, "90.10009.loa"));
    const station *s = policy_station_find(d.p, "90.10002.loa");
    assert_non_null(s);
    assert_true(s->manual && s->medium == MEDIUM_LOUDSPEAKER && s->languages.count == 0);
    assert_string_equal(s->person, "Trưởng thôn B");
    assert_string_equal(policy_station_find(d.p, "90.sms.can-bo")->audience, "officials");
    assert_int_equal(policy_station_find(d.p, "90.sms.mot")->areas.count, 2);
    assert_true(policy_default_ttl_ms(d.p, CLASS_URGENT) == INT64_C(6) * 3600000);
    assert_true(policy_default_ttl_ms(d.p, CLASS_ROUTINE) == INT64_C(24) * 3600000);
    desk_close(&d);
}

static void a_commune_entry_makes_one_agency_a_commune(void **state)
{
    (void)state;
    desk d = desk_open();
    desk_load(&d, desk_policy);
    assert_int_equal(policy_agency_count(d.p), 2 + 4); /* the retired commune's too, its key may still sign its end */
    const policy_agency *a = policy_agency_find(d.p, "ubnd.10003");
    assert_non_null(a);
    assert_string_equal(a->name, "UBND phường C");
    assert_int_equal(a->areas.count, 1);
    assert_string_equal(a->areas.items[0], "10003");
    assert_true(a->first_warning && a->class_max == CLASS_URGENT);
    assert_string_equal(a->sectors.items[0], "*");
    assert_null(policy_agency_find(d.p, "ubnd"));
    assert_null(policy_agency_find(d.p, "ubnd.20001")); /* another province's */
    desk_close(&d);
}

static void the_hash_is_of_both_files(void **state)
{
    (void)state;
    desk d = desk_open();
    desk_load(&d, desk_policy);
    const alert_hash first = *policy_hash(d.p);
    desk_load(&d, desk_policy);
    assert_memory_equal(&first, policy_hash(d.p), sizeof first);
    char *yaml = desk_edit(desk_policy, "basis: L10", "basis: L11");
    desk_load(&d, yaml);
    assert_memory_not_equal(&first, policy_hash(d.p), sizeof first);
    free(yaml);
    char *table = desk_edit(desk_stations, "Loa A", "Loa a");
    desk_write(&d, "stations.tsv", table);
    free(table);
    desk_load(&d, desk_policy);
    assert_memory_not_equal(&first, policy_hash(d.p), sizeof first);
    desk_close(&d);
}

static void each_fault_has_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *label, *from, *to, *want;
    } rows[] = {
        /* the schema's: file:line:column */
        {"an unknown key", "name: tỉnh thử", "nam: tỉnh thử", "policy.yaml:2:1: "},
        {"a missing list", "news: {hours: [\"18:00\", \"06:00\"], basis: L6}\n", "", "policy.yaml:"},
        {"an unknown mode", "mode: crawl", "mode: shout", "policy.yaml:24:"},
        {"an unknown class", "class: routine, mode", "class: red, mode", "policy.yaml:19:"},
        {"an unknown medium", "medium: tv, class: priority", "medium: fax, class: priority", "policy.yaml:24:"},
        {"an entry without basis", "first_warning: true, basis: L2}\n  - {id: ubnd,",
         "first_warning: true}\n  - {id: ubnd,", "policy.yaml:"},
        {"a number that is none", "every_minutes: 20", "every_minutes: often", "policy.yaml:30:"},
        {"a negative number", "over_communes: 1", "over_communes: -1", "policy.yaml:49:"},
        {"a bool that is none", "enforced: true", "enforced: maybe", "policy.yaml:45:"},
        {"not YAML", "agencies:", "agencies: [", "policy.yaml:"},
        /* ours: the entry's name */
        {"a province without communes", "province: \"90\"", "province: \"77\"", "province: '77'"},
        {"a sector nobody declared", "sectors: [health]", "sectors: [healt]", "agencies: so-y-te: sector 'healt'"},
        {"a lead that is no agency", "lead: so-y-te", "lead: so-yte", "sectors: health: its lead 'so-yte'"},
        {"a sector twice", "agencies:\n", "  - {id: disaster, name: B, basis: L}\nagencies:\n",
         "sectors: 'disaster' stands twice"},
        {"an agency twice", "{id: so-y-te, name", "{id: ubnd-tinh, name", "agencies: 'ubnd-tinh' stands twice"},
        {"an agency without area", "areas: [\"90\"], sectors: [health]", "sectors: [health]",
         "agencies: so-y-te: give either"},
        {"both areas and each_commune", "each_commune: true", "each_commune: true, areas: [\"90\"]",
         "agencies: ubnd: give either"},
        {"an id with a capital", "{id: ubnd-tinh, name", "{id: UBND, name", "agencies: the id 'UBND'"},
        {"a class missing", "  - {class: urgent, default_ttl_minutes: 360, basis: L3}\n", "",
         "classes: there is no entry for urgent"},
        {"a class twice", "{class: urgent, default", "{class: priority, default", "classes: priority stands twice"},
        {"more than 24 hours", "default_ttl_minutes: 1440", "default_ttl_minutes: 1441",
         "classes: routine: default_ttl_minutes"},
        {"a media line twice", "medium: tv, class: priority, mode: crawl",
         "medium: radio, class: priority, mode: crawl", "media: radio priority stands twice"},
        {"an hour that is none", "\"18:00\"", "\"24:00\"", "news: '24:00'"},
        {"an hour without zero", "\"06:00\"", "\"6:00\"", "news: '6:00'"},
        {"minutes that fall", "[5, 10]", "[10, 5]", "repeats: wave: after_minutes must rise"},
        {"too many minutes", "[5, 10]", "[1, 2, 3, 4, 5, 6, 7, 8]", "repeats: wave: there are more than 7"},
        {"a repeat twice", "{id: quake", "{id: wave", "repeats: wave: the id stands twice"},
        {"an event code without scheme", "CAP-VN:event=wave", "wave", "repeats: wave: an event code"},
        {"on the hour, never", "every_minutes: 120, on_the_hour", "on_the_hour", "repeats: flood: on_the_hour needs"},
        {"on the hour, every 90 minutes", "every_minutes: 120, on_the_hour", "every_minutes: 90, on_the_hour",
         "repeats: flood: on_the_hour needs"},
        {"Vietnamese as an entry", "language: rad", "language: vi", "languages: 'vi'"},
        {"a tag with a region", "language: rad", "language: rad-VN", "languages: 'rad-VN'"},
        {"a drill twice", "drills:\n", "drills:\n  - {status: exercise, media: [], public_sms: false, basis: L}\n",
         "drills: Exercise stands twice"},
        {"no signature at all", "needed: 2", "needed: 0", "signatures: wide: needed"},
        {"a first warning without one", "first_warning: 1\n", "first_warning: 0\n", "signatures: first_warning"},
        {"no station table", "stations: stations.tsv", "stations: nowhere.tsv", "nowhere.tsv"},
    };
    desk d = desk_open();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *yaml = desk_edit(desk_policy, rows[i].from, rows[i].to);
        kg_diag diag = {{0}};
        const kg_err e = desk_try(&d, yaml, &diag);
        free(yaml);
        if (kg_err_class(e) != KG_PERM || d.p != NULL || strstr(diag.text, rows[i].want) == NULL) {
            fail_msg("%s: %s: %s", rows[i].label, kg_err_name(e), diag.text);
        }
    }
    desk_close(&d);
}

static void each_fault_of_a_station_has_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *label, *from, *to, *want;
    } rows[] = {
        {"no header", "id\tname", "id\tten", "stations.tsv:1: "},
        {"a column missing", "Loa A\tloudspeaker\t10001\t\t\t\t", "Loa A\tloudspeaker\t10001\t\t\t",
         "stations.tsv:2: there are not 8"},
        {"a column too many", "\t10001\t\t\t\t", "\t10001\t\t\t\t\t", "stations.tsv:2: there are more than 8"},
        {"an unknown medium", "tv\t90", "tivi\t90", "stations.tsv:6: the medium"},
        {"no area", "loudspeaker\t10001", "loudspeaker\t", "stations.tsv:2: it has no area"},
        {"a guessed type", "\tip\t", "\tprobably ip\t", "stations.tsv:4: the type"},
        {"an id with a blank", "90.10001.loa", "90 10001 loa", "stations.tsv:2: the id"},
        {"no name", "Loa A", "", "stations.tsv:2: the name"},
        {"a station twice", "90.10002.loa", "90.10001.loa", "station 90.10001.loa stands twice"},
    };
    desk d = desk_open();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *table = desk_edit(desk_stations, rows[i].from, rows[i].to);
        desk_write(&d, "stations.tsv", table);
        free(table);
        kg_diag diag = {{0}};
        const kg_err e = desk_try(&d, desk_policy, &diag);
        if (e != KG_E_INVALID || d.p != NULL || strstr(diag.text, rows[i].want) == NULL) {
            fail_msg("%s: %s: %s", rows[i].label, kg_err_name(e), diag.text);
        }
    }
    desk_close(&d);
}

static void names_go_both_ways(void **state)
{
    (void)state;
    for (int m = 0; m < MEDIUM_COUNT; m++) {
        assert_int_equal(medium_read(medium_text((medium)m)), m);
        assert_true(strlen(medium_vi((medium)m)) > 1);
    }
    for (int m = 0; m < MODE_COUNT; m++) {
        assert_int_equal(policy_mode_read(policy_mode_text((policy_mode)m)), m);
    }
    assert_int_equal(medium_read("loa"), -1);
    assert_int_equal(policy_mode_read(""), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_small_province),
        cmocka_unit_test(a_commune_entry_makes_one_agency_a_commune),
        cmocka_unit_test(the_hash_is_of_both_files),
        cmocka_unit_test(each_fault_has_its_place),
        cmocka_unit_test(each_fault_of_a_station_has_its_line),
        cmocka_unit_test(names_go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
