/*
 * audit - the append-only, hash-chained record of who did what. A table inside the owner's file, so that an event and
 * its audit row are one commit.
 *
 * Chain     chain_n = BLAKE2b-256(chain_{n-1} | n | time | actor | action | object | detail), numbers as 8 bytes and
 *           texts behind their length as 4 bytes, big-endian; chain_0 = 32 zero bytes. Rows count from 1.
 * Check     audit_check recomputes from rows handed in one by one: the same code at the service and in `keng audit
 *           verify`. A chain cannot know that rows are missing at its end: audit_check_end compares with a head that
 *           somebody else kept (a checkpoint).
 * Limits    Texts are cut at the maxima when they are written; a longer one in a file was not written by us.
 */
#ifndef KENG_STORE_AUDIT_H
#define KENG_STORE_AUDIT_H

#include "alert/alert.h"
#include "base/err.h"

enum { AUDIT_NAME_MAX = 256, AUDIT_DETAIL_MAX = 4096 };

typedef struct audit_row {
    uint64_t n;
    int64_t time_ms;
    const char *actor;  /* holder or agency, or key's first 16 hex digits */
    const char *action; /* "alert.accepted", "alert.refused", "held.released", ... */
    const char *object; /* alert id, station, key */
    const char *detail; /* code and sentence, policy hash, legal basis */
    alert_hash chain;
} audit_row;

alert_hash audit_chain(const alert_hash *before, const audit_row *row);

typedef struct audit_checker {
    uint64_t next_n;
    alert_hash chain;
} audit_checker;
void audit_check_start(audit_checker *c);
/* False with a sentence naming the row that was changed, is missing or is out of place. */
bool audit_check(audit_checker *c, const audit_row *row, kg_diag *diag);
/* False when the rows end before row n, or row n, if it was the last, is not the one with this chain. */
bool audit_check_end(const audit_checker *c, uint64_t n, const alert_hash *chain, kg_diag *diag);

#endif
