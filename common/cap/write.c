#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "cap/cap.h"
#include "cap/profile.h"

/* Elements are appended without a look at each; the first fault is kept and told at the end. */
typedef struct writer {
    kg_buf out;
    const char *fault; /* the element that cannot be written */
    int depth;
} writer;

static void indent(writer *w)
{
    kg_ignore(kg_buf_putf(&w->out, "%*s", 2 * w->depth, ""));
}

static void open_element(writer *w, const char *name)
{
    indent(w);
    kg_ignore(kg_buf_putf(&w->out, "<%s>\n", name));
    w->depth++;
}

static void close_element(writer *w, const char *name)
{
    w->depth--;
    indent(w);
    kg_ignore(kg_buf_putf(&w->out, "</%s>\n", name));
}

/* XML 1.0 has no place for most control characters, not even escaped. */
static bool carries(const char *s)
{
    const size_t n = strlen(s);
    for (size_t i = 0; i < n;) {
        uint32_t cp = 0;
        const size_t len = kg_utf8_next(s + i, n - i, &cp);
        if (len == 0 || (cp < 0x20 && cp != '\n' && cp != '\t' && cp != '\r') || cp == 0xFFFE || cp == 0xFFFF) {
            return false;
        }
        i += len;
    }
    return true;
}

static void put_escaped(writer *w, const char *s)
{
    while (*s != '\0') {
        const size_t plain = strcspn(s, "&<>\r");
        kg_ignore(kg_buf_put(&w->out, s, plain));
        s += plain;
        const char *with = *s == '&' ? "&amp;" : *s == '<' ? "&lt;" : *s == '>' ? "&gt;" : "&#13;";
        if (*s != '\0') {
            kg_ignore(kg_buf_puts(&w->out, with));
            s++;
        }
    }
}

static void always(writer *w, const char *name, const char *value)
{
    if (!carries(value) && w->fault == NULL) {
        w->fault = name;
    }
    indent(w);
    kg_ignore(kg_buf_putf(&w->out, "<%s>", name));
    put_escaped(w, value);
    kg_ignore(kg_buf_putf(&w->out, "</%s>\n", name));
}

static void some(writer *w, const char *name, const char *value)
{
    if (*value != '\0') {
        always(w, name, value);
    }
}

static void required(writer *w, const char *name, const char *value)
{
    if (*value == '\0' && w->fault == NULL) {
        w->fault = name;
    }
    always(w, name, value);
}

static void moment(writer *w, const char *name, int64_t ms, int offset_min)
{
    char text[KG_TIME_TEXT_MAX];
    if (ms != 0) {
        kg_time_text(ms, offset_min, text);
        always(w, name, text);
    }
}

static void pairs(writer *w, const char *name, const alert_pairs *list)
{
    for (size_t i = 0; i < list->count; i++) {
        open_element(w, name);
        always(w, "valueName", list->items[i].name);
        always(w, "value", list->items[i].value);
        close_element(w, name);
    }
}

static void texts(writer *w, const char *name, const alert_texts *list)
{
    for (size_t i = 0; i < list->count; i++) {
        always(w, name, list->items[i]);
    }
}

/* Names between blanks, in quotes where they hold one. */
static void quoted(writer *w, const char *name, const alert_texts *list)
{
    kg_buf b = {0};
    for (size_t i = 0; i < list->count; i++) {
        const char *quote = strchr(list->items[i], ' ') != NULL ? "\"" : "";
        kg_ignore(kg_buf_putf(&b, "%s%s%s%s", i > 0 ? " " : "", quote, list->items[i], quote));
    }
    some(w, name, kg_buf_str(&b));
    w->out.failed = w->out.failed == KG_OK ? kg_buf_failed(&b) : w->out.failed;
    kg_buf_done(&b);
}

