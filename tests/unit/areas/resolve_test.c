/*
 * From an alert's areas to communes: codes, polygons, circles, repairs, and what reaches nobody.
 *
 * The hand-made map, 0.1 degree squares (lat from 10.0, lon from 105.0):
 *
 *     10003 |
 *     ------+-------         10005 has no outline, 10006 was retired on 2026-04-30 into 10001
 *     10001 | 10002 |  10004 (with a hole in its middle, and an island at 105.50-105.51)
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "areas/areas.h"
#include "base/buf.h"
#include "scratch.h"

#define SENT INT64_C(1779339600000) /* 2026-05-21 12:00 in Viet Nam */

static const char table[] = "code\tname\tkind\tprovince\tvalid_from\tvalid_until\tsuccessor\n"
                            "10001\tA\txã\t90\t2025-07-01\t\t\n"
                            "10002\tB\txã\t90\t2025-07-01\t\t\n"
                            "10003\tC\tphường\t90\t2025-07-01\t\t\n"
                            "10004\tD\txã\t91\t2025-07-01\t\t\n"
                            "10005\tE\txã\t91\t2025-07-01\t\t\n"
                            "10006\tF\txã\t90\t2025-07-01\t2026-04-30\t10001\n"
                            "10007\tG\txã\t91\t2027-01-01\t\t\n";

#define SQUARE(code, w, s, e, n)                                                                                       \
    "{\"type\":\"Feature\",\"properties\":{\"code\":\"" code "\"},\"geometry\":{\"type\":\"Polygon\",\"coordinates\":" \
    "[[[" w "," s "],[" e "," s "],[" e "," n "],[" w "," n "],[" w "," s "]]]}}"

static const char map[] =
    "{\"type\":\"FeatureCollection\",\"features\":[" SQUARE("10001", "105.0", "10.0", "105.1", "10.1") "," SQUARE(
        "10002", "105.1", "10.0", "105.2",
        "10.1") "," SQUARE("10003", "105.0", "10.1", "105.1",
                           "10.2") ","
                                   "{\"type\":\"Feature\",\"properties\":{\"code\":\"10004\"},\"geometry\":{\"type\":"
                                   "\"MultiPolygon\",\"coordinates\":"
                                   "[[[[105.3,10.0],[105.4,10.0],[105.4,10.1],[105.3,10.1],[105.3,10.0]],"
                                   "[[105.34,10.04],[105.34,10.06],[105.36,10.06],[105.36,10.04],[105.34,10.04]]],"
                                   "[[[105.5,10.0],[105.51,10.0],[105.51,10.01],[105.5,10.01],[105.5,10.0]]]]}}]}";

static areas *make(bool with_map)
{
    const scratch file = scratch_file(table);
    kg_diag diag = {{0}};
    areas *a = NULL;
    if (areas_load(file.path, &a, &diag) != KG_OK) {
        fail_msg("%s", diag.text);
    }
    scratch_done(&file);
    size_t imported = 0;
    if (with_map && areas_import_text(a, "map", map, sizeof map - 1, &imported, &diag) != KG_OK) {
        fail_msg("%s", diag.text);
    }
    assert_int_equal(imported, with_map ? 4 : 0);
    return a;
}

/* One info with one area; a NULL field is absent. */
typedef struct ask {
    const char *commune, *province, *polygon, *circle, *other;
} ask;

static kg_err resolve(const areas *a, const ask *q, int64_t sent_ms, area_set *out, kg_diag *diag)
{
    alert_pair codes[3];
    size_t n = 0;
    if (q->commune != NULL) {
        codes[n++] = (alert_pair){AREAS_COMMUNE, q->commune};
    }
    if (q->province != NULL) {
        codes[n++] = (alert_pair){AREAS_PROVINCE, q->province};
    }
    if (q->other != NULL) {
        codes[n++] = (alert_pair){"EMMA_ID", q->other};
    }
    const char *polygon[] = {q->polygon}, *circle[] = {q->circle};
    alert_area area = {.description = "test area",
                       .polygons = {polygon, q->polygon != NULL},
                       .circles = {circle, q->circle != NULL},
                       .geocodes = {codes, n}};
    alert_info info = {.language = "vi", .areas = {&area, 1}};
    const alert al = {.sent_ms = sent_ms, .infos = {&info, 1}};
    return areas_resolve(a, &al, out, diag);
}

