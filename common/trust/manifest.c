#include "trust/manifest.h"

#include <assert.h>
#include <inttypes.h>
#include <protobuf-c/protobuf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/pack.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/utf8.h"
#include "manifest.pb-c.h"

enum { FLOOR_LINE_MAX = 160, UNPACK_HEAP_MAX = 32 * 1024 * 1024 };

struct manifest {
    kg_arena mem;
    uint64_t version;
    int64_t from_ms, until_ms;
    alert_hash hash;    /* of the payload: two manifests of one version are told apart */
    key_entry *entries; /* sorted: connecting keys last, then by key */
    size_t count;
};

static const char *const use_texts[KEY_USE_COUNT] = {
    [KEY_SIGN_ACTUAL] = "actual", [KEY_SIGN_DRILL] = "drill", [KEY_CONNECT] = "connect"};
static const char *const role_texts[KEY_ROLE_COUNT] = {[ROLE_NONE] = "none",
                                                       [ROLE_PUBLISHER] = "publisher",
                                                       [ROLE_ROUTER] = "router",
                                                       [ROLE_SINK] = "sink",
                                                       [ROLE_OPERATOR] = "operator"};

static int text_find(const char *const *texts, int count, const char *s)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(texts[i], s) == 0) {
            return i;
        }
    }
    return -1;
}

const char *key_use_text(key_use u)
{
    return use_texts[u];
}

int key_use_read(const char *s)
{
    return text_find(use_texts, KEY_USE_COUNT, s);
}

const char *key_role_text(key_role r)
{
    return role_texts[r];
}

int key_role_read(const char *s)
{
    return text_find(role_texts, KEY_ROLE_COUNT, s);
}

/* protobuf-c allocates what hostile bytes ask for: this allocator stops at a ceiling. */
typedef struct bounded_heap {
    ProtobufCAllocator alloc;
    size_t left;
} bounded_heap;

static void *heap_alloc(void *ctx, size_t n)
{
    bounded_heap *h = ctx;
    if (n > h->left) {
        return NULL;
    }
    h->left -= n;
    return malloc(n);
}

static void heap_free(void *ctx, void *p)
{
    (void)ctx;
    free(p);
}

/* Text of a field; *bad when it is not UTF-8 or holds a NUL. */
static const char *take_text(manifest *m, const ProtobufCBinaryData *b, bool *bad)
{
    if (b->len == 0) {
        return "";
    }
    const char *s = (const char *)b->data;
    if (b->len > UINT16_MAX || !kg_utf8_valid(s, b->len)) {
        *bad = true;
        return "";
    }
    const char *copy = kg_arena_strn(&m->mem, s, b->len);
    if (copy == NULL) {
        *bad = true;
        return "";
    }
    return copy;
}

static alert_texts take_list(manifest *m, const ProtobufCBinaryData *items, size_t n, bool *bad)
{
    alert_texts out = {0};
    if (n > MANIFEST_LIST_MAX) {
        *bad = true;
        return out;
    }
    out.items = n == 0 ? NULL : kg_arena_array(&m->mem, n, sizeof *out.items);
    if (n > 0 && out.items == NULL) {
        *bad = true;
        return out;
    }
    for (size_t i = 0; i < n; i++) {
        out.items[i] = take_text(m, &items[i], bad);
        *bad = *bad || out.items[i][0] == '\0';
    }
    out.count = n;
    return out;
}

static bool is_area(const char *code)
{
    const size_t n = strlen(code);
    return (n == 2 || n == 5) && strspn(code, "0123456789") == n;
}

