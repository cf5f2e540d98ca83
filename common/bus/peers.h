/*
 * peers - who is connected to one server: found by the routing id a message came with, and by the number we gave. Pure.
 *
 * Shape     A pool of peers and two hash tables into it. Pointers hold until the next peers_add.
 * Limits    BUS_PEERS_MAX. Only the bus uses it.
 */
#ifndef KENG_BUS_PEERS_H
#define KENG_BUS_PEERS_H

#include "bus/bus.h"

typedef struct peer {
    uint32_t route;  /* libzmq's automatic routing id: a zero byte and this number */
    bus_peer number; /* 0: a free place in the pool */
    public_key key;
    char key_text[KEY_TEXT]; /* as User-Id says it: one comparison proves a message */
    uint32_t strikes;
    bool heard;  /* since the last probe */
    bool closed; /* its messages are dropped, nobody is told of its end */
    bool lost;   /* no way to it any more; removed at the end of the turn */
} peer;

typedef struct peer_place {
    uint32_t key;
    uint32_t at; /* place in the pool + 1; 0 empty */
} peer_place;

typedef struct peer_map {
    peer_place *places;
    size_t cap; /* a power of two, at most half full */
} peer_map;

typedef struct peers {
    peer *pool;
    size_t count, used, cap; /* live; places ever used; allocated */
    peer_map by_route, by_number;
} peers;

void peers_done(peers *p);
/* route and number must be new. KG_E_LIMIT, KG_E_NOMEM. */
KG_MUST_CHECK kg_err peers_add(peers *p, uint32_t route, bus_peer number, peer **out);
peer *peers_by_route(const peers *p, uint32_t route);
peer *peers_by_number(const peers *p, bus_peer number);
void peers_remove(peers *p, peer *who);
/* For a walk over all: places 0 .. p->used - 1; NULL a free one. */
peer *peers_at(const peers *p, size_t i);

#endif