/* "10001 10003" */
static const char *codes_of(const areas *a, const area_set *s, char out[256])
{
    out[0] = '\0';
    for (size_t i = 0; i < s->count && i < 40; i++) {
        const size_t at = strlen(out);
        (void)snprintf(out + at, 256 - at, "%s%s", i > 0 ? " " : "", areas_at(a, s->items[i])->code);
    }
    return out;
}

typedef struct row {
    const char *label;
    ask q;
    const char *want; /* codes */
    bool unusable;
    const char *notes; /* a piece of them, "" none at all */
} row;

static void check_rows(const areas *a, const row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        area_set got;
        kg_diag diag = {{0}};
        char codes[256];
        if (resolve(a, &rows[i].q, SENT, &got, &diag) != KG_OK) {
            fail_msg("%s: %s", rows[i].label, diag.text);
        }
        const bool noted = rows[i].notes[0] == '\0' ? got.notes[0] == '\0' : strstr(got.notes, rows[i].notes) != NULL;
        if (strcmp(codes_of(a, &got, codes), rows[i].want) != 0 || got.unusable != rows[i].unusable || !noted) {
            fail_msg("%s: got [%s] unusable %d notes: %s", rows[i].label, codes, got.unusable, got.notes);
        }
        area_set_done(&got);
    }
}

static void resolves_codes(void **state)
{
    (void)state;
    static const row rows[] = {
        {"one commune", {.commune = "10002"}, "10002", false, ""},
        {"a province: its communes in force", {.province = "90"}, "10001 10002 10003", false, ""},
        {"the nation, said by code", {.province = "00"}, "10001 10002 10003 10004 10005", false, ""},
        {"a code and a province", {.commune = "10004", .province = "90"}, "10001 10002 10003 10004", false, ""},
        {"another scheme beside a code", {.commune = "10001", .other = "VN01"}, "10001", false, "'EMMA_ID'"},
        {"another scheme alone reaches nobody", {.other = "10001"}, "", true, "it reaches no commune"},
        {"no code and no geometry", {.commune = NULL}, "", true, "it reaches no commune"},
        {"geometry without outlines",
         {.polygon = "10,105 10,106 11,106 10,105"},
         "",
         true,
         "no outlines were imported"},
        {"geometry without outlines beside a code",
         {.commune = "10001", .polygon = "10,105 10,106 11,106 10,105"},
         "10001",
         false,
         "no outlines were imported"},
    };
    areas *a = make(false);
    check_rows(a, rows, sizeof rows / sizeof rows[0]);
    areas_free(&a);
}

static void refuses_codes_that_are_not_there(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        ask q;
        int64_t sent_ms;
        const char *want; /* in the sentence; NULL: accepted */
    } rows[] = {
        {"unknown", {.commune = "99999"}, SENT, "'99999' is unknown"},
        {"a name", {.commune = "Xã Tân Tiến"}, SENT, "is unknown"},
        {"without its leading zero", {.commune = "1001"}, SENT, "is unknown"},
        {"retired names its successor", {.commune = "10006"}, SENT, "its successor is 10001"},
        {"retired, no time given", {.commune = "10006"}, 0, "its successor is 10001"},
        {"on its last day it was in force", {.commune = "10006"}, SENT - INT64_C(22) * 86400000, NULL},
        {"not yet", {.commune = "10007"}, SENT, "only from 2027-01-01"},
        {"an unknown province", {.province = "66"}, SENT, "province code '66'"},
    };
    areas *a = make(false);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        area_set got;
        kg_diag diag = {{0}};
        const kg_err e = resolve(a, &rows[i].q, rows[i].sent_ms, &got, &diag);
        const bool good = rows[i].want == NULL ? e == KG_OK && got.count == 1
                                               : e == KG_E_NOTFOUND && strstr(diag.text, rows[i].want) != NULL;
        if (!good) {
            fail_msg("%s: %s: %s", rows[i].label, kg_err_name(e), diag.text);
        }
        area_set_done(&got);
    }
    areas_free(&a);
}

