#include "liqanswer.h"

#include <ctype.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>

static const double SECONDS_MAX = 1e11; /* the year 5138: the milliseconds fit */

static const char *const states[] = {
    [LIQ_UNKNOWN] = "",  [LIQ_QUEUED] = "queued", [LIQ_ON_AIR] = "on_air",
    [LIQ_DONE] = "done", [LIQ_CUT] = "cut",       [LIQ_REMOVED] = "removed",
};

static kg_err state_read(const char *s, liqanswer_state *out)
{
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        if (strcmp(states[i], s) == 0) {
            *out = (liqanswer_state)i;
            return KG_OK;
        }
    }
    return KG_E_INVALID;
}

static kg_err time_read(const json_t *v, int64_t *out)
{
    const double s = json_number_value(v);
    if (!json_is_number(v) || s < 0 || s > SECONDS_MAX) {
        return KG_E_INVALID;
    }
    *out = (int64_t)(s * 1000);
    return KG_OK;
}

/* It goes into a driver_ref, with a blank before it. */
static kg_err boot_read(const char *s, char out[LIQANSWER_BOOT_MAX])
{
    const size_t n = strlen(s);
    if (n == 0 || n >= LIQANSWER_BOOT_MAX) {
        return KG_E_INVALID;
    }
    for (size_t i = 0; i < n; i++) {
        if (!isalnum((unsigned char)s[i])) {
            return KG_E_INVALID;
        }
    }
    memcpy(out, s, n + 1);
    return KG_OK;
}

static kg_err judge(const json_t *o, const char *id, liqanswer *a)
{
    const char *of = json_string_value(json_object_get(o, "id"));
    const char *state = json_string_value(json_object_get(o, "state"));
    const char *boot = json_string_value(json_object_get(o, "boot"));
    if (of == NULL || state == NULL || boot == NULL || strcmp(of, id) != 0 ||
        time_read(json_object_get(o, "started"), &a->started_ms) != KG_OK ||
        time_read(json_object_get(o, "ended"), &a->ended_ms) != KG_OK || boot_read(boot, a->boot) != KG_OK ||
        state_read(state, &a->state) != KG_OK) {
        return KG_E_INVALID;
    }
    const bool aired = a->state == LIQ_ON_AIR || a->state == LIQ_DONE || a->state == LIQ_CUT;
    const bool over = a->state == LIQ_DONE || a->state == LIQ_CUT;
    if (aired != (a->started_ms != 0) || over != (a->ended_ms != 0) || (over && a->ended_ms < a->started_ms)) {
        return KG_E_INVALID;
    }
    return KG_OK;
}

kg_err liqanswer_read(const char *bytes, size_t n, const char *id, liqanswer *out, kg_diag *diag)
{
    json_error_t where;
    if (n > LIQANSWER_BYTES_MAX) {
        return kg_fail(diag, KG_E_INVALID, "the playout's answer has %zu bytes; at most %d are read", n,
                       LIQANSWER_BYTES_MAX);
    }
    json_t *o = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, &where);
    if (o == NULL) {
        return kg_fail(diag, KG_E_INVALID, "the playout's answer is not JSON: %s", where.text);
    }
    liqanswer a = {.state = LIQ_UNKNOWN};
    const kg_err e = judge(o, id, &a);
    json_decref(o);
    if (e != KG_OK) {
        return kg_fail(diag, e, "the playout's answer is not one about order %s", id);
    }
    *out = a;
    return KG_OK;
}
