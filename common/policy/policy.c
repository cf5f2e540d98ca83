#include "policy/policy.h"

#include <stdlib.h>
#include <string.h>

#include "policy/policy_table.h"

static const struct {
    const char *text, *vi;
} media[MEDIUM_COUNT] = {
    [MEDIUM_SMS] = {"sms", "tin nhắn"},
    [MEDIUM_RADIO] = {"radio", "phát thanh"},
    [MEDIUM_TV] = {"tv", "truyền hình"},
    [MEDIUM_LOUDSPEAKER] = {"loudspeaker", "loa truyền thanh"},
    [MEDIUM_BOARD] = {"board", "bảng tin điện tử"},
    [MEDIUM_FEED] = {"feed", "nguồn tin trên mạng"},
};

static const char *const modes[MODE_COUNT] = {
    [MODE_OFFER] = "offer", [MODE_SCHEDULE] = "schedule",   [MODE_NEXT] = "next",
    [MODE_CRAWL] = "crawl", [MODE_INTERRUPT] = "interrupt",
};

const char *medium_text(medium m)
{
    return m < MEDIUM_COUNT ? media[m].text : "?";
}

const char *medium_vi(medium m)
{
    return m < MEDIUM_COUNT ? media[m].vi : "?";
}

int medium_read(const char *s)
{
    for (int i = 0; i < MEDIUM_COUNT; i++) {
        if (strcmp(s, media[i].text) == 0) {
            return i;
        }
    }
    return -1;
}

const char *policy_mode_text(policy_mode m)
{
    return m < MODE_COUNT ? modes[m] : "?";
}

int policy_mode_read(const char *s)
{
    for (int i = 0; i < MODE_COUNT; i++) {
        if (strcmp(s, modes[i]) == 0) {
            return i;
        }
    }
    return -1;
}

const alert_hash *policy_hash(const policy *p)
{
    return &p->hash;
}

const char *policy_province(const policy *p)
{
    return p->file->province;
}

size_t policy_station_count(const policy *p)
{
    return p->station_count;
}

const station *policy_station(const policy *p, size_t i)
{
    return i < p->station_count ? &p->stations[i] : NULL;
}

static int station_by_id(const void *key, const void *item)
{
    return strcmp(key, ((const station *)item)->id);
}

const station *policy_station_find(const policy *p, const char *id)
{
    return bsearch(id, p->stations, p->station_count, sizeof *p->stations, station_by_id);
}

size_t policy_agency_count(const policy *p)
{
    return p->agency_count;
}

const policy_agency *policy_agency_at(const policy *p, size_t i)
{
    return i < p->agency_count ? &p->agencies[i] : NULL;
}

static int agency_by_id(const void *key, const void *item)
{
    return strcmp(key, ((const policy_agency *)item)->id);
}

const policy_agency *policy_agency_find(const policy *p, const char *id)
{
    return bsearch(id, p->agencies, p->agency_count, sizeof *p->agencies, agency_by_id);
}

int64_t policy_default_ttl_ms(const policy *p, bulletin_class c)
{
    return p->ttl_ms[c < CLASS_COUNT ? c : CLASS_ROUTINE];
}

size_t policy_each_commune(const areas *ar, const char *area, void (*fn)(void *ctx, size_t commune), void *ctx)
{
    if (strlen(area) != 2) {
        const size_t i = areas_index(ar, area);
        if (i == SIZE_MAX) {
            return 0;
        }
        fn(ctx, i);
        return 1;
    }
    const bool nation = strcmp(area, AREAS_NATION) == 0;
    size_t met = 0;
    for (size_t i = 0; i < areas_count(ar); i++) {
        if (nation || strcmp(areas_at(ar, i)->province, area) == 0) {
            fn(ctx, i);
            met++;
        }
    }
    return met;
}
