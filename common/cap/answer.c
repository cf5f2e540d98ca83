#include "cap/answer.h"

#include <string.h>

#include "alert/pack.h"
#include "base/utf8.h"
#include "cap.pb-c.h"

enum { RULE_MAX = 16 };

/* packing, in the child */

typedef struct packer {
    kg_arena mem;
    bool failed;
} packer;

static void *array(packer *p, size_t count, size_t size)
{
    void *items = kg_arena_array(&p->mem, count, size);
    p->failed = p->failed || items == NULL;
    return items;
}

static ProtobufCBinaryData lend(const char *s)
{
    return (ProtobufCBinaryData){strlen(s), (uint8_t *)(uintptr_t)s}; /* protobuf-c knows no const; it only reads */
}

static void put_findings(packer *p, const cap_document *d, Kg__CapDocument *out)
{
    Kg__CapFinding *items = array(p, d->finding_count, sizeof *items);
    out->findings = array(p, d->finding_count, sizeof *out->findings);
    for (size_t i = 0; i < d->finding_count && !p->failed; i++) {
        const cap_finding *f = &d->findings[i];
        kg__cap_finding__init(&items[i]);
        items[i].rule = lend(f->rule);
        items[i].verdict = f->verdict;
        items[i].sentence = lend(f->sentence);
        items[i].line = f->line > 0 ? (uint32_t)f->line : 0;
        out->findings[out->n_findings++] = &items[i];
    }
}

static void put_alert(packer *p, const alert *a, Kg__CapDocument *out)
{
    kg_buf bytes = {0};
    void *copy = NULL;
    if (alert_pack(a, &bytes) == KG_OK) {
        copy = kg_arena_strn(&p->mem, bytes.s, bytes.len);
        out->alert = (ProtobufCBinaryData){bytes.len, copy};
    }
    p->failed = p->failed || copy == NULL;
    kg_buf_done(&bytes);
}

kg_err answer_pack(const cap_reading *r, kg_buf *out)
{
    packer p = {0};
    Kg__CapReading w;
    kg__cap_reading__init(&w);
    w.container = r->container;
    w.next = lend(r->next);
    Kg__CapDocument *items = array(&p, r->count, sizeof *items);
    w.documents = array(&p, r->count, sizeof *w.documents);
    for (size_t i = 0; i < r->count && !p.failed; i++) {
        const cap_document *d = &r->documents[i];
        kg__cap_document__init(&items[i]);
        items[i].verdict = d->verdict;
        items[i].entry = lend(d->entry);
        items[i].link = lend(d->link);
        items[i].from = d->from;
        items[i].length = d->length;
        put_findings(&p, d, &items[i]);
        if (d->has_alert) {
            put_alert(&p, &d->alert, &items[i]);
        }
        w.documents[w.n_documents++] = &items[i];
    }
    kg_err e = p.failed ? KG_E_NOMEM : KG_OK;
    const size_t n = e == KG_OK ? kg__cap_reading__get_packed_size(&w) : 0;
    e = e == KG_OK && n > ANSWER_MAX ? KG_E_LIMIT : e;
    e = e == KG_OK ? kg_buf_reserve(out, n) : e;
    if (e == KG_OK && n > 0) {
        (void)kg__cap_reading__pack(&w, (uint8_t *)out->s + out->len);
        out->len += n;
        out->s[out->len] = '\0';
    }
    kg_arena_done(&p.mem);
    return e;
}

/* unpacking, in the parent */

static void *arena_alloc(void *ctx, size_t n)
{
    return kg_arena_alloc(ctx, n);
}

static void arena_free(void *ctx, void *p)
{
    (void)ctx;
    (void)p;
}

typedef struct reader {
    cap_reading *out;
    size_t source_bytes;
    kg_diag *diag;
    kg_err e;
} reader;

static void refuse(reader *r, kg_err e, const char *what)
{
    if (r->e == KG_OK) {
        r->e = kg_fail(r->diag, e, "The reader of CAP documents answered %s.", what);
    }
}

