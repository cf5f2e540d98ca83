#include "wire/pieces.h"

#include <stdlib.h>
#include <string.h>

typedef struct open_piece {
    uint8_t *bytes; /* NULL: this place is free */
    alert_hash hash;
    uint64_t total;
    uint64_t have; /* from the start, without gaps */
} open_piece;

struct pieces {
    open_piece open[PIECES_OPEN];
};

kg_err pieces_new(pieces **out)
{
    *out = calloc(1, sizeof **out);
    return *out != NULL ? KG_OK : KG_E_NOMEM;
}

static void drop(open_piece *o)
{
    free(o->bytes);
    *o = (open_piece){.bytes = NULL};
}

void pieces_free(pieces **p)
{
    if (p == NULL || *p == NULL) {
        return;
    }
    for (size_t i = 0; i < PIECES_OPEN; i++) {
        drop(&(*p)->open[i]);
    }
    free(*p);
    *p = NULL;
}

static open_piece *find(pieces *p, const alert_hash *hash)
{
    for (size_t i = 0; i < PIECES_OPEN; i++) {
        if (p->open[i].bytes != NULL && memcmp(&p->open[i].hash, hash, sizeof *hash) == 0) {
            return &p->open[i];
        }
    }
    return NULL;
}

kg_err pieces_open(pieces *p, const alert_hash *hash, uint64_t total, uint64_t *offset)
{
    open_piece *o = find(p, hash);
    if (o != NULL) { /* announced again, perhaps by another sender: go on where it stands */
        if (o->total != total) {
            return KG_E_CONFLICT;
        }
        *offset = o->have;
        return KG_OK;
    }
    if (total == 0 || total > PIECE_TOTAL_MAX) {
        return KG_E_LIMIT;
    }
    for (size_t i = 0; i < PIECES_OPEN; i++) {
        o = &p->open[i];
        if (o->bytes == NULL) {
            o->bytes = malloc(total); /* zeroed by nobody: only what was put is ever read */
            if (o->bytes == NULL) {
                return KG_E_NOMEM;
            }
            o->hash = *hash;
            o->total = total;
            *offset = 0;
            return KG_OK;
        }
    }
    return KG_E_LIMIT;
}

kg_err pieces_put(pieces *p, const wire_piece *one, pieces_state *state)
{
    open_piece *o = find(p, &one->hash);
    if (o == NULL) {
        return KG_E_NOTFOUND;
    }
    if (one->total != o->total) {
        return one->total == 0 ? KG_E_NOTFOUND : KG_E_CONFLICT;
    }
    if (one->offset == o->have && one->bytes.n > 0 && one->bytes.n <= o->total - o->have) {
        memcpy(o->bytes + o->have, one->bytes.b, one->bytes.n);
        o->have += one->bytes.n;
    }
    *state = (pieces_state){.next_offset = o->have};
    if (o->have < o->total) {
        return KG_OK;
    }
    const alert_hash got = alert_hash_of(o->bytes, o->total);
    if (memcmp(&got, &o->hash, sizeof got) != 0) {
        drop(o);
        return KG_E_INVALID;
    }
    state->done = true;
    state->whole = (wire_bytes){.b = o->bytes, .n = o->total};
    return KG_OK;
}

void pieces_drop(pieces *p, const alert_hash *hash)
{
    open_piece *o = find(p, hash);
    if (o != NULL) {
        drop(o);
    }
}

wire_piece pieces_cut(const alert_hash *hash, const wire_bytes *whole, uint64_t offset)
{
    wire_piece one = {.hash = *hash, .total = whole->n, .offset = offset};
    if (offset < whole->n) {
        const size_t left = whole->n - (size_t)offset;
        one.bytes = (wire_bytes){.b = whole->b + offset, .n = left < WIRE_PIECE_MAX ? left : WIRE_PIECE_MAX};
    } else {
        one.offset = whole->n;
    }
    return one;
}
