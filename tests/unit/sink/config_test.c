#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "sink/sink_config.h"

#define KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const char good[] =
    "name: loa\n"
    "key: keys/loa.key\n"
    "root: " KEY "\n"
    "manifest: manifest\n"
    "communes: [communes.tsv]\n"
    "state: state\n"
    "control: ipc://control.sock\n"
    "routers:\n"
    "- {name: vl, urgent: 'tcp://127.0.0.1:1', other: 'ipc:///run/x', key: " KEY "}\n"
    "drivers:\n"
    "- {name: horn, kind: rtp, config: rtp.yaml}\n"
    "- {name: call, kind: manual}\n"
    "stations:\n"
    "- {id: '86.b', name: Loa B, medium: loudspeaker, driver: call, languages: [vi], person: Ông B}\n"
    "- {id: '86.a', name: Loa A, medium: loudspeaker, driver: horn, languages: [vi, km], settings: '239.1.1.1:5004'}\n"
    "hours: {quiet: '22:00-04:00', sessions: ['05:00-05:30', '17:00-17:30']}\n";

static char folder[] = "/tmp/keng-config-XXXXXX";

static kg_err load(const char *text, sink_config *out, kg_diag *diag)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/sink.yaml", folder);
    assert_int_equal(kg_file_replace(path, text, strlen(text), 0600, NULL), KG_OK);
    const kg_err e = sink_config_load(path, 1U << MEDIUM_LOUDSPEAKER | 1U << MEDIUM_BOARD, out, diag);
    assert_int_equal(unlink(path), 0);
    return e;
}

static void reads_a_whole_file(void **state)
{
    (void)state;
    sink_config c;
    kg_diag diag = {{0}};
    if (load(good, &c, &diag) != KG_OK) {
        fail_msg("%s", diag.text);
    }
    char want[128];
    assert_string_equal(c.name, "loa");
    (void)snprintf(want, sizeof want, "%s/keys/loa.key", folder);
    assert_string_equal(c.key, want);
    (void)snprintf(want, sizeof want, "ipc://%s/control.sock", folder);
    assert_string_equal(c.control, want);
    assert_string_equal(c.routers[0].other, "ipc:///run/x");
    assert_int_equal(c.station_count, 2);
    assert_string_equal(c.stations[0].station.id, "86.a"); /* sorted */
    assert_int_equal(c.stations[0].driver, 0);
    assert_string_equal(c.stations[0].station.languages.items[1], "km");
    assert_string_equal(c.stations[0].station.settings, "239.1.1.1:5004");
    assert_string_equal(c.stations[0].station.person, "");
    assert_int_equal(c.stations[1].driver, 1);
    assert_string_equal(c.stations[1].station.person, "Ông B");
    assert_null(c.drivers[1].config);
    assert_int_equal(c.hours.quiet.from_min, 22 * 60);
    assert_int_equal(c.hours.session_count, 2);
    sink_config_done(&c);
}

/* One change to the good file, and what the complaint must say. */
static void names_every_fault(void **state)
{
    (void)state;
    static const struct {
        const char *label, *from, *to, *want;
    } rows[] = {
        {"unknown key", "state: state\n", "stat: state\n", "sink.yaml:6:"},
        {"missing key", "name: loa\n", "", "name"},
        {"key too short", "root: 00", "root: ", "sink.yaml:3:"},
        {"key not hexadecimal", "root: 00", "root: zz", "root is not 64 hexadecimal digits"},
        {"router's key", "other: 'ipc:///run/x', key: 00", "other: 'ipc:///run/x', key: zz", "router 'vl': key"},
        {"no endpoint", "ipc:///run/x", "/run/x", "'/run/x' is no endpoint"},
        {"unknown driver", "driver: horn", "driver: horns", "station '86.a': there is no driver 'horns'"},
        {"unknown medium", "medium: loudspeaker, driver: horn", "medium: trumpet, driver: horn",
         "'trumpet' is no medium"},
        {"another's medium", "medium: loudspeaker, driver: horn", "medium: sms, driver: horn", "does not serve sms"},
        {"station twice", "'86.b'", "'86.a'", "station '86.a' is there twice"},
        {"driver twice", "name: call, kind", "name: horn, kind", "driver 'horn' is there twice"},
        {"no languages", "languages: [vi], person", "person", "sink.yaml:14:"},
        {"bad quiet hours", "22:00-04:00", "22-4", "hours.quiet: '22-4'"},
        {"bad session", "05:00-05:30", "05:00 to 05:30", "hours.sessions: '05:00 to 05:30'"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *at = strstr(good, rows[i].from);
        assert_non_null(at);
        char text[4096];
        (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good, rows[i].to, at + strlen(rows[i].from));
        sink_config c;
        kg_diag diag = {{0}};
        const kg_err e = load(text, &c, &diag);
        if (e != KG_E_INVALID || strstr(diag.text, rows[i].want) == NULL || c.name != NULL) {
            fail_msg("%s: %s: %s", rows[i].label, kg_err_name(e), diag.text);
        }
    }
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_whole_file),
        cmocka_unit_test(names_every_fault),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
