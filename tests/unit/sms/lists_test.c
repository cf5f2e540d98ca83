/* The list of numbers and the roll of a job. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "roll.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

enum { PATH_BYTES = 128 };

typedef struct place {
    char dir[64], list[PATH_BYTES], roll[PATH_BYTES];
} place;

static int set_up(void **state)
{
    place *p = calloc(1, sizeof *p);
    (void)snprintf(p->dir, sizeof p->dir, "/tmp/keng-lists-XXXXXX");
    if (mkdtemp(p->dir) == NULL) {
        return -1;
    }
    (void)snprintf(p->list, sizeof p->list, "%s/list.tsv", p->dir);
    (void)snprintf(p->roll, sizeof p->roll, "%s/roll", p->dir);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    place *p = *state;
    (void)unlink(p->list);
    (void)unlink(p->roll);
    const int rc = rmdir(p->dir);
    free(p);
    return rc;
}

static void write_list(const place *p, const char *text, mode_t mode)
{
    assert_int_equal(kg_file_replace(p->list, text, strlen(text), mode, NULL), KG_OK);
}

static void lines_of_the_list(void **state)
{
    const place *p = *state;
    static const struct {
        const char *label, *text;
        kg_err want;
        size_t count;
        const char *complaint;
    } rows[] = {
        {"two", "+84912345678\t29254\ttrưởng ấp\n0987654321\t*\n", KG_OK, 2, ""},
        {"no last line end, remarks, empty lines", "# a\n\n+84912345678\t86,29254", KG_OK, 1, ""},
        {"CRLF", "+84912345678\t86\r\n", KG_OK, 1, ""},
        {"empty", "# nobody\n", KG_OK, 0, ""},
        {"no plus, no zero", "84912345678\t86\n", KG_E_INVALID, 0, "list.tsv:1"},
        {"letters", "+8491234567x\t86\n", KG_E_INVALID, 0, "list.tsv:1"},
        {"too short", "+8491\t86\n", KG_E_INVALID, 0, "list.tsv:1"},
        {"too long", "+8491234567890123\t86\n", KG_E_INVALID, 0, "list.tsv:1"},
        {"no areas", "+84912345678\n", KG_E_INVALID, 0, "list.tsv:1"},
        {"a name as area", "# x\n+84912345678\tXã A\n", KG_E_INVALID, 0, "list.tsv:2"},
        {"a comma too many", "+84912345678\t86,\n", KG_E_INVALID, 0, "list.tsv:1"},
        {"the same in both spellings", "+84912345678\t86\n0912345678\t86\n", KG_E_INVALID, 0, "twice (it ends in 678)"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        numbers n = {.items = NULL};
        kg_diag diag = {{0}};
        write_list(p, rows[i].text, 0600);
        const kg_err e = numbers_load(p->list, &n, &diag);
        if (e != rows[i].want || n.count != rows[i].count || strstr(diag.text, rows[i].complaint) == NULL ||
            strstr(diag.text, "91234") != NULL) {
            fail_msg("%s: %s %s", rows[i].label, kg_err_name(e), diag.text);
        }
        numbers_done(&n);
    }
    numbers n;
    write_list(p, "+84912345678\t86\n", 0640);
    assert_int_equal(kg_err_class(numbers_load(p->list, &n, NULL)), KG_PERM);
}

static void whom_an_alert_reaches(void **state)
{
    (void)state;
    static const char *communes[] = {"29257", "29254"};
    const alert_texts area = {communes, 2};
    static const struct {
        const char *areas, *province;
        bool want;
    } rows[] = {
        {",29254,", "86", true}, {",29999,29257,", "86", true}, {",29999,", "86", false},
        {",86,", "86", true},    {",66,", "86", false},         {",*,", "", true},
        {",2925,", "86", false}, {",86,", "", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const number n = {.areas = rows[i].areas};
        if (numbers_is_for(&n, &area, rows[i].province) != rows[i].want) {
            fail_msg("%s in %s", rows[i].areas, rows[i].province);
        }
    }
    const number n = {.digits = "+84912345678"};
    char tail[NUMBERS_TAIL_MAX];
    numbers_tail(&n, tail);
    assert_string_equal(tail, "...678");
}

static void open_roll(const place *p, bool again, roll *r)
{
    static const char *communes[] = {"29254"};
    const alert_texts area = {communes, 1};
    numbers n;
    assert_int_equal(numbers_load(p->list, &n, NULL), KG_OK);
    assert_int_equal(roll_open(p->roll, &n, &area, "86", again, r, NULL), KG_OK);
    numbers_done(&n);
}

static roll_entry *entry(roll *r, const char *tail)
{
    for (size_t i = 0; i < r->count; i++) {
        const char *digits = r->items[i].digits;
        if (strcmp(digits + strlen(digits) - strlen(tail), tail) == 0) {
            return &r->items[i];
        }
    }
    fail_msg("no number ends in %s", tail);
    return NULL;
}

/* Six numbers, each left in another state; then the process is gone. */
static void leave_a_roll(const place *p)
{
    roll r;
    write_list(p,
               "+84912345671\t86\n+84912345672\t86\n+84912345673\t86\n+84912345674\t86\n+84912345675\t86\n"
               "+84912345676\t86\n",
               0600);
    open_roll(p, false, &r);
    assert_int_equal(r.count, 6);
    roll_entry *all[] = {entry(&r, "2"), entry(&r, "3"), entry(&r, "4"), entry(&r, "5"), entry(&r, "6")};
    assert_int_equal(roll_announce(&r, all, 5, NULL), KG_OK);
    roll_queued(&r, entry(&r, "3"));
    roll_queued(&r, entry(&r, "4"));
    roll_stands(&r, entry(&r, "4"), STAND_DELIVERED);
    roll_returned(&r, entry(&r, "5"));
    roll_stands(&r, entry(&r, "6"), STAND_SENT); /* the report was faster than the gateway's answer */
    roll_queued(&r, entry(&r, "6"));
    roll_close(&r);
}

