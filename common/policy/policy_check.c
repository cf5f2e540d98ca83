#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy_table.h"

/* The report is for the province's staff: Vietnamese, a line each, complaints first. */
typedef struct checking {
    const policy *p;
    const areas *ar;
    kg_buf complaints, remarks;
    size_t count;
} checking;

static const char *const undecided = "province to decide";

static void complain(checking *c, const char *entry, const char *sentence, const char *what)
{
    (void)kg_buf_putf(&c->complaints, "LỖI\t%s\t%s%s%s\n", entry, sentence, what[0] != '\0' ? ": " : "", what);
    c->count++;
}

static void remark(checking *c, const char *entry, const char *sentence, const char *what)
{
    (void)kg_buf_putf(&c->remarks, "LƯU Ý\t%s\t%s%s%s\n", entry, sentence, what[0] != '\0' ? ": " : "", what);
}

/* ---- legal basis ---- */

static void basis_of(checking *c, const char *section, const char *id, const char *basis)
{
    char entry[160];
    (void)snprintf(entry, sizeof entry, "%s.%s", section, id);
    if (basis[strspn(basis, " \t\n")] == '\0') {
        complain(c, entry, "không ghi căn cứ pháp lý", "");
    } else if (strstr(basis, undecided) != NULL) {
        remark(c, entry, "tỉnh phải quyết định", basis);
    }
}

static void check_bases(checking *c)
{
    const policy_file *f = c->p->file;
    for (size_t i = 0; i < f->sectors_count; i++) {
        basis_of(c, "sectors", f->sectors[i].id, f->sectors[i].basis);
    }
    for (size_t i = 0; i < f->agencies_count; i++) {
        basis_of(c, "agencies", f->agencies[i].id, f->agencies[i].basis);
    }
    for (size_t i = 0; i < f->classes_count; i++) {
        basis_of(c, "classes", bulletin_class_text(f->classes[i].class), f->classes[i].basis);
    }
    for (size_t i = 0; i < f->media_count; i++) {
        const file_media *m = &f->media[i];
        const char *id = c->p->media[m->medium][m->class].id;
        basis_of(c, "media", id + strlen("media."), m->basis);
    }
    basis_of(c, "news", "hours", f->news.basis);
    for (size_t i = 0; i < f->repeats_count; i++) {
        basis_of(c, "repeats", f->repeats[i].id, f->repeats[i].basis);
    }
    for (size_t i = 0; i < f->languages_count; i++) {
        basis_of(c, "languages", f->languages[i].language, f->languages[i].basis);
    }
    for (size_t i = 0; i < f->drills_count; i++) {
        basis_of(c, "drills", cap_status_text(f->drills[i].status), f->drills[i].basis);
    }
    basis_of(c, "signatures", "enforced", f->signatures.basis);
    for (size_t i = 0; i < f->signatures.rules_count; i++) {
        basis_of(c, "signatures", f->signatures.rules[i].id, f->signatures.rules[i].basis);
    }
}

/* ---- codes ---- */

static void ignore_commune(void *ctx, size_t at)
{
    (void)ctx;
    (void)at;
}

static void check_area(checking *c, const char *entry, const char *area)
{
    const size_t i = areas_index(c->ar, area);
    if (i == SIZE_MAX && policy_each_commune(c->ar, area, ignore_commune, NULL) == 0) {
        complain(c, entry, "mã xã hoặc mã tỉnh không có trong danh mục", area);
    } else if (i != SIZE_MAX && areas_at(c->ar, i)->valid_until[0] != '\0') {
        const char *next = areas_at(c->ar, i)->successor;
        complain(c, entry, next[0] != '\0' ? "mã xã đã bãi bỏ, được thay bằng" : "mã xã đã bãi bỏ", next);
    }
}

static void check_codes(checking *c)
{
    const policy *p = c->p;
    for (size_t i = 0; i < p->file->agencies_count; i++) { /* as written: each_commune is right by itself */
        const file_agency *a = &p->file->agencies[i];
        for (size_t k = 0; k < a->areas_count; k++) {
            check_area(c, a->id, a->areas[k]);
        }
    }
    for (size_t i = 0; i < p->station_count; i++) {
        for (size_t k = 0; k < p->stations[i].areas.count; k++) {
            check_area(c, p->stations[i].id, p->stations[i].areas.items[k]);
        }
    }
    for (size_t i = 0; i < p->file->languages_count; i++) {
        const file_language *l = &p->file->languages[i];
        for (size_t k = 0; k < l->areas_count; k++) {
            check_area(c, l->language, l->areas[k]);
        }
    }
}

/* ---- rights ---- */

