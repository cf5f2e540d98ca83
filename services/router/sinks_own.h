/* Private to sinks*.c. */
#ifndef KENG_ROUTER_SINKS_OWN_H
#define KENG_ROUTER_SINKS_OWN_H

#include "sinks.h"

enum { SINKS_BLOBS = 4, SINKS_NAME_MAX = 64, SINKS_REFUSALS_MAX = 512 };

struct sink_link {
    sinks *owner;
    bus_peer peer;
    lane lane;
    uint32_t number;
    public_key key;
    char name[SINKS_NAME_MAX];
    uint64_t session;
    bool greeted;
    uint32_t *stations;
    size_t station_count, station_cap;
    int64_t heard_ms;

    /* To be said after the commit. */
    bool welcome;
    bool kept;
    uint64_t kept_batch;
};

typedef struct station_slot {
    sink_link *link[LANE_COUNT];
    uint32_t session[LANE_COUNT]; /* rises with every Hello and every loss */
    uint64_t granted[LANE_COUNT], sent[LANE_COUNT];
    uint64_t before[LANE_COUNT]; /* sent before the queue was built anew: it starts to count there */
    public_key key;              /* of the sink that served it last */
    int64_t heard_ms;
} station_slot;

typedef struct arrived {
    sink_link *link; /* NULL: it went away meanwhile */
    wire_msg msg;
    bool done; /* not to be read again */
} arrived;

typedef struct links {
    bus_server *server;
    sink_link **items; /* by peer, rising */
    size_t count, cap;
} links;

typedef struct blob {
    alert_hash hash;
    kg_buf bytes;
    uint64_t used;
} blob;

struct sinks {
    core *core;
    links lanes[LANE_COUNT];
    struct lane_ctx {
        sinks *owner;
        lane lane;
    } ctx[LANE_COUNT];
    station_slot *slots;
    size_t slot_count;
    bool *said; /* by station: it said Hello this turn */
    bool any_said, sweep;
    arrived *arrived;
    size_t arrived_count, arrived_cap;
    uint32_t next_number;
    blob blobs[SINKS_BLOBS];
    uint64_t blob_clock;
    uint64_t strange;
};

/* sinks_hear.c: one message, read. */
void sinks_hear(sinks *s, arrived *a);
/* sinks_say.c */
void sinks_tell(sinks *s);
void sinks_piece(sinks *s, sink_link *l, const wire_msg *want);
/* sinks.c */
void sinks_unbind(sinks *s, sink_link *l, uint32_t at);

#endif
