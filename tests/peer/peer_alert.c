#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/pack.h"
#include "base/clock.h"
#include "peer_own.h"

static void *need(const peer_world *w, void *p)
{
    if (p == NULL) {
        peer_die(w, "no memory for an alert");
    }
    return p;
}

static void fill_info(const peer_world *w, const peer_spec *spec, alert *a)
{
    alert_info *info = need(w, kg_arena_array(&a->mem, 1, sizeof *info));
    alert_area *area = need(w, kg_arena_array(&a->mem, 1, sizeof *area));
    alert_pair *code = need(w, kg_arena_array(&a->mem, 1, sizeof *code));
    const char *value = spec->area != NULL ? spec->area : "86";
    *code = (alert_pair){strlen(value) == 2 ? AREAS_PROVINCE : AREAS_COMMUNE, value};
    *area = (alert_area){.description = "Nơi thử", .geocodes = {code, 1}, .altitude = "", .ceiling = ""};
    *info = (alert_info){.language = "vi-VN",
                         .categories = 1u << CAP_HEALTH,
                         .event = "Dịch bệnh",
                         .responses = 1u << CAP_PREPARE,
                         .urgency = CAP_URGENCY_IMMEDIATE,
                         .severity = CAP_SEVERITY_SEVERE,
                         .certainty = CAP_CERTAINTY_OBSERVED,
                         .audience = "",
                         .onset_ms = a->sent_ms,
                         .onset_offset_min = 420,
                         .expires_ms = a->expires_ms,
                         .expires_offset_min = 420,
                         .sender_name = "Sở Y tế",
                         .headline = "Cảnh báo thử",
                         .instruction = "Đun sôi nước trước khi uống.",
                         .web = "",
                         .contact = "",
                         .areas = {area, 1},
                         .sms = "",
                         .sms_accented = "",
                         .speech = "",
                         .crawl = ""};
    static const char words[] = "Dự báo tình hình còn kéo dài. ";
    char *text = need(w, kg_arena_alloc(&a->mem, sizeof words + spec->extra_bytes + 1));
    memcpy(text, words, sizeof words - 1);
    memset(text + sizeof words - 1, 'a', spec->extra_bytes);
    info->description = text;
    a->infos.items = info;
    a->infos.count = 1;
}

static void sign(const peer_world *w, const alert *a, const peer_who *who, size_t count, kg_buf *out)
{
    kg_buf payload = {.max = ALERT_PAYLOAD_MAX};
    peer_need(w, alert_pack(a, &payload), NULL, "alert_pack");
    signed_view v = {.kind = TRUST_ALERT,
                     .payload = (const uint8_t *)payload.s,
                     .payload_len = payload.len,
                     .signature_count = count};
    for (size_t i = 0; i < count; i++) {
        const public_key open = secret_public(w->keys[who[i]]);
        memcpy(v.signatures[i].key, open.b, KEY_BYTES);
        peer_need(w, trust_sign(w->keys[who[i]], TRUST_ALERT, payload.s, payload.len, v.signatures[i].sig), NULL,
                  "trust_sign");
    }
    peer_need(w, signed_pack(&v, out), NULL, "signed_pack");
    kg_buf_done(&payload);
}

void peer_alert_new(peer_world *world, const peer_spec *spec, const peer_who *who, size_t count, peer_alert *out)
{
    *out = (peer_alert){0};
    alert a;
    alert_init(&a);
    if (spec->identifier != NULL) {
        (void)snprintf(out->identifier, sizeof out->identifier, "%s", spec->identifier);
    } else {
        (void)snprintf(out->identifier, sizeof out->identifier, "thu-%llu",
                       (unsigned long long)++world->next_identifier);
    }
    a.identifier = out->identifier;
    a.sender = "soyte@vinhlong.example";
    a.sent_ms = (spec->sent_ms != 0 ? spec->sent_ms : kg_clock_wall_ms()) / 1000 * 1000;
    a.sent_offset_min = 420;
    a.status = spec->status;
    a.msg_type = spec->msg_type;
    a.scope = CAP_PUBLIC;
    a.agency = spec->agency != NULL ? spec->agency : "so-y-te";
    a.sector = spec->sector != NULL ? spec->sector : "health";
    a.bulletin_class = spec->class;
    a.expires_ms = (spec->sent_ms != 0 ? spec->sent_ms : kg_clock_wall_ms()) +
                   (spec->ttl_ms != 0 ? spec->ttl_ms : INT64_C(3600000));
    a.hold = spec->hold != NULL ? spec->hold : "";
    if (spec->reference_count > 0) {
        a.references.items = need(world, kg_arena_array(&a.mem, spec->reference_count, sizeof *a.references.items));
        memcpy(a.references.items, spec->references, spec->reference_count * sizeof *spec->references);
        a.references.count = spec->reference_count;
    }
    fill_info(world, spec, &a);
    sign(world, &a, who, count, &out->bytes);
    out->id = alert_own_id(&a);
    out->hash = alert_hash_of(out->bytes.s, out->bytes.len);
    out->ref = (alert_ref){.sender = "soyte@vinhlong.example", .identifier = out->identifier, .sent_ms = a.sent_ms};
    alert_done(&a);
}

void peer_alert_done(peer_alert *a)
{
    kg_buf_done(&a->bytes);
}
