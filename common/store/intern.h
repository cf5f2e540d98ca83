/*
 * intern - station names and packed targets of an open file, each stored once and named by a small number. Private to
 * store/.
 *
 * Stations  All in memory: there are a few thousand at most.
 * Targets   Equal bytes written lately get the number they have; a bounded cache knows them, so that nothing is looked
 *           up by content in the file. Content that fell out of it is stored again, which only costs its bytes.
 * Batches   intern_rollback forgets what the batch added.
 */
#ifndef KENG_STORE_INTERN_H
#define KENG_STORE_INTERN_H

#include "store/stmt.h"

#define INTERN_SCHEMA                                                                                                  \
    "CREATE TABLE stations(n INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"                                         \
    "CREATE TABLE targets(n INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"

enum { INTERN_STATION_BITS = 20, INTERN_CACHE = 32768, INTERN_CACHED_MAX = 1024 };

typedef struct intern_target {
    int64_t n; /* 0: empty place */
    uint64_t hash;
    size_t len;
    uint8_t *bytes;
} intern_target;

typedef struct intern {
    db *d;
    sqlite3_stmt *add_station, *add_target;
    char **names; /* [n - 1] */
    size_t count, cap, kept;
    uint32_t *by_name; /* open hash of n */
    size_t by_name_cap;
    intern_target *targets; /* INTERN_CACHE places, one for each hash */
    int64_t last_target, kept_target;
} intern;

KG_MUST_CHECK kg_err intern_open(intern *in, db *d, kg_diag *diag);
void intern_done(intern *in);
void intern_begin(intern *in);
void intern_rollback(intern *in);
KG_MUST_CHECK kg_err intern_station(intern *in, const char *name, int64_t *n, kg_diag *diag);
int64_t intern_find(const intern *in, const char *name); /* 0: never seen */
const char *intern_name(const intern *in, int64_t n);    /* "" when there is no such number */
KG_MUST_CHECK kg_err intern_put(intern *in, const void *bytes, size_t len, int64_t *n, kg_diag *diag);

#endif
