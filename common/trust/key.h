/*
 * key - the two kinds of key (Ed25519 to sign what is said, Curve25519 to connect) and their files.
 *
 * Shape     A secret file is one line, its first word the use: "keng-sign-secret <hex>", "keng-drill-secret <hex>" or
 *           "keng-connect-secret <hex>", mode 0600, else refused. So a drill key cannot be taken for a real one even
 *           on disk. A public key is 64 hex digits. CURVE's Z85 form is made where libzmq needs it (bus).
 * Owns      Secrets are kept in locked, guarded memory that core dumps leave out (sodium_malloc), wiped on release.
 * Door      libsodium's signing and key calls appear in trust/ only.
 */
#ifndef KENG_TRUST_KEY_H
#define KENG_TRUST_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { KEY_BYTES = 32, KEY_TEXT = 2 * KEY_BYTES + 1, SIG_BYTES = 64 };

typedef struct public_key {
    uint8_t b[KEY_BYTES];
} public_key;

typedef enum key_use { KEY_SIGN_ACTUAL, KEY_SIGN_DRILL, KEY_CONNECT, KEY_USE_COUNT } key_use;

typedef struct secret_key secret_key;

KG_MUST_CHECK kg_err trust_start(kg_diag *diag); /* sodium_init; first call of every main */

KG_MUST_CHECK kg_err secret_new(key_use use, secret_key **out, kg_diag *diag);
KG_MUST_CHECK kg_err secret_load(const char *path, secret_key **out, kg_diag *diag);
/* Never overwrites: KG_E_CONFLICT when the file is there. */
KG_MUST_CHECK kg_err secret_save(const secret_key *k, const char *path, kg_diag *diag);
void secret_free(secret_key **k);
key_use secret_use(const secret_key *k);
public_key secret_public(const secret_key *k);
/* The 32 secret bytes of a connecting key, for the bus only; borrowed. NULL for a signing key. */
const uint8_t *secret_connect_bytes(const secret_key *k);

bool public_same(const public_key *a, const public_key *b);
void public_text(const public_key *k, char out[KEY_TEXT]);
bool public_read(const char *text, public_key *out);

/* What a signature is over: "KENG/1\0", kind, length (8 bytes, big-endian), payload. */
typedef enum trust_kind {
    TRUST_ALERT = 1,
    TRUST_RECEIPT = 2,
    TRUST_MANIFEST = 3,
    TRUST_CHECKPOINT = 4,
    TRUST_TRANSLATION = 5,
    TRUST_MEDIA_ORDER = 6
} trust_kind;

KG_MUST_CHECK kg_err trust_sign(const secret_key *k, trust_kind kind, const void *payload, size_t n,
                                uint8_t sig[SIG_BYTES]);
bool trust_verify(const public_key *k, trust_kind kind, const void *payload, size_t n, const uint8_t sig[SIG_BYTES]);

void trust_random(void *out, size_t n);

#endif
