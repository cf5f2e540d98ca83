#include <stdio.h>
#include <string.h>

#include <libxml/parser.h>

#include "alert/pack.h"
#include "base/utf8.h"
#include "cap/capfeed.h"
#include "cap/capmap.h"
#include "cap/prescan.h"

enum {
    CROSSING_BUDGET = 20 * 1000 * 1000, /* edge tests, well under a second for a whole document */
    PARSE_OPTIONS =
        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_IGNORE_ENC | XML_PARSE_BIG_LINES
};

typedef struct reading {
    cap_reading *out;
    const prescan *scan;
    int assume_offset_min;
    bool nomem;
} reading;

/* The whole source got no further than this. */
static void refuse_all(cap_reading *out, const char *rule, int line, const char *sentence)
{
    out->documents = kg_arena_array(&out->mem, 1, sizeof *out->documents);
    if (out->documents == NULL) {
        return;
    }
    out->count = 1;
    cap_document *d = &out->documents[0];
    *d = (cap_document){.verdict = CAP_REFUSE, .entry = "", .link = ""};
    d->findings = kg_arena_array(&out->mem, 1, sizeof *d->findings);
    const char *copy = kg_arena_str(&out->mem, sentence);
    if (d->findings != NULL && copy != NULL) {
        d->findings[0] = (cap_finding){.rule = rule, .verdict = CAP_REFUSE, .sentence = copy, .line = line};
        d->finding_count = 1;
    }
}

/* Limits and text are checked once more by the very code that later reads what an agency signed. */
static void check_packs(capmap *m)
{
    kg_buf bytes = {0};
    kg_diag diag = {{0}};
    alert again;
    kg_err e = alert_pack(&m->doc->alert, &bytes);
    if (e == KG_OK) {
        e = alert_unpack_draft(bytes.s, bytes.len, &again, &diag);
    }
    if (e == KG_OK) {
        alert_done(&again);
    } else if (kg_err_class(e) == KG_PERM) {
        capmap_find(m, NULL, "DOC-9", CAP_REFUSE, "The message is larger than can be passed on. %s",
                    diag.text[0] != '\0' ? diag.text : "Simplify its shapes or texts.");
    } else {
        m->nomem = true;
    }
    kg_buf_done(&bytes);
}

static void read_alert(reading *r, const capfeed_entry *entry, cap_document *d)
{
    capmap m = {.mem = &r->out->mem,
                .doc = d,
                .version = capmap_version(entry->alert),
                .assume_offset_min = r->assume_offset_min,
                .crossing_budget = CROSSING_BUDGET / r->out->count};
    alert_init(&d->alert);
    if (m.version != CAP_1_2) {
        capmap_find(&m, entry->alert, "DOC-2", CAP_WARN, "The document is CAP %s and was mapped to 1.2.",
                    m.version == CAP_1_1 ? "1.1" : "1.0");
    }
    capalert_read(&m, entry->alert);
    if (d->verdict < CAP_REFUSE && !m.nomem) {
        check_packs(&m);
    }
    d->has_alert = d->verdict < CAP_REFUSE && !m.nomem;
    if (!d->has_alert) {
        alert_done(&d->alert);
    }
    kg_buf_done(&m.scratch);
    r->nomem = r->nomem || m.nomem;
    if (entry->number < r->scan->alert_count) {
        d->from = r->scan->alerts[entry->number].from;
        d->length = r->scan->alerts[entry->number].length;
    }
}

static const char *node_text(reading *r, const xmlNode *node)
{
    xmlChar *s = node != NULL ? xmlNodeGetContent(node) : NULL;
    const char *from = s != NULL ? (const char *)s : "";
    from += strspn(from, " \t\r\n");
    size_t n = strlen(from);
    while (n > 0 && strchr(" \t\r\n", from[n - 1]) != NULL) {
        n--;
    }
    const char *copy = n > 0 ? kg_arena_strn(&r->out->mem, from, n) : "";
    r->nomem = r->nomem || copy == NULL;
    xmlFree(s);
    return copy != NULL ? copy : "";
}

