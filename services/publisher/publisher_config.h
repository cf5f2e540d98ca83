/*
 * publisher_config - publisher.yaml: who this agency is, its keys, its routers, its doors.
 *
 * Shape    Loaded and checked as a whole; paths in it are relative to its folder and absolute here.
 * Owns     Everything; release with publisher_config_done.
 * Errors   KG_E_INVALID with file, line and column, or the entry's name.
 */
#ifndef KENG_PUBLISHER_CONFIG_H
#define KENG_PUBLISHER_CONFIG_H

#include "alert/alert.h"
#include "areas/areas.h"
#include "trust/manifest.h"

enum {
    PUBLISHER_ROUTERS_MAX = 8,
    PUBLISHER_POLLS_MAX = 32,
    PUBLISHER_TTL_MAX_MIN = 24 * 60,
    PUBLISHER_BLOB_MAX = 16 * 1024 * 1024
};

typedef struct publisher_router {
    const char *name, *intake;
    public_key key;
} publisher_router;

typedef struct publisher_poll {
    const char *url;
    unsigned every_s;
} publisher_poll;

typedef struct publisher_config {
    kg_arena mem;
    const char *name, *agency, *sender, *state;
    const char *drop;      /* folder watched by `run`; "" none */
    const char *class_or;  /* class of documents that state none; "" refuse them */
    const char *sector_or; /* sector of documents that state none; "" refuse them */
    unsigned ttl_min;      /* life of a document without `expires` */
    int offset_min;        /* zone of a source that writes none; INT_MIN refuse them */
    publisher_router routers[PUBLISHER_ROUTERS_MAX];
    size_t router_count;
    publisher_poll polls[PUBLISHER_POLLS_MAX];
    size_t poll_count;
    secret_key *connect_key, *sign_key;
    manifest *manifest;
    areas *areas;
} publisher_config;

KG_MUST_CHECK kg_err publisher_config_load(const char *path, publisher_config *out, kg_diag *diag);
void publisher_config_done(publisher_config *c);

#endif
