#include "base/utf8.h"

size_t kg_utf8_next(const char *s, size_t n, uint32_t *cp)
{
    const unsigned char *u = (const unsigned char *)s;
    if (n == 0) {
        return 0;
    }
    if (u[0] < 0x80) {
        *cp = u[0];
        return 1;
    }
    size_t len;
    uint32_t c;
    uint32_t least;
    if ((u[0] & 0xE0U) == 0xC0) {
        len = 2;
        c = u[0] & 0x1FU;
        least = 0x80;
    } else if ((u[0] & 0xF0U) == 0xE0) {
        len = 3;
        c = u[0] & 0x0FU;
        least = 0x800;
    } else if ((u[0] & 0xF8U) == 0xF0) {
        len = 4;
        c = u[0] & 0x07U;
        least = 0x10000;
    } else {
        return 0;
    }
    if (n < len) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((u[i] & 0xC0U) != 0x80) {
            return 0;
        }
        c = (c << 6) | (u[i] & 0x3FU);
    }
    if (c < least || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) {
        return 0;
    }
    *cp = c;
    return len;
}

bool kg_utf8_valid(const char *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        uint32_t cp = 0;
        const size_t len = kg_utf8_next(s + i, n - i, &cp);
        if (len == 0 || cp == 0) {
            return false;
        }
        i += len;
    }
    return true;
}

size_t kg_utf8_floor(const char *s, size_t n, size_t max)
{
    if (n <= max) {
        return n;
    }
    size_t at = max;
    while (at > 0 && ((unsigned char)s[at] & 0xC0U) == 0x80) {
        at--;
    }
    return at;
}

size_t kg_utf8_put(uint32_t cp, char out[4])
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xC0U | (cp >> 6));
        out[1] = (char)(0x80U | (cp & 0x3FU));
        return 2;
    }
    if (cp < 0x10000) {
        out[0] = (char)(0xE0U | (cp >> 12));
        out[1] = (char)(0x80U | ((cp >> 6) & 0x3FU));
        out[2] = (char)(0x80U | (cp & 0x3FU));
        return 3;
    }
    out[0] = (char)(0xF0U | (cp >> 18));
    out[1] = (char)(0x80U | ((cp >> 12) & 0x3FU));
    out[2] = (char)(0x80U | ((cp >> 6) & 0x3FU));
    out[3] = (char)(0x80U | (cp & 0x3FU));
    return 4;
}
