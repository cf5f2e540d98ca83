#include "cap/capmap.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "text/text.h"

enum { SENTENCE_MAX = 400 };

/* 200 open rings are one thing to tell, not 200. */
static bool told(const cap_document *d, const char *rule, const char *sentence)
{
    for (size_t i = 0; i < d->finding_count; i++) {
        if (strcmp(d->findings[i].rule, rule) == 0 && strcmp(d->findings[i].sentence, sentence) == 0) {
            return true;
        }
    }
    return false;
}

static void record(capmap *m, cap_finding f, bool worse)
{
    cap_document *d = m->doc;
    if (d->findings == NULL) {
        d->findings = kg_arena_array(m->mem, CAP_FINDINGS_MAX, sizeof *d->findings);
    }
    if (d->findings == NULL || told(d, f.rule, f.sentence) || (d->finding_count == CAP_FINDINGS_MAX && !worse)) {
        m->nomem = m->nomem || d->findings == NULL;
        return;
    }
    f.sentence = kg_arena_str(m->mem, f.sentence);
    if (f.sentence == NULL) {
        m->nomem = true;
        return;
    }
    d->finding_count += d->finding_count < CAP_FINDINGS_MAX ? 1 : 0;
    d->findings[d->finding_count - 1] = f;
}

void capmap_find(capmap *m, const xmlNode *at, const char *rule, cap_verdict v, const char *fmt, ...)
{
    char text[SENTENCE_MAX];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    const size_t n = strlen(text);
    text[n + 1 == sizeof text ? kg_utf8_floor(text, n, n - 4) : n] = '\0'; /* cut on a character */
    const bool worse = v > m->doc->verdict;
    m->doc->verdict = worse ? v : m->doc->verdict;
    const int line = at != NULL ? (int)xmlGetLineNo(at) : 0;
    record(m, (cap_finding){.rule = rule, .verdict = v, .sentence = text, .line = line}, worse);
}

cap_version capmap_version(const xmlNode *node)
{
    static const struct {
        const char *space;
        cap_version version;
    } spaces[] = {
        {"urn:oasis:names:tc:emergency:cap:1.2", CAP_1_2},
        {"urn:oasis:names:tc:emergency:cap:1.1", CAP_1_1},
        {"http://www.incident.com/cap/1.0", CAP_1_0},
    };
    if (node->type != XML_ELEMENT_NODE || node->ns == NULL || node->ns->href == NULL) {
        return CAP_NOT;
    }
    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++) {
        if (strcmp((const char *)node->ns->href, spaces[i].space) == 0) {
            return spaces[i].version;
        }
    }
    return CAP_NOT;
}

