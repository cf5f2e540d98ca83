#include "shortform/shortform.h"

#include <string.h>

#include "areas/areas.h"
#include "base/clock.h"
#include "base/hex.h"
#include "config/yaml.h"
#include "text/text.h"

typedef struct raw_translation {
    char *language, *headline, *description, *instruction, *speech;
} raw_translation;

typedef struct raw_audio {
    char *language, *file, *description;
} raw_audio;

typedef struct raw_form {
    char *id, *sent, *status, *class, *sector, *event, *headline, *description, *instruction;
    char *urgency, *severity, *certainty, *effective, *onset, *expires, *next_bulletin;
    char *sms, *sms_accented, *speech, *crawl, *contact, *web, *area_name, *note, *sender_name;
    char *civil_defence_decision, *emergency_instrument;
    char **areas, **worst_hit, **category, **response;
    unsigned areas_count, worst_hit_count, category_count, response_count;
    unsigned risk_level, civil_defence_level, phase;
    bool first_warning;
    raw_translation *translations;
    unsigned translations_count;
    raw_audio *audio;
    unsigned audio_count;
} raw_form;

enum { SHORT_MAX = 400, LONG_MAX = 8000 };

#define NEED(key, member, max) CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, raw_form, member, 1, max)
#define MAYBE(type, key, member, max)                                                                                  \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 1, max)
#define LIST(key, member, least, most)                                                                                 \
    CYAML_FIELD_SEQUENCE(key, (least) > 0 ? CYAML_FLAG_POINTER : CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, raw_form,   \
                         member, &text_value, least, most)

static const cyaml_schema_value_t text_value = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, SHORT_MAX)};
static const cyaml_schema_field_t translation_fields[] = {
    CYAML_FIELD_STRING_PTR("language", CYAML_FLAG_POINTER, raw_translation, language, 2, 35),
    CYAML_FIELD_STRING_PTR("headline", CYAML_FLAG_POINTER, raw_translation, headline, 1, SHORT_MAX),
    MAYBE(raw_translation, "description", description, LONG_MAX),
    MAYBE(raw_translation, "instruction", instruction, LONG_MAX),
    MAYBE(raw_translation, "speech", speech, LONG_MAX),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t translation_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, raw_translation, translation_fields)};
static const cyaml_schema_field_t audio_fields[] = {
    CYAML_FIELD_STRING_PTR("language", CYAML_FLAG_POINTER, raw_audio, language, 2, 35),
    CYAML_FIELD_STRING_PTR("file", CYAML_FLAG_POINTER, raw_audio, file, 1, SHORT_MAX),
    CYAML_FIELD_STRING_PTR("description", CYAML_FLAG_POINTER, raw_audio, description, 1, SHORT_MAX),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t audio_value = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, raw_audio, audio_fields)};
static const cyaml_schema_field_t form_fields[] = {
    MAYBE(raw_form, "id", id, 100),
    MAYBE(raw_form, "sent", sent, 40),
    NEED("status", status, 20),
    NEED("class", class, 40),
    MAYBE(raw_form, "sector", sector, 60),
    NEED("event", event, SHORT_MAX),
    NEED("headline", headline, SHORT_MAX),
    MAYBE(raw_form, "description", description, LONG_MAX),
    NEED("instruction", instruction, LONG_MAX),
    LIST("category", category, 1, CAP_CATEGORY_COUNT),
    LIST("response", response, 0, CAP_RESPONSE_COUNT),
    NEED("urgency", urgency, 20),
    NEED("severity", severity, 20),
    NEED("certainty", certainty, 20),
    MAYBE(raw_form, "effective", effective, 40),
    MAYBE(raw_form, "onset", onset, 40),
    MAYBE(raw_form, "expires", expires, 40),
    MAYBE(raw_form, "next_bulletin", next_bulletin, 40),
    LIST("areas", areas, 1, ALERT_LIST_MAX),
    MAYBE(raw_form, "area_name", area_name, SHORT_MAX),
    LIST("worst_hit", worst_hit, 0, ALERT_LIST_MAX),
    CYAML_FIELD_UINT("risk_level", CYAML_FLAG_OPTIONAL, raw_form, risk_level),
    CYAML_FIELD_UINT("civil_defence_level", CYAML_FLAG_OPTIONAL, raw_form, civil_defence_level),
    MAYBE(raw_form, "civil_defence_decision", civil_defence_decision, SHORT_MAX),
    MAYBE(raw_form, "emergency_instrument", emergency_instrument, SHORT_MAX),
    CYAML_FIELD_UINT("phase", CYAML_FLAG_OPTIONAL, raw_form, phase),
    YAML_SWITCH("first_warning", CYAML_FLAG_OPTIONAL, raw_form, first_warning),
    MAYBE(raw_form, "sms", sms, SHORT_MAX),
    MAYBE(raw_form, "sms_accented", sms_accented, SHORT_MAX),
    MAYBE(raw_form, "speech", speech, LONG_MAX),
    MAYBE(raw_form, "crawl", crawl, SHORT_MAX),
    MAYBE(raw_form, "contact", contact, SHORT_MAX),
    MAYBE(raw_form, "web", web, SHORT_MAX),
    MAYBE(raw_form, "note", note, LONG_MAX),
    MAYBE(raw_form, "sender_name", sender_name, SHORT_MAX),
    CYAML_FIELD_SEQUENCE("translations", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, raw_form, translations,
                         &translation_value, 0, ALERT_INFOS_MAX - 1),
    CYAML_FIELD_SEQUENCE("audio", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, raw_form, audio, &audio_value, 0, 16),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t form_schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, raw_form, form_fields)};

