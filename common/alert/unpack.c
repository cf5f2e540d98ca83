#include "alert/pack.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "alert.pb-c.h"
#include "base/utf8.h"
#include "text/text.h"

enum {
    HEAP_MAX = 8 * 1024 * 1024, /* protobuf's structs for one message; the largest real alert needs under 4 MiB */
    ZONE_MAX_MIN = 14 * 60,
    COMMUNE_DIGITS = 5,
    WHERE_MAX = 64
};
static const int64_t time_max_ms = INT64_C(253402300799999); /* the end of the year 9999 */

/* Memory that protobuf-c takes from an arena with a ceiling; nothing is freed before the whole. */
static void *arena_alloc(void *ctx, size_t n)
{
    return kg_arena_alloc(ctx, n);
}

static void arena_free(void *ctx, void *p)
{
    (void)ctx;
    (void)p;
}

static ProtobufCAllocator arena_allocator(kg_arena *mem)
{
    return (ProtobufCAllocator){.alloc = arena_alloc, .free = arena_free, .allocator_data = mem};
}

/* Reads fields one after the other; the first fault is kept and the rest is skipped over harmlessly. */
typedef struct reader {
    kg_arena *mem;
    kg_diag *diag;
    kg_err e;
    char where[WHERE_MAX]; /* "info 2, area 3: " */
    size_t areas, geocodes;
} reader;

static void refuse(reader *r, kg_err e, const char *field, const char *what)
{
    if (r->e == KG_OK) {
        r->e = kg_fail(r->diag, e, "alert: %s%s %s", r->where, field, what);
    }
}

/* Letters that are in NFC wherever they stand: Latin with and without Vietnamese accents, Khmer, usual punctuation.
 * Nearly every alert is made of these, and each hop looks at each alert. */
static bool surely_nfc(const char *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        uint32_t cp = 0;
        i += kg_utf8_next(s + i, n - i, &cp); /* valid UTF-8: looked at before */
        const bool latin = cp < 0x300 || (cp >= 0x1E00 && cp <= 0x1EFF);
        if (!latin && !(cp >= 0x1780 && cp <= 0x17DC) && !(cp >= 0x2010 && cp <= 0x2027)) {
            return false;
        }
    }
    return true;
}

static bool is_nfc(reader *r, const char *s, size_t n)
{
    kg_buf normal = {0};
    if (surely_nfc(s, n)) {
        return true;
    }
    const kg_err e = text_nfc(s, false, &normal);
    const bool same = e == KG_OK && normal.len == n && memcmp(normal.s, s, n) == 0;
    kg_buf_done(&normal);
    if (e == KG_E_NOMEM) {
        refuse(r, e, "a text", "does not fit into memory");
    }
    return same;
}

static const char *text(reader *r, ProtobufCBinaryData b, const char *field, size_t max)
{
    if (r->e != KG_OK || b.len == 0) {
        return "";
    }
    if (b.len > max) {
        refuse(r, KG_E_LIMIT, field, "is too long");
        return "";
    }
    if (!kg_utf8_valid((const char *)b.data, b.len)) {
        refuse(r, KG_E_INVALID, field, "is not UTF-8 text");
        return "";
    }
    const char *copy = kg_arena_strn(r->mem, (const char *)b.data, b.len);
    if (copy == NULL) {
        refuse(r, KG_E_NOMEM, field, "does not fit into memory");
        return "";
    }
    if (!is_nfc(r, copy, b.len)) {
        refuse(r, KG_E_INVALID, field, "is not in Unicode normal form C, so equal words might differ in bytes");
        return "";
    }
    return copy;
}

static const char *some_text(reader *r, ProtobufCBinaryData b, const char *field, size_t max)
{
    if (b.len == 0) {
        refuse(r, KG_E_INVALID, field, "is missing");
    }
    return text(r, b, field, max);
}

/* Room for count items of a list; NULL and a fault when there are more than max. */
static void *list(reader *r, size_t count, size_t max, size_t size, const char *field)
{
    if (r->e != KG_OK || count == 0) {
        return NULL;
    }
    if (count > max) {
        refuse(r, KG_E_LIMIT, field, "has too many entries");
        return NULL;
    }
    void *items = kg_arena_array(r->mem, count, size);
    if (items == NULL) {
        refuse(r, KG_E_NOMEM, field, "do not fit into memory");
    }
    return items;
}

