#include "store/intern.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash_of(const void *bytes, size_t n) /* FNV-1a; only spreads, equality is compared */
{
    const uint8_t *b = bytes;
    uint64_t h = 0xCBF29CE484222325U;
    for (size_t i = 0; i < n; i++) {
        h = (h ^ b[i]) * 0x100000001B3U;
    }
    return h ^ (h >> 29);
}

/* ---- stations ---- */

static size_t slot_of(const intern *in, const char *name)
{
    size_t slot = hash_of(name, strlen(name)) & (in->by_name_cap - 1);
    while (in->by_name[slot] != 0 && strcmp(in->names[in->by_name[slot] - 1], name) != 0) {
        slot = (slot + 1) & (in->by_name_cap - 1);
    }
    return slot;
}

static bool index_names(intern *in, size_t cap)
{
    uint32_t *by_name = calloc(cap, sizeof *by_name);
    if (by_name == NULL) {
        return false;
    }
    free(in->by_name);
    in->by_name = by_name;
    in->by_name_cap = cap;
    for (size_t i = 0; i < in->count; i++) {
        by_name[slot_of(in, in->names[i])] = (uint32_t)i + 1;
    }
    return true;
}

static bool remember(intern *in, const char *name)
{
    if (in->count == in->cap) {
        const size_t cap = in->cap != 0 ? 2 * in->cap : 64;
        char **names = realloc(in->names, cap * sizeof *names);
        if (names == NULL) {
            return false;
        }
        in->names = names;
        in->cap = cap;
    }
    if (2 * (in->count + 1) > in->by_name_cap && !index_names(in, 2 * in->by_name_cap)) {
        return false;
    }
    char *copy = strdup(name);
    if (copy == NULL) {
        return false;
    }
    in->names[in->count++] = copy;
    in->by_name[slot_of(in, copy)] = (uint32_t)in->count;
    return true;
}

static kg_err load(intern *in, kg_diag *diag)
{
    sqlite3_stmt *st = NULL;
    kg_err e = db_prepare(in->d, "SELECT n, name FROM stations ORDER BY n", &st, diag);
    if (e != KG_OK) {
        return e;
    }
    stmt s = stmt_of(st);
    while ((e = stmt_next(in->d, &s, "reading the stations", diag)) == KG_OK) {
        const int64_t n = stmt_get_int(&s);
        if (n != (int64_t)in->count + 1) {
            e = kg_fail(diag, KG_E_INVALID, "%s: station number %zu is missing", in->d->path, in->count + 1);
            break;
        }
        if (!remember(in, stmt_get_text(&s))) {
            e = KG_E_NOMEM;
            break;
        }
    }
    (void)sqlite3_finalize(st);
    return e == KG_E_NOTFOUND ? KG_OK : e;
}

static kg_err load_last_target(intern *in, kg_diag *diag)
{
    sqlite3_stmt *st = NULL;
    kg_err e = db_prepare(in->d, "SELECT coalesce(max(n), 0) FROM targets", &st, diag);
    if (e == KG_OK) {
        stmt s = stmt_of(st);
        e = stmt_next(in->d, &s, "reading the last target", diag);
        if (e == KG_OK) {
            in->last_target = stmt_get_int(&s);
        }
    }
    (void)sqlite3_finalize(st);
    return e;
}

kg_err intern_open(intern *in, db *d, kg_diag *diag)
{
    *in = (intern){.d = d};
    in->targets = calloc(INTERN_CACHE, sizeof *in->targets);
    if (in->targets == NULL || !index_names(in, 256)) {
        return KG_E_NOMEM;
    }
    const stmt_plan plan[] = {
        {&in->add_station, "INSERT INTO stations(n, name) VALUES(?,?)"},
        {&in->add_target, "INSERT INTO targets(n, bytes) VALUES(?,?)"},
    };
    kg_err e = stmt_prepare(d, plan, sizeof plan / sizeof plan[0], diag);
    if (e == KG_OK) {
        e = load(in, diag);
    }
    if (e == KG_OK) {
        e = load_last_target(in, diag);
    }
    intern_begin(in);
    return e;
}

