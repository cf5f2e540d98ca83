#include "author.h"

#include <stdio.h>
#include <string.h>

#include "alert/pack.h"
#include "base/clock.h"
#include "base/file.h"
#include "cap/sniff.h"
#include "endings.h"
#include "policy/route.h"
#include "trust/verify.h"

kg_err author_class(const publisher_config *c, alert *a, kg_diag *diag)
{
    if (cap_states(a, "CAP-VN:class")) {
        return KG_OK;
    }
    if (c->class_or[0] == '\0') {
        return kg_fail(diag, KG_E_INVALID,
                       "no bulletin class: add the parameter CAP-VN:class (routine, priority, urgent) to each info, or "
                       "set defaults.class in publisher.yaml; it is never guessed from severity");
    }
    a->bulletin_class = (bulletin_class)bulletin_class_read(c->class_or);
    return KG_OK;
}

static kg_err complete_owner(const publisher_config *c, alert *a, kg_diag *diag)
{
    if (a->agency[0] == '\0') {
        a->agency = kg_arena_str(&a->mem, c->agency);
    }
    if (a->sector[0] == '\0') {
        a->sector = kg_arena_str(&a->mem, c->sector_or);
    }
    if (a->agency == NULL || a->sector == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory");
    }
    if (strcmp(a->agency, c->agency) != 0) {
        return kg_fail(diag, KG_E_DENIED, "the document is of agency \"%s\", this publisher speaks for \"%s\"",
                       a->agency, c->agency);
    }
    if (a->sector[0] == '\0') {
        return kg_fail(diag, KG_E_INVALID,
                       "no sector: add the parameter CAP-VN:sector, or set defaults.sector in publisher.yaml");
    }
    return KG_OK;
}

/* A stated end is kept, however long; a missing one gets the publisher's default, at most 24 hours. */
static kg_err complete_end(const publisher_config *c, alert *a, int64_t now_ms, kg_diag *diag)
{
    const int64_t default_end = a->sent_ms + (int64_t)c->ttl_min * 60000;
    for (size_t i = 0; i < a->infos.count; i++) {
        alert_info *info = &a->infos.items[i];
        if (info->expires_ms == 0) {
            info->expires_ms = default_end;
            info->expires_offset_min = a->sent_offset_min;
        }
    }
    a->expires_ms = a->infos.count > 0 ? alert_latest_end(a) : default_end;
    if (a->expires_ms <= now_ms) {
        char end[KG_TIME_TEXT_MAX];
        kg_time_text(a->expires_ms, KG_VN_OFFSET_MIN, end);
        return kg_fail(diag, KG_E_EXPIRED, "it is over since %s; write a new one with a later `expires`", end);
    }
    return KG_OK;
}

static kg_err check_kind(const alert *a, kg_diag *diag)
{
    if (a->msg_type == CAP_ACK || a->msg_type == CAP_ERROR) {
        return kg_fail(diag, KG_E_INVALID, "msgType %s is for machines; nothing is sent out",
                       cap_msg_type_text(a->msg_type));
    }
    if (a->status == CAP_DRAFT || a->status == CAP_SYSTEM) {
        return kg_fail(diag, KG_E_INVALID, "status %s is not for people; write Actual, Exercise or Test",
                       cap_status_text(a->status));
    }
    return KG_OK;
}

static kg_err check_content(const publisher_config *c, alert *a, kg_diag *diag)
{
    area_set set = {0};
    kg_diag gaps = {{0}};
    const kg_err e = areas_resolve(c->areas, a, &set, &gaps);
    area_set_done(&set);
    if (e != KG_OK) {
        return kg_fail(diag, e, "%s", gaps.text);
    }
    if (areas_describe(c->areas, a) != KG_OK) {
        return kg_fail(diag, KG_E_NOMEM, "no memory");
    }
    const char *missing = route_missing_content(a, &a->mem);
    if (missing != NULL) {
        return kg_fail(diag, KG_E_INVALID,
                       "missing what Law 18/2023 Art. 6 asks for: %s; add it, or mark a first warning "
                       "(CAP-VN:first-warning, first_warning: true)",
                       missing);
    }
    return KG_OK;
}

static kg_err keep_blob(authored *w, const void *bytes, size_t n, alert_hash *hash, kg_diag *diag)
{
    if (w->blob_count == AUTHOR_BLOBS_MAX) {
        return kg_fail(diag, KG_E_LIMIT, "more than %d recordings", AUTHOR_BLOBS_MAX - 1);
    }
    const void *copy = kg_arena_strn(&w->mem, bytes, n);
    if (copy == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for %zu bytes", n);
    }
    *hash = alert_hash_of(bytes, n);
    w->blobs[w->blob_count++] = (outbox_blob){.hash = *hash, .bytes = copy, .n = n};
    return KG_OK;
}

