/* A province's files: what loads must pass through the check and a route without harm. Seeds: the packs themselves. */
#include <stdlib.h>
#include <string.h>

#include "policy/route.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_file.h"

static const char communes[] = "code\tname\tkind\tprovince\tvalid_from\tvalid_until\tsuccessor\n"
                               "22015\tA\tphường\t66\t2025-07-01\t\t\n"
                               "28756\tB\tphường\t86\t2025-07-01\t\t\n";
static const char stations[] = "id\tname\tmedium\tareas\ttype\tlanguages\tperson\taudience\n"
                               "86.28756.loa\tLoa\tloudspeaker\t28756\t\t\t\t\n"
                               "86.radio\tPhát thanh\tradio\t86 66\t\tvi km\t\t\n";
static const char yaml[] =
    "province: \"86\"\nname: x\nstations: s\nsectors: [{id: a, name: a, basis: b}]\n"
    "agencies: [{id: a, name: a, areas: [\"86\"], sectors: [a], class_max: urgent, first_warning: true, basis: b}]\n"
    "classes:\n  - {class: routine, default_ttl_minutes: 60, basis: b}\n"
    "  - {class: priority, default_ttl_minutes: 60, basis: b}\n  - {class: urgent, default_ttl_minutes: 60, basis: b}\n"
    "media: [{medium: loudspeaker, class: urgent, mode: interrupt, basis: b}]\nnews: {basis: b}\n"
    "signatures: {enforced: false, first_warning: 1, basis: b, rules: [{id: a, needed: 1, basis: b}]}\n";

/* Lines that are in name a rule and a basis; every language list begins with what it must. */
static void route_it(const policy *p, const areas *ar)
{
    alert_pair code = {AREAS_PROVINCE, "00"};
    alert_area area = {.description = "x", .geocodes = {&code, 1}};
    alert_info info = {.language = "vi", .event = "Lũ quét", .areas = {&area, 1}};
    const alert a = {.identifier = "x",
                     .sender = "y",
                     .hold = "",
                     .sent_ms = INT64_C(1779337800000),
                     .bulletin_class = CLASS_URGENT,
                     .infos = {&info, 1}};
    plan out;
    if (route_explain(p, ar, &a, a.sent_ms, &out, NULL) != KG_OK) {
        return;
    }
    for (size_t i = 0; i < out.count; i++) {
        const plan_line *l = &out.lines[i];
        if (l->rule == NULL || l->basis == NULL || l->why == NULL ||
            (l->in && strcmp(l->languages.items[0], "vi") != 0)) {
            abort();
        }
    }
    plan_done(&out);
}

static char *text_of(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (text == NULL) {
        abort();
    }
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = text_of(data, size);
    const bool is_table = strncmp(text, "id\t", 3) == 0, is_communes = strncmp(text, "code\t", 5) == 0;
    const fuzz_file file = fuzz_file_of(is_communes ? text : communes);
    areas *ar = NULL;
    policy *p = NULL;
    kg_buf report = {0};
    size_t complaints = 0;
    kg_diag diag = {{0}};
    policy_source s = {"seed", text, stations, size, sizeof stations - 1};
    if (is_table || is_communes) {
        s = (policy_source){"seed", yaml, is_table ? text : stations, sizeof yaml - 1,
                            is_table ? size : sizeof stations - 1};
    }
    if (areas_load(file.path, &ar, &diag) == KG_OK && policy_read(&s, ar, &p, &diag) == KG_OK) {
        if (policy_check(p, ar, &report, &complaints) != KG_OK) {
            abort();
        }
        route_it(p, ar);
    } else if (diag.text[0] == '\0') {
        abort(); /* a refusal without a sentence helps nobody */
    }
    kg_buf_done(&report);
    policy_free(&p);
    areas_free(&ar);
    (void)close(file.fd);
    free(text);
    return 0;
}
