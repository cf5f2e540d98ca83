/* The table of communes: what a file may say, what is refused and where, and the real tables of the two provinces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "areas/areas.h"
#include "scratch.h"

#define HEADER "code\tname\tkind\tprovince\tvalid_from\tvalid_until\tsuccessor\n"

/* 12:00 in Viet Nam on the day */
#define DAY_2025_06_30 INT64_C(1751259600000)
#define DAY_2025_07_01 INT64_C(1751346000000)
#define DAY_2026_04_30 INT64_C(1777525200000)
#define DAY_2026_05_01 INT64_C(1777611600000)

static void refuses_each_fault_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *label, *text, *want;
    } rows[] = {
        {"no header", "28756\tA\txã\t86\t2025-07-01\t\t\n", ":1: the first line must name the columns"},
        {"too few columns", HEADER "28756\tA\txã\t86\t2025-07-01\t\n", ":2: not 7 columns"},
        {"too many columns", HEADER "28756\tA\txã\t86\t2025-07-01\t\t\t\n", ":2: not 7 columns"},
        {"a leading zero lost", HEADER "4\tBa Đình\tphường\t01\t2025-07-01\t\t\n", ":2: the code is not 5 digits"},
        {"no name", HEADER "28756\t\txã\t86\t2025-07-01\t\t\n", ":2: the name is empty"},
        {"an old kind", HEADER "28756\tA\tthị trấn\t86\t2025-07-01\t\t\n", ":2: the kind"},
        {"province 00 is the nation", HEADER "28756\tA\txã\t00\t2025-07-01\t\t\n", ":2: the province"},
        {"a date in another order", HEADER "28756\tA\txã\t86\t01-07-2025\t\t\n", ":2: valid_from"},
        {"an end that is no date", HEADER "28756\tA\txã\t86\t2025-07-01\tsoon\t\n", ":2: valid_until"},
        {"a successor by name", HEADER "28756\tA\txã\t86\t2025-07-01\t2026-04-30\tAn Hội\n", ":2: the successor"},
        {"a successor of one in force", HEADER "28756\tA\txã\t86\t2025-07-01\t\t28777\n", "no valid_until"},
        {"a code twice", HEADER "28756\tA\txã\t86\t2025-07-01\t\t\n\n28756\tB\txã\t86\t2025-07-01\t\t\n",
         "28756 stands twice"},
        {"nothing but a header", HEADER, "no commune"},
        {"not UTF-8", HEADER "28756\t\xff\txã\t86\t2025-07-01\t\t\n", "not valid UTF-8"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const scratch file = scratch_file(rows[i].text);
        kg_diag diag = {{0}};
        areas *a = NULL;
        const kg_err e = areas_load(file.path, &a, &diag);
        scratch_done(&file);
        if (e != KG_E_INVALID || a != NULL || strstr(diag.text, rows[i].want) == NULL) {
            fail_msg("%s: %s: %s", rows[i].label, kg_err_name(e), diag.text);
        }
    }
}

static void keeps_codes_as_text_and_sorts_them(void **state)
{
    (void)state;
    const scratch file = scratch_file(HEADER "# a remark\n29857\tB\txã\t86\t2025-07-01\t\t\n"
                                             "00745\tPhố Bảng\txã\t08\t2025-07-01\t\t\n");
    areas *a = NULL;
    assert_int_equal(areas_load(file.path, &a, NULL), KG_OK);
    scratch_done(&file);
    assert_int_equal(areas_count(a), 2);
    assert_string_equal(areas_at(a, 0)->code, "00745");
    assert_string_equal(areas_at(a, 0)->name, "Phố Bảng");
    assert_int_equal(areas_index(a, "29857"), 1);
    assert_true(areas_index(a, "745") == SIZE_MAX);
    assert_null(areas_find(a, "Phố Bảng"));
    assert_null(areas_at(a, 2));
    assert_true(areas_has_province(a, "08") && areas_has_province(a, "86"));
    assert_false(areas_has_province(a, "8") || areas_has_province(a, "00") || areas_has_province(a, "66"));
    areas_free(&a);
    assert_null(a);
}

