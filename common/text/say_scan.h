/*
 * say_scan - numbers as people write them in a notice: dates, times, telephone numbers, quantities with their unit.
 *
 * Purpose  say_scan_number is called where a digit stands. It looks at the words before (is this a date, a telephone
 *          number?) and behind (a unit?), appends the spoken form and says how many bytes of the text that took.
 */
#ifndef KENG_TEXT_SAY_SCAN_H
#define KENG_TEXT_SAY_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum { SAY_WORD_MAX = 32 };

/* The word that ends before text + at, lower case, "" none; blanks between are skipped. */
void say_word_before(const char *text, size_t at, char out[SAY_WORD_MAX]);
/* The word that starts at s after blanks, lower case, "" none. */
void say_word_after(const char *s, char out[SAY_WORD_MAX]);
bool say_word_among(const char *word, const char *const *list, size_t count);

/* Words into the spoken text, with a blank before them where one is needed. */
void say_put(kg_buf *out, const char *words);

/* Precondition: text[at] is a digit. Returns the bytes used, at least 1; failures mark `out`. */
size_t say_scan_number(const char *text, size_t at, kg_buf *out);
/* The same where the words before leave no choice: the number of a road is never a date or a telephone. */
size_t say_scan_quantity(const char *text, size_t at, kg_buf *out);

#endif
