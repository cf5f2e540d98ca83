/*
 * body - one pair of functions a kind of message: from protobuf's form into wire_msg and back. Private to wire/.
 *
 * Shape     body_*_read finds w->body_case right and the pointer set; failures go to in->e. body_*_write leaves w alone
 *           when out->e is set. submit, follow, answer, progress: intake.c; hello to receipts_kept: carriage.c; the
 *           rest: either.c.
 */
#ifndef KENG_WIRE_BODY_H
#define KENG_WIRE_BODY_H

#include "envelope.pb-c.h"
#include "wire/part.h"

typedef void (*body_read_fn)(part_in *in, const Kg__Envelope *w, wire_msg *m);
typedef void (*body_write_fn)(part_out *out, const wire_msg *m, Kg__Envelope *w);

void body_submit_read(part_in *in, const Kg__Envelope *w, wire_msg *m);
void body_follow_read(part_in *in, const Kg__Envelope *w, wire_msg *m);
void body_answer_read(part_in *in, const Kg__Envelope *w, wire_msg *m);
void body_progress_read(part_in *in, const Kg__Envelope *w, wire_msg *m);
void body_hello_read(part_in *in, const Kg__Envelope *w, wire_msg *m);
void body_credit_read(part_in *in, const Kg__Envelope *w, wire_msg *m);
void body_receipts_read(part_in *in, const Kg__Envelope *w, wire_msg *m);
void body_welcome_read(part_in *in, const Kg__Envelope *w, wire_msg *m);
void body_order_read(part_in *in, const Kg__Envelope *w, wire_msg *m);
void body_recall_read(part_in *in, const Kg__Envelope *w, wire_msg *m);
void body_receipts_kept_read(part_in *in, const Kg__Envelope *w, wire_msg *m);
void body_want_read(part_in *in, const Kg__Envelope *w, wire_msg *m);
void body_piece_read(part_in *in, const Kg__Envelope *w, wire_msg *m);
void body_query_read(part_in *in, const Kg__Envelope *w, wire_msg *m);
void body_reply_read(part_in *in, const Kg__Envelope *w, wire_msg *m);
void body_beat_read(part_in *in, const Kg__Envelope *w, wire_msg *m);
void body_refused_read(part_in *in, const Kg__Envelope *w, wire_msg *m);

void body_submit_write(part_out *out, const wire_msg *m, Kg__Envelope *w);
void body_follow_write(part_out *out, const wire_msg *m, Kg__Envelope *w);
void body_answer_write(part_out *out, const wire_msg *m, Kg__Envelope *w);
void body_progress_write(part_out *out, const wire_msg *m, Kg__Envelope *w);
void body_hello_write(part_out *out, const wire_msg *m, Kg__Envelope *w);
void body_credit_write(part_out *out, const wire_msg *m, Kg__Envelope *w);
void body_receipts_write(part_out *out, const wire_msg *m, Kg__Envelope *w);
void body_welcome_write(part_out *out, const wire_msg *m, Kg__Envelope *w);
void body_order_write(part_out *out, const wire_msg *m, Kg__Envelope *w);
void body_recall_write(part_out *out, const wire_msg *m, Kg__Envelope *w);
void body_receipts_kept_write(part_out *out, const wire_msg *m, Kg__Envelope *w);
void body_want_write(part_out *out, const wire_msg *m, Kg__Envelope *w);
void body_piece_write(part_out *out, const wire_msg *m, Kg__Envelope *w);
void body_query_write(part_out *out, const wire_msg *m, Kg__Envelope *w);
void body_reply_write(part_out *out, const wire_msg *m, Kg__Envelope *w);
void body_beat_write(part_out *out, const wire_msg *m, Kg__Envelope *w);
void body_refused_write(part_out *out, const wire_msg *m, Kg__Envelope *w);

#endif
