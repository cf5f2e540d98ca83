#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/utf8.h"
#include "config/yaml.h"
#include "policy/policy_table.h"

enum { TEXT_MAX = 1024, ENTRIES_MAX = 4096, STATIONS_MAX_BYTES = 16 * 1024 * 1024 };

#define WORD(name, type, member) CYAML_FIELD_STRING_PTR(name, CYAML_FLAG_POINTER, type, member, 1, TEXT_MAX)
#define WORD_OR_NONE(name, type, member)                                                                               \
    CYAML_FIELD_STRING_PTR(name, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 0, TEXT_MAX)
#define LIST(name, type, member, schema, min)                                                                          \
    CYAML_FIELD_SEQUENCE(name, CYAML_FLAG_POINTER, type, member, schema, min, ENTRIES_MAX)
#define LIST_OR_NONE(name, type, member, schema)                                                                       \
    CYAML_FIELD_SEQUENCE(name, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, schema, 0, ENTRIES_MAX)
#define CHOICE(name, type, member, words)                                                                              \
    CYAML_FIELD_ENUM(name, CYAML_FLAG_STRICT, type, member, words, CYAML_ARRAY_LEN(words))
#define CHOICE_OR_FIRST(name, type, member, words)                                                                     \
    CYAML_FIELD_ENUM(name, CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, type, member, words, CYAML_ARRAY_LEN(words))
static const cyaml_strval_t class_words[] = {
    {"routine", CLASS_ROUTINE}, {"priority", CLASS_PRIORITY}, {"urgent", CLASS_URGENT}};
static const cyaml_strval_t medium_words[] = {{"sms", MEDIUM_SMS},     {"radio", MEDIUM_RADIO},
                                              {"tv", MEDIUM_TV},       {"loudspeaker", MEDIUM_LOUDSPEAKER},
                                              {"board", MEDIUM_BOARD}, {"feed", MEDIUM_FEED}};
static const cyaml_strval_t mode_words[] = {{"offer", MODE_OFFER},
                                            {"schedule", MODE_SCHEDULE},
                                            {"next", MODE_NEXT},
                                            {"crawl", MODE_CRAWL},
                                            {"interrupt", MODE_INTERRUPT}};
static const cyaml_strval_t when_words[] = {{"warning", WHEN_WARNING}, {"end", WHEN_END}};
static const cyaml_strval_t wanted_words[] = {{"always", WANTED_ALWAYS}, {"when-written", WANTED_WHEN_WRITTEN}};
static const cyaml_strval_t status_words[] = {{"exercise", CAP_EXERCISE}, {"test", CAP_TEST}};
static const cyaml_strval_t severity_words[] = {{"any", CAP_SEVERITY_UNKNOWN},
                                                {"moderate", CAP_SEVERITY_MODERATE},
                                                {"severe", CAP_SEVERITY_SEVERE},
                                                {"extreme", CAP_SEVERITY_EXTREME}};

static const cyaml_schema_value_t text_value = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, TEXT_MAX)};
static const cyaml_schema_value_t minutes_value = {CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, uint32_t)};
static const cyaml_schema_value_t medium_value = {
    CYAML_VALUE_ENUM(CYAML_FLAG_STRICT, medium, medium_words, CYAML_ARRAY_LEN(medium_words))};
static const cyaml_schema_value_t class_value = {
    CYAML_VALUE_ENUM(CYAML_FLAG_STRICT, bulletin_class, class_words, CYAML_ARRAY_LEN(class_words))};

static const cyaml_schema_field_t sector_fields[] = {
    WORD("id", file_sector, id),
    WORD("name", file_sector, name),
    WORD_OR_NONE("lead", file_sector, lead),
    WORD("basis", file_sector, basis),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t sector_value = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, file_sector, sector_fields)};

static const cyaml_schema_field_t agency_fields[] = {
    WORD("id", file_agency, id),
    WORD("name", file_agency, name),
    LIST_OR_NONE("areas", file_agency, areas, &text_value),
    LIST_OR_NONE("sectors", file_agency, sectors, &text_value),
    CHOICE("class_max", file_agency, class_max, class_words),
    YAML_SWITCH("first_warning", CYAML_FLAG_DEFAULT, file_agency, first_warning),
    YAML_SWITCH("each_commune", CYAML_FLAG_OPTIONAL, file_agency, each_commune),
    WORD("basis", file_agency, basis),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t agency_value = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, file_agency, agency_fields)};

