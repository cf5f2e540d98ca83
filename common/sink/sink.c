/* sink - the story of a sink, turn by turn. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/utf8.h"
#include "sink/engine.h"

enum { FULL_WAIT_MS = 1000 };

/* False: it did not go through, and nothing may be acknowledged or started until it does. The reserve on disk is for
 * what is in hand; while it is out only urgent orders are taken (hold.c). */
static bool commit(sink *s, int64_t now_ms)
{
    kg_diag diag = {{0}};
    kg_err e = rows_commit(s, &diag);
    if (e == KG_E_FULL) {
        kg_log(KG_ERROR, "ledger.full", KG_TEXT("why", diag.text));
        if (ledger_use_reserve(s->ledger)) {
            e = rows_commit(s, &diag);
        }
    }
    if (e == KG_E_FULL) {
        s->full_until_ms = now_ms + FULL_WAIT_MS;
    } else if (e != KG_OK) {
        sink_break(s, e, &diag);
    }
    return e == KG_OK;
}

/* Nothing is waiting: the log goes into the file, the reserve is made anew. Then what was turned away for want of room
 * is asked for again. */
static void keep_house(sink *s)
{
    kg_diag diag = {{0}};
    const kg_err e = ledger_idle(s->ledger, &diag);
    if (e != KG_OK && e != KG_E_FULL) {
        sink_break(s, e, &diag);
    } else if (s->turned_away && !ledger_reserve_out(s->ledger)) {
        s->turned_away = false;
        link_hello_again(s, LANE_OTHER);
    }
}

/* Between two calls messages came in (sink_take) and drivers finished (sink_finish): holdings and rows are waiting.
 * Nothing has left the process for them yet. */
int64_t sink_turn(sink *s)
{
    if (s->broken != KG_OK) {
        return INT64_MAX;
    }
    const int64_t now_ms = sink_now_ms(s);
    int64_t wake_ms = fetch_turn(s);
    for (size_t i = 0; i < s->post_count; i++) {
        if (s->posts[i].wake_ms <= now_ms) {
            board_touch(s, &s->posts[i]);
        }
    }
    playout_decide(s); /* what ends, is prepared, stops; what starts gets its STARTED row */
    if (s->broken != KG_OK || s->full_until_ms > now_ms) {
        return s->full_until_ms;
    }
    if (!commit(s, now_ms)) { /* one commit for all that this turn took in */
        return s->full_until_ms;
    }
    playout_start(s);                       /* STARTED is durable: now it may sound */
    const int64_t flush_ms = link_flush(s); /* HELD, STARTED and outcomes are durable: now they may be said */
    wake_ms = flush_ms < wake_ms ? flush_ms : wake_ms;
    board_forget_idle(s);
    for (size_t i = 0; i < s->post_count; i++) {
        wake_ms = s->posts[i].wake_ms < wake_ms ? s->posts[i].wake_ms : wake_ms;
    }
    if (rows_waiting(s) || s->dirty != NULL) {
        return now_ms;
    }
    keep_house(s);
    return wake_ms;
}

void sink_take(sink *s, size_t router, lane l, const void *frame, size_t n)
{
    if (s->broken != KG_OK) {
        return;
    }
    kg_diag diag = {{0}};
    wire_msg m;
    const kg_err e = wire_read(frame, n, &m, &diag);
    if (e != KG_OK) {
        kg_log(KG_WARNING, "frame.refused", KG_TEXT("router", s->config->routers[router].name),
               KG_TEXT("why", diag.text));
        return;
    }
    const sink_from from = {router, l, frame, n};
    if (m.kind == WIRE_ORDER) {
        hold_order(s, &from, &m);
    } else if (m.kind == WIRE_RECALL) {
        hold_recall(s, &from, &m);
    } else if (m.kind == WIRE_PIECE) {
        fetch_piece(s, &from, &m.u.piece);
    } else {
        link_take(s, &from, &m);
    }
    wire_done(&m);
}

void sink_keep_text(char *out, size_t cap, const char *text)
{
    const char *from = text != NULL ? text : "";
    const size_t len = strlen(from);
    const size_t n = len < cap ? len : kg_utf8_floor(from, len, cap - 1);
    memcpy(out, from, n);
    out[n] = '\0';
}

