#include "http/http.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/http_call.h"

enum { CONNECT_MS = 5000, WHOLE_MS = 15000, CONNECTIONS = 8, AGENT_MAX = 64 };

struct http {
    loop *loop;
    loop_timer *timer;
    CURLM *multi;
    http_call *calls; /* open ones, newest first */
    size_t count;
    uint64_t last_number;
    char *ca_file;
    char agent[AGENT_MAX];
    bool plain;
};

/* ---- what libcurl asks of us ---- */

static void drain(http *h);

static void on_socket(void *ctx, int fd, unsigned events)
{
    http *h = ctx;
    int running = 0;
    int mask = 0;
    mask |= (events & LOOP_READ) != 0 ? CURL_CSELECT_IN : 0;
    mask |= (events & LOOP_WRITE) != 0 ? CURL_CSELECT_OUT : 0;
    mask |= (events & LOOP_ERROR) != 0 ? CURL_CSELECT_ERR : 0;
    (void)curl_multi_socket_action(h->multi, fd, mask, &running);
    drain(h);
}

static void on_timer(void *ctx)
{
    http *h = ctx;
    int running = 0;
    (void)curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    drain(h);
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
    http *h = ctx;
    (void)easy;
    (void)socket_ctx;
    if (what == CURL_POLL_REMOVE) {
        loop_unwatch(h->loop, fd);
        return 0;
    }
    unsigned events = 0;
    events |= (what & CURL_POLL_IN) != 0 ? LOOP_READ : 0U;
    events |= (what & CURL_POLL_OUT) != 0 ? LOOP_WRITE : 0U;
    return loop_watch(h->loop, fd, events, on_socket, h) == KG_OK ? 0 : -1;
}

static int want_timer(CURLM *multi, long after_ms, void *ctx)
{
    http *h = ctx;
    (void)multi;
    if (after_ms < 0) {
        loop_timer_stop(h->timer);
    } else {
        loop_timer_set(h->timer, after_ms);
    }
    return 0;
}

static size_t take_answer(char *bytes, size_t size, size_t n, void *ctx)
{
    http_call *c = ctx;
    return kg_buf_put(&c->answer, bytes, size * n) == KG_OK ? size * n : 0;
}

static size_t give_upload(char *room, size_t size, size_t n, void *ctx)
{
    http_call *c = ctx;
    const size_t left = c->upload.len - c->uploaded;
    const size_t give = left < size * n ? left : size * n;
    if (give > 0) {
        memcpy(room, c->upload.s + c->uploaded, give);
        c->uploaded += give;
    }
    return give;
}

/* ---- the life of a call ---- */

http_call *http_call_new(http *h, http_done_fn done, void *ctx)
{
    http_call *c = h->count < HTTP_CALLS_MAX ? calloc(1, sizeof *c) : NULL;
    if (c == NULL) {
        return NULL;
    }
    *c = (http_call){.owner = h, .done = done, .ctx = ctx, .easy = curl_easy_init()};
    c->answer.max = HTTP_ANSWER_MAX;
    if (c->easy == NULL) {
        free(c);
        return NULL;
    }
    (void)curl_easy_setopt(c->easy, CURLOPT_PRIVATE, c);
    (void)curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(c->easy, CURLOPT_NOPROXY, "*");
    (void)curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, c->sentence);
    (void)curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, take_answer);
    (void)curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, c);
    (void)curl_easy_setopt(c->easy, CURLOPT_READFUNCTION, give_upload);
    (void)curl_easy_setopt(c->easy, CURLOPT_READDATA, c);
    (void)curl_easy_setopt(c->easy, CURLOPT_SSL_VERIFYPEER, 1L);
    (void)curl_easy_setopt(c->easy, CURLOPT_SSL_VERIFYHOST, 2L);
    (void)curl_easy_setopt(c->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    (void)curl_easy_setopt(c->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    (void)curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, (long)WHOLE_MS);
    if (h->ca_file != NULL && curl_easy_setopt(c->easy, CURLOPT_CAINFO, h->ca_file) != CURLE_OK) {
        http_call_free(c);
        return NULL;
    }
    return c;
}

