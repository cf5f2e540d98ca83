/* The frames of one ZAP question: each a length byte and so many bytes. */
#include "bus/zap.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = ZAP_FRAMES_MAX };

static bool lies_within(const zap_frame *f, const uint8_t *data, size_t size)
{
    return f->b == NULL || (f->b >= data && f->b + f->n <= data + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    zap_frame frames[MOST];
    size_t count = 0;
    for (size_t at = 0; at < size && count < MOST;) {
        const size_t left = size - at - 1;
        const size_t n = data[at] < left ? data[at] : left;
        frames[count++] = (zap_frame){data + at + 1, n};
        at += 1 + n;
    }
    zap_request r;
    const kg_err e = zap_read(frames, count, &r);
    if (!lies_within(&r.id, data, size) || r.id.n > ZAP_ID_MAX) {
        abort();
    }
    if (e == KG_OK) {
        /* What is taken says CURVE, has a whole key, and a domain without anything hidden in it. */
        const bool right = count == 7 && frames[5].n == 5 && memcmp(frames[5].b, "CURVE", 5) == 0 &&
                           frames[6].n == KEY_BYTES && memcmp(frames[6].b, r.key.b, KEY_BYTES) == 0 &&
                           strlen(r.domain) == frames[2].n && memcmp(r.domain, frames[2].b, frames[2].n) == 0;
        if (!right || r.id.b == NULL) {
            abort();
        }
    } else if (e != KG_E_INVALID) {
        abort();
    }
    return 0;
}
