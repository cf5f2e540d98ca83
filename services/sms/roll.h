/*
 * roll - how each number of one job stands, kept on disk so that a crash sends nobody anything twice unsaid.
 *
 * File      One a job, 0600, append-only: "A <mark>" before a number is handed to the gateway (synced first), "Q <mark>"
 *           when the gateway has it, "N <mark>" when it surely has not, "S <mark> <stand>" as reports come. Marks, never numbers.
 * Recovery  Marked A but not Q: it may have gone. An urgent text goes to those once more, labelled; any other text does
 *           not, and they stand in doubt until a report comes.
 */
#ifndef KENG_SMS_ROLL_H
#define KENG_SMS_ROLL_H

#include "dlr.h"
#include "numbers.h"

typedef struct roll_entry {
    char digits[NUMBERS_DIGITS_MAX];
    uint64_t mark;
    dlr_stand stand;
    bool sent;      /* the SMSC had it at some time */
    bool once_more; /* to be labelled as a repeat */
} roll_entry;

typedef struct roll {
    kg_arena mem;
    roll_entry *items; /* by mark, rising */
    size_t count;
    int fd;
} roll;

typedef struct roll_counts {
    size_t waiting, asked, open; /* open: with the gateway or in doubt, a report may still come */
    size_t sent, delivered, failed, refused, doubt;
} roll_counts;

/* The numbers for the job's communes; takes up what the file at `path` knows. again: an urgent job's A-only numbers go
 * once more. */
KG_MUST_CHECK kg_err roll_open(const char *path, const numbers *all, const alert_texts *communes, const char *province,
                               bool again, roll *out, kg_diag *diag);
void roll_close(roll *r);

roll_entry *roll_find(roll *r, uint64_t mark);
roll_entry *roll_next_waiting(roll *r);
/* Durable before the gateway hears of any of them: appends A lines for `entries` and syncs once. */
KG_MUST_CHECK kg_err roll_announce(roll *r, roll_entry *const *entries, size_t count, kg_diag *diag);
/* In memory at once; on disk without waiting (a power cut may lose it: the number is then in doubt). */
void roll_queued(roll *r, roll_entry *e);
void roll_returned(roll *r, roll_entry *e); /* waiting again */
void roll_stands(roll *r, roll_entry *e, dlr_stand stand);
roll_counts roll_count(const roll *r);

#endif
