/* hold - an order from the router becomes a holding: bytes, signature, scope, place; then a row; then HELD.
 *
 * The router is trusted to bring alerts, not to make them: everything that decides whether this station may say this
 * is checked here against the signed bytes and the sink's own key manifest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "sink/engine.h"

enum { NOTE_KEY_MAX = 512 };

/* ---- what an alert says about others, and others about it ---- */

/* An ending is kept by what it names, its status and its agency, so that a drill can never end a real warning and one
 * agency never another's; whichever of the two comes first, the answer is the same. */
static void ending_key(char out[NOTE_KEY_MAX], alert_id id, const alert *by)
{
    char text[ALERT_ID_TEXT];
    alert_id_text(id, text);
    (void)snprintf(out, NOTE_KEY_MAX, "end/%s/%d/%s", text, (int)by->status, by->agency);
}

static void recall_key(char out[NOTE_KEY_MAX], alert_id id, const char *at)
{
    char text[ALERT_ID_TEXT];
    alert_id_text(id, text);
    (void)snprintf(out, NOTE_KEY_MAX, "recall/%s/%s", text, at);
}

static const char *const end_codes[LIFE_STATE_COUNT] = {
    [LIFE_ALIVE] = "recalled",  [LIFE_SUPERSEDED] = "superseded", [LIFE_CANCELLED] = "cancelled",
    [LIFE_EXPIRED] = "expired", [LIFE_WITHDRAWN] = "withdrawn",
};

/* The code a note holds, or NULL. A ledger that cannot be read breaks the sink: "no ending known" would be a guess. */
static const char *noted_code(sink *s, const char *key)
{
    kg_buf value = {.max = 64};
    kg_diag diag = {{0}};
    const kg_err e = ledger_note_get(s->ledger, key, &value, &diag);
    const char *code = NULL;
    for (size_t i = 0; e == KG_OK && i < LIFE_STATE_COUNT; i++) {
        if (strcmp(kg_buf_str(&value), end_codes[i]) == 0) {
            code = end_codes[i];
        }
    }
    if (e != KG_OK && e != KG_E_NOTFOUND) {
        sink_break(s, e, &diag);
    }
    kg_buf_done(&value);
    return code;
}

void hold_end_alert(sink *s, held_alert *a, const char *code)
{
    if (a->end_code != NULL) {
        return;
    }
    a->end_code = code;
    for (size_t i = 0; i < s->post_count; i++) {
        holding *h = board_holding(&s->posts[i], a);
        if (h != NULL) {
            h->item.ended = true;
            board_touch(s, h->post);
        }
    }
}

/* An Update or Cancel ends what it names, here and now and for whatever comes late. */
static void end_references(sink *s, const alert *by)
{
    if (by->msg_type != CAP_UPDATE && by->msg_type != CAP_CANCEL) {
        return;
    }
    const char *code = end_codes[by->msg_type == CAP_UPDATE ? LIFE_SUPERSEDED : LIFE_CANCELLED];
    for (size_t i = 0; i < by->references.count; i++) {
        const alert_ref *r = &by->references.items[i];
        if (strcmp(r->sender, by->sender) != 0) {
            continue; /* another's alert: the router held this for a person, and recalls by name when he agrees */
        }
        const alert_id id = alert_id_of(r->sender, r->identifier, r->sent_ms);
        char key[NOTE_KEY_MAX];
        ending_key(key, id, by);
        rows_note(s, key, code);
        held_alert *a = board_alert(s, id);
        if (a != NULL && a->content.status == by->status && strcmp(a->content.agency, by->agency) == 0) {
            hold_end_alert(s, a, code);
        }
    }
}

/* ---- from bytes to an alert that may be said ---- */

held_alert *hold_verify(sink *s, const wire_bytes *bytes, hold_refusal *why)
{
    alert content = {0};
    const key_entry *signer = NULL;
    const refusal r =
        verify_signed(bytes->b, bytes->n, s->manifest, s->areas, sink_now_ms(s), &content, &signer, &why->diag);
    if (r != REFUSAL_NONE) {
        why->reason = r;
        return NULL;
    }
    held_alert *a = NULL;
    const kg_err e = board_alert_add(s, &content, signer, bytes, &a);
    if (e != KG_OK) {
        alert_done(&content);
        sink_break(s, e, NULL);
        why->reason = REFUSAL_TRY_LATER;
        return NULL;
    }
    char key[NOTE_KEY_MAX];
    ending_key(key, a->id, &a->content);
    a->end_code = noted_code(s, key);
    return a;
}