/* What is wrong with an entry, or NULL. The same for one that is read and one that is to be made. */
static const char *entry_fault(const key_entry *e)
{
    if (e->use >= KEY_USE_COUNT) {
        return "its use is none of actual, drill, connect";
    }
    if (e->holder == NULL || e->holder[0] == '\0') {
        return "it names no holder";
    }
    if (e->from_ms != 0 && e->until_ms != 0 && e->until_ms <= e->from_ms) {
        return "it ends before it begins";
    }
    if (e->use == KEY_CONNECT) {
        if (e->role == ROLE_NONE || e->role >= KEY_ROLE_COUNT) {
            return "a connecting key needs a role: publisher, router, sink or operator";
        }
        return e->role == ROLE_SINK && e->stations.count == 0 ? "a sink's key must name its stations" : NULL;
    }
    if (e->role == ROLE_ROUTER) {
        return NULL; /* signs receipts and nothing else: verify_signed takes no alert from it */
    }
    if (e->role != ROLE_NONE) {
        return "a signing key has no role, or that of a router (for its receipts)";
    }
    if (e->agency == NULL || e->agency[0] == '\0') {
        return "a signing key must name its agency";
    }
    if (e->class_max >= CLASS_COUNT) {
        return "its class is none of routine, priority, urgent";
    }
    if (e->areas.count == 0 || e->sectors.count == 0) {
        return "a signing key needs areas and sectors";
    }
    for (size_t i = 0; i < e->areas.count; i++) {
        if (!is_area(e->areas.items[i])) {
            return "an area must be a commune's 5 digits, a province's 2, or 00 for the nation";
        }
    }
    return NULL;
}

static kg_err take_entry(manifest *m, const Kg__KeyEntry *w, key_entry *e, kg_diag *diag)
{
    bool bad =
        w->key.len != KEY_BYTES || w->use >= KEY_USE_COUNT || w->class_max >= CLASS_COUNT || w->role >= KEY_ROLE_COUNT;
    if (!bad) {
        memcpy(e->key.b, w->key.data, KEY_BYTES);
        e->use = (key_use)w->use;
        e->class_max = (bulletin_class)w->class_max;
        e->role = (key_role)w->role;
    }
    e->holder = take_text(m, &w->holder, &bad);
    e->agency = take_text(m, &w->agency, &bad);
    e->areas = take_list(m, w->areas, w->n_areas, &bad);
    e->sectors = take_list(m, w->sectors, w->n_sectors, &bad);
    e->stations = take_list(m, w->stations, w->n_stations, &bad);
    e->first_warning = w->first_warning != 0;
    e->from_ms = w->from_ms;
    e->until_ms = w->until_ms;
    e->revoked_ms = w->revoked_ms;
    const char *fault = bad ? "a field is out of range or not text" : entry_fault(e);
    return fault == NULL
               ? KG_OK
               : kg_fail(diag, KG_E_INVALID, "key manifest: the entry of \"%s\" is unusable: %s", e->holder, fault);
}

static int entry_order(const key_entry *a, const key_entry *b)
{
    const int connect_a = a->use == KEY_CONNECT;
    const int connect_b = b->use == KEY_CONNECT;
    return connect_a != connect_b ? connect_a - connect_b : memcmp(a->key.b, b->key.b, KEY_BYTES);
}

static int entry_compare(const void *a, const void *b)
{
    return entry_order(a, b);
}

static kg_err take_manifest(manifest *m, const Kg__Manifest *w, kg_diag *diag)
{
    if (w->version == 0 || w->n_keys > MANIFEST_KEYS_MAX) {
        return kg_fail(diag, KG_E_INVALID, "key manifest: version 0, or more than %d keys", MANIFEST_KEYS_MAX);
    }
    m->version = w->version;
    m->from_ms = w->from_ms;
    m->until_ms = w->until_ms;
    m->entries = kg_arena_array(&m->mem, w->n_keys + 1, sizeof *m->entries);
    if (m->entries == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "key manifest: no memory");
    }
    for (size_t i = 0; i < w->n_keys; i++) {
        const kg_err e = take_entry(m, w->keys[i], &m->entries[i], diag);
        if (e != KG_OK) {
            return e;
        }
    }
    m->count = w->n_keys;
    qsort(m->entries, m->count, sizeof *m->entries, entry_compare);
    for (size_t i = 1; i < m->count; i++) {
        if (entry_order(&m->entries[i - 1], &m->entries[i]) == 0) {
            return kg_fail(diag, KG_E_INVALID, "key manifest: one key stands in it twice (\"%s\" and \"%s\")",
                           m->entries[i - 1].holder, m->entries[i].holder);
        }
    }
    return KG_OK;
}

