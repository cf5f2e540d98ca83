#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static const struct {
    const char *name;
    kg_class class;
} table[KG_ERR_COUNT] = {
    [KG_OK] = {"ok", KG_DONE},           [KG_E_EXISTS] = {"exists", KG_DONE},     [KG_E_INVALID] = {"invalid", KG_PERM},
    [KG_E_DENIED] = {"denied", KG_PERM}, [KG_E_CONFLICT] = {"conflict", KG_PERM}, [KG_E_EXPIRED] = {"expired", KG_PERM},
    [KG_E_LIMIT] = {"limit", KG_PERM},   [KG_E_NOTFOUND] = {"notfound", KG_PERM}, [KG_E_IO] = {"io", KG_TEMP},
    [KG_E_AGAIN] = {"again", KG_TEMP},   [KG_E_TIMEOUT] = {"timeout", KG_TEMP},   [KG_E_FULL] = {"full", KG_TEMP},
    [KG_E_NOMEM] = {"nomem", KG_TEMP},   [KG_E_BUG] = {"bug", KG_FAULT},
};

kg_class kg_err_class(kg_err e)
{
    return (unsigned)e < KG_ERR_COUNT ? table[e].class : KG_FAULT;
}

const char *kg_err_name(kg_err e)
{
    return (unsigned)e < KG_ERR_COUNT ? table[e].name : "unknown";
}

static void finish(kg_diag *diag, const char *text)
{
    size_t n = strlen(text);
    if (n >= sizeof diag->text) {
        n = kg_utf8_floor(text, n, sizeof diag->text - 1);
    }
    memmove(diag->text, text, n);
    diag->text[n] = '\0';
}

void kg_diag_set(kg_diag *diag, const char *fmt, ...)
{
    if (diag == NULL) {
        return;
    }
    char text[2 * KG_DIAG_MAX];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    finish(diag, text);
}

void kg_diag_within(kg_diag *diag, const char *fmt, ...)
{
    if (diag == NULL) {
        return;
    }
    char text[3 * KG_DIAG_MAX];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, KG_DIAG_MAX, fmt, ap);
    va_end(ap);
    if (n < 0) {
        n = 0;
    }
    const size_t at = (size_t)n < KG_DIAG_MAX ? (size_t)n : KG_DIAG_MAX - 1;
    (void)snprintf(text + at, sizeof text - at, "%s", diag->text);
    finish(diag, text);
}