/* One reading: where complaints come from and where text goes. */
typedef struct reading {
    const char *name;
    alert *a;
    kg_diag *diag;
} reading;

static kg_err take_text(const reading *r, const char *raw, const char **out)
{
    if (raw == NULL) {
        *out = "";
        return KG_OK;
    }
    kg_buf nfc = {0};
    kg_err e = text_nfc(raw, true, &nfc);
    if (e != KG_OK) {
        e = kg_fail(r->diag, e, "%s: a text is not UTF-8", r->name);
    } else {
        const char *copy = kg_arena_str(&r->a->mem, kg_buf_str(&nfc));
        e = copy != NULL ? KG_OK : kg_fail(r->diag, KG_E_NOMEM, "%s: no memory", r->name);
        *out = copy != NULL ? copy : "";
    }
    kg_buf_done(&nfc);
    return e;
}

static kg_err take_time(const reading *r, const char *key, const char *raw, int64_t *ms, int *offset_min)
{
    if (raw == NULL) {
        return KG_OK;
    }
    if (kg_time_read(raw, KG_VN_OFFSET_MIN, ms, offset_min, NULL) != KG_OK) {
        return kg_fail(r->diag, KG_E_INVALID, "%s: %s: \"%s\" is not a time; write it as 2026-11-22T21:05:00+07:00",
                       r->name, key, raw);
    }
    return KG_OK;
}

static kg_err take_word(const reading *r, const char *key, const char *raw, int (*read)(const char *), int *out)
{
    const int value = read(raw);
    if (value < 0) {
        return kg_fail(r->diag, KG_E_INVALID, "%s: %s: \"%s\" is not a CAP word", r->name, key, raw);
    }
    *out = value;
    return KG_OK;
}

static kg_err take_bits(const reading *r, const char *key, char **items, unsigned count, int (*read)(const char *),
                        uint32_t *bits)
{
    for (unsigned i = 0; i < count; i++) {
        int value = 0;
        const kg_err e = take_word(r, key, items[i], read, &value);
        if (e != KG_OK) {
            return e;
        }
        *bits |= 1U << value;
    }
    return KG_OK;
}

static kg_err take_texts(const reading *r, char **items, unsigned count, alert_texts *out)
{
    out->items = kg_arena_array(&r->a->mem, count, sizeof *out->items);
    if (out->items == NULL) {
        return kg_fail(r->diag, KG_E_NOMEM, "%s: no memory", r->name);
    }
    for (unsigned i = 0; i < count; i++) {
        const kg_err e = take_text(r, items[i], &out->items[i]);
        if (e != KG_OK) {
            return e;
        }
    }
    out->count = count;
    return KG_OK;
}

static kg_err take_area(const reading *r, const raw_form *f, alert_area *area)
{
    area->geocodes.items = kg_arena_array(&r->a->mem, f->areas_count, sizeof *area->geocodes.items);
    if (area->geocodes.items == NULL) {
        return kg_fail(r->diag, KG_E_NOMEM, "%s: no memory", r->name);
    }
    kg_err e = KG_OK;
    for (unsigned i = 0; i < f->areas_count && e == KG_OK; i++) {
        alert_pair *code = &area->geocodes.items[i];
        const size_t digits = strspn(f->areas[i], "0123456789");
        if (f->areas[i][digits] != '\0' || (digits != 2 && digits != 5)) {
            e = kg_fail(r->diag, KG_E_INVALID,
                        "%s: areas: \"%s\" is not a code; write a commune's 5 digits or a province's 2, in quotes",
                        r->name, f->areas[i]);
            break;
        }
        code->name = digits == 2 ? AREAS_PROVINCE : AREAS_COMMUNE;
        e = take_text(r, f->areas[i], &code->value);
    }
    area->geocodes.count = f->areas_count;
    if (e == KG_OK) {
        e = take_text(r, f->area_name, &area->description); /* none: areas_describe names the communes */
    }
    return e;
}