/* The same id with other bytes, held now or once: a conflict. */
static bool conflicts(sink *s, alert_id id, const alert_hash *hash)
{
    kg_buf before = {.max = SIGNED_BYTES_MAX};
    kg_diag diag = {{0}};
    const kg_err e = ledger_signed(s->ledger, id, &before, &diag);
    bool other = false;
    if (e == KG_OK) {
        const alert_hash was = alert_hash_of(before.s, before.len);
        other = memcmp(was.b, hash->b, sizeof was.b) != 0;
    } else if (e != KG_E_NOTFOUND) {
        sink_break(s, e, &diag);
    }
    kg_buf_done(&before);
    return other;
}

/* The alert of an order, verified once per process. NULL with *why->reason NONE: its bytes are being fetched. */
static held_alert *order_alert(sink *s, const sink_from *from, const wire_msg *m, hold_refusal *why)
{
    const alert_hash *hash = &m->u.order.hash;
    held_alert *a = board_alert(s, m->u.order.id);
    if (a != NULL) {
        why->reason = memcmp(a->hash.b, hash->b, sizeof hash->b) == 0 ? a->refused : REFUSAL_CONFLICT;
        return why->reason == REFUSAL_NONE ? a : NULL;
    }
    if (conflicts(s, m->u.order.id, hash)) {
        why->reason = REFUSAL_CONFLICT;
        return NULL;
    }
    const wire_bytes *bytes = &m->u.order.signed_alert;
    if (bytes->n == 0) {
        why->reason = fetch_alert(s, from, m) ? REFUSAL_NONE : REFUSAL_TOO_LARGE;
        return NULL;
    }
    const alert_hash is = alert_hash_of(bytes->b, bytes->n);
    if (memcmp(is.b, hash->b, sizeof is.b) != 0) {
        why->reason = REFUSAL_BAD_FORM;
        kg_ignore(kg_fail(&why->diag, KG_E_INVALID, "the order's hash is not that of its bytes"));
        return NULL;
    }
    a = hold_verify(s, bytes, why);
    if (a != NULL && !alert_id_same(a->id, m->u.order.id)) {
        why->reason = REFUSAL_BAD_FORM;
        kg_ignore(kg_fail(&why->diag, KG_E_INVALID, "the order names another alert than it carries"));
        return NULL;
    }
    if (a != NULL) {
        end_references(s, &a->content);
    }
    return a;
}

/* ---- one target ---- */

/* An Update or Cancel of an alert that this station holds, or held: its people heard the one that it corrects. */
static bool corrects_here(const sink *s, const alert *by, const char *at)
{
    const bool ends = by->msg_type == CAP_UPDATE || by->msg_type == CAP_CANCEL;
    bool heard = false;
    for (size_t i = 0; ends && !heard && i < by->references.count; i++) {
        const alert_ref *r = &by->references.items[i];
        kg_arena mem = {0};
        ledger_holding row;
        heard = strcmp(r->sender, by->sender) == 0 &&
                ledger_find_holding(s->ledger, alert_id_of(r->sender, r->identifier, r->sent_ms), at, &mem, &row,
                                    NULL) == KG_OK;
        kg_arena_done(&mem);
    }
    return heard;
}

/* A router may not carry a warning to where its author did not send it, but where the author corrects what was said.
 * Geometry is not resolved here (sinks have
 * none): of an alert with polygons or circles only the signer's area is checked. */
bool hold_may_say(const sink *s, const held_alert *a, const wire_target *t, kg_diag *diag)
{
    if (t->communes.count == 0 || !verify_covers(a->signer, s->areas, &t->communes)) {
        kg_ignore(
            kg_fail(diag, KG_E_DENIED, "station '%s': %s", t->station,
                    t->communes.count == 0 ? "the order names no commune" : "the signer may not warn these communes"));
        return false;
    }
    const bool bound = a->places_known && !corrects_here(s, &a->content, t->station);
    for (size_t i = 0; bound && i < t->communes.count; i++) {
        const size_t at = areas_index(s->areas, t->communes.items[i]);
        if (at == SIZE_MAX || !area_set_has(&a->places, (uint32_t)at)) {
            kg_ignore(kg_fail(diag, KG_E_DENIED, "station '%s': commune %s is not in the alert's area", t->station,
                              t->communes.items[i]));
            return false;
        }
    }
    return true;
}

