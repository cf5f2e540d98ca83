#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "tool.h"

enum { OPT_CONFIG, GEOJSON_MAX = 256 * 1024 * 1024 };

/* The file is checked as a whole against the commune tables, then put where keng.yaml and router.yaml look for it. */
static kg_err import(const operator_config *c, const char *path, kg_diag *diag)
{
    areas *ar = NULL;
    size_t imported = 0;
    kg_buf bytes = {.max = GEOJSON_MAX};
    if (c->communes.count == 0 || c->geometry_dir[0] == '\0') {
        return kg_fail(diag, KG_E_NOTFOUND, "keng.yaml names no communes or no geometry_dir; add both keys");
    }
    kg_err e = areas_load(c->communes.items[0], &ar, diag);
    for (size_t i = 1; e == KG_OK && i < c->communes.count; i++) {
        e = areas_add(ar, c->communes.items[i], diag);
    }
    if (e == KG_OK) {
        e = areas_import(ar, path, &imported, diag);
    }
    if (e == KG_OK) {
        e = kg_file_read(path, GEOJSON_MAX, &bytes, diag);
    }
    char to[4096] = "";
    if (e == KG_OK) {
        const char *slash = strrchr(path, '/');
        const int n = snprintf(to, sizeof to, "%s/%s", c->geometry_dir, slash != NULL ? slash + 1 : path);
        e = n > 0 && (size_t)n < sizeof to ? kg_dir_make(c->geometry_dir, 0755, diag)
                                           : kg_fail(diag, KG_E_LIMIT, "%s: path is too long", path);
    }
    if (e == KG_OK) {
        e = kg_file_replace(to, bytes.s, bytes.len, 0644, diag);
    }
    if (e == KG_OK) {
        size_t bare = 0;
        for (size_t i = 0; i < areas_count(ar); i++) {
            bare += areas_at(ar, i)->has_geometry ? 0 : 1;
        }
        (void)printf("%zu communes with geometry from %s, %zu without; kept as %s\n"
                     "Name it under `geometry:` in router.yaml and keng.yaml, then restart the router.\n",
                     imported, path, bare, to);
    }
    kg_buf_done(&bytes);
    areas_free(&ar);
    return e;
}

int areas_import_command(const cli_args *args)
{
    operator_config c = {0};
    kg_diag diag = {{0}};
    const int status = tool_config(args, &c);
    if (status != CLI_OK) {
        return status;
    }
    const kg_err e = import(&c, args->positional[0], &diag);
    operator_config_done(&c);
    return e == KG_OK ? CLI_OK : tool_fail(e, &diag);
}
