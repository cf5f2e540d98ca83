/*
 * prescan - a document's bytes are looked at before libxml2 sees them: size, encoding, no DOCTYPE, and bounds on what
 * makes a parser slow (attributes of one tag are quadratic in libxml2: 200,000 of them take minutes).
 *
 * Shape     prescan_run gives the text as UTF-8 without BOM, and where each element named "alert" lies in the source.
 *           It reads tags, comments, CDATA and processing instructions as XML does; it never searches for strings.
 * Errors    KG_E_INVALID or KG_E_LIMIT with the broken rule and its line in *out, a sentence in diag; KG_E_NOMEM.
 * Source    cap.md DOC-3, DOC-4, DOC-9, DOC-12; reliability.md 3.8.
 */
#ifndef KENG_CAP_PRESCAN_H
#define KENG_CAP_PRESCAN_H

#include "base/buf.h"

enum { PRESCAN_ATTRIBUTES_MAX = 64, PRESCAN_DEPTH_MAX = 32, PRESCAN_ELEMENTS_MAX = 65536, PRESCAN_ALERTS_MAX = 4096 };

typedef struct prescan_range {
    size_t from, length;
} prescan_range;

typedef struct prescan {
    kg_buf text;
    prescan_range *alerts; /* in the order of their start tags */
    size_t alert_count;
    const char *rule;
    int line;
} prescan;

KG_MUST_CHECK kg_err prescan_run(const void *bytes, size_t n, prescan *out, kg_diag *diag);
void prescan_done(prescan *p);

#endif