static alert_texts texts(reader *r, const ProtobufCBinaryData *in, size_t count, const char *field)
{
    alert_texts out = {.items = list(r, count, ALERT_LIST_MAX, sizeof *out.items, field)};
    out.count = out.items != NULL ? count : 0;
    for (size_t i = 0; i < out.count; i++) {
        out.items[i] = text(r, in[i], field, ALERT_PAYLOAD_MAX);
    }
    return out;
}

static alert_pairs pairs(reader *r, Kg__Pair *const *in, size_t count, const char *field)
{
    alert_pairs out = {.items = list(r, count, ALERT_CODES_MAX, sizeof *out.items, field)};
    out.count = out.items != NULL ? count : 0;
    for (size_t i = 0; i < out.count; i++) {
        out.items[i].name = text(r, in[i]->name, field, ALERT_PAYLOAD_MAX);
        out.items[i].value = text(r, in[i]->value, field, ALERT_PAYLOAD_MAX);
    }
    return out;
}

static alert_pairs short_pairs(reader *r, Kg__Pair *const *in, size_t count, const char *field)
{
    if (count > ALERT_LIST_MAX) {
        refuse(r, KG_E_LIMIT, field, "has too many entries");
    }
    return pairs(r, in, count, field);
}

static uint32_t bits(reader *r, const uint32_t *in, size_t count, unsigned most, const char *field)
{
    uint32_t out = 0;
    if (count > most) {
        refuse(r, KG_E_LIMIT, field, "has too many entries");
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (in[i] >= most) {
            refuse(r, KG_E_INVALID, field, "has an unknown value");
            return 0;
        }
        out |= 1U << in[i];
    }
    return out;
}

static unsigned below(reader *r, uint32_t v, unsigned limit, const char *field)
{
    if (v >= limit) {
        refuse(r, KG_E_INVALID, field, "has an unknown value");
        return 0;
    }
    return v;
}

static int64_t moment(reader *r, int64_t ms, const char *field)
{
    if (ms < 0 || ms > time_max_ms) {
        refuse(r, KG_E_INVALID, field, "is not a time between 1970 and 9999");
        return 0;
    }
    return ms;
}

static int zone(reader *r, int32_t offset_min, const char *field)
{
    if (offset_min < -ZONE_MAX_MIN || offset_min > ZONE_MAX_MIN) {
        refuse(r, KG_E_INVALID, field, "has a zone beyond 14 hours");
        return 0;
    }
    return offset_min;
}

static bool hash(reader *r, ProtobufCBinaryData b, const char *field, alert_hash *out)
{
    if (b.len == 0) {
        return false;
    }
    if (b.len != sizeof out->b) {
        refuse(r, KG_E_INVALID, field, "is not a hash of 32 bytes");
        return false;
    }
    memcpy(out->b, b.data, sizeof out->b);
    return true;
}

static const char *language(reader *r, ProtobufCBinaryData b)
{
    const char *tag = some_text(r, b, "language", ALERT_TAG_MAX);
    for (const char *p = tag; *p != '\0'; p++) {
        if (!isalnum((unsigned char)*p) && *p != '-') {
            refuse(r, KG_E_INVALID, "language", "is not a BCP 47 tag");
            return "";
        }
    }
    return tag;
}

static void read_area(reader *r, const Kg__Area *in, alert_area *out)
{
    r->geocodes += in->n_geocodes;
    if (r->geocodes > ALERT_CODES_MAX) {
        refuse(r, KG_E_LIMIT, "geocodes", "are too many over all areas");
    }
    out->description = text(r, in->description, "description", ALERT_PAYLOAD_MAX);
    out->polygons = texts(r, in->polygons, in->n_polygons, "polygons");
    out->circles = texts(r, in->circles, in->n_circles, "circles");
    out->geocodes = pairs(r, in->geocodes, in->n_geocodes, "geocodes");
    out->altitude = text(r, in->altitude, "altitude", ALERT_TAG_MAX);
    out->ceiling = text(r, in->ceiling, "ceiling", ALERT_TAG_MAX);
}

static void read_areas(reader *r, const Kg__Info *in, size_t number, alert_info *out)
{
    r->areas += in->n_areas;
    if (r->areas > ALERT_AREAS_MAX) {
        refuse(r, KG_E_LIMIT, "areas", "are too many over all infos");
    }
    out->areas.items = list(r, in->n_areas, ALERT_AREAS_MAX, sizeof *out->areas.items, "areas");
    out->areas.count = out->areas.items != NULL ? in->n_areas : 0;
    for (size_t i = 0; i < out->areas.count && r->e == KG_OK; i++) {
        (void)snprintf(r->where, sizeof r->where, "info %zu, area %zu: ", number, i + 1);
        read_area(r, in->areas[i], &out->areas.items[i]);
    }
}

