/*
 * policy_table - the compiled policy, shared by the files of this room. Private to the room.
 */
#ifndef KENG_POLICY_POLICY_TABLE_H
#define KENG_POLICY_POLICY_TABLE_H

#include "policy/policy_file.h"

enum { POLICY_LANGUAGES_MAX = 32, POLICY_NEWS_MAX = 24, DAY_MINUTES = 24 * 60 };

typedef struct media_rule {
    const file_media *entry; /* NULL: the plan does not carry this class on this medium */
    const char *id, *why;    /* "media.loudspeaker.urgent" and its sentence */
} media_rule;

typedef struct drill_rule {
    const file_drill *entry;
    const char *id;
} drill_rule;

struct policy {
    kg_arena mem;
    policy_file *file; /* the YAML, kept: entries are pointed to */
    alert_hash hash;
    station *stations; /* sorted by id */
    size_t station_count;
    policy_agency *agencies; /* sorted by id */
    size_t agency_count;
    media_rule media[MEDIUM_COUNT][CLASS_COUNT];
    drill_rule drills[CAP_STATUS_COUNT];
    int64_t ttl_ms[CLASS_COUNT];
    uint32_t news[POLICY_NEWS_MAX]; /* minutes of the day */
    size_t news_count;
    const char **repeat_ids; /* "repeats.<id>", beside file->repeats */
    size_t commune_count;
    uint32_t *cover_from; /* stations of commune i: cover[cover_from[i]] .. cover[cover_from[i + 1]] */
    uint32_t *cover;
    const char *languages[POLICY_LANGUAGES_MAX]; /* bit k of a mask; 0 is "vi" */
    size_t language_count;
    uint32_t *always, *written; /* language masks by commune: wanted always, wanted when written */
};

/* Reads the station table's text into p->stations, sorted by id. */
KG_MUST_CHECK kg_err stations_read(const char *name, const char *text, size_t n, policy *p, kg_diag *diag);

/* Builds every table from p->file, p->stations and the communes. */
KG_MUST_CHECK kg_err policy_compile(policy *p, const areas *ar, kg_diag *diag);

/* Calls fn for each commune that an area of the policy (commune, province, nation) stands for, retired ones too: that
 * a code is of use today is the alert's question. Returns how many; 0: unknown. */
size_t policy_each_commune(const areas *ar, const char *area, void (*fn)(void *ctx, size_t commune), void *ctx);

/* The first repeat rule that fits, or NULL. */
const file_repeat *repeats_find(const policy *p, medium m, const alert *a);
/* What it means at now_ms: offsets, the next news among them. */
policy_repeat repeats_plan(const policy *p, const file_repeat *rule, int64_t now_ms);

#endif
