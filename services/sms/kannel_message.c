#include "kannel_message.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/file.h"
#include "base/hex.h"

enum { KEY_BYTES = 16, DLR_MASK = 31 };

static kg_err add_argument(kg_buf *url, const char *name, const char *value)
{
    const kg_err e = kg_buf_putf(url, "%s%s=", strchr(kg_buf_str(url), '?') != NULL ? "&" : "?", name);
    return e == KG_OK ? http_escape(value, url) : e;
}

static kg_err report_url(const kannel_config *c, const kannel_message *m, kg_buf *out)
{
    return kg_buf_putf(out, "%s%s/dlr/%s/%" PRIu64 "/%" PRIu64 "/%%d/%%A", c->reports.url != NULL ? "" : "http://",
                       c->reports.url != NULL ? c->reports.url : c->reports.listen, m->key, m->batch, m->mark);
}

kg_err kannel_url(const kannel_config *c, const char *password, const kannel_message *m, kg_buf *url)
{
    kg_buf report = {0};
    char mask[8];
    kg_err e = report_url(c, m, &report);
    (void)snprintf(mask, sizeof mask, "%d", DLR_MASK);
    const struct {
        const char *name, *value;
    } arguments[] = {
        {"username", c->user}, {"password", password},
        {"smsc", c->smsc},     {"from", c->message.sender},
        {"to", m->to},         {"coding", m->coding == SMS_UCS2 ? "2" : "0"},
        {"charset", "utf-8"},  {"text", m->text},
        {"dlr-mask", mask},    {"dlr-url", kg_buf_str(&report)},
    };
    if (e == KG_OK) {
        e = kg_buf_puts(url, c->url);
    }
    for (size_t i = 0; e == KG_OK && i < sizeof arguments / sizeof arguments[0]; i++) {
        e = arguments[i].value != NULL ? add_argument(url, arguments[i].name, arguments[i].value) : KG_OK;
    }
    kg_buf_done(&report);
    return e;
}

dlr_stand kannel_judge(const http_answer *h, const char **why_code)
{
    *why_code = "";
    if (h->error != KG_OK) {
        *why_code = h->sent ? "" : "gateway-down";
        return h->sent ? STAND_QUEUED : STAND_WAITING;
    }
    if (h->status == 202) {
        return STAND_QUEUED;
    }
    if (h->status == 403 && strstr(h->body, "routable") == NULL) {
        *why_code = "login";
        return STAND_WAITING;
    }
    if (h->status >= 500) {
        *why_code = "gateway-down";
        return STAND_WAITING;
    }
    return STAND_REFUSED;
}

kg_err kannel_key(const char *folder, char out[KANNEL_KEY_TEXT], kg_diag *diag)
{
    kg_buf path = {0};
    kg_buf text = {0};
    uint8_t bytes[KEY_BYTES];
    kg_err e = kg_buf_putf(&path, "%s/report.key", folder);
    if (e == KG_OK) {
        e = kg_file_read(path.s, KANNEL_KEY_TEXT, &text, diag);
    }
    if (e == KG_OK && kg_hex_read(kg_buf_str(&text), bytes, sizeof bytes)) {
        kg_hex(bytes, sizeof bytes, out);
    } else if (e == KG_OK || e == KG_E_NOTFOUND) {
        e = getrandom(bytes, sizeof bytes, 0) == (ssize_t)sizeof bytes
                ? KG_OK
                : kg_fail(diag, KG_E_IO, "the system gives no random bytes");
        kg_hex(bytes, sizeof bytes, out);
        if (e == KG_OK) {
            e = kg_file_replace(path.s, out, KANNEL_KEY_TEXT - 1, 0600, diag);
        }
    }
    kg_buf_done(&path);
    kg_buf_done(&text);
    return e;
}