static void read_resources(reader *r, const Kg__Info *in, alert_info *out)
{
    out->resources.items = list(r, in->n_resources, ALERT_LIST_MAX, sizeof *out->resources.items, "resources");
    out->resources.count = out->resources.items != NULL ? in->n_resources : 0;
    for (size_t i = 0; i < out->resources.count; i++) {
        const Kg__Resource *w = in->resources[i];
        alert_resource *res = &out->resources.items[i];
        res->description = text(r, w->description, "resource description", ALERT_PAYLOAD_MAX);
        res->mime_type = text(r, w->mime_type, "resource type", ALERT_NAME_MAX);
        res->size = w->size;
        res->uri = text(r, w->uri, "resource uri", ALERT_PAYLOAD_MAX);
        res->digest = text(r, w->digest, "resource digest", ALERT_NAME_MAX);
        res->carried = hash(r, w->hash, "resource hash", &res->hash);
    }
}

static const char *sms_text(reader *r, ProtobufCBinaryData b)
{
    const char *s = text(r, b, "sms", 4 * (size_t)ALERT_SMS_MAX);
    size_t characters = 0;
    for (const char *p = s; *p != '\0'; p++) {
        characters += ((unsigned char)*p & 0xC0U) != 0x80 ? 1 : 0;
    }
    if (characters > ALERT_SMS_MAX) {
        refuse(r, KG_E_LIMIT, "sms", "is longer than 160 characters");
    }
    return s;
}

static void read_info(reader *r, const Kg__Info *in, size_t number, alert_info *out)
{
    (void)snprintf(r->where, sizeof r->where, "info %zu: ", number);
    out->language = language(r, in->language);
    out->categories = bits(r, in->categories, in->n_categories, CAP_CATEGORY_COUNT, "categories");
    out->event = text(r, in->event, "event", ALERT_PAYLOAD_MAX);
    out->responses = bits(r, in->responses, in->n_responses, CAP_RESPONSE_COUNT, "responses");
    out->urgency = (cap_urgency)below(r, in->urgency, CAP_URGENCY_COUNT, "urgency");
    out->severity = (cap_severity)below(r, in->severity, CAP_SEVERITY_COUNT, "severity");
    out->certainty = (cap_certainty)below(r, in->certainty, CAP_CERTAINTY_COUNT, "certainty");
    out->audience = text(r, in->audience, "audience", ALERT_PAYLOAD_MAX);
    out->event_codes = short_pairs(r, in->event_codes, in->n_event_codes, "event codes");
    out->effective_ms = moment(r, in->effective_ms, "effective");
    out->onset_ms = moment(r, in->onset_ms, "onset");
    out->expires_ms = moment(r, in->expires_ms, "expires");
    out->effective_offset_min = zone(r, in->effective_offset_min, "effective");
    out->onset_offset_min = zone(r, in->onset_offset_min, "onset");
    out->expires_offset_min = zone(r, in->expires_offset_min, "expires");
    out->sender_name = text(r, in->sender_name, "sender name", ALERT_PAYLOAD_MAX);
    out->headline = text(r, in->headline, "headline", ALERT_PAYLOAD_MAX);
    out->description = text(r, in->description, "description", ALERT_PAYLOAD_MAX);
    out->instruction = text(r, in->instruction, "instruction", ALERT_PAYLOAD_MAX);
    out->web = text(r, in->web, "web", ALERT_PAYLOAD_MAX);
    out->contact = text(r, in->contact, "contact", ALERT_PAYLOAD_MAX);
    out->parameters = short_pairs(r, in->parameters, in->n_parameters, "parameters");
    out->sms = sms_text(r, in->sms);
    out->sms_accented = text(r, in->sms_accented, "accented sms", ALERT_PAYLOAD_MAX);
    out->speech = text(r, in->speech, "speech", ALERT_PAYLOAD_MAX);
    out->crawl = text(r, in->crawl, "crawl", ALERT_PAYLOAD_MAX);
    read_resources(r, in, out);
    read_areas(r, in, number, out);
}

