#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/sink/engine_world.h"

enum { S = 1000, MIN = 60 * S };

static const world_alert urgent = {.class = CLASS_URGENT};
static const world_alert urgent_2 = {.class = CLASS_URGENT, .identifier = "VL-2026-0002"};
static const world_alert priority = {.class = CLASS_PRIORITY, .identifier = "VL-2026-0003"};
static const wire_target next = {.mode = MODE_NEXT};

static int open_world(void **state)
{
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    world_open(w);
    *state = w;
    return 0;
}

static int close_world(void **state)
{
    world_close(*state);
    free(*state);
    return 0;
}

static void an_order_is_held_played_and_reported(void **state)
{
    world *w = *state;
    world_order(w, &urgent, HORN, NULL);
    world_heard(w, "before the commit", "");
    world_played(w, "before the commit", "");
    (void)world_turn(w);
    world_played(w, "after it", "start " HORN "#0");
    world_heard(w, "after it", "held " HORN "/1#0 started " HORN "/1#0");
    world_finish(w, HORN, DLV_DONE);
    world_heard(w, "its end", "done " HORN "/1#0");
    world_kept(w);
    sink_link_up(&w->sink, 0, LANE_URGENT);
    (void)world_turn(w);
    world_heard(w, "kept: not said again", "");
}

static void an_outcome_is_said_until_it_is_kept(void **state)
{
    world *w = *state;
    w->at_once = true;
    world_order(w, &urgent, HORN, NULL);
    (void)world_turn(w);
    world_heard(w, "at once", "held " HORN "/1#0 started " HORN "/1#0 done " HORN "/1#0");
    sink_link_down(&w->sink, 0, LANE_URGENT);
    sink_link_up(&w->sink, 0, LANE_URGENT);
    (void)world_turn(w);
    world_heard(w, "a new connection", "done " HORN "/1#0");
    world_restart(w);
    (void)world_turn(w);
    world_heard(w, "a new process", "done " HORN "/1#0");
    world_later(w, 20 * S);
    world_heard(w, "no answer for long", "done " HORN "/1#0");
    world_kept(w);
    world_restart(w);
    (void)world_turn(w);
    world_heard(w, "kept", "");
    world_played(w, "once to the people", "start " HORN "#0");
}

static void a_repeated_order_is_answered_from_the_ledger(void **state)
{
    world *w = *state;
    world_order(w, &urgent, HORN, NULL);
    world_order(w, &urgent, HORN, NULL);
    (void)world_turn(w);
    world_heard(w, "twice in one turn", "held " HORN "/1#0 held " HORN "/1#0 started " HORN "/1#0");
    world_order(w, &urgent, HORN, NULL);
    (void)world_turn(w);
    world_heard(w, "while it plays", "held " HORN "/1#0 started " HORN "/1#0");
    world_finish(w, HORN, DLV_DONE);
    world_heard(w, "its end", "done " HORN "/1#0");
    world_kept(w);
    world_order(w, &urgent, HORN, NULL);
    (void)world_turn(w);
    world_heard(w, "when it is over", "held " HORN "/1#0 done " HORN "/1#0");
    world_restart(w);
    world_order(w, &urgent, HORN, NULL);
    (void)world_turn(w);
    world_heard(w, "in another life", "held " HORN "/1#0 done " HORN "/1#0");
    world_played(w, "once", "start " HORN "#0");
}

static void a_full_pipe_loses_nothing(void **state)
{
    world *w = *state;
    w->at_once = true;
    w->deaf = true;
    world_order(w, &urgent, HORN, NULL);
    (void)world_turn(w);
    world_heard(w, "full", "");
    w->deaf = false;
    world_later(w, 1 * S);
    world_heard(w, "room again", "held " HORN "/1#0 started " HORN "/1#0 done " HORN "/1#0");
}

