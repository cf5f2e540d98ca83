/*
 * request - the one form that an operator gets for one alert in one language, as JSON and as a letter.
 *
 * Purpose   Whoever gets it, a program or a person, needs nothing else: what to send, to which communes in which order,
 *           under which name, until when, what it replaces, who answers for it.
 * Id        <alert>.<playing>.<operator>.<language>: the idempotency key. The alert's id covers its revision, for an
 *           Update is an alert of its own.
 * Door      jansson appears in request.c and answer.c.
 * Source    domain.md 6 and 10 rows 10, 12; deploy/gateways/operator-sms.md is the contract.
 */
#ifndef KENG_SMS_REQUEST_H
#define KENG_SMS_REQUEST_H

#include "messages.h"

enum { REQUEST_ID_MAX = 128, REQUEST_OPERATOR_MAX = 32 };

typedef struct request {
    const sink_job *job;
    const message *text;
    const char *operator_id;
    const char *sender;
    int64_t deadline_ms;
    const char *callback; /* URL, NULL none */
    const char *phone;    /* whom a person calls to confirm, "" none */
    bool for_people;      /* JSON is indented and has the letter in it */
} request;

void request_id(const sink_job *job, const char *operator_id, const char *language, char out[REQUEST_ID_MAX]);
/* Compact JSON with sorted keys. */
KG_MUST_CHECK kg_err request_json(const request *r, kg_buf *out, kg_diag *diag);
/* The same as a letter in Vietnamese, lines ending in \n. */
KG_MUST_CHECK kg_err request_letter(const request *r, kg_buf *out, kg_diag *diag);
/* An operator's id: 1 to 31 of a-z 0-9 -; it stands in ids and file names. */
KG_MUST_CHECK kg_err request_check_operator(const char *operator_id, kg_diag *diag);

#endif
