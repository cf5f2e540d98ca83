#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy_table.h"

enum { SIGNATURES_MAX = 4, TTL_MAX_MINUTES = DAY_MINUTES, EVERY_MAX_MINUTES = DAY_MINUTES };

/* ---- references between entries ---- */

static const file_sector *sector_of(const policy_file *f, const char *id)
{
    for (size_t i = 0; i < f->sectors_count; i++) {
        if (strcmp(f->sectors[i].id, id) == 0) {
            return &f->sectors[i];
        }
    }
    return NULL;
}

static bool good_id(const char *s)
{
    return s[0] != '\0' && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789.-") == strlen(s);
}

static kg_err check_sectors(const policy *p, kg_diag *diag)
{
    const policy_file *f = p->file;
    for (size_t i = 0; i < f->sectors_count; i++) {
        const file_sector *s = &f->sectors[i];
        if (!good_id(s->id) || sector_of(f, s->id) != s) {
            return kg_fail(diag, KG_E_INVALID, "sectors: '%s' stands twice or is not made of a-z 0-9 . -", s->id);
        }
        if (s->lead != NULL && s->lead[0] != '\0' && policy_agency_find(p, s->lead) == NULL) {
            return kg_fail(diag, KG_E_INVALID, "sectors: %s: its lead '%s' is no agency of this policy", s->id,
                           s->lead);
        }
    }
    return KG_OK;
}

static kg_err check_agency(const policy_file *f, const file_agency *a, kg_diag *diag)
{
    if (!good_id(a->id)) {
        return kg_fail(diag, KG_E_INVALID, "agencies: the id '%s' is not made of a-z 0-9 . -", a->id);
    }
    if (a->each_commune == (a->areas_count > 0)) {
        return kg_fail(diag, KG_E_INVALID,
                       "agencies: %s: give either its areas or each_commune: true (then each has its own code)", a->id);
    }
    for (size_t i = 0; i < a->sectors_count; i++) {
        if (strcmp(a->sectors[i], "*") != 0 && sector_of(f, a->sectors[i]) == NULL) {
            return kg_fail(diag, KG_E_INVALID, "agencies: %s: sector '%s' is not under sectors", a->id, a->sectors[i]);
        }
    }
    return KG_OK;
}

/* ---- agencies ---- */

static alert_texts texts_of(char *const *items, uint32_t count, kg_arena *mem)
{
    alert_texts out = {kg_arena_array(mem, count, sizeof *out.items), 0};
    for (; out.items != NULL && out.count < count; out.count++) {
        out.items[out.count] = items[out.count];
    }
    return out;
}

static const char *join(kg_arena *mem, const char *a, const char *between, const char *b)
{
    kg_buf text = {0};
    const char *copy = kg_buf_putf(&text, "%s%s%s", a, between, b) == KG_OK ? kg_arena_str(mem, text.s) : NULL;
    kg_buf_done(&text);
    return copy;
}

static bool add_agency(policy *p, const file_agency *a, const commune *c)
{
    policy_agency *out = &p->agencies[p->agency_count++];
    *out = (policy_agency){.id = a->id,
                           .name = a->name,
                           .basis = a->basis,
                           .areas = texts_of(a->areas, a->areas_count, &p->mem),
                           .sectors = texts_of(a->sectors, a->sectors_count, &p->mem),
                           .class_max = a->class_max,
                           .first_warning = a->first_warning};
    if (c != NULL) {
        char *code[] = {kg_arena_str(&p->mem, c->code)};
        const char *kind = join(&p->mem, c->kind, " ", c->name);
        out->id = join(&p->mem, a->id, ".", c->code);
        out->name = kind != NULL ? join(&p->mem, a->name, " ", kind) : NULL;
        out->areas = texts_of(code, 1, &p->mem);
    }
    return out->id != NULL && out->name != NULL && out->areas.items != NULL && out->sectors.items != NULL;
}

static int agency_order(const void *a, const void *b)
{
    return strcmp(((const policy_agency *)a)->id, ((const policy_agency *)b)->id);
}

