/*
 * author - from a document to a signed alert in the outbox: complete, check, sign, draft its endings.
 *
 * Purpose   Everything an agency's warning must be before anybody else sees it, in one place, with a sentence for each
 *           refusal. The checks are the router's own (verify, route), so that a clerk hears of a mistake at his desk.
 * Endings   With every Alert and Update its Cancel and its all-clear are written and signed at once, naming it, for the
 *           same area and class, so that a false alarm is ended by one action (Hawaii, 2018).
 * Pure      Time comes in; the only files read are recordings that the document names.
 */
#ifndef KENG_PUBLISHER_AUTHOR_H
#define KENG_PUBLISHER_AUTHOR_H

#include "publisher_config.h"
#include "store/outbox.h"

enum { AUTHOR_BLOBS_MAX = 16 };

/* What goes into the outbox as one commit. */
typedef struct authored {
    outbox_row row;
    kg_buf signed_bytes;
    kg_buf drafts[DRAFT_COUNT];
    outbox_blob blobs[AUTHOR_BLOBS_MAX]; /* the original document, recordings; their bytes live in mem */
    size_t blob_count;
    kg_arena mem;
} authored;

/* A CAP document need not state the bulletin class: publisher.yaml may, for all of them. Never derived from severity. */
KG_MUST_CHECK kg_err author_class(const publisher_config *c, alert *a, kg_diag *diag);

/* Completes *a (agency, sector, expires) and signs it. `source` is the CAP document whose every word *a is, or NULL.
 * `folder` is where relative recordings are. On KG_OK everything is in *out; release with authored_done. */
KG_MUST_CHECK kg_err author_sign(const publisher_config *c, alert *a, const kg_buf *source, const char *folder,
                                 int64_t now_ms, authored *out, kg_diag *diag);
void authored_done(authored *w);

#endif
