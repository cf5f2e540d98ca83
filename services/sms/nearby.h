/*
 * nearby - files that a driver's config names: relative to that config's folder.
 */
#ifndef KENG_SMS_NEARBY_H
#define KENG_SMS_NEARBY_H

#include "base/buf.h"

/* Appends the path of `name` as seen from the folder of `config_path`; absolute names stay. */
KG_MUST_CHECK kg_err nearby_path(const char *config_path, const char *name, kg_buf *out, kg_diag *diag);
/* The one line of a secret file that nobody else may read (0600). */
KG_MUST_CHECK kg_err nearby_secret(const char *config_path, const char *name, kg_buf *out, kg_diag *diag);

#endif
