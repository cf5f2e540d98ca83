/*
 * verify - the one check of "may this be said": the same at the router and, again, at every sink.
 *
 * Purpose   From the packed Signed to an alert one may act on, or the refusal. Pure: manifest and time in.
 * Checks    form and size; every signature over the exact bytes; key known, in date, not revoked; drill keys only
 *           Exercise/Test, actual keys only Actual/System; agency as the alert says; sector; class; area (each
 *           targeted commune within the key's areas, where the alert names communes or provinces by code).
 * Codes     Stable refusal codes (refusal_code): "bad-form" "too-large" "bad-signature" "unknown-key" "revoked-key"
 *           "key-not-in-date" "wrong-status" "wrong-agency" "wrong-sector" "wrong-class" "wrong-area" "expired" ...
 *           Each with an English sentence for logs and a Vietnamese one for the duty officer (verify_sentence_vi).
 */
#ifndef KENG_TRUST_VERIFY_H
#define KENG_TRUST_VERIFY_H

#include "alert/alert.h"
#include "alert/pack.h"
#include "areas/areas.h"
#include "trust/manifest.h"

typedef enum refusal {
    REFUSAL_NONE,
    REFUSAL_BAD_FORM,
    REFUSAL_TOO_LARGE,
    REFUSAL_BAD_VERSION,
    REFUSAL_BAD_SIGNATURE,
    REFUSAL_UNKNOWN_KEY,
    REFUSAL_REVOKED_KEY,
    REFUSAL_KEY_NOT_IN_DATE,
    REFUSAL_WRONG_STATUS,
    REFUSAL_WRONG_AGENCY,
    REFUSAL_WRONG_SECTOR,
    REFUSAL_WRONG_CLASS,
    REFUSAL_WRONG_AREA,
    REFUSAL_UNKNOWN_COMMUNE,
    REFUSAL_EXPIRED,
    REFUSAL_MISSING_CONTENT, /* an item of Civil Defence Law Art. 6, named in the sentence */
    REFUSAL_NEEDS_SIGNATURE, /* second person */
    REFUSAL_CONFLICT,        /* same id, other bytes */
    REFUSAL_FOREIGN_REFERENCE,
    REFUSAL_NOTHING_TO_END, /* Cancel without references */
    REFUSAL_NOT_ALLOWED,    /* peer's role */
    REFUSAL_RATE,
    REFUSAL_TRY_LATER, /* disk full, shutting down: TEMP */
    REFUSAL_COUNT
} refusal;

const char *refusal_code(refusal r);
const char *refusal_vi(refusal r); /* one sentence in Vietnamese: what it means and what to do */

/* On REFUSAL_NONE *out holds the alert (release with alert_done) and *signer the first signature's entry.
 * Whether an alert has expired is the caller's to decide: the router refuses, a sink records EXPIRED. */
KG_MUST_CHECK refusal verify_signed(const void *bytes, size_t n, const manifest *m, const areas *ar, int64_t now_ms,
                                    alert *out, const key_entry **signer, kg_diag *diag);

/* How many persons signed: distinct holders of the signatures. Call after verify_signed said REFUSAL_NONE. */
size_t verify_holders(const void *bytes, size_t n, const manifest *m);

/* True when every commune (by code) lies in the entry's areas: the sink's check of what an Order says it is
 * for. */
bool verify_covers(const key_entry *e, const areas *ar, const alert_texts *communes);

#endif
