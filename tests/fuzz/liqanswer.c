/* What a playout answers. Seeds: valid answers, of liqanswer_seeds.c. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "liqanswer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    liqanswer a = {.state = LIQ_UNKNOWN};
    kg_diag diag = {0};
    if (liqanswer_read((const char *)bytes, n, "86.radio.0123456789abcdef-0", &a, &diag) == KG_OK) {
        assert(a.boot[0] != '\0' && strlen(a.boot) < sizeof a.boot && strchr(a.boot, ' ') == NULL);
        assert((a.started_ms != 0) == (a.state == LIQ_ON_AIR || a.state == LIQ_DONE || a.state == LIQ_CUT));
        assert(a.ended_ms == 0 || a.ended_ms >= a.started_ms);
    } else {
        assert(diag.text[0] != '\0');
    }
    return 0;
}
