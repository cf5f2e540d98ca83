/*
 * chars - questions about single characters that the files of this room share.
 *
 * Shape     A character is a Unicode scalar value. chars_at reads one from a terminated string and never runs past its
 *           end; malformed bytes count as one character U+FFFD each.
 * Door      utf8proc appears in chars.c, text.c and unaccent.c only.
 */
#ifndef KENG_TEXT_CHARS_H
#define KENG_TEXT_CHARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The character at s and its length in bytes (0 at the end of the string). */
size_t chars_at(const char *s, uint32_t *cp);
/* The character that ends just before s + at; 0 at the start. */
uint32_t chars_before(const char *s, size_t at);

bool chars_is_letter(uint32_t cp);
bool chars_is_mark(uint32_t cp); /* combining, of any script */
bool chars_is_upper(uint32_t cp);
uint32_t chars_lower(uint32_t cp);
bool chars_is_latin(uint32_t cp);     /* a letter of the Latin script */
bool chars_is_inherited(uint32_t cp); /* a mark that takes the script of the letter before it */
static inline bool chars_is_digit(uint32_t cp)
{
    return cp >= '0' && cp <= '9';
}

#endif
