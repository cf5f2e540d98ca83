/*
 * airing_config - what every driver with sound may say in its own YAML file, and paths beside that file.
 *
 *     speech:                   # optional, all of it
 *       clips: ../clips         # folder with catalogue.tsv
 *       voice: vi-vn-x-south    # vi, vi-vn-x-central, vi-vn-x-south
 *       rate: 150               # words a minute, 80 to 250
 *       program: /usr/bin/espeak-ng
 */
#ifndef KENG_AIRING_AIRING_CONFIG_H
#define KENG_AIRING_AIRING_CONFIG_H

#include "airing/airing.h"
#include "config/yaml.h"

enum { AIRING_RATE_MIN = 80, AIRING_RATE_MAX = 250 };

typedef struct airing_speech {
    char *clips, *voice, *program;
    unsigned rate;
} airing_speech;

extern const cyaml_schema_field_t airing_speech_fields[];

/* In a driver's own schema: AIRING_SPEECH_FIELD(my_config, speech), an airing_speech pointer. */
#define AIRING_SPEECH_FIELD(type, member)                                                                              \
    CYAML_FIELD_MAPPING_PTR("speech", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, type, member, airing_speech_fields)

/* A path as written in config_path, which is relative to that file's folder. */
KG_MUST_CHECK kg_err airing_path(const char *config_path, const char *written, char out[PATH_MAX], kg_diag *diag);

/* Opens a driver's workshop as its file says; s may be NULL (nothing said). */
KG_MUST_CHECK kg_err airing_open_with(sink *host, const char *name, const char *config_path, const airing_speech *s,
                                      airing **out, kg_diag *diag);

#endif
