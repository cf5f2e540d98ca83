/* An area that is given by codes alone is named by its communes, so that nobody hears a number read out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "areas/areas.h"
#include "base/buf.h"

static void names_stand_for_codes(void **state)
{
    (void)state;
    static const struct {
        const char *label, *given, *scheme, *codes, *want;
    } rows[] = {
        {"one commune", "", AREAS_COMMUNE, "29050", "xã Bình Đại"},
        {"two kinds", "", AREAS_COMMUNE, "29050 29512", "xã Bình Đại, phường Duyên Hải"},
        {"the province", "", AREAS_PROVINCE, "86", "toàn tỉnh"},
        {"many are counted", "", AREAS_COMMUNE, "28756 28777 28783 28789 28807 28810 28840 28858 28861",
         "9 xã, phường"},
        {"what was written stays", "Ven biển", AREAS_COMMUNE, "29050", "Ven biển"},
    };
    areas *ar = NULL;
    kg_diag diag = {{0}};
    kg_buf path = {0};
    const char *source = getenv("KENG_SOURCE_DIR");
    assert_non_null(source);
    assert_int_equal(kg_buf_putf(&path, "%s/deploy/provinces/vinh-long/communes.tsv", source), KG_OK);
    assert_int_equal(areas_load(path.s, &ar, &diag), KG_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        alert a;
        alert_init(&a);
        alert_info info = {0};
        alert_area area = {.description = rows[i].given, .altitude = "", .ceiling = ""};
        alert_pair codes[16];
        char text[128];
        memcpy(text, rows[i].codes, strlen(rows[i].codes) + 1);
        size_t n = 0;
        for (char *p = text; *p != '\0'; n++) {
            codes[n] = (alert_pair){rows[i].scheme, p};
            p += strcspn(p, " ");
            if (*p != '\0') {
                *p++ = '\0';
            }
        }
        area.geocodes.items = codes;
        area.geocodes.count = n;
        info.areas.items = &area;
        info.areas.count = 1;
        a.infos.items = &info;
        a.infos.count = 1;
        assert_int_equal(areas_describe(ar, &a), KG_OK);
        if (strcmp(area.description, rows[i].want) != 0) {
            fail_msg("%s: \"%s\"", rows[i].label, area.description);
        }
        alert_done(&a);
    }
    areas_free(&ar);
    kg_buf_done(&path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_stand_for_codes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
