#include "accept.h"

#include <stdio.h>
#include <string.h>

#include "alert/pack.h"
#include "base/fault.h"
#include "base/log.h"
#include "decide.h"
#include "ending.h"
#include "held.h"

/* ---- answers ---- */

static void say(accept_result *out, wire_outcome outcome, const char *code, const char *sentence)
{
    if (sentence != NULL && sentence != out->sentence.text) {
        kg_ignore(kg_fail(&out->sentence, KG_E_DENIED, "%s", sentence)); /* the text is wanted, not the code */
    }
    out->verdict.outcome = outcome;
    out->verdict.code = code;
    out->verdict.sentence = out->sentence.text;
}

static const char *id_text(const accept_result *out, char text[ALERT_ID_TEXT])
{
    (void)snprintf(text, ALERT_ID_TEXT, "-");
    if (out->verdict.has_id) {
        alert_id_text(out->verdict.id, text);
    }
    return text;
}

/* What went wrong here and may go well later: nothing was taken, nothing is refused for good. */
static void later(core *c, accept_result *out, kg_err e, const kg_diag *why)
{
    char id[ALERT_ID_TEXT];
    if (e != KG_E_AGAIN) {
        (void)core_fail(c, e, why);
    }
    kg_log(KG_WARNING, "alert.later", KG_TEXT("alert", id_text(out, id)), KG_TEXT("why", why->text));
    say(out, WIRE_TRY_LATER, refusal_code(REFUSAL_TRY_LATER), refusal_vi(REFUSAL_TRY_LATER));
}

static void refuse(core *c, accept_result *out, refusal r, const char *who, const kg_diag *why)
{
    char id[ALERT_ID_TEXT];
    const char *code = refusal_code(r);
    if (r == REFUSAL_TRY_LATER) {
        later(c, out, KG_E_AGAIN, why);
        return;
    }
    c->counts[COUNT_REFUSED]++;
    core_audit(c, who, "alert.refused", id_text(out, id), "code=%s manifest=%llu %s", code,
               (unsigned long long)manifest_version(c->manifest), why->text);
    kg_log(KG_WARNING, "alert.refused", KG_TEXT("alert", id), KG_TEXT("by", who), KG_TEXT("code", code),
           KG_TEXT("why", why->text));
    kg_ignore(kg_fail(&out->sentence, KG_E_DENIED, "%s (%s)", refusal_vi(r), why->text)); /* only the text is wanted */
    say(out, WIRE_REFUSED_FOR_GOOD, code, NULL);
}

/* ---- what is known of the id ---- */

typedef struct known {
    bool found;
    uint64_t position;
    alert_hash hash;
    bool held;
    uint8_t lifecycle;
    char code[64];
    char sentence[KG_DIAG_MAX];
} known;

static kg_err take_known(void *ctx, const journal_alert *a)
{
    known *k = ctx;
    *k = (known){.found = true, .position = a->position, .hash = a->hash, .held = a->held, .lifecycle = a->lifecycle};
    (void)snprintf(k->code, sizeof k->code, "%s", a->hold_code != NULL ? a->hold_code : "");
    (void)snprintf(k->sentence, sizeof k->sentence, "%s", a->hold_sentence != NULL ? a->hold_sentence : "");
    return KG_OK;
}

static kg_err look_up(core *c, alert_id id, known *k, kg_diag *diag)
{
    *k = (known){0};
    const kg_err e = journal_find(c->journal, id, take_known, k, diag);
    return e == KG_E_NOTFOUND ? KG_OK : e;
}

static kg_err count_one(void *ctx, const journal_delivery *d)
{
    (void)d;
    (*(uint32_t *)ctx)++;
    return KG_OK;
}

/* Codes a held alert may have wait in the journal, not in this program: the answer's code must outlive the turn. */
static const char *lasting_code(const char *code)
{
    for (int r = 0; r < REFUSAL_COUNT; r++) {
        if (strcmp(refusal_code((refusal)r), code) == 0) {
            return refusal_code((refusal)r);
        }
    }
    return "held";
}

