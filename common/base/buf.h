/*
 * buf - growable bytes with a ceiling, always NUL-terminated, so that .s is a C string too.
 *
 * Shape     kg_buf b = {.max = 4096}; zeroed = ceiling KG_BUF_MAX. Failing appends leave the content as it was.
 * Errors    KG_E_LIMIT the ceiling; KG_E_NOMEM. An append that fails marks the buffer (kg_buf_failed), so a long run
 *           of appends may be checked once at its end.
 * Owns      .s; release with kg_buf_done.
 */
#ifndef KENG_BASE_BUF_H
#define KENG_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { KG_BUF_MAX = 64 * 1024 * 1024 };

typedef struct kg_buf {
    char *s; /* NULL while nothing was put */
    size_t len;
    size_t cap;
    size_t max;
    kg_err failed;
} kg_buf;

void kg_buf_done(kg_buf *b);
void kg_buf_clear(kg_buf *b); /* keeps the memory, forgets the content and the failure */
kg_err kg_buf_put(kg_buf *b, const void *bytes, size_t n);
kg_err kg_buf_puts(kg_buf *b, const char *s);
kg_err kg_buf_putf(kg_buf *b, const char *fmt, ...) KG_PRINTF(2, 3);
kg_err kg_buf_reserve(kg_buf *b, size_t more); /* room for more bytes after .len */
static inline kg_err kg_buf_failed(const kg_buf *b)
{
    return b->failed;
}
/* "" instead of NULL for an empty buffer. */
const char *kg_buf_str(const kg_buf *b);

#endif
