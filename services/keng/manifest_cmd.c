#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "config/yaml.h"
#include "tool.h"
#include "trust/manifest.h"

/* keys.yaml: the table that the root's holders write by hand and sign as the key manifest. */
typedef struct raw_entry {
    char *use, *key, *holder, *agency, *class, *role, *from, *until, *revoked;
    char **areas, **sectors, **stations;
    unsigned areas_count, sectors_count, stations_count;
    bool first_warning;
} raw_entry;

typedef struct raw_keys {
    uint64_t version;
    char *from, *until;
    raw_entry *keys;
    unsigned keys_count;
} raw_keys;

enum { TEXT_MAX = 400, LIST_MAX = 4096 };

#define NEED(type, key, member) CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 1, TEXT_MAX)
#define MAYBE(type, key, member)                                                                                       \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 1, TEXT_MAX)
#define LIST(key, member)                                                                                              \
    CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, raw_entry, member, &text_value, 0, LIST_MAX)

static const cyaml_schema_value_t text_value = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, TEXT_MAX)};
static const cyaml_schema_field_t entry_fields[] = {
    NEED(raw_entry, "use", use),
    NEED(raw_entry, "key", key),
    NEED(raw_entry, "holder", holder),
    MAYBE(raw_entry, "agency", agency),
    LIST("areas", areas),
    LIST("sectors", sectors),
    MAYBE(raw_entry, "class", class),
    YAML_SWITCH("first_warning", CYAML_FLAG_OPTIONAL, raw_entry, first_warning),
    MAYBE(raw_entry, "role", role),
    LIST("stations", stations),
    MAYBE(raw_entry, "from", from),
    MAYBE(raw_entry, "until", until),
    MAYBE(raw_entry, "revoked", revoked),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t entry_value = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, raw_entry, entry_fields)};
static const cyaml_schema_field_t keys_fields[] = {
    CYAML_FIELD_UINT("version", CYAML_FLAG_DEFAULT, raw_keys, version),
    NEED(raw_keys, "from", from),
    NEED(raw_keys, "until", until),
    CYAML_FIELD_SEQUENCE("keys", CYAML_FLAG_POINTER, raw_keys, keys, &entry_value, 1, MANIFEST_KEYS_MAX),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t keys_schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, raw_keys, keys_fields)};

enum { OPT_CONFIG, OPT_ROOT, OPT_OUT };

static kg_err read_time(const char *what, const char *text, int64_t *ms, kg_diag *diag)
{
    int offset = 0;
    if (text != NULL && kg_time_read(text, KG_VN_OFFSET_MIN, ms, &offset, NULL) != KG_OK) {
        return kg_fail(diag, KG_E_INVALID, "%s: \"%s\" is not a time; write it as 2026-11-22T21:05:00+07:00", what,
                       text);
    }
    return KG_OK;
}

/* The lists of a raw entry live as long as the raw document. */
static alert_texts texts_of(char **items, unsigned count)
{
    return (alert_texts){.items = (const char **)(uintptr_t)items, .count = count};
}

/* A signing key's scope is its agency's, unless the entry narrows it. */
static kg_err scope_of(const policy *p, const raw_entry *raw, key_entry *out, kg_diag *diag)
{
    const policy_agency *agency = p != NULL ? policy_agency_find(p, raw->agency) : NULL;
    if (p != NULL && agency == NULL) {
        return kg_fail(diag, KG_E_NOTFOUND, "key of %s: the policy knows no agency \"%s\"", raw->holder, raw->agency);
    }
    out->class_max = agency != NULL ? agency->class_max : CLASS_ROUTINE;
    if (raw->class != NULL) {
        const int class = bulletin_class_read(raw->class);
        if (class < 0) {
            return kg_fail(diag, KG_E_INVALID, "key of %s: class \"%s\" is not routine, priority or urgent",
                           raw->holder, raw->class);
        }
        out->class_max = (bulletin_class) class;
    }
    if (agency != NULL) {
        out->areas = raw->areas_count > 0 ? out->areas : agency->areas;
        out->sectors = raw->sectors_count > 0 ? out->sectors : agency->sectors;
        out->first_warning = raw->first_warning || agency->first_warning;
    }
    if (out->areas.count == 0 || out->sectors.count == 0) {
        return kg_fail(diag, KG_E_INVALID,
                       "key of %s: no areas or no sectors; write them or name the policy in keng.yaml", raw->holder);
    }
    return KG_OK;
}

