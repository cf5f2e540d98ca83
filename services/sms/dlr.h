/*
 * dlr - a delivery report of Kannel, as it comes back in the path of our own URL.
 *
 * Shape     /dlr/<key>/<batch>/<mark>/<status>[/<answer>]: key is the sink's own secret, mark the number's (numbers.h),
 *           status Kannel's %d, answer its %A, the centre's own words.
 * Status    A mask, never compared as a number: 1 delivered, 2 failed, 4 buffered, 8 taken by the SMSC, 16 refused by
 *           it, 32 expired, 64 not known. EXPIRED arrives as 34. UNKNOWN arrives as a plain 2 in Kannel 1.4.5 (66 by
 *           its manual): the centre's words "stat:UNKNOWN" set bit 64 here.
 */
#ifndef KENG_SMS_DLR_H
#define KENG_SMS_DLR_H

#include <stdbool.h>
#include <stdint.h>

enum { DLR_KEY_MAX = 48 };

typedef struct dlr {
    char key[DLR_KEY_MAX];
    uint64_t batch;
    uint64_t mark;
    unsigned status;
} dlr;

bool dlr_read(const char *path, dlr *out);

/* How one number stands. Ranks rise; reports may come in any order, and only a higher rank replaces a lower one. */
typedef enum dlr_stand {
    STAND_WAITING,  /* not handed over yet */
    STAND_ASKED,    /* the request is under way */
    STAND_QUEUED,   /* Kannel has it: not "sent" */
    STAND_SENT,     /* the SMSC has it */
    STAND_DOUBT,    /* nobody can say */
    STAND_FAILED,   /* not delivered */
    STAND_REFUSED,  /* the SMSC or Kannel will not */
    STAND_DELIVERED /* on the phone (of a long message: its first part) */
} dlr_stand;

/* What a report makes of a number that stands at `now`. */
dlr_stand dlr_step(dlr_stand now, unsigned status);
bool dlr_is_final(dlr_stand s);

#endif
