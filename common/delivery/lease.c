#include "delivery/lease.h"

#include <stdlib.h>

enum { RING_FIRST = 256, RING_MAX = 16 * 1024 * 1024 };

typedef struct ring {
    lease_item *items;
    size_t cap, head, count; /* cap is 0 or a power of two */
} ring;

struct lease {
    ring rings[LANE_COUNT];
};

static const int64_t lasts_ms[LANE_COUNT] = {[LANE_OTHER] = LEASE_OTHER_MS, [LANE_URGENT] = LEASE_URGENT_MS};

static lease_item *at(const ring *r, size_t i)
{
    return &r->items[(r->head + i) & (r->cap - 1)];
}

kg_err lease_new(lease **out)
{
    lease *l = calloc(1, sizeof *l);
    if (l == NULL) {
        return KG_E_NOMEM;
    }
    *out = l;
    return KG_OK;
}

void lease_free(lease **l)
{
    if (l != NULL && *l != NULL) {
        for (int i = 0; i < LANE_COUNT; i++) {
            free((*l)->rings[i].items);
        }
        free(*l);
        *l = NULL;
    }
}

static kg_err ring_grow(ring *r)
{
    const size_t cap = r->cap == 0 ? RING_FIRST : 2 * r->cap;
    if (cap > RING_MAX) {
        return KG_E_FULL;
    }
    lease_item *items = malloc(cap * sizeof *items);
    if (items == NULL) {
        return KG_E_NOMEM;
    }
    for (size_t i = 0; i < r->count; i++) {
        items[i] = *at(r, i);
    }
    free(r->items);
    *r = (ring){.items = items, .cap = cap, .head = 0, .count = r->count};
    return KG_OK;
}

kg_err lease_put(lease *l, lane on, const lease_item *item, int64_t now_ms)
{
    ring *r = &l->rings[on];
    if (r->count == r->cap) {
        const kg_err e = ring_grow(r);
        if (e != KG_OK) {
            return e;
        }
    }
    lease_item *slot = at(r, r->count++);
    *slot = *item;
    slot->due_ms = now_ms + lasts_ms[on];
    return KG_OK;
}

static void drop_oldest(ring *r)
{
    r->head = (r->head + 1) & (r->cap - 1);
    r->count--;
}

bool lease_over(lease *l, lane on, int64_t now_ms, lease_item *out)
{
    ring *r = &l->rings[on];
    if (r->count == 0 || at(r, 0)->due_ms > now_ms) {
        return false;
    }
    *out = *at(r, 0);
    drop_oldest(r);
    return true;
}

void lease_trim(lease *l, lease_fn fn, void *ctx)
{
    for (int i = 0; i < LANE_COUNT; i++) {
        ring *r = &l->rings[i];
        while (r->count > 0 && fn(ctx, (lane)i, at(r, 0)) == LEASE_DROP) {
            drop_oldest(r);
        }
    }
}

void lease_sweep(lease *l, lease_fn fn, void *ctx)
{
    for (int i = 0; i < LANE_COUNT; i++) {
        ring *r = &l->rings[i];
        size_t kept = 0;
        for (size_t j = 0; j < r->count; j++) {
            const lease_item item = *at(r, j);
            if (fn(ctx, (lane)i, &item) == LEASE_KEEP) {
                *at(r, kept++) = item;
            }
        }
        r->count = kept;
    }
}

int64_t lease_next_ms(const lease *l)
{
    int64_t next = INT64_MAX;
    for (int i = 0; i < LANE_COUNT; i++) {
        const ring *r = &l->rings[i];
        if (r->count > 0 && at(r, 0)->due_ms < next) {
            next = at(r, 0)->due_ms;
        }
    }
    return next;
}

size_t lease_count(const lease *l)
{
    size_t n = 0;
    for (int i = 0; i < LANE_COUNT; i++) {
        n += l->rings[i].count;
    }
    return n;
}
