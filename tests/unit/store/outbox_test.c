/* outbox - nothing signed is forgotten before the router has answered. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/outbox.h"
#include "tests/unit/store/store_fixture.h"

static outbox *open_outbox(void *const *state)
{
    char path[FIXTURE_PATH];
    fixture_path(state, "outbox.db", path);
    outbox *o = NULL;
    WANT(outbox_open(path, &o, diag), KG_OK);
    return o;
}

static outbox *reopen(void *const *state, outbox *o)
{
    outbox_close(&o);
    assert_null(o);
    return open_outbox(state);
}

static kg_err picture(void *ctx, const outbox_row *r)
{
    return kg_buf_putf(ctx, "%02x class %d state %d %" PRId64 " %" PRId64 " %" PRId64 " %s|%s|%s\n", r->id.b[0],
                       r->class, (int)r->state, r->signed_ms, r->expires_ms, r->answered_ms, r->code, r->sentence,
                       r->router);
}

static void want_rows(outbox *o, bool waiting, const char *want)
{
    kg_buf b = {.s = NULL};
    WANT(outbox_rows(o, waiting, picture, &b, diag), KG_OK);
    if (strcmp(kg_buf_str(&b), want) != 0) {
        fail_msg("got:\n%s\nwant:\n%s", kg_buf_str(&b), want);
    }
    kg_buf_done(&b);
}

static kg_err put(outbox *o, unsigned n, uint8_t class, const char *content)
{
    kg_buf text = {.s = NULL};
    kg_buf drafts[DRAFT_COUNT] = {{.s = NULL}, {.s = NULL}};
    kg_ignore(kg_buf_puts(&text, content)); /* a failure shows in what is read back */
    kg_ignore(kg_buf_puts(&drafts[DRAFT_CANCEL], "cancel"));
    const outbox_blob blob = {.hash = fixture_hash(77), .bytes = "<alert/>", .n = 8};
    const outbox_parcel parcel = {.signed_bytes = &text, .drafts = drafts, .blobs = &blob, .blob_count = 1};
    const outbox_row row = {.id = fixture_id(n),
                            .hash = alert_hash_of(content, strlen(content)),
                            .class = class,
                            .signed_ms = 10 + n,
                            .expires_ms = 99};
    const kg_err e = outbox_put(o, &row, &parcel, NULL);
    kg_buf_done(&text);
    kg_buf_done(&drafts[DRAFT_CANCEL]);
    return e;
}

static void test_put(void **state)
{
    outbox *o = open_outbox(state);
    assert_int_equal(put(o, 1, 0, "routine"), KG_OK);
    assert_int_equal(put(o, 2, 2, "urgent"), KG_OK);
    assert_int_equal(put(o, 3, 1, "priority"), KG_OK);
    assert_int_equal(put(o, 2, 2, "urgent"), KG_E_EXISTS);
    assert_int_equal(put(o, 2, 2, "other"), KG_E_CONFLICT);
    o = reopen(state, o);
    assert_int_equal(put(o, 1, 0, "routine"), KG_E_EXISTS);
    want_rows(o, true,
              "02 class 2 state 0 12 99 0 ||\n"
              "03 class 1 state 0 13 99 0 ||\n"
              "01 class 0 state 0 11 99 0 ||\n");
    kg_buf b = {.s = NULL};
    WANT(outbox_signed(o, fixture_id(2), &b, diag), KG_OK);
    assert_string_equal(b.s, "urgent");
    WANT(outbox_signed(o, fixture_id(8), &b, diag), KG_E_NOTFOUND);
    kg_buf_clear(&b);
    WANT(outbox_draft_get(o, fixture_id(2), DRAFT_CANCEL, &b, diag), KG_OK);
    assert_string_equal(b.s, "cancel");
    WANT(outbox_draft_get(o, fixture_id(2), DRAFT_ALL_CLEAR, &b, diag), KG_E_NOTFOUND);
    kg_buf_clear(&b);
    const alert_hash source = fixture_hash(77);
    const alert_hash none = fixture_hash(78);
    WANT(outbox_blob_get(o, &source, &b, diag), KG_OK);
    assert_string_equal(b.s, "<alert/>");
    WANT(outbox_blob_get(o, &none, &b, diag), KG_E_NOTFOUND);
    kg_buf_done(&b);
    WANT(outbox_idle(o, diag), KG_OK);
    outbox_close(&o);
    outbox_close(&o);
}

static void test_answers(void **state)
{
    outbox *o = open_outbox(state);
    assert_int_equal(put(o, 1, 2, "a"), KG_OK);
    assert_int_equal(put(o, 2, 2, "b"), KG_OK);
    WANT(outbox_answer(o, fixture_id(1), OUTBOX_HELD, "no-area", "Chờ người quyết định", "r1", "receipt", 7, 50, diag),
         KG_OK);
    WANT(outbox_answer(o, fixture_id(2), OUTBOX_REFUSED, "wrong-area", "Ngoài địa bàn", "r1", "receipt", 7, 51, diag),
         KG_OK);
    WANT(outbox_answer(o, fixture_id(2), OUTBOX_ACCEPTED, "", "", "r2", "x", 1, 52, diag), KG_E_CONFLICT);
    WANT(outbox_answer(o, fixture_id(2), OUTBOX_REFUSED, "", "", "r2", "x", 1, 52, diag), KG_E_EXISTS);
    WANT(outbox_answer(o, fixture_id(9), OUTBOX_REFUSED, "", "", "r2", "x", 1, 52, diag), KG_E_NOTFOUND);
    o = reopen(state, o);
    want_rows(o, true, "");
    WANT(outbox_answer(o, fixture_id(1), OUTBOX_ACCEPTED, "", "", "r1", "receipt", 7, 60, diag), KG_OK);
    WANT(outbox_answer(o, fixture_id(1), OUTBOX_HELD, "", "", "r1", "receipt", 7, 61, diag), KG_E_CONFLICT);
    o = reopen(state, o);
    want_rows(o, false,
              "01 class 2 state 1 11 99 60 ||r1\n"
              "02 class 2 state 3 12 99 51 wrong-area|Ngoài địa bàn|r1\n");
    outbox_close(&o);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {T(test_put), T(test_answers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
