/*
 * refs - the references element: "sender,identifier,sent" three times and more, in all the forms met in the wild.
 *
 * Reads     triples between white space; triples joined by commas; senders with blanks;
 *           "sender,identifier" and "identifier" alone, whose missing parts are "" and 0 (cap.md ALT-9).
 */
#ifndef KENG_CAP_REFS_H
#define KENG_CAP_REFS_H

#include "alert/alert.h"

enum { REFS_JOINED = 1, REFS_SHORT = 2, REFS_TIME = 4, REFS_MANY = 8 };

/* Lists in mem. slips: what was not as CAP writes it. KG_E_NOMEM only. */
KG_MUST_CHECK kg_err refs_read(const char *text, int assume_offset_min, kg_arena *mem, alert_refs *out,
                               unsigned *slips);

#endif
