#include "text/say_scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "text/chars.h"
#include "text/say_vi.h"
#include "text/say_words.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static void lower_word(const char *s, size_t n, char out[SAY_WORD_MAX])
{
    size_t used = 0;
    for (size_t i = 0; i < n;) {
        uint32_t cp = 0;
        char bytes[4];
        i += chars_at(s + i, &cp);
        const size_t len = kg_utf8_put(chars_lower(cp), bytes);
        if (used + len >= SAY_WORD_MAX) {
            break;
        }
        memcpy(out + used, bytes, len);
        used += len;
    }
    out[used] = '\0';
}

void say_word_before(const char *text, size_t at, char out[SAY_WORD_MAX])
{
    while (at > 0 && strchr(" \n:", text[at - 1]) != NULL) {
        at--;
    }
    size_t from = at;
    while (from > 0 && chars_is_letter(chars_before(text, from))) {
        from--;
        while (from > 0 && ((unsigned char)text[from] & 0xC0U) == 0x80U) {
            from--;
        }
    }
    lower_word(text + from, at - from, out);
}

void say_word_after(const char *s, char out[SAY_WORD_MAX])
{
    s += strspn(s, " ");
    size_t n = 0;
    for (uint32_t cp = 0; s[n] != '\0';) {
        const size_t len = chars_at(s + n, &cp);
        if (!chars_is_letter(cp)) {
            break;
        }
        n += len;
    }
    lower_word(s, n, out);
}

bool say_word_among(const char *word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, list[i]) == 0) {
            return true;
        }
    }
    return false;
}

void say_put(kg_buf *out, const char *words)
{
    if (out->len > 0 && strchr(" \n(", out->s[out->len - 1]) == NULL) {
        kg_ignore(kg_buf_puts(out, " ")); /* a failure marks the buffer */
    }
    kg_ignore(kg_buf_puts(out, words)); /* the same */
}

static void put_number(kg_buf *out, int64_t n)
{
    kg_ignore(say_vi_number(n, out)); /* a failure marks the buffer */
}

/* Reads 1 to most digits that are not followed by a further one; their count, 0 when it is not so. */
static size_t read_digits(const char *s, size_t most, unsigned *value)
{
    const size_t n = strspn(s, "0123456789");
    if (n == 0 || n > most) {
        return 0;
    }
    *value = (unsigned)strtoul(s, NULL, 10);
    return n;
}

/* ---- dates ---- */

typedef struct date {
    unsigned day, until_day, month, year; /* 0: not said */
} date;

static bool good_date(const date *d)
{
    return d->day >= 1 && d->day <= 31 && d->month >= 1 && d->month <= 12 && d->until_day <= 31 &&
           (d->until_day == 0 || d->until_day > d->day) && (d->year == 0 || (d->year >= 1900 && d->year < 2200));
}

/* d/m, d/m/yyyy, d-m-yyyy, d.m.yyyy, d-d/m; bytes used, 0 none. */
static size_t read_date(const char *s, date *out)
{
    date d = {0};
    size_t at = read_digits(s, 2, &d.day);
    if (at == 0) {
        return 0;
    }
    const size_t dash = s[at] == '-' ? 1 : strncmp(s + at, "–", 3) == 0 ? 3 : 0;
    unsigned second = 0;
    const size_t n = dash > 0 ? read_digits(s + at + dash, 2, &second) : 0;
    if (n > 0 && s[at + dash + n] == '/') {
        d.until_day = second;
        at += dash + n;
    }
    const char mark = s[at];
    const size_t m = mark == '/' || mark == '-' || mark == '.' ? read_digits(s + at + 1, 2, &d.month) : 0;
    if (m == 0) {
        return 0;
    }
    at += 1 + m;
    const size_t y = s[at] == mark ? read_digits(s + at + 1, 4, &d.year) : 0;
    if (y == 4) {
        at += 5;
    } else {
        d.year = 0;
        if (mark != '/' || (s[at] == '/' && chars_is_digit((unsigned char)s[at + 1]))) {
            return 0;
        }
    }
    if (!good_date(&d)) {
        return 0;
    }
    *out = d;
    return at;
}

