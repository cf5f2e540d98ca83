#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/hex.h"
#include "trust/key.h"

/* RFC 8032 section 7.1 test 1; RFC 7748 section 5.2 (scalar 9 on the base point, first iteration). */
#define SIGN_SEED      "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
#define SIGN_PUBLIC    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
#define CONNECT_SEED   "0900000000000000000000000000000000000000000000000000000000000000"
#define CONNECT_PUBLIC "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"
/* Ed25519 by SIGN_SEED over "KENG/1" 00 | 01 | 00 00 00 00 00 00 00 03 | "abc", computed apart from this code. */
static const char abc_signature[] = "de64f36e5e542af5279b7c7cd17ffa7077da104f4aaaec02c5e8047fa9f57773"
                                    "ec18c3e48490c9f42e5cc45aaabd3d61a8fce31eca8249ba7bf0735d35f39100";

typedef struct fixture {
    char dir[64];
    char path[96];
} fixture;

static int make_dir(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/keng-key-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    (void)snprintf(f->path, sizeof f->path, "%s/key", f->dir);
    assert_int_equal(trust_start(NULL), KG_OK);
    *state = f;
    return 0;
}

static int drop_dir(void **state)
{
    fixture *f = *state;
    (void)unlink(f->path);
    (void)rmdir(f->dir);
    free(f);
    return 0;
}

static void put_file(const fixture *f, const char *text, mode_t mode)
{
    kg_diag diag;
    assert_int_equal(kg_file_replace(f->path, text, strlen(text), 0600, &diag), KG_OK);
    assert_int_equal(chmod(f->path, mode), 0);
}

