#include "bus/zap.h"

#include <string.h>

enum { AT_VERSION, AT_ID, AT_DOMAIN, AT_ADDRESS, AT_IDENTITY, AT_MECHANISM, AT_KEY, FRAMES };

static bool says(const zap_frame *f, const char *text)
{
    return f->n == strlen(text) && memcmp(f->b, text, f->n) == 0;
}

static bool is_name(const zap_frame *f)
{
    if (f->n == 0 || f->n >= ZAP_DOMAIN_MAX) {
        return false;
    }
    for (size_t i = 0; i < f->n; i++) {
        if (f->b[i] <= ' ' || f->b[i] > '~') {
            return false;
        }
    }
    return true;
}

kg_err zap_read(const zap_frame *frames, size_t count, zap_request *out)
{
    memset(out, 0, sizeof *out);
    if (count > AT_ID && frames[AT_ID].n <= ZAP_ID_MAX) {
        out->id = frames[AT_ID];
    }
    if (count != FRAMES || out->id.b == NULL || !says(&frames[AT_VERSION], "1.0") ||
        !says(&frames[AT_MECHANISM], "CURVE") || frames[AT_KEY].n != KEY_BYTES || !is_name(&frames[AT_DOMAIN])) {
        return KG_E_INVALID;
    }
    memcpy(out->domain, frames[AT_DOMAIN].b, frames[AT_DOMAIN].n);
    memcpy(out->key.b, frames[AT_KEY].b, KEY_BYTES);
    return KG_OK;
}
