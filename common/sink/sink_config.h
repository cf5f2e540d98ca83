/*
 * sink_config - sink.yaml, loaded and checked as a whole.
 *
 * Shape     Paths in the file are relative to its folder; those here are usable as they stand. Texts are never NULL.
 * Errors    KG_E_INVALID with file, line and column, or the entry's name, and what to write instead.
 * Door      libcyaml appears in sink_config.c only.
 */
#ifndef KENG_SINK_SINK_CONFIG_H
#define KENG_SINK_SINK_CONFIG_H

#include "alert/alert.h"
#include "policy/policy.h"
#include "sink/hours.h"
#include "sink/sink.h"
#include "trust/key.h"

enum { SINK_ROUTERS_MAX = 4, SINK_DRIVERS_MAX = 16, SINK_STATIONS_MAX = 1000 };

typedef struct sink_router_config {
    const char *name, *urgent, *other;
    public_key key;
} sink_router_config;

typedef struct sink_driver_config {
    const char *name, *kind;
    const char *config; /* NULL: none */
} sink_driver_config;

typedef struct sink_station_config {
    sink_station station;
    size_t driver; /* in drivers */
} sink_station_config;

typedef struct sink_config {
    kg_arena mem;
    const char *name, *key, *manifest, *state, *control;
    public_key root;
    alert_texts communes;
    hours hours;
    sink_router_config *routers;
    size_t router_count;
    sink_driver_config *drivers;
    size_t driver_count;
    sink_station_config *stations; /* sorted by id */
    size_t station_count;
} sink_config;

/* media: bits (1u << medium) that this program serves. */
KG_MUST_CHECK kg_err sink_config_load(const char *path, uint32_t media, sink_config *out, kg_diag *diag);
void sink_config_done(sink_config *c);

#endif