static kg_err take_times(const reading *r, const raw_form *f, alert_info *info)
{
    kg_err e = take_time(r, "effective", f->effective, &info->effective_ms, &info->effective_offset_min);
    if (e == KG_OK) {
        e = take_time(r, "onset", f->onset, &info->onset_ms, &info->onset_offset_min);
    }
    if (e == KG_OK) {
        e = take_time(r, "expires", f->expires, &info->expires_ms, &info->expires_offset_min);
    }
    int unused = 0;
    if (e == KG_OK) {
        e = take_time(r, "next_bulletin", f->next_bulletin, &r->a->next_bulletin_ms, &unused);
    }
    return e;
}

/* Everything of the main text that a translation shares: words of CAP, times, area. */
static kg_err take_common(const reading *r, const raw_form *f, alert_info *info)
{
    int urgency = 0;
    int severity = 0;
    int certainty = 0;
    kg_err e = take_word(r, "urgency", f->urgency, cap_urgency_read, &urgency);
    if (e == KG_OK) {
        e = take_word(r, "severity", f->severity, cap_severity_read, &severity);
    }
    if (e == KG_OK) {
        e = take_word(r, "certainty", f->certainty, cap_certainty_read, &certainty);
    }
    info->urgency = (cap_urgency)urgency;
    info->severity = (cap_severity)severity;
    info->certainty = (cap_certainty)certainty;
    if (e == KG_OK) {
        e = take_bits(r, "category", f->category, f->category_count, cap_category_read, &info->categories);
    }
    if (e == KG_OK) {
        e = take_bits(r, "response", f->response, f->response_count, cap_response_read, &info->responses);
    }
    if (e == KG_OK) {
        e = take_times(r, f, info);
    }
    info->areas.items = kg_arena_array(&r->a->mem, 1, sizeof *info->areas.items);
    if (e == KG_OK && info->areas.items == NULL) {
        e = kg_fail(r->diag, KG_E_NOMEM, "%s: no memory", r->name);
    }
    if (e == KG_OK) {
        info->areas.items[0].altitude = info->areas.items[0].ceiling = "";
        info->areas.count = 1;
        e = take_area(r, f, &info->areas.items[0]);
    }
    return e;
}

typedef struct text_slot {
    const char *raw;
    const char **out;
} text_slot;

static kg_err take_slots(const reading *r, const text_slot *slots, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const kg_err e = take_text(r, slots[i].raw, slots[i].out);
        if (e != KG_OK) {
            return e;
        }
    }
    return KG_OK;
}

static kg_err take_main_texts(const reading *r, const raw_form *f, alert_info *info)
{
    info->language = "vi";
    info->audience = "";
    const text_slot slots[] = {
        {f->event, &info->event},
        {f->headline, &info->headline},
        {f->description, &info->description},
        {f->instruction, &info->instruction},
        {f->sms, &info->sms},
        {f->sms_accented, &info->sms_accented},
        {f->speech, &info->speech},
        {f->crawl, &info->crawl},
        {f->contact, &info->contact},
        {f->web, &info->web},
        {f->sender_name, &info->sender_name},
    };
    return take_slots(r, slots, sizeof slots / sizeof slots[0]);
}

static kg_err take_translation(const reading *r, const raw_translation *t, const alert_info *main_info,
                               alert_info *info)
{
    *info = *main_info; /* same categories, words, times and area (INF-4) */
    info->sms = info->sms_accented = info->crawl = "";
    info->resources.items = NULL;
    info->resources.count = 0;
    const text_slot slots[] = {
        {t->language, &info->language},       {t->headline, &info->headline}, {t->description, &info->description},
        {t->instruction, &info->instruction}, {t->speech, &info->speech},
    };
    return take_slots(r, slots, sizeof slots / sizeof slots[0]);
}

static kg_err take_audio(const reading *r, const raw_form *f)
{
    alert *a = r->a;
    for (unsigned i = 0; i < f->audio_count; i++) {
        alert_info *info = NULL;
        for (size_t k = 0; k < a->infos.count; k++) {
            if (strcmp(a->infos.items[k].language, f->audio[i].language) == 0) {
                info = &a->infos.items[k];
            }
        }
        if (info == NULL || info->resources.count > 0) {
            return kg_fail(r->diag, KG_E_INVALID,
                           "%s: audio: language \"%s\" needs exactly one recording and a text in that language",
                           r->name, f->audio[i].language);
        }
        alert_resource *res = kg_arena_array(&a->mem, 1, sizeof *res);
        if (res == NULL) {
            return kg_fail(r->diag, KG_E_NOMEM, "%s: no memory", r->name);
        }
        res->mime_type = "audio/x-wav";
        res->digest = "";
        info->resources.items = res;
        info->resources.count = 1;
        const text_slot slots[] = {{f->audio[i].file, &res->uri}, {f->audio[i].description, &res->description}};
        const kg_err e = take_slots(r, slots, 2);
        if (e != KG_OK) {
            return e;
        }
    }
    return KG_OK;
}