static const cyaml_schema_field_t class_fields[] = {
    CHOICE("class", file_class, class, class_words),
    CYAML_FIELD_UINT("default_ttl_minutes", CYAML_FLAG_DEFAULT, file_class, default_ttl_minutes),
    WORD("basis", file_class, basis),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t class_rule_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, file_class, class_fields)};

static const cyaml_schema_field_t media_fields[] = {
    CHOICE("medium", file_media, medium, medium_words),
    CHOICE("class", file_media, class, class_words),
    CHOICE("mode", file_media, mode, mode_words),
    WORD("basis", file_media, basis),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t media_value = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, file_media, media_fields)};

static const cyaml_schema_field_t news_fields[] = {
    LIST_OR_NONE("hours", file_news, hours, &text_value),
    WORD("basis", file_news, basis),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t repeat_fields[] = {
    WORD("id", file_repeat, id),
    CHOICE_OR_FIRST("when", file_repeat, when, when_words),
    LIST("media", file_repeat, media, &medium_value, 1),
    LIST_OR_NONE("classes", file_repeat, classes, &class_value),
    LIST_OR_NONE("event_codes", file_repeat, event_codes, &text_value),
    LIST_OR_NONE("events", file_repeat, events, &text_value),
    LIST_OR_NONE("after_minutes", file_repeat, after_minutes, &minutes_value),
    CYAML_FIELD_UINT("every_minutes", CYAML_FLAG_OPTIONAL, file_repeat, every_minutes),
    YAML_SWITCH("at_next_news", CYAML_FLAG_OPTIONAL, file_repeat, at_next_news),
    YAML_SWITCH("on_the_hour", CYAML_FLAG_OPTIONAL, file_repeat, on_the_hour),
    WORD("basis", file_repeat, basis),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t repeat_value = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, file_repeat, repeat_fields)};

static const cyaml_schema_field_t language_fields[] = {
    WORD("language", file_language, language),
    LIST("areas", file_language, areas, &text_value, 1),
    CHOICE("wanted", file_language, wanted, wanted_words),
    WORD("basis", file_language, basis),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t language_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, file_language, language_fields)};

static const cyaml_schema_field_t drill_fields[] = {
    CHOICE("status", file_drill, status, status_words),
    LIST_OR_NONE("media", file_drill, media, &medium_value),
    YAML_SWITCH("public_sms", CYAML_FLAG_DEFAULT, file_drill, public_sms),
    WORD("basis", file_drill, basis),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t drill_value = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, file_drill, drill_fields)};

static const cyaml_schema_field_t signature_fields[] = {
    WORD("id", file_signature, id),
    CHOICE_OR_FIRST("class_min", file_signature, class_min, class_words),
    CHOICE_OR_FIRST("severity_min", file_signature, severity_min, severity_words),
    CYAML_FIELD_UINT("over_communes", CYAML_FLAG_OPTIONAL, file_signature, over_communes),
    CYAML_FIELD_UINT("needed", CYAML_FLAG_DEFAULT, file_signature, needed),
    WORD("basis", file_signature, basis),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t signature_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, file_signature, signature_fields)};