static void references(writer *w, const alert *a)
{
    kg_buf b = {0};
    for (size_t i = 0; i < a->references.count; i++) {
        const alert_ref *r = &a->references.items[i];
        kg_ignore(kg_buf_puts(&b, i > 0 ? " " : ""));
        if (*r->sender != '\0') {
            kg_ignore(kg_buf_putf(&b, "%s,", r->sender));
        }
        kg_ignore(kg_buf_puts(&b, r->identifier));
        if (r->sent_ms != 0) {
            char text[KG_TIME_TEXT_MAX];
            kg_time_text(r->sent_ms, a->sent_offset_min, text);
            kg_ignore(kg_buf_putf(&b, ",%s", text));
        }
    }
    some(w, "references", kg_buf_str(&b));
    w->out.failed = w->out.failed == KG_OK ? kg_buf_failed(&b) : w->out.failed;
    kg_buf_done(&b);
}

static void resource(writer *w, const alert_resource *r)
{
    open_element(w, "resource");
    always(w, "resourceDesc", r->description);
    always(w, "mimeType", *r->mime_type != '\0' ? r->mime_type : "application/octet-stream");
    if (r->size != 0) {
        indent(w);
        kg_ignore(kg_buf_putf(&w->out, "<size>%llu</size>\n", (unsigned long long)r->size));
    }
    some(w, "uri", r->uri);
    some(w, "digest", r->digest);
    close_element(w, "resource");
}

static void height(writer *w, const char *name, const char *value)
{
    const char *p = value + (*value == '-' || *value == '+' ? 1 : 0);
    const size_t whole = strspn(p, "0123456789");
    const size_t parts = p[whole] == '.' ? strspn(p + whole + 1, "0123456789") : 0;
    const char *end = p + whole + (p[whole] == '.' ? 1 : 0) + parts;
    if (*value != '\0' && (whole + parts == 0 || *end != '\0') && w->fault == NULL) {
        w->fault = name;
    }
    some(w, name, value);
}

static void area(writer *w, const alert_area *a)
{
    open_element(w, "area");
    always(w, "areaDesc", a->description);
    texts(w, "polygon", &a->polygons);
    texts(w, "circle", &a->circles);
    pairs(w, "geocode", &a->geocodes);
    height(w, "altitude", a->altitude);
    height(w, "ceiling", a->ceiling);
    close_element(w, "area");
}

static void language(writer *w, const char *tag)
{
    size_t part = 0;
    bool fits = *tag != '\0';
    for (const char *p = tag; *p != '\0'; p++) {
        part = *p == '-' ? 0 : part + 1;
        fits =
            fits && part <= 8 && (isalnum((unsigned char)*p) || (*p == '-' && p > tag && p[1] != '-' && p[1] != '\0'));
    }
    if (!fits && w->fault == NULL) {
        w->fault = "language";
    }
    always(w, "language", tag);
}

static void info(writer *w, const alert_info *i)
{
    open_element(w, "info");
    language(w, i->language);
    for (int c = 0; c < CAP_CATEGORY_COUNT; c++) {
        some(w, "category", (i->categories & (1U << c)) != 0 ? cap_category_text((cap_category)c) : "");
    }
    some(w, "category", i->categories == 0 ? cap_category_text(CAP_OTHER) : "");
    always(w, "event", i->event);
    for (int r = 0; r < CAP_RESPONSE_COUNT; r++) {
        some(w, "responseType", (i->responses & (1U << r)) != 0 ? cap_response_text((cap_response)r) : "");
    }
    required(w, "urgency", cap_urgency_text(i->urgency));
    required(w, "severity", cap_severity_text(i->severity));
    required(w, "certainty", cap_certainty_text(i->certainty));
    some(w, "audience", i->audience);
    pairs(w, "eventCode", &i->event_codes);
    moment(w, "effective", i->effective_ms, i->effective_offset_min);
    moment(w, "onset", i->onset_ms, i->onset_offset_min);
    moment(w, "expires", i->expires_ms, i->expires_offset_min);
    some(w, "senderName", i->sender_name);
    some(w, "headline", i->headline);
    some(w, "description", i->description);
    some(w, "instruction", i->instruction);
    some(w, "web", i->web);
    some(w, "contact", i->contact);
    pairs(w, "parameter", &i->parameters);
    for (size_t k = 0; k < i->resources.count; k++) {
        resource(w, &i->resources.items[k]);
    }
    for (size_t k = 0; k < i->areas.count; k++) {
        area(w, &i->areas.items[k]);
    }
    close_element(w, "info");
}

