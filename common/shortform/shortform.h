/*
 * shortform - a warning written by hand in a few lines of YAML, for people who have no CAP editor.
 *
 * Shape     deploy/examples/ban-tin.yaml shows every key. Areas are commune or province codes, never names. `status` and
 *           `class` must be written: neither is ever guessed. Vietnamese is the main text; `translations` adds languages.
 * Identity  `id` missing: the agency and the hash of the file; `sent` missing: `sent_or_ms` (the file's own time), so
 *           that the same file sent twice is one alert.
 * Errors    KG_E_INVALID with file, line and column, or the key's name and what may stand there.
 */
#ifndef KENG_SHORTFORM_SHORTFORM_H
#define KENG_SHORTFORM_SHORTFORM_H

#include "alert/alert.h"
#include "base/buf.h"

typedef struct shortform_source {
    const char *name; /* of the file, for complaints */
    const kg_buf *text;
    const char *sender; /* CAP sender of the one who writes */
    const char *agency; /* his agency's id, for the identifier */
    int64_t sent_or_ms; /* when the form states no `sent` */
} shortform_source;

/* `audio` entries come back as resources whose uri is the file's path as written; the publisher reads them. */
KG_MUST_CHECK kg_err shortform_read(const shortform_source *source, alert *out, kg_diag *diag);

#endif
