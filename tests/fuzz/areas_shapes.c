/*
 * An alert's areas, a line each: P polygon, C circle, G commune code, N province code. What resolves lies within the
 * table, in order, once each; a line less never reaches more.
 */
#include "areas/areas.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_file.h"

enum { LINES_MAX = 64 };

static const char communes[] = "code\tname\tkind\tprovince\tvalid_from\tvalid_until\tsuccessor\n"
                               "10001\tA\txã\t90\t2025-07-01\t\t\n"
                               "10002\tB\txã\t90\t2025-07-01\t\t\n"
                               "10003\tC\txã\t91\t2025-07-01\t\t\n";
#define RING(w, s, e, n) "[[" w "," s "],[" e "," s "],[" e "," n "],[" w "," n "],[" w "," s "]]"
#define FEATURE(code, ring)                                                                                            \
    "{\"type\":\"Feature\",\"properties\":{\"code\":\"" code                                                           \
    "\"},\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[" ring "]}}"
static const char map[] = "{\"type\":\"FeatureCollection\",\"features\":[" FEATURE(
    "10001", RING("105.0", "10.0", "105.1", "10.1")) "," FEATURE("10002", RING("105.1", "10.0", "105.2", "10.1")) "]}";

typedef struct lines {
    const char *polygons[LINES_MAX], *circles[LINES_MAX];
    alert_pair codes[LINES_MAX];
    size_t polygon_count, circle_count, code_count;
} lines;

static void read_lines(char *text, lines *out)
{
    for (char *s = text, *next = NULL; s != NULL; s = next) {
        next = strchr(s, '\n');
        if (next != NULL) {
            *next++ = '\0';
        }
        if (s[0] == 'P' && out->polygon_count < LINES_MAX) {
            out->polygons[out->polygon_count++] = s + 1;
        } else if (s[0] == 'C' && out->circle_count < LINES_MAX) {
            out->circles[out->circle_count++] = s + 1;
        } else if ((s[0] == 'G' || s[0] == 'N') && out->code_count < LINES_MAX) {
            out->codes[out->code_count++] = (alert_pair){s[0] == 'G' ? AREAS_COMMUNE : AREAS_PROVINCE, s + 1};
        }
    }
}

static bool resolve(const areas *ar, lines *l, area_set *out)
{
    alert_area area = {.description = "x",
                       .polygons = {l->polygons, l->polygon_count},
                       .circles = {l->circles, l->circle_count},
                       .geocodes = {l->codes, l->code_count}};
    alert_info info = {.areas = {&area, 1}};
    const alert a = {.infos = {&info, 1}};
    return areas_resolve(ar, &a, out, NULL) == KG_OK;
}

static void check(const areas *ar, lines *l)
{
    area_set all, fewer;
    if (!resolve(ar, l, &all)) {
        return;
    }
    for (size_t i = 0; i < all.count; i++) {
        if (all.items[i] >= areas_count(ar) || (i > 0 && all.items[i] <= all.items[i - 1])) {
            abort();
        }
    }
    if (all.count == 0 && !all.unusable) {
        abort(); /* nobody reached and nobody told */
    }
    l->polygon_count -= l->polygon_count > 0 ? 1 : 0;
    if (!resolve(ar, l, &fewer)) {
        abort();
    }
    for (size_t i = 0; i < fewer.count; i++) {
        if (!area_set_has(&all, fewer.items[i])) {
            abort();
        }
    }
    area_set_done(&fewer);
    area_set_done(&all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static areas *ar; /* one map for all runs */
    size_t imported = 0;
    if (ar == NULL) {
        const fuzz_file file = fuzz_file_of(communes);
        if (areas_load(file.path, &ar, NULL) != KG_OK ||
            areas_import_text(ar, "map", map, sizeof map - 1, &imported, NULL) != KG_OK) {
            abort();
        }
        (void)close(file.fd);
    }
    char *text = calloc(size + 1, 1);
    lines l = {.polygon_count = 0};
    if (text == NULL) {
        abort();
    }
    if (size > 0) {
        memcpy(text, data, size);
    }
    read_lines(text, &l);
    check(ar, &l);
    free(text);
    return 0;
}