static const cyaml_schema_field_t signatures_fields[] = {
    YAML_SWITCH("enforced", CYAML_FLAG_DEFAULT, file_signatures, enforced),
    CYAML_FIELD_UINT("first_warning", CYAML_FLAG_DEFAULT, file_signatures, first_warning),
    LIST("rules", file_signatures, rules, &signature_value, 1),
    WORD("basis", file_signatures, basis),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t policy_fields[] = {
    WORD("province", policy_file, province),
    WORD("name", policy_file, name),
    WORD("stations", policy_file, stations),
    LIST("sectors", policy_file, sectors, &sector_value, 1),
    LIST("agencies", policy_file, agencies, &agency_value, 1),
    LIST("classes", policy_file, classes, &class_rule_value, 1),
    LIST("media", policy_file, media, &media_value, 1),
    CYAML_FIELD_MAPPING("news", CYAML_FLAG_DEFAULT, policy_file, news, news_fields),
    LIST_OR_NONE("repeats", policy_file, repeats, &repeat_value),
    LIST_OR_NONE("languages", policy_file, languages, &language_value),
    LIST_OR_NONE("drills", policy_file, drills, &drill_value),
    CYAML_FIELD_MAPPING("signatures", CYAML_FLAG_DEFAULT, policy_file, signatures, signatures_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t policy_schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, policy_file, policy_fields)};

/* The hash of both files, each with its length before it so that no byte can move from one to the other. */
static kg_err hash_source(policy *p, const policy_source *s, kg_diag *diag)
{
    kg_buf all = {0};
    (void)kg_buf_putf(&all, "%zu:", s->yaml_len);
    (void)kg_buf_put(&all, s->yaml, s->yaml_len);
    (void)kg_buf_putf(&all, "%zu:", s->stations_len);
    (void)kg_buf_put(&all, s->stations, s->stations_len);
    const kg_err e = kg_buf_failed(&all);
    if (e == KG_OK) {
        p->hash = alert_hash_of(all.s, all.len);
    }
    kg_buf_done(&all);
    return e == KG_OK ? KG_OK : kg_fail(diag, e, "no memory for the policy's hash");
}

static void free_file(policy_file **file)
{
    void *data = *file;
    yaml_free(&policy_schema, &data);
    *file = NULL;
}

/* Takes the parsed YAML, whatever the outcome. */
static kg_err build(const policy_source *s, policy_file **file, const areas *ar, policy **out, kg_diag *diag)
{
    assert(*file != NULL);
    policy *p = calloc(1, sizeof *p);
    if (p == NULL) {
        free_file(file);
        return kg_fail(diag, KG_E_NOMEM, "%s: no memory for the policy", s->name);
    }
    p->file = *file;
    *file = NULL;
    kg_err e = stations_read(p->file->stations, s->stations, s->stations_len, p, diag);
    if (e == KG_OK) {
        e = hash_source(p, s, diag);
    }
    if (e == KG_OK) {
        e = policy_compile(p, ar, diag);
        e = e == KG_OK ? KG_OK : kg_fail_in(diag, e, "%s: ", s->name);
    }
    if (e != KG_OK) {
        policy_free(&p);
        return e;
    }
    *out = p;
    return KG_OK;
}

static kg_err parse(const char *name, const char *yaml, size_t n, policy_file **out, kg_diag *diag)
{
    void *data = NULL;
    if (!kg_utf8_valid(yaml, n)) {
        return kg_fail(diag, KG_E_INVALID, "%s: not valid UTF-8 text", name);
    }
    const kg_err e = yaml_read(name, yaml, n, &policy_schema, &data, diag);
    *out = data;
    return e;
}

kg_err policy_read(const policy_source *source, const areas *ar, policy **out, kg_diag *diag)
{
    policy_file *file = NULL;
    const kg_err e = parse(source->name, source->yaml, source->yaml_len, &file, diag);
    return e == KG_OK ? build(source, &file, ar, out, diag) : e;
}

/* The station table lies beside the policy unless its path is absolute. */
static kg_err beside(const char *policy_yaml, const char *name, char out[PATH_MAX], kg_diag *diag)
{
    const char *slash = name[0] == '/' ? NULL : strrchr(policy_yaml, '/');
    const int folder = slash != NULL ? (int)(slash - policy_yaml) + 1 : 0;
    const int n = snprintf(out, PATH_MAX, "%.*s%s", folder, policy_yaml, name);
    return n > 0 && n < PATH_MAX ? KG_OK : kg_fail(diag, KG_E_LIMIT, "stations: the path is too long");
}

kg_err policy_load(const char *policy_yaml, const areas *ar, policy **out, kg_diag *diag)
{
    char path[PATH_MAX];
    kg_buf yaml = {0}, table = {0};
    policy_file *file = NULL;
    kg_err e = kg_file_read(policy_yaml, YAML_MAX, &yaml, diag);
    if (e == KG_OK) {
        e = parse(policy_yaml, kg_buf_str(&yaml), yaml.len, &file, diag);
    }
    if (e == KG_OK) {
        assert(file != NULL);
        e = beside(policy_yaml, file->stations, path, diag);
    }
    if (e == KG_OK) {
        e = kg_file_read(path, STATIONS_MAX_BYTES, &table, diag);
    }
    if (e == KG_OK) {
        const policy_source s = {policy_yaml, kg_buf_str(&yaml), kg_buf_str(&table), yaml.len, table.len};
        e = build(&s, &file, ar, out, diag);
    }
    free_file(&file);
    kg_buf_done(&yaml);
    kg_buf_done(&table);
    return e;
}

void policy_free(policy **p)
{
    if (p != NULL && *p != NULL) {
        free_file(&(*p)->file);
        kg_arena_done(&(*p)->mem);
        free(*p);
        *p = NULL;
    }
}
