/*
 * rules - what one operator takes: sender name, codings, parts, and the characters it refuses.
 *
 * Config    The section `message` of every driver's file: sender, accented, ucs2, max_parts, forbidden, on_forbidden.
 * Rules     Nothing is changed in silence: a forbidden character is written in words, or the text is refused, as the
 *           operator's section says; and the result must still fit.
 * Source    domain.md 6 and 10 row 11.
 */
#ifndef KENG_SMS_RULES_H
#define KENG_SMS_RULES_H

#include <stdbool.h>

#include "base/buf.h"
#include "config/yaml.h"
#include "text/text.h"

enum { RULES_SENDER_MAX = 11, RULES_PARTS_MAX = 10 };

typedef enum rules_forbidden { FORBIDDEN_REPLACE, FORBIDDEN_REFUSE } rules_forbidden;

typedef struct rules {
    char *sender;       /* brand name, at most 11 characters of GSM-7 */
    bool accented;      /* Vietnamese with its accents; needs ucs2 */
    bool ucs2;          /* the operator takes UCS-2 */
    unsigned max_parts; /* of one UCS-2 message; 0: 3 */
    char *forbidden;    /* characters this operator refuses; NULL: none */
    rules_forbidden on_forbidden;
} rules;

extern const cyaml_schema_field_t rules_fields[];

/* After loading: are the values usable together? */
KG_MUST_CHECK kg_err rules_check(rules *r, kg_diag *diag);
/* The text as this operator takes it, in at most max_parts. KG_E_INVALID names the character; KG_E_LIMIT the length. */
KG_MUST_CHECK kg_err rules_apply(const rules *r, const char *text, unsigned max_parts, kg_buf *out, sms_size *size,
                                 kg_diag *diag);

#endif
