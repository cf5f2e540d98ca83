#include "tool.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"

enum { COLUMNS_MAX = 32 };

const char tool_program[] = "keng";

int tool_fail(kg_err e, const kg_diag *diag)
{
    return cli_fail(tool_program, e, diag);
}

int tool_config(const cli_args *args, operator_config *out)
{
    kg_diag diag = {{0}};
    const char *path = args->values[TOOL_OPT_CONFIG] != NULL ? args->values[TOOL_OPT_CONFIG] : "/etc/keng/keng.yaml";
    kg_err e = trust_start(&diag);
    if (e == KG_OK) {
        e = operator_config_load(path, out, &diag);
    }
    return e == KG_OK ? CLI_OK : tool_fail(e, &diag);
}

static size_t width_of(const char *s)
{
    size_t width = 0;
    const size_t n = strlen(s);
    for (size_t i = 0; i < n; width++) {
        uint32_t cp = 0;
        const size_t len = kg_utf8_next(s + i, n - i, &cp);
        i += len > 0 ? len : 1;
    }
    return width;
}

static void measure(const alert_texts *cells, size_t widths[COLUMNS_MAX])
{
    for (size_t i = 0; i < cells->count && i < COLUMNS_MAX; i++) {
        const size_t w = width_of(cells->items[i]);
        widths[i] = w > widths[i] ? w : widths[i];
    }
}

static void print_row(const alert_texts *cells, const size_t widths[COLUMNS_MAX])
{
    for (size_t i = 0; i < cells->count; i++) {
        const bool last = i + 1 == cells->count;
        const size_t pad = last || i >= COLUMNS_MAX ? 0 : widths[i] - width_of(cells->items[i]) + 2;
        (void)printf("%s%*s", cells->items[i], (int)pad, "");
    }
    (void)printf("\n");
}

static void print_tabs(const alert_texts *cells)
{
    for (size_t i = 0; i < cells->count; i++) {
        (void)printf("%s%s", i > 0 ? "\t" : "", cells->items[i]);
    }
    (void)printf("\n");
}

void tool_table(const alert_texts *columns, const wire_row *rows, size_t count)
{
    if (!isatty(STDOUT_FILENO)) {
        print_tabs(columns);
        for (size_t i = 0; i < count; i++) {
            print_tabs(&rows[i].cells);
        }
        return;
    }
    size_t widths[COLUMNS_MAX] = {0};
    measure(columns, widths);
    for (size_t i = 0; i < count; i++) {
        measure(&rows[i].cells, widths);
    }
    if (columns->count > 0) {
        print_row(columns, widths);
    }
    for (size_t i = 0; i < count; i++) {
        print_row(&rows[i].cells, widths);
    }
}
