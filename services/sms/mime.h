/*
 * mime - a letter as an e-mail: UTF-8 in base64, with attachments, lines ending in CRLF.
 */
#ifndef KENG_SMS_MIME_H
#define KENG_SMS_MIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

typedef struct mime_part {
    const char *name; /* file name, ASCII */
    const char *type; /* "application/json" */
    const char *bytes;
    size_t n;
} mime_part;

typedef struct mime_letter {
    const char *from;
    const char *const *to;
    size_t to_count;
    const char *subject; /* UTF-8 */
    const char *id;      /* left of the @ in Message-ID: the same letter sent again has the same */
    int64_t date_ms;
    bool urgent;
    const char *text; /* UTF-8 */
    const mime_part *parts;
    size_t part_count;
} mime_letter;

KG_MUST_CHECK kg_err mime_write(const mime_letter *m, kg_buf *out, kg_diag *diag);

#endif
