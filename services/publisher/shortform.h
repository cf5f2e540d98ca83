/*
 * shortform - a warning written by hand in a few lines of YAML, for people who have no CAP editor.
 *
 * Shape     deploy/examples/ban-tin.yaml shows every key. Areas are commune or province codes, never names. `status` and
 *           `class` must be written: neither is ever guessed. Vietnamese is the main text; `translations` adds languages.
 * Identity  `id` missing: the agency and the hash of the file; `sent` missing: `sent_or_ms` (the file's own time), so
 *           that the same file sent twice is one alert.
 * Errors    KG_E_INVALID with file, line and column, or the key's name and what may stand there.
 */
#ifndef KENG_PUBLISHER_SHORTFORM_H
#define KENG_PUBLISHER_SHORTFORM_H

#include "publisher_config.h"

/* `audio` entries come back as resources whose uri is the file's path as written; author_complete reads them. */
KG_MUST_CHECK kg_err shortform_read(const char *name, const kg_buf *text, const publisher_config *c, int64_t sent_or_ms,
                                    alert *out, kg_diag *diag);

#endif