static void test_load(void **state)
{
    const fixture *f = *state;
    static const struct {
        const char *label, *text;
        mode_t mode;
        kg_err want;
        key_use use;
        const char *public;
    } rows[] = {
        {"actual", "keng-sign-secret " SIGN_SEED "\n", 0600, KG_OK, KEY_SIGN_ACTUAL, SIGN_PUBLIC},
        {"drill", "keng-drill-secret " SIGN_SEED "\n", 0600, KG_OK, KEY_SIGN_DRILL, SIGN_PUBLIC},
        {"connect", "keng-connect-secret " CONNECT_SEED "\n", 0600, KG_OK, KEY_CONNECT, CONNECT_PUBLIC},
        {"no line end", "keng-connect-secret " CONNECT_SEED, 0400, KG_OK, KEY_CONNECT, CONNECT_PUBLIC},
        {"group may read", "keng-sign-secret " SIGN_SEED "\n", 0640, KG_E_DENIED, 0, NULL},
        {"others may read", "keng-sign-secret " SIGN_SEED "\n", 0604, KG_E_DENIED, 0, NULL},
        {"others may write", "keng-sign-secret " SIGN_SEED "\n", 0602, KG_E_DENIED, 0, NULL},
        {"unknown word", "keng-secret " SIGN_SEED "\n", 0600, KG_E_INVALID, 0, NULL},
        {"word without blank", "keng-sign-secret" SIGN_SEED "\n", 0600, KG_E_INVALID, 0, NULL},
        {"a digit short", "keng-sign-secret 0" CONNECT_SEED, 0600, KG_E_INVALID, 0, NULL},
        {"not hex", "keng-sign-secret zz61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", 0600,
         KG_E_INVALID, 0, NULL},
        {"a second line", "keng-sign-secret " SIGN_SEED "\n\n", 0600, KG_E_INVALID, 0, NULL},
        {"empty", "", 0600, KG_E_INVALID, 0, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        put_file(f, rows[i].text, rows[i].mode);
        secret_key *k = NULL;
        kg_diag diag = {0};
        const kg_err e = secret_load(f->path, &k, &diag);
        if (e != rows[i].want) {
            fail_msg("%s: got %s: %s", rows[i].label, kg_err_name(e), diag.text);
        }
        if (e != KG_OK) {
            assert_null(k);
            assert_non_null(strstr(diag.text, f->path));
            continue;
        }
        char text[KEY_TEXT];
        const public_key open = secret_public(k);
        public_text(&open, text);
        assert_string_equal(text, rows[i].public);
        assert_int_equal(secret_use(k), rows[i].use);
        assert_true((secret_connect_bytes(k) != NULL) == (rows[i].use == KEY_CONNECT));
        secret_free(&k);
        assert_null(k);
    }
}

static void test_absent(void **state)
{
    const fixture *f = *state;
    secret_key *k = NULL;
    kg_diag diag = {0};
    assert_int_equal(secret_load(f->path, &k, &diag), KG_E_NOTFOUND);
    assert_int_equal(secret_load(f->dir, &k, &diag), KG_E_DENIED);
}

static void test_save_and_load(void **state)
{
    const fixture *f = *state;
    for (int use = 0; use < KEY_USE_COUNT; use++) {
        secret_key *k = NULL;
        secret_key *again = NULL;
        kg_diag diag = {0};
        struct stat st;
        assert_int_equal(secret_new((key_use)use, &k, &diag), KG_OK);
        assert_int_equal(secret_save(k, f->path, &diag), KG_OK);
        assert_int_equal(stat(f->path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        assert_int_equal(secret_save(k, f->path, &diag), KG_E_CONFLICT);
        assert_int_equal(secret_load(f->path, &again, &diag), KG_OK);
        const public_key a = secret_public(k);
        const public_key b = secret_public(again);
        assert_true(public_same(&a, &b));
        assert_int_equal(secret_use(again), use);
        secret_free(&again);
        secret_free(&k);
        assert_int_equal(unlink(f->path), 0);
    }
}

static void test_signature(void **state)
{
    const fixture *f = *state;
    put_file(f, "keng-sign-secret " SIGN_SEED "\n", 0600);
    secret_key *k = NULL;
    assert_int_equal(secret_load(f->path, &k, NULL), KG_OK);
    const public_key open = secret_public(k);
    uint8_t sig[SIG_BYTES];
    char text[2 * SIG_BYTES + 1];
    assert_int_equal(trust_sign(k, TRUST_ALERT, "abc", 3, sig), KG_OK);
    kg_hex(sig, sizeof sig, text);
    assert_string_equal(text, abc_signature);

    static const struct {
        const char *label, *payload;
        trust_kind kind;
        bool want;
    } rows[] = {
        {"as signed", "abc", TRUST_ALERT, true},
        {"another letter", "abd", TRUST_ALERT, false},
        {"shorter", "ab", TRUST_ALERT, false},
        {"longer", "abcd", TRUST_ALERT, false},
        {"nothing", "", TRUST_ALERT, false},
        {"taken for a manifest", "abc", TRUST_MANIFEST, false},
        {"taken for a receipt", "abc", TRUST_RECEIPT, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (trust_verify(&open, rows[i].kind, rows[i].payload, strlen(rows[i].payload), sig) != rows[i].want) {
            fail_msg("%s", rows[i].label);
        }
    }
    for (size_t i = 0; i < 8 * sizeof sig; i++) {
        sig[i / 8] ^= (uint8_t)(1u << (i % 8));
        assert_false(trust_verify(&open, TRUST_ALERT, "abc", 3, sig));
        sig[i / 8] ^= (uint8_t)(1u << (i % 8));
    }
    for (size_t i = 0; i < (size_t)8 * KEY_BYTES; i++) {
        public_key other = open;
        other.b[i / 8] ^= (uint8_t)(1u << (i % 8));
        assert_false(trust_verify(&other, TRUST_ALERT, "abc", 3, sig));
    }
    secret_free(&k);
}

static void test_public_text(void **state)
{
    (void)state;
    public_key k;
    char text[KEY_TEXT];
    assert_true(public_read(SIGN_PUBLIC, &k));
    public_text(&k, text);
    assert_string_equal(text, SIGN_PUBLIC);
    assert_false(public_read(SIGN_PUBLIC "0", &k));
    assert_false(public_read("", &k));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_load, make_dir, drop_dir),
        cmocka_unit_test_setup_teardown(test_absent, make_dir, drop_dir),
        cmocka_unit_test_setup_teardown(test_save_and_load, make_dir, drop_dir),
        cmocka_unit_test_setup_teardown(test_signature, make_dir, drop_dir),
        cmocka_unit_test(test_public_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