static void read_references(reader *r, const Kg__Alert *in, alert *out)
{
    out->references.items = list(r, in->n_references, ALERT_LIST_MAX, sizeof *out->references.items, "references");
    out->references.count = out->references.items != NULL ? in->n_references : 0;
    for (size_t i = 0; i < out->references.count; i++) {
        alert_ref *ref = &out->references.items[i];
        ref->sender = text(r, in->references[i]->sender, "reference's sender", ALERT_NAME_MAX);
        ref->identifier = some_text(r, in->references[i]->identifier, "reference's identifier", ALERT_NAME_MAX);
        ref->sent_ms = moment(r, in->references[i]->sent_ms, "reference's time");
    }
}

/* Keng's own part: the scales, the codes worst hit and where the original is. */
static void read_scales(reader *r, const Kg__Alert *in, alert *out)
{
    out->agency = text(r, in->agency, "agency", ALERT_NAME_MAX);
    out->sector = text(r, in->sector, "sector", ALERT_NAME_MAX);
    out->bulletin_class = (bulletin_class)below(r, in->bulletin_class, CLASS_COUNT, "class");
    out->risk_level = below(r, in->risk_level, ALERT_RISK_LEVELS + 1, "risk level");
    out->civil_defence_level = below(r, in->civil_defence_level, ALERT_CIVIL_DEFENCE_LEVELS + 1, "civil-defence level");
    out->civil_defence_decision = text(r, in->civil_defence_decision, "civil-defence decision", ALERT_NAME_MAX);
    out->phase = below(r, in->phase, ALERT_PHASES + 1, "phase");
    out->emergency_instrument = text(r, in->emergency_instrument, "emergency instrument", ALERT_NAME_MAX);
    out->first_warning = in->first_warning != 0;
    out->next_bulletin_ms = moment(r, in->next_bulletin_ms, "next bulletin");
    out->worst_hit = texts(r, in->worst_hit, in->n_worst_hit, "worst hit");
    for (size_t i = 0; i < out->worst_hit.count && r->e == KG_OK; i++) {
        const char *code = out->worst_hit.items[i];
        if (strlen(code) != COMMUNE_DIGITS || strspn(code, "0123456789") != COMMUNE_DIGITS) {
            refuse(r, KG_E_INVALID, "worst hit", "has an entry that is not a commune code of five digits");
        }
    }
    out->expires_ms = moment(r, in->expires_ms, "expires");
    out->hold = text(r, in->hold, "hold", ALERT_PAYLOAD_MAX);
    out->has_source = hash(r, in->source_hash, "hash of the original", &out->source_hash);
    if (in->source_bytes > ALERT_PAYLOAD_MAX || (in->source_bytes != 0) != out->has_source) {
        refuse(r, KG_E_INVALID, "size of the original", "does not fit its hash or the limit");
    }
    out->source_bytes = out->has_source ? in->source_bytes : 0;
}

static void read_alert(reader *r, const Kg__Alert *in, alert *out)
{
    out->identifier = some_text(r, in->identifier, "identifier", ALERT_NAME_MAX);
    out->sender = some_text(r, in->sender, "sender", ALERT_NAME_MAX);
    out->sent_ms = moment(r, in->sent_ms, "sent");
    if (out->sent_ms == 0) {
        refuse(r, KG_E_INVALID, "sent", "is missing");
    }
    out->sent_offset_min = zone(r, in->sent_offset_min, "sent");
    out->status = (cap_status)below(r, in->status, CAP_STATUS_COUNT, "status");
    out->msg_type = (cap_msg_type)below(r, in->msg_type, CAP_MSG_TYPE_COUNT, "message type");
    out->scope = (cap_scope)below(r, in->scope, CAP_SCOPE_COUNT, "scope");
    out->source = text(r, in->source, "source", ALERT_PAYLOAD_MAX);
    out->restriction = text(r, in->restriction, "restriction", ALERT_PAYLOAD_MAX);
    out->addresses = texts(r, in->addresses, in->n_addresses, "addresses");
    out->codes = texts(r, in->codes, in->n_codes, "codes");
    out->note = text(r, in->note, "note", ALERT_PAYLOAD_MAX);
    read_references(r, in, out);
    out->incidents = texts(r, in->incidents, in->n_incidents, "incidents");
    read_scales(r, in, out);
    out->infos.items = list(r, in->n_infos, ALERT_INFOS_MAX, sizeof *out->infos.items, "infos");
    out->infos.count = out->infos.items != NULL ? in->n_infos : 0;
    for (size_t i = 0; i < out->infos.count && r->e == KG_OK; i++) {
        read_info(r, in->infos[i], i + 1, &out->infos.items[i]);
    }
}

