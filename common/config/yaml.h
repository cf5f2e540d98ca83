/*
 * yaml - YAML files straight into structs, by schema; the door of libcyaml that policy and every config use.
 *
 * Shape     The schema (cyaml_schema_value_t) says keys, types and limits; an unknown key, a missing one or a bad
 *           value is refused with "file:line:column: ..." and what is allowed. Ranges and references between entries
 *           are checked by the caller, once, after loading; yaml has no line numbers left then, so a complaint names
 *           the entry. Owns    *out until yaml_free with the same schema.
 * Errors    KG_E_NOTFOUND no file, KG_E_INVALID, KG_E_LIMIT over YAML_MAX bytes.
 */
#ifndef KENG_CONFIG_YAML_H
#define KENG_CONFIG_YAML_H

#include <stdbool.h>

#include <cyaml/cyaml.h>

#include "base/arena.h"
#include "base/err.h"

enum { YAML_MAX = 4 * 1024 * 1024 };

/* A field that is true or false (yes or no) and nothing else. libcyaml's own bool takes every word it does not know for
 * true: a mistyped "flase" would switch on what it was meant to switch off. */
enum { YAML_SWITCH_WORDS = 4 };
extern const cyaml_strval_t yaml_switch[YAML_SWITCH_WORDS];
#define YAML_SWITCH(key, flags, type, member)                                                                          \
    CYAML_FIELD_ENUM(key, CYAML_FLAG_STRICT | (flags), type, member, yaml_switch, YAML_SWITCH_WORDS)

KG_MUST_CHECK kg_err yaml_load(const char *path, const cyaml_schema_value_t *schema, void **out, kg_diag *diag);
/* The same from n bytes of memory with a NUL behind them; `name` stands in complaints. */
KG_MUST_CHECK kg_err yaml_read(const char *name, const void *bytes, size_t n, const cyaml_schema_value_t *schema,
                               void **out, kg_diag *diag);
/* A path in a file counts from the file's own folder; a copy in mem. NULL: no memory. */
char *yaml_beside(kg_arena *mem, const char *config_path, const char *path);
void yaml_free(const cyaml_schema_value_t *schema, void **data);

#endif
