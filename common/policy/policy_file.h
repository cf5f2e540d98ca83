/*
 * policy_file - the rules as they stand in policy.yaml, before they are compiled. Private to the room.
 *
 * Shape     Plain structs that policy_load.c's schema fills; deploy/provinces/README.md explains each key. Every
 *           list is (pointer, count). Optional texts are NULL when absent.
 */
#ifndef KENG_POLICY_POLICY_FILE_H
#define KENG_POLICY_POLICY_FILE_H

#include "policy/policy.h"

typedef struct file_sector {
    char *id, *name, *lead, *basis;
} file_sector;

typedef struct file_agency {
    char *id, *name, *basis;
    char **areas;
    uint32_t areas_count;
    char **sectors;
    uint32_t sectors_count;
    bulletin_class class_max;
    bool first_warning;
    bool each_commune; /* one agency a commune: <id>.<code>, for its own code alone */
} file_agency;

typedef struct file_class {
    bulletin_class class;
    uint32_t default_ttl_minutes;
    char *basis;
} file_class;

typedef struct file_media {
    medium medium;
    bulletin_class class;
    policy_mode mode;
    char *basis;
} file_media;

typedef enum file_when { WHEN_WARNING, WHEN_END } file_when;

typedef struct file_repeat {
    char *id, *basis;
    file_when when;
    medium *media;
    uint32_t media_count;
    bulletin_class *classes; /* none: every class */
    uint32_t classes_count;
    char **event_codes; /* "scheme=value" */
    uint32_t event_codes_count;
    char **events; /* phrases in the event's text; neither these nor codes: every event */
    uint32_t events_count;
    uint32_t *after_minutes;
    uint32_t after_minutes_count;
    uint32_t every_minutes;
    bool at_next_news, on_the_hour;
} file_repeat;

typedef enum file_wanted { WANTED_ALWAYS, WANTED_WHEN_WRITTEN } file_wanted;

typedef struct file_language {
    char *language, *basis;
    char **areas;
    uint32_t areas_count;
    file_wanted wanted;
} file_language;

typedef struct file_drill {
    cap_status status;
    medium *media;
    uint32_t media_count;
    bool public_sms; /* the second switch */
    char *basis;
} file_drill;

typedef struct file_signature {
    char *id, *basis;
    bulletin_class class_min;
    cap_severity severity_min;
    uint32_t over_communes; /* the alert is for more communes than this */
    uint32_t needed;
} file_signature;

typedef struct file_signatures {
    bool enforced;
    uint32_t first_warning;
    char *basis;
    file_signature *rules;
    uint32_t rules_count;
} file_signatures;

typedef struct file_news {
    char **hours; /* "HH:MM" in Viet Nam; none: the next full hour stands in */
    uint32_t hours_count;
    char *basis;
} file_news;

typedef struct policy_file {
    char *province, *name, *stations;
    file_sector *sectors;
    uint32_t sectors_count;
    file_agency *agencies;
    uint32_t agencies_count;
    file_class *classes;
    uint32_t classes_count;
    file_media *media;
    uint32_t media_count;
    file_news news;
    file_repeat *repeats;
    uint32_t repeats_count;
    file_language *languages;
    uint32_t languages_count;
    file_drill *drills;
    uint32_t drills_count;
    file_signatures signatures;
} policy_file;

#endif
