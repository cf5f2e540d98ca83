/*
 * say_words - the word lists behind say_vi: units, abbreviations, letter names, numbers as written.
 *
 * Purpose  Data and small look-ups; the order in which they are tried is say_vi.c's and say_scan.c's matter.
 */
#ifndef KENG_TEXT_SAY_WORDS_H
#define KENG_TEXT_SAY_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

typedef struct say_unit {
    const char *sign; /* as written: "mm", "m3", "°C" */
    const char *spoken;
    bool alone; /* unmistakable without a number in front of it */
} say_unit;

/* The longest unit that starts at s and ends at a word's end; NULL none. *n: its length in bytes. */
const say_unit *say_unit_at(const char *s, size_t *n);
/* The longest abbreviation at s that ends at a word's end; its words, or NULL. */
const char *say_abbreviation_at(const char *s, size_t *n);
/* "QL", "ĐT", "TL" and others that name a road or mark when a number follows; its words, or NULL. */
const char *say_road_at(const char *s, size_t *n);
/* Roman numeral I to XX of exactly n bytes; 0 none. */
unsigned say_roman(const char *s, size_t n);
/* True when n bytes of capitals could be a spoken Vietnamese syllable ("KHẨN"), false for "VNPT". */
bool say_is_syllable(const char *s, size_t n);
/* The name of a letter, "vê" for V; NULL for what is none. */
const char *say_letter(uint32_t cp);

/* Digits one by one: "112" -> "một một hai". Anything else in the n bytes is a short pause. */
KG_MUST_CHECK kg_err say_digits(const char *s, size_t n, kg_buf *out);

#endif