/* Is d/m a day, or five communes of seven? A year, a cue or two-figure form says day. */
static bool is_day(const char *text, size_t at, size_t used, const date *d)
{
    static const char *const cues[] = {"ngày", "đêm", "sáng",  "trưa", "chiều", "tối", "mồng", "mùng", "hôm", "từ",
                                       "đến",  "tới", "trước", "sau",  "hết",   "giờ", "phút", "h",    "g",   "qua"};
    char before[SAY_WORD_MAX];
    say_word_before(text, at, before);
    return d->year > 0 || d->until_day > 0 || d->day > 12 || used == 5 || say_word_among(before, cues, COUNT(cues));
}

static void put_day(kg_buf *out, unsigned day)
{
    if (day <= 10) {
        say_put(out, "mùng");
    }
    put_number(out, day);
}

static size_t say_date(const char *text, size_t at, kg_buf *out)
{
    static const char *const said[] = {"ngày"};
    static const char *const counted[] = {"mồng", "mùng"};
    date d;
    char before[SAY_WORD_MAX];
    const size_t used = read_date(text + at, &d);
    if (used == 0 || !is_day(text, at, used, &d)) {
        return 0;
    }
    say_word_before(text, at, before);
    const bool has_mung = say_word_among(before, counted, COUNT(counted));
    if (!has_mung && !say_word_among(before, said, COUNT(said))) {
        say_put(out, "ngày");
    }
    if (has_mung) {
        put_number(out, d.day);
    } else {
        put_day(out, d.day);
    }
    if (d.until_day > 0) {
        say_put(out, "đến");
        say_put(out, "ngày");
        put_day(out, d.until_day);
    }
    say_put(out, "tháng");
    if (d.month == 4) {
        say_put(out, "tư");
    } else {
        put_number(out, d.month);
    }
    if (d.year > 0) {
        say_put(out, "năm");
        put_number(out, d.year);
    }
    return used;
}

/* 11/2026 */
static size_t say_month(const char *text, size_t at, kg_buf *out)
{
    static const char *const said[] = {"tháng"};
    unsigned month = 0;
    unsigned year = 0;
    char before[SAY_WORD_MAX];
    const size_t n = read_digits(text + at, 2, &month);
    if (n == 0 || month < 1 || month > 12 || text[at + n] != '/' || read_digits(text + at + n + 1, 4, &year) != 4 ||
        year < 1900 || year > 2199) {
        return 0;
    }
    say_word_before(text, at, before);
    if (!say_word_among(before, said, COUNT(said))) {
        say_put(out, "tháng");
    }
    if (month == 4) {
        say_put(out, "tư");
    } else {
        put_number(out, month);
    }
    say_put(out, "năm");
    put_number(out, year);
    return n + 5;
}

/* ---- times ---- */

typedef struct hours {
    unsigned hour, minute, second;
    bool has_minute, has_second;
} hours;

static bool word_goes_on(const char *s)
{
    uint32_t cp = 0;
    (void)chars_at(s, &cp);
    return chars_is_letter(cp) || chars_is_digit(cp);
}

/* 18h, 18h30, 18g30, 18:30, 18:30:05; bytes used, 0 none. */
static size_t read_time(const char *s, hours *out)
{
    hours t = {0};
    size_t at = read_digits(s, 2, &t.hour);
    const char mark = s[at];
    if (at == 0 || t.hour > 24 || (mark != 'h' && mark != 'H' && mark != 'g' && mark != ':')) {
        return 0;
    }
    at++;
    const size_t n = read_digits(s + at, 2, &t.minute);
    t.has_minute = n == 2 && t.minute < 60;
    if (!t.has_minute) {
        return mark == ':' || mark == 'g' || word_goes_on(s + at) ? 0 : (*out = (hours){.hour = t.hour}, at);
    }
    at += 2;
    if (mark == ':' && s[at] == ':' && read_digits(s + at + 1, 2, &t.second) == 2 && t.second < 60) {
        t.has_second = true;
        at += 3;
    }
    *out = t;
    return at;
}