static bool root_signed(const signed_view *v, const public_key *root)
{
    for (size_t i = 0; i < v->signature_count; i++) {
        if (memcmp(v->signatures[i].key, root->b, KEY_BYTES) == 0 &&
            trust_verify(root, TRUST_MANIFEST, v->payload, v->payload_len, v->signatures[i].sig)) {
            return true;
        }
    }
    return false;
}

kg_err manifest_read(const void *bytes, size_t n, const public_key *root, manifest **out, kg_diag *diag)
{
    if (n > MANIFEST_BYTES_MAX) {
        return kg_fail(diag, KG_E_LIMIT, "key manifest: larger than %d bytes", MANIFEST_BYTES_MAX);
    }
    signed_view v = {0};
    bounded_heap heap = {.alloc = {heap_alloc, heap_free, NULL}, .left = UNPACK_HEAP_MAX};
    heap.alloc.allocator_data = &heap;
    Kg__Manifest *w = NULL;
    manifest *m = NULL;
    kg_err e = signed_open(bytes, n, &v, diag);
    if (e != KG_OK) {
        e = kg_fail_in(diag, e, "key manifest: ");
        goto out;
    }
    if (v.kind != TRUST_MANIFEST || !root_signed(&v, root)) {
        e = kg_fail(diag, KG_E_DENIED, "key manifest: not signed by the root key that this program was given");
        goto out;
    }
    m = calloc(1, sizeof *m);
    w = m == NULL ? NULL : kg__manifest__unpack(&heap.alloc, v.payload_len, v.payload);
    if (w == NULL) {
        e = kg_fail(diag, m == NULL ? KG_E_NOMEM : KG_E_INVALID, "key manifest: its content cannot be read");
        goto out;
    }
    m->hash = alert_hash_of(v.payload, v.payload_len);
    e = take_manifest(m, w, diag);
    if (e == KG_OK) {
        *out = m;
        m = NULL;
    }
out:
    if (w != NULL) {
        kg__manifest__free_unpacked(w, &heap.alloc);
    }
    manifest_free(&m);
    signed_done(&v);
    return e;
}

static const char floor_word[] = "keng-manifest-floor ";

/* The floor file is one line: the word, the version, the hash of that manifest. */
static bool floor_read(const char *line, uint64_t *version, alert_hash *hash)
{
    const size_t n = sizeof floor_word - 1;
    char hex[2 * ALERT_HASH_BYTES + 1];
    char *end = NULL;
    if (strncmp(line, floor_word, n) != 0 || line[n] < '0' || line[n] > '9') {
        return false;
    }
    *version = strtoull(line + n, &end, 10);
    if (*end != ' ' || strlen(end + 1) < sizeof hex - 1) {
        return false;
    }
    memcpy(hex, end + 1, sizeof hex - 1);
    hex[sizeof hex - 1] = '\0';
    return kg_hex_read(hex, hash->b, ALERT_HASH_BYTES);
}

static kg_err floor_check(const char *path, const manifest *m, bool *write, kg_diag *diag)
{
    kg_buf text = {.max = FLOOR_LINE_MAX};
    kg_err e = kg_file_read(path, FLOOR_LINE_MAX - 1, &text, diag);
    uint64_t version = 0;
    alert_hash hash = {0};
    *write = true;
    if (e == KG_E_NOTFOUND) {
        e = KG_OK;
    } else if (e == KG_OK && !floor_read(kg_buf_str(&text), &version, &hash)) {
        e = kg_fail(diag, KG_E_INVALID,
                    "%s: not the record of the highest key manifest; put it back from a backup. Remove it only when "
                    "you are sure that the manifest now installed is the newest",
                    path);
    } else if (e == KG_OK && m->version < version) {
        e = kg_fail(diag, KG_E_CONFLICT,
                    "key manifest: version %" PRIu64 " is older than version %" PRIu64
                    ", which was in force here; install that one or a newer one",
                    m->version, version);
    } else if (e == KG_OK && m->version == version) {
        *write = false;
        if (memcmp(hash.b, m->hash.b, sizeof hash.b) != 0) {
            e = kg_fail(diag, KG_E_CONFLICT,
                        "key manifest: there was another one of the same version %" PRIu64
                        "; make it again with a higher version",
                        version);
        }
    }
    kg_buf_done(&text);
    return e;
}

