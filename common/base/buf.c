#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void kg_buf_done(kg_buf *b)
{
    if (b != NULL) {
        free(b->s);
        *b = (kg_buf){.max = b->max};
    }
}

void kg_buf_clear(kg_buf *b)
{
    b->len = 0;
    b->failed = KG_OK;
    if (b->s != NULL) {
        b->s[0] = '\0';
    }
}

kg_err kg_buf_reserve(kg_buf *b, size_t more)
{
    const size_t max = b->max != 0 ? b->max : KG_BUF_MAX;
    if (more > max || b->len > max - more) {
        b->failed = KG_E_LIMIT;
        return KG_E_LIMIT;
    }
    const size_t need = b->len + more + 1;
    if (need <= b->cap) {
        return KG_OK;
    }
    size_t cap = b->cap != 0 ? b->cap : 64;
    while (cap < need) {
        cap *= 2;
    }
    char *s = realloc(b->s, cap);
    if (s == NULL) {
        b->failed = KG_E_NOMEM;
        return KG_E_NOMEM;
    }
    b->s = s;
    b->cap = cap;
    b->s[b->len] = '\0';
    return KG_OK;
}

kg_err kg_buf_put(kg_buf *b, const void *bytes, size_t n)
{
    const kg_err e = kg_buf_reserve(b, n);
    if (e != KG_OK) {
        return e;
    }
    if (n > 0) {
        memcpy(b->s + b->len, bytes, n);
    }
    b->len += n;
    b->s[b->len] = '\0';
    return KG_OK;
}

kg_err kg_buf_puts(kg_buf *b, const char *s)
{
    return kg_buf_put(b, s, strlen(s));
}

kg_err kg_buf_putf(kg_buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0) {
        b->failed = KG_E_INVALID;
        return KG_E_INVALID;
    }
    const kg_err e = kg_buf_reserve(b, (size_t)n);
    if (e != KG_OK) {
        return e;
    }
    va_start(ap, fmt);
    (void)vsnprintf(b->s + b->len, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)n;
    return KG_OK;
}

const char *kg_buf_str(const kg_buf *b)
{
    return b->s != NULL ? b->s : "";
}
