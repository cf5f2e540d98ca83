/* Private to tests/peer. */
#ifndef KENG_TESTS_PEER_OWN_H
#define KENG_TESTS_PEER_OWN_H

#include "peer.h"

enum { PEER_PATH = 160, PEER_WAIT_MS = 30000 };

typedef enum peer_bus { PEER_BUS_PUBLISHER, PEER_BUS_SINK, PEER_BUS_SINK_2, PEER_BUSES } peer_bus;

struct peer_world {
    char dir[64];
    char intake[PEER_PATH], urgent[PEER_PATH], other[PEER_PATH], control[PEER_PATH], status[PEER_PATH];
    secret_key *keys[PEER_WHO_COUNT];
    areas *areas;
    bus *buses[PEER_BUSES];
    pid_t router;
    int last_status;
    unsigned runs;
    size_t stations;
    uint64_t next_identifier;
};

_Noreturn void peer_die(const peer_world *w, const char *fmt, ...) KG_PRINTF(2, 3);
/* Zeroed; never NULL. */
void *peer_alloc(const peer_world *w, size_t n);
void peer_need(const peer_world *w, kg_err e, const kg_diag *diag, const char *what);
bus *peer_bus_of(peer_world *w, peer_bus which);
public_key peer_router_key(const peer_world *w);

#endif
