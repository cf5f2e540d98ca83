/*
 * numbers - a small list of telephones: officials, hamlet heads. Never logged, never in an outcome.
 *
 * File      0600; one a line: number, a tab, commune or province codes separated by commas ("*" every area of the
 *           alert), a tab and a remark, which may be left out. Lines that start with # are skipped.
 * Numbers   +84912345678 or 0912345678 (the latter becomes +84...). At most NUMBERS_MAX; a number twice is an error.
 * Door      numbers_load is the one place that sees the file: a list encrypted at rest is opened there.
 */
#ifndef KENG_SMS_NUMBERS_H
#define KENG_SMS_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

#include "alert/alert.h"

enum { NUMBERS_MAX = 20000, NUMBERS_DIGITS_MAX = 17, NUMBERS_MARK_BYTES = 8 };

typedef struct number {
    char digits[NUMBERS_DIGITS_MAX]; /* "+84912345678" */
    uint64_t mark;                   /* of the number, to find it again in the record of a job without writing it */
    const char *areas;               /* as in the file, "," in front and behind: ",29254,29257," */
} number;

typedef struct numbers {
    kg_arena mem;
    number *items;
    size_t count;
} numbers;

KG_MUST_CHECK kg_err numbers_load(const char *path, numbers *out, kg_diag *diag);
void numbers_done(numbers *n);

/* Is the number for one of the communes (or for the province `province`, or for every area)? */
bool numbers_is_for(const number *n, const alert_texts *communes, const char *province);
/* "...678", all that may ever be shown of a number. */
enum { NUMBERS_TAIL_MAX = 8 };
void numbers_tail(const number *n, char out[NUMBERS_TAIL_MAX]);

#endif
