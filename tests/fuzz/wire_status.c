/* What the status socket carries. */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    kg_arena mem = {.head = NULL};
    wire_status s;
    if (wire_status_read(data, size, &mem, &s, NULL) == KG_OK) {
        kg_buf b = {.s = NULL};
        wire_status again;
        if (wire_status_pack(&s, &b) != KG_OK || wire_status_read(b.s, b.len, &mem, &again, NULL) != KG_OK ||
            again.count != s.count || strcmp(again.name, s.name) != 0) {
            abort();
        }
        kg_buf_done(&b);
    }
    kg_arena_done(&mem);
    return 0;
}
