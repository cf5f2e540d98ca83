#include "cap/check.h"

#include <string.h>

#include "base/file.h"
#include "cap/gate.h"

/* A cell: tabs and new lines would break the table. */
static void put_cell(kg_buf *out, const char *s)
{
    for (; *s != '\0'; s++) {
        const char c = (unsigned char)*s < 0x20 || *s == 0x7F ? ' ' : *s;
        kg_ignore(kg_buf_put(out, &c, 1)); /* failures stay with the buffer */
    }
}

static void put_line(kg_buf *out, const char *path, cap_verdict v, const char *rules, const char *sentence)
{
    put_cell(out, path);
    kg_ignore(kg_buf_putf(out, "\t%s\t%s\t", cap_verdict_text(v), *rules != '\0' ? rules : "-"));
    put_cell(out, sentence);
    kg_ignore(kg_buf_puts(out, "\n"));
}

/* Each rule once, in the order met. */
static void put_rules(const cap_document *d, kg_buf *out)
{
    for (size_t i = 0; i < d->finding_count; i++) {
        bool told = false;
        for (size_t k = 0; k < i && !told; k++) {
            told = strcmp(d->findings[k].rule, d->findings[i].rule) == 0;
        }
        if (!told) {
            kg_ignore(kg_buf_putf(out, "%s%s", out->len > 0 ? "," : "", d->findings[i].rule));
        }
    }
}

static void put_sentence(const cap_document *d, bool container, kg_buf *out)
{
    const cap_finding *worst = d->finding_count > 0 ? &d->findings[0] : NULL;
    for (size_t i = 1; i < d->finding_count; i++) {
        worst = d->findings[i].verdict > worst->verdict ? &d->findings[i] : worst;
    }
    if (container && *d->entry != '\0') {
        kg_ignore(kg_buf_putf(out, "Entry %s: ", d->entry));
    }
    if (worst == NULL) {
        kg_ignore(kg_buf_puts(out, "Nothing to complain about."));
        return;
    }
    if (worst->line > 0) {
        kg_ignore(kg_buf_putf(out, "Line %d: ", worst->line));
    }
    kg_ignore(kg_buf_puts(out, worst->sentence));
    if (d->finding_count > 1) {
        kg_ignore(kg_buf_putf(out, " (%zu more)", d->finding_count - 1));
    }
}

static kg_err put_document(const char *path, const cap_document *d, bool container, kg_buf *out)
{
    kg_buf rules = {0};
    kg_buf sentence = {0};
    put_rules(d, &rules);
    put_sentence(d, container, &sentence);
    put_line(out, path, d->verdict, kg_buf_str(&rules), kg_buf_str(&sentence));
    const kg_err e = kg_buf_failed(&rules) != KG_OK ? kg_buf_failed(&rules) : kg_buf_failed(&sentence);
    kg_buf_done(&rules);
    kg_buf_done(&sentence);
    return e;
}

static kg_err put_reading(const char *path, const cap_reading *r, kg_buf *out, cap_verdict *worst)
{
    kg_err e = KG_OK;
    for (size_t i = 0; i < r->count && e == KG_OK; i++) {
        e = put_document(path, &r->documents[i], r->container, out);
        *worst = r->documents[i].verdict > *worst ? r->documents[i].verdict : *worst;
    }
    if (r->count == 0) {
        put_line(out, path, CAP_ACCEPT, "", "The feed has no entries.");
    }
    return e != KG_OK ? e : kg_buf_failed(out);
}

static kg_err put_refusal(const char *path, const char *rule, const char *why, kg_buf *out, cap_verdict *worst)
{
    *worst = CAP_REFUSE;
    put_line(out, path, CAP_REFUSE, rule, why);
    return kg_buf_failed(out);
}

kg_err check_file(const char *path, int assume_offset_min, kg_buf *out, cap_verdict *worst, kg_diag *diag)
{
    kg_buf bytes = {0};
    kg_diag why = {{0}};
    cap_reading r;
    kg_err e = kg_file_read(path, ALERT_PAYLOAD_MAX, &bytes, &why);
    if (e == KG_E_NOMEM) {
        kg_buf_done(&bytes);
        return kg_fail(diag, e, "%s", why.text);
    }
    if (e != KG_OK) {
        kg_buf_done(&bytes);
        return put_refusal(path, e == KG_E_LIMIT ? "DOC-9" : "", why.text, out, worst);
    }
    e = gate_read(kg_buf_str(&bytes), bytes.len, assume_offset_min, &r, &why);
    kg_buf_done(&bytes);
    if (e == KG_OK) {
        e = put_reading(path, &r, out, worst);
        cap_reading_done(&r);
        return e;
    }
    return kg_err_class(e) == KG_PERM ? put_refusal(path, "DOC-3", why.text, out, worst)
                                      : kg_fail(diag, e, "%s", why.text);
}
