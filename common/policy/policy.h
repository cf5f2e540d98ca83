/*
 * policy - a province's rules as data, loaded and checked as a whole, then compiled for routing.
 *
 * Shape     One YAML file (policy.yaml) and the station table it names; see deploy/provinces/README.md for every key.
 * Errors    KG_E_INVALID with file, line and column, and what to write instead; nothing is half-loaded.
 * Owns      An opaque, immutable policy; swap it by replacing the pointer. It is compiled for the commune table it was
 *           loaded with: route with the same one.
 * Rules     Every entry cites its legal basis, or says "province to decide" (policy_check lists those).
 * Door      libcyaml appears in policy_load.c (and config/) only.
 */
#ifndef KENG_POLICY_POLICY_H
#define KENG_POLICY_POLICY_H

#include "alert/alert.h"
#include "areas/areas.h"
#include "base/buf.h"
#include "base/err.h"

typedef enum medium {
    MEDIUM_SMS,
    MEDIUM_RADIO,
    MEDIUM_TV,
    MEDIUM_LOUDSPEAKER,
    MEDIUM_BOARD,
    MEDIUM_FEED,
    MEDIUM_COUNT
} medium;
const char *medium_text(medium m);
const char *medium_vi(medium m);
int medium_read(const char *s);

/* How hard a medium is taken. */
typedef enum policy_mode { MODE_OFFER, MODE_SCHEDULE, MODE_NEXT, MODE_CRAWL, MODE_INTERRUPT, MODE_COUNT } policy_mode;
const char *policy_mode_text(policy_mode m);
int policy_mode_read(const char *s);

enum { POLICY_REPEATS_MAX = 8, STATION_ID_MAX = 48 };

typedef struct policy_repeat { /* row 8: now, then offsets, then every so often until the end */
    uint32_t after_s[POLICY_REPEATS_MAX];
    size_t after_count;
    uint32_t every_s; /* 0: no further */
    bool on_the_hour;
} policy_repeat;

typedef struct station {
    const char *id; /* stable text, e.g. "86.29254.loa" */
    const char *name;
    medium medium;
    alert_texts areas;     /* commune codes, province codes, "00" */
    const char *type;      /* "ip" "fm" "wired" "mixed" "manual"; "" not known */
    alert_texts languages; /* it can render, in order; empty: not known, the sink says what it could */
    bool manual;           /* type "manual": no machine path, a person is called */
    const char *person;    /* who confirms a manual station; "" not known */
    const char *audience;  /* "" the public; else a named list ("officials"), which drills may reach */
    uint32_t index;
} station;

typedef struct policy_agency {
    const char *id, *name, *basis;
    alert_texts areas;   /* as a key's: commune codes, province codes, "00" */
    alert_texts sectors; /* ids; "*" all */
    bulletin_class class_max;
    bool first_warning;
} policy_agency;

typedef struct policy policy;

KG_MUST_CHECK kg_err policy_load(const char *policy_yaml, const areas *ar, policy **out, kg_diag *diag);
/* The same from memory; name stands in complaints. Both texts end in a NUL behind their length. */
typedef struct policy_source {
    const char *name, *yaml, *stations;
    size_t yaml_len, stations_len;
} policy_source;
KG_MUST_CHECK kg_err policy_read(const policy_source *source, const areas *ar, policy **out, kg_diag *diag);
void policy_free(policy **p);
const alert_hash *policy_hash(const policy *p);
const char *policy_province(const policy *p);
size_t policy_station_count(const policy *p);
const station *policy_station(const policy *p, size_t i); /* sorted by id; station.index is i */
const station *policy_station_find(const policy *p, const char *id);
size_t policy_agency_count(const policy *p);
const policy_agency *policy_agency_at(const policy *p, size_t i); /* sorted by id; "each commune" is expanded */
const policy_agency *policy_agency_find(const policy *p, const char *id);
/* Default time to live of a class when `expires` is missing, <= 24 h. */
int64_t policy_default_ttl_ms(const policy *p, bulletin_class c);

/* Complaints and remarks about a loaded policy, a line each; the count of complaints (0 = fit for use). */
KG_MUST_CHECK kg_err policy_check(const policy *p, const areas *ar, kg_buf *report, size_t *complaints);

#endif
