/*
 * pieces - puts a large thing together from pieces and hands pieces out. Pure.
 *
 * Rules     At most PIECES_OPEN things at once and PIECE_TOTAL_MAX bytes each; a finished one is checked against its
 *           hash. The receiver asks (Want) for the next offset; a piece out of turn is ignored.
 */
#ifndef KENG_WIRE_PIECES_H
#define KENG_WIRE_PIECES_H

#include "wire/wire.h"

enum { PIECES_OPEN = 16, PIECE_TOTAL_MAX = 16 * 1024 * 1024 };

typedef struct pieces pieces;

KG_MUST_CHECK kg_err pieces_new(pieces **out);
void pieces_free(pieces **p);
/* Starts collecting; KG_E_LIMIT too large or too many open. *offset is what to ask for first. */
KG_MUST_CHECK kg_err pieces_open(pieces *p, const alert_hash *hash, uint64_t total, uint64_t *offset);
/* Takes one; *done when complete and its hash right (then *bytes lends it until pieces_drop), else *offset to
 * ask next. KG_E_INVALID: the whole does not have the hash it was announced by; it is dropped. */
KG_MUST_CHECK kg_err pieces_put(pieces *p, const alert_hash *hash, uint64_t total, uint64_t offset, const wire_bytes *b,
                                bool *done, wire_bytes *bytes, uint64_t *next_offset);
void pieces_drop(pieces *p, const alert_hash *hash);

#endif
