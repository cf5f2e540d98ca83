#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sink/player.h"

enum { S = 1000, MIN = 60 * S, HOUR = 60 * MIN, NOW = 100 * 1000, LATER = 1000 * 1000 * 1000 };

/* 2026-11-22 00:00 UTC = 07:00 in Việt Nam; quiet hours begin 14 hours later */
static const int64_t day = 1795305600000;
static const hours usual = {{21 * 60, 5 * 60}, {{17 * 60, 17 * 60 + 30}}, 1};

typedef struct row {
    const char *label;
    bool parallel, muted;
    int64_t at; /* since day */
    player_item items[4];
    size_t count;
    const char *want; /* "P0 S1 X2c D3e": prepare, start, stop or drop, item, why */
    int64_t wake;     /* since day; -1 not looked at */
} row;

#define IS(s, c, m) .state = PLAYER_##s, .class = CLASS_##c, .mode = MODE_##m, .ends_ms = LATER

static void write_plan(const player_plan *p, char *out, size_t cap)
{
    static const char what[] = {[PLAYER_PREPARE] = 'P', [PLAYER_START] = 'S', [PLAYER_STOP] = 'X', [PLAYER_DROP] = 'D'};
    static const char *const why[] = {
        [PLAYER_WHY_NONE] = "", [PLAYER_WHY_ENDED] = "e", [PLAYER_WHY_EXPIRED] = "t",
        [PLAYER_WHY_CUT] = "c", [PLAYER_WHY_MUTED] = "m", [PLAYER_WHY_OPERATOR] = "o",
    };
    out[0] = '\0';
    for (size_t i = 0; i < p->count; i++) {
        const size_t len = strlen(out);
        (void)snprintf(out + len, cap - len, "%s%c%zu%s", i > 0 ? " " : "", what[p->steps[i].what], p->steps[i].item,
                       why[p->steps[i].why]);
    }
}

