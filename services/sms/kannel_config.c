#include "kannel_config.h"

#include <string.h>

#include "http/http.h"
#include "nearby.h"

enum { WINDOW_MAX = 200 };

static const cyaml_schema_field_t reports_fields[] = {
    CYAML_FIELD_STRING_PTR("listen", CYAML_FLAG_POINTER, kannel_reports, listen, 1, 64),
    CYAML_FIELD_STRING_PTR("url", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, kannel_reports, url, 1, 512),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t fields[] = {
    CYAML_FIELD_STRING_PTR("url", CYAML_FLAG_POINTER, kannel_config, url, 1, 1024),
    CYAML_FIELD_STRING_PTR("user", CYAML_FLAG_POINTER, kannel_config, user, 1, 64),
    CYAML_FIELD_STRING_PTR("password", CYAML_FLAG_POINTER, kannel_config, password, 1, 4096),
    CYAML_FIELD_STRING_PTR("smsc", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, kannel_config, smsc, 1, 64),
    CYAML_FIELD_STRING_PTR("list", CYAML_FLAG_POINTER, kannel_config, list, 1, 4096),
    CYAML_FIELD_STRING_PTR("province", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, kannel_config, province, 2, 2),
    CYAML_FIELD_MAPPING("reports", CYAML_FLAG_DEFAULT, kannel_config, reports, reports_fields),
    CYAML_FIELD_UINT("window", CYAML_FLAG_OPTIONAL, kannel_config, window),
    CYAML_FIELD_UINT("urgent_window", CYAML_FLAG_OPTIONAL, kannel_config, urgent_window),
    CYAML_FIELD_UINT("receipt_wait_s", CYAML_FLAG_OPTIONAL, kannel_config, receipt_wait_s),
    YAML_SWITCH("drills", CYAML_FLAG_OPTIONAL, kannel_config, drills),
    CYAML_FIELD_MAPPING("message", CYAML_FLAG_DEFAULT, kannel_config, message, rules_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, kannel_config, fields)};

static kg_err check(kannel_config *c, kg_diag *diag)
{
    kg_err e = rules_check(&c->message, diag);
    if (e == KG_OK) {
        e = http_check_url(c->url, false, diag);
    }
    if (e == KG_OK && c->reports.url != NULL) {
        e = http_check_url(c->reports.url, true, diag); /* where Kannel calls; not travelled by us */
    }
    if (e == KG_OK && (c->window > WINDOW_MAX || c->urgent_window > WINDOW_MAX)) {
        e = kg_fail(diag, KG_E_INVALID, "window and urgent_window: at most %d", WINDOW_MAX);
    }
    c->window = c->window == 0 ? 10 : c->window;
    c->urgent_window = c->urgent_window == 0 ? 20 : c->urgent_window;
    c->receipt_wait_s = c->receipt_wait_s == 0 ? 120 : c->receipt_wait_s;
    return e;
}

kg_err kannel_config_load(const char *path, kannel_config **out, kg_buf *password, kg_buf *list, kg_diag *diag)
{
    void *loaded = NULL;
    kg_err e = yaml_load(path, &schema, &loaded, diag);
    if (e != KG_OK) {
        return e;
    }
    kannel_config *c = loaded;
    e = check(c, diag);
    if (e == KG_OK) {
        e = nearby_secret(path, c->password, password, diag);
    }
    if (e == KG_OK) {
        e = nearby_path(path, c->list, list, diag);
    }
    if (e != KG_OK) {
        kannel_config_free(&c);
        return kg_fail_in(diag, e, "%s: ", path);
    }
    *out = c;
    return KG_OK;
}

void kannel_config_free(kannel_config **c)
{
    void *loaded = *c;
    yaml_free(&schema, &loaded);
    *c = NULL;
}