static void document(writer *w, const alert *a)
{
    kg_ignore(kg_buf_puts(&w->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                                   "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">\n"));
    w->depth = 1;
    required(w, "identifier", a->identifier);
    required(w, "sender", a->sender);
    moment(w, "sent", a->sent_ms, a->sent_offset_min);
    if (a->sent_ms <= 0) {
        w->fault = "sent";
    }
    required(w, "status", cap_status_text(a->status));
    required(w, "msgType", cap_msg_type_text(a->msg_type));
    some(w, "source", a->source);
    required(w, "scope", cap_scope_text(a->scope));
    some(w, "restriction", a->restriction);
    quoted(w, "addresses", &a->addresses);
    texts(w, "code", &a->codes);
    some(w, "note", a->note);
    references(w, a);
    quoted(w, "incidents", &a->incidents);
    for (size_t i = 0; i < a->infos.count; i++) {
        info(w, &a->infos.items[i]);
    }
    kg_ignore(kg_buf_puts(&w->out, "</alert>\n"));
}

static bool has_scales(const alert *a)
{
    bool any = a->bulletin_class != CLASS_ROUTINE || a->risk_level != 0 || a->civil_defence_level != 0 ||
               a->phase != 0 || a->first_warning || a->next_bulletin_ms != 0 || a->worst_hit.count > 0 ||
               *a->sector != '\0' || *a->agency != '\0' || *a->civil_defence_decision != '\0' ||
               *a->emergency_instrument != '\0';
    for (size_t i = 0; i < a->infos.count; i++) {
        const alert_info *f = &a->infos.items[i];
        any = any || *f->sms != '\0' || *f->sms_accented != '\0' || *f->speech != '\0' || *f->crawl != '\0';
    }
    return any;
}

static bool has_profile(const alert *a)
{
    for (size_t i = 0; i < a->infos.count; i++) {
        for (size_t k = 0; k < a->infos.items[i].parameters.count; k++) {
            if (strncmp(a->infos.items[i].parameters.items[k].name, "CAP-VN:", 7) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* A copy whose lists may be changed; its texts are still the original's. */
static kg_err with_profile(const alert *a, alert *copy)
{
    *copy = *a;
    copy->mem = (kg_arena){0};
    copy->infos.items = kg_arena_array(&copy->mem, a->infos.count, sizeof *a->infos.items);
    if (copy->infos.items == NULL) {
        return KG_E_NOMEM;
    }
    for (size_t i = 0; i < a->infos.count; i++) {
        copy->infos.items[i] = a->infos.items[i];
    }
    return profile_write(copy);
}

kg_err cap_write(const alert *a, kg_buf *out, kg_diag *diag)
{
    writer w = {.out = {.max = 4 * ALERT_PAYLOAD_MAX}};
    alert copy = {0};
    kg_err e = KG_OK;
    if (a->infos.count > 0 && has_scales(a) && !has_profile(a)) {
        e = with_profile(a, &copy);
        a = &copy;
    }
    if (e == KG_OK) {
        document(&w, a);
        e = kg_buf_failed(&w.out);
    }
    if (e == KG_OK && w.fault != NULL) {
        e = kg_fail(diag, KG_E_INVALID, "CAP: <%s> is missing or holds what XML or the schema cannot carry", w.fault);
    } else if (e != KG_OK) {
        kg_ignore(kg_fail(diag, e, "CAP: the document does not fit into memory or its limit"));
    } else {
        e = kg_buf_put(out, w.out.s, w.out.len);
    }
    kg_arena_done(&copy.mem);
    kg_buf_done(&w.out);
    return e;
}
