/*
 * cap - CAP 1.2 in and out (1.0 and 1.1 mapped up), feeds split, every rule of cap.md with its id and verdict.
 *
 * Purpose   cap_read turns the bytes of a document into findings and, unless refused, an alert. A container (Atom,
 *           RSS, <alerts>, EDXL-DE) gives one result an entry; one bad entry does not spoil the rest.
 * Verdict   The worst finding decides: accept < warn < hold < refuse.
 * Bytes     The original is never changed: the caller keeps it for signature and audit. What cap_write makes passes
 *           the OASIS schema; read -> write -> read loses nothing.
 * Where     libxml2 appears in cap/ only, and cap_read runs only inside keng-capgate: other programs call gate.h.
 * Limits    2 MiB; DOCTYPE refused; attributes a tag, depth and elements bounded before libxml2 sees the bytes.
 */
#ifndef KENG_CAP_CAP_H
#define KENG_CAP_CAP_H

#include "alert/alert.h"
#include "base/buf.h"

typedef enum cap_verdict { CAP_ACCEPT, CAP_WARN, CAP_HOLD, CAP_REFUSE } cap_verdict;
const char *cap_verdict_text(cap_verdict v);

typedef struct cap_finding {
    const char *rule; /* "ALT-10" */
    cap_verdict verdict;
    const char *sentence; /* what, where, how to mend it */
    int line;
} cap_finding;

typedef struct cap_document {
    cap_verdict verdict;
    cap_finding *findings;
    size_t finding_count;
    bool has_alert;
    alert alert;         /* own arena */
    const char *entry;   /* for a feed: the entry's id or link */
    const char *link;    /* a feed entry that only points to its CAP document */
    size_t from, length; /* the alert element's bytes within the source, for keeping */
} cap_document;

typedef struct cap_reading {
    kg_arena mem;
    cap_document *documents;
    size_t count;
    bool container;
    const char *next; /* a feed's rel="next" */
} cap_reading;

/* assume_offset_min: zone of a source that writes times without one; INT_MIN: none configured, such times are
 * refused. */
KG_MUST_CHECK kg_err cap_read(const void *bytes, size_t n, int assume_offset_min, cap_reading *out, kg_diag *diag);
void cap_reading_done(cap_reading *r);

/* CAP 1.2, UTF-8, no BOM, element order of the schema, Keng's scales as CAP-VN parameters. Refuses what a
 * producer may not write (the P column of cap.md). */
KG_MUST_CHECK kg_err cap_write(const alert *a, kg_buf *out, kg_diag *diag);

#endif
