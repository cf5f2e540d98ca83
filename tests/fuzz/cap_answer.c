#include "cap/answer.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cap_reading r;
    kg_diag diag = {{0}};
    if (answer_unpack(data, size, 4096, &r, &diag) == KG_OK) {
        cap_reading_done(&r);
    }
    return 0;
}