static wire_delivery_receipt receipt_of(const sink *s, alert_id id, const wire_target *t, dlv_state state)
{
    return (wire_delivery_receipt){
        .id = id, .station = t->station, .delivery = t->delivery, .state = (uint32_t)state, .time_ms = sink_now_ms(s)};
}

static void refuse_target(sink *s, const sink_from *from, const held_target *ht, const char *code, const char *detail)
{
    wire_delivery_receipt r = receipt_of(s, ht->id, ht->target, DLV_REFUSED);
    r.code = code;
    r.detail = detail;
    rows_receipt(s, from->router, from->lane, &r);
    s->counts.refused++;
}

static void log_refusal(sink *s, alert_id id, const char *at, const char *code, const kg_diag *diag)
{
    char text[ALERT_ID_TEXT];
    alert_id_text(id, text);
    kg_log(KG_WARNING, "order.refused", KG_TEXT("alert", text), KG_TEXT("station", at), KG_TEXT("code", code),
           KG_TEXT("why", diag->text));
    char detail[KG_DIAG_MAX + 128];
    (void)snprintf(detail, sizeof detail, "%s %s: %s", code, at, diag->text);
    rows_audit(s, &(sink_act){"sink", "order.refused", text, detail});
}

/* Held before: said again from the ledger, with its end if it has one. */
static bool answer_again(sink *s, const sink_from *from, const held_target *ht)
{
    kg_arena mem = {0};
    kg_diag diag = {{0}};
    ledger_holding held;
    ledger_playing first;
    const wire_target *t = ht->target;
    kg_err e = ledger_find_holding(s->ledger, ht->id, t->station, &mem, &held, &diag);
    if (e == KG_OK) {
        wire_delivery_receipt r = receipt_of(s, ht->id, t, DLV_HELD);
        r.time_ms = held.held_ms;
        link_say(s, from->router, from->lane, &r);
        e = ledger_find_playing(s->ledger, ht->id, t->station, 0, &mem, &first, &diag);
        if (e == KG_OK && (dlv_final(first.state) || first.state == DLV_STARTED)) {
            r.state = (uint32_t)first.state;
            r.certainty = (uint32_t)first.certainty;
            r.time_ms = dlv_final(first.state) ? first.ended_ms : first.started_ms;
            r.code = first.code;
            r.detail = first.detail;
            r.labelled = first.labelled;
            link_say(s, from->router, from->lane, &r);
        }
        s->counts.repeated++;
        e = KG_OK;
    }
    kg_arena_done(&mem);
    if (e != KG_OK && e != KG_E_NOTFOUND) {
        sink_break(s, e, &diag);
    }
    return e != KG_E_NOTFOUND;
}

const char *hold_recalled(sink *s, alert_id id, const char *at)
{
    char key[NOTE_KEY_MAX];
    recall_key(key, id, at);
    return noted_code(s, key);
}

/* The holding here, or a row of it: the order is a repetition, perhaps by a second router. */
static bool held_before(sink *s, const sink_from *from, post *p, held_alert *a, const wire_target *t)
{
    holding *h = board_holding(p, a);
    if (h != NULL) {
        hold_add_router(s, h, from->router, t->delivery);
        if (!h->played_once) {
            s->counts.repeated++;
            playout_say(s, h, from->router, DLV_HELD); /* leaves after the commit, as everything said */
            if (h->item.state == PLAYER_PLAYING) {
                playout_say(s, h, from->router, DLV_STARTED);
            }
            return true;
        }
    }
    return answer_again(s, from, &(held_target){a->id, t});
}

void hold_add_router(sink *s, holding *h, size_t router, uint64_t delivery)
{
    const bool known = h->delivery[router] == delivery;
    h->delivery[router] = delivery;
    if (known || s->config->router_count < 2) {
        return; /* with one router its number in the row is enough */
    }
    char key[NOTE_KEY_MAX];
    char number[24];
    (void)snprintf(key, sizeof key, "router/%s/%s/%s", h->alert->id_text, h->post->station->id,
                   s->config->routers[router].name);
    (void)snprintf(number, sizeof number, "%llu", (unsigned long long)delivery);
    rows_note(s, key, number);
}