static bool leads_some_sector(const policy_file *f, const char *id)
{
    for (size_t i = 0; i < f->sectors_count; i++) {
        if (f->sectors[i].lead != NULL && strcmp(f->sectors[i].lead, id) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_sector(const policy_agency *a, const char *sector)
{
    for (size_t i = 0; i < a->sectors.count; i++) {
        if (strcmp(a->sectors.items[i], sector) == 0 || strcmp(a->sectors.items[i], "*") == 0) {
            return true;
        }
    }
    return false;
}

static void check_agencies(checking *c)
{
    const policy *p = c->p;
    for (size_t i = 0; i < p->agency_count; i++) {
        const policy_agency *a = &p->agencies[i];
        if (a->sectors.count == 0) {
            complain(c, a->id, "cơ quan không có lĩnh vực nào (sectors)", "");
        }
        if (leads_some_sector(p->file, a->id) && a->class_max != CLASS_URGENT) {
            remark(c, a->id, "cơ quan chủ trì lĩnh vực nhưng không được ra tin khẩn cấp", "");
        }
    }
    for (size_t i = 0; i < p->file->sectors_count; i++) {
        const file_sector *s = &p->file->sectors[i];
        const policy_agency *lead = s->lead != NULL ? policy_agency_find(p, s->lead) : NULL;
        if (lead == NULL) {
            remark(c, s->id, "lĩnh vực chưa có cơ quan chủ trì", s->name);
        } else if (!has_sector(lead, s->id)) {
            complain(c, s->id, "cơ quan chủ trì không được ra tin trong chính lĩnh vực này", lead->id);
        }
    }
}

static void check_communes_may_warn(checking *c)
{
    for (size_t i = 0; i < areas_count(c->ar); i++) {
        const commune *own = areas_at(c->ar, i);
        if (strcmp(own->province, c->p->file->province) != 0 || own->valid_until[0] != '\0') {
            continue;
        }
        bool may = false;
        for (size_t k = 0; !may && k < c->p->agency_count; k++) {
            const policy_agency *a = &c->p->agencies[k];
            may = a->areas.count == 1 && strcmp(a->areas.items[0], own->code) == 0 && a->first_warning;
        }
        if (!may) {
            complain(c, own->code, "không có cơ quan cấp xã nào được cảnh báo ban đầu cho xã, phường này", own->name);
        }
    }
}

/* ---- ways to people ---- */

static uint32_t media_at(const policy *p, size_t at)
{
    uint32_t media = 0;
    for (uint32_t k = p->cover_from[at]; k < p->cover_from[at + 1]; k++) {
        const station *s = &p->stations[p->cover[k]];
        const bool urgent = p->media[s->medium][CLASS_URGENT].entry != NULL;
        media |= urgent && s->audience[0] == '\0' ? 1u << s->medium : 0;
    }
    return media;
}

static void check_reach(checking *c)
{
    const policy *p = c->p;
    for (size_t i = 0; i < areas_count(c->ar); i++) {
        const commune *own = areas_at(c->ar, i);
        if (strcmp(own->province, p->file->province) != 0 || own->valid_until[0] != '\0') {
            continue;
        }
        const uint32_t media = media_at(p, i);
        if (p->cover_from[i] == p->cover_from[i + 1]) {
            complain(c, own->code, "xã, phường không có trạm nào", own->name);
        } else if (media == 0) {
            complain(c, own->code, "xã, phường không có đường nào cho tin khẩn cấp tới người dân", own->name);
        } else if ((media & 1u << MEDIUM_LOUDSPEAKER) == 0) {
            remark(c, own->code, "xã, phường không có loa truyền thanh", own->name);
        }
    }
}

static bool has_stations(const policy *p, medium m)
{
    for (size_t i = 0; i < p->station_count; i++) {
        if (p->stations[i].medium == m) {
            return true;
        }
    }
    return false;
}

static void check_media(checking *c)
{
    const policy *p = c->p;
    for (int m = 0; m < MEDIUM_COUNT; m++) {
        const bool used = has_stations(p, (medium)m);
        for (int k = 0; k < CLASS_COUNT; k++) {
            const media_rule *rule = &p->media[m][k];
            char entry[64];
            (void)snprintf(entry, sizeof entry, "media.%s.%s", medium_text((medium)m),
                           bulletin_class_text((bulletin_class)k));
            if (rule->entry != NULL && !used) {
                remark(c, entry, "dòng không dùng tới: không có trạm nào của phương tiện này", "");
            } else if (rule->entry == NULL && used && k == CLASS_URGENT) {
                complain(c, entry, "trạm của phương tiện này không có đường cho tin khẩn cấp", "");
            } else if (rule->entry == NULL && used) {
                remark(c, entry, "loại tin này không đi qua phương tiện này", "");
            } else if (rule->entry != NULL && k == CLASS_URGENT && rule->entry->mode != MODE_INTERRUPT) {
                complain(c, entry, "tin khẩn cấp phải được phát ngay (interrupt)", "");
            }
        }
    }
}

static bool same_repeat_target(const file_repeat *a, const file_repeat *b)
{
    bool classes = a->classes_count == 0;
    for (size_t i = 0; !classes && i < b->classes_count; i++) {
        for (size_t k = 0; k < a->classes_count; k++) {
            classes = classes || a->classes[k] == b->classes[i];
        }
    }
    return a->when == b->when && a->event_codes_count + a->events_count == 0 && a->classes_count == 0 && classes;
}

/* A rule for every event and class on its media hides what stands behind it. */
static void check_repeats(checking *c)
{
    const policy_file *f = c->p->file;
    for (size_t i = 0; i < f->repeats_count; i++) {
        for (size_t k = 0; k < i; k++) {
            size_t hidden = 0;
            for (size_t m = 0; m < f->repeats[i].media_count; m++) {
                for (size_t n = 0; n < f->repeats[k].media_count; n++) {
                    hidden += f->repeats[i].media[m] == f->repeats[k].media[n] ? 1 : 0;
                }
            }
            if (hidden >= f->repeats[i].media_count && same_repeat_target(&f->repeats[k], &f->repeats[i])) {
                complain(c, f->repeats[i].id, "quy tắc lặp lại không bao giờ dùng tới vì đứng sau", f->repeats[k].id);
            }
        }
    }
    bool urgent = false, end = false;
    for (size_t i = 0; i < f->repeats_count; i++) {
        end = end || f->repeats[i].when == WHEN_END;
        for (size_t n = 0; n < f->repeats[i].classes_count; n++) {
            urgent = urgent || (f->repeats[i].when == WHEN_WARNING && f->repeats[i].classes[n] == CLASS_URGENT);
        }
    }
    if (!urgent || !end) {
        remark(c, "repeats",
               !urgent ? "không có quy tắc lặp lại cho tin khẩn cấp" : "không có quy tắc cho tin hủy, tin cuối", "");
    }
}

static void check_switches(checking *c)
{
    const policy_file *f = c->p->file;
    if (!f->signatures.enforced) {
        remark(c, "signatures.enforced", "quy tắc hai chữ ký đang tắt: mọi tin chỉ cần một chữ ký", "");
    }
    if (c->p->news_count == 0) {
        remark(c, "news.hours", "chưa biết giờ bản tin thời sự: giờ chẵn kế tiếp được dùng thay", "");
    }
    for (size_t i = 0; i < f->drills_count; i++) {
        if (f->drills[i].public_sms) {
            remark(c, "drills.public_sms", "tin diễn tập được phép tới điện thoại người dân",
                   cap_status_text(f->drills[i].status));
        }
    }
    if (c->p->drills[CAP_EXERCISE].entry == NULL || c->p->drills[CAP_TEST].entry == NULL) {
        remark(c, "drills", "thiếu dòng cho exercise hoặc test: tin loại đó không đi đâu cả", "");
    }
}

static void check_stations(checking *c)
{
    const policy *p = c->p;
    size_t unknown = 0;
    for (size_t i = 0; i < p->station_count; i++) {
        const station *s = &p->stations[i];
        unknown += s->medium == MEDIUM_LOUDSPEAKER && s->type[0] == '\0' ? 1 : 0;
        if (s->manual && s->person[0] == '\0') {
            complain(c, s->id, "trạm thủ công (manual) chưa có người xác nhận", s->name);
        }
    }
    if (unknown > 0) {
        char count[32];
        (void)snprintf(count, sizeof count, "%zu", unknown);
        remark(c, "stations", "số cụm loa chưa biết loại thiết bị (type để trống)", count);
    }
}

kg_err policy_check(const policy *p, const areas *ar, kg_buf *report, size_t *complaints)
{
    checking c = {.p = p, .ar = ar};
    check_codes(&c);
    check_agencies(&c);
    check_communes_may_warn(&c);
    check_reach(&c);
    check_media(&c);
    check_repeats(&c);
    check_stations(&c);
    check_bases(&c);
    check_switches(&c);
    kg_err e = kg_buf_failed(&c.complaints) != KG_OK ? kg_buf_failed(&c.complaints) : kg_buf_failed(&c.remarks);
    e = e != KG_OK ? e : kg_buf_puts(report, kg_buf_str(&c.complaints));
    e = e != KG_OK ? e : kg_buf_puts(report, kg_buf_str(&c.remarks));
    if (e == KG_OK) {
        *complaints = c.count;
    }
    kg_buf_done(&c.complaints);
    kg_buf_done(&c.remarks);
    return e;
}
