#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "policy/policy_table.h"

enum { COLUMNS = 8, STATIONS_MAX = 100000 };

static const char header[] = "id\tname\tmedium\tareas\ttype\tlanguages\tperson\taudience";

static bool is_one_of(const char *s, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(s, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool good_id(const char *s)
{
    const size_t n = strlen(s);
    return n > 0 && n < STATION_ID_MAX && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789.-") == n;
}

/* Words with blanks between them, cut in place; the list lives in the arena. */
static bool split(char *words, kg_arena *mem, alert_texts *out)
{
    size_t most = 1;
    for (const char *s = words; *s != '\0'; s++) {
        most += *s == ' ' ? 1 : 0;
    }
    out->items = kg_arena_array(mem, most, sizeof *out->items);
    out->count = 0;
    if (out->items == NULL) {
        return false;
    }
    for (char *s = words + strspn(words, " "); *s != '\0';) {
        const size_t n = strcspn(s, " ");
        char *next = s + n + strspn(s + n, " ");
        s[n] = '\0';
        out->items[out->count++] = s;
        s = next;
    }
    return true;
}

/* NULL, or what is wrong with the row. */
static const char *read_row(char *line, kg_arena *mem, station *out)
{
    static const char *const types[] = {"", "ip", "fm", "wired", "mixed", "manual"};
    char *column[COLUMNS];
    size_t n = 0;
    for (char *p = line; n < COLUMNS; p++) {
        column[n++] = p;
        p += strcspn(p, "\t");
        if (*p == '\0') {
            break;
        }
        *p = '\0';
        if (n == COLUMNS) {
            return "there are more than 8 columns";
        }
    }
    if (n != COLUMNS) {
        return "there are not 8 columns with tabs between them";
    }
    const int m = medium_read(column[2]);
    *out = (station){.id = column[0], .name = column[1], .type = column[4], .person = column[6], .audience = column[7]};
    out->manual = strcmp(out->type, "manual") == 0;
    if (m < 0) {
        return "the medium is none of sms, radio, tv, loudspeaker, board, feed";
    }
    out->medium = (medium)m;
    if (!split(column[3], mem, &out->areas) || !split(column[5], mem, &out->languages)) {
        return "there is no memory for it";
    }
    return !good_id(out->id)       ? "the id is not 1 to 47 of a-z 0-9 . -"
           : out->name[0] == '\0'  ? "the name is empty"
           : out->areas.count == 0 ? "it has no area"
           : !is_one_of(out->type, types, sizeof types / sizeof types[0])
               ? "the type is none of ip, fm, wired, mixed, manual (empty: not known)"
               : NULL;
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const station *)a)->id, ((const station *)b)->id);
}

static size_t lines_of(const char *s)
{
    size_t n = 1;
    for (; (s = strchr(s, '\n')) != NULL; s++) {
        n++;
    }
    return n;
}

static kg_err read_rows(const char *path, char *text, policy *p, kg_diag *diag)
{
    size_t line = 0;
    for (char *s = text, *next = NULL; s != NULL; s = next) {
        line++;
        next = strchr(s, '\n');
        if (next != NULL) {
            *next++ = '\0';
        }
        if (line == 1 && strcmp(s, header) != 0) {
            return kg_fail(diag, KG_E_INVALID, "%s:1: the first line must name the columns: %s", path, header);
        }
        if (line == 1 || *s == '\0' || *s == '#') {
            continue;
        }
        if (p->station_count == STATIONS_MAX) {
            return kg_fail(diag, KG_E_LIMIT, "%s:%zu: more than %d stations", path, line, STATIONS_MAX);
        }
        const char *fault = read_row(s, &p->mem, &p->stations[p->station_count]);
        if (fault != NULL) {
            return kg_fail(diag, KG_E_INVALID, "%s:%zu: %s", path, line, fault);
        }
        p->station_count++;
    }
    return KG_OK;
}

kg_err stations_read(const char *name, const char *text, size_t n, policy *p, kg_diag *diag)
{
    if (!kg_utf8_valid(text, n)) {
        return kg_fail(diag, KG_E_INVALID, "%s: not valid UTF-8 text", name);
    }
    char *copy = kg_arena_strn(&p->mem, text, n);
    p->stations = copy != NULL ? kg_arena_array(&p->mem, lines_of(copy), sizeof *p->stations) : NULL;
    if (p->stations == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "%s: no memory for the stations", name);
    }
    const kg_err e = read_rows(name, copy, p, diag);
    if (e != KG_OK) {
        return e;
    }
    qsort(p->stations, p->station_count, sizeof *p->stations, by_id);
    for (size_t i = 0; i < p->station_count; i++) {
        p->stations[i].index = (uint32_t)i;
        if (i > 0 && strcmp(p->stations[i - 1].id, p->stations[i].id) == 0) {
            return kg_fail(diag, KG_E_INVALID, "%s: station %s stands twice", name, p->stations[i].id);
        }
    }
    return KG_OK;
}