static const row rows[] = {
    {"nothing to do", .count = 0, .want = "", .wake = -1},
    {"urgent: prepared at once", .items = {{IS(WAITING, URGENT, INTERRUPT)}}, .count = 1, .want = "P0", .wake = -1},
    {"ready: started", .items = {{IS(READY, URGENT, INTERRUPT)}}, .count = 1, .want = "S0", .wake = -1},
    {"not due yet: waits till then", .items = {{IS(WAITING, URGENT, INTERRUPT), .due_ms = 5 * MIN}}, .count = 1,
     .want = "", .wake = 5 * MIN},
    {"failed for now: waits its time", .items = {{IS(WAITING, URGENT, INTERRUPT), .not_before_ms = 30 * S}}, .count = 1,
     .want = "", .wake = 30 * S},
    {"urgent cuts routine when it is ready", .items = {{IS(PLAYING, ROUTINE, NEXT)}, {IS(READY, URGENT, INTERRUPT)}},
     .count = 2, .want = "X0c", .wake = -1},
    {"and not before: the routine one goes on while it is rendered",
     .items = {{IS(PLAYING, ROUTINE, NEXT)}, {IS(PREPARING, URGENT, INTERRUPT)}}, .count = 2, .want = "", .wake = -1},
    {"urgent cuts priority", .items = {{IS(PLAYING, PRIORITY, NEXT)}, {IS(READY, URGENT, INTERRUPT)}}, .count = 2,
     .want = "X0c", .wake = -1},
    {"told to stop: waits for it to end",
     .items = {{IS(STOPPING, ROUTINE, NEXT), .why = PLAYER_WHY_CUT}, {IS(READY, URGENT, INTERRUPT)}}, .count = 2,
     .want = "", .wake = -1},
    {"urgent does not cut urgent", .items = {{IS(PLAYING, URGENT, INTERRUPT)}, {IS(READY, URGENT, INTERRUPT)}},
     .count = 2, .want = "", .wake = -1},
    {"unless the other was replaced by it: that one has ended",
     .items = {{IS(PLAYING, URGENT, INTERRUPT), .ended = true}, {IS(READY, URGENT, INTERRUPT)}}, .count = 2,
     .want = "X0e", .wake = -1},
    {"an urgent crawl cuts nothing", .items = {{IS(PLAYING, ROUTINE, NEXT)}, {IS(READY, URGENT, CRAWL)}}, .count = 2,
     .want = "", .wake = -1},
    {"priority does not cut routine", .items = {{IS(PLAYING, ROUTINE, NEXT)}, {IS(READY, PRIORITY, INTERRUPT)}},
     .count = 2, .want = "", .wake = -1},
    {"priority goes before routine",
     .items = {{IS(READY, ROUTINE, NEXT), .rank = 1}, {IS(READY, PRIORITY, NEXT), .rank = 2}}, .count = 2, .want = "S1",
     .wake = -1},
    {"among equals the clerk's order",
     .items = {{IS(READY, PRIORITY, NEXT), .rank = 2}, {IS(READY, PRIORITY, NEXT), .rank = 1}}, .count = 2,
     .want = "S1", .wake = -1},
    {"a first playing goes before a repeat",
     .items = {{IS(READY, URGENT, INTERRUPT), .rank = 1, .playing = 3}, {IS(READY, URGENT, INTERRUPT), .rank = 2}},
     .count = 2, .want = "S1", .wake = -1},
    {"a lower one is not begun while a higher is nearly ready", .at = 0,
     .items = {{IS(READY, ROUTINE, NEXT)}, {IS(PREPARING, URGENT, INTERRUPT), .since_ms = 0}}, .count = 2, .want = "",
     .wake = PLAYER_PATIENCE_MS},
    {"but a renderer that hangs does not silence the station", .at = PLAYER_PATIENCE_MS,
     .items = {{IS(READY, ROUTINE, NEXT)}, {IS(PREPARING, URGENT, INTERRUPT), .since_ms = 0}}, .count = 2, .want = "S0",
     .wake = -1},
    {"two are prepared ahead, no more",
     .items = {{IS(PLAYING, PRIORITY, NEXT)},
               {IS(READY, PRIORITY, NEXT), .rank = 1},
               {IS(READY, PRIORITY, NEXT), .rank = 2},
               {IS(WAITING, PRIORITY, NEXT), .rank = 3}},
     .count = 4, .want = "", .wake = -1},
    {"but an urgent one always is",
     .items = {{IS(PLAYING, PRIORITY, NEXT)},
               {IS(READY, PRIORITY, NEXT), .rank = 1},
               {IS(READY, PRIORITY, NEXT), .rank = 2},
               {IS(WAITING, URGENT, INTERRUPT), .rank = 3}},
     .count = 4, .want = "P3", .wake = -1},
    {"an offered one waits for the clerk", .items = {{IS(WAITING, ROUTINE, OFFER)}}, .count = 1, .want = "",
     .wake = -1},
    {"accepted, it goes", .items = {{IS(WAITING, ROUTINE, OFFER), .accepted = true}}, .count = 1, .want = "P0",
     .wake = -1},
    {"an urgent one asks no clerk", .items = {{IS(WAITING, URGENT, OFFER)}}, .count = 1, .want = "P0", .wake = -1},
    {"a scheduled one waits for its session", .items = {{IS(WAITING, ROUTINE, SCHEDULE)}}, .count = 1, .want = "",
     .wake = 10 * HOUR},
    {"in its session it goes", .at = 10 * HOUR + MIN, .items = {{IS(WAITING, ROUTINE, SCHEDULE)}}, .count = 1,
     .want = "P0", .wake = -1},
    {"or when the clerk says so", .items = {{IS(WAITING, ROUTINE, SCHEDULE), .accepted = true}}, .count = 1,
     .want = "P0", .wake = -1},
    {"routine keeps quiet hours", .at = 15 * HOUR, .items = {{IS(WAITING, ROUTINE, OFFER), .accepted = true}},
     .count = 1, .want = "", .wake = 22 * HOUR},
    {"priority does not", .at = 15 * HOUR, .items = {{IS(WAITING, PRIORITY, NEXT)}}, .count = 1, .want = "P0",
     .wake = -1},
    {"urgent does not", .at = 15 * HOUR, .items = {{IS(WAITING, URGENT, INTERRUPT)}}, .count = 1, .want = "P0",
     .wake = -1},
    {"a mute holds routine and priority back", .muted = true,
     .items = {{IS(WAITING, ROUTINE, NEXT)}, {IS(READY, PRIORITY, NEXT)}}, .count = 2, .want = "", .wake = -1},
    {"and silences one that sounds", .muted = true, .items = {{IS(PLAYING, PRIORITY, NEXT)}}, .count = 1, .want = "X0m",
     .wake = -1},
    {"urgent sounds all the same", .muted = true, .items = {{IS(READY, URGENT, INTERRUPT)}}, .count = 1, .want = "S0",
     .wake = -1},
    {"and goes on", .muted = true, .items = {{IS(PLAYING, URGENT, INTERRUPT)}}, .count = 1, .want = "", .wake = -1},
    {"recalled while waiting", .items = {{IS(WAITING, URGENT, INTERRUPT), .ended = true}}, .count = 1, .want = "D0e",
     .wake = -1},
    {"recalled while rendered", .items = {{IS(PREPARING, URGENT, INTERRUPT), .ended = true}}, .count = 1, .want = "X0e",
     .wake = -1},
    {"recalled while playing", .items = {{IS(PLAYING, URGENT, INTERRUPT), .ended = true}}, .count = 1, .want = "X0e",
     .wake = -1},
    {"recalled between its row and its start: at the next look",
     .items = {{IS(STARTING, URGENT, INTERRUPT), .ended = true}}, .count = 1, .want = "", .wake = -1},
    {"the operator stops it", .items = {{IS(PLAYING, URGENT, INTERRUPT), .stopped = true}}, .count = 1, .want = "X0o",
     .wake = -1},
    {"the clock ends a parallel one too", .parallel = true, .items = {{IS(PLAYING, URGENT, INTERRUPT)}}, .count = 1,
     .want = "", .wake = -1},
    {"a parallel station takes all at once", .parallel = true,
     .items = {{IS(WAITING, ROUTINE, NEXT)},
               {IS(READY, PRIORITY, NEXT)},
               {IS(PLAYING, URGENT, INTERRUPT)},
               {IS(WAITING, URGENT, INTERRUPT)}},
     .count = 4, .want = "P0 S1 P3", .wake = -1},
    {"but what is offered waits there too", .parallel = true, .items = {{IS(WAITING, ROUTINE, OFFER)}}, .count = 1,
     .want = "", .wake = -1},
};

