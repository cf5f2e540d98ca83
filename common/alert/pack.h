/*
 * pack - the door of protobuf's Alert and Signed: bytes to values and back.
 *
 * Rules     Unpacking checks every field (lengths, counts, ranges, UTF-8, no NUL, expiry present) and copies; no
 *           protobuf type leaves pack.c and unpack.c. Verify a signature over the bytes as received before
 *           alert_unpack. On an error nothing was written to *out and nothing is to be released.
 * Errors    KG_E_INVALID or KG_E_LIMIT with a sentence naming the field; KG_E_NOMEM.
 */
#ifndef KENG_ALERT_PACK_H
#define KENG_ALERT_PACK_H

#include "alert/alert.h"
#include "base/buf.h"

KG_MUST_CHECK kg_err alert_pack(const alert *a, kg_buf *out);
KG_MUST_CHECK kg_err alert_unpack(const void *bytes, size_t n, alert *out, kg_diag *diag);
/* For an alert that nobody has signed yet: its expiry may still be missing. */
KG_MUST_CHECK kg_err alert_unpack_draft(const void *bytes, size_t n, alert *out, kg_diag *diag);

enum {
    SIGNED_SIGNATURES_MAX = 4,
    SIGNED_KEY_BYTES = 32,
    SIGNED_SIG_BYTES = 64,
    SIGNED_BYTES_MAX = ALERT_PAYLOAD_MAX + 1024 /* a packed Signed: payload, signatures and their frame */
};

/* A packed Signed, opened: its own copy, in mem. At least one signature, none of them verified. */
typedef struct signed_view {
    kg_arena mem;
    unsigned kind;
    const uint8_t *payload;
    size_t payload_len;
    struct {
        uint8_t key[SIGNED_KEY_BYTES];
        uint8_t sig[SIGNED_SIG_BYTES];
    } signatures[SIGNED_SIGNATURES_MAX];
    size_t signature_count;
} signed_view;

KG_MUST_CHECK kg_err signed_open(const void *bytes, size_t n, signed_view *out, kg_diag *diag);
void signed_done(signed_view *v);
KG_MUST_CHECK kg_err signed_pack(const signed_view *v, kg_buf *out);

#endif
