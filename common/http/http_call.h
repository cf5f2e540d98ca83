/*
 * http_call - one transfer under way; shared by http.c and smtp.c.
 */
#ifndef KENG_HTTP_HTTP_CALL_H
#define KENG_HTTP_HTTP_CALL_H

#include <curl/curl.h>

#include "base/buf.h"
#include "http/http.h"

typedef struct http_call {
    struct http_call *next;
    http *owner;
    uint64_t number;
    CURL *easy;
    struct curl_slist *lists[2]; /* headers, recipients */
    kg_buf upload;
    size_t uploaded;
    kg_buf answer;
    char sentence[CURL_ERROR_SIZE];
    http_done_fn done;
    void *ctx;
} http_call;

/* A call with what all have in common; not under way yet. NULL: out of memory or HTTP_CALLS_MAX reached. */
http_call *http_call_new(http *h, http_done_fn done, void *ctx);
void http_call_free(http_call *c);
/* Under way. Takes the call in any case. */
KG_MUST_CHECK kg_err http_call_start(http_call *c, uint64_t *number, kg_diag *diag);

/* Host of a URL on this machine only? */
bool http_is_loopback(const char *host);
/* Scheme and host of a URL; KG_E_INVALID says what is wrong. */
enum { HTTP_HOST_MAX = 256, HTTP_SCHEME_MAX = 16 };
typedef struct http_place {
    char scheme[HTTP_SCHEME_MAX];
    char host[HTTP_HOST_MAX];
} http_place;
KG_MUST_CHECK kg_err http_place_of(const char *url, http_place *out, kg_diag *diag);

#endif
