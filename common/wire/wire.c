#include "wire/wire.h"

#include "control.pb-c.h"
#include "wire/body.h"

static const struct {
    Kg__Envelope__BodyCase body;
    body_read_fn read;
    body_write_fn write;
} kinds[WIRE_KIND_COUNT] = {
    [WIRE_SUBMIT] = {KG__ENVELOPE__BODY_SUBMIT, body_submit_read, body_submit_write},
    [WIRE_FOLLOW] = {KG__ENVELOPE__BODY_FOLLOW, body_follow_read, body_follow_write},
    [WIRE_ANSWER] = {KG__ENVELOPE__BODY_ANSWER, body_answer_read, body_answer_write},
    [WIRE_PROGRESS] = {KG__ENVELOPE__BODY_PROGRESS, body_progress_read, body_progress_write},
    [WIRE_HELLO] = {KG__ENVELOPE__BODY_HELLO, body_hello_read, body_hello_write},
    [WIRE_CREDIT] = {KG__ENVELOPE__BODY_CREDIT, body_credit_read, body_credit_write},
    [WIRE_RECEIPTS] = {KG__ENVELOPE__BODY_RECEIPTS, body_receipts_read, body_receipts_write},
    [WIRE_WELCOME] = {KG__ENVELOPE__BODY_WELCOME, body_welcome_read, body_welcome_write},
    [WIRE_ORDER] = {KG__ENVELOPE__BODY_ORDER, body_order_read, body_order_write},
    [WIRE_RECALL] = {KG__ENVELOPE__BODY_RECALL, body_recall_read, body_recall_write},
    [WIRE_RECEIPTS_KEPT] = {KG__ENVELOPE__BODY_RECEIPTS_KEPT, body_receipts_kept_read, body_receipts_kept_write},
    [WIRE_WANT] = {KG__ENVELOPE__BODY_WANT, body_want_read, body_want_write},
    [WIRE_PIECE] = {KG__ENVELOPE__BODY_PIECE, body_piece_read, body_piece_write},
    [WIRE_QUERY] = {KG__ENVELOPE__BODY_QUERY, body_query_read, body_query_write},
    [WIRE_REPLY] = {KG__ENVELOPE__BODY_REPLY, body_reply_read, body_reply_write},
    [WIRE_BEAT] = {KG__ENVELOPE__BODY_BEAT, body_beat_read, body_beat_write},
    [WIRE_REFUSED] = {KG__ENVELOPE__BODY_REFUSED, body_refused_read, body_refused_write},
};

/* The version is the first field and small, so that a frame of another version, whatever its form, is told apart by
 * its first bytes. */
static kg_err check_version(const uint8_t *frame, size_t n, kg_diag *diag)
{
    enum { VERSION_TAG = 1 << 3 };
    if (n > WIRE_FRAME_MAX) {
        return kg_fail(diag, KG_E_LIMIT, "message refused: %zu bytes are more than a frame's %d", n, WIRE_FRAME_MAX);
    }
    if (n < 2 || frame[0] != VERSION_TAG) {
        return kg_fail(diag, KG_E_INVALID, "message refused: it does not begin with a version");
    }
    if (frame[1] != WIRE_VERSION) {
        return kg_fail(diag, KG_E_DENIED,
                       "message refused: it has another version than %d; bring both programs to the same release",
                       WIRE_VERSION);
    }
    return KG_OK;
}

static void read_body(part_in *in, const Kg__Envelope *w, wire_msg *m)
{
    if (w->version != WIRE_VERSION) { /* named again, otherwise */
        part_refuse(in, KG_E_INVALID, "version", "is given twice");
        return;
    }
    for (int k = 0; k < WIRE_KIND_COUNT; k++) {
        if (kinds[k].body == w->body_case) {
            m->kind = (wire_kind)k;
            kinds[k].read(in, w, m);
            return;
        }
    }
    part_refuse(in, KG_E_INVALID, "body", "is missing or of a kind this version does not know");
}

kg_err wire_read(const void *frame, size_t n, wire_msg *m, kg_diag *diag)
{
    *m = (wire_msg){.kind = WIRE_KIND_COUNT};
    const kg_err e = check_version(frame, n, diag);
    if (e != KG_OK) {
        return e;
    }
    part_in in;
    part_in_init(&in, &m->mem, diag);
    const Kg__Envelope *w = part_unpack(&in, &kg__envelope__descriptor, frame, n);
    if (w != NULL) {
        read_body(&in, w, m);
    }
    if (in.e != KG_OK) {
        wire_done(m);
    }
    return in.e;
}

void wire_done(wire_msg *m)
{
    if (m != NULL) {
        kg_arena_done(&m->mem);
        *m = (wire_msg){.kind = WIRE_KIND_COUNT};
    }
}

kg_err wire_write(const wire_msg *m, kg_buf *to)
{
    if ((unsigned)m->kind >= WIRE_KIND_COUNT) {
        return KG_E_BUG;
    }
    part_out out = {.e = KG_OK};
    Kg__Envelope w;
    kg__envelope__init(&w);
    w.version = WIRE_VERSION;
    kinds[m->kind].write(&out, m, &w);
    w.body_case = kinds[m->kind].body;
    return part_pack(&out, &w.base, WIRE_FRAME_MAX, to);
}

kg_err wire_status_pack(const wire_status *status, kg_buf *to)
{
    part_out out = {.e = KG_OK};
    Kg__Status s;
    kg__status__init(&s);
    s.name = part_put_text(&out, status->name, WIRE_NAME_MAX);
    s.time_ms = status->time_ms;
    Kg__Counter *each = part_array(&out, status->count, sizeof *each);
    s.counters = part_pointers(&out, status->count);
    s.n_counters = s.counters != NULL ? status->count : 0;
    for (size_t i = 0; i < s.n_counters; i++) {
        kg__counter__init(&each[i]);
        each[i].name = part_put_text(&out, status->counters[i].name, WIRE_NAME_MAX);
        each[i].value = status->counters[i].value;
        s.counters[i] = &each[i];
    }
    return part_pack(&out, &s.base, WIRE_FRAME_MAX, to);
}

kg_err wire_status_read(const void *bytes, size_t n, kg_arena *mem, wire_status *status, kg_diag *diag)
{
    part_in in;
    part_in_init(&in, mem, diag);
    wire_status got = {.count = 0};
    const Kg__Status *s = part_unpack(&in, &kg__status__descriptor, bytes, n);
    if (s != NULL) {
        got.name = part_name(&in, "status.name", &s->name);
        got.time_ms = part_time(&in, "status.time_ms", s->time_ms);
        got.counters = part_list(&in, "status.counters", s->n_counters, sizeof *got.counters);
        for (; got.counters != NULL && got.count < s->n_counters; got.count++) {
            got.counters[got.count].name = part_name(&in, "counter.name", &s->counters[got.count]->name);
            got.counters[got.count].value = s->counters[got.count]->value;
        }
    }
    if (in.e == KG_OK) {
        *status = got;
    }
    return in.e;
}
