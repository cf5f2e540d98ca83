#include "tests/peer/routerpeer_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/pack.h"
#include "areas/areas.h"
#include "base/clock.h"
#include "base/file.h"

enum { PATH_MAX_HERE = 1024 };

static const char communes[] = "code\tname\tkind\tprovince\tvalid_from\tvalid_until\tsuccessor\n"
                               "28756\tPhú Khương\tphường\t86\t2025-07-01\t\t\n"
                               "28777\tAn Hội\tphường\t86\t2025-07-01\t\t\n";

static kg_err key_at(const char *dir, const char *name, key_use use, secret_key **out, kg_diag *diag)
{
    char path[PATH_MAX_HERE];
    (void)snprintf(path, sizeof path, "%s/%s.key", dir, name);
    kg_err e = secret_load(path, out, diag);
    if (e == KG_E_NOTFOUND) {
        e = secret_new(use, out, diag);
        if (e == KG_OK) {
            e = secret_save(*out, path, diag);
        }
    }
    return e;
}

static kg_err write_at(const char *dir, const char *name, const void *bytes, size_t n, kg_diag *diag)
{
    char path[PATH_MAX_HERE];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    return kg_file_replace(path, bytes, n, 0600, diag);
}

static kg_err write_manifest(const peer_world *w, kg_diag *diag)
{
    static const char *province[] = {"86"};
    static const char *any[] = {"*"};
    const int64_t now_ms = kg_clock_wall_ms();
    const int64_t day_ms = 24 * 3600 * 1000;
    const key_entry rows[] = {
        {.use = KEY_SIGN_ACTUAL,
         .key = secret_public(w->agency),
         .holder = "Bà An",
         .agency = "so-y-te",
         .areas = {province, 1},
         .sectors = {any, 1},
         .class_max = CLASS_URGENT},
        {.use = KEY_CONNECT, .key = secret_public(w->router), .holder = "router", .agency = "", .role = ROLE_ROUTER},
        {.use = KEY_CONNECT,
         .key = secret_public(w->sink),
         .holder = "sink",
         .agency = "",
         .role = ROLE_SINK,
         .stations = {any, 1}},
        {.use = KEY_CONNECT,
         .key = secret_public(w->operator_key),
         .holder = "operator",
         .agency = "",
         .role = ROLE_OPERATOR},
    };
    kg_buf out = {0};
    kg_err e = manifest_make((uint64_t)now_ms, now_ms - day_ms, now_ms + day_ms, rows, sizeof rows / sizeof rows[0],
                             w->root, &out, diag);
    if (e == KG_OK) {
        e = write_at(w->dir, "manifest", out.s, out.len, diag);
    }
    kg_buf_done(&out);
    return e;
}

kg_err peer_world_open(const char *dir, peer_world *out, kg_diag *diag)
{
    *out = (peer_world){.dir = dir};
    kg_err e = trust_start(diag);
    const struct {
        const char *name;
        key_use use;
        secret_key **key;
    } keys[] = {
        {"root", KEY_SIGN_ACTUAL, &out->root},         {"agency", KEY_SIGN_ACTUAL, &out->agency},
        {"router", KEY_CONNECT, &out->router},         {"sink", KEY_CONNECT, &out->sink},
        {"operator", KEY_CONNECT, &out->operator_key},
    };
    for (size_t i = 0; e == KG_OK && i < sizeof keys / sizeof keys[0]; i++) {
        e = key_at(dir, keys[i].name, keys[i].use, keys[i].key, diag);
    }
    if (e == KG_OK) {
        e = write_manifest(out, diag);
    }
    return e == KG_OK ? write_at(dir, "communes.tsv", communes, sizeof communes - 1, diag) : e;
}

void peer_world_close(peer_world *w)
{
    secret_free(&w->root);
    secret_free(&w->agency);
    secret_free(&w->router);
    secret_free(&w->sink);
    secret_free(&w->operator_key);
}

static kg_err sign(const peer_world *w, const alert *a, kg_buf *out)
{
    kg_buf payload = {0};
    kg_err e = alert_pack(a, &payload);
    signed_view v = {.kind = TRUST_ALERT, .signature_count = 1};
    if (e == KG_OK) {
        const public_key key = secret_public(w->agency);
        v.payload = (const uint8_t *)payload.s;
        v.payload_len = payload.len;
        memcpy(v.signatures[0].key, key.b, KEY_BYTES);
        e = trust_sign(w->agency, TRUST_ALERT, payload.s, payload.len, v.signatures[0].sig);
    }
    if (e == KG_OK) {
        e = signed_pack(&v, out);
    }
    kg_buf_done(&payload);
    return e;
}

static const char *padded(alert *a, size_t n)
{
    char *text = kg_arena_alloc(&a->mem, n + 1);
    if (text == NULL) {
        return "";
    }
    memset(text, 'a', n);
    text[n] = '\0';
    return text;
}

kg_err peer_alert_make(const peer_world *w, const peer_alert_words *words, peer_alert *out)
{
    alert a;
    alert_ref ref;
    alert_pair code = {AREAS_PROVINCE, "86"};
    alert_area area = {.description = "Vĩnh Long", .geocodes = {&code, 1}, .altitude = "", .ceiling = ""};
    alert_info info = {.language = "vi-VN",
                       .categories = 1U << CAP_HEALTH,
                       .event = "Thử",
                       .urgency = CAP_URGENCY_IMMEDIATE,
                       .severity = CAP_SEVERITY_SEVERE,
                       .certainty = CAP_CERTAINTY_OBSERVED,
                       .headline = words->name,
                       .instruction = "Theo dõi.",
                       .areas = {&area, 1}};
    info.audience = info.sender_name = info.web = info.contact = "";
    info.sms = info.sms_accented = info.speech = info.crawl = "";
    alert_init(&a);
    info.description = padded(&a, words->padding);
    info.expires_ms = words->ends_ms;
    a.identifier = words->name;
    a.sender = "soyte@vinhlong.gov.vn";
    a.sent_ms = words->sent_ms;
    a.sent_offset_min = KG_VN_OFFSET_MIN;
    a.status = CAP_ACTUAL;
    a.msg_type = words->type;
    a.agency = "so-y-te";
    a.sector = "health";
    a.bulletin_class = words->class;
    a.expires_ms = words->ends_ms;
    a.infos.items = &info;
    a.infos.count = 1;
    if (words->references != NULL) {
        ref = (alert_ref){a.sender, words->references, words->sent_ms};
        a.references.items = &ref;
        a.references.count = 1;
    }
    (void)snprintf(out->name, sizeof out->name, "%s", words->name);
    out->id = alert_own_id(&a);
    out->class = words->class;
    const kg_err e = sign(w, &a, &out->bytes);
    if (e == KG_OK) {
        out->hash = alert_hash_of(out->bytes.s, out->bytes.len);
    }
    alert_done(&a);
    return e;
}
