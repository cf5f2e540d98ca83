#include "mime.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/utf8.h"

enum { LINE_BYTES = 57, WORD_BYTES = 42 }; /* 76 characters of base64 a line; an encoded word stays under 75 */

static const char boundary[] = "=_keng_part";

static void put_base64(const char *s, size_t n, kg_buf *out)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        const size_t left = n - i;
        const unsigned a = (unsigned char)s[i];
        const unsigned b = left > 1 ? (unsigned char)s[i + 1] : 0U;
        const unsigned c = left > 2 ? (unsigned char)s[i + 2] : 0U;
        const char four[] = {alphabet[a >> 2], alphabet[(a & 3U) << 4 | b >> 4],
                             left > 1 ? alphabet[(b & 15U) << 2 | c >> 6] : '=', left > 2 ? alphabet[c & 63U] : '='};
        kg_ignore(kg_buf_put(out, four, sizeof four)); /* a failure marks the buffer, which is asked at the end */
    }
}

static void put(kg_buf *out, const char *s)
{
    kg_ignore(kg_buf_puts(out, s)); /* the same */
}

static void put_body(const char *s, size_t n, kg_buf *out)
{
    for (size_t i = 0; i < n; i += LINE_BYTES) {
        put_base64(s + i, n - i < LINE_BYTES ? n - i : LINE_BYTES, out);
        put(out, "\r\n");
    }
}

/* RFC 2047: words of base64, cut between characters. */
static void put_subject(const char *s, kg_buf *out)
{
    size_t left = strlen(s);
    put(out, "Subject:");
    while (left > 0) {
        const size_t n = kg_utf8_floor(s, left, WORD_BYTES < left ? WORD_BYTES : left);
        put(out, " =?UTF-8?B?");
        put_base64(s, n, out);
        put(out, "?=");
        s += n;
        left -= n;
        put(out, left > 0 ? "\r\n" : "");
    }
    put(out, "\r\n");
}

static void put_date(int64_t ms, kg_buf *out)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const time_t local = (time_t)(ms / 1000) + (time_t)KG_VN_OFFSET_MIN * 60;
    struct tm t;
    if (gmtime_r(&local, &t) != NULL) {
        kg_ignore(kg_buf_putf(out, "Date: %s, %02d %s %d %02d:%02d:%02d +0700\r\n", days[t.tm_wday], t.tm_mday,
                              months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec)); /* the same */
    }
}

kg_err mime_write(const mime_letter *m, kg_buf *out, kg_diag *diag)
{
    const char *host = strchr(m->from, '@');
    kg_ignore(kg_buf_putf(out, "From: <%s>\r\nTo: ", m->from)); /* the same, and below */
    for (size_t i = 0; i < m->to_count; i++) {
        kg_ignore(kg_buf_putf(out, "%s<%s>", i > 0 ? ",\r\n " : "", m->to[i]));
    }
    put(out, "\r\n");
    put_subject(m->subject, out);
    put_date(m->date_ms, out);
    kg_ignore(kg_buf_putf(out, "Message-ID: <%s%s>\r\n", m->id, host != NULL ? host : "@keng"));
    put(out, m->urgent ? "Importance: high\r\nX-Priority: 1\r\n" : "");
    kg_ignore(
        kg_buf_putf(out, "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"%s\"\r\n\r\n", boundary));
    kg_ignore(kg_buf_putf(out, "--%s\r\nContent-Type: text/plain; charset=utf-8\r\n", boundary));
    put(out, "Content-Transfer-Encoding: base64\r\n\r\n");
    put_body(m->text, strlen(m->text), out);
    for (size_t i = 0; i < m->part_count; i++) {
        const mime_part *p = &m->parts[i];
        kg_ignore(
            kg_buf_putf(out, "--%s\r\nContent-Type: %s\r\nContent-Transfer-Encoding: base64\r\n", boundary, p->type));
        kg_ignore(kg_buf_putf(out, "Content-Disposition: attachment; filename=\"%s\"\r\n\r\n", p->name));
        put_body(p->bytes, p->n, out);
    }
    kg_ignore(kg_buf_putf(out, "--%s--\r\n", boundary));
    const kg_err e = kg_buf_failed(out);
    return e == KG_OK ? e : kg_fail(diag, e, "no memory for an e-mail");
}