/* A recording named by a file path (no scheme) is carried by Keng; a URI stays a URI and is never fetched here. */
static kg_err take_recording(alert_resource *r, const char *folder, authored *w, kg_diag *diag)
{
    if (r->carried || r->uri[0] == '\0' || strchr(r->uri, ':') != NULL || strncmp(r->mime_type, "audio/", 6) != 0) {
        return KG_OK;
    }
    char path[4096];
    const bool absolute = r->uri[0] == '/' || folder == NULL;
    const int n =
        absolute ? snprintf(path, sizeof path, "%s", r->uri) : snprintf(path, sizeof path, "%s/%s", folder, r->uri);
    if (n < 0 || (size_t)n >= sizeof path) {
        return kg_fail(diag, KG_E_LIMIT, "%s: path is too long", r->uri);
    }
    kg_buf bytes = {0};
    kg_err e = kg_file_read(path, PUBLISHER_BLOB_MAX, &bytes, diag);
    if (e == KG_OK) {
        r->size = bytes.len;
        e = keep_blob(w, kg_buf_str(&bytes), bytes.len, &r->hash, diag);
        r->carried = e == KG_OK;
        r->uri = "";
    }
    kg_buf_done(&bytes);
    return e;
}

static kg_err take_blobs(alert *a, const kg_buf *source, const char *folder, authored *w, kg_diag *diag)
{
    kg_err e = KG_OK;
    if (source != NULL) {
        e = keep_blob(w, source->s, source->len, &a->source_hash, diag);
        a->has_source = e == KG_OK;
        a->source_bytes = source->len;
    }
    for (size_t i = 0; i < a->infos.count; i++) {
        for (size_t k = 0; k < a->infos.items[i].resources.count && e == KG_OK; k++) {
            e = take_recording(&a->infos.items[i].resources.items[k], folder, w, diag);
        }
    }
    return e;
}

static kg_err sign_one(const publisher_config *c, const alert *a, kg_buf *out, kg_diag *diag)
{
    kg_buf payload = {0};
    kg_err e = alert_pack(a, &payload);
    if (e != KG_OK) {
        kg_buf_done(&payload);
        return kg_fail(diag, e, "the alert cannot be packed: larger than %d bytes, or a list too long",
                       ALERT_PAYLOAD_MAX);
    }
    signed_view v = {.kind = TRUST_ALERT, .payload = (const uint8_t *)payload.s, .payload_len = payload.len};
    const public_key own = secret_public(c->sign_key);
    memcpy(v.signatures[0].key, own.b, sizeof own.b);
    v.signature_count = 1;
    e = trust_sign(c->sign_key, TRUST_ALERT, payload.s, payload.len, v.signatures[0].sig);
    if (e == KG_OK) {
        e = signed_pack(&v, out);
    }
    kg_buf_done(&payload);
    return e == KG_OK ? KG_OK : kg_fail(diag, e, "cannot sign");
}

/* The router's and the sinks' own check, so that a refusal is heard here first. */
static kg_err check_right(const publisher_config *c, const kg_buf *bytes, int64_t now_ms, kg_diag *diag)
{
    alert copy;
    const key_entry *signer = NULL;
    kg_diag why = {{0}};
    const refusal r = verify_signed(bytes->s, bytes->len, c->manifest, c->areas, now_ms, &copy, &signer, &why);
    if (r != REFUSAL_NONE) {
        return kg_fail(diag, KG_E_DENIED, "%s: %s (%s)", refusal_code(r), why.text, refusal_vi(r));
    }
    alert_done(&copy);
    return KG_OK;
}

static kg_err sign_endings(const publisher_config *c, const alert *a, authored *w, kg_diag *diag)
{
    if (a->msg_type == CAP_CANCEL) {
        return KG_OK;
    }
    for (int d = 0; d < DRAFT_COUNT; d++) {
        alert ending;
        kg_err e = endings_draft(a, (outbox_draft)d, &ending, diag);
        if (e == KG_OK) {
            e = sign_one(c, &ending, &w->drafts[d], diag);
            alert_done(&ending);
        }
        if (e != KG_OK) {
            return e;
        }
    }
    return KG_OK;
}

kg_err author_sign(const publisher_config *c, alert *a, const kg_buf *source, const char *folder, int64_t now_ms,
                   authored *out, kg_diag *diag)
{
    authored w = {0};
    kg_err e = check_kind(a, diag);
    if (e == KG_OK) {
        e = complete_owner(c, a, diag);
    }
    if (e == KG_OK) {
        e = complete_end(c, a, now_ms, diag);
    }
    if (e == KG_OK) {
        e = check_content(c, a, diag);
    }
    if (e == KG_OK) {
        e = take_blobs(a, source, folder, &w, diag);
    }
    if (e == KG_OK) {
        e = sign_one(c, a, &w.signed_bytes, diag);
    }
    if (e == KG_OK) {
        e = check_right(c, &w.signed_bytes, now_ms, diag);
    }
    if (e == KG_OK) {
        e = sign_endings(c, a, &w, diag);
    }
    if (e != KG_OK) {
        authored_done(&w);
        return e;
    }
    w.row = (outbox_row){
        .id = alert_own_id(a),
        .hash = alert_hash_of(w.signed_bytes.s, w.signed_bytes.len),
        .state = OUTBOX_WAITING,
        .class = (uint8_t)a->bulletin_class,
        .signed_ms = now_ms,
        .expires_ms = a->expires_ms,
    };
    *out = w;
    return KG_OK;
}

void authored_done(authored *w)
{
    if (w == NULL) {
        return;
    }
    kg_buf_done(&w->signed_bytes);
    for (int d = 0; d < DRAFT_COUNT; d++) {
        kg_buf_done(&w->drafts[d]);
    }
    kg_arena_done(&w->mem);
    *w = (authored){0};
}
