/* Sound files: recordings that come with an alert, what a voice answers. */
#include <assert.h>
#include <stdint.h>

#include "speech/wav.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    wav_head h = {0};
    kg_buf samples = {0};
    kg_diag diag = {0};
    const kg_err head = wav_head_read(bytes, n, &h, &diag);
    assert(head != KG_OK || (h.data_at >= 44 && h.data_at <= n));
    const kg_err whole = wav_parse(bytes, n, &samples, &diag);
    assert(whole != KG_OK || (head == KG_OK && samples.len == h.data_bytes && samples.len % 2 == 0));
    kg_buf_done(&samples);
    return 0;
}
