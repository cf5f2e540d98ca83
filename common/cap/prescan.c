#include "cap/prescan.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alert/alert.h"
#include "base/utf8.h"
#include "cap/codepage.h"

enum { DECLARATION_MAX = 256, ENCODING_MAX = 32, NO_ALERT = -1 };
static const char bom[] = "\xEF\xBB\xBF";

typedef struct scanner {
    prescan *out;
    kg_diag *diag;
    const char *s;
    size_t n;
    size_t at; /* in s */
    size_t depth, elements;
    int alert_of[PRESCAN_DEPTH_MAX]; /* for each open element its place in out->alerts, or NO_ALERT */
    size_t source_at, source;        /* s[source_at] came from byte `source` of the document */
    bool single_byte;
} scanner;

static kg_err refuse(prescan *p, kg_err e, const char *rule, size_t at)
{
    p->rule = rule;
    p->line = 1;
    for (size_t i = 0; i < at && i < p->text.len; i++) {
        p->line += p->text.s[i] == '\n' ? 1 : 0;
    }
    return e;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The name in encoding="..." of the XML declaration; "" when there is none. */
static void declared_encoding(const char *s, size_t n, char out[ENCODING_MAX])
{
    out[0] = '\0';
    if (n < 6 || memcmp(s, "<?xml", 5) != 0 || !blank(s[5])) {
        return;
    }
    const size_t most = n < DECLARATION_MAX ? n : DECLARATION_MAX;
    const char *end = memmem(s, most, "?>", 2);
    const char *at = end != NULL ? memmem(s, (size_t)(end - s), "encoding", 8) : NULL;
    if (at == NULL) {
        return;
    }
    at += 8;
    while (at < end && (blank(*at) || *at == '=')) {
        at++;
    }
    const char quote = *at;
    size_t len = 0;
    for (at++; at < end && *at != quote && len + 1 < ENCODING_MAX; at++) {
        out[len++] = *at;
    }
    out[len] = '\0';
}

/* How many bytes from the beginning are UTF-8 without NUL. */
static size_t valid_length(const char *s, size_t n)
{
    size_t i = 0;
    while (i < n) {
        uint32_t cp = 0;
        const size_t len = kg_utf8_next(s + i, n - i, &cp);
        if (len == 0 || cp == 0) {
            break;
        }
        i += len;
    }
    return i;
}

static kg_err take_utf8(prescan *p, const char *s, size_t n, kg_diag *diag)
{
    const size_t valid = valid_length(s, n);
    const kg_err e = kg_buf_put(&p->text, s, valid);
    if (e != KG_OK || valid == n) {
        return e;
    }
    (void)refuse(p, KG_E_INVALID, "DOC-4", valid);
    return kg_fail(diag, KG_E_INVALID,
                   "Byte %zu is not UTF-8 and no other known encoding is declared; save the document as UTF-8.",
                   valid + 1);
}

/* Fills p->text; *single_byte tells that each character came from one byte. */
static kg_err decode(prescan *p, const char *s, size_t n, bool *single_byte, kg_diag *diag)
{
    char name[ENCODING_MAX];
    const bool marked = n >= 3 && memcmp(s, bom, 3) == 0;
    declared_encoding(marked ? s + 3 : s, marked ? n - 3 : n, name);
    const bool says_utf8 = name[0] == '\0' || strcasecmp(name, "utf-8") == 0 || strcasecmp(name, "utf8") == 0 ||
                           strcasecmp(name, "us-ascii") == 0 || strcasecmp(name, "ascii") == 0;
    if (says_utf8) {
        return marked ? take_utf8(p, s + 3, n - 3, diag) : take_utf8(p, s, n, diag);
    }
    const codepage *page = codepage_find(name);
    if (page == NULL || marked) {
        (void)refuse(p, KG_E_INVALID, "DOC-4", 0);
        return kg_fail(diag, KG_E_INVALID, "The encoding \"%s\" %s; save the document as UTF-8.", name,
                       marked ? "contradicts the byte order mark" : "is not read here");
    }
    *single_byte = true;
    size_t at = 0;
    const kg_err e = codepage_decode(page, s, n, &p->text, &at);
    if (e == KG_E_INVALID) {
        (void)refuse(p, e, "DOC-4", p->text.len);
        return kg_fail(diag, e, "Byte %zu is no character of the declared encoding \"%s\"; save the document as UTF-8.",
                       at + 1, name);
    }
    return e;
}

/* Positions only rise, so the whole document is walked over once. */
static size_t source_of(scanner *sc, size_t at)
{
    for (; sc->source_at < at; sc->source_at++) {
        const bool continues = ((unsigned char)sc->s[sc->source_at] & 0xC0U) == 0x80;
        sc->source += sc->single_byte && continues ? 0 : 1;
    }
    return sc->source;
}

static bool starts(const scanner *sc, const char *with)
{
    const size_t n = strlen(with);
    return sc->n - sc->at >= n && memcmp(sc->s + sc->at, with, n) == 0;
}

static kg_err broken(scanner *sc, const char *what)
{
    return kg_fail(sc->diag, refuse(sc->out, KG_E_INVALID, "DOC-1", sc->at), "The document is not well-formed XML: %s.",
                   what);
}

static kg_err too_much(scanner *sc, const char *what, int most)
{
    return kg_fail(sc->diag, refuse(sc->out, KG_E_LIMIT, "DOC-3", sc->at),
                   "The document has more than %d %s; no warning needs that many.", most, what);
}

static kg_err skip_past(scanner *sc, const char *end, const char *what)
{
    const char *found = memmem(sc->s + sc->at, sc->n - sc->at, end, strlen(end));
    if (found == NULL) {
        return broken(sc, what);
    }
    sc->at = (size_t)(found - sc->s) + strlen(end);
    return KG_OK;
}

static bool named_alert(const char *name, size_t n)
{
    const char *colon = memchr(name, ':', n);
    if (colon != NULL) {
        n -= (size_t)(colon + 1 - name);
        name = colon + 1;
    }
    return n == 5 && memcmp(name, "alert", 5) == 0;
}

static kg_err open_alert(scanner *sc, size_t from)
{
    prescan *p = sc->out;
    if (p->alert_count == PRESCAN_ALERTS_MAX) {
        return too_much(sc, "alert elements", PRESCAN_ALERTS_MAX);
    }
    if (p->alerts == NULL) {
        p->alerts = calloc(PRESCAN_ALERTS_MAX, sizeof *p->alerts);
        if (p->alerts == NULL) {
            return KG_E_NOMEM;
        }
    }
    sc->alert_of[sc->depth] = (int)p->alert_count;
    p->alerts[p->alert_count++].from = source_of(sc, from);
    return KG_OK;
}

static void close_element(scanner *sc)
{
    sc->depth--;
    const int i = sc->alert_of[sc->depth];
    if (i != NO_ALERT) {
        sc->out->alerts[i].length = source_of(sc, sc->at) - sc->out->alerts[i].from;
    }
}

/* Walks over the attributes to the end of the tag; *empty tells of "/>". */
static kg_err walk_tag(scanner *sc, bool *empty)
{
    int attributes = 0;
    *empty = false;
    while (sc->at < sc->n) {
        const char c = sc->s[sc->at++];
        if (c == '>') {
            return KG_OK;
        }
        *empty = c == '/';
        if (c == '<') {
            return broken(sc, "a tag is not closed before the next one");
        }
        if (c != '"' && c != '\'') {
            continue;
        }
        if (++attributes > PRESCAN_ATTRIBUTES_MAX) {
            return too_much(sc, "attributes in one tag", PRESCAN_ATTRIBUTES_MAX);
        }
        const char quote[] = {c, '\0'};
        const kg_err e = skip_past(sc, quote, "an attribute has no closing quote");
        if (e != KG_OK) {
            return e;
        }
    }
    return broken(sc, "the last tag is not closed");
}

static kg_err start_tag(scanner *sc)
{
    const size_t from = sc->at;
    if (sc->depth == PRESCAN_DEPTH_MAX) {
        return too_much(sc, "levels of elements", PRESCAN_DEPTH_MAX);
    }
    if (++sc->elements > PRESCAN_ELEMENTS_MAX) {
        return too_much(sc, "elements", PRESCAN_ELEMENTS_MAX);
    }
    size_t name = from + 1;
    while (name < sc->n && !blank(sc->s[name]) && sc->s[name] != '/' && sc->s[name] != '>') {
        name++;
    }
    sc->alert_of[sc->depth] = NO_ALERT;
    if (named_alert(sc->s + from + 1, name - from - 1)) {
        const kg_err e = open_alert(sc, from);
        if (e != KG_OK) {
            return e;
        }
    }
    bool empty = false;
    sc->at = name;
    const kg_err e = walk_tag(sc, &empty);
    if (e != KG_OK) {
        return e;
    }
    sc->depth++;
    if (empty) {
        close_element(sc);
    }
    return KG_OK;
}

static kg_err end_tag(scanner *sc)
{
    const kg_err e = skip_past(sc, ">", "the last tag is not closed");
    if (e != KG_OK) {
        return e;
    }
    if (sc->depth == 0) {
        return broken(sc, "an element is closed that was never opened");
    }
    close_element(sc);
    return KG_OK;
}

static kg_err markup(scanner *sc)
{
    if (starts(sc, "<!--")) {
        sc->at += 4; /* or "<!-->" would close itself */
        return skip_past(sc, "-->", "a comment is not closed");
    }
    if (starts(sc, "<![CDATA[")) {
        return skip_past(sc, "]]>", "a CDATA section is not closed");
    }
    if (starts(sc, "<?")) {
        return skip_past(sc, "?>", "a processing instruction is not closed");
    }
    if (starts(sc, "<!")) {
        return kg_fail(sc->diag, refuse(sc->out, KG_E_INVALID, "DOC-3", sc->at),
                       "The document has a DOCTYPE or entity declaration; a warning never needs one, take it out.");
    }
    return starts(sc, "</") ? end_tag(sc) : start_tag(sc);
}

kg_err prescan_run(const void *bytes, size_t n, prescan *out, kg_diag *diag)
{
    *out = (prescan){.rule = "", .line = 1};
    if (n > ALERT_PAYLOAD_MAX) {
        (void)refuse(out, KG_E_LIMIT, "DOC-9", 0);
        return kg_fail(diag, KG_E_LIMIT,
                       "The document has %zu bytes; at most %d (2 MiB) are read. Leave embedded media "
                       "out or simplify the shapes.",
                       n, ALERT_PAYLOAD_MAX);
    }
    scanner sc = {.out = out, .diag = diag};
    kg_err e = decode(out, bytes, n, &sc.single_byte, diag);
    if (e != KG_OK) {
        return e;
    }
    sc.s = kg_buf_str(&out->text);
    sc.n = out->text.len;
    sc.source = sc.single_byte ? 0 : n - sc.n; /* the byte order mark */
    while (e == KG_OK) {
        const char *next = memchr(sc.s + sc.at, '<', sc.n - sc.at);
        if (next == NULL) {
            break;
        }
        sc.at = (size_t)(next - sc.s);
        e = markup(&sc);
    }
    if (e == KG_OK && (sc.elements == 0 || sc.depth > 0)) {
        sc.at = sc.n;
        e = broken(&sc, sc.elements == 0 ? "there is no element in it" : "it ends before its last element is closed");
    }
    return e;
}

void prescan_done(prescan *p)
{
    if (p == NULL) {
        return;
    }
    kg_buf_done(&p->text);
    free(p->alerts);
    *p = (prescan){.rule = ""};
}
