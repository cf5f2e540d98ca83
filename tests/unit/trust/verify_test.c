#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alert/pack.h"
#include "base/utf8.h"
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

static refusal judge(const trust_fixture *f, const kg_buf *b, kg_diag *diag)
{
    alert got = {0};
    const key_entry *signer = NULL;
    const refusal r = verify_signed(b->s, b->len, f->manifest, f->areas, tf_now_ms, &got, &signer, diag);
    assert_true((r == REFUSAL_NONE) == (signer != NULL));
    alert_done(&got);
    return r;
}

typedef struct row {
    const char *label;
    refusal want;
    tf_who who[3];
    size_t signatures;
    /* What differs from the valid alert; zero or NULL: nothing. */
    cap_status status;
    const char *agency, *sector, *area_name, *area;
    int class; /* 0 unchanged, else bulletin_class + 1 */
    bool first_warning;
} row;

static const row rows[] = {
    {"as it should be", REFUSAL_NONE, {TF_HEALTH}, 1, .agency = NULL},
    {"two persons", REFUSAL_NONE, {TF_HEALTH, TF_HEALTH_2}, 2, .agency = NULL},
    {"a first warning", REFUSAL_NONE, {TF_HEALTH}, 1, .first_warning = true},
    {"the whole province", REFUSAL_NONE, {TF_HEALTH}, 1, .area_name = AREAS_PROVINCE, .area = "86"},
    {"system message", REFUSAL_NONE, {TF_HEALTH}, 1, .status = CAP_SYSTEM},
    {"drill", REFUSAL_NONE, {TF_DRILL}, 1, .status = CAP_EXERCISE},
    {"test", REFUSAL_NONE, {TF_DRILL}, 1, .status = CAP_TEST},
    {"commune within its own code", REFUSAL_NONE, {TF_COMMUNE}, 1, .agency = "ubnd-28756", .class = 2},
    {"the ministry anywhere",
     REFUSAL_NONE,
     {TF_NATION},
     1,
     .agency = "bo-y-te",
     .area_name = AREAS_PROVINCE,
     .area = "00"},

    {"nobody signed", REFUSAL_BAD_FORM, {TF_HEALTH}, 0, .agency = NULL},
    {"a key nobody knows", REFUSAL_UNKNOWN_KEY, {TF_STRANGER}, 1, .agency = NULL},
    {"the root key is for manifests", REFUSAL_UNKNOWN_KEY, {TF_ROOT}, 1, .agency = NULL},
    {"a second key nobody knows", REFUSAL_UNKNOWN_KEY, {TF_HEALTH, TF_STRANGER}, 2, .agency = NULL},
    {"the same key twice", REFUSAL_BAD_FORM, {TF_HEALTH, TF_HEALTH}, 2, .agency = NULL},
    {"revoked", REFUSAL_REVOKED_KEY, {TF_REVOKED}, 1, .agency = NULL},
    {"second one revoked", REFUSAL_REVOKED_KEY, {TF_HEALTH, TF_REVOKED}, 2, .agency = NULL},
    {"out of date", REFUSAL_KEY_NOT_IN_DATE, {TF_OLD}, 1, .agency = NULL},
    {"not yet in date", REFUSAL_KEY_NOT_IN_DATE, {TF_FUTURE}, 1, .agency = NULL},
    {"drill key says Actual", REFUSAL_WRONG_STATUS, {TF_DRILL}, 1, .agency = NULL},
    {"drill key says System", REFUSAL_WRONG_STATUS, {TF_DRILL}, 1, .status = CAP_SYSTEM},
    {"actual key says Exercise", REFUSAL_WRONG_STATUS, {TF_HEALTH}, 1, .status = CAP_EXERCISE},
    {"actual key says Test", REFUSAL_WRONG_STATUS, {TF_HEALTH}, 1, .status = CAP_TEST},
    {"drill key beside an actual one", REFUSAL_WRONG_STATUS, {TF_HEALTH, TF_DRILL}, 2, .agency = NULL},
    {"a draft is nobody's", REFUSAL_WRONG_STATUS, {TF_HEALTH}, 1, .status = CAP_DRAFT},
    {"another agency's name", REFUSAL_WRONG_AGENCY, {TF_HEALTH}, 1, .agency = "cong-an"},
    {"a router's key for receipts", REFUSAL_WRONG_AGENCY, {TF_RECEIPTS}, 1, .agency = NULL},
    {"the ministry's key for the department", REFUSAL_WRONG_AGENCY, {TF_NATION}, 1, .agency = NULL},
    {"another sector", REFUSAL_WRONG_SECTOR, {TF_HEALTH}, 1, .sector = "disaster"},
    {"no sector", REFUSAL_WRONG_SECTOR, {TF_HEALTH}, 1, .sector = ""},
    {"above its class", REFUSAL_WRONG_CLASS, {TF_COMMUNE}, 1, .agency = "ubnd-28756"},
    {"no right to first warnings",
     REFUSAL_WRONG_CLASS,
     {TF_COMMUNE},
     1,
     .agency = "ubnd-28756",
     .class = 1,
     .first_warning = true},
    {"the neighbour commune",
     REFUSAL_WRONG_AREA,
     {TF_COMMUNE},
     1,
     .agency = "ubnd-28756",
     .class = 1,
     .area_name = AREAS_COMMUNE,
     .area = "28777"},
    {"a commune for its province",
     REFUSAL_WRONG_AREA,
     {TF_COMMUNE},
     1,
     .agency = "ubnd-28756",
     .class = 1,
     .area_name = AREAS_PROVINCE,
     .area = "86"},
    {"another province's commune", REFUSAL_WRONG_AREA, {TF_HEALTH}, 1, .area_name = AREAS_COMMUNE, .area = "22015"},
    {"another province", REFUSAL_WRONG_AREA, {TF_HEALTH}, 1, .area_name = AREAS_PROVINCE, .area = "66"},
    {"a department for the nation", REFUSAL_WRONG_AREA, {TF_HEALTH}, 1, .area_name = AREAS_PROVINCE, .area = "00"},
    {"no such commune", REFUSAL_UNKNOWN_COMMUNE, {TF_HEALTH}, 1, .area_name = AREAS_COMMUNE, .area = "99999"},
    {"a commune that is no more", REFUSAL_UNKNOWN_COMMUNE, {TF_HEALTH}, 1, .area_name = AREAS_COMMUNE, .area = "28750"},
};

