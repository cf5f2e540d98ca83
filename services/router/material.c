#include "material.h"

#include <stdlib.h>
#include <string.h>

#include "alert/pack.h"

enum { SLOTS = 4096 };

typedef struct entry {
    material m;
    kg_arena mem;
    uint64_t used; /* rises with every use */
    struct entry *next;
} entry;

struct materials {
    journal *journal;
    entry *slots[SLOTS];
    size_t count, bytes;
    uint64_t clock;
};

kg_err materials_new(journal *j, materials **out)
{
    materials *m = calloc(1, sizeof *m);
    if (m == NULL) {
        return KG_E_NOMEM;
    }
    m->journal = j;
    *out = m;
    return KG_OK;
}

static void entry_free(materials *m, entry *e)
{
    m->bytes -= e->mem.used + sizeof *e;
    m->count--;
    kg_arena_done(&e->mem);
    free(e);
}

static entry **slot_of(materials *m, uint64_t position)
{
    entry **at = &m->slots[position % SLOTS];
    while (*at != NULL && (*at)->m.position != position) {
        at = &(*at)->next;
    }
    return at;
}

void materials_forget(materials *m, uint64_t position)
{
    entry **at = slot_of(m, position);
    if (*at != NULL) {
        entry *gone = *at;
        *at = gone->next;
        entry_free(m, gone);
    }
}

void materials_clear(materials *m)
{
    for (size_t i = 0; i < SLOTS; i++) {
        while (m->slots[i] != NULL) {
            materials_forget(m, m->slots[i]->m.position);
        }
    }
}

void materials_free(materials **m)
{
    if (m != NULL && *m != NULL) {
        materials_clear(*m);
        free(*m);
        *m = NULL;
    }
}

/* A quarter at once, so that looking for the oldest is rare. */
static void make_room(materials *m)
{
    const uint64_t keep_after = m->clock - m->count / 4 * 3;
    for (size_t i = 0; i < SLOTS; i++) {
        for (entry **at = &m->slots[i]; *at != NULL;) {
            entry *e = *at;
            if (e->used <= keep_after) {
                *at = e->next;
                entry_free(m, e);
            } else {
                at = &e->next;
            }
        }
    }
    if (m->bytes > MATERIAL_BYTES_MAX) {
        materials_clear(m);
    }
}

typedef struct loading {
    entry *e;
    wire_target *targets;
    size_t count, cap;
    kg_diag *diag;
} loading;

static kg_err take_target(void *ctx, const journal_delivery *d)
{
    loading *l = ctx;
    const size_t line = (size_t)(d->number & ((1u << JOURNAL_LINE_BITS) - 1));
    if (line >= l->cap) {
        size_t cap = l->cap == 0 ? 16 : l->cap;
        while (cap <= line) {
            cap *= 2;
        }
        wire_target *more = kg_arena_array(&l->e->mem, cap, sizeof *more);
        if (more == NULL) {
            return KG_E_NOMEM;
        }
        if (l->count > 0) {
            memcpy(more, l->targets, l->count * sizeof *more);
        }
        l->targets = more;
        l->cap = cap;
    }
    wire_target *t = &l->targets[line];
    kg_err e = wire_target_read(d->target, d->target_len, &l->e->mem, t, l->diag);
    if (e == KG_OK) {
        t->station = kg_arena_str(&l->e->mem, d->station);
        t->delivery = d->number;
        e = t->station == NULL ? KG_E_NOMEM : KG_OK;
        l->count = line >= l->count ? line + 1 : l->count;
    }
    return e;
}

static kg_err load(materials *m, entry *e, uint64_t position, kg_diag *diag)
{
    kg_buf bytes = {.max = SIGNED_BYTES_MAX};
    loading l = {.e = e, .diag = diag};
    kg_err r = journal_bytes(m->journal, position, &bytes, diag);
    if (r == KG_OK) {
        uint8_t *copy = kg_arena_alloc(&e->mem, bytes.len + 1);
        if (copy == NULL) {
            r = kg_fail(diag, KG_E_NOMEM, "no memory for an alert that is to be sent");
        } else {
            memcpy(copy, kg_buf_str(&bytes), bytes.len);
            e->m.signed_alert = (wire_bytes){copy, bytes.len};
            e->m.hash = alert_hash_of(copy, bytes.len);
        }
    }
    kg_buf_done(&bytes);
    if (r == KG_OK) {
        r = journal_deliveries_of(m->journal, position, take_target, &l, diag);
    }
    e->m.position = position;
    e->m.targets = l.targets;
    e->m.target_count = l.count;
    return r;
}

kg_err materials_get(materials *m, uint64_t position, const material **out, kg_diag *diag)
{
    entry **at = slot_of(m, position);
    if (*at == NULL) {
        if (m->bytes > MATERIAL_BYTES_MAX) {
            make_room(m);
            at = slot_of(m, position);
        }
        entry *e = calloc(1, sizeof *e);
        if (e == NULL) {
            return kg_fail(diag, KG_E_NOMEM, "no memory for an alert that is to be sent");
        }
        const kg_err r = load(m, e, position, diag);
        if (r != KG_OK) {
            kg_arena_done(&e->mem);
            free(e);
            return r;
        }
        e->next = *at;
        *at = e;
        m->count++;
        m->bytes += e->mem.used + sizeof *e;
    }
    (*at)->used = ++m->clock;
    *out = &(*at)->m;
    return KG_OK;
}

size_t materials_bytes(const materials *m)
{
    return m->bytes;
}
