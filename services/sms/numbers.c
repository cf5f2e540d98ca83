#include "numbers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"

enum { FILE_MAX = 4 * 1024 * 1024 };

/* No complaint shows a number: only the line. */
static kg_err bad_line(const char *path, size_t line, const char *what, kg_diag *diag)
{
    return kg_fail(diag, KG_E_INVALID, "%s:%zu: %s", path, line, what);
}

static bool read_digits(const char *s, size_t n, char out[NUMBERS_DIGITS_MAX])
{
    const char *prefix = n > 0 && s[0] == '0' ? "+84" : "";
    const size_t skip = prefix[0] != '\0' ? 1 : 0;
    const size_t plus = n > 0 && s[0] == '+' ? 1 : 0;
    const size_t digits = strspn(s + plus, "0123456789");
    if ((plus == 0 && skip == 0) || plus + digits != n || digits < 9 || digits > 15 ||
        strlen(prefix) + n - skip >= NUMBERS_DIGITS_MAX) {
        return false;
    }
    (void)snprintf(out, NUMBERS_DIGITS_MAX, "%s%.*s", prefix, (int)(n - skip), s + skip);
    return true;
}

static bool good_areas(const char *s, size_t n)
{
    if (n == 1 && s[0] == '*') {
        return true;
    }
    size_t at = 0;
    while (at < n) {
        const size_t digits = strspn(s + at, "0123456789");
        if (digits != 2 && digits != 5) {
            return false;
        }
        at += digits;
        if (at < n && s[at] != ',') {
            return false;
        }
        at += at < n ? 1U : 0U;
    }
    return n > 0 && s[n - 1] != ',';
}

static uint64_t mark_of(const char *digits)
{
    const alert_hash h = alert_hash_of(digits, strlen(digits));
    uint64_t mark = 0;
    memcpy(&mark, h.b, NUMBERS_MARK_BYTES);
    return mark;
}

static kg_err take_line(const char *path, size_t line, const char *s, numbers *out, kg_diag *diag)
{
    const size_t n = strcspn(s, "\t\n\r");
    if (s[0] == '#' || n == 0) {
        return n == 0 && s[0] == '\t' ? bad_line(path, line, "the number is missing", diag) : KG_OK;
    }
    number one = {.areas = NULL};
    if (!read_digits(s, n, one.digits)) {
        return bad_line(path, line,
                        "not a number: write +84 and nine figures, or 0 and nine figures, then a tab and area codes",
                        diag);
    }
    const char *areas = s[n] == '\t' ? s + n + 1 : "";
    const size_t m = strcspn(areas, "\t\n\r");
    if (!good_areas(areas, m)) {
        return bad_line(path, line,
                        "after the tab: commune codes of 5 figures or province codes of 2, with commas, or *", diag);
    }
    kg_buf fenced = {0};
    kg_err e = kg_buf_putf(&fenced, ",%.*s,", (int)m, areas);
    one.areas = e == KG_OK ? kg_arena_str(&out->mem, fenced.s) : NULL;
    kg_buf_done(&fenced);
    if (one.areas == NULL || out->count >= NUMBERS_MAX) {
        return kg_fail(diag, one.areas == NULL ? KG_E_NOMEM : KG_E_LIMIT, "%s:%zu: more than %d numbers, or no memory",
                       path, line, NUMBERS_MAX);
    }
    one.mark = mark_of(one.digits);
    out->items[out->count++] = one;
    return KG_OK;
}

static int by_mark(const void *a, const void *b)
{
    const number *x = a;
    const number *y = b;
    return x->mark < y->mark ? -1 : x->mark > y->mark ? 1 : 0;
}

kg_err numbers_load(const char *path, numbers *out, kg_diag *diag)
{
    kg_buf text = {0};
    numbers got = {.items = NULL};
    kg_err e = kg_file_is_private(path, diag);
    if (e == KG_OK) {
        e = kg_file_read(path, FILE_MAX, &text, diag);
    }
    size_t lines = 1;
    for (const char *p = kg_buf_str(&text); *p != '\0'; p++) {
        lines += *p == '\n' ? 1U : 0U;
    }
    if (e == KG_OK) {
        got.items = kg_arena_array(&got.mem, lines < NUMBERS_MAX ? lines : NUMBERS_MAX, sizeof *got.items);
        e = got.items != NULL ? KG_OK : kg_fail(diag, KG_E_NOMEM, "%s: no memory for the numbers", path);
    }
    size_t line = 1;
    for (const char *p = kg_buf_str(&text); e == KG_OK && *p != '\0'; line++) {
        e = take_line(path, line, p, &got, diag);
        p += strcspn(p, "\n");
        p += *p == '\n' ? 1 : 0;
    }
    if (e == KG_OK && got.items != NULL && got.count > 0) {
        qsort(got.items, got.count, sizeof *got.items, by_mark);
    }
    for (size_t i = 1; e == KG_OK && got.items != NULL && i < got.count; i++) {
        if (got.items[i].mark == got.items[i - 1].mark) {
            e = kg_fail(diag, KG_E_INVALID, "%s: one number stands in it twice (it ends in %s)", path,
                        got.items[i].digits + strlen(got.items[i].digits) - 3);
        }
    }
    kg_buf_done(&text);
    if (e != KG_OK) {
        numbers_done(&got);
        return e;
    }
    *out = got;
    return KG_OK;
}

void numbers_done(numbers *n)
{
    for (size_t i = 0; n->items != NULL && i < n->count; i++) {
        explicit_bzero(n->items[i].digits, sizeof n->items[i].digits);
    }
    kg_arena_done(&n->mem);
    *n = (numbers){.items = NULL};
}

static bool has_code(const char *fenced, const char *code)
{
    char wanted[16];
    (void)snprintf(wanted, sizeof wanted, ",%.8s,", code);
    return strstr(fenced, wanted) != NULL;
}

bool numbers_is_for(const number *n, const alert_texts *communes, const char *province)
{
    if (strcmp(n->areas, ",*,") == 0 || (province[0] != '\0' && has_code(n->areas, province))) {
        return true;
    }
    for (size_t i = 0; i < communes->count; i++) {
        if (has_code(n->areas, communes->items[i])) {
            return true;
        }
    }
    return false;
}

void numbers_tail(const number *n, char out[NUMBERS_TAIL_MAX])
{
    (void)snprintf(out, NUMBERS_TAIL_MAX, "...%s", n->digits + strlen(n->digits) - 3);
}
