/*
 * kannel_message - one message as Kannel's sendsms takes it, and what Kannel's answer says about it.
 */
#ifndef KENG_SMS_KANNEL_MESSAGE_H
#define KENG_SMS_KANNEL_MESSAGE_H

#include "dlr.h"
#include "http/http.h"
#include "kannel_config.h"

enum { KANNEL_KEY_TEXT = 33 };

typedef struct kannel_message {
    const char *to, *text;
    sms_coding coding;
    const char *key; /* of our report URLs */
    uint64_t batch, mark;
} kannel_message;

/* Appends the sendsms URL; it holds the password and the number: wipe it after use, never log it. */
KG_MUST_CHECK kg_err kannel_url(const kannel_config *c, const char *password, const kannel_message *m, kg_buf *url);

/* How an answer leaves the number: QUEUED, WAITING (surely not taken), REFUSED. *why_code is "gateway-down" or "login"
 * when the whole list should pause, else "". A request that may have arrived is QUEUED: a report will tell, and it is
 * never sent twice. */
dlr_stand kannel_judge(const http_answer *h, const char **why_code);

/* The key in the folder's report.key, made once and kept, so that reports which come after a restart still count. */
KG_MUST_CHECK kg_err kannel_key(const char *folder, char out[KANNEL_KEY_TEXT], kg_diag *diag);

#endif