/* The minutes' own sign behind 18h30 is part of it. */
static size_t minute_sign(const char *s)
{
    static const char *const signs[] = {"'", "’", "′", "ph", "p"};
    for (size_t i = 0; i < COUNT(signs); i++) {
        const size_t n = strlen(signs[i]);
        if (strncmp(s, signs[i], n) == 0 && !word_goes_on(s + n)) {
            return n;
        }
    }
    char after[SAY_WORD_MAX];
    say_word_after(s, after);
    return strcmp(after, "phút") == 0 ? strspn(s, " ") + strlen("phút") : 0;
}

static size_t say_time(const char *text, size_t at, kg_buf *out)
{
    hours t;
    size_t used = read_time(text + at, &t);
    if (used == 0) {
        return 0;
    }
    put_number(out, t.hour);
    say_put(out, "giờ");
    if (t.has_minute) {
        used += minute_sign(text + at + used);
    }
    if (t.minute > 0 || t.has_second) {
        put_number(out, t.minute);
        say_put(out, "phút");
    }
    if (t.has_second) {
        put_number(out, t.second);
        say_put(out, "giây");
    }
    return used;
}

/* ---- telephone numbers ---- */

static bool is_emergency(const char *s, size_t n)
{
    return n == 3 && s[0] == '1' && s[1] == '1' && s[2] >= '1' && s[2] <= '5';
}

/* 112 is a number to call, unless it counts something: "112 hộ", "112 mm". */
static bool counts_something(const char *rest)
{
    static const char *const links[] = {"hoặc", "và",  "hay", "để",  "khi", "nếu", "ngay", "khẩn",
                                        "là",   "nhờ", "xin", "khi", "lúc", "của", "bất"};
    char after[SAY_WORD_MAX];
    size_t n = 0;
    if (say_unit_at(rest + strspn(rest, " "), &n) != NULL) {
        return true;
    }
    say_word_after(rest, after);
    return after[0] != '\0' && !say_word_among(after, links, COUNT(links));
}

static size_t say_telephone(const char *text, size_t at, kg_buf *out)
{
    static const char *const cues[] = {"gọi", "máy", "nóng", "hotline", "thoại", "đài", "hệ", "đt", "sđt"};
    const char *s = text + at;
    char before[SAY_WORD_MAX];
    const size_t first = strspn(s, "0123456789");
    if (first < 3) {
        return 0;
    }
    say_word_before(text, at, before);
    const bool called = say_word_among(before, cues, COUNT(cues));
    const bool plus = at > 0 && text[at - 1] == '+' && first >= 8;
    const bool emergency = is_emergency(s, first) && !counts_something(s + first);
    if (!called && !plus && !emergency && s[0] != '0') {
        return 0;
    }
    size_t used = first;
    if (s[0] == '0' || first >= 4) { /* further groups: 0270.3822.222, 1900 1234 */
        while (used < 24 && strchr(" .-", s[used]) != NULL && s[used] != '\0') {
            const size_t more = strspn(s + used + 1, "0123456789");
            if (more < 3 || more > 4) {
                break;
            }
            used += 1 + more;
        }
    }
    if (out->len > 0) {
        say_put(out, "");
    }
    kg_ignore(say_digits(s, used, out)); /* a failure marks the buffer */
    return used;
}

/* ---- quantities ---- */

enum { QUANTITY_DIGITS = 18 };

typedef struct quantity {
    char whole[QUANTITY_DIGITS + 1];
    char part[QUANTITY_DIGITS + 1]; /* behind the decimal mark */
    bool too_long;
} quantity;

/* Length of a thousands mark at s: a dot, or a no-break or thin blank, with exactly three digits behind; else 0.
 * A comma stands for thousands only where there are two or more (1,500,000): one comma is the decimal mark. */
static size_t thousands_mark(const char *s, bool comma)
{
    static const char *const marks[] = {".", "\u00A0", "\u202F", "\u2009"};
    size_t n = comma && *s == ',' ? 1 : 0;
    for (size_t i = 0; n == 0 && i < COUNT(marks); i++) {
        n = strncmp(s, marks[i], strlen(marks[i])) == 0 ? strlen(marks[i]) : 0;
    }
    return n > 0 && strspn(s + n, "0123456789") == 3 ? n : 0;
}

