/*
 * trust_fixture - a small world of keys, areas and one valid alert, for the tests and fuzz seeds of trust/ and of what
 * stands on it. Keys are made from fixed seeds, so that every run signs the same bytes.
 */
#ifndef KENG_TESTS_TRUST_FIXTURE_H
#define KENG_TESTS_TRUST_FIXTURE_H

#include "trust/verify.h"

enum { TF_NOW_SECONDS = 1795000000 }; /* 2026-11-18 */
static const int64_t tf_now_ms = (int64_t)TF_NOW_SECONDS * 1000;

typedef enum tf_who {
    TF_HEALTH,   /* actual; agency so-y-te, province 86, sector health, urgent, first warning */
    TF_HEALTH_2, /* the same rights, another person */
    TF_HEALTH_3, /* the same rights, a second key of the first person */
    TF_COMMUNE,  /* actual; agency ubnd-28756, commune 28756, every sector, priority, no first warning */
    TF_NATION,   /* actual; agency bo-y-te, the nation, health, urgent */
    TF_DRILL,    /* drill; agency so-y-te, as TF_HEALTH */
    TF_REVOKED,
    TF_OLD,      /* until an hour ago */
    TF_FUTURE,   /* from in an hour */
    TF_RECEIPTS, /* a router's, for receipts; it lists the rights of TF_HEALTH all the same */
    TF_STRANGER, /* in no manifest */
    TF_ROOT,
    TF_PUBLISHER, /* connecting */
    TF_SINK,      /* connecting; stations 86.28756.loa and 86.sms* */
    TF_COUNT
} tf_who;

typedef struct trust_fixture {
    char dir[64], manifest_path[96], floor_path[96], areas_path[96];
    secret_key *keys[TF_COUNT];
    areas *areas;
    manifest *manifest;
} trust_fixture;

void tf_open(trust_fixture *f);
void tf_close(trust_fixture *f);
void tf_manifest(const trust_fixture *f, uint64_t version, kg_buf *out); /* packed, root-signed */

/* An urgent health alert for commune 28756, as so-y-te would sign it. Change what the test is about. */
void tf_alert(alert *a);
void tf_area(alert *a, const char *name, const char *value); /* its only geocode */
void tf_sign(const trust_fixture *f, const alert *a, const tf_who *who, size_t count, kg_buf *out);

#endif
