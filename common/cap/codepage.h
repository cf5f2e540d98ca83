/*
 * codepage - the one-byte encodings that CAP documents still come in: ISO-8859-1 and Windows-1250 to 1258, when declared
 * (cap.md DOC-4). Tables of our own, because iconv opens files and the fence of keng-capgate forbids that.
 */
#ifndef KENG_CAP_CODEPAGE_H
#define KENG_CAP_CODEPAGE_H

#include <stdint.h>

#include "base/buf.h"

typedef struct codepage {
    uint16_t upper[128]; /* characters of the bytes 0x80 to 0xFF; 0: none */
} codepage;

/* By the name an XML declaration gives, in any case; NULL when it is none of these. */
const codepage *codepage_find(const char *name);

/* Appends the text as UTF-8. KG_E_INVALID at a byte that has no character, or NUL; *at tells where. */
KG_MUST_CHECK kg_err codepage_decode(const codepage *page, const char *bytes, size_t n, kg_buf *out, size_t *at);

#endif
