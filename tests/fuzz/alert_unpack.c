#include "alert/pack.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

/* Whatever unpacks must pack, unpack and pack to the same bytes again. */
static void packs_again(const alert *a)
{
    kg_buf first = {0};
    kg_buf second = {0};
    alert again;
    if (alert_pack(a, &first) == KG_OK) {
        if (alert_unpack_draft(first.s, first.len, &again, NULL) != KG_OK || alert_pack(&again, &second) != KG_OK ||
            first.len != second.len || memcmp(first.s, second.s, first.len) != 0) {
            abort();
        }
        alert_done(&again);
    }
    kg_buf_done(&first);
    kg_buf_done(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alert a;
    signed_view v;
    kg_diag diag = {{0}};
    if (alert_unpack(data, size, &a, &diag) == KG_OK) {
        packs_again(&a);
        alert_done(&a);
    }
    if (signed_open(data, size, &v, &diag) == KG_OK) {
        if (alert_unpack(v.payload, v.payload_len, &a, &diag) == KG_OK) {
            alert_done(&a);
        }
        signed_done(&v);
    }
    return 0;
}
