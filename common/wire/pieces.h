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

typedef struct pieces_state {
    bool done;            /* complete and its hash right: */
    wire_bytes whole;     /* lent until pieces_drop */
    uint64_t next_offset; /* else what to ask for next */
} pieces_state;

KG_MUST_CHECK kg_err pieces_new(pieces **out);
void pieces_free(pieces **p);
/* Starts collecting, or goes on with what is there. *offset is what to ask for. KG_E_LIMIT too large or too many open;
 * KG_E_CONFLICT the same hash announced with another length. */
KG_MUST_CHECK kg_err pieces_open(pieces *p, const alert_hash *hash, uint64_t total, uint64_t *offset);
/* Takes one. KG_E_NOTFOUND: nobody opened it, or the sender does not have it (total 0); KG_E_CONFLICT: another
 * length than announced; KG_E_INVALID: the whole does not have its hash, and is dropped. */
KG_MUST_CHECK kg_err pieces_put(pieces *p, const wire_piece *one, pieces_state *state);
void pieces_drop(pieces *p, const alert_hash *hash);

/* The other side: the piece of `whole` at offset, up to WIRE_PIECE_MAX; past its end an empty one. */
wire_piece pieces_cut(const alert_hash *hash, const wire_bytes *whole, uint64_t offset);

#endif