#define UNREACHED "1 communes have none"

static void resolves_polygons(void **state)
{
    (void)state;
    static const row rows[] = {
        {"inside one", {.polygon = "10.02,105.02 10.02,105.04 10.04,105.04 10.02,105.02"}, "10001", false, UNREACHED},
        {"over three",
         {.polygon = "10.05,105.05 10.05,105.15 10.15,105.05 10.05,105.05"},
         "10001 10002 10003",
         false,
         UNREACHED},
        {"drawn along the border is for that one alone",
         {.polygon = "10.0,105.0 10.0,105.1 10.1,105.1 10.1,105.0 10.0,105.0"},
         "10001",
         false,
         UNREACHED},
        {"clockwise is the same",
         {.polygon = "10.0,105.0 10.1,105.0 10.1,105.1 10.0,105.1 10.0,105.0"},
         "10001",
         false,
         UNREACHED},
        {"around all", {.polygon = "9,104 9,106 11,106 11,104 9,104"}, "10001 10002 10003 10004", false, UNREACHED},
        {"in the hole of 10004",
         {.polygon = "10.045,105.345 10.045,105.355 10.055,105.355 10.045,105.345"},
         "",
         true,
         "it meets no commune"},
        {"its island alone",
         {.polygon = "10.0,105.49 10.0,105.52 10.02,105.52 10.02,105.49 10.0,105.49"},
         "10004",
         false,
         UNREACHED},
        {"in the sea", {.polygon = "8,110 8,111 9,111 8,110"}, "", true, "it meets no commune"},
        {"any white space",
         {.polygon = " 10.02,105.02\n10.02,105.04 \t10.04,105.04  10.02,105.02 \n"},
         "10001",
         false,
         UNREACHED},
        {"unclosed is closed",
         {.polygon = "10.02,105.02 10.02,105.04 10.04,105.04 10.04,105.02"},
         "10001",
         false,
         "its first pair closes it"},
        {"three pairs are dropped", {.polygon = "10.02,105.02 10.02,105.04 10.02,105.02"}, "", true, "fewer than 4"},
        {"a broken pair drops the ring",
         {.polygon = "10.02,105.02 10.02 10.04,105.04 9,1 10.02,105.02"},
         "",
         true,
         "not lat,lon"},
        {"a stray bracket too",
         {.polygon = "10.02,105.02 10.02,105.04) 10.04,105.04 10.02,105.02"},
         "",
         true,
         "not lat,lon"},
        {"not a number", {.polygon = "10.02,nan 10.02,105.04 10.04,105.04 10.02,105.02"}, "", true, "not lat,lon"},
        {"lon,lat is not swapped",
         {.polygon = "105.02,10.02 105.04,10.02 105.04,10.04 105.02,10.02"},
         "",
         true,
         "they are not swapped"},
        {"longitude off the Earth", {.polygon = "10,181 10,182 11,182 10,181"}, "", true, "beyond 180"},
        {"a bow tie warns both wings",
         {.polygon = "10.02,105.02 10.08,105.18 10.02,105.18 10.08,105.02 10.02,105.02"},
         "10001 10002",
         false,
         "it crosses itself"},
        {"wound twice stays filled",
         {.polygon = "9,104 9,106 11,106 11,104 9,104 8.9,104 8.9,106.1 11.1,106.1 11.1,103.9 8.9,103.9 9,104"},
         "10001 10002 10003 10004",
         false,
         "it crosses itself"},
        {"no width: along a line",
         {.polygon = "10.05,105.05 10.05,105.15 10.05,105.05 10.05,105.05"},
         "10001 10002",
         false,
         "has no width"},
        {"no width: a point",
         {.polygon = "10.05,105.05 10.05,105.05 10.05,105.05 10.05,105.05"},
         "10001",
         false,
         "has no width"},
        {"over the 180th meridian, from the west",
         {.polygon = "9,104 9,-150 11,-150 11,104 9,104"},
         "10001 10002 10003 10004",
         false,
         UNREACHED},
        {"over the 180th meridian, from the east",
         {.polygon = "9,-150 11,-150 11,105.05 9,105.05 9,-150"},
         "10001 10002 10003 10004",
         false,
         UNREACHED},
        {"over it and not here", {.polygon = "9,170 9,-150 11,-150 11,170 9,170"}, "", true, "it meets no commune"},
        {"around a pole", {.polygon = "80,0 80,90 80,180 80,-90 80,0"}, "", true, "around a pole"},
        {"a dropped ring beside a code", {.commune = "10002", .polygon = "1,2"}, "10002", false, "fewer than 4"},
    };
    areas *a = make(true);
    check_rows(a, rows, sizeof rows / sizeof rows[0]);
    areas_free(&a);
}