static void urgent_cuts_in_and_what_it_cut_comes_back_labelled(void **state)
{
    world *w = *state;
    world_order(w, &priority, HORN, &next);
    (void)world_turn(w);
    world_order(w, &urgent, HORN, NULL);
    (void)world_turn(w);
    world_played(w, "cut", "start " HORN "#0 stop " HORN "#0 start " HORN "#0");
    world_order(w, &urgent_2, HORN, NULL);
    (void)world_turn(w);
    world_played(w, "another urgent one waits", "");
    world_finish(w, HORN, DLV_DONE);
    world_played(w, "its turn", "start " HORN "#0");
    world_finish(w, HORN, DLV_DONE);
    world_played(w, "then the one that was cut", "start " HORN "#0 again");
    w->heard[0] = '\0';
    world_finish(w, HORN, DLV_DONE);
    world_heard(w, "done, and how", "done " HORN "/1#0 again");
}

static void what_was_cut_and_ends_is_partial(void **state)
{
    world *w = *state;
    world_alert short_one = priority;
    short_one.ends_ms = 1 * MIN;
    world_order(w, &short_one, HORN, &next);
    (void)world_turn(w);
    world_order(w, &urgent, HORN, NULL);
    (void)world_turn(w);
    w->heard[0] = '\0';
    world_later(w, 2 * MIN);
    world_heard(w, "its time is over", "partial " HORN "/1#0 again (interrupted)");
}

static void a_recall_stops_what_waits_and_what_plays(void **state)
{
    world *w = *state;
    world_order(w, &urgent, HORN, NULL);
    world_order(w, &urgent_2, HORN, NULL);
    (void)world_turn(w);
    w->heard[0] = '\0';
    world_recall(w, &urgent_2, HORN, LIFE_CANCELLED);
    (void)world_turn(w);
    world_heard(w, "waiting", "cancelled " HORN "/1#0 (cancelled)");
    world_recall(w, &urgent, HORN, LIFE_SUPERSEDED);
    (void)world_turn(w);
    world_played(w, "the prepared one, then the playing one", "start " HORN "#0 stop " HORN "#0 stop " HORN "#0");
    world_heard(w, "playing", "partial " HORN "/1#0");
    world_recall(w, &urgent, HORN, LIFE_SUPERSEDED);
    (void)world_turn(w);
    world_heard(w, "recalled again", "held " HORN "/1#0 partial " HORN "/1#0");
    world_recall(w, &priority, HORN, LIFE_WITHDRAWN);
    (void)world_turn(w);
    world_heard(w, "recalled and never held", "cancelled " HORN "/1#0 (withdrawn)");
    world_order(w, &priority, HORN, &next);
    (void)world_turn(w);
    world_heard(w, "recalled before it came", "held " HORN "/1#0 cancelled " HORN "/1#0 (withdrawn)");
    world_played(w, "never a sound", "");
}

static void a_cancel_ends_its_alert_in_either_order(void **state)
{
    world *w = *state;
    const world_alert cancel = {
        .class = CLASS_URGENT, .identifier = "C1", .msg_type = CAP_CANCEL, .references = "VL-2026-0001"};
    const world_alert update_2 = {
        .class = CLASS_URGENT, .identifier = "U2", .msg_type = CAP_UPDATE, .references = "VL-2026-0002"};
    world_order(w, &urgent, HORN, NULL);
    (void)world_turn(w);
    world_order(w, &cancel, HORN_2, NULL); /* to another station: the alert is over everywhere */
    (void)world_turn(w);
    world_played(w, "alert, cancel", "start " HORN "#0 stop " HORN "#0 start " HORN_2 "#0");
    world_order(w, &update_2, HORN, NULL);
    (void)world_turn(w);
    w->heard[0] = '\0';
    world_restart(w);
    w->heard[0] = '\0';
    w->played[0] = '\0';
    world_order(w, &urgent_2, SMS, NULL);
    (void)world_turn(w);
    if (strstr(w->heard, "held " SMS "/3#0") == NULL ||
        strstr(w->heard, "cancelled " SMS "/3#0 (superseded)") == NULL || strstr(w->played, SMS) != NULL) {
        fail_msg("update, restart, alert: %s / %s", w->heard, w->played);
    }
}