static size_t read_quantity(const char *s, quantity *q)
{
    size_t at = strspn(s, "0123456789");
    size_t n = at;
    *q = (quantity){.too_long = at > QUANTITY_DIGITS};
    if (q->too_long) {
        return at;
    }
    memcpy(q->whole, s, at);
    const bool commas = at <= 3 && s[at] == ',' && strspn(s + at + 1, "0123456789") == 3 && s[at + 4] == ',' &&
                        strspn(s + at + 5, "0123456789") == 3;
    size_t mark = at <= 3 && s[0] != '0' ? thousands_mark(s + at, commas) : 0;
    while (mark > 0 && n + 3 <= QUANTITY_DIGITS) {
        memcpy(q->whole + n, s + at + mark, 3);
        n += 3;
        at += mark + 3;
        mark = thousands_mark(s + at, commas);
    }
    const size_t part = s[at] == ',' || s[at] == '.' ? strspn(s + at + 1, "0123456789") : 0;
    if (part > 0 && part <= QUANTITY_DIGITS) {
        memcpy(q->part, s + at + 1, part);
        at += 1 + part;
    }
    return at;
}

/* 2,25 "hai phẩy hai mươi lăm"; 2,05 and 2,125 figure by figure. */
static void put_quantity(const quantity *q, kg_buf *out)
{
    const size_t n = strlen(q->whole);
    if (q->whole[0] == '0' && n > 2) {
        say_put(out, "");
        kg_ignore(say_digits(q->whole, n, out)); /* a failure marks the buffer */
    } else {
        put_number(out, strtoll(q->whole, NULL, 10));
    }
    if (q->part[0] == '\0') {
        return;
    }
    say_put(out, "phẩy");
    if (strlen(q->part) <= 2 && q->part[0] != '0') {
        put_number(out, strtoll(q->part, NULL, 10));
    } else {
        say_put(out, "");
        kg_ignore(say_digits(q->part, strlen(q->part), out)); /* the same */
    }
}

/* "km" after a number, perhaps after one blank. */
static size_t put_unit(const char *s, kg_buf *out)
{
    static const char *const halves[] = {"½"};
    size_t used = 0;
    size_t n = 0;
    if (strncmp(s, halves[0], strlen(halves[0])) == 0) {
        say_put(out, "rưỡi");
        used = strlen(halves[0]);
    }
    const size_t blank = s[used] == ' ' || strncmp(s + used, "\u00A0", 2) == 0 ? (s[used] == ' ' ? 1U : 2U) : 0U;
    const say_unit *unit = say_unit_at(s + used + blank, &n);
    if (unit == NULL) {
        return used;
    }
    say_put(out, unit->spoken);
    return used + blank + n;
}

size_t say_scan_quantity(const char *text, size_t at, kg_buf *out)
{
    const char *s = text + at;
    quantity q;
    size_t used = read_quantity(s, &q);
    if (q.too_long) {
        say_put(out, "");
        kg_ignore(say_digits(s, used, out)); /* a failure marks the buffer */
        return used;
    }
    put_quantity(&q, out);
    unsigned below = 0;
    if (s[used] == '/' && q.part[0] == '\0' && read_digits(s + used + 1, 4, &below) > 0 && below > 0) {
        say_put(out, "trên"); /* 5/7, 24/24 */
        put_number(out, below);
        used += 1 + strspn(s + used + 1, "0123456789");
    }
    return used + put_unit(s + used, out);
}

size_t say_scan_number(const char *text, size_t at, kg_buf *out)
{
    static size_t (*const readers[])(const char *, size_t, kg_buf *) = {say_date, say_month, say_time, say_telephone};
    for (size_t i = 0; i < COUNT(readers); i++) {
        const size_t used = readers[i](text, at, out);
        if (used > 0) {
            return used;
        }
    }
    return say_scan_quantity(text, at, out);
}