static const char *text(reader *r, ProtobufCBinaryData b)
{
    if (r->e != KG_OK || b.len == 0) {
        return "";
    }
    if (b.len > ALERT_PAYLOAD_MAX || !kg_utf8_valid((const char *)b.data, b.len)) {
        refuse(r, KG_E_INVALID, "text that is too long or not UTF-8");
        return "";
    }
    const char *copy = kg_arena_strn(&r->out->mem, (const char *)b.data, b.len);
    if (copy == NULL) {
        refuse(r, KG_E_NOMEM, "more than fits into memory");
    }
    return copy != NULL ? copy : "";
}

static cap_verdict verdict(reader *r, uint32_t v)
{
    if (v > CAP_REFUSE) {
        refuse(r, KG_E_INVALID, "an unknown verdict");
        return CAP_REFUSE;
    }
    return (cap_verdict)v;
}

static void read_findings(reader *r, const Kg__CapDocument *w, cap_document *d)
{
    if (w->n_findings > CAP_FINDINGS_MAX) {
        refuse(r, KG_E_LIMIT, "too many findings");
        return;
    }
    d->findings = kg_arena_array(&r->out->mem, w->n_findings, sizeof *d->findings);
    if (d->findings == NULL) {
        refuse(r, KG_E_NOMEM, "more than fits into memory");
        return;
    }
    cap_verdict worst = CAP_ACCEPT;
    for (size_t i = 0; i < w->n_findings && r->e == KG_OK; i++) {
        const Kg__CapFinding *f = w->findings[i];
        if (f->rule.len == 0 || f->rule.len > RULE_MAX || f->line > INT32_MAX) {
            refuse(r, KG_E_INVALID, "a finding without a proper rule or line");
            return;
        }
        d->findings[d->finding_count++] = (cap_finding){.rule = text(r, f->rule),
                                                        .verdict = verdict(r, f->verdict),
                                                        .sentence = text(r, f->sentence),
                                                        .line = (int)f->line};
        worst = f->verdict > worst ? (cap_verdict)f->verdict : worst;
    }
    if (r->e == KG_OK && worst != d->verdict) {
        refuse(r, KG_E_INVALID, "a verdict that its findings do not bear out");
    }
}

static void read_document(reader *r, const Kg__CapDocument *w, cap_document *d)
{
    d->verdict = verdict(r, w->verdict);
    d->entry = text(r, w->entry);
    d->link = text(r, w->link);
    if (w->from > r->source_bytes || w->length > r->source_bytes - w->from) {
        refuse(r, KG_E_INVALID, "a place outside the document");
        return;
    }
    d->from = (size_t)w->from;
    d->length = (size_t)w->length;
    read_findings(r, w, d);
    if (r->e != KG_OK || w->alert.len == 0) {
        return;
    }
    if (d->verdict == CAP_REFUSE) {
        refuse(r, KG_E_INVALID, "an alert that it refused");
        return;
    }
    r->e = alert_unpack_draft(w->alert.data, w->alert.len, &d->alert, r->diag);
    d->has_alert = r->e == KG_OK;
}

kg_err answer_unpack(const void *bytes, size_t n, size_t source_bytes, cap_reading *out, kg_diag *diag)
{
    if (n > ANSWER_MAX) {
        return kg_fail(diag, KG_E_LIMIT, "The reader of CAP documents answered %zu bytes, more than %d.", n,
                       ANSWER_MAX);
    }
    kg_arena heap = {0};
    ProtobufCAllocator from = {.alloc = arena_alloc, .free = arena_free, .allocator_data = &heap};
    cap_reading result = {.next = ""};
    reader r = {.out = &result, .source_bytes = source_bytes, .diag = diag, .e = KG_OK};
    const Kg__CapReading *w = kg__cap_reading__unpack(&from, n, bytes);
    if (w == NULL || w->n_documents > CAP_DOCUMENTS_MAX) {
        refuse(&r, KG_E_INVALID, "something that is no reading of a document");
    } else {
        result.container = w->container != 0;
        result.next = text(&r, w->next);
        result.documents = kg_arena_array(&result.mem, w->n_documents, sizeof *result.documents);
        if (result.documents == NULL) {
            refuse(&r, KG_E_NOMEM, "more than fits into memory");
        }
        for (size_t i = 0; i < w->n_documents && r.e == KG_OK; i++) {
            result.count++;
            read_document(&r, w->documents[i], &result.documents[i]);
        }
    }
    kg_arena_done(&heap);
    if (r.e != KG_OK) {
        cap_reading_done(&result);
        return r.e;
    }
    *out = result;
    return KG_OK;
}
