#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "alert/pack.h"
#include "base/file.h"
#include "tests/unit/trust/trust_fixture.h"

static int open_fixture(void **state)
{
    trust_fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    tf_open(f);
    *state = f;
    return 0;
}

static int close_fixture(void **state)
{
    tf_close(*state);
    free(*state);
    return 0;
}

static kg_err install(const trust_fixture *f, uint64_t version, kg_diag *diag)
{
    kg_buf b = {0};
    manifest *m = NULL;
    const public_key root = secret_public(f->keys[TF_ROOT]);
    tf_manifest(f, version, &b);
    assert_int_equal(kg_file_replace(f->manifest_path, b.s, b.len, 0600, diag), KG_OK);
    kg_buf_done(&b);
    const kg_err e = manifest_load(f->manifest_path, &root, f->floor_path, &m, diag);
    if (e == KG_OK) {
        assert_int_equal(manifest_version(m), version);
    } else {
        assert_null(m);
    }
    manifest_free(&m);
    return e;
}

/* Each load is a process start: nothing but the floor file is remembered. */
static void test_version_only_rises(void **state)
{
    const trust_fixture *f = *state;
    static const struct {
        const char *label;
        uint64_t version;
        kg_err want;
    } rows[] = {
        {"the first", 5, KG_OK},          {"the same again", 5, KG_OK}, {"one back", 4, KG_E_CONFLICT},
        {"far back", 1, KG_E_CONFLICT},   {"still the same", 5, KG_OK}, {"a newer one", 9, KG_OK},
        {"the former", 5, KG_E_CONFLICT}, {"huge", UINT64_MAX, KG_OK},  {"after huge", 10, KG_E_CONFLICT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kg_diag diag = {0};
        const kg_err e = install(f, rows[i].version, &diag);
        if (e != rows[i].want) {
            fail_msg("%s: %s: %s", rows[i].label, kg_err_name(e), diag.text);
        }
    }
}

static void test_same_version_other_content(void **state)
{
    const trust_fixture *f = *state;
    kg_diag diag = {0};
    kg_buf b = {0};
    manifest *m = NULL;
    const public_key root = secret_public(f->keys[TF_ROOT]);
    assert_int_equal(install(f, 3, &diag), KG_OK);
    assert_int_equal(manifest_make(3, 0, 0, NULL, 0, f->keys[TF_ROOT], &b, &diag), KG_OK);
    assert_int_equal(kg_file_replace(f->manifest_path, b.s, b.len, 0600, &diag), KG_OK);
    assert_int_equal(manifest_load(f->manifest_path, &root, f->floor_path, &m, &diag), KG_E_CONFLICT);
    assert_int_equal(kg_file_replace(f->floor_path, "rubbish", 7, 0600, &diag), KG_OK);
    assert_int_equal(manifest_load(f->manifest_path, &root, f->floor_path, &m, &diag), KG_E_INVALID);
    assert_null(m);
    kg_buf_done(&b);
}

static void test_other_root(void **state)
{
    const trust_fixture *f = *state;
    kg_diag diag = {0};
    kg_buf b = {0};
    manifest *m = NULL;
    const public_key other = secret_public(f->keys[TF_HEALTH]);
    tf_manifest(f, 1, &b);
    assert_int_equal(manifest_read(b.s, b.len, &other, &m, &diag), KG_E_DENIED);
    /* A true signature of the root key, but over an alert. */
    alert a;
    tf_alert(&a);
    kg_buf_clear(&b);
    tf_sign(f, &a, (const tf_who[]){TF_ROOT}, 1, &b);
    const public_key root = secret_public(f->keys[TF_ROOT]);
    assert_int_equal(manifest_read(b.s, b.len, &root, &m, &diag), KG_E_DENIED);
    assert_null(m);
    alert_done(&a);
    kg_buf_done(&b);
}

static void test_every_byte_flipped(void **state)
{
    const trust_fixture *f = *state;
    const public_key root = secret_public(f->keys[TF_ROOT]);
    kg_buf b = {0};
    tf_manifest(f, 7, &b);
    for (size_t i = 0; i < b.len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            manifest *m = NULL;
            b.s[i] = (char)(b.s[i] ^ (1 << bit));
            if (manifest_read(b.s, b.len, &root, &m, NULL) == KG_OK) {
                fail_msg("byte %zu, bit %d changed: still accepted", i, bit);
            }
            b.s[i] = (char)(b.s[i] ^ (1 << bit));
        }
    }
    for (size_t n = 0; n < b.len; n++) {
        manifest *m = NULL;
        assert_int_not_equal(manifest_read(b.s, n, &root, &m, NULL), KG_OK);
    }
    kg_buf_done(&b);
}