void http_call_free(http_call *c)
{
    if (c == NULL) {
        return;
    }
    curl_easy_cleanup(c->easy);
    curl_slist_free_all(c->lists[0]);
    curl_slist_free_all(c->lists[1]);
    kg_buf_done(&c->upload);
    kg_buf_done(&c->answer);
    free(c);
}

kg_err http_call_start(http_call *c, uint64_t *number, kg_diag *diag)
{
    http *h = c->owner;
    const CURLMcode rc = curl_multi_add_handle(h->multi, c->easy);
    if (rc != CURLM_OK) {
        const kg_err e = kg_fail(diag, KG_E_IO, "cannot start the request: %s", curl_multi_strerror(rc));
        http_call_free(c);
        return e;
    }
    c->number = ++h->last_number;
    c->next = h->calls;
    h->calls = c;
    h->count++;
    if (number != NULL) {
        *number = c->number;
    }
    return KG_OK;
}

static void unlink_call(http *h, http_call *c)
{
    for (http_call **p = &h->calls; *p != NULL; p = &(*p)->next) {
        if (*p == c) {
            *p = c->next;
            h->count--;
            break;
        }
    }
    (void)curl_multi_remove_handle(h->multi, c->easy);
}

static kg_err error_of(CURLcode rc, const http_call *c)
{
    if (rc == CURLE_OK) {
        return KG_OK;
    }
    if (rc == CURLE_OPERATION_TIMEDOUT) {
        return KG_E_TIMEOUT;
    }
    return rc == CURLE_WRITE_ERROR && kg_buf_failed(&c->answer) == KG_E_LIMIT ? KG_E_LIMIT : KG_E_IO;
}

static void finish(http *h, http_call *c, CURLcode rc)
{
    http_answer answer = {.error = error_of(rc, c), .body = kg_buf_str(&c->answer), .body_bytes = c->answer.len};
    long request_bytes = 0;
    curl_off_t wait_s = 0;
    (void)curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &answer.status);
    (void)curl_easy_getinfo(c->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
    (void)curl_easy_getinfo(c->easy, CURLINFO_RETRY_AFTER, &wait_s);
    answer.sent = request_bytes > 0 || c->uploaded > 0;
    answer.retry_after_s = (int64_t)wait_s;
    answer.sentence = rc == CURLE_OK ? "" : c->sentence[0] != '\0' ? c->sentence : curl_easy_strerror(rc);
    answer.headers = c->easy;
    unlink_call(h, c);
    c->done(c->ctx, &answer);
    http_call_free(c);
}

static void drain(http *h)
{
    int left = 0;
    for (CURLMsg *m = curl_multi_info_read(h->multi, &left); m != NULL; m = curl_multi_info_read(h->multi, &left)) {
        http_call *c = NULL;
        if (m->msg == CURLMSG_DONE && curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&c) == CURLE_OK) {
            finish(h, c, m->data.result);
        }
    }
}

void http_cancel(http *h, uint64_t number)
{
    for (http_call *c = h->calls; c != NULL; c = c->next) {
        if (c->number == number) {
            unlink_call(h, c);
            http_call_free(c);
            return;
        }
    }
}

size_t http_open_calls(const http *h)
{
    return h->count;
}

const char *http_header(const http_answer *answer, const char *name)
{
    struct curl_header *found = NULL;
    union {
        const void *lent;
        CURL *easy;
    } handle = {.lent = answer->headers};
    if (curl_easy_header(handle.easy, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK) {
        return NULL;
    }
    return found->value;
}

/* ---- places ---- */

bool http_is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 || strcmp(host, "[::1]") == 0;
}