static void to_day(player_item *it)
{
    it->due_ms += day;
    it->not_before_ms += it->not_before_ms != 0 ? day : 0;
    it->ends_ms += day;
    it->since_ms += day;
}

static void decides_by_the_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const row *r = &rows[i];
        player_item items[4];
        const player_item *view[4];
        for (size_t k = 0; k < r->count; k++) {
            items[k] = r->items[k];
            to_day(&items[k]);
            view[k] = &items[k];
        }
        const player_rules rules = {!r->parallel, r->muted, &usual};
        player_plan plan;
        char got[256];
        player_decide(&rules, view, r->count, day + r->at, &plan);
        write_plan(&plan, got, sizeof got);
        if (strcmp(got, r->want) != 0 || (r->wake >= 0 && plan.wake_ms != day + r->wake)) {
            fail_msg("%s: got '%s', want '%s'; wakes after %lld s", r->label, got, r->want,
                     (long long)(plan.wake_ms - day) / S);
        }
    }
}

static void time_ends_what_it_ends(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        player_state is;
        const char *want;
    } ends[] = {
        {"waiting: dropped", PLAYER_WAITING, "D0t"},       {"rendered: stopped", PLAYER_PREPARING, "X0t"},
        {"ready: stopped", PLAYER_READY, "X0t"},           {"playing: stopped", PLAYER_PLAYING, "X0t"},
        {"stopping: it ends anyway", PLAYER_STOPPING, ""},
    };
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        const player_item it = {.state = ends[i].is, .class = CLASS_URGENT, .mode = MODE_INTERRUPT, .ends_ms = day};
        const player_item *view[] = {&it};
        for (int exclusive = 0; exclusive < 2; exclusive++) {
            const player_rules rules = {exclusive != 0, false, &usual};
            player_plan plan;
            char got[64];
            player_decide(&rules, view, 1, day, &plan);
            write_plan(&plan, got, sizeof got);
            if (strcmp(got, ends[i].want) != 0) {
                fail_msg("%s: got '%s'", ends[i].label, got);
            }
            player_decide(&rules, view, 1, day - 5 * S, &plan);
            if (ends[i].is != PLAYER_STOPPING && plan.wake_ms != day) {
                fail_msg("%s: does not wake for its end", ends[i].label);
            }
        }
    }
}