void hold_know_routers(sink *s, holding *h, uint64_t delivery)
{
    const size_t count = s->config->router_count;
    for (size_t i = 0; count > 1 && i < count; i++) {
        char key[NOTE_KEY_MAX];
        kg_buf value = {.max = 64};
        kg_diag diag = {{0}};
        (void)snprintf(key, sizeof key, "router/%s/%s/%s", h->alert->id_text, h->post->station->id,
                       s->config->routers[i].name);
        const kg_err e = ledger_note_get(s->ledger, key, &value, &diag);
        if (e == KG_OK) {
            h->delivery[i] = strtoull(kg_buf_str(&value), NULL, 10);
        } else if (e != KG_E_NOTFOUND) {
            sink_break(s, e, &diag);
        }
        kg_buf_done(&value);
    }
    if (count == 1) {
        h->delivery[0] = delivery;
    }
}

static void take_target(sink *s, const sink_from *from, held_alert *a, const wire_target *t)
{
    kg_diag diag = {{0}};
    post *p = board_post(s, t->station);
    link_answered(s, from, p);
    if (p == NULL) {
        kg_ignore(kg_fail(&diag, KG_E_NOTFOUND, "no station '%s' in this sink's sink.yaml", t->station));
        log_refusal(s, a->id, t->station, "unknown-station", &diag);
        refuse_target(s, from, &(held_target){a->id, t}, "unknown-station",
                      "Trạm này không có trong cấu hình của bộ phát; kiểm tra danh sách trạm.");
        return;
    }
    if (held_before(s, from, p, a, t)) {
        return;
    }
    if (!hold_may_say(s, a, t, &diag)) {
        const char *code = refusal_code(REFUSAL_WRONG_AREA);
        log_refusal(s, a->id, t->station, code, &diag);
        refuse_target(s, from, &(held_target){a->id, t}, code, refusal_vi(REFUSAL_WRONG_AREA));
        return;
    }
    holding *h = NULL;
    const kg_err e = board_hold(s, p, a, t, &h);
    if (e != KG_OK) {
        sink_break(s, e, NULL);
        return;
    }
    hold_add_router(s, h, from->router, t->delivery);
    h->end_code = hold_recalled(s, a->id, t->station);
    h->item.ended = holding_end_code(h) != NULL;
    s->counts.held++;
    rows_hold(s, h);
    link_held(s, h);
}

void hold_order(sink *s, const sink_from *from, const wire_msg *m)
{
    hold_refusal why = {.reason = REFUSAL_NONE};
    s->counts.orders++;
    held_alert *a = order_alert(s, from, m, &why);
    if (a == NULL && why.reason == REFUSAL_NONE) {
        return; /* parked until its bytes are here */
    }
    if (s->broken != KG_OK) {
        return;
    }
    if (a != NULL && board_lane(a) != LANE_URGENT && ledger_reserve_out(s->ledger)) {
        s->turned_away = true; /* no word of it: the router keeps it and offers it again */
        return;
    }
    if (a == NULL) {
        log_refusal(s, m->u.order.id, "*", refusal_code(why.reason), &why.diag);
    }
    for (size_t i = 0; i < m->u.order.target_count; i++) {
        const wire_target *t = &m->u.order.targets[i];
        if (a != NULL) {
            take_target(s, from, a, t);
        } else {
            link_answered(s, from, board_post(s, t->station));
            refuse_target(s, from, &(held_target){m->u.order.id, t}, refusal_code(why.reason), refusal_vi(why.reason));
        }
    }
}

void hold_recall(sink *s, const sink_from *from, const wire_msg *m)
{
    const char *code = end_codes[m->u.recall.reason < LIFE_STATE_COUNT ? m->u.recall.reason : LIFE_ALIVE];
    held_alert *a = board_alert(s, m->u.recall.id);
    for (size_t i = 0; i < m->u.recall.target_count; i++) {
        const wire_target *t = &m->u.recall.targets[i];
        post *p = board_post(s, t->station);
        holding *h = p != NULL && a != NULL ? board_holding(p, a) : NULL;
        char key[NOTE_KEY_MAX];
        recall_key(key, m->u.recall.id, t->station);
        rows_note(s, key, code); /* also for an order still on its way */
        if (h != NULL) {
            hold_add_router(s, h, from->router, t->delivery);
            h->end_code = h->end_code != NULL ? h->end_code : code;
            h->item.ended = true;
            board_touch(s, p);
        } else if (!answer_again(s, from, &(held_target){m->u.recall.id, t})) {
            wire_delivery_receipt r = receipt_of(s, m->u.recall.id, t, DLV_CANCELLED);
            r.code = code; /* never held, and by the note never to be played */
            link_say(s, from->router, from->lane, &r);
        }
    }
}
