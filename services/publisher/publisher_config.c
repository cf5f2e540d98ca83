#include "publisher_config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "config/yaml.h"

typedef struct raw_router {
    char *name, *intake, *key;
} raw_router;

typedef struct raw_poll {
    char *url;
    unsigned every_s;
} raw_poll;

typedef struct raw_defaults {
    char *class;
    char *sector;
    unsigned ttl_min;
} raw_defaults;

typedef struct raw_config {
    char *name, *agency, *sender, *key, *sign_key, *root, *manifest, *state, *drop;
    char **communes;
    unsigned communes_count;
    raw_router *routers;
    unsigned routers_count;
    raw_poll *polls;
    unsigned polls_count;
    raw_defaults *defaults;
    int *offset;
} raw_config;

enum { TEXT_MAX = 1024 };

#define TEXT(key, type, member) CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 1, TEXT_MAX)
#define MAYBE(key, type, member)                                                                                       \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 1, TEXT_MAX)

static const cyaml_schema_value_t text_value = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, TEXT_MAX)};
static const cyaml_schema_field_t router_fields[] = {
    TEXT("name", raw_router, name),
    TEXT("intake", raw_router, intake),
    TEXT("key", raw_router, key),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t router_value = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, raw_router, router_fields)};
static const cyaml_schema_field_t poll_fields[] = {
    TEXT("url", raw_poll, url),
    CYAML_FIELD_UINT("every_s", CYAML_FLAG_OPTIONAL, raw_poll, every_s),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t poll_value = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, raw_poll, poll_fields)};
static const cyaml_schema_field_t defaults_fields[] = {
    MAYBE("class", raw_defaults, class),
    MAYBE("sector", raw_defaults, sector),
    CYAML_FIELD_UINT("ttl_min", CYAML_FLAG_OPTIONAL, raw_defaults, ttl_min),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t config_fields[] = {
    TEXT("name", raw_config, name),
    TEXT("agency", raw_config, agency),
    TEXT("sender", raw_config, sender),
    TEXT("key", raw_config, key),
    TEXT("sign_key", raw_config, sign_key),
    TEXT("root", raw_config, root),
    TEXT("manifest", raw_config, manifest),
    TEXT("state", raw_config, state),
    MAYBE("drop", raw_config, drop),
    CYAML_FIELD_SEQUENCE("communes", CYAML_FLAG_POINTER, raw_config, communes, &text_value, 1, 64),
    CYAML_FIELD_SEQUENCE("routers", CYAML_FLAG_POINTER, raw_config, routers, &router_value, 1, PUBLISHER_ROUTERS_MAX),
    CYAML_FIELD_SEQUENCE("polls", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, raw_config, polls, &poll_value, 0,
                         PUBLISHER_POLLS_MAX),
    CYAML_FIELD_MAPPING_PTR("defaults", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, raw_config, defaults,
                            defaults_fields),
    CYAML_FIELD_INT_PTR("offset", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, raw_config, offset),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t config_schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, raw_config, config_fields)};

static const char *beside(publisher_config *c, const char *config_path, const char *path)
{
    return path != NULL ? yaml_beside(&c->mem, config_path, path) : "";
}

static const char *copy_or_empty(publisher_config *c, const char *s)
{
    return s != NULL ? kg_arena_str(&c->mem, s) : "";
}

static kg_err take_lists(const raw_config *raw, const char *path, publisher_config *c, kg_diag *diag)
{
    for (unsigned i = 0; i < raw->routers_count; i++) {
        publisher_router *r = &c->routers[i];
        r->name = kg_arena_str(&c->mem, raw->routers[i].name);
        r->intake = kg_arena_str(&c->mem, raw->routers[i].intake);
        if (!public_read(raw->routers[i].key, &r->key)) {
            return kg_fail(diag, KG_E_INVALID, "%s: router \"%s\": key must be 64 hex digits", path, r->name);
        }
    }
    c->router_count = raw->routers_count;
    for (unsigned i = 0; i < raw->polls_count; i++) {
        c->polls[i].url = kg_arena_str(&c->mem, raw->polls[i].url);
        c->polls[i].every_s = raw->polls[i].every_s != 0 ? raw->polls[i].every_s : 60;
    }
    c->poll_count = raw->polls_count;
    for (unsigned i = 0; i < raw->communes_count; i++) {
        const char *file = beside(c, path, raw->communes[i]);
        const kg_err e = c->areas == NULL ? areas_load(file, &c->areas, diag) : areas_add(c->areas, file, diag);
        if (e != KG_OK) {
            return e;
        }
    }
    return KG_OK;
}