kg_err http_place_of(const char *url, http_place *out, kg_diag *diag)
{
    CURLU *u = curl_url();
    char *scheme = NULL;
    char *host = NULL;
    kg_err e = u == NULL ? kg_fail(diag, KG_E_NOMEM, "no memory for a URL") : KG_OK;
    if (e == KG_OK && curl_url_set(u, CURLUPART_URL, url, CURLU_DISALLOW_USER) != CURLUE_OK) {
        e = kg_fail(diag, KG_E_INVALID, "\"%s\" is not a URL without name and password: write scheme://host:port/path",
                    url);
    }
    if (e == KG_OK && (curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
                       curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK || strlen(scheme) >= HTTP_SCHEME_MAX ||
                       strlen(host) >= HTTP_HOST_MAX)) {
        e = kg_fail(diag, KG_E_INVALID, "\"%s\" has no scheme or host of its own", url);
    }
    if (e == KG_OK && scheme != NULL && host != NULL) {
        *out = (http_place){{0}, {0}};
        memcpy(out->scheme, scheme, strlen(scheme));
        memcpy(out->host, host, strlen(host));
    }
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(u);
    return e;
}

kg_err http_check_url(const char *url, bool plain, kg_diag *diag)
{
    http_place place;
    const kg_err e = http_place_of(url, &place, diag);
    if (e != KG_OK) {
        return e;
    }
    if (strcmp(place.scheme, "https") != 0 && strcmp(place.scheme, "http") != 0) {
        return kg_fail(diag, KG_E_INVALID, "\"%s\": only https and http are spoken here", url);
    }
    if (strcmp(place.scheme, "http") == 0 && !plain && !http_is_loopback(place.host)) {
        return kg_fail(diag, KG_E_DENIED, "\"%s\" would travel in the clear: use https (http is for this machine only)",
                       url);
    }
    return KG_OK;
}

kg_err http_escape(const char *s, kg_buf *out)
{
    static const char free_ones[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (; *s != '\0'; s++) {
        const kg_err e = strchr(free_ones, *s) != NULL ? kg_buf_put(out, s, 1)
                                                       : kg_buf_putf(out, "%%%02X", (unsigned)(unsigned char)*s);
        if (e != KG_OK) {
            return e;
        }
    }
    return KG_OK;
}

/* ---- a request ---- */

static kg_err add_header(http_call *c, const char *line, kg_diag *diag)
{
    if (strpbrk(line, "\r\n") != NULL) {
        return kg_fail(diag, KG_E_INVALID, "a header of a request holds a line end");
    }
    struct curl_slist *longer = curl_slist_append(c->lists[0], line);
    if (longer == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for a request's headers");
    }
    c->lists[0] = longer;
    return KG_OK;
}

static kg_err set_headers(http_call *c, const http_request *r, kg_diag *diag)
{
    kg_err e = add_header(c, "Expect:", diag); /* no waiting for 100-continue */
    for (size_t i = 0; e == KG_OK && i < r->header_count; i++) {
        e = add_header(c, r->headers[i], diag);
    }
    if (e == KG_OK && r->token != NULL) {
        kg_buf line = {0};
        e = kg_buf_putf(&line, "Authorization: Bearer %s", r->token);
        e = e == KG_OK ? add_header(c, line.s, diag) : kg_fail(diag, e, "no memory for a request's headers");
        kg_buf_done(&line);
    }
    return e;
}

static bool set_body(http_call *c, const http_request *r)
{
    const bool post = r->body != NULL;
    if (r->method != NULL && curl_easy_setopt(c->easy, CURLOPT_CUSTOMREQUEST, r->method) != CURLE_OK) {
        return false;
    }
    if (!post) {
        return true;
    }
    return curl_easy_setopt(c->easy, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_bytes) == CURLE_OK &&
           curl_easy_setopt(c->easy, CURLOPT_COPYPOSTFIELDS, r->body) == CURLE_OK;
}

static bool set_rest(http_call *c, const http_request *r)
{
    const http *h = c->owner;
    bool ok = curl_easy_setopt(c->easy, CURLOPT_URL, r->url) == CURLE_OK &&
              curl_easy_setopt(c->easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
              curl_easy_setopt(c->easy, CURLOPT_USERAGENT, h->agent) == CURLE_OK &&
              curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->lists[0]) == CURLE_OK;
    if (ok && r->user != NULL) {
        ok = curl_easy_setopt(c->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) == CURLE_OK &&
             curl_easy_setopt(c->easy, CURLOPT_USERNAME, r->user) == CURLE_OK &&
             curl_easy_setopt(c->easy, CURLOPT_PASSWORD, r->password != NULL ? r->password : "") == CURLE_OK;
    }
    if (ok && r->connect_ms > 0) {
        ok = curl_easy_setopt(c->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)r->connect_ms) == CURLE_OK;
    }
    if (ok && r->timeout_ms > 0) {
        ok = curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms) == CURLE_OK;
    }
    return ok;
}

