#include "operator_config.h"

#include <string.h>

#include "base/buf.h"
#include "config/yaml.h"

typedef struct raw_process {
    char *name, *control, *status, *key;
} raw_process;

typedef struct raw_operator {
    char *who, *key, *policy, *geometry_dir, *sender, *agency;
    char **communes, **geometry;
    unsigned communes_count, geometry_count;
    raw_process *processes;
    unsigned processes_count;
} raw_operator;

enum { TEXT_MAX = 1024, LIST_MAX = 64 };

#define MAYBE(type, key, member)                                                                                       \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 1, TEXT_MAX)
#define NEED(type, key, member) CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 1, TEXT_MAX)

static const cyaml_schema_value_t text_value = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, TEXT_MAX)};
static const cyaml_schema_field_t process_fields[] = {
    NEED(raw_process, "name", name),
    NEED(raw_process, "control", control),
    MAYBE(raw_process, "status", status),
    NEED(raw_process, "key", key),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t process_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, raw_process, process_fields)};
static const cyaml_schema_field_t operator_fields[] = {
    NEED(raw_operator, "who", who),
    MAYBE(raw_operator, "key", key),
    MAYBE(raw_operator, "policy", policy),
    MAYBE(raw_operator, "geometry_dir", geometry_dir),
    MAYBE(raw_operator, "sender", sender),
    MAYBE(raw_operator, "agency", agency),
    CYAML_FIELD_SEQUENCE("communes", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, raw_operator, communes, &text_value, 0,
                         LIST_MAX),
    CYAML_FIELD_SEQUENCE("geometry", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, raw_operator, geometry, &text_value, 0,
                         LIST_MAX),
    CYAML_FIELD_SEQUENCE("processes", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, raw_operator, processes, &process_value,
                         0, OPERATOR_PROCESSES_MAX),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t operator_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, raw_operator, operator_fields)};

static const char *beside(operator_config *c, const char *config_path, const char *path)
{
    return path != NULL ? yaml_beside(&c->mem, config_path, path) : "";
}

static kg_err take_paths(operator_config *c, const char *path, char **items, unsigned count, alert_texts *out)
{
    out->items = kg_arena_array(&c->mem, count, sizeof *out->items);
    for (unsigned i = 0; out->items != NULL && i < count; i++) {
        out->items[i] = beside(c, path, items[i]);
    }
    out->count = out->items != NULL ? count : 0;
    return out->items != NULL ? KG_OK : KG_E_NOMEM;
}

static kg_err take(const raw_operator *raw, const char *path, operator_config *c, kg_diag *diag)
{
    c->who = kg_arena_str(&c->mem, raw->who);
    c->key_path = beside(c, path, raw->key);
    c->policy_path = beside(c, path, raw->policy);
    c->geometry_dir = beside(c, path, raw->geometry_dir);
    c->sender = raw->sender != NULL ? kg_arena_str(&c->mem, raw->sender) : "keng";
    c->agency = raw->agency != NULL ? kg_arena_str(&c->mem, raw->agency) : "";
    kg_err e = take_paths(c, path, raw->communes, raw->communes_count, &c->communes);
    if (e == KG_OK) {
        e = take_paths(c, path, raw->geometry, raw->geometry_count, &c->geometry);
    }
    if (e != KG_OK || c->who == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "%s: no memory", path);
    }
    for (unsigned i = 0; i < raw->processes_count; i++) {
        operator_process *p = &c->processes[i];
        p->name = kg_arena_str(&c->mem, raw->processes[i].name);
        p->control = kg_arena_str(&c->mem, raw->processes[i].control);
        p->status = raw->processes[i].status != NULL ? kg_arena_str(&c->mem, raw->processes[i].status) : "";
        if (!public_read(raw->processes[i].key, &p->key)) {
            return kg_fail(diag, KG_E_INVALID, "%s: process \"%s\": key must be 64 hex digits", path, p->name);
        }
    }
    c->process_count = raw->processes_count;
    return KG_OK;
}

kg_err operator_config_load(const char *path, operator_config *out, kg_diag *diag)
{
    operator_config c = {0};
    void *data = NULL;
    kg_err e = yaml_load(path, &operator_schema, &data, diag);
    if (e != KG_OK) {
        return e;
    }
    e = take(data, path, &c, diag);
    yaml_free(&operator_schema, &data);
    if (e != KG_OK) {
        operator_config_done(&c);
        return e;
    }
    *out = c;
    return KG_OK;
}

void operator_config_done(operator_config *c)
{
    if (c != NULL) {
        kg_arena_done(&c->mem);
        *c = (operator_config){0};
    }
}

const operator_process *operator_process_find(const operator_config *c, const char *name, kg_diag *diag)
{
    kg_buf known = {0};
    for (size_t i = 0; i < c->process_count; i++) {
        if (name[0] == '\0' || strcmp(c->processes[i].name, name) == 0) {
            kg_buf_done(&known);
            return &c->processes[i];
        }
        kg_ignore(kg_buf_putf(&known, " %s", c->processes[i].name)); /* only a hint */
    }
    (void)kg_fail(diag, KG_E_NOTFOUND, "no process \"%s\" in keng.yaml; known:%s", name, kg_buf_str(&known));
    kg_buf_done(&known);
    return NULL;
}

kg_err operator_rules(const operator_config *c, areas **ar, policy **p, kg_diag *diag)
{
    if (c->communes.count == 0 || c->policy_path[0] == '\0') {
        return kg_fail(diag, KG_E_NOTFOUND, "keng.yaml names no communes or no policy; add both keys");
    }
    kg_err e = areas_load(c->communes.items[0], ar, diag);
    for (size_t i = 1; e == KG_OK && i < c->communes.count; i++) {
        e = areas_add(*ar, c->communes.items[i], diag);
    }
    for (size_t i = 0; e == KG_OK && i < c->geometry.count; i++) {
        size_t imported = 0;
        e = areas_import(*ar, c->geometry.items[i], &imported, diag);
    }
    if (e == KG_OK) {
        e = policy_load(c->policy_path, *ar, p, diag);
    }
    if (e != KG_OK) {
        areas_free(ar);
    }
    return e;
}