static kg_err take_scalars(const raw_config *raw, const char *path, publisher_config *c, kg_diag *diag)
{
    const raw_defaults none = {0};
    const raw_defaults *d = raw->defaults != NULL ? raw->defaults : &none;
    c->name = kg_arena_str(&c->mem, raw->name);
    c->agency = kg_arena_str(&c->mem, raw->agency);
    c->sender = kg_arena_str(&c->mem, raw->sender);
    c->state = beside(c, path, raw->state);
    c->drop = beside(c, path, raw->drop);
    c->class_or = copy_or_empty(c, d->class);
    c->sector_or = copy_or_empty(c, d->sector);
    c->ttl_min = d->ttl_min != 0 ? d->ttl_min : PUBLISHER_TTL_MAX_MIN;
    c->offset_min = raw->offset != NULL ? *raw->offset : INT_MIN;
    if (c->name == NULL || c->agency == NULL || c->sender == NULL || c->state == NULL || c->drop == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "%s: no memory", path);
    }
    if (c->class_or[0] != '\0' && bulletin_class_read(c->class_or) < 0) {
        return kg_fail(diag, KG_E_INVALID, "%s: defaults.class: \"%s\" is not routine, priority or urgent", path,
                       c->class_or);
    }
    if (c->ttl_min > PUBLISHER_TTL_MAX_MIN) {
        return kg_fail(diag, KG_E_INVALID, "%s: defaults.ttl_min: %u is more than 24 hours (1440)", path, c->ttl_min);
    }
    if (raw->offset != NULL && (*raw->offset < -14 * 60 || *raw->offset > 14 * 60)) {
        return kg_fail(diag, KG_E_INVALID, "%s: offset: %d minutes is beyond 14 hours", path, *raw->offset);
    }
    if (strpbrk(c->sender, " ,<&\t") != NULL) {
        return kg_fail(diag, KG_E_INVALID, "%s: sender: \"%s\" may hold no blank, comma, < or & (CAP)", path,
                       c->sender);
    }
    return KG_OK;
}

static kg_err take_keys(const raw_config *raw, const char *path, publisher_config *c, kg_diag *diag)
{
    public_key root;
    if (!public_read(raw->root, &root)) {
        return kg_fail(diag, KG_E_INVALID, "%s: root must be 64 hex digits", path);
    }
    kg_err e = secret_load(beside(c, path, raw->key), &c->connect_key, diag);
    if (e == KG_OK) {
        e = secret_load(beside(c, path, raw->sign_key), &c->sign_key, diag);
    }
    if (e == KG_OK && (secret_use(c->connect_key) != KEY_CONNECT || secret_use(c->sign_key) == KEY_CONNECT)) {
        e = kg_fail(diag, KG_E_INVALID, "%s: key must be a connecting key and sign_key a signing key", path);
    }
    if (e == KG_OK) {
        e = kg_dir_make(c->state, 0700, diag);
    }
    if (e == KG_OK) {
        char floor[PATH_MAX];
        (void)snprintf(floor, sizeof floor, "%s/manifest.floor", c->state);
        e = manifest_load(beside(c, path, raw->manifest), &root, floor, &c->manifest, diag);
    }
    return e;
}

kg_err publisher_config_load(const char *path, publisher_config *out, kg_diag *diag)
{
    publisher_config c = {0};
    void *data = NULL;
    kg_err e = yaml_load(path, &config_schema, &data, diag);
    if (e != KG_OK) {
        return e;
    }
    const raw_config *raw = data;
    e = take_scalars(raw, path, &c, diag);
    if (e == KG_OK) {
        e = take_lists(raw, path, &c, diag);
    }
    if (e == KG_OK) {
        e = take_keys(raw, path, &c, diag);
    }
    yaml_free(&config_schema, &data);
    if (e != KG_OK) {
        publisher_config_done(&c);
        return e;
    }
    *out = c;
    return KG_OK;
}

void publisher_config_done(publisher_config *c)
{
    if (c == NULL) {
        return;
    }
    secret_free(&c->connect_key);
    secret_free(&c->sign_key);
    manifest_free(&c->manifest);
    areas_free(&c->areas);
    kg_arena_done(&c->mem);
    *c = (publisher_config){0};
}
