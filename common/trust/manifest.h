/*
 * manifest - who may say what, and who may connect as what: one root-signed document that every process holds.
 *
 * Shape     Loaded from a file (a packed Signed of kind TRUST_MANIFEST), checked against the pinned root key, kept as
 *           sorted tables. A signing key names its agency and the agency's scope (areas, sectors, highest class, first
 *           warning), copied from the policy when the manifest was made, so that a sink needs no policy.
 *           areas: commune codes, province codes, "00" the nation. sectors: names, or "*" for every sector.
 * Rules     The version only rises: manifest_load keeps the highest one seen, and its hash, in `floor_path` before it
 *           hands it out, and refuses a lower one, or another of the same version, from then on. Past its end a
 *           manifest is degraded (alarm), never deaf. Revocation counts from the moment it is here. A key stands in it
 *           once: a drill key can never be an actual one too.
 * Limits    MANIFEST_BYTES_MAX, MANIFEST_KEYS_MAX.
 * Errors    KG_E_DENIED bad root signature; KG_E_CONFLICT lower version; KG_E_INVALID; KG_E_LIMIT; KG_E_IO.
 * Door      protobuf's Manifest appears in manifest.c only.
 */
#ifndef KENG_TRUST_MANIFEST_H
#define KENG_TRUST_MANIFEST_H

#include "alert/alert.h"
#include "base/buf.h"
#include "trust/key.h"

enum { MANIFEST_BYTES_MAX = 2 * 1024 * 1024, MANIFEST_KEYS_MAX = 16384, MANIFEST_LIST_MAX = 4096 };

typedef enum key_role { ROLE_NONE, ROLE_PUBLISHER, ROLE_ROUTER, ROLE_SINK, ROLE_OPERATOR, KEY_ROLE_COUNT } key_role;

typedef struct key_entry {
    public_key key;
    key_use use;
    key_role role; /* of a connecting key; of a signing key only ROLE_ROUTER, for receipts */
    const char *holder;
    const char *agency;
    alert_texts areas;
    alert_texts sectors;
    alert_texts stations;
    bulletin_class class_max;
    bool first_warning;
    int64_t from_ms, until_ms, revoked_ms; /* 0: open, not revoked */
} key_entry;

typedef struct manifest manifest;

const char *key_role_text(key_role r); /* "publisher" "router" "sink" "operator"; "none" */
int key_role_read(const char *s);      /* -1: none of them */
const char *key_use_text(key_use u);   /* "actual" "drill" "connect" */
int key_use_read(const char *s);

/* floor_path NULL: nothing is kept (tools that only look). */
KG_MUST_CHECK kg_err manifest_load(const char *path, const public_key *root, const char *floor_path, manifest **out,
                                   kg_diag *diag);
/* The same from bytes, without a floor. */
KG_MUST_CHECK kg_err manifest_read(const void *bytes, size_t n, const public_key *root, manifest **out, kg_diag *diag);
void manifest_free(manifest **m);
uint64_t manifest_version(const manifest *m);
bool manifest_degraded(const manifest *m, int64_t now_ms);
size_t manifest_count(const manifest *m);
const key_entry *manifest_at(const manifest *m, size_t i);
const key_entry *manifest_signer(const manifest *m, const public_key *k);    /* NULL unknown */
const key_entry *manifest_connector(const manifest *m, const public_key *k); /* NULL unknown */

/* Builds and signs a manifest: what `keng key manifest` writes. */
KG_MUST_CHECK kg_err manifest_make(uint64_t version, int64_t from_ms, int64_t until_ms, const key_entry *entries,
                                   size_t count, const secret_key *root, kg_buf *out, kg_diag *diag);

/* Whether the key counts now: known, not revoked, within its dates. */
bool key_entry_valid(const key_entry *e, int64_t now_ms);

/* True when the sink with this entry may serve the station. */
bool manifest_serves(const key_entry *e, const char *station);

#endif