static kg_err take_infos(const reading *r, const raw_form *f)
{
    alert *a = r->a;
    a->infos.count = 1 + f->translations_count;
    a->infos.items = kg_arena_array(&a->mem, a->infos.count, sizeof *a->infos.items);
    if (a->infos.items == NULL) {
        a->infos.count = 0;
        return kg_fail(r->diag, KG_E_NOMEM, "%s: no memory", r->name);
    }
    alert_info *main_info = &a->infos.items[0];
    kg_err e = take_main_texts(r, f, main_info);
    if (e == KG_OK) {
        e = take_common(r, f, main_info);
    }
    for (unsigned i = 0; i < f->translations_count && e == KG_OK; i++) {
        e = take_translation(r, &f->translations[i], main_info, &a->infos.items[1 + i]);
    }
    return e == KG_OK ? take_audio(r, f) : e;
}

static kg_err take_scales(const reading *r, const raw_form *f)
{
    alert *a = r->a;
    int status = 0;
    int class = 0;
    kg_err e = take_word(r, "status", f->status, cap_status_read, &status);
    if (e != KG_OK) {
        return e;
    }
    class = bulletin_class_read(f->class);
    if (class < 0) {
        return kg_fail(r->diag, KG_E_INVALID,
                       "%s: class: \"%s\" is not routine, priority, urgent (thông thường, ưu "
                       "tiên, khẩn cấp)",
                       r->name, f->class);
    }
    if (f->risk_level > 5 || f->civil_defence_level > 3 || f->phase > 3) {
        return kg_fail(r->diag, KG_E_INVALID, "%s: risk_level goes to 5, civil_defence_level and phase to 3", r->name);
    }
    a->status = (cap_status)status;
    a->bulletin_class = (bulletin_class) class;
    a->risk_level = f->risk_level;
    a->civil_defence_level = f->civil_defence_level;
    a->phase = f->phase;
    a->first_warning = f->first_warning;
    const text_slot slots[] = {
        {f->sector, &a->sector},
        {f->note, &a->note},
        {f->civil_defence_decision, &a->civil_defence_decision},
        {f->emergency_instrument, &a->emergency_instrument},
    };
    e = take_slots(r, slots, sizeof slots / sizeof slots[0]);
    return e == KG_OK ? take_texts(r, f->worst_hit, f->worst_hit_count, &a->worst_hit) : e;
}

static kg_err take_identity(const reading *r, const raw_form *f, const shortform_source *source)
{
    alert *a = r->a;
    a->msg_type = CAP_ALERT;
    a->scope = CAP_PUBLIC;
    a->sent_ms = source->sent_or_ms / 1000 * 1000; /* CAP writes whole seconds */
    a->sent_offset_min = KG_VN_OFFSET_MIN;
    kg_err e = take_time(r, "sent", f->sent, &a->sent_ms, &a->sent_offset_min);
    if (e == KG_OK) {
        e = take_text(r, source->sender, &a->sender);
    }
    if (e != KG_OK) {
        return e;
    }
    if (f->id != NULL) {
        if (strpbrk(f->id, " ,<&\t\n") != NULL) {
            return kg_fail(r->diag, KG_E_INVALID, "%s: id: \"%s\" may hold no blank, comma, < or & (CAP)", r->name,
                           f->id);
        }
        return take_text(r, f->id, &a->identifier);
    }
    const alert_hash h = alert_hash_of(kg_buf_str(source->text), source->text->len);
    char digits[17];
    kg_hex(h.b, 8, digits);
    kg_buf id = {0};
    e = kg_buf_putf(&id, "%s-%s", source->agency, digits);
    if (e == KG_OK) {
        e = take_text(r, id.s, &a->identifier);
    }
    kg_buf_done(&id);
    return e;
}

kg_err shortform_read(const shortform_source *source, alert *out, kg_diag *diag)
{
    void *data = NULL;
    kg_err e = yaml_read(source->name, kg_buf_str(source->text), source->text->len, &form_schema, &data, diag);
    if (e != KG_OK) {
        return e;
    }
    const raw_form *f = data;
    alert a;
    alert_init(&a);
    const reading r = {.name = source->name, .a = &a, .diag = diag};
    e = take_identity(&r, f, source);
    if (e == KG_OK) {
        e = take_scales(&r, f);
    }
    if (e == KG_OK) {
        e = take_infos(&r, f);
    }
    yaml_free(&form_schema, &data);
    if (e != KG_OK) {
        alert_done(&a);
        return e;
    }
    *out = a;
    return KG_OK;
}
