/*
 * Route at national size: 34 provinces, 3,321 communes, 10,000 stations. The bounds asserted are loose (a shared machine,
 * sanitizers, valgrind); the times printed are the ones to look at.
 */
#include <time.h>

#include "desk.h"

enum { PROVINCES_N = 34, COMMUNES_N = 3321, STATIONS_N = 10000, ROUNDS = 50 };

static int64_t cpu_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static desk open_nation(void)
{
    desk d = {.folder = "/tmp/keng-policy-XXXXXX"};
    assert_non_null(mkdtemp(d.folder));
    kg_buf communes = {0}, stations = {0};
    (void)kg_buf_puts(&communes, "code\tname\tkind\tprovince\tvalid_from\tvalid_until\tsuccessor\n");
    (void)kg_buf_puts(&stations, "id\tname\tmedium\tareas\ttype\tlanguages\tperson\taudience\n");
    for (int i = 0; i < COMMUNES_N; i++) {
        (void)kg_buf_putf(&communes, "%05d\tXã %d\txã\t%02d\t2025-07-01\t\t\n", 10000 + i, i, i % PROVINCES_N + 60);
    }
    size_t made_count = 0;
    for (int p = 0; p < PROVINCES_N; p++) {
        static const char *const wide[] = {"radio", "tv", "sms"};
        for (size_t k = 0; k < 3; k++, made_count++) {
            (void)kg_buf_putf(&stations, "%02d.%s\tTrạm\t%s\t%02d\t\t\t\t\n", p + 60, wide[k], wide[k], p + 60);
        }
    }
    for (int i = 0; i < 6; i++, made_count++) {
        (void)kg_buf_putf(&stations, "00.sms.%d\tNhà mạng\tsms\t00\t\t\t\t\n", i);
    }
    for (int i = 0; made_count < STATIONS_N; i++, made_count++) {
        const int c = i % COMMUNES_N;
        (void)kg_buf_putf(&stations, "%02d.%05d.loa%d\tLoa\tloudspeaker\t%05d\t\t\t\t\n", c % PROVINCES_N + 60,
                          10000 + c, i / COMMUNES_N, 10000 + c);
    }
    assert_int_equal(kg_buf_failed(&communes), KG_OK);
    assert_int_equal(kg_buf_failed(&stations), KG_OK);
    desk_write(&d, "communes.tsv", communes.s);
    desk_write(&d, "stations.tsv", stations.s);
    kg_buf_done(&communes);
    kg_buf_done(&stations);
    char path[128];
    (void)snprintf(path, sizeof path, "%s/communes.tsv", d.folder);
    assert_int_equal(areas_load(path, &d.ar, NULL), KG_OK);
    return d;
}

static void routes_a_national_policy_at_once(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        words w;
        size_t in;
    } rows[] = {
        {"one commune", {.areas = "10000", .class = CLASS_URGENT}, 3 + 3 + 6},
        {"ten communes",
         {.areas = "10000 10034 10068 10102 10136 10170 10204 10238 10272 10306",
          .class = CLASS_URGENT,
          .worst = "10306"},
         30 + 3 + 6},
        {"one province", {.areas = "60", .class = CLASS_URGENT}, 0},
        {"the nation", {.areas = "00", .class = CLASS_URGENT, .worst = "10007 10001"}, STATIONS_N},
    };
    desk d = open_nation();
    char *yaml =
        desk_edit(desk_policy, "  - {language: km, areas: [\"10001\"]", "  - {language: km, areas: [\"10000\"]");
    char *moved = desk_edit(yaml, "province: \"90\"", "province: \"90\"");
    const int64_t from = cpu_ns();
    desk_load(&d, moved);
    (void)printf("    load and compile: %.1f ms\n", (double)(cpu_ns() - from) / 1e6);
    free(yaml);
    free(moved);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        made m;
        make(&m, &rows[i].w);
        int64_t best = INT64_MAX;
        for (int k = 0; k < ROUNDS; k++) {
            plan p;
            const int64_t start = cpu_ns();
            assert_int_equal(route_plan(d.p, d.ar, &m.a, DESK_NOW, &p, NULL), KG_OK);
            const int64_t took = cpu_ns() - start;
            best = took < best ? took : best;
            if (rows[i].in != 0 && p.in_count != rows[i].in) {
                fail_msg("%s: %zu in", rows[i].label, p.in_count);
            }
            plan_done(&p);
        }
        (void)printf("    route, %s: %.3f ms\n", rows[i].label, (double)best / 1e6);
        if (best > INT64_C(500) * 1000000) {
            fail_msg("%s: %lld ns", rows[i].label, (long long)best);
        }
    }
    desk_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(routes_a_national_policy_at_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
