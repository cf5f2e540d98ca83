#include "held.h"

#include <string.h>

#include "alert/pack.h"
#include "base/fault.h"
#include "base/log.h"
#include "decide.h"
#include "ending.h"

typedef struct waiting {
    book_alert head;
    bool held;
    bool for_signature;
    kg_buf bytes;
} waiting;

static kg_err take_waiting(void *ctx, const journal_alert *a)
{
    waiting *w = ctx;
    w->head = (book_alert){.position = a->position,
                           .id = a->id,
                           .accepted_ms = a->accepted_ms,
                           .expires_ms = a->expires_ms,
                           .class = a->class,
                           .weight = a->weight,
                           .lifecycle = a->lifecycle};
    w->held = a->held && a->lifecycle == LIFE_ALIVE;
    w->for_signature = a->hold_code != NULL && strcmp(a->hold_code, refusal_code(REFUSAL_NEEDS_SIGNATURE)) == 0;
    return kg_buf_put(&w->bytes, a->signed_bytes, a->signed_len);
}

static kg_err find(core *c, alert_id id, waiting *w, kg_diag *diag)
{
    *w = (waiting){.bytes.max = SIGNED_BYTES_MAX + 1};
    return journal_find(c->journal, id, take_waiting, w, diag);
}

/* For a person's decision: only what is still held counts. */
static kg_err find_held(core *c, alert_id id, waiting *w, kg_diag *diag)
{
    kg_err e = find(c, id, w, diag);
    if (e == KG_OK && !w->held) {
        e = kg_fail(diag, KG_E_NOTFOUND, "this alert is not held; see: keng ledger");
    }
    return e;
}

/* Out of the waiting room, by the decision made for it. */
static kg_err let_go(core *c, const waiting *w, const decision *d, kg_diag *diag)
{
    kg_arena mem = {0};
    journal_delivery *rows = NULL;
    size_t count = 0;
    book_alert head = w->head;
    head.lifecycle = (uint8_t)d->life.own;
    kg_err e = decide_deliveries(d, &mem, &rows, &count);
    if (e == KG_OK) {
        e = core_batch(c) ? journal_set_held(c->journal, head.position, false, "", "", diag) : c->failed;
    }
    if (e == KG_OK && d->life.own != LIFE_ALIVE) {
        e = journal_set_lifecycle(c->journal, head.position, head.lifecycle, c->now_ms, diag);
    }
    if (e == KG_OK && count > 0) {
        e = journal_plan(c->journal, head.position, rows, count, diag);
    }
    KG_FAULT("router.letting_go");
    if (e == KG_OK) {
        e = decide_enter(c, &head, d, rows, count);
    }
    if (e == KG_OK) {
        core_unhold(c, head.position);
        ending_all(c, &d->life.ends);
        c->next_expiry_ms = head.expires_ms < c->next_expiry_ms ? head.expires_ms : c->next_expiry_ms;
    }
    kg_arena_done(&mem);
    return e;
}

/* Verified now, as it stands in the journal or with the signatures joined. */
static kg_err read_again(core *c, const kg_buf *bytes, alert *a, kg_diag *diag)
{
    const key_entry *signer = NULL;
    const refusal r = verify_signed(bytes->s, bytes->len, c->manifest, c->areas, c->now_ms, a, &signer, diag);
    if (r != REFUSAL_NONE) {
        return kg_fail_in(diag, KG_E_DENIED, "%s: ", refusal_code(r));
    }
    if (a->expires_ms <= c->now_ms) {
        return kg_fail(diag, KG_E_EXPIRED, "its time is over");
    }
    return KG_OK;
}

kg_err held_release(core *c, alert_id id, const char *who, const char *why, kg_diag *diag)
{
    waiting w;
    alert a = {0};
    decision d = {0};
    char text[ALERT_ID_TEXT];
    alert_id_text(id, text);
    kg_err e = find_held(c, id, &w, diag);
    if (e == KG_OK) {
        e = read_again(c, &w.bytes, &a, diag);
    }
    if (e == KG_OK) {
        e = decide(c, &a, verify_holders(w.bytes.s, w.bytes.len, c->manifest), true, &d, diag);
    }
    if (e == KG_OK && d.hold != NULL) {
        e = kg_fail(diag, KG_E_DENIED, "it cannot go out even so: %s (%s)", d.hold, d.hold_vi);
    }
    if (e == KG_OK) {
        e = let_go(c, &w, &d, diag);
    }
    if (e == KG_OK) {
        core_audit(c, who, "held.released", text, "why=%s targets=%zu", why, d.plan.in_count);
        kg_log(KG_INFO, "held.released", KG_TEXT("alert", text), KG_TEXT("by", who), KG_TEXT("why", why));
    } else if (kg_err_class(e) != KG_PERM) {
        (void)core_fail(c, e, diag);
    }
    decision_done(&d);
    alert_done(&a);
    kg_buf_done(&w.bytes);
    return e;
}

