/*
 * kannel_config - the file of a kannel driver.
 */
#ifndef KENG_SMS_KANNEL_CONFIG_H
#define KENG_SMS_KANNEL_CONFIG_H

#include "rules.h"

typedef struct kannel_reports {
    char *listen; /* "127.0.0.1:8086" */
    char *url;    /* as Kannel reaches it, e.g. "http://127.0.0.1:8086"; absent: http://<listen> */
} kannel_reports;

typedef struct kannel_config {
    char *url;             /* http://127.0.0.1:13013/cgi-bin/sendsms */
    char *user, *password; /* password: file, 0600 */
    char *smsc;            /* Kannel's smsc id; absent: its own routing */
    char *list;            /* numbers.h */
    char *province;        /* "86": lines for the province get every alert */
    kannel_reports reports;
    unsigned window, urgent_window; /* messages under way: default 10, 20 */
    unsigned receipt_wait_s;        /* for the last report: default 120 */
    bool drills;
    rules message;
} kannel_config;

KG_MUST_CHECK kg_err kannel_config_load(const char *path, kannel_config **out, kg_buf *password, kg_buf *list,
                                        kg_diag *diag);
void kannel_config_free(kannel_config **c);

#endif
