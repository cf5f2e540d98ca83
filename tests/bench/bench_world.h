/*
 * bench_world - the small system that tests/bench/run laid out in a folder, as the load generators see it: keys,
 * addresses, and alerts to publish.
 *
 * Shape     One made-up province "99" with a loudspeaker station a commune, one agency, one router; every publisher of
 *           the bench has a connecting key of its own, and so has every process that holds stations.
 * Alert     An urgent (or routine) warning of about a KiB, packed and signed, as a publisher would send it.
 */
#ifndef KENG_BENCH_WORLD_H
#define KENG_BENCH_WORLD_H

#include "alert/alert.h"
#include "areas/areas.h"
#include "base/buf.h"
#include "trust/manifest.h"

enum { WORLD_PATH = 512, WORLD_ENDPOINT = 64, WORLD_STATIONS_MAX = 10000 };

typedef struct bench_world {
    char dir[WORLD_PATH];
    size_t stations;
    char intake[WORLD_ENDPOINT], urgent[WORLD_ENDPOINT], other[WORLD_ENDPOINT];
    unsigned port; /* of intake */
    public_key router, root;
    manifest *manifest;
    areas *areas;
    secret_key *sign; /* the agency's */
} bench_world;

void world_open(bench_world *w, const char *dir);
/* keys/NAME of the folder. */
secret_key *world_key(const bench_world *w, const char *name);

void world_station(size_t i, char out[16]); /* its id; they count from 1, and so do the communes */

typedef struct world_wish {
    uint64_t number; /* makes the identifier; the same number again is the same alert only within a run */
    bulletin_class class;
    size_t station; /* only this one's commune, from 1; SIZE_MAX: the whole province */
} world_wish;

/* Appends the packed Signed to out. */
void world_alert(const bench_world *w, const world_wish *wish, kg_buf *out);

#endif