static void only_its_own_agency_and_status_end_an_alert(void **state)
{
    world *w = *state;
    const world_alert drill = {.class = CLASS_URGENT,
                               .identifier = "C1",
                               .msg_type = CAP_CANCEL,
                               .references = "VL-2026-0001",
                               .status = CAP_EXERCISE,
                               .who = TF_DRILL};
    const world_alert other = {.class = CLASS_URGENT,
                               .identifier = "C2",
                               .msg_type = CAP_CANCEL,
                               .references = "VL-2026-0001",
                               .agency = "bo-y-te",
                               .who = TF_NATION};
    world_order(w, &drill, HORN_2, NULL);
    world_order(w, &other, HORN_2, NULL);
    world_order(w, &urgent, HORN, NULL);
    (void)world_turn(w);
    world_order(w, &drill, HORN, NULL);
    world_order(w, &other, HORN, NULL);
    (void)world_turn(w);
    assert_non_null(strstr(w->played, "start " HORN "#0"));
    assert_null(strstr(w->played, "stop " HORN));
}

static void what_is_over_on_arrival_is_acknowledged_and_not_played(void **state)
{
    world *w = *state;
    world_alert old = urgent;
    old.ends_ms = -1 * S;
    world_order(w, &old, HORN, NULL);
    (void)world_turn(w);
    world_heard(w, "expired", "held " HORN "/1#0 expired " HORN "/1#0 (expired)");
    world_played(w, "expired", "");
    world_restart(w);
    w->heard[0] = '\0';
    world_order(w, &old, HORN, NULL);
    (void)world_turn(w);
    world_played(w, "and stays so", "");
}

/* A narrower Update is for those, too, who heard the old one outside of it; and for nobody who did not. */
static void a_correction_goes_where_the_old_one_was(void **state)
{
    world *w = *state;
    static const char *neighbour[] = {"28777"};
    const wire_target at_neighbour = {.mode = MODE_INTERRUPT, .communes = {neighbour, 1}};
    const world_alert update = {
        .class = CLASS_URGENT, .identifier = "U1", .msg_type = CAP_UPDATE, .references = "VL-2026-0001"};
    world_order(w, &urgent, HORN, NULL);
    (void)world_turn(w);
    w->heard[0] = '\0';
    world_order(w, &update, HORN_2, &at_neighbour);
    (void)world_turn(w);
    assert_non_null(strstr(w->heard, "refused " HORN_2 "/2#0 (wrong-area)"));
    world_order(w, &update, HORN, &at_neighbour);
    (void)world_turn(w);
    assert_null(strstr(w->heard, "refused " HORN "/"));
    assert_non_null(strstr(w->heard, "held " HORN "/1#0"));
}

static void what_may_not_be_said_is_refused(void **state)
{
    world *w = *state;
    static const char *neighbour[] = {"28777"};
    static const char *abroad[] = {"22015"};
    const wire_target at_neighbour = {.mode = MODE_INTERRUPT, .communes = {neighbour, 1}};
    const wire_target at_abroad = {.mode = MODE_INTERRUPT, .communes = {abroad, 1}};
    const world_alert stranger = {.class = CLASS_URGENT, .identifier = "R1", .who = TF_STRANGER};
    const world_alert revoked = {.class = CLASS_URGENT, .identifier = "R2", .who = TF_REVOKED};
    const world_alert other = {.class = CLASS_URGENT, .description = "Another text under the same name."};
    kg_buf bytes = {0};
    alert_id id;
    world_order(w, &stranger, HORN, NULL);
    (void)world_turn(w);
    world_heard(w, "unknown key", "refused " HORN "/1#0 (unknown-key)");
    world_order(w, &revoked, HORN, NULL);
    (void)world_turn(w);
    world_heard(w, "revoked key", "refused " HORN "/1#0 (revoked-key)");
    world_order(w, &urgent, "86.nowhere", NULL);
    (void)world_turn(w);
    world_heard(w, "unknown station", "refused 86.nowhere/9#0 (unknown-station)");
    world_order(w, &urgent, HORN, &at_abroad);
    (void)world_turn(w);
    world_heard(w, "not the signer's area", "refused " HORN "/1#0 (wrong-area)");
    world_order(w, &urgent, HORN, &at_neighbour);
    (void)world_turn(w);
    world_heard(w, "not the alert's area", "refused " HORN "/1#0 (wrong-area)");
    world_sign(w, &urgent_2, &bytes, &id);
    bytes.s[bytes.len / 2] ^= 1;
    world_order_bytes(w, &bytes, id, &(wire_target){.station = HORN, .delivery = 1, .mode = MODE_INTERRUPT});
    (void)world_turn(w);
    kg_buf_done(&bytes);
    assert_non_null(strstr(w->heard, "refused " HORN "/1#0 (bad-"));
    w->heard[0] = '\0';
    world_order(w, &urgent, HORN, NULL);
    (void)world_turn(w);
    w->heard[0] = '\0';
    w->played[0] = '\0';
    world_order(w, &other, HORN, NULL);
    (void)world_turn(w);
    world_heard(w, "same name, other bytes", "refused " HORN "/1#0 (conflict)");
    world_restart(w);
    w->heard[0] = '\0';
    world_order(w, &other, HORN_2, NULL);
    (void)world_turn(w);
    assert_non_null(strstr(w->heard, "refused " HORN_2 "/2#0 (conflict)"));
}