/* One degree on the sphere is 111.195 km: 9.9 lies 11.12 km south of 10001. */
static void resolves_circles(void **state)
{
    (void)state;
    static const row rows[] = {
        {"radius 0 is a point", {.circle = "10.05,105.05 0"}, "10001", false, UNREACHED},
        {"a point outside", {.circle = "9.9,105.05 0"}, "", true, "it meets no commune"},
        {"just too short", {.circle = "9.9,105.05 11.11"}, "", true, "it meets no commune"},
        {"just far enough", {.circle = "9.9,105.05 11.13"}, "10001", false, UNREACHED},
        {"to a corner: 0.1 by 0.1 degree, 15.64 km", {.circle = "9.9,104.9 15.5"}, "", true, "it meets no commune"},
        {"past the corner", {.circle = "9.9,104.9 15.7"}, "10001", false, UNREACHED},
        {"east to 10002 is shorter by the cosine: 10.95 km",
         {.circle = "10.05,105.0 10.9"},
         "10001 10003",
         false,
         UNREACHED},
        {"and past it", {.circle = "10.05,105.0 11.0"}, "10001 10002 10003", false, UNREACHED},
        {"in the hole", {.circle = "10.05,105.35 1"}, "", true, "it meets no commune"},
        {"out of the hole: 0.01 degree, 1.09 km", {.circle = "10.05,105.35 1.2"}, "10004", false, UNREACHED},
        {"half the Earth", {.circle = "10,-75 20016"}, "10001 10002 10003 10004", false, UNREACHED},
        {"over the pole", {.circle = "89,-75 9000"}, "10001 10002 10003 10004", false, UNREACHED},
        {"over the 180th meridian", {.circle = "10,-179 8300"}, "10001 10002 10003 10004", false, UNREACHED},
        {"the same text as a broken polygon",
         {.polygon = "10.05,105.05 0", .circle = "10.05,105.05 0"},
         "10001",
         false,
         "fewer than 4"},
        {"a negative radius", {.circle = "10,105 -1"}, "", true, "radius"},
        {"larger than the Earth", {.circle = "10,105 30000"}, "", true, "radius"},
        {"no radius", {.circle = "10,105"}, "", true, "lat,lon radius"},
        {"something behind it", {.circle = "10,105 1 km"}, "", true, "lat,lon radius"},
    };
    areas *a = make(true);
    check_rows(a, rows, sizeof rows / sizeof rows[0]);
    areas_free(&a);
}

