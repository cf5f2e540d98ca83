#include "airing/airing_config.h"

#include <stdio.h>
#include <string.h>

const cyaml_schema_field_t airing_speech_fields[] = {
    CYAML_FIELD_STRING_PTR("clips", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, airing_speech, clips, 1, 1024),
    CYAML_FIELD_STRING_PTR("voice", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, airing_speech, voice, 1, 32),
    CYAML_FIELD_STRING_PTR("program", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, airing_speech, program, 1, 1024),
    CYAML_FIELD_UINT("rate", CYAML_FLAG_OPTIONAL, airing_speech, rate),
    CYAML_FIELD_END,
};

kg_err airing_path(const char *config_path, const char *written, char out[PATH_MAX], kg_diag *diag)
{
    const char *slash = config_path != NULL ? strrchr(config_path, '/') : NULL;
    const int dir = slash != NULL && written[0] != '/' ? (int)(slash + 1 - config_path) : 0;
    if ((size_t)snprintf(out, PATH_MAX, "%.*s%s", dir, dir > 0 ? config_path : "", written) >= PATH_MAX) {
        return kg_fail(diag, KG_E_LIMIT, "the path \"%s\" is too long", written);
    }
    return KG_OK;
}

kg_err airing_open_with(sink *host, const char *name, const char *config_path, const airing_speech *s, airing **out,
                        kg_diag *diag)
{
    static const airing_speech nothing = {0};
    const airing_speech *given = s != NULL ? s : &nothing;
    char clips[PATH_MAX] = "";
    if (given->rate != 0 && (given->rate < AIRING_RATE_MIN || given->rate > AIRING_RATE_MAX)) {
        return kg_fail(diag, KG_E_INVALID, "%s: speech: rate: %u words a minute; %d to %d can be followed", config_path,
                       given->rate, AIRING_RATE_MIN, AIRING_RATE_MAX);
    }
    kg_err e = given->clips != NULL ? airing_path(config_path, given->clips, clips, diag) : KG_OK;
    if (e == KG_OK) {
        const airing_config config = {
            .clips = clips, .voice = given->voice, .program = given->program, .rate = given->rate};
        e = airing_open(host, name, &config, out, diag);
    }
    return e;
}
