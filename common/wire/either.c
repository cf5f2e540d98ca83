/* either - what may travel either way: pieces of large things, an operator's query and its reply, beat, refused. */
#include "control.pb-c.h"
#include "piece.pb-c.h"
#include "wire/body.h"

void body_want_read(part_in *in, const Kg__Envelope *w, wire_msg *m)
{
    m->u.want.hash = part_hash(in, "want.hash", &w->want->hash);
    m->u.want.offset = w->want->offset;
}

void body_want_write(part_out *out, const wire_msg *m, Kg__Envelope *w)
{
    Kg__Want *p = part_new(out, sizeof *p);
    if (p == NULL) {
        return;
    }
    kg__want__init(p);
    p->hash = part_put(out, m->u.want.hash.b, ALERT_HASH_BYTES, ALERT_HASH_BYTES);
    p->offset = m->u.want.offset;
    w->want = p;
}

void body_piece_read(part_in *in, const Kg__Envelope *w, wire_msg *m)
{
    const Kg__Piece *p = w->piece;
    m->u.piece.hash = part_hash(in, "piece.hash", &p->hash);
    m->u.piece.total = p->total;
    m->u.piece.offset = p->offset;
    m->u.piece.bytes = part_bytes(in, "piece.bytes", &p->bytes, WIRE_PIECE_MAX);
    if (p->offset > p->total || p->bytes.len > p->total - p->offset) {
        part_refuse(in, KG_E_INVALID, "piece", "reaches past the end of the whole");
    }
}

void body_piece_write(part_out *out, const wire_msg *m, Kg__Envelope *w)
{
    Kg__Piece *p = part_new(out, sizeof *p);
    if (p == NULL) {
        return;
    }
    kg__piece__init(p);
    p->hash = part_put(out, m->u.piece.hash.b, ALERT_HASH_BYTES, ALERT_HASH_BYTES);
    p->total = m->u.piece.total;
    p->offset = m->u.piece.offset;
    p->bytes = part_put(out, m->u.piece.bytes.b, m->u.piece.bytes.n, WIRE_PIECE_MAX);
    w->piece = p;
}

void body_query_read(part_in *in, const Kg__Envelope *w, wire_msg *m)
{
    const Kg__Query *q = w->query;
    m->u.query.number = q->number;
    m->u.query.verb = part_name(in, "query.verb", &q->verb);
    m->u.query.arguments = part_texts(in, "query.arguments", q->arguments, q->n_arguments, WIRE_CELL_MAX);
    m->u.query.who = part_text(in, "query.who", &q->who, WIRE_NAME_MAX);
}

void body_query_write(part_out *out, const wire_msg *m, Kg__Envelope *w)
{
    Kg__Query *q = part_new(out, sizeof *q);
    if (q == NULL) {
        return;
    }
    kg__query__init(q);
    q->number = m->u.query.number;
    q->verb = part_put_text(out, m->u.query.verb, WIRE_NAME_MAX);
    q->arguments = part_put_texts(out, &m->u.query.arguments, WIRE_CELL_MAX, &q->n_arguments);
    q->who = part_put_text(out, m->u.query.who, WIRE_NAME_MAX);
    w->query = q;
}

void body_reply_read(part_in *in, const Kg__Envelope *w, wire_msg *m)
{
    const Kg__Reply *r = w->reply;
    m->u.reply.number = r->number;
    m->u.reply.error = part_name(in, "reply.error", &r->error);
    m->u.reply.sentence = part_text(in, "reply.sentence", &r->sentence, WIRE_TEXT_MAX);
    m->u.reply.columns = part_texts(in, "reply.columns", r->columns, r->n_columns, WIRE_NAME_MAX);
    m->u.reply.more = r->more;
    wire_row *rows = part_list(in, "reply.rows", r->n_rows, sizeof *rows);
    for (size_t i = 0; rows != NULL && i < r->n_rows; i++) {
        rows[i].cells = part_texts(in, "row.cells", r->rows[i]->cells, r->rows[i]->n_cells, WIRE_CELL_MAX);
    }
    m->u.reply.rows = rows;
    m->u.reply.row_count = rows != NULL ? r->n_rows : 0;
}

void body_reply_write(part_out *out, const wire_msg *m, Kg__Envelope *w)
{
    const size_t n = m->u.reply.row_count;
    Kg__Reply *r = part_new(out, sizeof *r);
    Kg__Row *each = part_array(out, n, sizeof *each);
    Kg__Row **list = part_pointers(out, n);
    if (out->e != KG_OK) {
        return;
    }
    kg__reply__init(r);
    r->number = m->u.reply.number;
    r->error = part_put_text(out, m->u.reply.error, WIRE_NAME_MAX);
    r->sentence = part_put_text(out, m->u.reply.sentence, WIRE_TEXT_MAX);
    r->columns = part_put_texts(out, &m->u.reply.columns, WIRE_NAME_MAX, &r->n_columns);
    r->more = m->u.reply.more;
    for (size_t i = 0; i < n; i++) {
        kg__row__init(&each[i]);
        each[i].cells = part_put_texts(out, &m->u.reply.rows[i].cells, WIRE_CELL_MAX, &each[i].n_cells);
        list[i] = &each[i];
    }
    r->rows = list;
    r->n_rows = n;
    w->reply = r;
}

void body_beat_read(part_in *in, const Kg__Envelope *w, wire_msg *m)
{
    m->u.beat.number = w->beat->number;
    m->u.beat.time_ms = part_time(in, "beat.time_ms", w->beat->time_ms);
}

void body_beat_write(part_out *out, const wire_msg *m, Kg__Envelope *w)
{
    Kg__Beat *b = part_new(out, sizeof *b);
    if (b == NULL) {
        return;
    }
    kg__beat__init(b);
    b->number = m->u.beat.number;
    b->time_ms = m->u.beat.time_ms;
    w->beat = b;
}

void body_refused_read(part_in *in, const Kg__Envelope *w, wire_msg *m)
{
    m->u.refused.code = part_name(in, "refused.code", &w->refused->code);
    m->u.refused.sentence = part_text(in, "refused.sentence", &w->refused->sentence, WIRE_TEXT_MAX);
}

void body_refused_write(part_out *out, const wire_msg *m, Kg__Envelope *w)
{
    Kg__Refused *r = part_new(out, sizeof *r);
    if (r == NULL) {
        return;
    }
    kg__refused__init(r);
    r->code = part_put_text(out, m->u.refused.code, WIRE_NAME_MAX);
    r->sentence = part_put_text(out, m->u.refused.sentence, WIRE_TEXT_MAX);
    w->refused = r;
}
