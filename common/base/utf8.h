/*
 * utf8 - the few questions about UTF-8 that every room asks. Normal forms and scripts live in text/.
 */
#ifndef KENG_BASE_UTF8_H
#define KENG_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True when the n bytes are well-formed UTF-8 without NUL, surrogates or overlong forms. */
bool kg_utf8_valid(const char *s, size_t n);

/* The largest cut <= max (<= n) that does not split a character. */
size_t kg_utf8_floor(const char *s, size_t n, size_t max);

/* Reads the character at s (n > 0 bytes there) into *cp and returns its length; 0 when malformed. */
size_t kg_utf8_next(const char *s, size_t n, uint32_t *cp);

/* Writes cp (a valid scalar value) to out and returns its length, 1 to 4. */
size_t kg_utf8_put(uint32_t cp, char out[4]);

#endif