static void test_lookup(void **state)
{
    const trust_fixture *f = *state;
    const manifest *m = f->manifest;
    static const struct {
        const char *label;
        tf_who who;
        bool signer, connector;
        const char *holder;
    } rows[] = {
        {"actual", TF_HEALTH, true, false, "Bà An"},
        {"drill", TF_DRILL, true, false, "Bà An"},
        {"revoked is still known", TF_REVOKED, true, false, "Ông Cường"},
        {"publisher connects", TF_PUBLISHER, false, true, "keng-publisher so-y-te"},
        {"sink connects", TF_SINK, false, true, "keng-sms"},
        {"stranger", TF_STRANGER, false, false, NULL},
        {"root signs manifests only", TF_ROOT, false, false, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const public_key k = secret_public(f->keys[rows[i].who]);
        const key_entry *s = manifest_signer(m, &k);
        const key_entry *c = manifest_connector(m, &k);
        if ((s != NULL) != rows[i].signer || (c != NULL) != rows[i].connector) {
            fail_msg("%s", rows[i].label);
        }
        if (rows[i].holder != NULL) {
            const key_entry *found = s != NULL ? s : c;
            assert_string_equal(found != NULL ? found->holder : "", rows[i].holder);
        }
    }
    assert_int_equal(manifest_count(m), 12);
    assert_int_equal(manifest_version(m), 1);
}

static void test_serves(void **state)
{
    const trust_fixture *f = *state;
    const public_key sink = secret_public(f->keys[TF_SINK]);
    const public_key publisher = secret_public(f->keys[TF_PUBLISHER]);
    const key_entry *e = manifest_connector(f->manifest, &sink);
    assert_true(manifest_serves(e, "86.28756.loa"));
    assert_true(manifest_serves(e, "86.sms.viettel"));
    assert_true(manifest_serves(e, "86.sms"));
    assert_false(manifest_serves(e, "86.28756.loa2"));
    assert_false(manifest_serves(e, "86.28756"));
    assert_false(manifest_serves(e, "86.radio"));
    assert_false(manifest_serves(manifest_connector(f->manifest, &publisher), "86.sms"));
}

static void test_dates(void **state)
{
    const trust_fixture *f = *state;
    const int64_t hour = INT64_C(3600000);
    static const struct {
        const char *label;
        key_entry e;
        int64_t now;
        bool want;
    } rows[] = {
        {"open", {.from_ms = 0}, 5, true},
        {"before", {.from_ms = 10}, 9, false},
        {"from then on", {.from_ms = 10}, 10, true},
        {"last moment", {.until_ms = 20}, 19, true},
        {"over", {.until_ms = 20}, 20, false},
        {"revoked, whatever the date says", {.revoked_ms = 1000}, 5, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (key_entry_valid(&rows[i].e, rows[i].now) != rows[i].want) {
            fail_msg("%s", rows[i].label);
        }
    }
    assert_false(key_entry_valid(NULL, 0));
    assert_false(manifest_degraded(f->manifest, tf_now_ms));
    assert_true(manifest_degraded(f->manifest, tf_now_ms + 25 * hour));
    assert_true(manifest_degraded(f->manifest, tf_now_ms - 2 * hour));
}

static void test_unusable_entries(void **state)
{
    const trust_fixture *f = *state;
    static const char *good_area[] = {"86"};
    static const char *bad_area[] = {"8"};
    static const char *name_area[] = {"Vĩnh Long"};
    static const char *sector[] = {"health"};
    const key_entry good = {.use = KEY_SIGN_ACTUAL,
                            .holder = "x",
                            .agency = "a",
                            .areas = {good_area, 1},
                            .sectors = {sector, 1},
                            .class_max = CLASS_URGENT};
    key_entry no_holder = good, no_agency = good, no_area = good, bad = good, named = good, no_sector = good,
              backwards = good;
    no_holder.holder = "";
    no_agency.agency = "";
    no_area.areas.count = 0;
    bad.areas.items = bad_area;
    named.areas.items = name_area;
    no_sector.sectors.count = 0;
    backwards.from_ms = 10;
    backwards.until_ms = 5;
    const key_entry no_role = {.use = KEY_CONNECT, .holder = "x"};
    const key_entry receipts = {.use = KEY_SIGN_ACTUAL, .holder = "x", .role = ROLE_ROUTER};
    key_entry as_sink = good;
    as_sink.role = ROLE_SINK;
    const key_entry no_station = {.use = KEY_CONNECT, .holder = "x", .role = ROLE_SINK};
    const struct {
        const char *label;
        const key_entry *e;
        bool want;
    } rows[] = {
        {"good", &good, true},
        {"no holder", &no_holder, false},
        {"no agency", &no_agency, false},
        {"no area", &no_area, false},
        {"one digit", &bad, false},
        {"an area by name", &named, false},
        {"no sector", &no_sector, false},
        {"ends before it begins", &backwards, false},
        {"connects without a role", &no_role, false},
        {"sink without stations", &no_station, false},
        {"a router's, for receipts", &receipts, true},
        {"signs as a sink", &as_sink, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kg_buf b = {0};
        kg_diag diag = {0};
        const kg_err e = manifest_make(1, 0, 0, rows[i].e, 1, f->keys[TF_ROOT], &b, &diag);
        if (e != (rows[i].want ? KG_OK : KG_E_INVALID)) {
            fail_msg("%s: %s %s", rows[i].label, kg_err_name(e), diag.text);
        }
        assert_true((b.len > 0) == rows[i].want);
        kg_buf_done(&b);
    }
    /* The same key as an actual and as a drill key. */
    key_entry twice[2] = {good, good};
    twice[1].use = KEY_SIGN_DRILL;
    kg_buf b = {0};
    assert_int_equal(manifest_make(1, 0, 0, twice, 2, f->keys[TF_ROOT], &b, NULL), KG_E_INVALID);
    assert_int_equal(manifest_make(0, 0, 0, &good, 1, f->keys[TF_ROOT], &b, NULL), KG_E_INVALID);
    assert_int_equal(manifest_make(1, 0, 0, &good, 1, f->keys[TF_DRILL], &b, NULL), KG_E_INVALID);
    kg_buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_version_only_rises, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(test_same_version_other_content, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(test_other_root, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(test_every_byte_flipped, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(test_lookup, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(test_serves, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(test_dates, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(test_unusable_entries, open_fixture, close_fixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
