/*
 * audit - the append-only, hash-chained record of who did what. A table inside the owner's file, so that an event and
 * its audit row are one commit.
 *
 * Chain     chain_n = BLAKE2b-256(chain_{n-1} | row n packed as length-prefixed fields); chain_0 = 32 zero bytes.
 * Check     audit_check recomputes from rows handed in one by one: the same code at the service and in `keng audit
 *           verify`.
 */
#ifndef KENG_STORE_AUDIT_H
#define KENG_STORE_AUDIT_H

#include "alert/alert.h"
#include "base/err.h"

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

#endif