static void sign_row(const trust_fixture *f, const row *r, kg_buf *out)
{
    alert a;
    tf_alert(&a);
    a.status = r->status != CAP_ACTUAL ? r->status : a.status;
    a.agency = r->agency != NULL ? r->agency : a.agency;
    a.sector = r->sector != NULL ? r->sector : a.sector;
    a.bulletin_class = r->class != 0 ? (bulletin_class)(r->class - 1) : a.bulletin_class;
    a.first_warning = r->first_warning;
    if (r->area != NULL) {
        tf_area(&a, r->area_name, r->area);
    }
    tf_sign(f, &a, r->who, r->signatures, out);
    alert_done(&a);
}

static void test_each_refusal(void **state)
{
    const trust_fixture *f = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kg_buf b = {0};
        kg_diag diag = {0};
        sign_row(f, &rows[i], &b);
        const refusal got = judge(f, &b, &diag);
        if (got != rows[i].want) {
            fail_msg("%s: got %s, want %s: %s", rows[i].label, refusal_code(got), refusal_code(rows[i].want),
                     diag.text);
        }
        if (got != REFUSAL_NONE && diag.text[0] == '\0') {
            fail_msg("%s: refused without a sentence", rows[i].label);
        }
        kg_buf_done(&b);
    }
}

static void test_successor_is_named(void **state)
{
    const trust_fixture *f = *state;
    const row retired = {"", REFUSAL_UNKNOWN_COMMUNE, {TF_HEALTH}, 1, .area_name = AREAS_COMMUNE, .area = "28750"};
    kg_buf b = {0};
    kg_diag diag = {0};
    sign_row(f, &retired, &b);
    assert_int_equal(judge(f, &b, &diag), REFUSAL_UNKNOWN_COMMUNE);
    assert_non_null(strstr(diag.text, "28756"));
    kg_buf_done(&b);
}

/* Two signatures: cutting off the second leaves an alert that one person signed, and is counted as such. */
static void test_stripped_signature(void **state)
{
    const trust_fixture *f = *state;
    kg_buf one = {0};
    kg_buf two = {0};
    sign_row(f, &rows[0], &one);
    sign_row(f, &rows[1], &two);
    assert_true(one.len < two.len && memcmp(one.s, two.s, one.len) == 0);
    assert_int_equal(judge(f, &one, NULL), REFUSAL_NONE);
    assert_int_equal(verify_holders(one.s, one.len, f->manifest), 1);
    assert_int_equal(verify_holders(two.s, two.len, f->manifest), 2);
    kg_buf_done(&one);
    kg_buf_done(&two);
}