static void a_failure_for_now_is_tried_until_the_end(void **state)
{
    world *w = *state;
    world_alert brief = urgent;
    brief.ends_ms = 1 * MIN;
    world_order(w, &brief, SMS, NULL);
    (void)world_turn(w);
    w->heard[0] = '\0';
    int64_t wake_ms = 0;
    unsigned tries = 0;
    while (w->job_count > 0 && tries < 100) {
        tries++;
        sink_job *job = world_job(w, SMS);
        assert_int_equal(job->attempt, tries - 1);
        world_finish(w, SMS, DLV_PENDING);
        for (int i = 0; i < 500 && w->job_count == 0 && w->heard[0] == '\0'; i++) {
            wake_ms = world_turn(w);
            w->now_ms = wake_ms;
            (void)world_turn(w);
        }
    }
    if (tries < 4 || tries > 12) { /* 0.5 to 1 s, 1 to 2, 2 to 4, 4 to 8, 8 to 16, 16 to 30 ... within a minute */
        fail_msg("%u tries in a minute", tries);
    }
    world_heard(w, "the last reason is told", "failed " SMS "/3#0 (device)");
}

static void repeats_go_on_without_the_router(void **state)
{
    world *w = *state;
    static const uint32_t after[] = {300, 600};
    const wire_target tsunami = {
        .mode = MODE_INTERRUPT, .repeat_after_s = after, .repeat_after_count = 2, .repeat_every_s = 1200};
    w->at_once = true;
    world_order(w, &urgent, HORN, &tsunami);
    (void)world_turn(w);
    world_kept(w);
    w->heard[0] = '\0';
    sink_link_down(&w->sink, 0, LANE_URGENT);
    sink_link_down(&w->sink, 0, LANE_OTHER);
    world_later(w, 5 * MIN);
    world_later(w, 5 * MIN);
    world_played(w, "first, +5, +10", "start " HORN "#0 start " HORN "#1 start " HORN "#2");
    world_restart(w);
    (void)world_turn(w);
    world_heard(w, "told when it is back", "done " HORN "/1#1 done " HORN "/1#2");
    world_later(w, 19 * MIN);
    world_played(w, "not yet", "");
    world_later(w, 1 * MIN);
    world_played(w, "+30", "start " HORN "#3");
    world_crash(w);
    w->now_ms += 25 * MIN; /* the slot at +50 is missed */
    world_restart(w);
    (void)world_turn(w);
    world_played(w, "one for what was missed", "start " HORN "#4");
    world_later(w, 10 * MIN);
    world_played(w, "the alert has ended at +60", "");
}

static void a_long_absence_is_made_good_by_one_repeat(void **state)
{
    world *w = *state;
    const wire_target often = {.mode = MODE_INTERRUPT, .repeat_every_s = 120};
    w->at_once = true;
    world_order(w, &urgent, HORN, &often);
    (void)world_turn(w);
    world_crash(w);
    w->now_ms += 21 * MIN; /* +2, +4 ... +20 are missed */
    world_restart(w);
    (void)world_turn(w);
    world_played(w, "one", "start " HORN "#0 start " HORN "#1");
    world_later(w, 1 * MIN);
    world_played(w, "then as planned, at +22", "start " HORN "#2");
}

