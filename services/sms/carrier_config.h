/*
 * carrier_config - the file of an operator driver: where, who, how patient.
 */
#ifndef KENG_SMS_CARRIER_CONFIG_H
#define KENG_SMS_CARRIER_CONFIG_H

#include "request.h"

typedef struct carrier_callback {
    char *listen; /* "127.0.0.1:8085" */
    char *url;    /* as the operator reaches it: https://... */
    char *secret; /* file, 0600: the bearer token the operator's calls carry */
} carrier_callback;

typedef struct carrier_config {
    char *operator_id;
    char *url;   /* requests are POSTed here; /<id> and /<id>/stop below it */
    char *token; /* file, 0600 */
    char *ca;    /* PEM file; absent: the system's */
    bool drills;
    unsigned deadline_min;       /* to have sent by, from the issue: default 60 */
    unsigned poll_s;             /* default 5 */
    unsigned answer_s;           /* to answer a request: default 15 */
    unsigned patience_min;       /* for the end, after the deadline: default 30; then UNCERTAIN */
    unsigned connections;        /* default 2 */
    unsigned urgent_connections; /* of their own; default 4 */
    carrier_callback *callback;
    rules message;
} carrier_config;

/* Loaded, checked, defaults filled in. Secrets are read into *token and *secret ("" when there is no callback). */
KG_MUST_CHECK kg_err carrier_config_load(const char *path, carrier_config **out, kg_buf *token, kg_buf *secret,
                                         kg_buf *ca, kg_diag *diag);
void carrier_config_free(carrier_config **c);

#endif