static void what_a_roll_remembers(void **state)
{
    const place *p = *state;
    static const struct {
        const char *tail;
        dlr_stand urgent, other;
        bool once_more;
    } rows[] = {
        {"1", STAND_WAITING, STAND_WAITING, false}, /* never announced */
        {"2", STAND_WAITING, STAND_QUEUED, true},   /* announced, nothing more known */
        {"3", STAND_QUEUED, STAND_QUEUED, false},   {"4", STAND_DELIVERED, STAND_DELIVERED, false},
        {"5", STAND_WAITING, STAND_WAITING, false}, /* surely not taken */
        {"6", STAND_SENT, STAND_SENT, false},
    };
    leave_a_roll(p);
    for (unsigned urgent = 0; urgent < 2; urgent++) {
        roll r;
        open_roll(p, urgent != 0, &r);
        for (size_t i = 0; i < COUNT(rows); i++) {
            const roll_entry *e = entry(&r, rows[i].tail);
            if (e->stand != (urgent != 0 ? rows[i].urgent : rows[i].other) ||
                e->once_more != (urgent != 0 && rows[i].once_more)) {
                fail_msg("%s: %d", rows[i].tail, (int)e->stand);
            }
        }
        const roll_counts c = roll_count(&r);
        assert_int_equal(c.delivered, 1);
        assert_int_equal(c.sent, 2);
        assert_int_equal(c.waiting, urgent != 0 ? 3 : 2);
        roll_close(&r);
    }
}

static void a_torn_roll_is_taken_up(void **state)
{
    const place *p = *state;
    kg_buf text = {0};
    roll r;
    leave_a_roll(p);
    assert_int_equal(kg_file_read(p->roll, 4096, &text, NULL), KG_OK);
    assert_null(strstr(kg_buf_str(&text), "91234")); /* marks, never numbers */
    /* cut at every byte: never an error, never a number that had been announced sent again unlabelled */
    for (size_t n = 0; n < text.len; n++) {
        assert_int_equal(kg_file_replace(p->roll, text.s, n, 0600, NULL), KG_OK);
        open_roll(p, false, &r);
        assert_int_equal(r.count, 6);
        roll_close(&r);
    }
    static const char rubbish[] = "\x01\x02\nA\nA x\nS 1 99999999999\nQ 18446744073709551616\n";
    assert_int_equal(kg_file_replace(p->roll, rubbish, sizeof rubbish - 1, 0600, NULL), KG_OK);
    open_roll(p, true, &r);
    assert_int_equal(roll_count(&r).waiting, 6);
    roll_close(&r);
    kg_buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_of_the_list, set_up, tear_down),
        cmocka_unit_test(whom_an_alert_reaches),
        cmocka_unit_test_setup_teardown(what_a_roll_remembers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_torn_roll_is_taken_up, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