static void after_a_crash_an_urgent_one_is_repeated_once_and_labelled(void **state)
{
    world *w = *state;
    world_order(w, &urgent, HORN, NULL);
    world_order(w, &priority, HORN_2, &next);
    (void)world_turn(w);
    w->heard[0] = '\0';
    w->played[0] = '\0';
    world_restart(w);
    (void)world_turn(w);
    world_played(w, "no device answers", "ask " HORN "#0 '' ask " HORN_2 "#0 '' start " HORN "#0 again");
    assert_non_null(strstr(w->heard, "uncertain " HORN_2 "/2#0 (crash)"));
    w->heard[0] = '\0';
    world_restart(w);
    (void)world_turn(w);
    world_played(w, "a second crash: not a third time", "ask " HORN "#0 ''");
    assert_non_null(strstr(w->heard, "uncertain " HORN "/1#0 again (crash)"));
}

static void after_a_crash_the_device_knows(void **state)
{
    world *w = *state;
    kg_diag diag = {{0}};
    w->can_be_asked = true;
    w->ask_says = DLV_DONE;
    world_order(w, &urgent, HORN, NULL);
    (void)world_turn(w);
    assert_int_equal(sink_note_ref(&w->sink, world_job(w, HORN), "item 7", &diag), KG_OK);
    w->heard[0] = '\0';
    w->played[0] = '\0';
    world_restart(w);
    (void)world_turn(w);
    world_played(w, "asked by its own name", "ask " HORN "#0 'item 7'");
    world_heard(w, "it was played", "done " HORN "/1#0");
    w->ask_says = DLV_PENDING;
    world_order(w, &urgent_2, HORN, NULL);
    (void)world_turn(w);
    w->played[0] = '\0';
    world_restart(w);
    (void)world_turn(w);
    world_played(w, "it was surely not", "ask " HORN "#0 '' start " HORN "#0");
}

static void a_held_one_survives_a_crash(void **state)
{
    world *w = *state;
    world_order(w, &urgent, HORN, NULL);
    world_order(w, &urgent_2, HORN, NULL);
    (void)world_turn(w);
    w->at_once = true;
    world_restart(w);
    (void)world_turn(w);
    w->heard[0] = '\0';
    w->played[0] = '\0';
    assert_int_equal(w->sink.holdings, 0);
    world_restart(w);
    (void)world_turn(w);
    world_played(w, "both are over", "");
}

static void a_key_revoked_here_starts_nothing_more(void **state)
{
    world *w = *state;
    const world_alert soon_revoked = {.class = CLASS_URGENT, .who = TF_HEALTH};
    world_order(w, &soon_revoked, HORN, NULL);
    (void)world_turn(w);
    w->heard[0] = '\0';
    w->played[0] = '\0';
    kg_buf bytes = {0};
    manifest *fresh = NULL;
    const public_key root = secret_public(w->trust.keys[TF_ROOT]);
    kg_diag diag = {{0}};
    secret_key *kept = w->trust.keys[TF_HEALTH];
    w->trust.keys[TF_HEALTH] = w->trust.keys[TF_STRANGER]; /* a manifest in which the signer is no more */
    tf_manifest(&w->trust, 2, &bytes);
    w->trust.keys[TF_HEALTH] = kept;
    assert_int_equal(manifest_read(bytes.s, bytes.len, &root, &fresh, &diag), KG_OK);
    kg_buf_done(&bytes);
    sink_manifest(&w->sink, fresh);
    manifest_free(&w->trust.manifest);
    w->trust.manifest = fresh;
    (void)world_turn(w);
    world_played(w, "stopped", "stop " HORN "#0");
    world_heard(w, "and said", "partial " HORN "/1#0");
    world_order(w, &soon_revoked, HORN_2, NULL);
    (void)world_turn(w);
    world_played(w, "the same alert elsewhere", "");
    world_heard(w, "the same alert elsewhere", "refused " HORN_2 "/2#0 (unknown-key)");
}

static void a_large_alert_comes_in_pieces(void **state)
{
    world *w = *state;
    static char text[100 * 1024];
    memset(text, 'a', sizeof text - 1);
    world_alert large = urgent;
    large.description = text;
    world_order(w, &large, HORN, NULL);
    (void)world_turn(w);
    world_heard(w, "nothing is held yet", "");
    kg_buf bytes = {0};
    alert_id id;
    world_sign(w, &large, &bytes, &id);
    const wire_bytes whole = {(const uint8_t *)bytes.s, bytes.len};
    for (int i = 0; i < 10 && w->heard[0] == '\0'; i++) {
        wire_msg m = {.kind = WIRE_PIECE};
        kg_buf frame = {0};
        m.u.piece = pieces_cut(&w->wanted, &whole, w->wanted_offset);
        assert_int_equal(wire_write(&m, &frame), KG_OK);
        sink_take(&w->sink, 0, LANE_URGENT, frame.s, frame.len);
        (void)world_turn(w);
        kg_buf_done(&frame);
    }
    kg_buf_done(&bytes);
    world_heard(w, "all pieces", "held " HORN "/1#0 started " HORN "/1#0");
}