static void read_entry(reading *r, const capfeed_entry *entry, cap_document *d)
{
    d->entry = node_text(r, entry->id);
    d->link = entry->href != NULL ? entry->href : node_text(r, entry->link);
    d->entry = *d->entry != '\0' ? d->entry : d->link;
    if (entry->alert != NULL) {
        d->link = "";
        read_alert(r, entry, d);
        return;
    }
    capmap m = {.mem = &r->out->mem, .doc = d};
    if (*d->link != '\0') {
        capmap_find(&m, NULL, "DOC-11", CAP_ACCEPT, "The entry only points to its CAP document: %.200s", d->link);
    } else {
        capmap_find(&m, NULL, "DOC-11", CAP_HOLD,
                    "The entry has neither an alert nor a link to one; a person should ask the source what it means.");
    }
    r->nomem = r->nomem || m.nomem;
}

static kg_err read_tree(reading *r, xmlNode *root)
{
    cap_reading *out = r->out;
    capfeed feed;
    if (!capfeed_find(root, &out->mem, &feed)) {
        return KG_E_NOMEM;
    }
    out->container = feed.container;
    out->next = feed.next;
    if (feed.count == 0) {
        if (!feed.container) {
            refuse_all(out, "DOC-1", 1,
                       "The root element is no CAP alert of version 1.0, 1.1 or 1.2 and no feed of alerts.");
        }
        return feed.container || out->count == 1 ? KG_OK : KG_E_NOMEM; /* an empty feed is a feed */
    }
    out->documents = kg_arena_array(&out->mem, feed.count, sizeof *out->documents);
    if (out->documents == NULL) {
        return KG_E_NOMEM;
    }
    out->count = feed.count;
    for (size_t i = 0; i < feed.count && !r->nomem; i++) {
        read_entry(r, &feed.entries[i], &out->documents[i]);
    }
    if (feed.cut && !r->nomem) {
        capmap m = {.mem = &out->mem, .doc = &out->documents[feed.count - 1]};
        capmap_find(&m, NULL, "DOC-11", CAP_HOLD,
                    "The container has more than %d entries; those after this one were not read.", CAP_DOCUMENTS_MAX);
    }
    return r->nomem ? KG_E_NOMEM : KG_OK;
}

static kg_err parse(reading *r)
{
    xmlParserCtxt *ctx = xmlNewParserCtxt();
    if (ctx == NULL) {
        return KG_E_NOMEM;
    }
    const char *text = kg_buf_str(&r->scan->text);
    xmlDoc *doc = xmlCtxtReadMemory(ctx, text, (int)r->scan->text.len, NULL, "UTF-8", PARSE_OPTIONS);
    kg_err e = KG_OK;
    /* A document is no proof of success: libxml2 gives one even where parsing was stopped. */
    if (doc == NULL || ctx->wellFormed == 0 || ctx->nsWellFormed == 0 || ctx->disableSAX != 0 ||
        doc->intSubset != NULL || xmlDocGetRootElement(doc) == NULL) {
        const xmlError *why = xmlCtxtGetLastError(ctx);
        char sentence[KG_DIAG_MAX];
        (void)snprintf(sentence, sizeof sentence, "The document is not well-formed XML: %.300s",
                       why != NULL && why->message != NULL ? why->message : "it was refused");
        sentence[strcspn(sentence, "\n")] = '\0';
        sentence[kg_utf8_floor(sentence, strlen(sentence), sizeof sentence - 1)] = '\0';
        refuse_all(r->out, "DOC-1", why != NULL ? why->line : 1, sentence);
        e = r->out->count == 1 ? KG_OK : KG_E_NOMEM;
    } else {
        e = read_tree(r, xmlDocGetRootElement(doc));
    }
    xmlFreeDoc(doc);
    xmlFreeParserCtxt(ctx);
    return e;
}

kg_err cap_read(const void *bytes, size_t n, int assume_offset_min, cap_reading *out, kg_diag *diag)
{
    prescan scan;
    cap_reading result = {.next = ""};
    kg_diag why = {{0}};
    kg_err e = prescan_run(bytes, n, &scan, &why);
    if (e == KG_OK) {
        reading r = {.out = &result, .scan = &scan, .assume_offset_min = assume_offset_min};
        e = parse(&r);
    } else if (kg_err_class(e) == KG_PERM) {
        refuse_all(&result, scan.rule, scan.line, why.text);
        e = result.count == 1 ? KG_OK : KG_E_NOMEM;
    }
    prescan_done(&scan);
    if (e != KG_OK) {
        cap_reading_done(&result);
        return kg_fail(diag, e, "There is not enough memory to read the document.");
    }
    *out = result;
    return KG_OK;
}
