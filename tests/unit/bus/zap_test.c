#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "bus/zap.h"

enum { FRAMES = 7 };

static const char key32[] = "0123456789abcdef0123456789abcdef";
static const char long_id[] = "ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss"
                              "ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss"
                              "ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss"
                              "ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss"; /* 256 */

static void only_a_whole_curve_request_is_one(void **state)
{
    (void)state;
    static const struct {
        const char *label, *frames[FRAMES + 1];
        size_t count;
        kg_err want;
        const char *id; /* what can be answered; NULL nothing */
    } rows[] = {
        {"well-formed", {"1.0", "1", "intake", "10.0.0.1", "", "CURVE", key32}, 7, KG_OK, "1"},
        {"no frames", {""}, 0, KG_E_INVALID, NULL},
        {"version only", {"1.0"}, 1, KG_E_INVALID, NULL},
        {"version 2", {"2.0", "1", "intake", "", "", "CURVE", key32}, 7, KG_E_INVALID, "1"},
        {"version cut", {"1.", "1", "intake", "", "", "CURVE", key32}, 7, KG_E_INVALID, "1"},
        {"no key", {"1.0", "1", "intake", "", "", "CURVE"}, 6, KG_E_INVALID, "1"},
        {"one frame more", {"1.0", "1", "intake", "", "", "CURVE", key32, ""}, 8, KG_E_INVALID, "1"},
        {"NULL mechanism", {"1.0", "1", "intake", "", "", "NULL"}, 6, KG_E_INVALID, "1"},
        {"PLAIN", {"1.0", "1", "intake", "", "", "PLAIN", "user", "password"}, 8, KG_E_INVALID, "1"},
        {"PLAIN with one credential", {"1.0", "1", "intake", "", "", "PLAIN", key32}, 7, KG_E_INVALID, "1"},
        {"GSSAPI", {"1.0", "1", "intake", "", "", "GSSAPI", key32}, 7, KG_E_INVALID, "1"},
        {"lower-case mechanism", {"1.0", "1", "intake", "", "", "curve", key32}, 7, KG_E_INVALID, "1"},
        {"short key", {"1.0", "1", "intake", "", "", "CURVE", "0123"}, 7, KG_E_INVALID, "1"},
        {"key in Z85",
         {"1.0", "1", "intake", "", "", "CURVE", "0123456789abcdef0123456789abcdef01234567"},
         7,
         KG_E_INVALID,
         "1"},
        {"no domain", {"1.0", "1", "", "", "", "CURVE", key32}, 7, KG_E_INVALID, "1"},
        {"domain with a blank", {"1.0", "1", "in take", "", "", "CURVE", key32}, 7, KG_E_INVALID, "1"},
        {"long domain",
         {"1.0", "1", "0123456789012345678901234567890123456789", "", "", "CURVE", key32},
         7,
         KG_E_INVALID,
         "1"},
        {"long id", {"1.0", long_id, "intake", "", "", "CURVE", key32}, 7, KG_E_INVALID, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        zap_frame frames[FRAMES + 1];
        for (size_t f = 0; f < rows[i].count; f++) {
            frames[f] = (zap_frame){(const uint8_t *)rows[i].frames[f], strlen(rows[i].frames[f])};
        }
        zap_request r;
        const kg_err e = zap_read(frames, rows[i].count, &r);
        const bool id_right = rows[i].id == NULL ? r.id.b == NULL
                                                 : r.id.b != NULL && r.id.n == strlen(rows[i].id) &&
                                                       memcmp(r.id.b, rows[i].id, r.id.n) == 0;
        if (e != rows[i].want || !id_right) {
            fail_msg("%s: %s", rows[i].label, kg_err_name(e));
        }
        if (e == KG_OK) {
            assert_string_equal(r.domain, "intake");
            assert_memory_equal(r.key.b, key32, KEY_BYTES);
        }
    }
}

static void a_domain_is_not_cut_at_a_zero(void **state)
{
    (void)state;
    zap_frame frames[FRAMES] = {
        {(const uint8_t *)"1.0", 3},
        {(const uint8_t *)"1", 1},
        {(const uint8_t *)"intake\0x", 8},
        {(const uint8_t *)"", 0},
        {(const uint8_t *)"", 0},
        {(const uint8_t *)"CURVE", 5},
        {(const uint8_t *)key32, KEY_BYTES},
    };
    zap_request r;
    assert_int_equal(zap_read(frames, FRAMES, &r), KG_E_INVALID);
    frames[2].n = 6;
    assert_int_equal(zap_read(frames, FRAMES, &r), KG_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_whole_curve_request_is_one),
        cmocka_unit_test(a_domain_is_not_cut_at_a_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