static void each_router_hears_of_what_it_ordered(void **state)
{
    world *w = *state;
    w->config.router_count = 2;
    world_restart(w);
    world_order(w, &urgent, HORN, NULL);
    (void)world_turn(w);
    world_heard(w, "the first orders", "held " HORN "/1#0 started " HORN "/1#0");
    w->via = 1;
    world_order(w, &urgent, HORN, NULL);
    (void)world_turn(w);
    world_heard(w, "so does the second", "2:held " HORN "/1#0 2:started " HORN "/1#0");
    world_restart(w);
    (void)world_turn(w);
    w->heard[0] = '\0';
    world_finish(w, HORN, DLV_DONE);
    world_heard(w, "both hear the end, also after a crash", "done " HORN "/1#0 again 2:done " HORN "/1#0 again");
    world_kept(w);
    sink_link_up(&w->sink, 0, LANE_URGENT);
    sink_link_up(&w->sink, 1, LANE_URGENT);
    (void)world_turn(w);
    world_heard(w, "the second has kept it, the first not", "done " HORN "/1#0 again");
    w->via = 0;
    world_kept(w);
    world_restart(w);
    (void)world_turn(w);
    world_heard(w, "both have", "");
}

static void credit_follows_what_is_held(void **state)
{
    world *w = *state;
    assert_int_equal(w->credit[LANE_URGENT], 8);
    assert_int_equal(w->credit[LANE_OTHER], 8);
    for (int i = 0; i < 4; i++) {
        char name[16];
        world_alert one = urgent;
        (void)snprintf(name, sizeof name, "N%d", i);
        one.identifier = name;
        world_order(w, &one, HORN, NULL);
    }
    assert_int_equal(w->credit[LANE_URGENT], 8);
    (void)world_turn(w);
    assert_int_equal(w->credit[LANE_URGENT], 12); /* four held, though only one plays */
    assert_int_equal(w->credit[LANE_OTHER], 8);
}

int main(void)
{
#define IN_WORLD(t) cmocka_unit_test_setup_teardown(t, open_world, close_world)
    const struct CMUnitTest tests[] = {
        IN_WORLD(an_order_is_held_played_and_reported),
        IN_WORLD(an_outcome_is_said_until_it_is_kept),
        IN_WORLD(a_repeated_order_is_answered_from_the_ledger),
        IN_WORLD(a_full_pipe_loses_nothing),
        IN_WORLD(urgent_cuts_in_and_what_it_cut_comes_back_labelled),
        IN_WORLD(what_was_cut_and_ends_is_partial),
        IN_WORLD(a_recall_stops_what_waits_and_what_plays),
        IN_WORLD(a_cancel_ends_its_alert_in_either_order),
        IN_WORLD(only_its_own_agency_and_status_end_an_alert),
        IN_WORLD(what_is_over_on_arrival_is_acknowledged_and_not_played),
        IN_WORLD(a_correction_goes_where_the_old_one_was),
        IN_WORLD(what_may_not_be_said_is_refused),
        IN_WORLD(a_failure_for_now_is_tried_until_the_end),
        IN_WORLD(repeats_go_on_without_the_router),
        IN_WORLD(a_long_absence_is_made_good_by_one_repeat),
        IN_WORLD(after_a_crash_an_urgent_one_is_repeated_once_and_labelled),
        IN_WORLD(after_a_crash_the_device_knows),
        IN_WORLD(a_held_one_survives_a_crash),
        IN_WORLD(a_key_revoked_here_starts_nothing_more),
        IN_WORLD(a_large_alert_comes_in_pieces),
        IN_WORLD(each_router_hears_of_what_it_ordered),
        IN_WORLD(credit_follows_what_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
