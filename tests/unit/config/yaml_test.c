#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "config/yaml.h"

typedef struct door {
    char *name;
    unsigned port;
    bool open;
} door;

static const cyaml_schema_field_t door_fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, door, name, 1, 8),
    CYAML_FIELD_UINT("port", CYAML_FLAG_OPTIONAL, door, port),
    YAML_SWITCH("open", CYAML_FLAG_OPTIONAL, door, open),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t door_schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, door, door_fields)};

static void reads_into_the_struct(void **state)
{
    (void)state;
    void *out = NULL;
    static const char text[] = "name: north\nport: 7\nopen: true\n";
    assert_int_equal(yaml_read("door.yaml", text, strlen(text), &door_schema, &out, NULL), KG_OK);
    const door *d = out;
    assert_string_equal(d->name, "north");
    assert_int_equal(d->port, 7);
    assert_true(d->open);
    yaml_free(&door_schema, &out);
    assert_null(out);
}

static void names_the_place_of_each_fault(void **state)
{
    (void)state;
    static const struct {
        const char *label, *text, *want_place, *want_what;
    } rows[] = {
        {"unknown key", "name: a\nprot: 7\n", "door.yaml:2:", "prot"},
        {"not a number", "name: a\nport: x\n", "door.yaml:2:7:", "'x'"},
        {"neither true nor false", "name: a\nopen: flase\n", "door.yaml:2:7:", "flase"},
        {"missing key", "port: 7\n", "door.yaml:1:", "name"},
        {"too long", "name: abcdefghijkl\n", "door.yaml:1:7:", ""},
        {"not YAML", "name: [\nport: 7\n", "door.yaml:", ""},
        {"given twice", "name: a\nname: b\n", "door.yaml:", "name"},
        {"an alias", "name: &x a\nport: *x\n", "door.yaml:", ""},
        {"empty", "", "door.yaml: ", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kg_diag diag = {{0}};
        void *out = NULL;
        const kg_err e = yaml_read("door.yaml", rows[i].text, strlen(rows[i].text), &door_schema, &out, &diag);
        if (e != KG_E_INVALID || strncmp(diag.text, rows[i].want_place, strlen(rows[i].want_place)) != 0 ||
            strstr(diag.text, rows[i].want_what) == NULL || out != NULL) {
            fail_msg("%s: %s: %s", rows[i].label, kg_err_name(e), diag.text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_into_the_struct),
        cmocka_unit_test(names_the_place_of_each_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
