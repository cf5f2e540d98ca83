#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "sink/credit.h"

static void grants_running_totals(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        credit c;
        uint32_t waiting, most, want;
        bool stale;
    } rows[] = {
        {"at Hello a window", {0, 0}, 0, 1000, 8, true},
        {"nothing answered: as before", {8, 0}, 0, 1000, 8, false},
        {"three answered: not worth a message", {8, 3}, 3, 1000, 11, false},
        {"four answered: worth one", {8, 4}, 4, 1000, 12, true},
        {"nearly full of unplayed ones: less room", {8, 8}, 995, 1000, 13, true},
        {"full: no more", {1008, 1000}, 1000, 1000, 1008, false},
        {"over full: no more", {1008, 1008}, 1008, 1000, 1008, false},
        {"one played: one more, told with the next four", {1008, 1008}, 999, 1000, 1009, false},
        {"a total never falls", {20, 3}, 0, 1000, 20, false},
        {"memory is short", {8, 8}, UINT32_MAX, 1000, 8, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const uint32_t got = credit_total(&rows[i].c, rows[i].waiting, rows[i].most);
        const bool stale = credit_is_stale(&rows[i].c, rows[i].waiting, rows[i].most);
        if (got != rows[i].want || stale != rows[i].stale) {
            fail_msg("%s: %u, %s", rows[i].label, got, stale ? "stale" : "fresh");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(grants_running_totals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
