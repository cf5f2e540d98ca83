/*
 * outbox - what an agency has signed and not yet had answered; drafts of its retractions; what became of it.
 *
 * Rules     A row is synced before the first send and kept until the router has answered (invariant 8). Every live
 *           alert has its Cancel and its all-clear beside it, signed when the alert was signed.
 * States    WAITING (send until answered) -> ACCEPTED | HELD | REFUSED | EXPIRED; HELD -> ACCEPTED | REFUSED | EXPIRED.
 */
#ifndef KENG_STORE_OUTBOX_H
#define KENG_STORE_OUTBOX_H

#include "alert/alert.h"
#include "base/buf.h"

typedef enum outbox_state { OUTBOX_WAITING, OUTBOX_ACCEPTED, OUTBOX_HELD, OUTBOX_REFUSED, OUTBOX_EXPIRED } outbox_state;
typedef enum outbox_draft { DRAFT_CANCEL, DRAFT_ALL_CLEAR, DRAFT_COUNT } outbox_draft;

typedef struct outbox outbox;

typedef struct outbox_row {
    alert_id id;
    alert_hash hash;
    outbox_state state;
    uint8_t class;
    int64_t signed_ms, expires_ms, answered_ms;
    const char *code, *sentence; /* the router's answer */
    const char *router;
} outbox_row;

typedef kg_err (*outbox_fn)(void *ctx, const outbox_row *row);

KG_MUST_CHECK kg_err outbox_open(const char *path, outbox **out, kg_diag *diag);
void outbox_close(outbox **o);
KG_MUST_CHECK kg_err outbox_idle(outbox *o, kg_diag *diag); /* nothing to do: house-keeping; KG_E_FULL is no harm */
bool outbox_broken(const outbox *o, kg_diag *diag);         /* by an I/O error, for ever: the process must end */

/* A large thing the router may ask for by its hash: the original document, a recording. */
typedef struct outbox_blob {
    alert_hash hash;
    const void *bytes;
    size_t n;
} outbox_blob;

/* What outbox_put stores as one commit: the packed Signed, its drafts (packed Signed each, may be empty), its blobs. */
typedef struct outbox_parcel {
    const kg_buf *signed_bytes;
    const kg_buf *drafts; /* DRAFT_COUNT of them */
    const outbox_blob *blobs;
    size_t blob_count;
} outbox_parcel;

/* KG_E_EXISTS same id and hash; KG_E_CONFLICT same id, other hash; nothing is stored then. On a full disk an urgent
 * alert goes into the reserve; the others are KG_E_FULL until there is room for the reserve again. */
KG_MUST_CHECK kg_err outbox_put(outbox *o, const outbox_row *row, const outbox_parcel *parcel, kg_diag *diag);
/* Answered for good; HELD may still become another. KG_E_EXISTS: answered so before; KG_E_CONFLICT: otherwise. */
KG_MUST_CHECK kg_err outbox_answer(outbox *o, alert_id id, outbox_state state, const char *code, const char *sentence,
                                   const char *router, const void *receipt, size_t receipt_len, int64_t now_ms,
                                   kg_diag *diag);
KG_MUST_CHECK kg_err outbox_rows(outbox *o, bool waiting_only, outbox_fn fn, void *ctx,
                                 kg_diag *diag); /* urgent first */
KG_MUST_CHECK kg_err outbox_signed(outbox *o, alert_id id, kg_buf *out, kg_diag *diag);
KG_MUST_CHECK kg_err outbox_blob_get(outbox *o, const alert_hash *hash, kg_buf *out, kg_diag *diag); /* NOTFOUND */
KG_MUST_CHECK kg_err outbox_draft_get(outbox *o, alert_id id, outbox_draft d, kg_buf *out, kg_diag *diag);

#endif
