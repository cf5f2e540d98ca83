/* 3GPP 23.038: what a message costs. A packed part never splits an escape pair or a surrogate pair. */
#include <string.h>

#include "base/utf8.h"
#include "text/chars.h"
#include "text/text.h"

enum { GSM_ONE = 160, GSM_EACH = 153, UCS_ONE = 70, UCS_EACH = 67 };

/* Basic characters beyond ASCII; within ASCII all are basic but NUL to US, `, and the extension's. */
static const char gsm_beyond[] = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";
static const char gsm_twice[] = "^{}\\[~]|€\f";

static bool has(const char *set, uint32_t cp)
{
    for (uint32_t c = 0; *set != '\0';) {
        set += chars_at(set, &c);
        if (c == cp) {
            return true;
        }
    }
    return false;
}

/* Septets of one character; 0 when the alphabet lacks it. */
static unsigned gsm_cost(uint32_t cp)
{
    if (has(gsm_twice, cp)) {
        return 2;
    }
    if (cp == '\n' || cp == '\r') {
        return 1;
    }
    if (cp < 0x80) {
        return cp >= 0x20 && cp != '`' && cp != 0x7F ? 1 : 0;
    }
    return has(gsm_beyond, cp) ? 1 : 0;
}

static unsigned cost(uint32_t cp, sms_coding coding)
{
    return coding == SMS_GSM7 ? gsm_cost(cp) : cp > 0xFFFF ? 2U : 1U;
}

kg_err sms_measure(const char *s, sms_size *out)
{
    if (!kg_utf8_valid(s, strlen(s))) {
        return KG_E_INVALID;
    }
    sms_size got = {.coding = SMS_GSM7};
    uint32_t cp = 0;
    for (const char *p = s; *p != '\0' && got.first_odd == 0;) {
        p += chars_at(p, &cp);
        if (gsm_cost(cp) == 0) {
            got.first_odd = cp;
            got.coding = SMS_UCS2;
        }
    }
    const unsigned one = got.coding == SMS_GSM7 ? GSM_ONE : UCS_ONE;
    const unsigned each = got.coding == SMS_GSM7 ? GSM_EACH : UCS_EACH;
    unsigned parts = 1;
    unsigned fill = 0;
    for (const char *p = s; *p != '\0';) {
        p += chars_at(p, &cp);
        const unsigned c = cost(cp, got.coding);
        got.units += c;
        if (fill + c > each) {
            parts++;
            fill = 0;
        }
        fill += c;
    }
    got.parts = got.units <= one ? 1 : parts;
    got.left = got.units <= one ? one - got.units : each - fill;
    *out = got;
    return KG_OK;
}