static void unites_all_infos_and_says_each_thing_once(void **state)
{
    (void)state;
    areas *a = make(true);
    const char *polygon[] = {"10.02,105.02 10.02,105.04 10.04,105.04 10.02,105.02"}, *bad[] = {"1,2"};
    alert_pair code = {AREAS_COMMUNE, "10005"};
    alert_area first[] = {{.description = "x", .polygons = {polygon, 1}}, {.description = "y", .polygons = {bad, 1}}};
    alert_area second[] = {{.description = "x", .polygons = {polygon, 1}},
                           {.description = "y", .polygons = {bad, 1}},
                           {.description = "z", .geocodes = {&code, 1}}};
    alert_info infos[] = {{.areas = {first, 2}}, {.areas = {second, 3}}};
    const alert al = {.sent_ms = SENT, .infos = {infos, 2}};
    area_set got;
    char codes[256];
    assert_int_equal(areas_resolve(a, &al, &got, NULL), KG_OK);
    assert_string_equal(codes_of(a, &got, codes), "10001 10005");
    assert_true(got.unusable);
    assert_false(got.whole_province);
    const char *once = strstr(got.notes, "polygon of 'y'");
    assert_non_null(once);
    assert_null(strstr(once + 1, "polygon of 'y'"));
    assert_true(area_set_has(&got, 0) && area_set_has(&got, 4) && !area_set_has(&got, 1));
    area_set_done(&got);
    areas_free(&a);
}

static void an_alert_without_infos_is_for_nobody(void **state)
{
    (void)state;
    areas *a = make(true);
    const alert al = {.sent_ms = SENT};
    area_set got;
    assert_int_equal(areas_resolve(a, &al, &got, NULL), KG_OK);
    assert_int_equal(got.count, 0);
    assert_false(got.unusable);
    area_set_done(&got);
    areas_free(&a);
}

static void refuses_maps_with_a_fault_and_keeps_the_old(void **state)
{
    (void)state;
#define FEATURE(code, shape)                                                                                           \
    "{\"type\":\"FeatureCollection\",\"features\":[" SQUARE(                                                           \
        "10005", "1", "1", "2", "2") ",{\"type\":\"Feature\",\"properties\":" code ",\"geometry\":" shape "}]}"
#define RING(p) "{\"type\":\"Polygon\",\"coordinates\":[[" p "]]}"
    static const struct {
        const char *label, *text, *want;
    } rows[] = {
        {"not JSON", "{", "map:1:1: not JSON"},
        {"another type", "{\"type\":\"Feature\"}", "not a GeoJSON FeatureCollection"},
        {"no feature", "{\"type\":\"FeatureCollection\",\"features\":[]}", "at least one feature"},
        {"no code", FEATURE("{}", RING("[1,1],[2,1],[2,2],[1,1]")), "feature 2 (no code)"},
        {"code as a number", FEATURE("{\"code\":10001}", RING("[1,1],[2,1],[2,2],[1,1]")), "feature 2 (no code)"},
        {"unknown code", FEATURE("{\"code\":\"99999\"}", RING("[1,1],[2,1],[2,2],[1,1]")), "feature 2 (99999)"},
        {"the same commune twice", FEATURE("{\"code\":\"10005\"}", RING("[1,1],[2,1],[2,2],[1,1]")), "earlier feature"},
        {"a point", FEATURE("{\"code\":\"10001\"}", "{\"type\":\"Point\",\"coordinates\":[1,1]}"), "neither a Polygon"},
        {"unclosed", FEATURE("{\"code\":\"10001\"}", RING("[1,1],[2,1],[2,2],[1,2]")), "not closed"},
        {"too short", FEATURE("{\"code\":\"10001\"}", RING("[1,1],[2,1],[1,1]")), "at least 4"},
        {"lat,lon", FEATURE("{\"code\":\"10001\"}", RING("[10,105],[11,105],[11,106],[10,105]")), "off the Earth"},
        {"crosses itself", FEATURE("{\"code\":\"10001\"}", RING("[1,1],[2,2],[2,1],[1,2],[1,1]")), "not valid"},
        {"text for a number", FEATURE("{\"code\":\"10001\"}", RING("[\"1\",1],[2,2],[2,1],[1,1]")), "[lon, lat]"},
    };
    areas *a = make(true);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kg_diag diag = {{0}};
        size_t imported = 77;
        const kg_err e = areas_import_text(a, "map", rows[i].text, strlen(rows[i].text), &imported, &diag);
        if (e != KG_E_INVALID || strstr(diag.text, rows[i].want) == NULL || imported != 77) {
            fail_msg("%s: %s: %s", rows[i].label, kg_err_name(e), diag.text);
        }
        if (areas_find(a, "10005")->has_geometry || !areas_find(a, "10001")->has_geometry) {
            fail_msg("%s: something was taken over", rows[i].label);
        }
    }
    areas_free(&a);
}

