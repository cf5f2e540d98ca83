/*
 * smtp - one e-mail to one server, inside our loop.
 *
 * Rules     The message is taken as given: headers, an empty line, body, lines ending in CRLF. KG_OK
 *           means that the server has taken it for all recipients, and no more than that. TLS is demanded and its
 *           certificate checked, unless the server is on loopback or `plain` allows it to be left out.
 * Doubt     As in http.h: an error with `sent` set may still have been taken.
 */
#ifndef KENG_HTTP_SMTP_H
#define KENG_HTTP_SMTP_H

#include "http/http.h"

typedef struct smtp_mail {
    const char *server;          /* smtp://host:port (STARTTLS) or smtps://host:port */
    const char *user, *password; /* NULL none */
    const char *from;
    const char *const *to;
    size_t to_count;
    const void *message;
    size_t message_bytes;
    bool plain;         /* a server beyond loopback may go without TLS */
    int64_t timeout_ms; /* 0: 30 s */
} smtp_mail;

/* answer->status is the SMTP reply, 250 when taken. */
KG_MUST_CHECK kg_err smtp_send(http *h, const smtp_mail *mail, http_done_fn done, void *ctx, uint64_t *number,
                               kg_diag *diag);
KG_MUST_CHECK kg_err smtp_check_server(const char *server, kg_diag *diag);

#endif
