#include "messages.h"

#include <string.h>

#include "render/render.h"

static kg_err make_one(const alert *a, const char *language, const rules *r, message *out, kg_diag *diag)
{
    const bool vietnamese = strncmp(language, "vi", 2) == 0 && (language[2] == '\0' || language[2] == '-');
    kg_buf text = {0};
    kg_err e = KG_E_LIMIT;
    unsigned parts = r->max_parts;
    if (!vietnamese && !r->ucs2) {
        return kg_fail(diag, KG_E_DENIED, "nhà mạng không nhận tin nhắn có dấu hoặc chữ khác (UCS-2)");
    }
    if (!vietnamese || r->accented) {
        e = render_sms_accented(a, language, parts, &text, &out->size, diag);
    }
    if (vietnamese && e != KG_OK) { /* accents that do not fit never cost the warning itself */
        parts = 1;
        e = render_sms(a, &text, &out->size, diag);
    }
    if (e == KG_OK) {
        e = rules_apply(r, kg_buf_str(&text), parts, &out->text, &out->size, diag);
    }
    kg_buf_done(&text);
    return e;
}

static void note_gap(messages *m, const char *language, const kg_diag *why)
{
    kg_ignore(kg_buf_putf(&m->gaps, "%s%s: %s", m->gaps.len > 0 ? "; " : "", language, why->text)); /* a remark */
}

static kg_err add(messages *m, const sink_job *job, const char *language, const rules *r, kg_diag *diag)
{
    message *one = &m->items[m->count];
    *one = (message){.text = {.max = 4096}};
    const size_t n = strnlen(language, MESSAGES_LANGUAGE_MAX - 1);
    memcpy(one->language, language, n);
    const kg_err e = make_one(job->alert, language, r, one, diag);
    if (e == KG_OK) {
        m->count++;
    } else {
        kg_buf_done(&one->text);
    }
    return e;
}

kg_err messages_make(const sink_job *job, const rules *r, messages *out, kg_diag *diag)
{
    messages m = {.count = 0};
    kg_err e = add(&m, job, "vi", r, diag);
    for (size_t i = 0; e == KG_OK && i < job->languages.count && m.count < MESSAGES_MAX; i++) {
        const char *language = job->languages.items[i];
        kg_diag why = {{0}};
        if (strncmp(language, "vi", 2) == 0 && (language[2] == '\0' || language[2] == '-')) {
            continue;
        }
        if (add(&m, job, language, r, &why) != KG_OK) {
            note_gap(&m, language, &why);
        }
    }
    if (e != KG_OK) {
        messages_done(&m);
        return e;
    }
    *out = m;
    return KG_OK;
}

void messages_done(messages *m)
{
    for (size_t i = 0; i < MESSAGES_MAX; i++) {
        kg_buf_done(&m->items[i].text);
    }
    kg_buf_done(&m->gaps);
    m->count = 0;
}

kg_err messages_may_go(const alert *a, bool drills, kg_diag *diag)
{
    if (a->status == CAP_ACTUAL || drills) {
        return KG_OK;
    }
    return kg_fail(diag, KG_E_DENIED,
                   "Bản tin diễn tập hoặc thử nghiệm không gửi tới điện thoại: cổng này chưa bật \"drills\".");
}
