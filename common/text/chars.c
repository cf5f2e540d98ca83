#include "text/chars.h"

#include <string.h>

#include <utf8proc.h>

#include "base/utf8.h"

typedef struct range {
    uint32_t from, to;
} range;

static const range latin[] = {
    {'A', 'Z'},       {'a', 'z'},       {0xAA, 0xAA},     {0xBA, 0xBA},     {0xC0, 0xD6},     {0xD8, 0xF6},
    {0xF8, 0x2AF},    {0x1D00, 0x1D25}, {0x1E00, 0x1EFF}, {0x2C60, 0x2C7F}, {0xA722, 0xA787}, {0xA78B, 0xA7FF},
    {0xAB30, 0xAB64}, {0xFB00, 0xFB06}, {0xFF21, 0xFF3A}, {0xFF41, 0xFF5A},
};
static const range inherited[] = {{0x300, 0x36F},   {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF},
                                  {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}};

static bool among(const range *ranges, size_t count, uint32_t cp)
{
    for (size_t i = 0; i < count; i++) {
        if (cp >= ranges[i].from && cp <= ranges[i].to) {
            return true;
        }
    }
    return false;
}

size_t chars_at(const char *s, uint32_t *cp)
{
    if (*s == '\0') {
        *cp = 0;
        return 0;
    }
    const size_t n = kg_utf8_next(s, strnlen(s, 4), cp);
    if (n == 0) {
        *cp = 0xFFFD;
        return 1;
    }
    return n;
}

uint32_t chars_before(const char *s, size_t at)
{
    uint32_t cp = 0;
    size_t back = 1;
    if (at == 0) {
        return 0;
    }
    while (back < 4 && back < at && ((unsigned char)s[at - back] & 0xC0U) == 0x80U) {
        back++;
    }
    return kg_utf8_next(s + at - back, back, &cp) == back ? cp : 0xFFFD;
}

static utf8proc_category_t category(uint32_t cp)
{
    return utf8proc_category((utf8proc_int32_t)cp);
}

bool chars_is_letter(uint32_t cp)
{
    const utf8proc_category_t c = category(cp);
    return c == UTF8PROC_CATEGORY_LU || c == UTF8PROC_CATEGORY_LL || c == UTF8PROC_CATEGORY_LT ||
           c == UTF8PROC_CATEGORY_LM || c == UTF8PROC_CATEGORY_LO;
}

bool chars_is_mark(uint32_t cp)
{
    const utf8proc_category_t c = category(cp);
    return c == UTF8PROC_CATEGORY_MN || c == UTF8PROC_CATEGORY_MC || c == UTF8PROC_CATEGORY_ME;
}

bool chars_is_upper(uint32_t cp)
{
    return category(cp) == UTF8PROC_CATEGORY_LU;
}

uint32_t chars_lower(uint32_t cp)
{
    return (uint32_t)utf8proc_tolower((utf8proc_int32_t)cp);
}

bool chars_is_latin(uint32_t cp)
{
    return among(latin, sizeof latin / sizeof latin[0], cp) && chars_is_letter(cp);
}

bool chars_is_inherited(uint32_t cp)
{
    return among(inherited, sizeof inherited / sizeof inherited[0], cp);
}
