/*
 * life_index - the records behind life, found by id, by identifier and by what they refer to. Private to the room.
 */
#ifndef KENG_LIFECYCLE_LIFE_INDEX_H
#define KENG_LIFECYCLE_LIFE_INDEX_H

#include "lifecycle/life.h"

typedef struct life_node life_node;

/* A reference of `from`; chained by the identifier it names. */
typedef struct life_ref {
    const char *sender, *identifier; /* in the node's memory; sender "" means the node's own */
    int64_t sent_s;                  /* 0 not said */
    life_node *from;
    struct life_ref *next;
} life_ref;

struct life_node {
    alert_id id;
    const char *sender, *identifier;
    int64_t sent_s, expires_ms, ended_ms; /* ended_ms: when it stopped being alive, 0 while alive */
    cap_status status;
    cap_msg_type type;
    life_state state;
    alert_id by;
    bool forced, withdrawn;
    bool foreign; /* some reference names another sender */
    life_ref *refs;
    size_t ref_count;
    life_node *next_id, *next_name;
};

typedef struct life_index {
    life_node **nodes;
    size_t count, room;
    life_node **by_id, **by_name;
    life_ref **by_ref;
    size_t buckets; /* of each table, a power of two */
    size_t refs;
} life_index;

/* A record with copies of what life needs; not in the index yet. NULL: no memory. */
life_node *life_node_make(const alert *a);
void life_node_free(life_node *n);

KG_MUST_CHECK kg_err life_index_put(life_index *x, life_node *n); /* takes n on KG_OK */
life_node *life_index_find(const life_index *x, alert_id id);
/* Heads of chains; members of other names are among them, so compare. */
life_node *life_index_named(const life_index *x, const char *identifier);
life_ref *life_index_naming(const life_index *x, const char *identifier);
/* Forgets the nodes for which drop() is true. */
void life_index_sweep(life_index *x, bool (*drop)(const life_node *n, int64_t now_ms), int64_t now_ms);
void life_index_done(life_index *x);

#endif
