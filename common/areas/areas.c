#include "areas/areas.h"

#include <stdlib.h>
#include <string.h>

#include "areas/areas_table.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/utf8.h"

enum { TABLE_MAX = 4 * 1024 * 1024, COLUMNS = 7, CODE_DIGITS = 5, DAY_LEN = 10 };

static const char header[] = "code\tname\tkind\tprovince\tvalid_from\tvalid_until\tsuccessor";

static bool digits(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9') {
            return false;
        }
    }
    return true;
}

static bool is_code(const char *s)
{
    return strlen(s) == CODE_DIGITS && digits(s, CODE_DIGITS);
}

static bool is_day(const char *s)
{
    return strlen(s) == DAY_LEN && digits(s, 4) && s[4] == '-' && digits(s + 5, 2) && s[7] == '-' && digits(s + 8, 2);
}

static bool is_codes(const char *s)
{
    for (;;) {
        if (strlen(s) < CODE_DIGITS || !digits(s, CODE_DIGITS)) {
            return false;
        }
        s += CODE_DIGITS;
        if (*s == '\0') {
            return true;
        }
        if (*s++ != ' ') {
            return false;
        }
    }
}

int areas_province_number(const char *s)
{
    return strlen(s) == 2 && digits(s, 2) ? (s[0] - '0') * 10 + (s[1] - '0') : -1;
}

static const char *row_fault(const commune *c)
{
    static const char *const kinds[] = {"xã", "phường", "đặc khu"};
    bool kind = false;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        kind = kind || strcmp(c->kind, kinds[i]) == 0;
    }
    return !is_code(c->code)                                      ? "the code is not 5 digits"
           : c->name[0] == '\0'                                   ? "the name is empty"
           : !kind                                                ? "the kind is none of xã, phường, đặc khu"
           : areas_province_number(c->province) <= 0              ? "the province is not 2 digits from 01"
           : !is_day(c->valid_from)                               ? "valid_from is not YYYY-MM-DD"
           : c->valid_until[0] != '\0' && !is_day(c->valid_until) ? "valid_until is neither empty nor YYYY-MM-DD"
           : c->successor[0] != '\0' && !is_codes(c->successor)   ? "the successor is not a code"
           : c->successor[0] != '\0' && c->valid_until[0] == '\0' ? "it has a successor but no valid_until"
                                                                  : NULL;
}

/* Cuts one line in place into its columns. */
static kg_err read_row(char *line, commune *out)
{
    const char *column[COLUMNS];
    size_t n = 0;
    for (char *p = line;; p++) {
        if (n == COLUMNS) {
            return KG_E_INVALID;
        }
        column[n++] = p;
        p += strcspn(p, "\t");
        if (*p == '\0') {
            break;
        }
        *p = '\0';
    }
    if (n != COLUMNS) {
        return KG_E_INVALID;
    }
    *out = (commune){.code = column[0],
                     .name = column[1],
                     .kind = column[2],
                     .province = column[3],
                     .valid_from = column[4],
                     .valid_until = column[5],
                     .successor = column[6]};
    return KG_OK;
}

static int by_code(const void *a, const void *b)
{
    return strcmp(((const commune *)a)->code, ((const commune *)b)->code);
}

typedef struct rows {
    commune *items;
    size_t count;
} rows;

/* Reads `text` (kept by the arena, cut in place) into rows; old rows are put first by the caller. */
static kg_err read_table(const char *path, char *text, rows *out, kg_diag *diag)
{
    size_t line = 0;
    for (char *p = text, *next = NULL; p != NULL; p = next) {
        line++;
        next = strchr(p, '\n');
        if (next != NULL) {
            *next++ = '\0';
        }
        if (line == 1 && strcmp(p, header) != 0) {
            return kg_fail(diag, KG_E_INVALID, "%s:1: the first line must name the columns: %s", path, header);
        }
        if (line == 1 || *p == '\0' || *p == '#') {
            continue;
        }
        if (out->count == AREAS_COMMUNES_MAX) {
            return kg_fail(diag, KG_E_LIMIT, "%s:%zu: more than %d communes", path, line, AREAS_COMMUNES_MAX);
        }
        commune *c = &out->items[out->count];
        if (read_row(p, c) != KG_OK) {
            return kg_fail(diag, KG_E_INVALID, "%s:%zu: not %d columns with tabs between them", path, line, COLUMNS);
        }
        const char *fault = row_fault(c);
        if (fault != NULL) {
            return kg_fail(diag, KG_E_INVALID, "%s:%zu: %s", path, line, fault);
        }
        out->count++;
    }
    return KG_OK;
}

