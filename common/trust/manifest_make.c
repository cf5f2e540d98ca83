/* The writing half of manifest: what the holder of the root key does. */
#include <stdlib.h>
#include <string.h>

#include "alert/pack.h"
#include "manifest.pb-c.h"
#include "trust/manifest.h"

/* protobuf-c's fields are not const: everything is copied into the arena first. */
static bool put_text(kg_arena *mem, const char *s, ProtobufCBinaryData *out)
{
    const size_t n = s == NULL ? 0 : strlen(s);
    char *copy = kg_arena_strn(mem, n == 0 ? "" : s, n);
    out->data = (uint8_t *)copy;
    out->len = n;
    return copy != NULL;
}

static bool put_list(kg_arena *mem, const alert_texts *list, size_t *n, ProtobufCBinaryData **out)
{
    *n = list->count;
    *out = kg_arena_array(mem, list->count + 1, sizeof **out);
    bool good = *out != NULL;
    for (size_t i = 0; good && i < list->count; i++) {
        good = put_text(mem, list->items[i], &(*out)[i]);
    }
    return good;
}

static bool put_entry(kg_arena *mem, const key_entry *e, Kg__KeyEntry *w)
{
    kg__key_entry__init(w);
    w->use = (uint32_t)e->use;
    w->key.data = kg_arena_alloc(mem, KEY_BYTES);
    if (w->key.data == NULL) {
        return false;
    }
    memcpy(w->key.data, e->key.b, KEY_BYTES);
    w->key.len = KEY_BYTES;
    w->class_max = (uint32_t)e->class_max;
    w->first_warning = e->first_warning;
    w->role = (uint32_t)e->role;
    w->from_ms = e->from_ms;
    w->until_ms = e->until_ms;
    w->revoked_ms = e->revoked_ms;
    return put_text(mem, e->holder, &w->holder) && put_text(mem, e->agency, &w->agency) &&
           put_list(mem, &e->areas, &w->n_areas, &w->areas) && put_list(mem, &e->sectors, &w->n_sectors, &w->sectors) &&
           put_list(mem, &e->stations, &w->n_stations, &w->stations);
}

static bool put_entries(kg_arena *mem, const key_entry *entries, size_t count, Kg__Manifest *w)
{
    w->keys = kg_arena_array(mem, count + 1, sizeof(Kg__KeyEntry *));
    Kg__KeyEntry *rows = kg_arena_array(mem, count + 1, sizeof *rows);
    bool good = w->keys != NULL && rows != NULL;
    for (size_t i = 0; good && i < count; i++) {
        good = put_entry(mem, &entries[i], &rows[i]);
        w->keys[i] = &rows[i];
    }
    w->n_keys = count;
    return good;
}

static kg_err sign_payload(const secret_key *root, const uint8_t *payload, size_t n, kg_buf *out)
{
    signed_view v = {.kind = TRUST_MANIFEST, .payload = payload, .payload_len = n, .signature_count = 1};
    const public_key open = secret_public(root);
    memcpy(v.signatures[0].key, open.b, KEY_BYTES);
    const kg_err e = trust_sign(root, TRUST_MANIFEST, payload, n, v.signatures[0].sig);
    return e != KG_OK ? e : signed_pack(&v, out);
}

kg_err manifest_make(uint64_t version, int64_t from_ms, int64_t until_ms, const key_entry *entries, size_t count,
                     const secret_key *root, kg_buf *out, kg_diag *diag)
{
    if (secret_use(root) != KEY_SIGN_ACTUAL) {
        return kg_fail(diag, KG_E_INVALID, "a key manifest is signed with a signing key, not a %s key",
                       key_use_text(secret_use(root)));
    }
    kg_arena mem = {.max = 4 * (size_t)MANIFEST_BYTES_MAX};
    manifest *check = NULL;
    uint8_t *payload = NULL;
    const size_t start = out->len;
    Kg__Manifest w;
    kg__manifest__init(&w);
    w.version = version;
    w.from_ms = from_ms;
    w.until_ms = until_ms;
    kg_err e = KG_E_LIMIT;
    if (!put_entries(&mem, entries, count, &w)) {
        e = kg_fail(diag, KG_E_LIMIT, "key manifest: too large, or no memory");
        goto out;
    }
    const size_t n = kg__manifest__get_packed_size(&w);
    payload = malloc(n + 1);
    if (payload == NULL) {
        e = kg_fail(diag, KG_E_NOMEM, "key manifest: no memory");
        goto out;
    }
    (void)kg__manifest__pack(&w, payload);
    e = sign_payload(root, payload, n, out);
    if (e != KG_OK) {
        e = kg_fail(diag, e, "key manifest: it could not be signed");
        goto out;
    }
    /* Never hand out a manifest that a process would refuse. */
    const public_key open = secret_public(root);
    e = manifest_read(out->s + start, out->len - start, &open, &check, diag);
    if (e != KG_OK) {
        out->len = start;
    }
out:
    manifest_free(&check);
    free(payload);
    kg_arena_done(&mem);
    return e;
}
