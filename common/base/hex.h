/*
 * hex - bytes as lower-case hexadecimal text and back.
 */
#ifndef KENG_BASE_HEX_H
#define KENG_BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* out needs 2 * n + 1 bytes. */
void kg_hex(const uint8_t *bytes, size_t n, char *out);

/* Reads exactly 2 * n digits, either case, and the end of the text; false otherwise. */
bool kg_hex_read(const char *text, uint8_t *bytes, size_t n);

#endif
