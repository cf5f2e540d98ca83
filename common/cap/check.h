/*
 * check - `keng cap check FILE...`: what Keng thinks of CAP documents, one tab-separated line each.
 *
 * Shape     file TAB accept|warn|hold|refuse TAB rule ids, comma-separated, or "-" TAB sentence. A container gives one
 *           line an entry. The sentence is that of the worst finding, and how many more there are.
 * Where     Reading goes through the gate (cap/gate.h), so keng-capgate must lie beside the program.
 */
#ifndef KENG_CAP_CHECK_H
#define KENG_CAP_CHECK_H

#include "base/buf.h"
#include "cap/cap.h"

/* Appends the file's lines; *worst only rises. A file that cannot be read is a line with verdict refuse. "-" reads
 * standard input. assume_offset_min as in cap_read; an operator's tool may well take KG_VN_OFFSET_MIN.
 * KG_E_NOMEM; KG_E_IO when keng-capgate cannot be started. */
KG_MUST_CHECK kg_err check_file(const char *path, int assume_offset_min, kg_buf *out, cap_verdict *worst,
                                kg_diag *diag);

#endif