kg_err http_send(http *h, const http_request *r, http_done_fn done, void *ctx, uint64_t *number, kg_diag *diag)
{
    kg_err e = http_check_url(r->url, h->plain, diag);
    if (e != KG_OK) {
        return e;
    }
    http_call *c = http_call_new(h, done, ctx);
    if (c == NULL) {
        return kg_fail(diag, KG_E_FULL, "%zu requests are under way already, or memory is short", h->count);
    }
    if (r->answer_max > 0) {
        c->answer.max = r->answer_max;
    }
    e = set_headers(c, r, diag);
    if (e == KG_OK && (!set_body(c, r) || !set_rest(c, r))) {
        e = kg_fail(diag, KG_E_NOMEM, "no memory for a request"); /* its URL may hold a secret or a number */
    }
    if (e != KG_OK) {
        http_call_free(c);
        return e;
    }
    return http_call_start(c, number, diag);
}

/* ---- the set ---- */

static bool set_up(http *h, const http_options *o)
{
    const long all = o->connections > 0 ? (long)o->connections : CONNECTIONS;
    const long host = o->host_connections > 0 ? (long)o->host_connections : all;
    return curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, want_socket) == CURLM_OK &&
           curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h) == CURLM_OK &&
           curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, want_timer) == CURLM_OK &&
           curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h) == CURLM_OK &&
           curl_multi_setopt(h->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, all) == CURLM_OK &&
           curl_multi_setopt(h->multi, CURLMOPT_MAX_HOST_CONNECTIONS, host) == CURLM_OK;
}

kg_err http_new(loop *l, const http_options *options, http **out, kg_diag *diag)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return kg_fail(diag, KG_E_NOMEM, "libcurl does not start");
    }
    http *h = calloc(1, sizeof *h);
    if (h == NULL) {
        curl_global_cleanup();
        return kg_fail(diag, KG_E_NOMEM, "no memory for outgoing connections");
    }
    h->loop = l;
    h->plain = options->plain;
    h->multi = curl_multi_init();
    h->ca_file = options->ca_file != NULL ? strdup(options->ca_file) : NULL;
    const char *agent = options->agent != NULL ? options->agent : "keng/" KENG_VERSION;
    memcpy(h->agent, agent, strnlen(agent, AGENT_MAX - 1));
    kg_err e = loop_timer_new(l, on_timer, h, &h->timer);
    if (e == KG_OK && (h->multi == NULL || (options->ca_file != NULL && h->ca_file == NULL) || !set_up(h, options))) {
        e = KG_E_NOMEM;
    }
    if (e != KG_OK) {
        http_free(&h);
        return kg_fail(diag, e, "no memory for outgoing connections");
    }
    *out = h;
    return KG_OK;
}

void http_free(http **h)
{
    if (*h == NULL) {
        return;
    }
    while ((*h)->calls != NULL) {
        http_call *c = (*h)->calls;
        unlink_call(*h, c);
        http_call_free(c);
    }
    if ((*h)->multi != NULL) {
        (void)curl_multi_cleanup((*h)->multi); /* closes kept connections; needs loop and timer still */
    }
    loop_timer_free(&(*h)->timer);
    free((*h)->ca_file);
    free(*h);
    *h = NULL;
    curl_global_cleanup();
}
