#include <stdlib.h>
#include <string.h>

#include "alert/pack.h"
#include "base/clock.h"
#include "base/log.h"
#include "desk_own.h"

enum { PREFIX_LEAST = 6 };

typedef struct search {
    desk *desk;
    const char *name;
    size_t found;
    alert_id id;
} search;

static kg_err open_own(desk *d, alert_id id, alert *out, kg_diag *diag)
{
    kg_buf bytes = {0};
    signed_view v = {0};
    kg_err e = outbox_signed(d->outbox, id, &bytes, diag);
    if (e == KG_OK) {
        e = signed_open(bytes.s, bytes.len, &v, diag);
    }
    if (e == KG_OK) {
        e = alert_unpack(v.payload, v.payload_len, out, diag);
        signed_done(&v);
    }
    kg_buf_done(&bytes);
    return e;
}

static kg_err match(void *ctx, const outbox_row *row)
{
    search *s = ctx;
    char text[ALERT_ID_TEXT];
    alert_id_text(row->id, text);
    bool same = strlen(s->name) >= PREFIX_LEAST && strncmp(text, s->name, strlen(s->name)) == 0;
    alert a;
    if (!same && open_own(s->desk, row->id, &a, NULL) == KG_OK) {
        same = strcmp(a.identifier, s->name) == 0;
        alert_done(&a);
    }
    if (same) {
        s->found++;
        s->id = row->id;
    }
    return KG_OK;
}

kg_err desk_find(desk *d, const char *name, alert_id *id, alert *out, kg_diag *diag)
{
    search s = {.desk = d, .name = name};
    const kg_err e = outbox_rows(d->outbox, false, match, &s, diag);
    if (e != KG_OK) {
        return e;
    }
    if (s.found != 1) {
        return kg_fail(diag, KG_E_NOTFOUND, "\"%s\": %s; `keng-publisher list` shows what this agency has sent", name,
                       s.found == 0 ? "no such alert in the outbox" : "several alerts fit; write more of the id");
    }
    *id = s.id;
    return open_own(d, s.id, out, diag);
}

typedef struct sibling {
    desk *desk;
    const alert *a;
    int64_t sent_ms; /* 0: none found */
} sibling;

static kg_err note_sibling(void *ctx, const outbox_row *row)
{
    sibling *s = ctx;
    const bool stands = row->state != OUTBOX_REFUSED && row->expires_ms > kg_clock_wall_ms();
    alert old;
    if (s->sent_ms != 0 || !stands || open_own(s->desk, row->id, &old, NULL) != KG_OK) {
        return KG_OK;
    }
    if (strcmp(old.identifier, s->a->identifier) == 0 && strcmp(old.sender, s->a->sender) == 0) {
        s->sent_ms = old.sent_ms;
    }
    alert_done(&old);
    return KG_OK;
}

int64_t desk_sent_before(desk *d, const alert *a)
{
    kg_diag diag = {{0}};
    sibling s = {.desk = d, .a = a};
    if (outbox_rows(d->outbox, false, note_sibling, &s, &diag) != KG_OK) {
        kg_log(KG_ERROR, "publisher.outbox", KG_TEXT("why", diag.text));
    }
    return s.sent_ms;
}

typedef struct succession {
    desk *desk;
    const alert *old;
    alert_id ours;
    bool found;
    alert_id by;
} succession;

static kg_err note_successor(void *ctx, const outbox_row *row)
{
    succession *s = ctx;
    const bool stands = row->state == OUTBOX_ACCEPTED || row->state == OUTBOX_WAITING;
    alert a;
    if (s->found || !stands || alert_id_same(row->id, s->ours) || open_own(s->desk, row->id, &a, NULL) != KG_OK) {
        return KG_OK;
    }
    for (size_t i = 0; i < a.references.count && !s->found; i++) {
        const alert_ref *ref = &a.references.items[i];
        s->found = ref->sent_ms == s->old->sent_ms && strcmp(ref->identifier, s->old->identifier) == 0 &&
                   strcmp(ref->sender, s->old->sender) == 0;
        s->by = row->id;
    }
    alert_done(&a);
    return KG_OK;
}

