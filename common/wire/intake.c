/* intake - the talk between publisher and router: submit, follow, answer, progress, and the receipt in an answer. */
#include "wire/body.h"

void body_submit_read(part_in *in, const Kg__Envelope *w, wire_msg *m)
{
    const Kg__Submit *s = w->submit;
    m->u.submit.signed_alert = part_bytes(in, "submit.signed_alert", &s->signed_alert, WIRE_INLINE_MAX);
    m->u.submit.hash = part_hash(in, "submit.hash", &s->hash);
    m->u.submit.total_bytes = part_total(in, "submit.total_bytes", s->signed_alert.len, s->total_bytes);
}

void body_submit_write(part_out *out, const wire_msg *m, Kg__Envelope *w)
{
    Kg__Submit *s = part_new(out, sizeof *s);
    if (s == NULL) {
        return;
    }
    kg__submit__init(s);
    const wire_bytes *b = &m->u.submit.signed_alert;
    s->signed_alert = part_put(out, b->b, b->n, WIRE_INLINE_MAX);
    s->hash = part_put(out, m->u.submit.hash.b, ALERT_HASH_BYTES, ALERT_HASH_BYTES);
    s->total_bytes = b->n > 0 ? b->n : m->u.submit.total_bytes;
    w->submit = s;
}

void body_follow_read(part_in *in, const Kg__Envelope *w, wire_msg *m)
{
    m->u.follow.id = part_id(in, "follow.alert_id", &w->follow->alert_id);
    m->u.follow.stop = w->follow->stop;
}

void body_follow_write(part_out *out, const wire_msg *m, Kg__Envelope *w)
{
    Kg__Follow *f = part_new(out, sizeof *f);
    if (f == NULL) {
        return;
    }
    kg__follow__init(f);
    f->alert_id = part_put(out, m->u.follow.id.b, ALERT_ID_BYTES, ALERT_ID_BYTES);
    f->stop = m->u.follow.stop;
    w->follow = f;
}

void body_answer_read(part_in *in, const Kg__Envelope *w, wire_msg *m)
{
    const Kg__Answer *a = w->answer;
    if (a->receipt.len == 0) {
        part_refuse(in, KG_E_INVALID, "answer.receipt", "is missing");
    }
    m->u.answer.receipt = part_bytes(in, "answer.receipt", &a->receipt, WIRE_FRAME_MAX);
    part_fixed(in, "answer.router_key", &a->router_key, m->u.answer.router_key, sizeof m->u.answer.router_key);
    part_fixed(in, "answer.signature", &a->signature, m->u.answer.signature, sizeof m->u.answer.signature);
}

void body_answer_write(part_out *out, const wire_msg *m, Kg__Envelope *w)
{
    Kg__Answer *a = part_new(out, sizeof *a);
    if (a == NULL) {
        return;
    }
    kg__answer__init(a);
    a->receipt = part_put(out, m->u.answer.receipt.b, m->u.answer.receipt.n, WIRE_FRAME_MAX);
    a->router_key = part_put(out, m->u.answer.router_key, sizeof m->u.answer.router_key, WIRE_NAME_MAX);
    a->signature = part_put(out, m->u.answer.signature, sizeof m->u.answer.signature, WIRE_NAME_MAX);
    w->answer = a;
}

void body_progress_read(part_in *in, const Kg__Envelope *w, wire_msg *m)
{
    const Kg__Progress *p = w->progress;
    m->u.progress.id = part_id(in, "progress.alert_id", &p->alert_id);
    m->u.progress.final = p->final;
    m->u.progress.last_held_ms = part_time(in, "progress.last_held_ms", p->last_held_ms);
    m->u.progress.last_outcome_ms = part_time(in, "progress.last_outcome_ms", p->last_outcome_ms);
    m->u.progress.accepted_ms = part_time(in, "progress.accepted_ms", p->accepted_ms);
    m->u.progress.lifecycle = part_enum(in, "progress.lifecycle", p->lifecycle);
    wire_tally *t = part_list(in, "progress.tallies", p->n_tallies, sizeof *t);
    if (t == NULL) {
        return;
    }
    for (size_t i = 0; i < p->n_tallies; i++) {
        t[i].medium = part_enum(in, "tally.medium", p->tallies[i]->medium);
        t[i].state = part_enum(in, "tally.state", p->tallies[i]->state);
        t[i].count = p->tallies[i]->count;
    }
    m->u.progress.tallies = t;
    m->u.progress.tally_count = p->n_tallies;
}