static void forget_targets(intern *in, int64_t after)
{
    for (size_t i = 0; in->targets != NULL && i < INTERN_CACHE; i++) {
        if (in->targets[i].n > after) {
            free(in->targets[i].bytes);
            in->targets[i] = (intern_target){.n = 0};
        }
    }
}

void intern_done(intern *in)
{
    (void)sqlite3_finalize(in->add_station);
    (void)sqlite3_finalize(in->add_target);
    for (size_t i = 0; i < in->count; i++) {
        free(in->names[i]);
    }
    free(in->names);
    free(in->by_name);
    forget_targets(in, 0);
    free(in->targets);
    *in = (intern){.d = NULL};
}

void intern_begin(intern *in)
{
    in->kept = in->count;
    in->kept_target = in->last_target;
}

void intern_rollback(intern *in)
{
    if (in->count > in->kept) {
        while (in->count > in->kept) {
            free(in->names[--in->count]);
        }
        memset(in->by_name, 0, in->by_name_cap * sizeof *in->by_name);
        for (size_t i = 0; i < in->count; i++) {
            in->by_name[slot_of(in, in->names[i])] = (uint32_t)i + 1;
        }
    }
    if (in->last_target > in->kept_target) {
        forget_targets(in, in->kept_target);
        in->last_target = in->kept_target;
    }
}

int64_t intern_find(const intern *in, const char *name)
{
    return in->by_name[slot_of(in, name)];
}

const char *intern_name(const intern *in, int64_t n)
{
    return n >= 1 && (uint64_t)n <= in->count ? in->names[n - 1] : "";
}

kg_err intern_station(intern *in, const char *name, int64_t *n, kg_diag *diag)
{
    *n = intern_find(in, name);
    if (*n != 0) {
        return KG_OK;
    }
    if (name[0] == '\0') {
        return kg_fail(diag, KG_E_INVALID, "%s: a delivery without a station", in->d->path);
    }
    if (in->count + 1 >= (size_t)1 << INTERN_STATION_BITS) {
        return kg_fail(diag, KG_E_LIMIT, "%s: more than %d stations", in->d->path, (1 << INTERN_STATION_BITS) - 1);
    }
    stmt s = stmt_of(in->add_station);
    stmt_int(&s, (int64_t)in->count + 1);
    stmt_text(&s, name);
    const kg_err e = stmt_run(in->d, &s, "adding a station", diag);
    if (e != KG_OK) {
        return e;
    }
    if (!remember(in, name)) {
        return db_fail(in->d, SQLITE_NOMEM, "adding a station", diag); /* ends the batch: file and memory agree */
    }
    *n = (int64_t)in->count;
    return KG_OK;
}

/* ---- targets ---- */

kg_err intern_put(intern *in, const void *bytes, size_t len, int64_t *n, kg_diag *diag)
{
    const uint64_t hash = hash_of(bytes, len);
    intern_target *known = &in->targets[hash & (INTERN_CACHE - 1)];
    if (known->n != 0 && known->hash == hash && known->len == len && memcmp(known->bytes, bytes, len) == 0) {
        *n = known->n;
        return KG_OK;
    }
    stmt s = stmt_of(in->add_target);
    stmt_int(&s, in->last_target + 1);
    stmt_blob(&s, bytes, len);
    const kg_err e = stmt_run(in->d, &s, "storing a target", diag);
    if (e != KG_OK) {
        return e;
    }
    *n = ++in->last_target;
    uint8_t *copy = len > 0 && len <= INTERN_CACHED_MAX ? malloc(len) : NULL;
    if (copy != NULL) { /* else it is only not shared */
        memcpy(copy, bytes, len);
        free(known->bytes);
        *known = (intern_target){.n = *n, .hash = hash, .len = len, .bytes = copy};
    }
    return KG_OK;
}
