/* The walk over the text: each place is tried as an address, a number, a road, an abbreviation, a unit, a word in
 * capitals, a sign; what is none of these is copied. */
#include "text/say_vi.h"

#include <string.h>

#include "base/utf8.h"
#include "text/chars.h"
#include "text/say_scan.h"
#include "text/say_words.h"
#include "text/text.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

enum { SPELL_MOST = 6 };

typedef struct walk {
    const char *s;
    size_t at;
    kg_buf *out;
    bool spoken;       /* the last thing put was words of ours, not the text's own */
    bool after_number; /* ... and it was a number: a dash behind it means "to" */
    unsigned urls;
} walk;

static void put(kg_buf *out, const char *s, size_t n)
{
    kg_ignore(kg_buf_put(out, s, n)); /* a failure marks the buffer */
}

static char last_put(const walk *w)
{
    return w->out->len > 0 ? w->out->s[w->out->len - 1] : '\0';
}

static void trim_blank(walk *w)
{
    while (last_put(w) == ' ') {
        w->out->s[--w->out->len] = '\0';
    }
}

static void speak(walk *w, const char *words)
{
    say_put(w->out, words);
    w->spoken = true;
    w->after_number = false;
}

/* ---- addresses of the net ---- */

static size_t token_length(const char *s)
{
    size_t n = strcspn(s, " \n<>\"()[]{}");
    while (n > 0 && strchr(".,;:!?'", s[n - 1]) != NULL) {
        n--; /* the sentence's own mark stays */
    }
    return n;
}

