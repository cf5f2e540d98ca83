#include "wire/part.h"

#include <assert.h>
#include <string.h>

#include "base/utf8.h"

enum { LAST_MS_DAYS = 2932896 }; /* the end of year 9999, so that sums of times cannot overflow */

static void *heap_alloc(void *data, size_t n)
{
    part_in *in = data;
    if (in->mem->used >= in->ceiling || n >= in->ceiling - in->mem->used) {
        part_refuse(in, KG_E_LIMIT, "message", "needs more memory than a message may");
        return NULL;
    }
    void *p = kg_arena_alloc(in->mem, n + 1);
    if (p == NULL) {
        part_refuse(in, KG_E_NOMEM, "message", "found no memory");
    }
    return p;
}

static void heap_free(void *data, void *p)
{
    (void)data; /* the arena goes all at once */
    (void)p;
}

void part_in_init(part_in *in, kg_arena *mem, kg_diag *diag)
{
    *in = (part_in){.mem = mem, .ceiling = mem->used + WIRE_HEAP_MAX, .diag = diag};
    in->heap = (ProtobufCAllocator){.alloc = heap_alloc, .free = heap_free, .allocator_data = in};
}

void *part_unpack(part_in *in, const ProtobufCMessageDescriptor *type, const void *bytes, size_t n)
{
    if (n > WIRE_FRAME_MAX) {
        part_refuse(in, KG_E_LIMIT, type->name, "is larger than a frame");
        return NULL;
    }
    void *m = protobuf_c_message_unpack(type, &in->heap, n, bytes);
    if (m == NULL) {
        part_refuse(in, KG_E_INVALID, type->name, "is not well-formed protobuf");
    }
    return in->e == KG_OK ? m : NULL;
}

void part_refuse(part_in *in, kg_err e, const char *field, const char *what)
{
    if (in->e == KG_OK) {
        in->e = kg_fail(in->diag, e, "message refused: %s %s", field, what);
    }
}

void part_fixed(part_in *in, const char *field, const ProtobufCBinaryData *b, uint8_t *out, size_t n)
{
    if (b->len != n) {
        part_refuse(in, KG_E_INVALID, field, "has the wrong length");
        return;
    }
    memcpy(out, b->data, n);
}

alert_id part_id(part_in *in, const char *field, const ProtobufCBinaryData *b)
{
    alert_id id = {{0}};
    part_fixed(in, field, b, id.b, sizeof id.b);
    return id;
}

alert_hash part_hash(part_in *in, const char *field, const ProtobufCBinaryData *b)
{
    alert_hash h = {{0}};
    part_fixed(in, field, b, h.b, sizeof h.b);
    return h;
}

const char *part_text(part_in *in, const char *field, const ProtobufCBinaryData *b, size_t max)
{
    if (b->len == 0) {
        return "";
    }
    const char *s = (const char *)b->data;
    if (b->len > max) {
        part_refuse(in, KG_E_LIMIT, field, "is too long");
        return "";
    }
    if (!kg_utf8_valid(s, b->len)) {
        part_refuse(in, KG_E_INVALID, field, "is not UTF-8 text");
        return "";
    }
    assert(s[b->len] == '\0');
    return s;
}

const char *part_name(part_in *in, const char *field, const ProtobufCBinaryData *b)
{
    if (b->len == 0) {
        part_refuse(in, KG_E_INVALID, field, "is missing");
    }
    return part_text(in, field, b, WIRE_NAME_MAX);
}

alert_texts part_texts(part_in *in, const char *field, const ProtobufCBinaryData *b, size_t n, size_t max)
{
    alert_texts t = {.items = part_list(in, field, n, sizeof *t.items)};
    if (t.items != NULL) {
        for (; t.count < n; t.count++) {
            t.items[t.count] = part_text(in, field, &b[t.count], max);
        }
    }
    return t;
}

wire_bytes part_bytes(part_in *in, const char *field, const ProtobufCBinaryData *b, size_t max)
{
    if (b->len > max) {
        part_refuse(in, KG_E_LIMIT, field, "is too long");
    }
    return (wire_bytes){.b = b->data, .n = b->len};
}

uint32_t part_enum(part_in *in, const char *field, uint32_t v)
{
    if (v >= WIRE_ENUM_MAX) {
        part_refuse(in, KG_E_INVALID, field, "has no meaning");
    }
    return v;
}

int64_t part_time(part_in *in, const char *field, int64_t ms)
{
    if (ms < 0 || ms >= (int64_t)LAST_MS_DAYS * 24 * 3600 * 1000) {
        part_refuse(in, KG_E_INVALID, field, "is not a time between 1970 and 9999");
    }
    return ms;
}

uint64_t part_total(part_in *in, const char *field, size_t inline_len, uint64_t total)
{
    if (inline_len == 0 ? total == 0 : total != inline_len) {
        part_refuse(in, KG_E_INVALID, field, "does not tell the length of the signed alert");
    }
    return total;
}

void *part_list(part_in *in, const char *field, size_t count, size_t size)
{
    if (count > WIRE_LIST_MAX) {
        part_refuse(in, KG_E_LIMIT, field, "has too many entries");
    }
    return count > 0 && in->e == KG_OK ? heap_alloc(in, count * size) : NULL;
}

void *part_new(part_out *out, size_t size)
{
    return part_array(out, 1, size);
}

void *part_array(part_out *out, size_t count, size_t size)
{
    if (out->e != KG_OK || count == 0) {
        return NULL;
    }
    if (count > WIRE_LIST_MAX) {
        out->e = KG_E_LIMIT;
        return NULL;
    }
    void *p = kg_arena_array(&out->mem, count, size);
    if (p == NULL) {
        out->e = KG_E_NOMEM;
    }
    return p;
}

void *part_pointers(part_out *out, size_t count)
{
    return part_array(out, count, sizeof(void *));
}

ProtobufCBinaryData part_put(part_out *out, const void *bytes, size_t n, size_t max)
{
    if (n > max) {
        out->e = KG_E_LIMIT;
        n = 0;
    }
    /* protobuf-c takes no const pointer, but packing only reads. */
    union {
        const void *in;
        uint8_t *out;
    } borrowed = {.in = bytes};
    return (ProtobufCBinaryData){.len = n, .data = borrowed.out};
}

ProtobufCBinaryData part_put_text(part_out *out, const char *s, size_t max)
{
    return part_put(out, s, s != NULL ? strlen(s) : 0, max);
}

ProtobufCBinaryData *part_put_texts(part_out *out, const alert_texts *t, size_t max, size_t *n)
{
    ProtobufCBinaryData *b = part_array(out, t->count, sizeof *b);
    *n = b != NULL ? t->count : 0;
    for (size_t i = 0; i < *n; i++) {
        b[i] = part_put_text(out, t->items[i], max);
    }
    return b;
}

kg_err part_pack(part_out *out, const ProtobufCMessage *m, size_t max, kg_buf *to)
{
    kg_err e = out->e;
    if (e == KG_OK) {
        const size_t n = protobuf_c_message_get_packed_size(m);
        e = n <= max ? kg_buf_reserve(to, n) : KG_E_LIMIT;
        if (e == KG_OK) {
            to->len += protobuf_c_message_pack(m, (uint8_t *)to->s + to->len);
            to->s[to->len] = '\0';
        }
    }
    kg_arena_done(&out->mem);
    return e;
}
