#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "cap/gate.h"
#include "cap/sniff.h"
#include "desk_own.h"
#include "endings.h"
#include "shortform/shortform.h"

/* Completes, signs and queues one alert; says why not otherwise. */
static void take_alert(desk *d, talk *t, alert *a, const kg_buf *source, const desk_request *r)
{
    kg_diag diag = {{0}};
    authored w;
    const kg_err e = author_sign(d->config, a, source, r->folder, kg_clock_wall_ms(), &w, &diag);
    if (e != KG_OK) {
        desk_say(t, "%s: refused: %s", r->name, diag.text);
        t->failed = true;
        return;
    }
    desk_queue(d, t, &w, r);
    authored_done(&w);
}

/* An update names the alert it replaces; its document then is no longer the original word for word. */
static bool make_update(desk *d, talk *t, alert *a, const desk_request *r)
{
    kg_diag diag = {{0}};
    alert old;
    alert_id id;
    kg_err e = desk_find(d, r->alert, &id, &old, &diag);
    if (e == KG_OK) {
        e = endings_update_of(a, &old, &diag);
        if (e == KG_OK) {
            e = desk_last(d, &old, alert_own_id(a), &diag);
        }
        alert_done(&old);
    }
    if (e != KG_OK) {
        desk_say(t, "%s: refused: %s", r->name, diag.text);
        t->failed = true;
    }
    return e == KG_OK;
}

static bool is_update(const desk_request *r)
{
    return strcmp(r->verb, "update") == 0;
}

/* A form without an id is named by its text. Its copy is the same alert, however young the file is, as long as the
 * first one stands. */
static void be_the_same(desk *d, alert *a, const desk_request *r)
{
    const alert_hash h = alert_hash_of(kg_buf_str(r->document), r->document->len);
    char digits[17];
    kg_hex(h.b, 8, digits);
    const size_t n = strlen(a->identifier);
    if (n > 16 && strcmp(a->identifier + n - 16, digits) == 0) {
        const int64_t before = desk_sent_before(d, a);
        a->sent_ms = before != 0 ? before : a->sent_ms;
    }
}

static void take_short(desk *d, talk *t, const desk_request *r)
{
    kg_diag diag = {{0}};
    alert a;
    const shortform_source source = {r->name, r->document, d->config->sender, d->config->agency, r->document_ms};
    if (shortform_read(&source, &a, &diag) != KG_OK) {
        desk_say(t, "refused: %s", diag.text);
        t->failed = true;
        return;
    }
    if (!is_update(r)) {
        be_the_same(d, &a, r);
    }
    if (!is_update(r) || make_update(d, t, &a, r)) {
        take_alert(d, t, &a, NULL, r);
    }
    alert_done(&a);
}

static void take_cap_alert(desk *d, talk *t, cap_document *doc, const desk_request *r)
{
    alert *a = &doc->alert;
    kg_diag diag = {{0}};
    if (author_class(d->config, a, &diag) != KG_OK) {
        desk_say(t, "%s: refused: %s", r->name, diag.text);
        t->failed = true;
        return;
    }
    if (doc->verdict == CAP_HOLD) {
        for (size_t i = 0; i < doc->finding_count; i++) {
            if (doc->findings[i].verdict == CAP_HOLD) {
                const char *why = kg_arena_str(&a->mem, doc->findings[i].sentence);
                a->hold = why != NULL ? why : "see the document";
                break;
            }
        }
    }
    if (is_update(r)) {
        if (make_update(d, t, a, r)) {
            take_alert(d, t, a, NULL, r);
        }
        return;
    }
    kg_buf source = {0};
    if (kg_buf_put(&source, r->document->s + doc->from, doc->length) == KG_OK) {
        take_alert(d, t, a, &source, r);
    }
    kg_buf_done(&source);
}

static const char *first_refusal(const cap_document *doc)
{
    for (size_t i = 0; i < doc->finding_count; i++) {
        if (doc->findings[i].verdict == CAP_REFUSE) {
            return doc->findings[i].sentence;
        }
    }
    return "there is no alert in it";
}

static void take_cap(desk *d, talk *t, const desk_request *r)
{
    kg_diag diag = {{0}};
    cap_reading reading;
    if (gate_read(r->document->s, r->document->len, d->config->offset_min, &reading, &diag) != KG_OK) {
        desk_say(t, "%s: refused: %s", r->name, diag.text);
        t->failed = true;
        return;
    }
    if (is_update(r) && reading.count != 1) {
        desk_say(t, "%s: refused: an update is one alert; this holds %zu", r->name, reading.count);
        t->failed = true;
        cap_reading_done(&reading);
        return;
    }
    for (size_t i = 0; i < reading.count; i++) {
        cap_document *doc = &reading.documents[i];
        for (size_t k = 0; k < doc->finding_count && !r->quiet_if_known; k++) {
            desk_say(t, "%s:%d: %s: %s: %s", r->name, doc->findings[k].line, cap_verdict_text(doc->findings[k].verdict),
                     doc->findings[k].rule, doc->findings[k].sentence);
        }
        if (doc->verdict == CAP_REFUSE || !doc->has_alert) {
            const bool named = doc->entry != NULL && doc->entry[0] != '\0';
            desk_say(t, "%s: refused: %s%s%s", r->name, named ? doc->entry : "", named ? ": " : "", first_refusal(doc));
            t->failed = true;
        } else {
            take_cap_alert(d, t, doc, r);
        }
    }
    cap_reading_done(&reading);
}

void desk_document(desk *d, talk *t, const desk_request *r)
{
    if (r->document == NULL || r->document->len == 0) {
        desk_say(t, "%s: refused: empty", r->name);
        t->failed = true;
    } else if (cap_is_xml(r->document->s, r->document->len)) {
        take_cap(d, t, r);
    } else {
        take_short(d, t, r);
    }
    submit_wake(d->submit);
}