static kg_err compile_agencies(policy *p, const areas *ar, kg_diag *diag)
{
    const policy_file *f = p->file;
    size_t most = 0;
    for (size_t i = 0; i < f->agencies_count; i++) {
        const kg_err e = check_agency(f, &f->agencies[i], diag);
        if (e != KG_OK) {
            return e;
        }
        most += f->agencies[i].each_commune ? areas_count(ar) : 1;
    }
    p->agencies = kg_arena_array(&p->mem, most, sizeof *p->agencies);
    bool good = p->agencies != NULL;
    for (size_t i = 0; good && i < f->agencies_count; i++) {
        const file_agency *a = &f->agencies[i];
        good = a->each_commune || add_agency(p, a, NULL);
        for (size_t k = 0; good && a->each_commune && k < areas_count(ar); k++) {
            const commune *c = areas_at(ar, k);
            good = strcmp(c->province, f->province) != 0 || add_agency(p, a, c);
        }
    }
    if (!good) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for the agencies");
    }
    qsort(p->agencies, p->agency_count, sizeof *p->agencies, agency_order);
    for (size_t i = 1; i < p->agency_count; i++) {
        if (strcmp(p->agencies[i - 1].id, p->agencies[i].id) == 0) {
            return kg_fail(diag, KG_E_INVALID, "agencies: '%s' stands twice", p->agencies[i].id);
        }
    }
    return check_sectors(p, diag);
}

/* ---- classes, media, drills, news ---- */

static kg_err compile_classes(policy *p, kg_diag *diag)
{
    const policy_file *f = p->file;
    for (size_t i = 0; i < f->classes_count; i++) {
        const file_class *c = &f->classes[i];
        if (p->ttl_ms[c->class] != 0) {
            return kg_fail(diag, KG_E_INVALID, "classes: %s stands twice", bulletin_class_text(c->class));
        }
        if (c->default_ttl_minutes == 0 || c->default_ttl_minutes > TTL_MAX_MINUTES) {
            return kg_fail(diag, KG_E_INVALID, "classes: %s: default_ttl_minutes must be 1 to %d (24 hours)",
                           bulletin_class_text(c->class), TTL_MAX_MINUTES);
        }
        p->ttl_ms[c->class] = (int64_t)c->default_ttl_minutes * 60000;
    }
    for (int c = 0; c < CLASS_COUNT; c++) {
        if (p->ttl_ms[c] == 0) {
            return kg_fail(diag, KG_E_INVALID, "classes: there is no entry for %s",
                           bulletin_class_text((bulletin_class)c));
        }
    }
    return KG_OK;
}

static const char *mode_vi(medium m, policy_mode mode)
{
    static const char *const aired[MODE_COUNT] = {
        [MODE_OFFER] = "đưa cho đài chọn giờ phát",
        [MODE_SCHEDULE] = "phát theo lịch chương trình",
        [MODE_NEXT] = "ưu tiên phát ở mục kế tiếp",
        [MODE_CRAWL] = "chạy chữ trên màn hình",
        [MODE_INTERRUPT] = "phát ngay, ngắt chương trình đang phát",
    };
    static const char *const sent[MODE_COUNT] = {
        [MODE_OFFER] = "chờ người phụ trách chọn giờ gửi",
        [MODE_SCHEDULE] = "gửi theo lịch",
        [MODE_NEXT] = "ưu tiên gửi kế tiếp",
        [MODE_CRAWL] = "gửi bản rút gọn",
        [MODE_INTERRUPT] = "gửi ngay, trước mọi tin khác",
    };
    return m == MEDIUM_SMS || m == MEDIUM_FEED ? sent[mode] : aired[mode];
}

static kg_err compile_media(policy *p, kg_diag *diag)
{
    const policy_file *f = p->file;
    for (size_t i = 0; i < f->media_count; i++) {
        const file_media *m = &f->media[i];
        media_rule *rule = &p->media[m->medium][m->class];
        if (rule->entry != NULL) {
            return kg_fail(diag, KG_E_INVALID, "media: %s %s stands twice", medium_text(m->medium),
                           bulletin_class_text(m->class));
        }
        char id[64], why[256];
        (void)snprintf(id, sizeof id, "media.%s.%s", medium_text(m->medium), bulletin_class_text(m->class));
        (void)snprintf(why, sizeof why, "Trạm phủ khu vực của tin; tin %s qua %s: %s.", bulletin_class_vi(m->class),
                       medium_vi(m->medium), mode_vi(m->medium, m->mode));
        *rule = (media_rule){m, kg_arena_str(&p->mem, id), kg_arena_str(&p->mem, why)};
        if (rule->id == NULL || rule->why == NULL) {
            return kg_fail(diag, KG_E_NOMEM, "no memory for the media plan");
        }
    }
    return KG_OK;
}

static kg_err compile_drills(policy *p, kg_diag *diag)
{
    for (size_t i = 0; i < p->file->drills_count; i++) {
        const file_drill *d = &p->file->drills[i];
        if (p->drills[d->status].entry != NULL) {
            return kg_fail(diag, KG_E_INVALID, "drills: %s stands twice", cap_status_text(d->status));
        }
        p->drills[d->status] = (drill_rule){d, d->status == CAP_TEST ? "drills.test" : "drills.exercise"};
    }
    return KG_OK;
}

