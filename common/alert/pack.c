#include "alert/pack.h"

#include <string.h>

#include "alert.pb-c.h"

/* What one message needs of protobuf's structs: pointers into the alert, arrays in mem. */
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

/* protobuf-c has no const in its structs; packing only reads. */
static uint8_t *readable(const void *bytes)
{
    return (uint8_t *)(uintptr_t)bytes;
}

static ProtobufCBinaryData lend(const char *s)
{
    return (ProtobufCBinaryData){.len = strlen(s), .data = readable(s)};
}

static ProtobufCBinaryData lend_hash(const alert_hash *h)
{
    return (ProtobufCBinaryData){.len = sizeof h->b, .data = readable(h->b)};
}

static ProtobufCBinaryData *put_texts(packer *p, const alert_texts *t, size_t *count)
{
    ProtobufCBinaryData *out = array(p, t->count, sizeof *out);
    *count = out != NULL ? t->count : 0;
    for (size_t i = 0; i < *count; i++) {
        out[i] = lend(t->items[i]);
    }
    return out;
}

static uint32_t *put_bits(packer *p, uint32_t bits, size_t *count)
{
    uint32_t *out = array(p, 32, sizeof *out);
    *count = 0;
    for (uint32_t i = 0; out != NULL && i < 32; i++) {
        if ((bits & (1U << i)) != 0) {
            out[(*count)++] = i;
        }
    }
    return out;
}

static Kg__Pair **put_pairs(packer *p, const alert_pairs *pairs, size_t *count)
{
    Kg__Pair **out = array(p, pairs->count, sizeof *out);
    Kg__Pair *items = array(p, pairs->count, sizeof *items);
    *count = p->failed ? 0 : pairs->count;
    for (size_t i = 0; i < *count; i++) {
        kg__pair__init(&items[i]);
        items[i].name = lend(pairs->items[i].name);
        items[i].value = lend(pairs->items[i].value);
        out[i] = &items[i];
    }
    return out;
}

static Kg__Reference **put_references(packer *p, const alert_refs *refs, size_t *count)
{
    Kg__Reference **out = array(p, refs->count, sizeof *out);
    Kg__Reference *items = array(p, refs->count, sizeof *items);
    *count = p->failed ? 0 : refs->count;
    for (size_t i = 0; i < *count; i++) {
        kg__reference__init(&items[i]);
        items[i].sender = lend(refs->items[i].sender);
        items[i].identifier = lend(refs->items[i].identifier);
        items[i].sent_ms = refs->items[i].sent_ms;
        out[i] = &items[i];
    }
    return out;
}

static Kg__Resource **put_resources(packer *p, const alert_info *info, size_t *count)
{
    const size_t n = info->resources.count;
    Kg__Resource **out = array(p, n, sizeof *out);
    Kg__Resource *items = array(p, n, sizeof *items);
    *count = p->failed ? 0 : n;
    for (size_t i = 0; i < *count; i++) {
        const alert_resource *r = &info->resources.items[i];
        kg__resource__init(&items[i]);
        items[i].description = lend(r->description);
        items[i].mime_type = lend(r->mime_type);
        items[i].size = r->size;
        items[i].uri = lend(r->uri);
        items[i].digest = lend(r->digest);
        if (r->carried) {
            items[i].hash = lend_hash(&r->hash);
        }
        out[i] = &items[i];
    }
    return out;
}

static Kg__Area **put_areas(packer *p, const alert_info *info, size_t *count)
{
    const size_t n = info->areas.count;
    Kg__Area **out = array(p, n, sizeof *out);
    Kg__Area *items = array(p, n, sizeof *items);
    *count = p->failed ? 0 : n;
    for (size_t i = 0; i < *count; i++) {
        const alert_area *a = &info->areas.items[i];
        kg__area__init(&items[i]);
        items[i].description = lend(a->description);
        items[i].polygons = put_texts(p, &a->polygons, &items[i].n_polygons);
        items[i].circles = put_texts(p, &a->circles, &items[i].n_circles);
        items[i].geocodes = put_pairs(p, &a->geocodes, &items[i].n_geocodes);
        items[i].altitude = lend(a->altitude);
        items[i].ceiling = lend(a->ceiling);
        out[i] = &items[i];
    }
    return out;
}