static void a_later_map_replaces_its_communes_only(void **state)
{
    (void)state;
    static const char later[] =
        "{\"type\":\"FeatureCollection\",\"features\":[" SQUARE("10001", "100", "1", "101", "2") "]}";
    static const row rows[] = {
        {"moved", {.circle = "1.5,100.5 0"}, "10001", false, UNREACHED},
        {"left", {.circle = "10.05,105.05 0"}, "", true, "it meets no commune"},
        {"stays", {.circle = "10.05,105.15 0"}, "10002", false, UNREACHED},
    };
    areas *a = make(true);
    size_t imported = 0;
    assert_int_equal(areas_import_text(a, "later", later, sizeof later - 1, &imported, NULL), KG_OK);
    assert_int_equal(imported, 1);
    check_rows(a, rows, sizeof rows / sizeof rows[0]);
    areas_free(&a);
}

/* ---- the large and the hostile: bounded work ---- */

static int64_t now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* n points around 10.05,105.2; `step` 1 is a near-circle with a wavy edge, a large odd step a star that crosses itself
 * about n * step times. */
static void put_ring(kg_buf *out, size_t n, size_t step, double radius)
{
    for (size_t i = 0; i <= n; i++) {
        const double turn = 6.283185307179586 * (double)((i * step) % n) / (double)n;
        const double r = radius * (1.0 + 0.01 * sin(turn * 501.0));
        assert_int_equal(kg_buf_putf(out, "%.7f,%.7f ", 10.05 + r * cos(turn), 105.2 + r * sin(turn)), KG_OK);
    }
}

static void large_rings_do_not_freeze(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        size_t points, step;
        double radius;
        const char *want, *note;
    } rows[] = {
        {"41,009 points through four", 41009, 1, 0.115, "10001 10002 10003 10004", UNREACHED},
        {"41,009 points around all", 41009, 1, 1.0, "10001 10002 10003 10004", UNREACHED},
        {"a star of 41,009 points", 41009, 20503, 1.0, "10001 10002 10003 10004", "crosses itself"},
        {"a star of 90,001 points", 90001, 30011, 1.0, "10001 10002 10003 10004", "crosses itself"},
    };
    areas *a = make(true);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kg_buf ring = {0};
        put_ring(&ring, rows[i].points, rows[i].step, rows[i].radius);
        area_set got;
        char codes[256];
        const int64_t from = now_us();
        assert_int_equal(resolve(a, &(ask){.polygon = ring.s}, SENT, &got, NULL), KG_OK);
        const int64_t took = now_us() - from;
        (void)printf("    %s: %lld us of CPU\n", rows[i].label, (long long)took);
        if (strcmp(codes_of(a, &got, codes), rows[i].want) != 0 || strstr(got.notes, rows[i].note) == NULL) {
            fail_msg("%s: got [%s]: %s", rows[i].label, codes, got.notes);
        }
        if (took > 5000000) { /* a bound, not a measurement: sanitizers and valgrind stay within it */
            fail_msg("%s: took %lld us", rows[i].label, (long long)took);
        }
        area_set_done(&got);
        kg_buf_done(&ring);
    }
    areas_free(&a);
}

