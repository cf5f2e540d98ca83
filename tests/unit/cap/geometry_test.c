#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "cap/refs.h"
#include "cap/ring.h"

static void rings(void **state)
{
    (void)state;
    static const struct {
        const char *label, *text;
        ring_fault fault;
        unsigned slips;
        const char *first, *second;
    } rows[] = {
        {"closed", "1,2 1,3 2,3 1,2", RING_FINE, 0, "1,2 1,3 2,3 1,2", NULL},
        {"open", "1,2 1,3 2,3", RING_FINE, RING_CLOSED, "1,2 1,3 2,3 1,2", NULL},
        {"white space", " 1,2\n1,3\t 2,3  1,2 ", RING_FINE, 0, "1,2 1,3 2,3 1,2", NULL},
        {"closed by value, not by letters", "1.0,2 1,3 2,3 1,2.00", RING_FINE, 0, "1.0,2 1,3 2,3 1,2.00", NULL},
        {"empty", "", RING_FEW, 0, NULL, NULL},
        {"there and back", "1,2 1,3 1,2", RING_FEW, 0, NULL, NULL},
        {"words", "here there", RING_BROKEN, 0, NULL, NULL},
        {"no comma", "1 2 3 4", RING_BROKEN, 0, NULL, NULL},
        {"not a number", "1,2 nan,3 2,3 1,2", RING_BROKEN, 0, NULL, NULL},
        {"hexadecimal", "1,2 0x1,3 2,3 1,2", RING_BROKEN, 0, NULL, NULL},
        {"exponent", "1,2 1e1,3 2,3 1,2", RING_BROKEN, 0, NULL, NULL},
        {"blank after the comma", "1, 2 1, 3 2, 3 1, 2", RING_BROKEN, 0, NULL, NULL},
        {"longitude first", "106,9 107,9 107,10 106,9", RING_SWAPPED, 0, NULL, NULL},
        {"beyond a pole", "91,106 91,107 92,107 91,106", RING_RANGE, 0, NULL, NULL},
        {"the pole and the dateline are on earth", "90,180 -90,180 0,-180 90,180", RING_FINE, 0,
         "90,180 -90,180 0,-180 90,180", NULL},
        {"twice around", "1,2 1,600 2,600 1,2", RING_RANGE, 0, NULL, NULL},
        {"crossing", "0,0 1,1 0,1 1,0 0,0", RING_FINE, RING_CROSSED, "0,0 1,1 0,1 1,0 0,0", NULL},
        {"touching is no crossing", "0,0 0,2 1,1 2,2 2,0 0,0", RING_FINE, 0, "0,0 0,2 1,1 2,2 2,0 0,0", NULL},
        {"no area", "0,0 1,1 2,2 0,0", RING_FINE, RING_CROSSED, "0,0 1,1 2,2 0,0", NULL},
        {"a point twice", "0,0 0,1 0,1 1,1 0,0", RING_FINE, RING_REPEATED, "0,0 0,1 0,1 1,1 0,0", NULL},
        /* a square from 179 to 181 east: 179..180 here, and 180..181 which is -180..-179 there */
        {"over the dateline to the east", "0,179 0,181 2,181 2,179 0,179", RING_FINE, RING_DATELINE,
         "0.000000,179.000000 0.000000,180.000000 2.000000,180.000000 2.000000,179.000000 0.000000,179.000000",
         "0.000000,-180.000000 0.000000,-179.000000 2.000000,-179.000000 2.000000,-180.000000 0.000000,-180.000000"},
        {"wholly beyond it", "0,181 0,182 2,182 0,181", RING_FINE, RING_DATELINE,
         "0.000000,-179.000000 0.000000,-178.000000 2.000000,-178.000000 0.000000,-179.000000", NULL},
        {"over the dateline to the west", "0,-179 0,-181 2,-181 2,-179 0,-179", RING_FINE, RING_DATELINE,
         "0.000000,180.000000 0.000000,179.000000 2.000000,179.000000 2.000000,180.000000 0.000000,180.000000",
         "0.000000,-179.000000 0.000000,-180.000000 2.000000,-180.000000 2.000000,-179.000000 0.000000,-179.000000"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kg_arena mem = {0};
        ring r;
        size_t budget = 1000000;
        const ring_fault fault = ring_read(rows[i].text, &budget, &mem, &r);
        const bool texts = fault != RING_FINE || (strcmp(r.texts[0], rows[i].first) == 0 &&
                                                  (r.texts[1] == NULL) == (rows[i].second == NULL) &&
                                                  (r.texts[1] == NULL || strcmp(r.texts[1], rows[i].second) == 0));
        if (fault != rows[i].fault || (fault == RING_FINE && r.slips != rows[i].slips) || !texts) {
            fail_msg("%s: fault %d, slips %u, \"%s\" and \"%s\"", rows[i].label, (int)fault, r.slips,
                     r.texts[0] != NULL ? r.texts[0] : "", r.texts[1] != NULL ? r.texts[1] : "");
        }
        kg_arena_done(&mem);
    }
}

static void circles(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        ring_fault fault;
        unsigned slips;
        const char *want;
    } rows[] = {
        {"9.7,106.2 3.5", RING_FINE, 0, "9.7,106.2 3.5"},
        {" 9.7,106.2   0\n", RING_FINE, 0, "9.7,106.2 0"},
        {"13.1,47.5 13.", RING_FINE, RING_NUMBER, "13.1,47.5 13"},
        {"9.7,106.2", RING_BROKEN, 0, NULL},
        {"9.7,106.2 3 4", RING_BROKEN, 0, NULL},
        {"9.7,106.2 -1", RING_BROKEN, 0, NULL},
        {"9.7,106.2 inf", RING_BROKEN, 0, NULL},
        {",", RING_BROKEN, 0, NULL},
        {"106.2,9.7 3", RING_SWAPPED, 0, NULL},
        {"9.7,181 3", RING_RANGE, 0, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kg_arena mem = {0};
        const char *out = NULL;
        unsigned slips = 0;
        const ring_fault fault = ring_circle(rows[i].text, &mem, &out, &slips);
        if (fault != rows[i].fault ||
            (fault == RING_FINE && (slips != rows[i].slips || strcmp(out, rows[i].want) != 0))) {
            fail_msg("%s: fault %d, slips %u", rows[i].text, (int)fault, slips);
        }
        kg_arena_done(&mem);
    }
}

enum { NO_TIME = 0 };
#define t1 INT64_C(1773903600000) /* 2026-03-19T14:00:00+07:00 */
#define T1 "2026-03-19T14:00:00+07:00"

static void references(void **state)
{
    (void)state;
    static const struct {
        const char *label, *text;
        size_t count;
        unsigned slips;
        alert_ref want[3];
    } rows[] = {
        {"one triple", "s,i," T1, 1, 0, {{"s", "i", t1}}},
        {"three, any white space",
         " s,i," T1 "\n t,j," T1 "\t u,k," T1,
         3,
         0,
         {{"s", "i", t1}, {"t", "j", t1}, {"u", "k", t1}}},
        {"joined by commas", "s,i," T1 ",t,j," T1, 2, REFS_JOINED, {{"s", "i", t1}, {"t", "j", t1}}},
        {"joined by comma and blank", "s,i," T1 ", t,j," T1, 2, REFS_JOINED, {{"s", "i", t1}, {"t", "j", t1}}},
        {"a sender with blanks", "OB Self Test,i," T1, 1, 0, {{"OB Self Test", "i", t1}}},
        {"an identifier alone", "test1", 1, REFS_SHORT, {{"", "test1", 0}}},
        {"two identifiers", "a b", 2, REFS_SHORT, {{"", "a", 0}, {"", "b", 0}}},
        {"sender and identifier", "s,i", 1, REFS_SHORT, {{"s", "i", 0}}},
        {"a pair before a triple", "s,i t,j," T1, 2, REFS_SHORT, {{"s", "i", 0}, {"t", "j", t1}}},
        {"a pair after a triple", "t,j," T1 " s,i", 2, REFS_SHORT, {{"t", "j", t1}, {"s", "i", 0}}},
        {"no sender", ",i," T1, 1, REFS_SHORT, {{"", "i", t1}}},
        {"identifier and time", "i," T1, 1, REFS_SHORT, {{"", "i", t1}}},
        {"a broken time", "s,i,yesterday", 1, REFS_SHORT, {{"s", "i", 0}}},
        {"a fraction of a second", "s,i,2026-03-19T14:00:00.750+07:00", 1, REFS_TIME, {{"s", "i", t1}}},
        {"Zulu", "s,i,2026-03-19T07:00:00Z", 1, REFS_TIME, {{"s", "i", t1}}},
        {"no zone, none configured", "s,i,2026-03-19T14:00:00", 1, REFS_TIME | REFS_SHORT, {{"s", "i", 0}}},
        {"commas only", ",,,", 0, REFS_SHORT, {{0}}},
        {"nothing", " ", 0, 0, {{0}}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kg_arena mem = {0};
        alert_refs got = {0};
        unsigned slips = 0;
        assert_int_equal(refs_read(rows[i].text, INT_MIN, &mem, &got, &slips), KG_OK);
        if (got.count != rows[i].count || slips != rows[i].slips) {
            fail_msg("%s: %zu references, slips %u", rows[i].label, got.count, slips);
        }
        for (size_t k = 0; k < got.count; k++) {
            if (strcmp(got.items[k].sender, rows[i].want[k].sender) != 0 ||
                strcmp(got.items[k].identifier, rows[i].want[k].identifier) != 0 ||
                got.items[k].sent_ms != rows[i].want[k].sent_ms) {
                fail_msg("%s: reference %zu is \"%s\",\"%s\"", rows[i].label, k, got.items[k].sender,
                         got.items[k].identifier);
            }
        }
        kg_arena_done(&mem);
    }
}

static void a_zone_that_is_configured(void **state)
{
    (void)state;
    kg_arena mem = {0};
    alert_refs got = {0};
    unsigned slips = 0;
    assert_int_equal(refs_read("s,i,2026-03-19T14:00:00", 420, &mem, &got, &slips), KG_OK);
    assert_int_equal(got.items[0].sent_ms, t1);
    kg_arena_done(&mem);
}

/* More triples joined by commas than one stretch is split into: said so, never cut in silence. */
static void too_many_joined(void **state)
{
    (void)state;
    kg_arena mem = {0};
    alert_refs got = {0};
    unsigned slips = 0;
    kg_buf b = {0};
    for (unsigned i = 0; i < 40; i++) {
        assert_int_equal(kg_buf_putf(&b, "%ss,i%u," T1, i > 0 ? "," : "", i), KG_OK);
    }
    assert_int_equal(refs_read(b.s, INT_MIN, &mem, &got, &slips), KG_OK);
    assert_true((slips & REFS_MANY) != 0);
    assert_int_equal(got.count, 32);
    kg_buf_done(&b);
    kg_arena_done(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rings),           cmocka_unit_test(circles),
        cmocka_unit_test(references),      cmocka_unit_test(a_zone_that_is_configured),
        cmocka_unit_test(too_many_joined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