static void answer_again(core *c, const known *k, accept_result *out)
{
    kg_diag diag = {0};
    c->counts[COUNT_DUPLICATES]++;
    out->verdict.position = k->position;
    const kg_err e = journal_deliveries_of(c->journal, k->position, count_one, &out->verdict.targets, &diag);
    if (e != KG_OK) {
        later(c, out, e, &diag);
    } else if (k->lifecycle == LIFE_WITHDRAWN) {
        say(out, WIRE_REFUSED_FOR_GOOD, "withdrawn", "Người trực đã xem và từ chối bản tin này.");
    } else if (k->held) {
        say(out, WIRE_HELD_FOR_PERSON, lasting_code(k->code), k->sentence);
    } else {
        say(out, WIRE_DUPLICATE, "ok", "");
    }
}

/* ---- content the law asks for ---- */

static refusal check_content(const core *c, const alert *a, kg_diag *why)
{
    if (a->msg_type == CAP_ACK || a->msg_type == CAP_ERROR) {
        kg_ignore(kg_fail(why, KG_E_INVALID, "an %s is no warning", cap_msg_type_text(a->msg_type)));
        return REFUSAL_BAD_FORM;
    }
    if (a->msg_type != CAP_ALERT && a->references.count == 0) {
        kg_ignore(kg_fail(why, KG_E_INVALID, "it names no alert to update or cancel"));
        return REFUSAL_NOTHING_TO_END;
    }
    if (a->expires_ms <= c->now_ms) {
        kg_ignore(kg_fail(why, KG_E_EXPIRED, "it ended %lld s before it arrived",
                          (long long)((c->now_ms - a->expires_ms) / 1000)));
        return REFUSAL_EXPIRED;
    }
    kg_arena mem = {0};
    const char *missing = a->status == CAP_ACTUAL ? route_missing_content(a, &mem) : NULL;
    if (missing != NULL) {
        kg_ignore(kg_fail(why, KG_E_INVALID, "thiếu: %s", missing));
    }
    kg_arena_done(&mem);
    return missing != NULL ? REFUSAL_MISSING_CONTENT : REFUSAL_NONE;
}

/* ---- storing ---- */

static kg_err store_alert(core *c, const decision *d, journal_alert *row, accept_result *out, kg_diag *diag)
{
    kg_arena mem = {0};
    journal_delivery *rows = NULL;
    size_t count = 0;
    kg_err e = decide_deliveries(d, &mem, &rows, &count);
    if (e == KG_OK) {
        e = journal_accept(c->journal, row, rows, count, diag);
    } else {
        e = kg_fail(diag, e, "no memory for the plan's deliveries");
    }
    if (e == KG_OK && row->signed_len > WIRE_INLINE_MAX) {
        e = journal_blob_put(c->journal, &row->hash, row->signed_bytes, row->signed_len, diag); /* fetched in pieces */
    }
    KG_FAULT("router.accepting");
    if (e == KG_OK && row->held) {
        e = core_hold(c, row->position, row->expires_ms);
    }
    if (e == KG_OK) {
        const book_alert head = {.position = row->position,
                                 .id = row->id,
                                 .accepted_ms = row->accepted_ms,
                                 .expires_ms = row->expires_ms,
                                 .class = row->class,
                                 .weight = row->weight,
                                 .lifecycle = row->lifecycle};
        e = decide_enter(c, &head, d, rows, count);
    }
    if (e == KG_OK) {
        out->verdict.position = row->position;
        out->verdict.targets = (uint32_t)count;
        c->next_expiry_ms = row->expires_ms < c->next_expiry_ms ? row->expires_ms : c->next_expiry_ms;
    }
    kg_arena_done(&mem);
    return e;
}

