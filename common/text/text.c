#include "text/text.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "base/utf8.h"
#include "text/chars.h"

/* What `clean` does with a character: drop it, or put something else in its place. */
static bool is_dropped(uint32_t cp)
{
    const bool control = (cp < 0x20 && cp != '\n') || (cp >= 0x7F && cp < 0xA0);
    const bool bidi = cp == 0x200E || cp == 0x200F || (cp >= 0x202A && cp <= 0x202E) || (cp >= 0x2066 && cp <= 0x2069);
    return control || bidi || cp == 0xFEFF || (cp >= 0xFFF9 && cp <= 0xFFFB);
}

static kg_err put_clean(uint32_t cp, kg_buf *out)
{
    if (cp == '\t') {
        return kg_buf_puts(out, " "); /* words must not run together */
    }
    if (cp == 0x85 || cp == 0x2028 || cp == 0x2029) {
        return kg_buf_puts(out, "\n");
    }
    if (is_dropped(cp)) {
        return KG_OK;
    }
    char bytes[4];
    return kg_buf_put(out, bytes, kg_utf8_put(cp, bytes));
}

static kg_err clean_into(const char *s, kg_buf *out)
{
    kg_err e = KG_OK;
    for (uint32_t cp = 0; e == KG_OK && *s != '\0';) {
        s += chars_at(s, &cp);
        e = put_clean(cp, out);
    }
    return e;
}

static kg_err map(const char *s, utf8proc_option_t options, kg_buf *out)
{
    utf8proc_uint8_t *made = NULL;
    const utf8proc_ssize_t n =
        utf8proc_map((const utf8proc_uint8_t *)s, 0, &made, options | UTF8PROC_NULLTERM | UTF8PROC_STABLE);
    if (n < 0) {
        return n == UTF8PROC_ERROR_NOMEM ? KG_E_NOMEM : KG_E_INVALID;
    }
    const kg_err e = kg_buf_put(out, made, (size_t)n);
    free(made);
    return e;
}

kg_err text_nfc(const char *s, bool clean, kg_buf *out)
{
    if (!kg_utf8_valid(s, strlen(s))) {
        return KG_E_INVALID;
    }
    if (!clean) {
        return map(s, UTF8PROC_COMPOSE, out);
    }
    /* Cleaned first: a removed character may have kept a letter and its mark apart. */
    kg_buf plain = {0};
    kg_err e = clean_into(s, &plain);
    if (e == KG_OK) {
        e = map(kg_buf_str(&plain), UTF8PROC_COMPOSE, out);
    }
    kg_buf_done(&plain);
    return e;
}

static text_script script_of_letter(uint32_t cp)
{
    if (chars_is_latin(cp)) {
        return SCRIPT_LATIN;
    }
    if ((cp >= 0x1780 && cp <= 0x17DD) || (cp >= 0x19E0 && cp <= 0x19FF)) {
        return SCRIPT_KHMER;
    }
    if (cp >= 0x0E80 && cp <= 0x0EFF) {
        return SCRIPT_LAO;
    }
    if (cp >= 0x0E01 && cp <= 0x0E4E) {
        return SCRIPT_THAI;
    }
    /* The micro sign and the modifier letters (apostrophes of the highland languages) belong to no script. */
    const bool common = cp == 0xB5 || (cp >= 0x2B0 && cp <= 0x2FF);
    return common ? SCRIPT_NONE : SCRIPT_OTHER;
}

/* Bit (1u << script) for each script a letter of s belongs to. */
static unsigned scripts_in(const char *s)
{
    unsigned seen = 0;
    for (uint32_t cp = 0; *s != '\0';) {
        s += chars_at(s, &cp);
        if (chars_is_letter(cp)) {
            seen |= 1U << script_of_letter(cp);
        }
    }
    return seen & ~(1U << SCRIPT_NONE);
}

text_script text_script_of(const char *s)
{
    const unsigned seen = scripts_in(s);
    for (unsigned script = SCRIPT_LATIN; script < SCRIPT_MIXED; script++) {
        if (seen == 1U << script) {
            return (text_script)script;
        }
    }
    return seen == 0 ? SCRIPT_NONE : SCRIPT_MIXED;
}

/* ISO 639 of the languages of domain.md 7, and what their texts are written in. */
static text_script script_of_language(const char *language)
{
    static const struct {
        const char *tag;
        text_script script;
    } rows[] = {
        {"vi", SCRIPT_LATIN},  {"en", SCRIPT_LATIN},  {"rad", SCRIPT_LATIN}, {"mng", SCRIPT_LATIN},
        {"cmo", SCRIPT_LATIN}, {"mnn", SCRIPT_LATIN}, {"jra", SCRIPT_LATIN}, {"bdq", SCRIPT_LATIN},
        {"sed", SCRIPT_LATIN}, {"kpm", SCRIPT_LATIN}, {"hre", SCRIPT_LATIN}, {"tyz", SCRIPT_LATIN},
        {"nut", SCRIPT_LATIN}, {"hmn", SCRIPT_LATIN}, {"ium", SCRIPT_LATIN}, {"km", SCRIPT_KHMER},
        {"lo", SCRIPT_LAO},    {"th", SCRIPT_THAI},
    };
    const size_t n = strcspn(language, "-_");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strlen(rows[i].tag) == n && strncasecmp(rows[i].tag, language, n) == 0) {
            return rows[i].script;
        }
    }
    return SCRIPT_NONE;
}

bool text_fits_language(const char *s, const char *language)
{
    const text_script want = script_of_language(language);
    const unsigned seen = scripts_in(s);
    if (want == SCRIPT_NONE || seen == 0) {
        return true;
    }
    /* Road numbers and abbreviations stand in Latin letters within any script. */
    const unsigned own = 1U << want;
    return (seen & own) != 0 && (seen & ~(own | 1U << SCRIPT_LATIN)) == 0;
}

kg_err text_fold(const char *s, kg_buf *out)
{
    kg_buf plain = {0};
    kg_buf lower = {0};
    kg_err e = text_unaccent(s, &plain);
    if (e == KG_E_INVALID && kg_utf8_valid(s, strlen(s))) {
        kg_buf_clear(&plain);
        e = kg_buf_puts(&plain, s); /* another script keeps its marks */
    }
    if (e == KG_OK) {
        e = map(kg_buf_str(&plain), (utf8proc_option_t)(UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD), &lower);
    }
    bool gap = false;
    const size_t start = out->len;
    for (const char *p = kg_buf_str(&lower); e == KG_OK && *p != '\0'; p++) {
        if (strchr(" \t\r\n\f\v", *p) != NULL) {
            gap = out->len > start;
            continue;
        }
        e = gap ? kg_buf_puts(out, " ") : KG_OK;
        gap = false;
        if (e == KG_OK) {
            e = kg_buf_put(out, p, 1);
        }
    }
    kg_buf_done(&plain);
    kg_buf_done(&lower);
    return e;
}
