/* audit - the chain by its numbers, and every way of tampering that it must name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "store/audit.h"
#include "store/ledger.h"
#include "tests/unit/store/store_fixture.h"

/* Worked out with Python's hashlib.blake2b over the form that audit.h states. */
static const char chain_1[] = "9333030e670205c8c94aaacc2b21488c380cdf67b90f225f0dd040a414062ef6";
static const char chain_2[] = "f4ddbb454d8ff6c5bbd05306aa5d08eeab34525c11c2bfa5ffcefcf01fffd8c7";

static audit_row first(void)
{
    return (audit_row){.n = 1,
                       .time_ms = 1795446300000,
                       .actor = "so-nnmt",
                       .action = "alert.accepted",
                       .object = "0102",
                       .detail = "chính sách 7"};
}

static void test_chain_by_hand(void **state)
{
    (void)state;
    char hex[2 * ALERT_HASH_BYTES + 1];
    const alert_hash zero = {{0}};
    const audit_row one = first();
    const alert_hash c1 = audit_chain(&zero, &one);
    kg_hex(c1.b, sizeof c1.b, hex);
    assert_string_equal(hex, chain_1);
    const audit_row two = {.n = 2, .time_ms = 1795446300001, .action = "alert.refused"}; /* NULL is "" */
    const alert_hash c2 = audit_chain(&c1, &two);
    kg_hex(c2.b, sizeof c2.b, hex);
    assert_string_equal(hex, chain_2);
}

enum { ROWS = 5 };

static void make(audit_row rows[ROWS])
{
    alert_hash before = {{0}};
    static const char *const actions[ROWS] = {"alert.accepted", "alert.refused", "held.released", "station.muted",
                                              "alert.accepted"};
    for (size_t i = 0; i < ROWS; i++) {
        rows[i] = (audit_row){
            .n = i + 1, .time_ms = (int64_t)i, .actor = "a", .action = actions[i], .object = "o", .detail = "d"};
        rows[i].chain = audit_chain(&before, &rows[i]);
        before = rows[i].chain;
    }
}

static bool check_all(const audit_row *rows, size_t n, kg_diag *diag)
{
    audit_checker c;
    audit_check_start(&c);
    for (size_t i = 0; i < n; i++) {
        if (!audit_check(&c, &rows[i], diag)) {
            return false;
        }
    }
    return true;
}

static void test_tampering(void **state)
{
    (void)state;
    audit_row good[ROWS];
    make(good);
    kg_diag diag = {""};
    assert_true(check_all(good, ROWS, &diag));
    static char huge[AUDIT_DETAIL_MAX + 2];
    memset(huge, 'x', AUDIT_DETAIL_MAX + 1);
    for (int what = 0; what < 9; what++) {
        audit_row r[ROWS];
        memcpy(r, good, sizeof r);
        const char *want = "row 3 ";
        size_t n = ROWS;
        switch (what) {
        case 0:
            r[2].actor = "b";
            break;
        case 1:
            r[2].action = "held.refused";
            break;
        case 2:
            r[2].object = "";
            break;
        case 3:
            r[2].detail = "d ";
            break;
        case 4:
            r[2].time_ms++;
            break;
        case 5: /* a row taken out */
            memmove(&r[2], &r[3], 2 * sizeof r[0]);
            n = 4;
            break;
        case 6: /* two change places */
            r[2] = good[3];
            r[3] = good[2];
            break;
        case 7: /* text moved from one field to the next */
            r[2].actor = "ah";
            r[2].action = "eld.released";
            break;
        default: /* longer than any we write */
            r[2].detail = huge;
            break;
        }
        if (check_all(r, n, &diag) || strstr(diag.text, want) == NULL) {
            fail_msg("tampering %d: \"%s\"", what, diag.text);
        }
    }
    /* Whoever changes a row and mends its chain breaks the next one. */
    audit_row r[ROWS];
    memcpy(r, good, sizeof r);
    r[2].actor = "b";
    r[2].chain = audit_chain(&r[1].chain, &r[2]);
    assert_false(check_all(r, ROWS, &diag));
    assert_non_null(strstr(diag.text, "row 4 "));
}

static void test_cut_off(void **state)
{
    (void)state;
    audit_row rows[ROWS];
    make(rows);
    kg_diag diag = {""};
    audit_checker c;
    audit_check_start(&c);
    for (size_t i = 0; i < 3; i++) {
        assert_true(audit_check(&c, &rows[i], &diag));
    }
    assert_true(audit_check_end(&c, 3, &rows[2].chain, &diag));
    assert_false(audit_check_end(&c, 5, &rows[4].chain, &diag)); /* the checkpoint saw five */
    assert_non_null(strstr(diag.text, "row 5 "));
    assert_false(audit_check_end(&c, 3, &rows[1].chain, &diag)); /* written anew */
    assert_non_null(strstr(diag.text, "row 3 "));
}

/* ---- as a table of a file ---- */

static kg_err check_row(void *ctx, const audit_row *row)
{
    return audit_check(ctx, row, NULL) ? KG_OK : KG_E_INVALID;
}

static void test_in_a_file(void **state)
{
    char path[FIXTURE_PATH];
    fixture_path(state, "ledger.db", path);
    static char detail[2 * AUDIT_DETAIL_MAX];
    memset(detail, 'd', sizeof detail - 1);
    memcpy(detail + AUDIT_DETAIL_MAX - 1, "ệ", strlen("ệ")); /* a character across the cut */
    for (int run = 0; run < 3; run++) {
        ledger *l = NULL;
        WANT(ledger_open(path, &l, diag), KG_OK);
        for (int i = 0; i < 3; i++) {
            audit_row row = {.time_ms = i, .actor = "clerk", .action = "station.muted", .object = "s", .detail = "r"};
            row.detail = i == 1 ? detail : "reason";
            WANT(ledger_begin(l, diag), KG_OK);
            WANT(ledger_audit(l, &row, diag), KG_OK);
            WANT(ledger_commit(l, diag), KG_OK);
            assert_int_equal(row.n, run * 3 + i + 1);
        }
        audit_row lost = {.action = "x"};
        WANT(ledger_begin(l, diag), KG_OK);
        WANT(ledger_audit(l, &lost, diag), KG_OK);
        ledger_rollback(l); /* leaves no gap */
        WANT(ledger_audit(l, &lost, diag), KG_E_BUG);
        audit_checker c;
        audit_check_start(&c);
        WANT(ledger_audits(l, 0, check_row, &c, diag), KG_OK);
        assert_int_equal(c.next_n, run * 3 + 4);
        ledger_close(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chain_by_hand),
        cmocka_unit_test(test_tampering),
        cmocka_unit_test(test_cut_off),
        cmocka_unit_test_setup_teardown(test_in_a_file, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