kg_err alert_unpack_draft(const void *bytes, size_t n, alert *out, kg_diag *diag)
{
    if (n > ALERT_PAYLOAD_MAX) {
        return kg_fail(diag, KG_E_LIMIT, "alert: %zu bytes are more than %d", n, ALERT_PAYLOAD_MAX);
    }
    kg_arena heap = {.max = HEAP_MAX};
    ProtobufCAllocator from = arena_allocator(&heap);
    const Kg__Alert *w = kg__alert__unpack(&from, n, bytes);
    if (w == NULL) {
        kg_arena_done(&heap);
        return kg_fail(diag, KG_E_INVALID, "alert: the bytes are not an alert, or one of far too many parts");
    }
    alert a;
    alert_init(&a);
    reader r = {.mem = &a.mem, .diag = diag};
    read_alert(&r, w, &a);
    kg_arena_done(&heap);
    if (r.e != KG_OK) {
        alert_done(&a);
        return r.e;
    }
    *out = a;
    return KG_OK;
}

kg_err alert_unpack(const void *bytes, size_t n, alert *out, kg_diag *diag)
{
    alert a;
    const kg_err e = alert_unpack_draft(bytes, n, &a, diag);
    if (e != KG_OK) {
        return e;
    }
    if (a.expires_ms == 0) {
        alert_done(&a);
        return kg_fail(diag, KG_E_INVALID, "alert: expires is missing; a signed alert always says when it ends");
    }
    *out = a;
    return KG_OK;
}

static kg_err read_signed(const Kg__Signed *w, signed_view *out, kg_diag *diag)
{
    if (w->kind > UINT8_MAX) {
        return kg_fail(diag, KG_E_INVALID, "signed message: kind %u is unknown", w->kind);
    }
    if (w->payload.len == 0 || w->payload.len > ALERT_PAYLOAD_MAX) {
        return kg_fail(diag, KG_E_INVALID, "signed message: the payload is empty or over %d bytes", ALERT_PAYLOAD_MAX);
    }
    if (w->n_signatures == 0 || w->n_signatures > SIGNED_SIGNATURES_MAX) {
        return kg_fail(diag, KG_E_INVALID, "signed message: it carries %zu signatures, not 1 to %d", w->n_signatures,
                       SIGNED_SIGNATURES_MAX);
    }
    for (size_t i = 0; i < w->n_signatures; i++) {
        const Kg__Signature *s = w->signatures[i];
        if (s->key.len != SIGNED_KEY_BYTES || s->signature.len != SIGNED_SIG_BYTES) {
            return kg_fail(diag, KG_E_INVALID, "signed message: signature %zu has a wrong length", i + 1);
        }
        memcpy(out->signatures[i].key, s->key.data, SIGNED_KEY_BYTES);
        memcpy(out->signatures[i].sig, s->signature.data, SIGNED_SIG_BYTES);
    }
    out->kind = w->kind;
    out->payload = w->payload.data;
    out->payload_len = w->payload.len;
    out->signature_count = w->n_signatures;
    return KG_OK;
}

kg_err signed_open(const void *bytes, size_t n, signed_view *out, kg_diag *diag)
{
    if (n > SIGNED_BYTES_MAX) {
        return kg_fail(diag, KG_E_LIMIT, "signed message: %zu bytes are more than %d", n, SIGNED_BYTES_MAX);
    }
    signed_view v = {.mem = {.max = HEAP_MAX}};
    ProtobufCAllocator from = arena_allocator(&v.mem);
    const Kg__Signed *w = kg__signed__unpack(&from, n, bytes);
    const kg_err e = w != NULL ? read_signed(w, &v, diag)
                               : kg_fail(diag, KG_E_INVALID, "signed message: the bytes are not a signed message");
    if (e != KG_OK) {
        signed_done(&v);
        return e;
    }
    *out = v; /* the payload lies in v.mem, which protobuf-c unpacked into */
    return KG_OK;
}

void signed_done(signed_view *v)
{
    if (v == NULL) {
        return;
    }
    kg_arena_done(&v->mem);
    memset(v, 0, sizeof *v);
}
