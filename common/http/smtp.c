#include "http/smtp.h"

#include <string.h>

#include "http/http_call.h"

enum { MAIL_MS = 30000 };

kg_err smtp_check_server(const char *server, kg_diag *diag)
{
    http_place place;
    const kg_err e = http_place_of(server, &place, diag);
    if (e != KG_OK) {
        return e;
    }
    if (strcmp(place.scheme, "smtp") != 0 && strcmp(place.scheme, "smtps") != 0) {
        return kg_fail(diag, KG_E_INVALID, "\"%s\": a mail server is smtp://host:port or smtps://host:port", server);
    }
    return KG_OK;
}

static kg_err add_recipient(http_call *c, const char *address, kg_diag *diag)
{
    if (address[0] == '\0' || strpbrk(address, "\r\n<> ") != NULL) {
        return kg_fail(diag, KG_E_INVALID, "a mail address is empty, or holds a blank, a line end or < >");
    }
    struct curl_slist *longer = curl_slist_append(c->lists[1], address);
    if (longer == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for a mail's recipients");
    }
    c->lists[1] = longer;
    return KG_OK;
}

static bool set_mail(http_call *c, const smtp_mail *m, bool without_tls)
{
    const long tls = without_tls ? (long)CURLUSESSL_TRY : (long)CURLUSESSL_ALL;
    bool ok =
        curl_easy_setopt(c->easy, CURLOPT_URL, m->server) == CURLE_OK &&
        curl_easy_setopt(c->easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps") == CURLE_OK &&
        curl_easy_setopt(c->easy, CURLOPT_USE_SSL, tls) == CURLE_OK &&
        curl_easy_setopt(c->easy, CURLOPT_MAIL_FROM, m->from) == CURLE_OK &&
        curl_easy_setopt(c->easy, CURLOPT_MAIL_RCPT, c->lists[1]) == CURLE_OK &&
        curl_easy_setopt(c->easy, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
        curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, m->timeout_ms > 0 ? (long)m->timeout_ms : MAIL_MS) == CURLE_OK;
    if (ok && m->user != NULL) {
        ok = curl_easy_setopt(c->easy, CURLOPT_USERNAME, m->user) == CURLE_OK &&
             curl_easy_setopt(c->easy, CURLOPT_PASSWORD, m->password != NULL ? m->password : "") == CURLE_OK;
    }
    return ok;
}

kg_err smtp_send(http *h, const smtp_mail *mail, http_done_fn done, void *ctx, uint64_t *number, kg_diag *diag)
{
    http_place place;
    kg_err e = smtp_check_server(mail->server, diag);
    if (e == KG_OK) {
        e = http_place_of(mail->server, &place, diag);
    }
    if (e != KG_OK) {
        return e;
    }
    http_call *c = http_call_new(h, done, ctx);
    if (c == NULL) {
        return kg_fail(diag, KG_E_FULL, "too many requests are under way, or memory is short");
    }
    for (size_t i = 0; e == KG_OK && i < mail->to_count; i++) {
        e = add_recipient(c, mail->to[i], diag);
    }
    if (e == KG_OK && (kg_buf_put(&c->upload, mail->message, mail->message_bytes) != KG_OK ||
                       !set_mail(c, mail, mail->plain || http_is_loopback(place.host)))) {
        e = kg_fail(diag, KG_E_NOMEM, "no memory for a mail through %s", mail->server);
    }
    if (e != KG_OK) {
        http_call_free(c);
        return e;
    }
    return http_call_start(c, number, diag);
}
