/* recover - the ledger gives back what was held when the process ended: one action for each kind of row.
 *
 *   held, next playing planned    it plays when it is due; of missed repeats only the newest
 *   STARTED, "retry"              nothing of it was heard: tried again
 *   STARTED, "interrupted"        cut before the crash: comes back labelled
 *   STARTED                       the device is asked; else an urgent one is played once more, labelled; else UNCERTAIN
 *   ended, expired meanwhile      recorded so by the player, not played
 *   alert no longer allowed       (key revoked, scope narrowed) ended with the refusal's code
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "sink/engine.h"

typedef struct recovery {
    sink *s;
    kg_diag *diag;
    size_t holdings, playings;
} recovery;

static held_alert *alert_again(sink *s, alert_id id, kg_err *e, kg_diag *diag)
{
    held_alert *a = board_alert(s, id);
    if (a != NULL) {
        return a;
    }
    kg_buf bytes = {.max = SIGNED_BYTES_MAX};
    hold_refusal why = {.reason = REFUSAL_NONE};
    *e = ledger_signed(s->ledger, id, &bytes, diag);
    if (*e == KG_OK) {
        a = hold_verify(s, &(wire_bytes){(const uint8_t *)bytes.s, bytes.len}, &why);
    }
    kg_buf_done(&bytes);
    if (a == NULL && *e == KG_OK) {
        char text[ALERT_ID_TEXT];
        alert_id_text(id, text);
        kg_log(KG_WARNING, "recover.refused", KG_TEXT("alert", text), KG_TEXT("code", refusal_code(why.reason)),
               KG_TEXT("why", why.diag.text));
        rows_audit(s, &(sink_act){"sink", "recover.refused", text, refusal_code(why.reason)});
    }
    return a;
}

static kg_err give_back(recovery *r, const ledger_holding *row, post *p, held_alert *a)
{
    sink *s = r->s;
    kg_arena mem = {0};
    wire_target t;
    ledger_playing first;
    holding *h = NULL;
    kg_err e = wire_target_read(row->target, row->target_len, &mem, &t, r->diag);
    if (e == KG_OK) {
        e = board_hold(s, p, a, &t, &h);
    }
    if (e == KG_OK) {
        hold_know_routers(s, h, row->delivery);
        h->held_ms = row->held_ms;
        h->item.rank = row->held_ms;
        h->item.playing = row->next_playing;
        h->item.due_ms = row->next_due_ms;
        h->end_code = hold_recalled(s, a->id, row->station);
        verbs_remember(s, h);
        if (!hold_may_say(s, a, &t, r->diag)) {
            h->end_code = refusal_code(REFUSAL_WRONG_AREA);
        }
        h->item.ended = holding_end_code(h) != NULL;
        if (row->next_playing > 0) {
            board_played_once(h);
            h->first_ms = row->held_ms;
            e = ledger_find_playing(s->ledger, a->id, row->station, 0, &mem, &first, r->diag);
            h->first_ms = e == KG_OK && first.started_ms != 0 ? first.started_ms : row->held_ms;
            e = e == KG_E_NOTFOUND ? KG_OK : e;
        }
        r->holdings++;
    }
    kg_arena_done(&mem);
    return e;
}

static kg_err take_holding(void *ctx, const ledger_holding *row)
{
    recovery *r = ctx;
    if (row->next_due_ms == 0) {
        return KG_OK; /* all its playings are over */
    }
    post *p = board_post(r->s, row->station);
    if (p == NULL) {
        static const char why[] = "it is no longer in sink.yaml; what it held stays in the ledger";
        kg_log(KG_WARNING, "recover.station", KG_TEXT("station", row->station), KG_TEXT("why", &why[0]));
        return KG_OK;
    }
    kg_err e = KG_OK;
    held_alert *a = alert_again(r->s, row->id, &e, r->diag);
    return a == NULL ? e : give_back(r, row, p, a);
}

/* What it was when the process ended. */
static void resume(holding *h, const ledger_playing *row)
{
    h->item.started = true;
    h->started_ms = row->started_ms;
    h->item.labelled = row->labelled;
    sink_keep_text(h->driver_ref, sizeof h->driver_ref, row->driver_ref);
}

static void unknown_outcome(sink *s, holding *h)
{
    const bool before = h->item.labelled;
    if (h->item.class == CLASS_URGENT && !before && !h->item.ended && h->item.ends_ms > sink_now_ms(s)) {
        h->item.labelled = true; /* once more, and said to be a repeat */
        rows_audit(s, &(sink_act){"sink", "playing.after_crash", h->alert->id_text, h->post->station->id});
        return;
    }
    const sink_outcome o = {.certainty = CERTAIN_STARTED,
                            .code = "crash",
                            .detail = "Bộ phát bị ngắt khi đang phát; không rõ bản tin đã phát hết chưa. "
                                      "Cần người kiểm tra.",
                            .started_ms = h->started_ms};
    playout_end(s, h, DLV_UNCERTAIN, &o);
}

static kg_err take_playing(void *ctx, const ledger_playing *row)
{
    recovery *r = ctx;
    sink *s = r->s;
    post *p = board_post(s, row->station);
    held_alert *a = board_alert(s, row->id);
    holding *h = p != NULL && a != NULL ? board_holding(p, a) : NULL;
    if (row->state != DLV_STARTED) {
        return KG_OK;
    }
    if (h == NULL || h->item.playing != row->playing) {
        /* The station or the right to say it is gone: nobody can find out any more. */
        ledger_playing end = *row;
        end.state = DLV_UNCERTAIN;
        end.code = "crash";
        end.detail = "Bộ phát bị ngắt khi đang phát; trạm hoặc quyền phát không còn.";
        end.ended_ms = sink_now_ms(s);
        rows_playing(s, &end);
        return KG_OK;
    }
    r->playings++;
    resume(h, row);
    if (strcmp(row->code, "retry") == 0) {
        h->item.attempts = 1;
    } else if (strcmp(row->code, "interrupted") == 0) {
        h->item.labelled = true;
    } else {
        h->recovering = true; /* drivers are asked when all is back in memory */
    }
    return KG_OK;
}

static void settle(sink *s)
{
    for (size_t i = 0; i < s->post_count; i++) {
        post *p = &s->posts[i];
        for (size_t k = p->count; k > 0; k--) {
            holding *h = p->items[k - 1];
            if (!h->recovering) {
                continue;
            }
            h->recovering = false;
            KG_FAULT("sink.recover");
            if (!playout_ask(s, h, h->driver_ref)) {
                unknown_outcome(s, h);
            }
        }
    }
}

kg_err recover_all(sink *s, kg_diag *diag)
{
    recovery r = {.s = s, .diag = diag};
    kg_err e = ledger_holdings(s->ledger, true, take_holding, &r, diag);
    if (e == KG_OK) {
        e = ledger_playings(s->ledger, true, take_playing, &r, diag);
    }
    if (e == KG_OK) {
        settle(s);
        e = s->broken;
    }
    if (e == KG_OK && r.holdings > 0) {
        kg_log(KG_INFO, "recover.done", KG_INT("holdings", r.holdings), KG_INT("started", r.playings));
    }
    return e;
}
