#include "policy/judge.h"

bool judge_for_people(const alert *a)
{
    const bool status = a->status == CAP_ACTUAL || a->status == CAP_EXERCISE || a->status == CAP_TEST;
    return status && a->msg_type != CAP_ACK && a->msg_type != CAP_ERROR;
}

int64_t judge_end_ms(const policy *p, const alert *a, int64_t now_ms)
{
    if (a->expires_ms != 0) {
        return a->expires_ms;
    }
    return (a->sent_ms != 0 ? a->sent_ms : now_ms) + policy_default_ttl_ms(p, a->bulletin_class);
}

unsigned route_signatures_needed(const policy *p, const areas *ar, const alert *a, const area_set *set)
{
    (void)ar; /* a rule over kinds of communes may come */
    const file_signatures *s = &p->file->signatures;
    if (!s->enforced || a->status != CAP_ACTUAL) {
        return 1;
    }
    if (a->first_warning) {
        return s->first_warning;
    }
    const cap_severity severity = alert_severity(a);
    unsigned needed = 1;
    for (size_t i = 0; i < s->rules_count; i++) {
        const file_signature *r = &s->rules[i];
        const bool wide = r->over_communes == 0 || set->count > r->over_communes;
        if (a->bulletin_class >= r->class_min && severity >= r->severity_min && wide && r->needed > needed) {
            needed = r->needed;
        }
    }
    return needed;
}

static const judge_hold publisher_asks = {
    "publisher-asks", "Nơi gửi tin đề nghị có người xem trước khi phát; hãy xem nội dung rồi cho phát hoặc từ chối."};
static const judge_hold restricted_scope = {
    "restricted-scope",
    "Tin chỉ dành cho phạm vi hạn chế (Restricted), không được phát ra công chúng khi chưa có người "
    "quyết định."};
static const judge_hold private_scope = {
    "private-scope", "Tin chỉ gửi riêng cho địa chỉ được nêu (Private), không được phát ra công chúng khi chưa có "
                     "người quyết định."};
static const judge_hold no_public_info = {
    "no-public-info", "Tin không có nội dung nào cho người dân (không có khối info); hãy yêu cầu nơi gửi bổ sung."};
static const judge_hold no_usable_area = {
    "no-usable-area", "Không xác định được xã, phường nào từ vùng của tin; hãy yêu cầu nơi gửi ghi mã xã. Tin không "
                      "được tự mở rộng ra nơi khác."};
static const judge_hold reaches_nobody = {
    "reaches-nobody", "Không có trạm nào được phép phát tin này trong vùng của tin; hãy kiểm tra danh sách trạm và "
                      "phương án sử dụng phương tiện."};

const judge_hold *judge_asks_person(const alert *a)
{
    const bool news = a->msg_type == CAP_ALERT || a->msg_type == CAP_UPDATE;
    return a->hold != NULL && a->hold[0] != '\0' ? &publisher_asks
           : a->scope == CAP_RESTRICTED          ? &restricted_scope
           : a->scope == CAP_PRIVATE             ? &private_scope
           : a->infos.count == 0 && news         ? &no_public_info
                                                 : NULL;
}

const judge_hold *judge_reaches_nobody(const alert *a, bool has_area)
{
    if (!has_area) {
        return a->infos.count > 0 ? &no_usable_area : NULL; /* a Cancel without infos needs none */
    }
    return a->status == CAP_ACTUAL ? &reaches_nobody : NULL; /* a drill may be for nobody */
}

/* ---- one medium ---- */

static const char *const basis_cap = "CAP 1.2, mục 3.2.1 (status, msgType)";

/* Whether a drill may take the medium; fills the refusal when not. */
static bool drill_allows(const policy *p, cap_status status, medium m, bool named_list, verdict *v)
{
    const drill_rule *d = &p->drills[status];
    v->rule = d->id != NULL ? d->id : "drills";
    v->basis = d->entry != NULL ? d->entry->basis : "";
    v->why = "Tin diễn tập hoặc thử nghiệm: chính sách không cho dùng phương tiện này.";
    if (d->entry == NULL) {
        return false;
    }
    bool allowed = false;
    for (size_t i = 0; i < d->entry->media_count; i++) {
        allowed = allowed || d->entry->media[i] == m;
    }
    if (allowed && m == MEDIUM_SMS && !named_list && !d->entry->public_sms) {
        v->why = "Tin diễn tập hoặc thử nghiệm không được gửi tới điện thoại của người dân (public_sms đang tắt).";
        return false;
    }
    return allowed;
}

verdict judge_medium(const policy *p, const alert *a, medium m, bool named_list, int64_t now_ms)
{
    const media_rule *rule = &p->media[m][a->bulletin_class];
    verdict v = {.rule = "", .basis = "", .repeat_rule = ""};
    if (!judge_for_people(a)) {
        v.rule = "status";
        v.basis = basis_cap;
        v.why = "Tin giữa các hệ thống hoặc bản nháp, không phát cho người dân.";
        return v;
    }
    if (rule->entry == NULL) {
        v.rule = "media";
        v.why = "Phương án sử dụng phương tiện không có dòng nào cho loại tin này trên phương tiện này.";
        return v;
    }
    if (a->status != CAP_ACTUAL && !drill_allows(p, a->status, m, named_list, &v)) {
        return v;
    }
    const file_repeat *repeat = repeats_find(p, m, a);
    const bool expired = judge_end_ms(p, a, now_ms) <= now_ms;
    v.in = !expired;
    v.mode = rule->entry->mode;
    v.repeat = repeats_plan(p, repeat, now_ms);
    v.rule = rule->id;
    v.basis = rule->entry->basis;
    v.why = expired ? "Tin đã hết hạn, không phát." : rule->why;
    v.repeat_rule = repeat != NULL ? p->repeat_ids[repeat - p->file->repeats] : "";
    return v;
}
