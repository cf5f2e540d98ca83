/*
 * cap - CAP 1.2 in and out (1.0 and 1.1 mapped up), feeds split, every rule of cap.md with its id and verdict.
 *
 * Purpose   cap_read turns the bytes of a document into findings and, unless refused, an alert. A container (Atom,
 *           RSS, <alerts>, EDXL-DE) gives one result an entry; one bad entry does not spoil the rest.
 * Verdict   The worst finding decides: accept < warn < hold < refuse.
 * Bytes     The original is never changed: the caller keeps it for signature and audit. What cap_write makes passes
 *           the OASIS schema; read -> write -> read loses nothing.
 * Where     Two libraries. `capread` (cap_read, libxml2) is linked into keng-capgate and tests only; every other
 *           program links `cap` and calls gate.h.
 * Limits    2 MiB; DOCTYPE refused; attributes a tag, depth and elements bounded before libxml2 sees the bytes.
 * Rules     Ids of cap.md; and SIG (an XML signature nobody has verified), CAP-VN (a parameter of profile.h).
 *           An alert with area descriptions only (ARE-9) is a warning here and held by the router, which alone knows
 *           what its codes and geometry resolve to. What needs the time of day (ALT-5) is the publisher's affair.
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

enum { CAP_FINDINGS_MAX = 64, CAP_DOCUMENTS_MAX = 4096 };

typedef struct cap_document {
    cap_verdict verdict;
    cap_finding *findings; /* in the order met, at most CAP_FINDINGS_MAX, the worst among them */
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

/* What is wrong with the bytes is in the documents' findings, never an error; KG_E_NOMEM only.
 * assume_offset_min: zone of a source that writes times without one; INT_MIN: none configured, such times are
 * refused. */
KG_MUST_CHECK kg_err cap_read(const void *bytes, size_t n, int assume_offset_min, cap_reading *out, kg_diag *diag);
void cap_reading_done(cap_reading *r);

/* CAP 1.2, UTF-8, no BOM, element order of the schema. Parameters are written as they stand; an alert that did not
 * come as CAP gets its CAP-VN parameters from its scales (profile_write). KG_E_INVALID: something the schema
 * requires is missing or XML cannot carry it. What an author should write better is told by reading it back. */
KG_MUST_CHECK kg_err cap_write(const alert *a, kg_buf *out, kg_diag *diag);

#endif