void body_progress_write(part_out *out, const wire_msg *m, Kg__Envelope *w)
{
    const size_t n = m->u.progress.tally_count;
    Kg__Progress *p = part_new(out, sizeof *p);
    Kg__Tally *each = part_array(out, n, sizeof *each);
    Kg__Tally **list = part_pointers(out, n);
    if (out->e != KG_OK) {
        return;
    }
    kg__progress__init(p);
    p->alert_id = part_put(out, m->u.progress.id.b, ALERT_ID_BYTES, ALERT_ID_BYTES);
    p->final = m->u.progress.final;
    p->last_held_ms = m->u.progress.last_held_ms;
    p->last_outcome_ms = m->u.progress.last_outcome_ms;
    p->accepted_ms = m->u.progress.accepted_ms;
    p->lifecycle = m->u.progress.lifecycle;
    for (size_t i = 0; i < n; i++) {
        kg__tally__init(&each[i]);
        each[i].medium = m->u.progress.tallies[i].medium;
        each[i].state = m->u.progress.tallies[i].state;
        each[i].count = m->u.progress.tallies[i].count;
        list[i] = &each[i];
    }
    p->tallies = list;
    p->n_tallies = n;
    w->progress = p;
}

kg_err wire_receipt_pack(const wire_receipt *r, kg_buf *to)
{
    part_out out = {.e = KG_OK};
    Kg__Receipt p;
    kg__receipt__init(&p);
    p.router = part_put_text(&out, r->router, WIRE_NAME_MAX);
    p.time_ms = r->time_ms;
    Kg__Verdict *each = part_array(&out, r->verdict_count, sizeof *each);
    p.verdicts = part_pointers(&out, r->verdict_count);
    p.n_verdicts = p.verdicts != NULL ? r->verdict_count : 0;
    for (size_t i = 0; i < p.n_verdicts; i++) {
        const wire_verdict *v = &r->verdicts[i];
        kg__verdict__init(&each[i]);
        each[i].alert_id = part_put(&out, v->id.b, v->has_id ? ALERT_ID_BYTES : 0, ALERT_ID_BYTES);
        each[i].hash = part_put(&out, v->hash.b, ALERT_HASH_BYTES, ALERT_HASH_BYTES);
        each[i].outcome = v->outcome;
        each[i].code = part_put_text(&out, v->code, WIRE_NAME_MAX);
        each[i].sentence = part_put_text(&out, v->sentence, WIRE_TEXT_MAX);
        each[i].position = v->position;
        each[i].targets = v->targets;
        p.verdicts[i] = &each[i];
    }
    return part_pack(&out, &p.base, WIRE_FRAME_MAX, to);
}

static void read_verdict(part_in *in, const Kg__Verdict *p, wire_verdict *v)
{
    v->has_id = p->alert_id.len > 0;
    if (v->has_id) {
        v->id = part_id(in, "verdict.alert_id", &p->alert_id);
    }
    v->hash = part_hash(in, "verdict.hash", &p->hash);
    if (p->outcome >= WIRE_OUTCOME_COUNT) {
        part_refuse(in, KG_E_INVALID, "verdict.outcome", "has no meaning");
    }
    v->outcome = (wire_outcome)p->outcome;
    v->code = part_text(in, "verdict.code", &p->code, WIRE_NAME_MAX);
    v->sentence = part_text(in, "verdict.sentence", &p->sentence, WIRE_TEXT_MAX);
    v->position = p->position;
    v->targets = p->targets;
}

kg_err wire_receipt_read(const void *bytes, size_t n, wire_receipt *r, kg_diag *diag)
{
    *r = (wire_receipt){.router = ""};
    part_in in;
    part_in_init(&in, &r->mem, diag);
    const Kg__Receipt *p = part_unpack(&in, &kg__receipt__descriptor, bytes, n);
    if (p != NULL) {
        r->router = part_name(&in, "receipt.router", &p->router);
        r->time_ms = part_time(&in, "receipt.time_ms", p->time_ms);
        r->verdicts = part_list(&in, "receipt.verdicts", p->n_verdicts, sizeof *r->verdicts);
        for (; r->verdicts != NULL && r->verdict_count < p->n_verdicts; r->verdict_count++) {
            read_verdict(&in, p->verdicts[r->verdict_count], &r->verdicts[r->verdict_count]);
        }
    }
    if (in.e != KG_OK) {
        wire_receipt_done(r);
    }
    return in.e;
}

void wire_receipt_done(wire_receipt *r)
{
    if (r != NULL) {
        kg_arena_done(&r->mem);
        *r = (wire_receipt){.router = NULL};
    }
}
