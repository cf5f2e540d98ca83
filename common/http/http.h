/*
 * http - requests to other people's servers, inside our loop: nothing here waits.
 *
 * Purpose   One http is a set of connections with a cap of its own; a program that must keep urgent traffic apart from
 *           routine has two. An answer of any status is an answer; `error` says that there was none.
 * Doubt     An error with `sent` set means that the request may have arrived and taken effect. Whoever sends it again
 *           needs an idempotency key that the other side honours.
 * Safety    Certificates and host names are always checked. Plain http goes to loopback only, unless `plain` allows it.
 *           Redirects are answers, never followed. Proxies and .netrc of the environment are not used. Answers are cut
 *           off at answer_max (KG_E_LIMIT). No header may hold a line end.
 * Door      libcurl (multi) appears in http/ only; smtp.h is mail over the same connections.
 * Owns      Everything given to http_send is copied. Calls under way when http_free runs are dropped in silence.
 */
#ifndef KENG_HTTP_HTTP_H
#define KENG_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "svc/loop.h"

enum { HTTP_CALLS_MAX = 4096, HTTP_ANSWER_MAX = 1024 * 1024 };

typedef struct http http;

typedef struct http_options {
    unsigned connections;      /* at most at once, 0: 8 */
    unsigned host_connections; /* to one host, 0: as many as `connections` */
    const char *ca_file;       /* PEM; NULL: the system's */
    bool plain;                /* http:// beyond loopback, too */
    const char *agent;         /* User-Agent; NULL: "keng/VERSION" */
} http_options;

typedef struct http_request {
    const char *method; /* NULL: GET, or POST when there is a body */
    const char *url;
    const char *const *headers; /* "Name: value" */
    size_t header_count;
    const void *body;
    size_t body_bytes;
    const char *token;              /* Authorization: Bearer; NULL none */
    const char *user, *password;    /* Basic; NULL none */
    int64_t connect_ms, timeout_ms; /* 0: 5 s, 15 s */
    size_t answer_max;              /* 0: HTTP_ANSWER_MAX */
} http_request;

typedef struct http_answer {
    kg_err error;     /* KG_OK an answer came; KG_E_IO, KG_E_TIMEOUT, KG_E_LIMIT none that counts */
    bool sent;        /* some of the request left this machine */
    long status;      /* 0 without an answer */
    const char *body; /* terminated, "" when empty */
    size_t body_bytes;
    int64_t retry_after_s; /* of a Retry-After header, 0 none */
    const char *sentence;  /* what went wrong, for people; "" */
    const void *headers;   /* for http_header */
} http_answer;

/* Called once from the loop, never within http_send. The answer is lent for the call. It may send and cancel, but not
 * free the http. */
typedef void (*http_done_fn)(void *ctx, const http_answer *answer);

KG_MUST_CHECK kg_err http_new(loop *l, const http_options *options, http **out, kg_diag *diag);
void http_free(http **h);

/* *number names the call for http_cancel (NULL: not wanted); never 0. KG_E_FULL: HTTP_CALLS_MAX under way. */
KG_MUST_CHECK kg_err http_send(http *h, const http_request *r, http_done_fn done, void *ctx, uint64_t *number,
                               kg_diag *diag);
/* Drops a call without a word; an unknown number, as of a call that has ended, is ignored. */
void http_cancel(http *h, uint64_t number);
size_t http_open_calls(const http *h);

/* A header of the final answer, any case; NULL none. Only within the done function. */
const char *http_header(const http_answer *answer, const char *name);

/* Is the URL well-formed, with scheme and host, and allowed by `plain`? Says what is wrong. For config checks. */
KG_MUST_CHECK kg_err http_check_url(const char *url, bool plain, kg_diag *diag);
/* Appends s with all but A-Z a-z 0-9 - . _ ~ written as %XX. */
KG_MUST_CHECK kg_err http_escape(const char *s, kg_buf *out);

#endif
