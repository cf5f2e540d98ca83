#include "bus/peers.h"

#include <stdlib.h>
#include <string.h>

static size_t home(const peer_map *m, uint32_t key)
{
    return (size_t)((key * 2654435769U) >> 7) & (m->cap - 1); /* Knuth's multiplicative hash */
}

static peer_place *find(const peer_map *m, uint32_t key)
{
    if (m->cap == 0) {
        return NULL;
    }
    for (size_t i = home(m, key);; i = (i + 1) & (m->cap - 1)) {
        if (m->places[i].at == 0) {
            return NULL;
        }
        if (m->places[i].key == key) {
            return &m->places[i];
        }
    }
}

static void put(peer_map *m, uint32_t key, uint32_t at)
{
    size_t i = home(m, key);
    while (m->places[i].at != 0) {
        i = (i + 1) & (m->cap - 1);
    }
    m->places[i] = (peer_place){key, at};
}

/* Linear probing without tombstones: whatever stood further because of this place moves up. */
static void take(peer_map *m, uint32_t key)
{
    peer_place *hole = find(m, key);
    if (hole == NULL) {
        return;
    }
    const size_t mask = m->cap - 1;
    size_t empty = (size_t)(hole - m->places);
    for (size_t i = (empty + 1) & mask; m->places[i].at != 0; i = (i + 1) & mask) {
        const size_t wanted = home(m, m->places[i].key);
        if (((i - wanted) & mask) >= ((i - empty) & mask)) {
            m->places[empty] = m->places[i];
            empty = i;
        }
    }
    m->places[empty] = (peer_place){0, 0};
}

static kg_err grow_map(peer_map *m, size_t cap)
{
    const peer_map old = *m;
    peer_place *places = calloc(cap, sizeof *places);
    if (places == NULL) {
        return KG_E_NOMEM;
    }
    *m = (peer_map){places, cap};
    for (size_t i = 0; i < old.cap; i++) {
        if (old.places[i].at != 0) {
            put(m, old.places[i].key, old.places[i].at);
        }
    }
    free(old.places);
    return KG_OK;
}

static kg_err grow(peers *p)
{
    const size_t cap = p->cap != 0 ? 2 * p->cap : 16;
    peer *pool = realloc(p->pool, cap * sizeof *pool);
    if (pool == NULL) {
        return KG_E_NOMEM;
    }
    memset(pool + p->cap, 0, (cap - p->cap) * sizeof *pool);
    p->pool = pool;
    kg_err e = grow_map(&p->by_route, 2 * cap);
    if (e == KG_OK) {
        e = grow_map(&p->by_number, 2 * cap);
    }
    if (e == KG_OK) {
        p->cap = cap; /* last: a half-grown pool is used as before */
    }
    return e;
}

kg_err peers_add(peers *p, uint32_t route, bus_peer number, peer **out)
{
    if (p->count >= BUS_PEERS_MAX) {
        return KG_E_LIMIT;
    }
    if (p->count == p->cap) {
        const kg_err e = grow(p);
        if (e != KG_OK) {
            return e;
        }
    }
    size_t at = p->used;
    if (p->count < p->used) {
        for (at = 0; p->pool[at].number != 0; at++) {
        }
    } else {
        p->used++;
    }
    p->pool[at] = (peer){.route = route, .number = number};
    p->count++;
    put(&p->by_route, route, (uint32_t)at + 1);
    put(&p->by_number, number, (uint32_t)at + 1);
    *out = &p->pool[at];
    return KG_OK;
}

static peer *lookup(const peers *p, const peer_map *m, uint32_t key)
{
    const peer_place *place = find(m, key);
    return place != NULL ? &p->pool[place->at - 1] : NULL;
}

peer *peers_by_route(const peers *p, uint32_t route)
{
    return lookup(p, &p->by_route, route);
}

peer *peers_by_number(const peers *p, bus_peer number)
{
    return lookup(p, &p->by_number, number);
}

void peers_remove(peers *p, peer *who)
{
    take(&p->by_route, who->route);
    take(&p->by_number, who->number);
    memset(who, 0, sizeof *who);
    p->count--;
}

peer *peers_at(const peers *p, size_t i)
{
    return i < p->used && p->pool[i].number != 0 ? &p->pool[i] : NULL;
}

void peers_done(peers *p)
{
    free(p->pool);
    free(p->by_route.places);
    free(p->by_number.places);
    memset(p, 0, sizeof *p);
}
