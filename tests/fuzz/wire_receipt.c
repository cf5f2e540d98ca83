/* A router's signed receipt, and the parts that journal and ledger keep. */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "wire/wire.h"

static void receipt(const uint8_t *data, size_t size)
{
    wire_receipt r;
    wire_receipt again;
    if (wire_receipt_read(data, size, &r, NULL) != KG_OK) {
        return;
    }
    kg_buf once = {.s = NULL};
    kg_buf twice = {.s = NULL};
    if (wire_receipt_pack(&r, &once) != KG_OK || wire_receipt_read(once.s, once.len, &again, NULL) != KG_OK ||
        wire_receipt_pack(&again, &twice) != KG_OK || once.len != twice.len || memcmp(once.s, twice.s, once.len) != 0) {
        abort();
    }
    wire_receipt_done(&r);
    wire_receipt_done(&again);
    kg_buf_done(&once);
    kg_buf_done(&twice);
}

static void kept(const uint8_t *data, size_t size)
{
    kg_arena mem = {.head = NULL};
    kg_buf b = {.s = NULL};
    wire_target t;
    wire_delivery_receipt r;
    if (wire_target_read(data, size, &mem, &t, NULL) == KG_OK && wire_target_pack(&t, &b) != KG_OK) {
        abort();
    }
    if (wire_delivery_receipt_read(data, size, &mem, &r, NULL) == KG_OK &&
        wire_delivery_receipt_pack(&r, &b) != KG_OK) {
        abort();
    }
    kg_buf_done(&b);
    kg_arena_done(&mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    receipt(data, size);
    kept(data, size);
    return 0;
}