static void more_shapes_than_the_limit_are_reported(void **state)
{
    (void)state;
    enum { MANY = AREAS_SHAPES_MAX + 10 };
    areas *a = make(true);
    char(*texts)[40] = calloc(MANY, sizeof *texts);
    const char **circles = calloc(MANY, sizeof *circles);
    if (texts == NULL || circles == NULL) {
        abort();
    }
    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "10.05,105.05 0.%04zu", i);
        circles[i] = texts[i];
    }
    alert_area area = {.description = "many", .circles = {circles, MANY}};
    alert_info info = {.areas = {&area, 1}};
    const alert al = {.sent_ms = SENT, .infos = {&info, 1}};
    area_set got;
    assert_int_equal(areas_resolve(a, &al, &got, NULL), KG_OK);
    assert_int_equal(got.count, 1);
    assert_non_null(strstr(got.notes, "more polygons and circles than are read"));
    area_set_done(&got);
    free(circles);
    free(texts);
    areas_free(&a);
}

/* ---- the reference maps of the two provinces (approximate, never committed) ---- */

static void the_reference_maps_import_and_answer(void **state)
{
    (void)state;
    static const struct {
        const char *folder;
        size_t communes;
        const char *circle, *want;
    } rows[] = {
        /* a point well inside the first ring of 28777 An Hội; a multipart commune of Đắk Lắk */
        {"vinh-long", 124, "10.2150,106.3750 0", "28777"},
        {"dak-lak", 102, NULL, NULL},
    };
    const char *shared = getenv("KENG_SHARED_DIR");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char tsv[512], json[512];
        (void)snprintf(tsv, sizeof tsv, "%s/deploy/provinces/%s/communes.tsv", getenv("KENG_SOURCE_DIR"),
                       rows[i].folder);
        (void)snprintf(json, sizeof json, "%s/data/areas/%s-approx.geojson", shared != NULL ? shared : "",
                       rows[i].folder);
        if (access(json, R_OK) != 0) {
            (void)printf("    skipped: %s is not here (KENG_SHARED_DIR)\n", json);
            skip();
        }
        areas *a = NULL;
        kg_diag diag = {{0}};
        size_t imported = 0;
        if (areas_load(tsv, &a, &diag) != KG_OK || areas_import(a, json, &imported, &diag) != KG_OK) {
            fail_msg("%s", diag.text);
        }
        assert_int_equal(imported, rows[i].communes);
        area_set got;
        const ask all = {.polygon = "9,105 9,110 14,110 14,105 9,105"}, one = {.circle = rows[i].circle};
        assert_int_equal(resolve(a, &all, SENT, &got, NULL), KG_OK);
        assert_int_equal(got.count, rows[i].communes);
        assert_string_equal(got.notes, "");
        area_set_done(&got);
        if (one.circle != NULL) {
            char codes[256];
            assert_int_equal(resolve(a, &one, SENT, &got, NULL), KG_OK);
            assert_string_equal(codes_of(a, &got, codes), rows[i].want);
            area_set_done(&got);
        }
        areas_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resolves_codes),
        cmocka_unit_test(refuses_codes_that_are_not_there),
        cmocka_unit_test(resolves_polygons),
        cmocka_unit_test(resolves_circles),
        cmocka_unit_test(unites_all_infos_and_says_each_thing_once),
        cmocka_unit_test(an_alert_without_infos_is_for_nobody),
        cmocka_unit_test(refuses_maps_with_a_fault_and_keeps_the_old),
        cmocka_unit_test(a_later_map_replaces_its_communes_only),
        cmocka_unit_test(large_rings_do_not_freeze),
        cmocka_unit_test(more_shapes_than_the_limit_are_reported),
        cmocka_unit_test(the_reference_maps_import_and_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
