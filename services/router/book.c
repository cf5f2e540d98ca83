#include "book.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef struct slot {
    uint64_t position;
    book_alert *alert; /* NULL: dropped; slots are closed up when half of them are */
} slot;

struct book {
    slot *slots;
    size_t count, cap, live;
    size_t bytes;
};

kg_err book_new(book **out)
{
    book *b = calloc(1, sizeof *b);
    if (b == NULL) {
        return KG_E_NOMEM;
    }
    *out = b;
    return KG_OK;
}

void book_free(book **b)
{
    if (b == NULL || *b == NULL) {
        return;
    }
    for (size_t i = 0; i < (*b)->count; i++) {
        free((*b)->slots[i].alert);
    }
    free((*b)->slots);
    free(*b);
    *b = NULL;
}

/* The first slot with at least this position. */
static size_t seek(const book *b, uint64_t position)
{
    size_t low = 0;
    size_t high = b->count;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (b->slots[mid].position < position) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static size_t bytes_of(uint32_t lines)
{
    return sizeof(book_alert) + (size_t)lines * sizeof(book_line);
}

static kg_err make_room(book *b)
{
    if (b->count < b->cap) {
        return KG_OK;
    }
    const size_t cap = b->cap == 0 ? 64 : 2 * b->cap;
    slot *slots = realloc(b->slots, cap * sizeof *slots);
    if (slots == NULL) {
        return KG_E_NOMEM;
    }
    b->slots = slots;
    b->cap = cap;
    return KG_OK;
}

kg_err book_add(book *b, const book_alert *head, uint32_t count, book_alert **out)
{
    const kg_err e = make_room(b);
    if (e != KG_OK) {
        return e;
    }
    const size_t at = seek(b, head->position);
    const bool reuse = at < b->count && b->slots[at].position == head->position;
    if (reuse && b->slots[at].alert != NULL) {
        return KG_E_EXISTS;
    }
    book_alert *a = calloc(1, bytes_of(count));
    if (a == NULL) {
        return KG_E_NOMEM;
    }
    *a = *head;
    a->count = count;
    a->lines = (book_line *)(a + 1);
    for (uint32_t i = 0; i < count; i++) {
        a->lines[i].state = BOOK_ABSENT;
    }
    if (!reuse) {
        memmove(&b->slots[at + 1], &b->slots[at], (b->count - at) * sizeof *b->slots);
        b->count++;
    }
    b->slots[at] = (slot){head->position, a};
    b->live++;
    b->bytes += bytes_of(count);
    *out = a;
    return KG_OK;
}

book_alert *book_find(const book *b, uint64_t position)
{
    const size_t at = seek(b, position);
    return at < b->count && b->slots[at].position == position ? b->slots[at].alert : NULL;
}

static void close_up(book *b)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->count; i++) {
        if (b->slots[i].alert != NULL) {
            b->slots[kept++] = b->slots[i];
        }
    }
    b->count = kept;
    assert(kept == b->live);
}

void book_drop(book *b, uint64_t position)
{
    const size_t at = seek(b, position);
    if (at >= b->count || b->slots[at].position != position || b->slots[at].alert == NULL) {
        return;
    }
    b->bytes -= bytes_of(b->slots[at].alert->count);
    free(b->slots[at].alert);
    b->slots[at].alert = NULL;
    b->live--;
    if (b->count > 64 && b->live < b->count / 2) {
        close_up(b);
    }
}

book_alert *book_next(const book *b, uint64_t after)
{
    for (size_t i = seek(b, after + 1); i < b->count; i++) {
        if (b->slots[i].alert != NULL) {
            return b->slots[i].alert;
        }
    }
    return NULL;
}

size_t book_count(const book *b)
{
    return b->live;
}

size_t book_bytes(const book *b)
{
    return b->bytes + b->cap * sizeof *b->slots + b->live * 2 * sizeof(size_t);
}
