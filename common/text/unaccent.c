/* Accents come off in two steps: Unicode's own decomposition, then a short table for what has none. */
#include <string.h>

#include <utf8proc.h>

#include "base/utf8.h"
#include "text/chars.h"
#include "text/text.h"

static const struct {
    uint32_t cp;
    const char *plain;
} table[] = {
    /* letters that Unicode does not take apart */
    {0x111, "d"},
    {0x110, "D"},
    {0x180, "b"},
    {0x243, "B"},
    {0x253, "b"},
    {0x181, "B"},
    {0x257, "d"},
    {0x18A, "D"},
    {0x142, "l"},
    {0x141, "L"},
    {0xF8, "o"},
    {0xD8, "O"},
    {0xE6, "ae"},
    {0xC6, "AE"},
    {0x153, "oe"},
    {0x152, "OE"},
    {0xDF, "ss"},
    {0xF0, "d"},
    {0xD0, "D"},
    {0xFE, "th"},
    {0xDE, "Th"},
    {0x131, "i"},
    {0x14B, "ng"},
    {0x14A, "Ng"},
    {0x272, "nh"},
    /* apostrophes, quotes, dashes, bullets */
    {0x2B9, "'"},
    {0x2BB, "'"},
    {0x2BC, "'"},
    {0x2BD, "'"},
    {0x2018, "'"},
    {0x2019, "'"},
    {0x201A, ","},
    {0x201B, "'"},
    {0x2032, "'"},
    {0x201C, "\""},
    {0x201D, "\""},
    {0x201E, "\""},
    {0x201F, "\""},
    {0x2033, "\""},
    {0xAB, "\""},
    {0xBB, "\""},
    {0x2039, "'"},
    {0x203A, "'"},
    {0x2010, "-"},
    {0x2011, "-"},
    {0x2012, "-"},
    {0x2013, "-"},
    {0x2014, "-"},
    {0x2015, "-"},
    {0x2212, "-"},
    {0x2022, "-"},
    {0x2023, "-"},
    {0x2043, "-"},
    {0x25CF, "-"},
    {0x25AA, "-"},
    {0xB7, "."},
    {0x3002, "."},
    /* signs that people read in numbers */
    {0xB0, " do "},
    {0x2265, ">="},
    {0x2264, "<="},
    {0x2260, "<>"},
    {0x2248, "~"},
    {0x2243, "~"},
    {0xB1, "+-"},
    {0xD7, "x"},
    {0xF7, ":"},
    {0x2044, "/"},
    {0x2215, "/"},
    {0x2030, " phan nghin"},
    {0xB5, "u"},
    {0x3BC, "u"},
    {0x2192, "->"},
    {0x21D2, "->"},
    {0x2190, "<-"},
    {0x20AB, "d"},
    {0xA9, "(c)"},
    {0xAE, "(r)"},
    /* nothing to see: taken out */
    {0xAD, ""},
    {0x200B, ""},
    {0x200C, ""},
    {0x200D, ""},
    {0x2060, ""},
    {0xFEFF, ""},
};

static const char *plain_of(uint32_t cp)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].cp == cp) {
            return table[i].plain;
        }
    }
    return NULL;
}

/* Blanks written around a sign must not double those already there, nor those of the line's end. */
static kg_err put_words(const char *words, const char *rest, kg_buf *out)
{
    const size_t n = strlen(words);
    const bool open = words[0] == ' ' && (out->len == 0 || strchr(" \n", out->s[out->len - 1]) != NULL);
    const bool shut = n > 1 && words[n - 1] == ' ' && (*rest == '\0' || strchr(" \n.,;:!?)", *rest) != NULL);
    const size_t from = open ? 1 : 0;
    return kg_buf_put(out, words + from, n - from - (shut ? 1 : 0));
}

/* One character without its marks; KG_E_INVALID for a letter that has no plain form. */
static kg_err put_plain(uint32_t cp, const char *rest, kg_buf *out)
{
    const char *words = plain_of(cp);
    if (words != NULL) {
        return put_words(words, rest, out);
    }
    if (chars_is_mark(cp)) {
        return chars_is_inherited(cp) ? KG_OK : KG_E_INVALID;
    }
    if (cp >= 0x80 && chars_is_letter(cp)) {
        return KG_E_INVALID;
    }
    char bytes[4];
    return kg_buf_put(out, bytes, kg_utf8_put(cp, bytes));
}

/* "2½" is two and a half, not twenty-one halves. */
static bool is_fraction(uint32_t cp)
{
    return (cp >= 0xBC && cp <= 0xBE) || (cp >= 0x2150 && cp <= 0x215E);
}

static kg_err put_stripped(uint32_t cp, const char *rest, kg_buf *out)
{
    if (cp < 0x80 || plain_of(cp) != NULL) {
        return put_plain(cp, rest, out);
    }
    if (is_fraction(cp) && out->len > 0 && chars_is_digit((unsigned char)out->s[out->len - 1])) {
        const kg_err e = kg_buf_puts(out, " ");
        if (e != KG_OK) {
            return e;
        }
    }
    if (chars_is_mark(cp) && !chars_is_inherited(cp)) {
        return KG_E_INVALID; /* a vowel sign of another script */
    }
    if (chars_is_letter(cp) && !chars_is_latin(cp)) {
        /* fullwidth and mathematical Latin are found Latin after their decomposition only */
        const bool styled = (cp >= 0x1D400 && cp <= 0x1D7FF) || (cp >= 0x2100 && cp <= 0x214F);
        if (!styled) {
            return KG_E_INVALID;
        }
    }
    utf8proc_int32_t parts[32];
    int last_class = 0;
    const utf8proc_ssize_t n = utf8proc_decompose_char(
        (utf8proc_int32_t)cp, parts, (utf8proc_ssize_t)(sizeof parts / sizeof parts[0]),
        (utf8proc_option_t)(UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_STRIPMARK), &last_class);
    if (n < 0 || n > (utf8proc_ssize_t)(sizeof parts / sizeof parts[0])) {
        return KG_E_INVALID;
    }
    kg_err e = KG_OK;
    for (utf8proc_ssize_t i = 0; e == KG_OK && i < n; i++) {
        e = put_plain((uint32_t)parts[i], rest, out);
    }
    return e;
}

kg_err text_unaccent(const char *s, kg_buf *out)
{
    if (!kg_utf8_valid(s, strlen(s))) {
        return KG_E_INVALID;
    }
    const size_t start = out->len;
    kg_err e = KG_OK;
    for (uint32_t cp = 0; e == KG_OK && *s != '\0';) {
        s += chars_at(s, &cp);
        e = put_stripped(cp, s, out);
    }
    if (e != KG_OK && out->s != NULL) {
        out->len = start; /* nothing half-done is left behind */
        out->s[start] = '\0';
    }
    return e;
}