void sink_break(sink *s, kg_err e, const kg_diag *diag)
{
    if (s->broken == KG_OK) {
        s->broken = e;
        kg_log(KG_ERROR, "sink.broken", KG_TEXT("error", kg_err_name(e)),
               KG_TEXT("why", diag != NULL ? diag->text : "no memory"));
    }
}

/* What the new manifest no longer allows ends: no start on a key that is revoked here. */
void sink_manifest(sink *s, const manifest *m)
{
    s->manifest = m;
    for (size_t b = 0; b < ALERT_BUCKETS; b++) {
        for (held_alert *a = s->alerts[b]; a != NULL; a = a->next) {
            alert again = {0};
            kg_diag diag = {{0}};
            const refusal r = verify_signed(a->signed_bytes.s, a->signed_bytes.len, m, s->areas, sink_now_ms(s), &again,
                                            &a->signer, &diag);
            if (r == REFUSAL_NONE) {
                a->refused = r;
                alert_done(&again);
                continue;
            }
            a->signer = NULL;
            a->refused = r;
            kg_log(KG_WARNING, "alert.revoked", KG_TEXT("alert", a->id_text), KG_TEXT("code", refusal_code(r)),
                   KG_TEXT("why", diag.text));
            rows_audit(s, &(sink_act){"sink", "alert.revoked", a->id_text, refusal_code(r)});
            hold_end_alert(s, a, refusal_code(r));
        }
    }
}

static kg_err open_driver(sink *s, size_t i, const sink_driver *const *kinds, size_t kind_count, kg_diag *diag)
{
    const sink_driver_config *c = &s->config->drivers[i];
    for (size_t k = 0; k < kind_count; k++) {
        if (strcmp(kinds[k]->kind, c->kind) != 0) {
            continue;
        }
        const kg_err e = kinds[k]->open(s, c->name, c->config, &s->driver_self[i], diag);
        if (e == KG_OK) {
            s->drivers[i] = kinds[k];
        }
        return e == KG_OK ? e : kg_fail_in(diag, e, "driver '%s': ", c->name);
    }
    kg_buf known = {.max = 512};
    for (size_t k = 0; k < kind_count; k++) {
        kg_ignore(kg_buf_putf(&known, "%s%s", k > 0 ? ", " : "", kinds[k]->kind)); /* only for the sentence */
    }
    const kg_err e = kg_fail(diag, KG_E_INVALID, "driver '%s': this program has no kind '%s'; it has: %s", c->name,
                             c->kind, kg_buf_str(&known));
    kg_buf_done(&known);
    return e;
}

static kg_err add_stations(sink *s, kg_diag *diag)
{
    for (size_t i = 0; i < s->post_count; i++) {
        const post *p = &s->posts[i];
        if (p->driver->add == NULL) {
            continue;
        }
        const kg_err e = p->driver->add(p->self, p->station, diag);
        if (e != KG_OK) {
            return kg_fail_in(diag, e, "station '%s'", p->station->id);
        }
    }
    return KG_OK;
}

kg_err sink_open(sink *s, const sink_driver *const *drivers, size_t count, kg_diag *diag)
{
    char clips[1024];
    (void)snprintf(clips, sizeof clips, "%s/clips", s->config->state);
    kg_err e = kg_dir_make(clips, 0700, diag);
    for (size_t i = 0; e == KG_OK && i < s->config->driver_count; i++) {
        e = open_driver(s, i, drivers, count, diag);
    }
    if (e == KG_OK) {
        e = board_open(s, diag);
    }
    if (e == KG_OK) {
        e = add_stations(s, diag);
    }
    if (e == KG_OK) {
        e = pieces_new(&s->pieces);
    }
    if (e != KG_OK) {
        return e;
    }
    trust_random(&s->session, sizeof s->session);
    verbs_remember_mutes(s);
    e = recover_all(s, diag);
    return e;
}

void sink_close(sink *s)
{
    for (size_t i = 0; i < SINK_DRIVERS_MAX; i++) {
        if (s->drivers[i] != NULL) {
            s->drivers[i]->close(s->driver_self[i]);
            s->drivers[i] = NULL;
        }
    }
    fetch_free(s);
    board_free(s);
    link_free(s);
    rows_free(s);
    kg_buf_done(&s->frame);
}

loop *sink_loop(sink *s)
{
    return s->loop;
}

const char *sink_state_dir(const sink *s)
{
    return s->config->state;
}

int64_t sink_now_ms(const sink *s)
{
    return s->edges.now(s->edges.ctx);
}