static size_t lines_of(const char *s)
{
    size_t n = 1;
    for (; (s = strchr(s, '\n')) != NULL; s++) {
        n++;
    }
    return n;
}

/* The rows of the table and of the file together, sorted, each code once. */
static kg_err join(areas *a, const char *path, const kg_buf *file, rows *out, kg_diag *diag)
{
    if (!kg_utf8_valid(kg_buf_str(file), file->len)) {
        return kg_fail(diag, KG_E_INVALID, "%s: not valid UTF-8 text", path);
    }
    char *text = kg_arena_strn(&a->mem, kg_buf_str(file), file->len);
    if (text == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "%s: no memory for the table of communes", path);
    }
    out->items = kg_arena_array(&a->mem, a->count + lines_of(text), sizeof *out->items);
    if (out->items == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "%s: no memory for the table of communes", path);
    }
    if (a->count > 0) {
        memcpy(out->items, a->items, a->count * sizeof *a->items);
    }
    out->count = a->count;
    const kg_err e = read_table(path, text, out, diag);
    if (e != KG_OK) {
        return e;
    }
    if (out->count == a->count) {
        return kg_fail(diag, KG_E_INVALID, "%s: no commune in it", path);
    }
    qsort(out->items, out->count, sizeof *out->items, by_code);
    for (size_t i = 1; i < out->count; i++) {
        if (strcmp(out->items[i - 1].code, out->items[i].code) == 0) {
            return kg_fail(diag, KG_E_INVALID, "%s: commune code %s stands twice (a code is never reused)", path,
                           out->items[i].code);
        }
    }
    return KG_OK;
}

kg_err areas_add(areas *a, const char *communes_tsv, kg_diag *diag)
{
    if (a->outlines != NULL) {
        return kg_fail(diag, KG_E_BUG, "%s: all commune tables are loaded before any geometry", communes_tsv);
    }
    kg_buf file = {0};
    rows all = {0};
    kg_err e = kg_file_read(communes_tsv, TABLE_MAX, &file, diag);
    if (e == KG_OK) {
        e = join(a, communes_tsv, &file, &all, diag);
    }
    kg_buf_done(&file);
    if (e != KG_OK) {
        return e;
    }
    a->items = all.items;
    a->count = all.count;
    for (size_t i = 0; i < a->count; i++) {
        a->provinces[areas_province_number(a->items[i].province)] = true;
    }
    return KG_OK;
}

kg_err areas_load(const char *communes_tsv, areas **out, kg_diag *diag)
{
    areas *a = calloc(1, sizeof *a);
    if (a == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "%s: no memory for the table of communes", communes_tsv);
    }
    const kg_err e = areas_add(a, communes_tsv, diag);
    if (e != KG_OK) {
        areas_free(&a);
        return e;
    }
    *out = a;
    return KG_OK;
}

void areas_free(areas **a)
{
    if (a != NULL && *a != NULL) {
        geometry_free(&(*a)->outlines);
        kg_arena_done(&(*a)->mem);
        free(*a);
        *a = NULL;
    }
}

size_t areas_count(const areas *a)
{
    return a->count;
}

const commune *areas_at(const areas *a, size_t i)
{
    return i < a->count ? &a->items[i] : NULL;
}

size_t areas_index(const areas *a, const char *code)
{
    const commune key = {.code = code};
    const commune *c = bsearch(&key, a->items, a->count, sizeof *a->items, by_code);
    return c != NULL ? (size_t)(c - a->items) : SIZE_MAX;
}

const commune *areas_find(const areas *a, const char *code)
{
    return areas_at(a, areas_index(a, code));
}

bool areas_has_province(const areas *a, const char *province)
{
    const int number = areas_province_number(province);
    return number > 0 && a->provinces[number];
}

void areas_day(int64_t at_ms, char day[KG_TIME_TEXT_MAX])
{
    day[0] = '\0';
    if (at_ms != 0) {
        kg_time_text(at_ms, KG_VN_OFFSET_MIN, day);
        day[DAY_LEN] = '\0';
    }
}

bool areas_valid_on(const commune *c, const char *day)
{
    if (day[0] == '\0') {
        return c->valid_until[0] == '\0';
    }
    /* ISO days compare as text */
    return strcmp(c->valid_from, day) <= 0 && (c->valid_until[0] == '\0' || strcmp(day, c->valid_until) <= 0);
}

bool areas_in_force(const commune *c, int64_t at_ms)
{
    char day[KG_TIME_TEXT_MAX];
    areas_day(at_ms, day);
    return areas_valid_on(c, day);
}
