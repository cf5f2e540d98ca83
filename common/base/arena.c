#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 4096 };

struct kg_arena_block {
    struct kg_arena_block *next;
    size_t size;
    size_t used;
    alignas(max_align_t) unsigned char mem[];
};

void *kg_arena_alloc(kg_arena *a, size_t n)
{
    const size_t max = a->max != 0 ? a->max : KG_ARENA_MAX;
    if (n > max) {
        return NULL;
    }
    const size_t align = alignof(max_align_t);
    const size_t want = n == 0 ? align : (n + align - 1) / align * align;
    if (want > max - a->used) {
        return NULL;
    }
    struct kg_arena_block *b = a->head;
    if (b == NULL || b->size - b->used < want) {
        const size_t size = want > BLOCK_BYTES ? want : BLOCK_BYTES;
        b = calloc(1, sizeof *b + size);
        if (b == NULL) {
            return NULL;
        }
        b->size = size;
        /* A block for one large object goes behind the current one, which may still have room. */
        if (a->head != NULL && want > BLOCK_BYTES) {
            b->next = a->head->next;
            a->head->next = b;
        } else {
            b->next = a->head;
            a->head = b;
        }
    }
    void *p = b->mem + b->used;
    b->used += want;
    a->used += want;
    return p;
}

void *kg_arena_array(kg_arena *a, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        return NULL;
    }
    return kg_arena_alloc(a, count * size);
}

char *kg_arena_strn(kg_arena *a, const char *s, size_t n)
{
    if (n == SIZE_MAX) {
        return NULL;
    }
    char *copy = kg_arena_alloc(a, n + 1);
    if (copy != NULL && n > 0) {
        memcpy(copy, s, n);
    }
    return copy;
}

char *kg_arena_str(kg_arena *a, const char *s)
{
    return s != NULL ? kg_arena_strn(a, s, strlen(s)) : NULL;
}

void kg_arena_done(kg_arena *a)
{
    if (a == NULL) {
        return;
    }
    while (a->head != NULL) {
        struct kg_arena_block *next = a->head->next;
        free(a->head);
        a->head = next;
    }
    a->used = 0;
}