static kg_err floor_raise(const char *path, const manifest *m, kg_diag *diag)
{
    char hex[2 * ALERT_HASH_BYTES + 1];
    char line[FLOOR_LINE_MAX];
    kg_hex(m->hash.b, ALERT_HASH_BYTES, hex);
    const int n = snprintf(line, sizeof line, "%s%" PRIu64 " %s\n", floor_word, m->version, hex);
    assert(n > 0 && n < (int)sizeof line);
    KG_FAULT("trust.floor_before");
    const kg_err e = kg_file_replace(path, line, (size_t)n, 0600, diag);
    KG_FAULT("trust.floor_after");
    return e;
}

kg_err manifest_load(const char *path, const public_key *root, const char *floor_path, manifest **out, kg_diag *diag)
{
    kg_buf file = {.max = MANIFEST_BYTES_MAX + 1};
    manifest *m = NULL;
    bool write = false;
    kg_err e = kg_file_read(path, MANIFEST_BYTES_MAX, &file, diag);
    if (e == KG_OK) {
        e = manifest_read(kg_buf_str(&file), file.len, root, &m, diag);
    }
    assert(e != KG_OK || m != NULL);
    if (e == KG_OK && floor_path != NULL) {
        e = floor_check(floor_path, m, &write, diag);
    }
    if (e == KG_OK && write) {
        e = floor_raise(floor_path, m, diag);
    }
    if (e == KG_OK) {
        *out = m;
        m = NULL;
    } else {
        e = kg_fail_in(diag, e, "%s: ", path);
    }
    manifest_free(&m);
    kg_buf_done(&file);
    return e;
}

void manifest_free(manifest **m)
{
    if (m != NULL && *m != NULL) {
        kg_arena_done(&(*m)->mem);
        free(*m);
        *m = NULL;
    }
}

uint64_t manifest_version(const manifest *m)
{
    return m->version;
}

bool manifest_degraded(const manifest *m, int64_t now_ms)
{
    return (m->until_ms != 0 && now_ms >= m->until_ms) || now_ms < m->from_ms;
}

size_t manifest_count(const manifest *m)
{
    return m->count;
}

const key_entry *manifest_at(const manifest *m, size_t i)
{
    assert(i < m->count);
    return &m->entries[i];
}

static const key_entry *find(const manifest *m, key_use use, const public_key *k)
{
    const key_entry wanted = {.use = use, .key = *k};
    return m->count == 0 ? NULL : bsearch(&wanted, m->entries, m->count, sizeof *m->entries, entry_compare);
}

const key_entry *manifest_signer(const manifest *m, const public_key *k)
{
    return find(m, KEY_SIGN_ACTUAL, k);
}

const key_entry *manifest_connector(const manifest *m, const public_key *k)
{
    return find(m, KEY_CONNECT, k);
}

bool key_entry_valid(const key_entry *e, int64_t now_ms)
{
    return e != NULL && e->revoked_ms == 0 && now_ms >= e->from_ms && (e->until_ms == 0 || now_ms < e->until_ms);
}

bool manifest_serves(const key_entry *e, const char *station)
{
    if (e->use != KEY_CONNECT || e->role != ROLE_SINK) {
        return false;
    }
    for (size_t i = 0; i < e->stations.count; i++) {
        const char *s = e->stations.items[i];
        const size_t n = strlen(s);
        const bool prefix = n > 0 && s[n - 1] == '*';
        if (prefix ? strncmp(s, station, n - 1) == 0 : strcmp(s, station) == 0) {
            return true;
        }
    }
    return false;
}
