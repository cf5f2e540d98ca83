/*
 * ledger_file - what ledger.c (writing) and ledger_read.c (reading) share. Private to store/.
 *
 * Tables    As the journal's: integer keys that rise. A holding's key is its alert's number and its station's together.
 */
#ifndef KENG_STORE_LEDGER_FILE_H
#define KENG_STORE_LEDGER_FILE_H

#include "store/intern.h"
#include "store/ledger.h"
#include "store/trail.h"

enum { LEDGER_SEEN = 1024 };

typedef struct ledger_seen { /* an alert looked up lately */
    int64_t n;               /* 0: empty place */
    alert_id id;
    alert_hash hash;
} ledger_seen;

struct ledger {
    db d;
    intern in;
    trail trail;
    int64_t last_alert, last_alert_kept;
    int64_t last_receipt, last_receipt_kept;
    ledger_seen seen[LEDGER_SEEN];
    struct {
        sqlite3_stmt *insert_alert, *insert_signed, *find_alert, *insert_holding, *set_holding, *holding_state;
        sqlite3_stmt *set_playing, *playing_state, *note_end, *ended, *insert_receipt, *drop_receipts, *floor;
        sqlite3_stmt *note_put, *note_get, *bytes;
        sqlite3_stmt *holdings, *alive, *holding, *playings, *unfinished, *playing, *receipts;
    } st;
};

static inline int64_t ledger_key(int64_t alert_n, int64_t station_n)
{
    return alert_n << INTERN_STATION_BITS | station_n;
}

/* The alert's number; KG_E_NOTFOUND when nothing of it was ever held. */
KG_MUST_CHECK kg_err ledger_file_alert(ledger *l, alert_id id, const ledger_seen **out, kg_diag *diag);
/* The key of (alert, station), held or not; KG_E_NOTFOUND when one of them is unknown. */
KG_MUST_CHECK kg_err ledger_file_key(ledger *l, alert_id id, const char *station, int64_t *key, kg_diag *diag);

#endif