static void knows_on_which_day_a_commune_exists(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        const char *until;
        int64_t at_ms;
        bool want;
    } rows[] = {
        {"the day before the reform", "", DAY_2025_06_30, false},
        {"its first day", "", DAY_2025_07_01, true},
        {"its last day", "2026-04-30", DAY_2026_04_30, true},
        {"the day after", "2026-04-30", DAY_2026_05_01, false},
        {"no day asked, in force", "", 0, true},
        {"no day asked, retired", "2026-04-30", 0, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const commune c = {.code = "28756", .valid_from = "2025-07-01", .valid_until = rows[i].until};
        if (areas_in_force(&c, rows[i].at_ms) != rows[i].want) {
            fail_msg("%s", rows[i].label);
        }
    }
}

static void a_failing_addition_changes_nothing(void **state)
{
    (void)state;
    const scratch first = scratch_file(HEADER "28756\tA\txã\t86\t2025-07-01\t\t\n");
    const scratch clash = scratch_file(HEADER "22015\tB\txã\t66\t2025-07-01\t\t\n28756\tC\txã\t66\t2025-07-01\t\t\n");
    const scratch other = scratch_file(HEADER "22015\tB\txã\t66\t2025-07-01\t\t\n");
    areas *a = NULL;
    assert_int_equal(areas_load(first.path, &a, NULL), KG_OK);
    assert_int_equal(areas_add(a, clash.path, NULL), KG_E_INVALID);
    assert_int_equal(areas_count(a), 1);
    assert_false(areas_has_province(a, "66"));
    assert_int_equal(areas_add(a, other.path, NULL), KG_OK);
    assert_int_equal(areas_count(a), 2);
    assert_string_equal(areas_find(a, "28756")->province, "86");
    scratch_done(&first);
    scratch_done(&clash);
    scratch_done(&other);
    areas_free(&a);
}

/* domain.md 8.1: 66 has 102 = 88 xã + 14 phường (22015-24607), 86 has 124 = 105 + 19 (28756-29857). */
static void the_two_provinces_are_complete(void **state)
{
    (void)state;
    static const struct {
        const char *folder, *province, *first, *last;
        size_t xa, phuong;
    } rows[] = {{"vinh-long", "86", "28756", "29857", 105, 19}, {"dak-lak", "66", "22015", "24607", 88, 14}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[512];
        (void)snprintf(path, sizeof path, "%s/deploy/provinces/%s/communes.tsv", getenv("KENG_SOURCE_DIR"),
                       rows[i].folder);
        areas *a = NULL;
        kg_diag diag = {{0}};
        if (areas_load(path, &a, &diag) != KG_OK) {
            fail_msg("%s", diag.text);
        }
        size_t xa = 0, phuong = 0;
        for (size_t k = 0; k < areas_count(a); k++) {
            const commune *c = areas_at(a, k);
            xa += strcmp(c->kind, "xã") == 0 ? 1 : 0;
            phuong += strcmp(c->kind, "phường") == 0 ? 1 : 0;
            assert_string_equal(c->province, rows[i].province);
            assert_string_equal(c->valid_from, "2025-07-01");
        }
        assert_int_equal(xa, rows[i].xa);
        assert_int_equal(phuong, rows[i].phuong);
        assert_int_equal(areas_count(a), xa + phuong);
        assert_string_equal(areas_at(a, 0)->code, rows[i].first);
        assert_string_equal(areas_at(a, areas_count(a) - 1)->code, rows[i].last);
        areas_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_each_fault_with_its_line),    cmocka_unit_test(keeps_codes_as_text_and_sorts_them),
        cmocka_unit_test(knows_on_which_day_a_commune_exists), cmocka_unit_test(a_failing_addition_changes_nothing),
        cmocka_unit_test(the_two_provinces_are_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