static int news_order(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static kg_err compile_news(policy *p, kg_diag *diag)
{
    const file_news *n = &p->file->news;
    if (n->hours_count > POLICY_NEWS_MAX) {
        return kg_fail(diag, KG_E_LIMIT, "news: more than %d hours", POLICY_NEWS_MAX);
    }
    for (size_t i = 0; i < n->hours_count; i++) {
        const char *s = n->hours[i];
        const bool form =
            strlen(s) == 5 && strspn(s, "0123456789") == 2 && s[2] == ':' && strspn(s + 3, "0123456789") == 2;
        const long hour = form ? strtol(s, NULL, 10) : 24, minute = form ? strtol(s + 3, NULL, 10) : 0;
        if (hour > 23 || minute > 59) {
            return kg_fail(diag, KG_E_INVALID, "news: '%s' is no time of day (\"HH:MM\" in quotes)", s);
        }
        p->news[p->news_count++] = (uint32_t)(hour * 60 + minute);
    }
    qsort(p->news, p->news_count, sizeof p->news[0], news_order);
    return KG_OK;
}

/* ---- repeats, signatures ---- */

static const char *repeat_fault(const file_repeat *r)
{
    uint32_t last = 0;
    for (size_t i = 0; i < r->after_minutes_count; i++) {
        if (r->after_minutes[i] <= last || r->after_minutes[i] > EVERY_MAX_MINUTES) {
            return "after_minutes must rise, from 1 to 1440";
        }
        last = r->after_minutes[i];
    }
    for (size_t i = 0; i < r->event_codes_count; i++) {
        if (strchr(r->event_codes[i], '=') == NULL) {
            return "an event code must read scheme=value";
        }
    }
    return !good_id(r->id)                                   ? "the id is not made of a-z 0-9 . -"
           : r->after_minutes_count + 1 > POLICY_REPEATS_MAX ? "there are more than 7 after_minutes"
           : r->every_minutes > EVERY_MAX_MINUTES            ? "every_minutes is more than a day"
           : r->on_the_hour && r->every_minutes == 0         ? "on_the_hour needs every_minutes"
           : r->on_the_hour && r->every_minutes % 60 != 0    ? "on_the_hour needs every_minutes in full hours"
                                                             : NULL;
}

static kg_err compile_repeats(policy *p, kg_diag *diag)
{
    const policy_file *f = p->file;
    p->repeat_ids = kg_arena_array(&p->mem, f->repeats_count, sizeof *p->repeat_ids);
    for (size_t i = 0; i < f->repeats_count; i++) {
        const char *fault = repeat_fault(&f->repeats[i]);
        for (size_t k = 0; fault == NULL && k < i; k++) {
            fault = strcmp(f->repeats[k].id, f->repeats[i].id) == 0 ? "the id stands twice" : NULL;
        }
        if (fault != NULL) {
            return kg_fail(diag, KG_E_INVALID, "repeats: %s: %s", f->repeats[i].id, fault);
        }
        if (p->repeat_ids != NULL) {
            p->repeat_ids[i] = join(&p->mem, "repeats", ".", f->repeats[i].id);
        }
        if (p->repeat_ids == NULL || p->repeat_ids[i] == NULL) {
            return kg_fail(diag, KG_E_NOMEM, "no memory for the repeats");
        }
    }
    return KG_OK;
}

static kg_err check_signatures(const policy *p, kg_diag *diag)
{
    const file_signatures *s = &p->file->signatures;
    if (s->first_warning == 0 || s->first_warning > SIGNATURES_MAX) {
        return kg_fail(diag, KG_E_INVALID, "signatures: first_warning must be 1 to %d", SIGNATURES_MAX);
    }
    for (size_t i = 0; i < s->rules_count; i++) {
        if (s->rules[i].needed == 0 || s->rules[i].needed > SIGNATURES_MAX) {
            return kg_fail(diag, KG_E_INVALID, "signatures: %s: needed must be 1 to %d", s->rules[i].id,
                           SIGNATURES_MAX);
        }
    }
    return KG_OK;
}

/* ---- tables by commune ---- */

typedef struct marking {
    uint32_t *mask, bit;
} marking;

static void mark(void *ctx, size_t at)
{
    const marking *m = ctx;
    m->mask[at] |= m->bit;
}

static kg_err compile_languages(policy *p, const areas *ar, kg_diag *diag)
{
    const policy_file *f = p->file;
    p->always = kg_arena_array(&p->mem, p->commune_count, sizeof *p->always);
    p->written = kg_arena_array(&p->mem, p->commune_count, sizeof *p->written);
    if (p->always == NULL || p->written == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for the languages");
    }
    p->languages[p->language_count++] = "vi";
    for (size_t i = 0; i < f->languages_count; i++) {
        const file_language *l = &f->languages[i];
        size_t k = 0;
        while (k < p->language_count && strcmp(p->languages[k], l->language) != 0) {
            k++;
        }
        if (k == 0 || k == POLICY_LANGUAGES_MAX ||
            strspn(l->language, "abcdefghijklmnopqrstuvwxyz") != strlen(l->language)) {
            return kg_fail(diag, KG_E_INVALID, "languages: '%s': %s", l->language,
                           k == 0 ? "Vietnamese goes everywhere and needs no entry"
                                  : "not a language subtag of a-z (\"km\", \"rad\"), or more than 31 languages");
        }
        if (k == p->language_count) {
            p->languages[p->language_count++] = l->language;
        }
        marking m = {l->wanted == WANTED_ALWAYS ? p->always : p->written, 1u << k};
        for (size_t n = 0; n < l->areas_count; n++) {
            (void)policy_each_commune(ar, l->areas[n], mark, &m); /* unknown ones: policy_check says so */
        }
    }
    return KG_OK;
}

typedef struct covering {
    uint32_t *counts; /* counting pass: stations of each commune; filling pass: where the next one goes */
    uint32_t *cover;  /* NULL while counting */
    uint32_t station;
    uint32_t *last; /* station that came last: areas of one station may overlap */
} covering;

static void cover_commune(void *ctx, size_t at)
{
    const covering *c = ctx;
    if (c->last[at] == c->station + 1) {
        return;
    }
    c->last[at] = c->station + 1;
    if (c->cover != NULL) {
        c->cover[c->counts[at]] = c->station;
    }
    c->counts[at]++;
}

static void cover_all(const policy *p, const areas *ar, covering *c)
{
    for (size_t i = 0; i < p->station_count; i++) {
        c->station = (uint32_t)i;
        for (size_t k = 0; k < p->stations[i].areas.count; k++) {
            (void)policy_each_commune(ar, p->stations[i].areas.items[k], cover_commune, c);
        }
    }
}

static kg_err compile_cover(policy *p, const areas *ar, kg_diag *diag)
{
    kg_arena scratch = {0};
    const size_t n = p->commune_count;
    covering c = {.counts = kg_arena_array(&scratch, n, sizeof *c.counts),
                  .last = kg_arena_array(&scratch, n, sizeof *c.last)};
    uint32_t *again = kg_arena_array(&scratch, n, sizeof *again);
    p->cover_from = kg_arena_array(&p->mem, n + 1, sizeof *p->cover_from);
    kg_err e = KG_E_NOMEM;
    if (c.counts != NULL && c.last != NULL && again != NULL && p->cover_from != NULL) {
        cover_all(p, ar, &c);
        for (size_t i = 0; i < n; i++) {
            p->cover_from[i + 1] = p->cover_from[i] + c.counts[i];
            c.counts[i] = p->cover_from[i];
        }
        p->cover = kg_arena_array(&p->mem, p->cover_from[n], sizeof *p->cover);
        if (p->cover != NULL) {
            c.cover = p->cover;
            c.last = again;
            cover_all(p, ar, &c);
            e = KG_OK;
        }
    }
    kg_arena_done(&scratch);
    return e == KG_OK ? KG_OK : kg_fail(diag, e, "no memory for the table of stations by commune");
}

kg_err policy_compile(policy *p, const areas *ar, kg_diag *diag)
{
    p->commune_count = areas_count(ar);
    if (!areas_has_province(ar, p->file->province)) {
        return kg_fail(diag, KG_E_INVALID, "province: '%s' has no commune in the loaded tables", p->file->province);
    }
    kg_err e = compile_agencies(p, ar, diag);
    e = e != KG_OK ? e : compile_classes(p, diag);
    e = e != KG_OK ? e : compile_media(p, diag);
    e = e != KG_OK ? e : compile_drills(p, diag);
    e = e != KG_OK ? e : compile_news(p, diag);
    e = e != KG_OK ? e : compile_repeats(p, diag);
    e = e != KG_OK ? e : check_signatures(p, diag);
    e = e != KG_OK ? e : compile_languages(p, ar, diag);
    return e != KG_OK ? e : compile_cover(p, ar, diag);
}
