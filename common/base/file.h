/*
 * file - whole files in and out, safely.
 */
#ifndef KENG_BASE_FILE_H
#define KENG_BASE_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends the file's bytes to out. "-" reads standard input. KG_E_LIMIT over max, KG_E_NOTFOUND, KG_E_IO. */
KG_MUST_CHECK kg_err kg_file_read(const char *path, size_t max, kg_buf *out, kg_diag *diag);

/* Writes a whole file so that a reader or a power cut sees the old one or the new one: temporary file in the
 * same folder, fsync, rename, fsync of the folder. */
KG_MUST_CHECK kg_err kg_file_replace(const char *path, const void *bytes, size_t n, mode_t mode, kg_diag *diag);

/* Creates path and its parents (mode for those made now). An existing folder is KG_OK. */
KG_MUST_CHECK kg_err kg_dir_make(const char *path, mode_t mode, kg_diag *diag);

/* Refuses a secret file that others may read: it must be a regular file with no group or other rights. */
KG_MUST_CHECK kg_err kg_file_is_private(const char *path, kg_diag *diag);

#endif
