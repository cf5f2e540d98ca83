#include "endings.h"

#include <stdio.h>
#include <string.h>

#include "alert/pack.h"
#include "base/clock.h"

enum { LINE_MAX_BYTES = 2048 };

/* All that differs between the two endings. */
static const struct {
    const char *suffix;
    cap_msg_type type;
    cap_response response;
    int64_t after_ms;
    const char *headline;          /* before the old headline */
    const char *opening, *closing; /* before it, and after the issue time */
    const char *instruction;
} kinds[DRAFT_COUNT] = {
    [DRAFT_CANCEL] = {"cancel", CAP_CANCEL, CAP_NONE, 1000, "HỦY BỎ: ", "Bản tin \"", "đã được hủy bỏ.",
                      "Không làm theo bản tin đã hủy. Theo dõi thông tin chính thức tiếp theo."},
    [DRAFT_ALL_CLEAR] = {"all-clear", CAP_UPDATE, CAP_ALLCLEAR, 2000, "BÁO YÊN: ", "Tình huống nêu trong bản tin \"",
                         "đã kết thúc.", "Trở lại sinh hoạt bình thường. Tiếp tục theo dõi thông tin chính thức."},
};

/* A deep copy by the way every alert travels anyway. */
static kg_err copy_of(const alert *a, alert *out, kg_diag *diag)
{
    kg_buf packed = {0};
    kg_err e = alert_pack(a, &packed);
    if (e == KG_OK) {
        e = alert_unpack(packed.s, packed.len, out, diag);
    } else {
        e = kg_fail(diag, e, "the alert cannot be packed");
    }
    kg_buf_done(&packed);
    return e;
}

static const char *say(alert *a, const char *before, const char *name, const char *after)
{
    char line[LINE_MAX_BYTES];
    const int n = snprintf(line, sizeof line, "%s%s%s", before, name, after);
    return n > 0 && (size_t)n < sizeof line ? kg_arena_str(&a->mem, line) : NULL;
}

static void issue_time(const alert *a, char out[32])
{
    char iso[KG_TIME_TEXT_MAX];
    kg_time_text(a->sent_ms, KG_VN_OFFSET_MIN, iso);
    (void)snprintf(out, 32, "%.2sh%.2s ngày %.2s/%.2s/%.4s", iso + 11, iso + 14, iso + 8, iso + 5, iso);
}

static kg_err write_texts(const alert *old, outbox_draft kind, alert *a, kg_diag *diag)
{
    const alert_info *vi = alert_info_for(old, "vi");
    const alert_info *base = vi != NULL ? vi : old->infos.count > 0 ? &old->infos.items[0] : NULL;
    if (base == NULL) {
        return KG_OK; /* nothing was said, so nothing is to be unsaid: the references do it */
    }
    const char *name = base->headline[0] != '\0' ? base->headline : base->event;
    char when[32];
    issue_time(old, when);
    char after[128];
    alert_info *info = &a->infos.items[vi != NULL ? vi - old->infos.items : 0];
    a->infos.items[0] = *info;
    a->infos.count = 1;
    info = &a->infos.items[0];
    info->language = "vi";
    info->responses = 1U << kinds[kind].response;
    info->urgency = CAP_URGENCY_PAST;
    info->severity = CAP_SEVERITY_MINOR;
    info->certainty = CAP_CERTAINTY_OBSERVED;
    info->sms = info->sms_accented = info->speech = info->crawl = "";
    info->onset_ms = info->effective_ms = 0;
    info->resources.count = 0;
    info->parameters.count = 0;
    info->headline = say(a, kinds[kind].headline, name, "");
    (void)snprintf(after, sizeof after, "\" phát lúc %s %s", when, kinds[kind].closing);
    info->description = say(a, kinds[kind].opening, name, after);
    info->instruction = kinds[kind].instruction;
    if (info->headline == NULL || info->description == NULL) {
        return kg_fail(diag, KG_E_LIMIT, "the headline is too long to be drafted an ending for");
    }
    return KG_OK;
}

static kg_err refer_to(alert *a, const alert *old, kg_diag *diag)
{
    for (size_t i = 0; i < a->references.count; i++) {
        const alert_ref *r = &a->references.items[i];
        if (strcmp(r->sender, old->sender) == 0 && strcmp(r->identifier, old->identifier) == 0) {
            return KG_OK;
        }
    }
    alert_ref *refs = kg_arena_array(&a->mem, a->references.count + 1, sizeof *refs);
    if (refs == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory");
    }
    if (a->references.count > 0) {
        memcpy(refs, a->references.items, a->references.count * sizeof *refs);
    }
    refs[a->references.count] =
        (alert_ref){kg_arena_str(&a->mem, old->sender), kg_arena_str(&a->mem, old->identifier), old->sent_ms};
    a->references.items = refs;
    a->references.count++;
    return KG_OK;
}

kg_err endings_draft(const alert *a, outbox_draft kind, alert *out, kg_diag *diag)
{
    alert draft;
    kg_err e = copy_of(a, &draft, diag);
    if (e != KG_OK) {
        return e;
    }
    char id[256];
    const int n = snprintf(id, sizeof id, "%s.%s", a->identifier, kinds[kind].suffix);
    if (n < 0 || (size_t)n >= sizeof id) {
        alert_done(&draft);
        return kg_fail(diag, KG_E_LIMIT, "identifier of more than 240 bytes: no ending can be named after it");
    }
    draft.identifier = kg_arena_str(&draft.mem, id);
    draft.msg_type = kinds[kind].type;
    draft.sent_ms += kinds[kind].after_ms;
    draft.references.count = 0;
    draft.has_source = false;
    draft.first_warning = false;
    draft.next_bulletin_ms = 0;
    draft.note = "";
    draft.hold = "";
    e = draft.identifier == NULL ? kg_fail(diag, KG_E_NOMEM, "no memory") : refer_to(&draft, a, diag);
    if (e == KG_OK) {
        e = write_texts(a, kind, &draft, diag);
    }
    if (e != KG_OK) {
        alert_done(&draft);
        return e;
    }
    *out = draft;
    return KG_OK;
}

kg_err endings_update_of(alert *a, const alert *old, kg_diag *diag)
{
    if (a->sent_ms < old->sent_ms) {
        return kg_fail(diag, KG_E_INVALID, "the update's `sent` is before the alert's own; write a later one");
    }
    a->msg_type = CAP_UPDATE;
    a->has_source = false;
    return refer_to(a, old, diag);
}
