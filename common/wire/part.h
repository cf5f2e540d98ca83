/*
 * part - what the message files of wire/ share: checked fields in, bounded fields out. Private to wire/.
 *
 * Shape     A part_in reads: the first failed check is kept, with a sentence naming the field, and the rest of the
 *           message may be read on harmlessly; whoever began asks `e` once at the end. A part_out writes alike.
 * Memory    Both have protobuf-c allocate from an arena with a ceiling, one zero byte more than asked, so that a `bytes`
 *           field is a C string in place and nothing is copied twice.
 */
#ifndef KENG_WIRE_PART_H
#define KENG_WIRE_PART_H

#include <protobuf-c/protobuf-c.h>

#include "wire/wire.h"

typedef struct part_in {
    ProtobufCAllocator heap;
    kg_arena *mem;
    size_t ceiling; /* of mem->used: WIRE_HEAP_MAX more than it was at the start */
    kg_err e;
    kg_diag *diag;
} part_in;

/* heap.allocator_data points at *in: it must not move after this. */
void part_in_init(part_in *in, kg_arena *mem, kg_diag *diag);
/* The unpacked message (it lives in the arena: nobody frees it), or NULL with in->e set. */
void *part_unpack(part_in *in, const ProtobufCMessageDescriptor *type, const void *bytes, size_t n);
void part_refuse(part_in *in, kg_err e, const char *field, const char *what);

alert_id part_id(part_in *in, const char *field, const ProtobufCBinaryData *b);
alert_hash part_hash(part_in *in, const char *field, const ProtobufCBinaryData *b);
void part_fixed(part_in *in, const char *field, const ProtobufCBinaryData *b, uint8_t *out, size_t n);
const char *part_name(part_in *in, const char *field, const ProtobufCBinaryData *b); /* 1 to WIRE_NAME_MAX */
const char *part_text(part_in *in, const char *field, const ProtobufCBinaryData *b, size_t max);
alert_texts part_texts(part_in *in, const char *field, const ProtobufCBinaryData *b, size_t n, size_t max);
wire_bytes part_bytes(part_in *in, const char *field, const ProtobufCBinaryData *b, size_t max);
uint32_t part_enum(part_in *in, const char *field, uint32_t v);
int64_t part_time(part_in *in, const char *field, int64_t ms);
/* An alert travels inside a message, or is named by hash and length and fetched: the length, checked against both. */
uint64_t part_total(part_in *in, const char *field, size_t inline_len, uint64_t total);
/* Zeroed room for count results; NULL when there are none, or too many. */
void *part_list(part_in *in, const char *field, size_t count, size_t size);

typedef struct part_out {
    kg_arena mem;
    kg_err e;
} part_out;

void *part_new(part_out *out, size_t size); /* never used when out->e is set */
void *part_array(part_out *out, size_t count, size_t size);
void *part_pointers(part_out *out, size_t count); /* protobuf-c wants lists of messages as pointers */
ProtobufCBinaryData part_put(part_out *out, const void *bytes, size_t n, size_t max); /* borrows */
ProtobufCBinaryData part_put_text(part_out *out, const char *s, size_t max);
ProtobufCBinaryData *part_put_texts(part_out *out, const alert_texts *t, size_t max, size_t *n);
/* Appends the packed message when all went well and it is no longer than max; releases out's memory either way. */
KG_MUST_CHECK kg_err part_pack(part_out *out, const ProtobufCMessage *m, size_t max, kg_buf *to);

#endif