static void want_blob(core *c, accept_result *out, const alert_hash *hash, uint64_t bytes)
{
    kg_buf there = {0};
    kg_diag diag = {0};
    if (bytes > 0 && out->blob_count < ACCEPT_BLOBS_MAX &&
        journal_blob_get(c->journal, hash, &there, &diag) == KG_E_NOTFOUND) {
        out->blobs[out->blob_count++] = (accept_blob){*hash, bytes};
    }
    kg_buf_done(&there);
}

static void want_blobs(core *c, const alert *a, accept_result *out)
{
    if (a->has_source) {
        want_blob(c, out, &a->source_hash, a->source_bytes);
    }
    for (size_t i = 0; i < a->infos.count; i++) {
        for (size_t j = 0; j < a->infos.items[i].resources.count; j++) {
            const alert_resource *r = &a->infos.items[i].resources.items[j];
            if (r->carried) {
                want_blob(c, out, &r->hash, r->size);
            }
        }
    }
}

static void policy_text(const core *c, char out[17])
{
    static const char digits[] = "0123456789abcdef";
    const alert_hash *h = policy_hash(c->policy);
    for (size_t i = 0; i < 8; i++) {
        out[2 * i] = digits[h->b[i] >> 4];
        out[2 * i + 1] = digits[h->b[i] & 15];
    }
    out[16] = '\0';
}

static void note_accepted(core *c, const alert *a, const decision *d, const char *who, accept_result *out)
{
    char id[ALERT_ID_TEXT];
    char hash[17];
    const char *action = d->hold != NULL ? "alert.held" : "alert.accepted";
    policy_text(c, hash);
    core_audit(c, who, action, id_text(out, id),
               "agency=%s sector=%s class=%s status=%s targets=%u code=%s lifecycle=%s policy=%s manifest=%llu",
               a->agency, a->sector, bulletin_class_text(a->bulletin_class), cap_status_text(a->status),
               out->verdict.targets, d->hold != NULL ? d->hold : "ok",
               life_state_text(d->hold != NULL ? LIFE_ALIVE : d->life.own), hash,
               (unsigned long long)manifest_version(c->manifest));
    kg_log(KG_INFO, action, KG_TEXT("alert", id), KG_TEXT("agency", a->agency),
           KG_TEXT("class", bulletin_class_text(a->bulletin_class)), KG_INT("targets", out->verdict.targets),
           KG_TEXT("code", d->hold != NULL ? d->hold : "ok"));
    if (d->hold != NULL) {
        c->counts[COUNT_HELD]++;
        say(out, WIRE_HELD_FOR_PERSON, lasting_code(d->hold), d->hold_vi);
    } else {
        c->counts[COUNT_ACCEPTED]++;
        say(out, WIRE_ACCEPTED, "ok", "");
    }
}

typedef struct submitted {
    const void *bytes;
    size_t n;
    const alert *alert;
    const char *who;
} submitted;

static void take_new(core *c, const submitted *s, accept_result *out)
{
    kg_diag diag = {0};
    decision d;
    const alert *a = s->alert;
    kg_err e = decide(c, a, verify_holders(s->bytes, s->n, c->manifest), false, &d, &diag);
    if (e == KG_E_NOTFOUND) {
        refuse(c, out, REFUSAL_UNKNOWN_COMMUNE, s->who, &diag);
        return;
    }
    if (e != KG_OK) {
        later(c, out, e, &diag);
        return;
    }
    journal_alert row = {.id = out->verdict.id,
                         .hash = out->verdict.hash,
                         .agency = a->agency,
                         .class = (uint8_t)a->bulletin_class,
                         .weight = decide_weight(a),
                         .lifecycle = (uint8_t)(d.hold != NULL ? LIFE_ALIVE : d.life.own),
                         .held = d.hold != NULL,
                         .accepted_ms = c->now_ms,
                         .expires_ms = d.plan.expires_ms,
                         .changed_ms = c->now_ms,
                         .hold_code = d.hold != NULL ? d.hold : "",
                         .hold_sentence = d.hold != NULL ? d.hold_vi : "",
                         .signed_bytes = s->bytes,
                         .signed_len = s->n};
    if (core_batch(c)) {
        e = store_alert(c, &d, &row, out, &diag);
    } else {
        e = c->failed;
        diag = c->why;
    }
    if (e == KG_OK) {
        note_accepted(c, a, &d, s->who, out);
        want_blobs(c, a, out);
        if (d.hold == NULL) {
            ending_all(c, &d.life.ends);
        }
    } else {
        later(c, out, e, &diag);
    }
    decision_done(&d);
}

