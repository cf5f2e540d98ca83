/*
 * text - Vietnamese and other text as characters: normal form, script, accents, GSM 03.38 and counting of SMS parts.
 *
 * Door      utf8proc appears here only.
 * Rules     NFC before anything. Accents come off Latin script only: stripping marks destroys Khmer.
 * Source    3GPP 23.038 (alphabet, 160/153, 70/67); gateways.md 1.
 */
#ifndef KENG_TEXT_TEXT_H
#define KENG_TEXT_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* Appends the NFC form. KG_E_INVALID: not UTF-8. Control characters other than newline and bidi overrides are
 * removed when `clean`. */
KG_MUST_CHECK kg_err text_nfc(const char *s, bool clean, kg_buf *out);

typedef enum text_script {
    SCRIPT_NONE,
    SCRIPT_LATIN,
    SCRIPT_KHMER,
    SCRIPT_LAO,
    SCRIPT_THAI,
    SCRIPT_OTHER,
    SCRIPT_MIXED
} text_script;
text_script text_script_of(const char *s); /* of its letters; digits and punctuation do not count */
/* Does the script fit the language tag? "vi" Latin, "km" Khmer, unknown languages: true. */
bool text_fits_language(const char *s, const char *language);

/* Latin text without accents, quotes and dashes made plain. KG_E_INVALID when letters of another script are
 * in it; nothing is dropped silently. */
KG_MUST_CHECK kg_err text_unaccent(const char *s, kg_buf *out);
/* For search and names: unaccented, lower case, single blanks. */
KG_MUST_CHECK kg_err text_fold(const char *s, kg_buf *out);

typedef enum sms_coding { SMS_GSM7, SMS_UCS2 } sms_coding;
typedef struct sms_size {
    sms_coding coding;
    unsigned units; /* septets (two for ^{}\[]~|EUR) or UTF-16 units */
    unsigned parts;
    unsigned left;      /* units left in the last part */
    uint32_t first_odd; /* first character outside GSM 03.38, 0 none */
} sms_size;
/* The cheapest coding that carries the text unchanged. */
KG_MUST_CHECK kg_err sms_measure(const char *s, sms_size *out);

#endif