static void an_outcome_leads_somewhere(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        player_item item;
        dlv_state outcome;
        player_next next;
        dlv_state final;
    } ends[] = {
        {"done", {.started = true}, DLV_DONE, PLAYER_FINAL, DLV_DONE},
        {"failed", {.started = true}, DLV_FAILED, PLAYER_FINAL, DLV_FAILED},
        {"for now", {.started = true}, DLV_PENDING, PLAYER_RETRY, DLV_PENDING},
        {"cut in the middle comes back",
         {.started = true, .why = PLAYER_WHY_CUT},
         DLV_PARTIAL,
         PLAYER_RESUME,
         DLV_PARTIAL},
        {"cut before a sound: simply again",
         {.started = true, .why = PLAYER_WHY_CUT},
         DLV_PENDING,
         PLAYER_AGAIN,
         DLV_PENDING},
        {"cut when it was over", {.started = true, .why = PLAYER_WHY_CUT}, DLV_DONE, PLAYER_FINAL, DLV_DONE},
        {"muted in the middle comes back",
         {.started = true, .why = PLAYER_WHY_MUTED},
         DLV_PARTIAL,
         PLAYER_RESUME,
         DLV_PARTIAL},
        {"recalled in the middle", {.started = true, .why = PLAYER_WHY_ENDED}, DLV_PARTIAL, PLAYER_FINAL, DLV_PARTIAL},
        {"recalled before a sound",
         {.started = true, .why = PLAYER_WHY_ENDED},
         DLV_PENDING,
         PLAYER_FINAL,
         DLV_CANCELLED},
        {"expired before a sound",
         {.started = true, .why = PLAYER_WHY_EXPIRED},
         DLV_PENDING,
         PLAYER_FINAL,
         DLV_EXPIRED},
        {"expired after tries: failed",
         {.why = PLAYER_WHY_EXPIRED, .attempts = 2},
         DLV_PENDING,
         PLAYER_FINAL,
         DLV_FAILED},
        {"recalled while it came back",
         {.why = PLAYER_WHY_ENDED, .labelled = true},
         DLV_PENDING,
         PLAYER_FINAL,
         DLV_PARTIAL},
        {"a repeat that never began", {.why = PLAYER_WHY_ENDED, .playing = 2}, DLV_PENDING, PLAYER_FINAL, DLV_PENDING},
        {"the operator's stop",
         {.started = true, .why = PLAYER_WHY_OPERATOR},
         DLV_PENDING,
         PLAYER_FINAL,
         DLV_CANCELLED},
    };
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        dlv_state final = DLV_STATE_COUNT;
        const player_next next = player_after(&ends[i].item, ends[i].outcome, &final);
        if (next != ends[i].next || (next == PLAYER_FINAL && final != ends[i].final)) {
            fail_msg("%s: %d, %s", ends[i].label, (int)next, dlv_state_text(final));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decides_by_the_rules),
        cmocka_unit_test(time_ends_what_it_ends),
        cmocka_unit_test(an_outcome_leads_somewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
