#include "rules.h"

#include <string.h>

#include "text/chars.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

enum { PARTS = 3, FORBIDDEN_MOST = 32 };

static const cyaml_strval_t on_forbidden[] = {{"replace", FORBIDDEN_REPLACE}, {"refuse", FORBIDDEN_REFUSE}};

const cyaml_schema_field_t rules_fields[] = {
    CYAML_FIELD_STRING_PTR("sender", CYAML_FLAG_POINTER, rules, sender, 1, RULES_SENDER_MAX),
    YAML_SWITCH("accented", CYAML_FLAG_OPTIONAL, rules, accented),
    CYAML_FIELD_BOOL("ucs2", CYAML_FLAG_OPTIONAL, rules, ucs2),
    CYAML_FIELD_UINT("max_parts", CYAML_FLAG_OPTIONAL, rules, max_parts),
    CYAML_FIELD_STRING_PTR("forbidden", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, rules, forbidden, 0, FORBIDDEN_MOST),
    CYAML_FIELD_ENUM("on_forbidden", CYAML_FLAG_OPTIONAL, rules, on_forbidden, on_forbidden, COUNT(on_forbidden)),
    CYAML_FIELD_END,
};

kg_err rules_check(rules *r, kg_diag *diag)
{
    sms_size size;
    if (sms_measure(r->sender, &size) != KG_OK || size.coding != SMS_GSM7 || size.units > RULES_SENDER_MAX ||
        r->sender[strspn(r->sender, " ")] == '\0') {
        return kg_fail(diag, KG_E_INVALID, "message.sender \"%s\": a sender name is 1 to %d characters without accents",
                       r->sender, RULES_SENDER_MAX);
    }
    if (r->accented && !r->ucs2) {
        return kg_fail(diag, KG_E_INVALID, "message.accented needs ucs2: yes, for accents do not exist in GSM-7");
    }
    if (r->max_parts > RULES_PARTS_MAX) {
        return kg_fail(diag, KG_E_INVALID, "message.max_parts: %u is more than %d", r->max_parts, RULES_PARTS_MAX);
    }
    r->max_parts = r->max_parts == 0 ? PARTS : r->max_parts;
    return KG_OK;
}

/* A character in words, and shorter where the words would not fit. */
static const struct {
    uint32_t cp;
    const char *words, *brief;
} spoken[] = {
    {'%', " phan tram", "pt"},
    {'#', "so ", "so"},
    {'&', " va ", "-"},
    {'[', "(", "("},
    {']', ")", ")"},
    {'{', "(", "("},
    {'}', ")", ")"},
    {'\\', "/", "/"},
    {'<', " duoi ", "-"},
    {'>', " tren ", "-"},
    {'@', " a cong ", "(a)"},
    {'~', "khoang ", "-"},
    {'^', "", ""},
    {'|', "/", "/"},
    {'_', " ", " "},
    {'*', "", ""},
    {'"', "'", "'"},
    {'$', " USD", "$"},
    {'+', " cong ", "-"},
    {'=', " bang ", "-"},
};

static const char *instead_of(uint32_t cp, bool brief)
{
    for (size_t i = 0; i < COUNT(spoken); i++) {
        if (spoken[i].cp == cp) {
            return brief ? spoken[i].brief : spoken[i].words;
        }
    }
    return " ";
}

static bool is_forbidden(const rules *r, uint32_t cp)
{
    uint32_t one = 0;
    for (const char *p = r->forbidden; p != NULL && *p != '\0';) {
        p += chars_at(p, &one);
        if (one == cp) {
            return true;
        }
    }
    return false;
}

static kg_err replace(const rules *r, const char *text, bool brief, kg_buf *out)
{
    kg_err e = KG_OK;
    for (uint32_t cp = 0; e == KG_OK && *text != '\0';) {
        const size_t n = chars_at(text, &cp);
        if (!is_forbidden(r, cp)) {
            e = kg_buf_put(out, text, n);
            text += n;
            continue;
        }
        const char *words = instead_of(cp, brief);
        const bool blank = words[0] == ' ' && out->len > 0 && out->s[out->len - 1] == ' ';
        e = kg_buf_puts(out, words + (blank ? 1 : 0));
        text += n;
        if (words[0] != '\0' && words[strlen(words) - 1] == ' ' && *text == ' ') {
            text++;
        }
    }
    return e;
}

static uint32_t first_forbidden(const rules *r, const char *text)
{
    for (uint32_t cp = 0; *text != '\0';) {
        text += chars_at(text, &cp);
        if (is_forbidden(r, cp)) {
            return cp;
        }
    }
    return 0;
}

kg_err rules_apply(const rules *r, const char *text, unsigned max_parts, kg_buf *out, sms_size *size, kg_diag *diag)
{
    const uint32_t odd = first_forbidden(r, text);
    if (odd != 0 && r->on_forbidden == FORBIDDEN_REFUSE) {
        return kg_fail(diag, KG_E_INVALID,
                       "Nhà mạng không nhận ký tự \"%c\" (U+%04X) trong tin nhắn: hãy viết lại phần tin nhắn (sms).",
                       odd < 0x80 ? (int)odd : '?', (unsigned)odd);
    }
    kg_err e = KG_E_LIMIT;
    for (unsigned brief = 0; e == KG_E_LIMIT && brief < 2; brief++) {
        kg_buf made = {0};
        sms_size got = {0};
        e = replace(r, text, brief != 0, &made);
        if (e == KG_OK) {
            e = sms_measure(kg_buf_str(&made), &got);
        }
        if (e == KG_OK && got.parts > max_parts) {
            e = kg_fail(diag, KG_E_LIMIT,
                        "Tin nhắn theo quy tắc của nhà mạng dài %u đơn vị (%u phần), tối đa %u phần: hãy rút ngắn.",
                        got.units, got.parts, max_parts);
        }
        if (e == KG_OK) {
            *size = got;
            e = kg_buf_puts(out, kg_buf_str(&made));
        }
        kg_buf_done(&made);
    }
    return e;
}
