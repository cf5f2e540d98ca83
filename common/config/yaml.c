#include "config/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"

const cyaml_strval_t yaml_switch[YAML_SWITCH_WORDS] = {{"false", false}, {"true", true}, {"no", false}, {"yes", true}};

/* libcyaml reports through a log: first what is wrong, then a backtrace from the innermost place outwards. */
typedef struct complaint {
    char what[256];
    char where[128];
    int line, column;
} complaint;

static void listen(cyaml_log_t level, void *ctx, const char *fmt, va_list args) KG_PRINTF(3, 0);
static void listen(cyaml_log_t level, void *ctx, const char *fmt, va_list args)
{
    complaint *c = ctx;
    if (level < CYAML_LOG_ERROR) {
        return;
    }
    char text[256];
    (void)vsnprintf(text, sizeof text, fmt, args);
    text[strcspn(text, "\n")] = '\0';
    const char *body = strncmp(text, "Load: ", 6) == 0 ? text + 6 : text;
    const char *place = strstr(body, "(line: ");
    if (place != NULL && c->line == 0) {
        char *end = NULL;
        c->line = (int)strtol(place + 7, &end, 10);
        const char *column = end != NULL ? strstr(end, "column: ") : NULL;
        c->column = column != NULL ? (int)strtol(column + 8, NULL, 10) : 0;
        (void)snprintf(c->where, sizeof c->where, "%.*s", (int)(place - body), body);
    } else if (c->what[0] == '\0' && strncmp(body, "Backtrace", 9) != 0) {
        (void)snprintf(c->what, sizeof c->what, "%s", body);
    }
}

/* libcyaml places an unknown key at the value before it; the key itself stands on that line or a later one.
 */
static void place_unknown_key(complaint *c, const char *text)
{
    static const char marker[] = "Unexpected key: ";
    if (strncmp(c->what, marker, sizeof marker - 1) != 0 || c->line == 0) {
        return;
    }
    const char *key = c->what + sizeof marker - 1;
    const size_t len = strlen(key);
    int line = 1;
    for (const char *p = text; *p != '\0'; line++) {
        const size_t end = strcspn(p, "\n");
        const size_t at = strspn(p, " -{");
        if (line >= c->line && at + len < end && strncmp(p + at, key, len) == 0 && p[at + len] == ':') {
            c->line = line;
            c->column = (int)at + 1;
            return;
        }
        p += end + (p[end] == '\n' ? 1 : 0);
    }
}

static kg_err refuse(const char *name, const complaint *c, cyaml_err_t rc, kg_diag *diag)
{
    const char *what = c->what[0] != '\0' ? c->what : cyaml_strerror(rc);
    const size_t blanks = strspn(c->where, " ");
    const size_t words = strlen(c->where + blanks);
    if (c->line == 0) {
        return kg_fail(diag, KG_E_INVALID, "%s: %s", name, what);
    }
    return kg_fail(diag, KG_E_INVALID, "%s:%d:%d: %s (%.*s)", name, c->line, c->column, what,
                   (int)(words > 0 ? words - 1 : 0), c->where + blanks);
}

kg_err yaml_read(const char *name, const void *bytes, size_t n, const cyaml_schema_value_t *schema, void **out,
                 kg_diag *diag)
{
    complaint heard = {0};
    if (n == 0 || ((const char *)bytes)[n] != '\0') {
        return kg_fail(diag, n == 0 ? KG_E_INVALID : KG_E_BUG, "%s: empty", name);
    }
    const cyaml_config_t config = {
        .log_fn = listen,
        .log_ctx = &heard,
        .mem_fn = cyaml_mem,
        .log_level = CYAML_LOG_ERROR,
        .flags = CYAML_CFG_NO_ALIAS, /* no aliases: an innocent-looking file cannot unfold without bound */
    };
    cyaml_data_t *data = NULL;
    const cyaml_err_t rc = cyaml_load_data(bytes, n, &config, schema, &data, NULL);
    if (rc == CYAML_ERR_OOM) {
        return kg_fail(diag, KG_E_NOMEM, "%s: no memory to read it", name);
    }
    if (rc != CYAML_OK) {
        place_unknown_key(&heard, bytes);
        return refuse(name, &heard, rc, diag);
    }
    if (data == NULL) {
        return kg_fail(diag, KG_E_INVALID, "%s: empty", name);
    }
    *out = data;
    return KG_OK;
}

kg_err yaml_load(const char *path, const cyaml_schema_value_t *schema, void **out, kg_diag *diag)
{
    kg_buf text = {0};
    kg_err e = kg_file_read(path, YAML_MAX, &text, diag);
    if (e == KG_OK) {
        e = yaml_read(path, kg_buf_str(&text), text.len, schema, out, diag);
    }
    kg_buf_done(&text);
    return e;
}

void yaml_free(const cyaml_schema_value_t *schema, void **data)
{
    static const cyaml_config_t config = {.mem_fn = cyaml_mem};
    if (data != NULL && *data != NULL) {
        (void)cyaml_free(&config, schema, *data, 0);
        *data = NULL;
    }
}

char *yaml_beside(kg_arena *mem, const char *config_path, const char *path)
{
    const char *slash = strrchr(config_path, '/');
    if (path[0] == '/' || slash == NULL) {
        return kg_arena_str(mem, path);
    }
    const size_t folder = (size_t)(slash - config_path) + 1;
    const size_t n = strlen(path);
    char *full = kg_arena_alloc(mem, folder + n + 1);
    if (full != NULL) {
        memcpy(full, config_path, folder);
        memcpy(full + folder, path, n + 1);
    }
    return full;
}
