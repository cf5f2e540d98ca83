/* Any frame from any peer. What is read must be writable, and read back to the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wire_msg m;
    wire_msg again;
    kg_diag diag = {{0}};
    if (wire_read(data, size, &m, &diag) != KG_OK) {
        if (diag.text[0] == '\0' || m.kind != WIRE_KIND_COUNT) {
            abort(); /* a refusal says why, and leaves nothing behind */
        }
        return 0;
    }
    kg_buf once = {.s = NULL};
    kg_buf twice = {.s = NULL};
    if (wire_write(&m, &once) != KG_OK || wire_read(once.s, once.len, &again, NULL) != KG_OK) {
        abort();
    }
    if (again.kind != m.kind || wire_write(&again, &twice) != KG_OK || once.len != twice.len ||
        memcmp(once.s, twice.s, once.len) != 0) {
        abort();
    }
    wire_done(&m);
    wire_done(&again);
    kg_buf_done(&once);
    kg_buf_done(&twice);
    return 0;
}