kg_err desk_last(desk *d, const alert *old, alert_id ours, kg_diag *diag)
{
    succession s = {.desk = d, .old = old, .ours = ours};
    const kg_err e = outbox_rows(d->outbox, false, note_successor, &s, diag);
    if (e != KG_OK || !s.found) {
        return e;
    }
    char by[ALERT_ID_TEXT];
    alert_id_text(s.by, by);
    return kg_fail(diag, KG_E_CONFLICT, "this alert was replaced or ended by %s; name that one instead", by);
}

static kg_err open_draft(desk *d, alert_id id, outbox_draft kind, authored *w, alert *out, kg_diag *diag)
{
    signed_view v = {0};
    kg_err e = outbox_draft_get(d->outbox, id, kind, &w->signed_bytes, diag);
    if (e == KG_OK) {
        e = signed_open(w->signed_bytes.s, w->signed_bytes.len, &v, diag);
    }
    if (e == KG_OK) {
        e = alert_unpack(v.payload, v.payload_len, out, diag);
        signed_done(&v);
    }
    return e;
}

static kg_err take_ending(desk *d, const char *name, outbox_draft kind, authored *w, kg_diag *diag)
{
    alert_id id;
    alert old;
    alert ending;
    kg_err e = desk_find(d, name, &id, &old, diag);
    if (e != KG_OK) {
        return e;
    }
    e = open_draft(d, id, kind, w, &ending, diag);
    if (e == KG_OK) {
        w->row = (outbox_row){.id = alert_own_id(&ending),
                              .hash = alert_hash_of(w->signed_bytes.s, w->signed_bytes.len),
                              .class = (uint8_t)ending.bulletin_class,
                              .signed_ms = kg_clock_wall_ms(),
                              .expires_ms = ending.expires_ms};
        alert_done(&ending);
        e = desk_last(d, &old, w->row.id, diag);
    }
    alert_done(&old);
    return e;
}

static void do_ending(desk *d, talk *t, const desk_request *r, outbox_draft kind)
{
    kg_diag diag = {{0}};
    authored w = {0};
    if (take_ending(d, r->alert, kind, &w, &diag) == KG_OK) {
        desk_queue(d, t, &w, r);
        submit_wake(d->submit);
    } else {
        desk_say(t, "refused: %s", diag.text);
        t->failed = true;
    }
    authored_done(&w);
}

void desk_follow(desk *d, talk *t, const desk_request *r)
{
    kg_diag diag = {{0}};
    alert_id id;
    alert old;
    if (desk_find(d, r->alert, &id, &old, &diag) != KG_OK) {
        desk_say(t, "refused: %s", diag.text);
        t->failed = true;
        return;
    }
    alert_done(&old);
    topic *about = desk_topic(t, id);
    if (about != NULL) {
        about->answered = true;
        t->follow = true;
        submit_follow(d->submit, id);
    }
}

static kg_err list_row(void *ctx, const outbox_row *row)
{
    static const char *const states[] = {"waiting", "accepted", "held", "refused", "expired"};
    const talk *t = ctx;
    char id[ALERT_ID_TEXT];
    char when[KG_TIME_TEXT_MAX];
    alert_id_text(row->id, id);
    kg_time_text(row->signed_ms, KG_VN_OFFSET_MIN, when);
    desk_say(t, "%s\t%s\t%s\t%s\t%s\t%s", id, when, bulletin_class_text((bulletin_class)row->class), states[row->state],
             row->code != NULL ? row->code : "", row->sentence != NULL ? row->sentence : "");
    return KG_OK;
}

void desk_list(desk *d, talk *t, const desk_request *r)
{
    (void)r;
    kg_diag diag = {{0}};
    if (outbox_rows(d->outbox, false, list_row, t, &diag) != KG_OK) {
        desk_say(t, "the outbox cannot be read: %s", diag.text);
        t->failed = true;
    }
}

void desk_retract(desk *d, talk *t, const desk_request *r)
{
    do_ending(d, t, r, DRAFT_CANCEL);
}

void desk_all_clear(desk *d, talk *t, const desk_request *r)
{
    do_ending(d, t, r, DRAFT_ALL_CLEAR);
}