static kg_err entry_of(const policy *p, const raw_entry *raw, key_entry *out, kg_diag *diag)
{
    const int use = key_use_read(raw->use);
    const int role = raw->role != NULL ? key_role_read(raw->role) : ROLE_NONE;
    *out = (key_entry){.holder = raw->holder,
                       .agency = raw->agency != NULL ? raw->agency : "",
                       .areas = texts_of(raw->areas, raw->areas_count),
                       .sectors = texts_of(raw->sectors, raw->sectors_count),
                       .stations = texts_of(raw->stations, raw->stations_count),
                       .first_warning = raw->first_warning};
    if (use < 0 || role < 0 || !public_read(raw->key, &out->key)) {
        return kg_fail(
            diag, KG_E_INVALID,
            "key of %s: use is actual, drill or connect; role publisher, router, sink or operator; key 64 hex "
            "digits",
            raw->holder);
    }
    out->use = (key_use)use;
    out->role = (key_role)role;
    kg_err e = read_time("from", raw->from, &out->from_ms, diag);
    if (e == KG_OK) {
        e = read_time("until", raw->until, &out->until_ms, diag);
    }
    if (e == KG_OK) {
        e = read_time("revoked", raw->revoked, &out->revoked_ms, diag);
    }
    if (e == KG_OK && use == KEY_CONNECT && role == ROLE_NONE) {
        e = kg_fail(diag, KG_E_INVALID, "key of %s: a connecting key needs a role", raw->holder);
    }
    return e == KG_OK && raw->agency != NULL ? scope_of(p, raw, out, diag) : e;
}

static kg_err make(const raw_keys *raw, const policy *p, const secret_key *root, kg_buf *out, kg_diag *diag)
{
    kg_arena mem = {0};
    key_entry *entries = kg_arena_array(&mem, raw->keys_count, sizeof *entries);
    int64_t from_ms = 0;
    int64_t until_ms = 0;
    kg_err e = entries != NULL ? read_time("from", raw->from, &from_ms, diag) : kg_fail(diag, KG_E_NOMEM, "no memory");
    if (e == KG_OK) {
        e = read_time("until", raw->until, &until_ms, diag);
    }
    for (unsigned i = 0; e == KG_OK && i < raw->keys_count; i++) {
        e = entry_of(p, &raw->keys[i], &entries[i], diag);
    }
    if (e == KG_OK) {
        e = manifest_make(raw->version, from_ms, until_ms, entries, raw->keys_count, root, out, diag);
    }
    kg_arena_done(&mem);
    return e;
}

int key_manifest(const cli_args *args)
{
    kg_diag diag = {{0}};
    operator_config c = {0};
    if (args->values[OPT_ROOT] == NULL || args->values[OPT_OUT] == NULL) {
        (void)kg_fail(&diag, KG_E_INVALID, "name the root's secret file (--root) and where to write (--out)");
        (void)tool_fail(KG_E_INVALID, &diag);
        return CLI_USAGE;
    }
    const int status = tool_config(args, &c);
    if (status != CLI_OK) {
        return status;
    }
    secret_key *root = NULL;
    areas *ar = NULL;
    policy *p = NULL;
    void *data = NULL;
    kg_buf bytes = {0};
    kg_err e = secret_load(args->values[OPT_ROOT], &root, &diag);
    if (e == KG_OK) {
        e = yaml_load(args->positional[0], &keys_schema, &data, &diag);
    }
    if (e == KG_OK && c.policy_path[0] != '\0') {
        e = operator_rules(&c, &ar, &p, &diag);
    }
    if (e == KG_OK) {
        e = make(data, p, root, &bytes, &diag);
    }
    if (e == KG_OK) {
        e = kg_file_replace(args->values[OPT_OUT], bytes.s, bytes.len, 0644, &diag);
    }
    if (e == KG_OK) {
        const public_key public = secret_public(root);
        char text[KEY_TEXT];
        public_text(&public, text);
        (void)printf("root %s\n", text);
    }
    kg_buf_done(&bytes);
    yaml_free(&keys_schema, &data);
    policy_free(&p);
    areas_free(&ar);
    secret_free(&root);
    operator_config_done(&c);
    return e == KG_OK ? CLI_OK : tool_fail(e, &diag);
}
