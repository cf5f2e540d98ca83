/* GeoJSON of commune outlines: what is imported must answer. */
#include "areas/areas.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_file.h"

static const char communes[] = "code\tname\tkind\tprovince\tvalid_from\tvalid_until\tsuccessor\n"
                               "10001\tA\txã\t90\t2025-07-01\t\t\n"
                               "10002\tB\txã\t90\t2025-07-01\t\t\n"
                               "10003\tC\txã\t90\t2025-07-01\t\t\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const fuzz_file file = fuzz_file_of(communes);
    areas *ar = NULL;
    kg_diag diag = {{0}};
    size_t imported = 0;
    if (areas_load(file.path, &ar, &diag) != KG_OK) {
        abort();
    }
    if (areas_import_text(ar, "seed", (const char *)data, size, &imported, &diag) == KG_OK) {
        const char *polygon[] = {"-90,-180 -90,180 90,180 90,-180 -90,-180"}, *circle[] = {"10.05,105.05 5"};
        alert_area area = {.description = "x", .polygons = {polygon, 1}, .circles = {circle, 1}};
        alert_info info = {.areas = {&area, 1}};
        const alert a = {.infos = {&info, 1}};
        area_set out;
        if (imported == 0 || areas_resolve(ar, &a, &out, &diag) != KG_OK || out.count > 3) {
            abort();
        }
        area_set_done(&out);
    } else if (diag.text[0] == '\0') {
        abort();
    }
    areas_free(&ar);
    (void)close(file.fd);
    return 0;
}