static void test_every_byte_flipped(void **state)
{
    const trust_fixture *f = *state;
    kg_buf b = {0};
    sign_row(f, &rows[0], &b);
    assert_int_equal(judge(f, &b, NULL), REFUSAL_NONE);
    for (size_t i = 0; i < b.len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            b.s[i] = (char)(b.s[i] ^ (1 << bit));
            if (judge(f, &b, NULL) == REFUSAL_NONE) {
                fail_msg("byte %zu, bit %d changed: still accepted", i, bit);
            }
            b.s[i] = (char)(b.s[i] ^ (1 << bit));
        }
    }
    for (size_t n = b.len; n-- > 0;) {
        b.len = n;
        assert_int_not_equal(judge(f, &b, NULL), REFUSAL_NONE);
    }
    kg_buf_done(&b);
}

static void test_form_and_size(void **state)
{
    const trust_fixture *f = *state;
    kg_buf b = {0};
    assert_int_equal(judge(f, &b, NULL), REFUSAL_BAD_FORM);
    assert_int_equal(kg_buf_puts(&b, "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"/>"), KG_OK);
    assert_int_equal(judge(f, &b, NULL), REFUSAL_BAD_FORM);
    kg_buf_clear(&b);
    tf_manifest(f, 2, &b); /* root-signed, but no alert */
    assert_int_equal(judge(f, &b, NULL), REFUSAL_BAD_FORM);
    kg_buf_clear(&b);
    const size_t n = ALERT_PAYLOAD_MAX + 64 * 1024;
    assert_int_equal(kg_buf_reserve(&b, n), KG_OK);
    memset(b.s, 0, n);
    b.len = n;
    assert_int_equal(judge(f, &b, NULL), REFUSAL_TOO_LARGE);
    kg_buf_done(&b);
}

static void test_holders(void **state)
{
    const trust_fixture *f = *state;
    static const struct {
        const char *label;
        tf_who who[3];
        size_t count, want;
    } cases[] = {
        {"one", {TF_HEALTH}, 1, 1},
        {"two", {TF_HEALTH, TF_HEALTH_2}, 2, 2},
        {"one person with two keys", {TF_HEALTH, TF_HEALTH_3}, 2, 1},
        {"three keys, two persons", {TF_HEALTH, TF_HEALTH_3, TF_HEALTH_2}, 3, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kg_buf b = {0};
        alert a;
        tf_alert(&a);
        tf_sign(f, &a, cases[i].who, cases[i].count, &b);
        if (verify_holders(b.s, b.len, f->manifest) != cases[i].want) {
            fail_msg("%s", cases[i].label);
        }
        alert_done(&a);
        kg_buf_done(&b);
    }
}

static void test_covers(void **state)
{
    const trust_fixture *f = *state;
    static const char *codes[] = {"28756", "28777", "22015", "99999"};
    static const struct {
        const char *label;
        size_t from, count;
        tf_who who;
        bool want;
    } cases[] = {
        {"department in its province", 0, 2, TF_HEALTH, true}, {"department beyond it", 0, 3, TF_HEALTH, false},
        {"commune at home", 0, 1, TF_COMMUNE, true},           {"commune next door", 1, 1, TF_COMMUNE, false},
        {"ministry everywhere", 0, 3, TF_NATION, true},        {"nobody knows the code", 3, 1, TF_NATION, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const public_key k = secret_public(f->keys[cases[i].who]);
        const alert_texts list = {codes + cases[i].from, cases[i].count};
        if (verify_covers(manifest_signer(f->manifest, &k), f->areas, &list) != cases[i].want) {
            fail_msg("%s", cases[i].label);
        }
    }
}

static void test_words(void **state)
{
    (void)state;
    for (int i = 0; i < REFUSAL_COUNT; i++) {
        const char *code = refusal_code((refusal)i);
        const char *vi = refusal_vi((refusal)i);
        assert_true(strlen(code) > 1 && strspn(code, "abcdefghijklmnopqrstuvwxyz-") == strlen(code));
        assert_true(strlen(vi) > 10 && kg_utf8_valid(vi, strlen(vi)) && vi[strlen(vi) - 1] == '.');
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(code, refusal_code((refusal)j));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_refusal, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(test_successor_is_named, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(test_stripped_signature, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(test_every_byte_flipped, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(test_form_and_size, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(test_holders, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(test_covers, open_fixture, close_fixture),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