/* ---- the same alert again ---- */

/* Known bytes get their first answer even when the rules have changed since: a key revoked, its time over. They were
 * verified when they came first, and they are the same by hash. */
static bool answered_before(core *c, const submitted *s, accept_result *out)
{
    signed_view v = {0};
    alert a = {0};
    known k = {0};
    kg_diag diag = {0};
    bool same = false;
    if (signed_open(s->bytes, s->n, &v, NULL) == KG_OK && alert_unpack(v.payload, v.payload_len, &a, NULL) == KG_OK) {
        out->verdict.id = alert_own_id(&a);
        out->verdict.has_id = true;
        same = look_up(c, out->verdict.id, &k, &diag) == KG_OK && k.found &&
               memcmp(k.hash.b, out->verdict.hash.b, sizeof k.hash.b) == 0;
    }
    alert_done(&a);
    signed_done(&v);
    if (same) {
        answer_again(c, &k, out);
    }
    return same;
}

static void take_known_id(core *c, const submitted *s, const known *k, accept_result *out)
{
    kg_diag diag = {0};
    if (memcmp(k->hash.b, out->verdict.hash.b, sizeof k->hash.b) == 0) {
        answer_again(c, k, out);
        want_blobs(c, s->alert, out); /* perhaps it went away before they were all here */
        return;
    }
    bool signed_more = false;
    kg_err e = held_sign(c, out->verdict.id, s->bytes, s->n, s->who, &signed_more, &diag);
    if (e == KG_E_CONFLICT) {
        refuse(c, out, REFUSAL_CONFLICT, s->who, &diag);
        return;
    }
    known now = *k;
    if (e == KG_OK && signed_more) {
        e = look_up(c, out->verdict.id, &now, &diag); /* it may be held no more */
    }
    if (e != KG_OK) {
        later(c, out, e, &diag);
        return;
    }
    answer_again(c, &now, out);
}

void accept_alert(core *c, const void *bytes, size_t n, const char *who, accept_result *out)
{
    *out = (accept_result){.verdict.hash = alert_hash_of(bytes, n)};
    c->counts[COUNT_SUBMITTED]++;
    kg_diag why = {0};
    alert a = {0};
    const key_entry *signer = NULL;
    submitted s = {.bytes = bytes, .n = n, .alert = &a, .who = who};
    const refusal r = verify_signed(bytes, n, c->manifest, c->areas, c->now_ms, &a, &signer, &why);
    if (r != REFUSAL_NONE) {
        if (!answered_before(c, &s, out)) {
            refuse(c, out, r, who, &why);
        }
        return;
    }
    out->verdict.id = alert_own_id(&a);
    out->verdict.has_id = true;
    out->class = a.bulletin_class;
    known k;
    const kg_err e = look_up(c, out->verdict.id, &k, &why);
    const refusal content = e == KG_OK && !k.found ? check_content(c, &a, &why) : REFUSAL_NONE;
    if (e != KG_OK) {
        later(c, out, e, &why);
    } else if (k.found) {
        take_known_id(c, &s, &k, out);
    } else if (content != REFUSAL_NONE) {
        refuse(c, out, content, who, &why);
    } else if (a.bulletin_class != CLASS_URGENT && journal_short_of_room(c->journal)) {
        kg_ignore(kg_fail(&why, KG_E_FULL, "the disk is full; only urgent alerts are taken"));
        later(c, out, KG_E_AGAIN, &why);
    } else {
        take_new(c, &s, out);
    }
    alert_done(&a);
}