static bool ends_in_domain(const char *s, size_t n)
{
    static const char *const ends[] = {".vn", ".com", ".org", ".net", ".info", ".edu", ".gov", ".asia", ".io"};
    for (size_t i = 0; i < COUNT(ends); i++) {
        const size_t len = strlen(ends[i]);
        if (n > len && strncasecmp(s + n - len, ends[i], len) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_address(const char *s, size_t n)
{
    static const char *const starts[] = {"http://", "https://", "ftp://", "www.", "mailto:"};
    for (size_t i = 0; i < COUNT(starts); i++) {
        if (n > strlen(starts[i]) && strncasecmp(s, starts[i], strlen(starts[i])) == 0) {
            return true;
        }
    }
    const char *mail = memchr(s, '@', n);
    if (mail != NULL && mail > s && memchr(mail, '.', n - (size_t)(mail - s)) != NULL) {
        return true;
    }
    const char *slash = memchr(s, '/', n);
    const char *colon = memchr(s, ':', n);
    size_t host = slash != NULL ? (size_t)(slash - s) : n;
    host = colon != NULL && (size_t)(colon - s) < host ? (size_t)(colon - s) : host;
    return ends_in_domain(s, host);
}

static bool skip_address(walk *w)
{
    const size_t n = token_length(w->s + w->at);
    if (n < 4 || !is_address(w->s + w->at, n)) {
        return false;
    }
    w->urls++;
    w->at += n;
    w->spoken = true;
    w->after_number = false;
    return true;
}

/* ---- words ---- */

static size_t word_length(const char *s, bool *capitals, size_t *letters)
{
    size_t n = 0;
    *capitals = true;
    *letters = 0;
    for (uint32_t cp = 0; s[n] != '\0';) {
        const size_t len = chars_at(s + n, &cp);
        if (!chars_is_letter(cp) && !chars_is_mark(cp)) {
            break;
        }
        *capitals = *capitals && (chars_is_upper(cp) || chars_is_mark(cp));
        *letters += chars_is_letter(cp) ? 1U : 0U;
        n += len;
    }
    return n;
}

static void put_lower(walk *w, const char *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        uint32_t cp = 0;
        char bytes[4];
        i += chars_at(s + i, &cp);
        put(w->out, bytes, kg_utf8_put(chars_lower(cp), bytes));
    }
}

static void spell(walk *w, const char *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        uint32_t cp = 0;
        const size_t len = chars_at(s + i, &cp);
        const char *name = say_letter(cp);
        if (name != NULL) {
            speak(w, name);
        } else {
            say_put(w->out, "");
            put(w->out, s + i, len);
        }
        i += len;
    }
}

static bool say_roman_word(walk *w, size_t n)
{
    static const char *const cues[] = {"cấp", "mức", "động", "đợt", "đoạn", "quý", "khóa", "số", "loại", "tuyến"};
    char before[SAY_WORD_MAX];
    const unsigned value = say_roman(w->s + w->at, n);
    say_word_before(w->s, w->at, before);
    if (value == 0 || !say_word_among(before, cues, COUNT(cues))) {
        return false;
    }
    kg_ignore(say_vi_number(value, w->out)); /* a failure marks the buffer */
    w->spoken = true;
    w->after_number = true;
    return true;
}

static void copy_word(walk *w, size_t n, bool capitals, size_t letters)
{
    const char *s = w->s + w->at;
    const bool glued = w->spoken && last_put(w) != '\0' && strchr(" (\"", last_put(w)) == NULL;
    if (glued) {
        say_put(w->out, "");
    }
    const bool word = letters > SPELL_MOST || (letters >= 2 && say_is_syllable(s, n));
    if (capitals && word) {
        put_lower(w, s, n);
        w->spoken = false;
    } else if (capitals && (letters >= 2 || glued)) {
        spell(w, s, n);
    } else {
        put(w->out, s, n);
        w->spoken = false;
    }
    w->after_number = false;
}

static void say_word(walk *w)
{
    const char *s = w->s + w->at;
    size_t n = 0;
    bool capitals = false;
    size_t letters = 0;
    const size_t length = word_length(s, &capitals, &letters);
    const char *words = say_road_at(s, &n);
    if (words != NULL) {
        speak(w, words);
        w->at += n;
        w->at += say_scan_quantity(w->s, w->at, w->out);
        w->after_number = true;
        return;
    }
    if (say_roman_word(w, length)) {
        w->at += length;
        return;
    }
    words = say_abbreviation_at(s, &n);
    if (words == NULL) {
        const say_unit *unit = say_unit_at(s, &n);
        words = unit != NULL && unit->alone ? unit->spoken : NULL;
    }
    if (words != NULL) {
        speak(w, words);
        w->at += n;
        return;
    }
    copy_word(w, length, capitals, letters);
    w->at += length;
}

/* ---- signs ---- */

static const struct {
    const char *sign, *words;
} signs[] = {
    {"&", "và"},
    {"=", "bằng"},
    {">=", "lớn hơn hoặc bằng"},
    {"<=", "nhỏ hơn hoặc bằng"},
    {"≥", "lớn hơn hoặc bằng"},
    {"≤", "nhỏ hơn hoặc bằng"},
    {">", "lớn hơn"},
    {"<", "nhỏ hơn"},
    {"~", "khoảng"},
    {"≈", "khoảng"},
    {"±", "cộng trừ"},
    {"+", "cộng"},
    {"×", "nhân"},
    {"→", "đến"},
    {"½", "một phần hai"},
    {"¼", "một phần tư"},
    {"¾", "ba phần tư"},
    /* not spoken: a blank is enough */
    {"*", ""},
    {"#", ""},
    {"_", ""},
    {"|", ""},
    {"/", ""},
    {"\\", ""},
    {"[", ""},
    {"]", ""},
    {"{", ""},
    {"}", ""},
    {"^", ""},
    {"`", ""},
    {"“", ""},
    {"”", ""},
    {"\"", ""},
    {"«", ""},
    {"»", ""},
    {"•", ""},
    {"…", "..."},
};

static bool say_sign(walk *w)
{
    const char *s = w->s + w->at;
    size_t best = COUNT(signs);
    size_t best_n = 0;
    for (size_t i = 0; i < COUNT(signs); i++) {
        const size_t n = strlen(signs[i].sign);
        if (n > best_n && strncmp(s, signs[i].sign, n) == 0) {
            best = i;
            best_n = n;
        }
    }
    if (best == COUNT(signs)) {
        return false;
    }
    const char *words = signs[best].words;
    if (words[0] == '.') {
        put(w->out, words, strlen(words));
    } else if (words[0] != '\0') {
        speak(w, words);
    } else if (w->out->len > 0) {
        say_put(w->out, "");
    }
    w->spoken = true;
    w->after_number = false;
    w->at += best_n;
    return true;
}

static size_t dash_at(const char *s)
{
    static const char *const dashes[] = {"-", "–", "—", "−"};
    for (size_t i = 0; i < COUNT(dashes); i++) {
        if (strncmp(s, dashes[i], strlen(dashes[i])) == 0) {
            return strlen(dashes[i]);
        }
    }
    return 0;
}

/* 3-5 "to"; -5 "minus"; a-b one blank; " - " a pause. */
static bool say_dash(walk *w)
{
    const char *s = w->s + w->at;
    const size_t n = dash_at(s);
    if (n == 0) {
        return false;
    }
    const size_t blanks = strspn(s + n, " ");
    const bool digit_next = chars_is_digit((unsigned char)s[n + blanks]);
    const bool starts = w->at == 0 || strchr(" (\n", w->s[w->at - 1]) != NULL;
    if (w->after_number && digit_next) {
        speak(w, "đến");
        w->at += n + blanks;
    } else if (starts && digit_next && blanks == 0) {
        speak(w, "âm");
        w->at += n;
    } else if (starts && (blanks > 0 || s[n] == '\0') && w->out->len > 0) {
        trim_blank(w);
        if (last_put(w) != '\0' && strchr(".,;:!?", last_put(w)) == NULL) {
            put(w->out, ",", 1);
        }
        w->at += n;
        w->spoken = true;
        w->after_number = false;
    } else {
        if (w->out->len > 0) {
            say_put(w->out, "");
        }
        w->at += n;
        w->spoken = true;
        w->after_number = false;
    }
    return true;
}

static void copy_mark(walk *w)
{
    const char *s = w->s + w->at;
    uint32_t cp = 0;
    const size_t n = chars_at(s, &cp);
    w->at += n;
    if (cp == ' ' || cp == 0xA0) {
        if (w->out->len > 0 && last_put(w) != ' ') {
            put(w->out, " ", 1);
        }
        return; /* a dash may still follow a number */
    }
    w->after_number = false;
    if (cp == '\n') {
        trim_blank(w);
        if (w->out->len > 0 && strchr(".,;:!?", last_put(w)) == NULL) {
            put(w->out, ".", 1);
        }
        say_put(w->out, "");
        w->spoken = true;
        return;
    }
    if (cp < 0x80 && strchr(".,;:!?)", (int)cp) != NULL) {
        trim_blank(w);
        if (cp == ')' && last_put(w) == '(') { /* the address in it was taken out */
            w->out->s[--w->out->len] = '\0';
            trim_blank(w);
            w->spoken = true;
            return;
        }
    } else if (w->spoken && last_put(w) != '\0' && strchr(" (", last_put(w)) == NULL) {
        say_put(w->out, "");
    }
    put(w->out, s, n);
    w->spoken = false;
}

static void step(walk *w)
{
    uint32_t cp = 0;
    (void)chars_at(w->s + w->at, &cp);
    const uint32_t before = chars_before(w->s, w->at);
    const bool starts = !chars_is_letter(before) && !chars_is_digit(before);
    size_t n = 0;
    if (starts && (chars_is_letter(cp) || chars_is_digit(cp)) && skip_address(w)) {
        return;
    }
    if (chars_is_digit(cp)) {
        w->at += say_scan_number(w->s, w->at, w->out);
        w->spoken = true;
        w->after_number = true;
    } else if (chars_is_letter(cp)) {
        say_word(w);
    } else if (say_unit_at(w->s + w->at, &n) != NULL && say_unit_at(w->s + w->at, &n)->alone) {
        speak(w, say_unit_at(w->s + w->at, &n)->spoken); /* a percent or degree sign on its own */
        w->at += n;
    } else if (!say_dash(w) && !say_sign(w)) {
        copy_mark(w);
    }
}

kg_err say_vi(const char *s, kg_buf *out, unsigned *dropped_urls)
{
    kg_buf plain = {0};
    kg_buf spoken = {0};
    kg_err e = text_nfc(s, true, &plain);
    walk w = {.s = kg_buf_str(&plain), .out = &spoken};
    while (e == KG_OK && w.s[w.at] != '\0') {
        step(&w);
        e = kg_buf_failed(&spoken);
    }
    if (e == KG_OK) {
        trim_blank(&w);
        e = kg_buf_put(out, kg_buf_str(&spoken), spoken.len);
    }
    if (e == KG_OK) {
        *dropped_urls = w.urls;
    }
    kg_buf_done(&plain);
    kg_buf_done(&spoken);
    return e;
}
