#include "nearby.h"

#include <string.h>

#include "base/file.h"

enum { SECRET_MAX = 4096 };

kg_err nearby_path(const char *config_path, const char *name, kg_buf *out, kg_diag *diag)
{
    const char *slash = strrchr(config_path, '/');
    kg_err e = KG_OK;
    if (name[0] != '/' && slash != NULL) {
        e = kg_buf_put(out, config_path, (size_t)(slash - config_path) + 1);
    }
    if (e == KG_OK) {
        e = kg_buf_puts(out, name);
    }
    return e == KG_OK ? e : kg_fail(diag, e, "%s: no memory for the path of %s", config_path, name);
}

kg_err nearby_secret(const char *config_path, const char *name, kg_buf *out, kg_diag *diag)
{
    kg_buf path = {0};
    kg_buf text = {0};
    kg_err e = nearby_path(config_path, name, &path, diag);
    if (e == KG_OK) {
        e = kg_file_is_private(kg_buf_str(&path), diag);
    }
    if (e == KG_OK) {
        e = kg_file_read(kg_buf_str(&path), SECRET_MAX, &text, diag);
    }
    if (e == KG_OK) {
        const size_t n = strcspn(kg_buf_str(&text), "\r\n");
        const size_t rest = strspn(kg_buf_str(&text) + n, "\r\n");
        if (n == 0 || n + rest != text.len) {
            e = kg_fail(diag, KG_E_INVALID, "%s: must hold exactly one line", kg_buf_str(&path));
        } else {
            e = kg_buf_put(out, kg_buf_str(&text), n);
        }
    }
    kg_buf_done(&path);
    kg_buf_done(&text);
    return e;
}