bool capmap_named(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

static bool blank_text(const xmlChar *s)
{
    return s == NULL || s[strspn((const char *)s, " \t\n\r")] == '\0';
}

static bool is_empty(const xmlNode *node)
{
    for (const xmlNode *c = node->children; c != NULL; c = c->next) {
        const bool words = c->type == XML_TEXT_NODE || c->type == XML_CDATA_SECTION_NODE;
        if (c->type == XML_ELEMENT_NODE || c->type == XML_ENTITY_REF_NODE || (words && !blank_text(c->content))) {
            return false;
        }
    }
    return true;
}

/* The one element of another namespace that CAP allows; telling of it is all that happens here (cap.md B6). */
static bool is_signature(const xmlNode *c)
{
    return c->ns != NULL && strcmp((const char *)c->ns->href, "http://www.w3.org/2000/09/xmldsig#") == 0;
}

static size_t name_index(const xmlNode *node, const char *const *names)
{
    size_t i = 0;
    while (names[i] != NULL && strcmp((const char *)node->name, names[i]) != 0) {
        i++;
    }
    return i;
}

static void sort_child(capmap *m, const xmlNode *c, size_t i, uint32_t many, capmap_children *out)
{
    if (is_empty(c)) {
        capmap_find(m, c, "DOC-13", CAP_WARN, "<%s> is empty and taken as absent; leave it out.", c->name);
        return;
    }
    if (out->first[i] == NULL) {
        out->first[i] = c;
    } else if ((many & (1U << i)) == 0) {
        capmap_find(m, c, "DOC-6", CAP_WARN, "<%s> stands more than once; write it once.", c->name);
    }
    out->times[i]++;
}

void capmap_sort(capmap *m, const xmlNode *parent, const char *const *names, uint32_t many, capmap_children *out)
{
    size_t last = 0;
    bool ordered = true;
    memset(out, 0, sizeof *out);
    for (const xmlNode *c = parent->children; c != NULL; c = c->next) {
        if (c->type != XML_ELEMENT_NODE) {
            continue;
        }
        if (is_signature(c)) {
            capmap_find(m, c, "SIG", CAP_WARN, "The XML signature was not verified; the original keeps it.");
            continue;
        }
        const size_t i = name_index(c, names);
        if (names[i] == NULL || capmap_version(c) != m->version) {
            capmap_find(m, c, "DOC-7", CAP_WARN, "<%s> is not known in <%s> and is left out; the original keeps it.",
                        c->name, parent->name);
            continue;
        }
        if (i < last && ordered) {
            ordered = false;
            capmap_find(m, c, "DOC-6", CAP_WARN, "<%s> stands after <%s>; the schema wants it before.", c->name,
                        names[last]);
        }
        last = i > last ? i : last;
        sort_child(m, c, i, many, out);
    }
}

const xmlNode *capmap_next(const xmlNode *node)
{
    for (const xmlNode *c = node->next; c != NULL; c = c->next) {
        if (c->type == XML_ELEMENT_NODE && capmap_version(c) == capmap_version(node) &&
            strcmp((const char *)c->name, (const char *)node->name) == 0 && !is_empty(c)) {
            return c;
        }
    }
    return NULL;
}

void *capmap_array(capmap *m, size_t count, size_t size)
{
    void *p = count > 0 ? kg_arena_array(&m->doc->alert.mem, count, size) : NULL;
    m->nomem = m->nomem || (p == NULL && count > 0);
    return p;
}

/* The node's characters in NFC at the end of scratch. */
static void append_content(capmap *m, const xmlNode *node)
{
    xmlChar *raw = xmlNodeGetContent(node);
    if (raw == NULL) {
        m->nomem = true;
        return;
    }
    if (text_nfc((const char *)raw, true, &m->scratch) != KG_OK) {
        m->nomem = true; /* the parser gives UTF-8 only */
    }
    xmlFree(raw);
}

static const char *keep(capmap *m, const char *s, size_t n)
{
    while (n > 0 && strchr(" \n", *s) != NULL) {
        s++;
        n--;
    }
    while (n > 0 && strchr(" \n", s[n - 1]) != NULL) {
        n--;
    }
    const char *copy = n > 0 ? kg_arena_strn(&m->doc->alert.mem, s, n) : "";
    m->nomem = m->nomem || copy == NULL;
    return copy != NULL ? copy : "";
}

const char *capmap_token(capmap *m, const xmlNode *node)
{
    if (node == NULL) {
        return "";
    }
    kg_buf_clear(&m->scratch);
    append_content(m, node);
    size_t n = 0;
    for (size_t i = 0; i < m->scratch.len; i++) {
        const char c = m->scratch.s[i] == '\n' ? ' ' : m->scratch.s[i];
        if (c != ' ' || (n > 0 && m->scratch.s[n - 1] != ' ')) {
            m->scratch.s[n++] = c;
        }
    }
    return keep(m, kg_buf_str(&m->scratch), n);
}

/* Written "&amp;lt;br&amp;gt;": the author's system escaped twice. Nothing is decoded a second time. */
static bool escaped_twice(const char *s)
{
    static const char *const signs[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&nbsp;", "&#"};
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        if (strstr(s, signs[i]) != NULL) {
            return true;
        }
    }
    for (const char *p = strchr(s, '<'); p != NULL; p = strchr(p + 1, '<')) {
        const char c = p[1] == '/' ? p[2] : p[1];
        if (((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) && strchr(p, '>') != NULL) {
            return true;
        }
    }
    return false;
}

static bool has_elements(const xmlNode *node)
{
    for (const xmlNode *c = node->children; c != NULL; c = c->next) {
        if (c->type == XML_ELEMENT_NODE) {
            return true;
        }
    }
    return false;
}

const char *capmap_text(capmap *m, const xmlNode *node)
{
    if (node == NULL) {
        return "";
    }
    kg_buf_clear(&m->scratch);
    for (const xmlNode *c = node; c != NULL; c = capmap_next(c)) {
        if (c != node) {
            kg_ignore(kg_buf_puts(&m->scratch, "\n")); /* looked at below */
        }
        append_content(m, c);
        if (has_elements(c)) {
            capmap_find(m, c, "DOC-5", CAP_WARN, "<%s> holds markup; only its text is taken.", c->name);
        }
    }
    m->nomem = m->nomem || kg_buf_failed(&m->scratch) != KG_OK;
    const char *s = keep(m, kg_buf_str(&m->scratch), m->scratch.len);
    if (escaped_twice(s)) {
        capmap_find(m, node, "DOC-5", CAP_WARN,
                    "The text of <%s> shows HTML or escape signs to people; escape it once and use plain text.",
                    node->name);
    }
    return s;
}

int64_t capmap_time(capmap *m, const xmlNode *node, const char *name, int *offset_min)
{
    int64_t ms = 0;
    unsigned slips = 0;
    if (node == NULL) {
        return 0;
    }
    const char *s = capmap_token(m, node);
    const bool assumes = m->assume_offset_min != INT_MIN;
    if (kg_time_read(s, assumes ? m->assume_offset_min : 0, &ms, offset_min, &slips) != KG_OK || ms <= 0) {
        capmap_find(m, node, "ALT-4", CAP_REFUSE,
                    "%s \"%.60s\" is not a time; write it like 2026-03-20T14:05:00+07:00.", name, s);
        return 0;
    }
    if ((slips & KG_TIME_NO_ZONE) != 0) {
        capmap_find(m, node, "ALT-3", assumes ? CAP_WARN : CAP_REFUSE, "%s \"%.60s\" has no time zone; %s.", name, s,
                    assumes ? "the zone configured for this source is taken"
                            : "write it like 2026-03-20T14:05:00+07:00");
    }
    if ((slips & KG_TIME_LEAP) != 0) {
        capmap_find(m, node, "ALT-4", CAP_WARN, "%s \"%.60s\" is a leap second; the next second is taken.", name, s);
    }
    if ((slips & (KG_TIME_ZULU | KG_TIME_FRACTION | KG_TIME_PLUS_ZERO)) != 0) {
        capmap_find(m, node, "ALT-3", CAP_WARN, "%s \"%.60s\" is not CAP's form; no fraction, no Z, and UTC is -00:00.",
                    name, s);
    }
    return ms / 1000 * 1000; /* CAP has whole seconds, and so has the alert's identity */
}
