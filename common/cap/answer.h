/*
 * answer - the door of protobuf's CapReading: what keng-capgate answers, packed by the child, checked by the parent.
 *
 * Rules     The child has read hostile bytes: every count, length, range and text is checked, verdicts must agree with
 *           their findings, and each alert passes alert_unpack_draft. KG_E_INVALID or KG_E_LIMIT otherwise.
 */
#ifndef KENG_CAP_ANSWER_H
#define KENG_CAP_ANSWER_H

#include "cap/cap.h"

enum { ANSWER_MAX = 16 * 1024 * 1024 };
/* What goes before the packed reading: the mark, sent as soon as the fence stands, then the length, big-endian. */
#define ANSWER_MARK "KENGCAP1"
enum { ANSWER_MARK_BYTES = 8, ANSWER_LENGTH_BYTES = 4, ANSWER_HEAD_BYTES = ANSWER_MARK_BYTES + ANSWER_LENGTH_BYTES };

KG_MUST_CHECK kg_err answer_pack(const cap_reading *r, kg_buf *out);
/* source_bytes: length of the document that was read; ranges must lie within. */
KG_MUST_CHECK kg_err answer_unpack(const void *bytes, size_t n, size_t source_bytes, cap_reading *out, kg_diag *diag);

#endif
