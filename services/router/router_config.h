/*
 * router_config - router.yaml: where things are and where to listen.
 *
 * Keys      name, key (connecting secret), sign_key (signs receipts), root (hex), manifest, policy, communes (list of
 *           TSV), geometry (list of GeoJSON, optional), state (folder), listen: {intake, urgent, other, control,
 *           status}; optional rate: {per_minute, burst} of submissions a publisher's key.
 * Owns      All of it, secrets included, until router_config_done.
 */
#ifndef KENG_ROUTER_ROUTER_CONFIG_H
#define KENG_ROUTER_ROUTER_CONFIG_H

#include "alert/alert.h"
#include "trust/key.h"
#include "trust/manifest.h"

enum { ROUTER_RATE_PER_MINUTE = 60000, ROUTER_RATE_BURST = 20000 };

typedef struct router_config {
    kg_arena mem;
    const char *name, *manifest, *policy, *state;
    const char *journal, *floor; /* files in state */
    const char *intake, *urgent, *other, *control, *status;
    alert_texts communes, geometry;
    public_key root;
    secret_key *key, *sign_key;
    unsigned rate_per_minute, rate_burst;
} router_config;

KG_MUST_CHECK kg_err router_config_load(const char *path, router_config *out, kg_diag *diag);
/* Both keys are a router's in the manifest; else no peer would connect, and no agency believe an answer. */
KG_MUST_CHECK kg_err router_config_fits(const router_config *c, const manifest *m, kg_diag *diag);
void router_config_done(router_config *c);

#endif
