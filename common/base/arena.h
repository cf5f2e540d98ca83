/*
 * arena - memory that is released all at once: an alert, a policy, a plan and all they point to.
 *
 * Shape     kg_arena a = {.max = 4 << 20}; zeroed = ceiling KG_ARENA_MAX. Memory comes zeroed and aligned for any
 *           type. Errors  NULL at the ceiling or out of memory.
 * Owns      Everything it gave out; kg_arena_done releases it.
 */
#ifndef KENG_BASE_ARENA_H
#define KENG_BASE_ARENA_H

#include <stddef.h>

enum { KG_ARENA_MAX = 64 * 1024 * 1024 };

typedef struct kg_arena {
    struct kg_arena_block *head;
    size_t used; /* bytes given out */
    size_t max;
} kg_arena;

void *kg_arena_alloc(kg_arena *a, size_t n);
void *kg_arena_array(kg_arena *a, size_t count, size_t size); /* overflow-checked */
char *kg_arena_strn(kg_arena *a, const char *s, size_t n);    /* a terminated copy */
char *kg_arena_str(kg_arena *a, const char *s);               /* NULL stays NULL */
void kg_arena_done(kg_arena *a);

#endif