kg_err held_refuse(core *c, alert_id id, const char *who, const char *why, kg_diag *diag)
{
    waiting w;
    char text[ALERT_ID_TEXT];
    alert_id_text(id, text);
    kg_err e = find_held(c, id, &w, diag);
    if (e == KG_OK) {
        e = core_batch(c) ? journal_set_held(c->journal, w.head.position, false, "withdrawn", why, diag) : c->failed;
    }
    if (e == KG_OK) {
        e = journal_set_lifecycle(c->journal, w.head.position, LIFE_WITHDRAWN, c->now_ms, diag);
    }
    if (e == KG_OK) {
        life_changes revived = {0};
        kg_ignore(life_withdraw(c->life, id, c->now_ms, &revived)); /* most held alerts were never alive: not found */
        ending_all(c, &revived);
        core_unhold(c, w.head.position);
        core_audit(c, who, "held.refused", text, "why=%s", why);
        kg_log(KG_INFO, "held.refused", KG_TEXT("alert", text), KG_TEXT("by", who), KG_TEXT("why", why));
    } else if (kg_err_class(e) != KG_PERM) {
        (void)core_fail(c, e, diag);
    }
    kg_buf_done(&w.bytes);
    return e;
}

/* ---- a second signature ---- */

static bool has_key(const signed_view *v, const uint8_t key[SIGNED_KEY_BYTES])
{
    for (size_t i = 0; i < v->signature_count; i++) {
        if (memcmp(v->signatures[i].key, key, SIGNED_KEY_BYTES) == 0) {
            return true;
        }
    }
    return false;
}

/* KG_E_EXISTS: no signature that was not there before. */
static kg_err join(const kg_buf *stored, const void *bytes, size_t n, kg_buf *out, kg_diag *diag)
{
    signed_view old = {0};
    signed_view new = {0};
    kg_err e = signed_open(stored->s, stored->len, &old, diag);
    if (e == KG_OK) {
        e = signed_open(bytes, n, &new, diag);
    }
    if (e == KG_OK && (old.payload_len != new.payload_len || memcmp(old.payload, new.payload, old.payload_len) != 0)) {
        e = kg_fail(diag, KG_E_CONFLICT,
                    "an alert of this sender, identifier and time is here with other content; give this one an "
                    "identifier of its own");
    }
    size_t added = 0;
    for (size_t i = 0; e == KG_OK && i < new.signature_count &&old.signature_count < SIGNED_SIGNATURES_MAX; i++) {
        if (!has_key(&old, new.signatures[i].key)) {
            old.signatures[old.signature_count++] = new.signatures[i];
            added++;
        }
    }
    if (e == KG_OK) {
        e = added == 0 ? KG_E_EXISTS : signed_pack(&old, out);
    }
    signed_done(&old);
    signed_done(&new);
    return e;
}

/* It may go now, or wait for another reason. */
static kg_err decide_again(core *c, const waiting *w, const kg_buf *bytes, const alert *a, kg_diag *diag)
{
    decision d = {0};
    kg_err e = decide(c, a, verify_holders(bytes->s, bytes->len, c->manifest), false, &d, diag);
    if (e == KG_OK) {
        e = d.hold == NULL ? let_go(c, w, &d, diag)
                           : journal_set_held(c->journal, w->head.position, true, d.hold, d.hold_vi, diag);
    }
    decision_done(&d);
    return e;
}

kg_err held_sign(core *c, alert_id id, const void *bytes, size_t n, const char *who, bool *changed, kg_diag *diag)
{
    waiting w;
    alert a = {0};
    kg_buf joined = {.max = SIGNED_BYTES_MAX};
    *changed = false;
    kg_err e = find(c, id, &w, diag);
    if (e == KG_OK) {
        e = join(&w.bytes, bytes, n, &joined, diag);
    }
    if (e == KG_OK && w.held) {
        e = read_again(c, &joined, &a, diag);
        if (e == KG_OK) {
            const alert_hash hash = alert_hash_of(joined.s, joined.len);
            e = core_batch(c) ? journal_sign_again(c->journal, w.head.position, &hash, joined.s, joined.len, diag)
                              : c->failed;
        }
        if (e == KG_OK) {
            char text[ALERT_ID_TEXT];
            alert_id_text(id, text);
            core_audit(c, who, "alert.signed-again", text, "holders=%zu",
                       verify_holders(joined.s, joined.len, c->manifest));
            *changed = true;
            e = w.for_signature ? decide_again(c, &w, &joined, &a, diag) : KG_OK;
        }
    }
    alert_done(&a);
    kg_buf_done(&joined);
    kg_buf_done(&w.bytes);
    return e == KG_E_EXISTS ? KG_OK : e;
}
