#include "router_config.h"

#include <string.h>

#include "base/buf.h"
#include "config/yaml.h"

enum { TEXT_MAX = 1024, FILES_MAX = 64 };

typedef struct raw_listen {
    char *intake, *urgent, *other, *control, *status;
} raw_listen;

typedef struct raw_rate {
    unsigned per_minute, burst;
} raw_rate;

typedef struct raw_config {
    char *name, *key, *sign_key, *root, *manifest, *policy, *state;
    char **communes;
    unsigned communes_count;
    char **geometry;
    unsigned geometry_count;
    raw_listen listen;
    raw_rate *rate;
} raw_config;

#define TEXT(key, type, member) CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 1, TEXT_MAX)

static const cyaml_schema_value_t text_value = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, TEXT_MAX)};
static const cyaml_schema_field_t listen_fields[] = {
    TEXT("intake", raw_listen, intake),   TEXT("urgent", raw_listen, urgent), TEXT("other", raw_listen, other),
    TEXT("control", raw_listen, control), TEXT("status", raw_listen, status), CYAML_FIELD_END,
};
static const cyaml_schema_field_t rate_fields[] = {
    CYAML_FIELD_UINT("per_minute", CYAML_FLAG_DEFAULT, raw_rate, per_minute),
    CYAML_FIELD_UINT("burst", CYAML_FLAG_DEFAULT, raw_rate, burst),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t config_fields[] = {
    TEXT("name", raw_config, name),
    TEXT("key", raw_config, key),
    TEXT("sign_key", raw_config, sign_key),
    TEXT("root", raw_config, root),
    TEXT("manifest", raw_config, manifest),
    TEXT("policy", raw_config, policy),
    TEXT("state", raw_config, state),
    CYAML_FIELD_SEQUENCE("communes", CYAML_FLAG_POINTER, raw_config, communes, &text_value, 1, FILES_MAX),
    CYAML_FIELD_SEQUENCE("geometry", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, raw_config, geometry, &text_value, 0,
                         FILES_MAX),
    CYAML_FIELD_MAPPING("listen", CYAML_FLAG_DEFAULT, raw_config, listen, listen_fields),
    CYAML_FIELD_MAPPING_PTR("rate", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, raw_config, rate, rate_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t config_schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, raw_config, config_fields)};

static const char *in_state(router_config *c, const char *name)
{
    kg_buf full = {0};
    kg_ignore(kg_buf_putf(&full, "%s/%s", c->state, name)); /* checked by what follows */
    const char *copy = kg_buf_failed(&full) == KG_OK ? kg_arena_str(&c->mem, full.s) : NULL;
    kg_buf_done(&full);
    return copy;
}

static bool take_files(router_config *c, const char *path, char **files, unsigned count, alert_texts *out)
{
    out->items = kg_arena_array(&c->mem, count + 1u, sizeof *out->items);
    bool good = out->items != NULL;
    for (unsigned i = 0; good && i < count; i++) {
        out->items[i] = yaml_beside(&c->mem, path, files[i]);
        good = out->items[i] != NULL;
    }
    out->count = count;
    return good;
}

static kg_err take_texts(const raw_config *raw, const char *path, router_config *c, kg_diag *diag)
{
    c->name = kg_arena_str(&c->mem, raw->name);
    c->manifest = yaml_beside(&c->mem, path, raw->manifest);
    c->policy = yaml_beside(&c->mem, path, raw->policy);
    c->state = yaml_beside(&c->mem, path, raw->state);
    c->intake = kg_arena_str(&c->mem, raw->listen.intake);
    c->urgent = kg_arena_str(&c->mem, raw->listen.urgent);
    c->other = kg_arena_str(&c->mem, raw->listen.other);
    c->control = kg_arena_str(&c->mem, raw->listen.control);
    c->status = kg_arena_str(&c->mem, raw->listen.status);
    const bool files = take_files(c, path, raw->communes, raw->communes_count, &c->communes) &&
                       take_files(c, path, raw->geometry, raw->geometry_count, &c->geometry);
    if (c->state != NULL) {
        c->journal = in_state(c, "journal.db");
        c->floor = in_state(c, "manifest.floor");
    }
    if (!files || c->name == NULL || c->manifest == NULL || c->policy == NULL || c->intake == NULL ||
        c->urgent == NULL || c->other == NULL || c->control == NULL || c->status == NULL || c->journal == NULL ||
        c->floor == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "%s: no memory", path);
    }
    return KG_OK;
}

static kg_err take_keys(const raw_config *raw, const char *path, router_config *c, kg_diag *diag)
{
    if (!public_read(raw->root, &c->root)) {
        return kg_fail(diag, KG_E_INVALID, "%s: root must be the root key's 64 hex digits", path);
    }
    const char *key = yaml_beside(&c->mem, path, raw->key);
    const char *sign_key = yaml_beside(&c->mem, path, raw->sign_key);
    if (key == NULL || sign_key == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "%s: no memory", path);
    }
    kg_err e = secret_load(key, &c->key, diag);
    if (e == KG_OK) {
        e = secret_load(sign_key, &c->sign_key, diag);
    }
    if (e == KG_OK && (secret_use(c->key) != KEY_CONNECT || secret_use(c->sign_key) != KEY_SIGN_ACTUAL)) {
        e = kg_fail(diag, KG_E_INVALID, "%s: key must be a connecting key and sign_key a signing key", path);
    }
    return e;
}

kg_err router_config_load(const char *path, router_config *out, kg_diag *diag)
{
    router_config c = {.rate_per_minute = ROUTER_RATE_PER_MINUTE, .rate_burst = ROUTER_RATE_BURST};
    void *data = NULL;
    kg_err e = yaml_load(path, &config_schema, &data, diag);
    if (e != KG_OK) {
        return e;
    }
    const raw_config *raw = data;
    e = take_texts(raw, path, &c, diag);
    if (e == KG_OK) {
        e = take_keys(raw, path, &c, diag);
    }
    if (e == KG_OK && raw->rate != NULL) {
        c.rate_per_minute = raw->rate->per_minute;
        c.rate_burst = raw->rate->burst;
        if (c.rate_per_minute == 0 || c.rate_burst == 0) {
            e = kg_fail(diag, KG_E_INVALID, "%s: rate: per_minute and burst must be at least 1", path);
        }
    }
    yaml_free(&config_schema, &data);
    if (e == KG_OK) {
        *out = c;
    } else {
        router_config_done(&c);
    }
    return e;
}

kg_err router_config_fits(const router_config *c, const manifest *m, kg_diag *diag)
{
    const public_key connect = secret_public(c->key);
    const public_key sign = secret_public(c->sign_key);
    const key_entry *own = manifest_connector(m, &connect);
    const key_entry *receipts = manifest_signer(m, &sign);
    if (own == NULL || own->role != ROLE_ROUTER) {
        return kg_fail(diag, KG_E_DENIED, "key: the key manifest does not list this connecting key as a router's");
    }
    if (receipts == NULL || receipts->role != ROLE_ROUTER) {
        return kg_fail(diag, KG_E_DENIED,
                       "sign_key: the key manifest does not list it as a router's; no agency would believe an answer");
    }
    return KG_OK;
}

void router_config_done(router_config *c)
{
    secret_free(&c->key);
    secret_free(&c->sign_key);
    kg_arena_done(&c->mem);
}