static void put_info(packer *p, const alert_info *in, Kg__Info *out)
{
    kg__info__init(out);
    out->language = lend(in->language);
    out->categories = put_bits(p, in->categories, &out->n_categories);
    out->event = lend(in->event);
    out->responses = put_bits(p, in->responses, &out->n_responses);
    out->urgency = in->urgency;
    out->severity = in->severity;
    out->certainty = in->certainty;
    out->audience = lend(in->audience);
    out->event_codes = put_pairs(p, &in->event_codes, &out->n_event_codes);
    out->effective_ms = in->effective_ms;
    out->onset_ms = in->onset_ms;
    out->expires_ms = in->expires_ms;
    out->effective_offset_min = in->effective_offset_min;
    out->onset_offset_min = in->onset_offset_min;
    out->expires_offset_min = in->expires_offset_min;
    out->sender_name = lend(in->sender_name);
    out->headline = lend(in->headline);
    out->description = lend(in->description);
    out->instruction = lend(in->instruction);
    out->web = lend(in->web);
    out->contact = lend(in->contact);
    out->parameters = put_pairs(p, &in->parameters, &out->n_parameters);
    out->resources = put_resources(p, in, &out->n_resources);
    out->areas = put_areas(p, in, &out->n_areas);
    out->sms = lend(in->sms);
    out->sms_accented = lend(in->sms_accented);
    out->speech = lend(in->speech);
    out->crawl = lend(in->crawl);
}

static Kg__Info **put_infos(packer *p, const alert *a, size_t *count)
{
    Kg__Info **out = array(p, a->infos.count, sizeof *out);
    Kg__Info *items = array(p, a->infos.count, sizeof *items);
    *count = p->failed ? 0 : a->infos.count;
    for (size_t i = 0; i < *count; i++) {
        put_info(p, &a->infos.items[i], &items[i]);
        out[i] = &items[i];
    }
    return out;
}

static void put_alert(packer *p, const alert *in, Kg__Alert *out)
{
    kg__alert__init(out);
    out->identifier = lend(in->identifier);
    out->sender = lend(in->sender);
    out->sent_ms = in->sent_ms;
    out->sent_offset_min = in->sent_offset_min;
    out->status = in->status;
    out->msg_type = in->msg_type;
    out->scope = in->scope;
    out->source = lend(in->source);
    out->restriction = lend(in->restriction);
    out->addresses = put_texts(p, &in->addresses, &out->n_addresses);
    out->codes = put_texts(p, &in->codes, &out->n_codes);
    out->note = lend(in->note);
    out->references = put_references(p, &in->references, &out->n_references);
    out->incidents = put_texts(p, &in->incidents, &out->n_incidents);
    out->infos = put_infos(p, in, &out->n_infos);
    out->agency = lend(in->agency);
    out->sector = lend(in->sector);
    out->bulletin_class = in->bulletin_class;
    out->risk_level = in->risk_level;
    out->civil_defence_level = in->civil_defence_level;
    out->civil_defence_decision = lend(in->civil_defence_decision);
    out->phase = in->phase;
    out->emergency_instrument = lend(in->emergency_instrument);
    out->first_warning = in->first_warning;
    out->next_bulletin_ms = in->next_bulletin_ms;
    out->worst_hit = put_texts(p, &in->worst_hit, &out->n_worst_hit);
    out->expires_ms = in->expires_ms;
    out->hold = lend(in->hold);
    if (in->has_source) {
        out->source_hash = lend_hash(&in->source_hash);
        out->source_bytes = in->source_bytes;
    }
}

kg_err alert_pack(const alert *a, kg_buf *out)
{
    packer p = {0};
    Kg__Alert w;
    put_alert(&p, a, &w);
    kg_err e = p.failed ? KG_E_NOMEM : KG_OK;
    const size_t n = e == KG_OK ? kg__alert__get_packed_size(&w) : 0;
    if (n > ALERT_PAYLOAD_MAX) {
        e = KG_E_LIMIT;
    }
    if (e == KG_OK) {
        e = kg_buf_reserve(out, n);
    }
    if (e == KG_OK && n > 0) {
        (void)kg__alert__pack(&w, (uint8_t *)out->s + out->len);
        out->len += n;
        out->s[out->len] = '\0';
    }
    kg_arena_done(&p.mem);
    return e;
}

kg_err signed_pack(const signed_view *v, kg_buf *out)
{
    Kg__Signature items[SIGNED_SIGNATURES_MAX];
    Kg__Signature *list[SIGNED_SIGNATURES_MAX];
    if (v->signature_count > SIGNED_SIGNATURES_MAX || v->payload_len > ALERT_PAYLOAD_MAX) {
        return KG_E_LIMIT;
    }
    for (size_t i = 0; i < v->signature_count; i++) {
        kg__signature__init(&items[i]);
        items[i].key = (ProtobufCBinaryData){SIGNED_KEY_BYTES, readable(v->signatures[i].key)};
        items[i].signature = (ProtobufCBinaryData){SIGNED_SIG_BYTES, readable(v->signatures[i].sig)};
        list[i] = &items[i];
    }
    Kg__Signed w;
    kg__signed__init(&w);
    w.kind = v->kind;
    w.payload = (ProtobufCBinaryData){v->payload_len, readable(v->payload)};
    w.n_signatures = v->signature_count;
    w.signatures = list;
    const size_t n = kg__signed__get_packed_size(&w);
    const kg_err e = kg_buf_reserve(out, n);
    if (e == KG_OK && n > 0) {
        (void)kg__signed__pack(&w, (uint8_t *)out->s + out->len);
        out->len += n;
        out->s[out->len] = '\0';
    }
    return e;
}
