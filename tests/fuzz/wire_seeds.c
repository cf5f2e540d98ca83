/* Valid messages for the wire targets: an envelope of every kind, a receipt, a status, a kept target and receipt. */
#include <stdio.h>

#include "base/file.h"
#include "tests/unit/wire/samples.h"

static kg_err write_seed(const char *folder, const char *name, kg_buf *b)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    const kg_err e = kg_buf_failed(b) != KG_OK ? kg_buf_failed(b) : kg_file_replace(path, b->s, b->len, 0644, NULL);
    kg_buf_clear(b);
    return e;
}

static kg_err write_envelopes(const char *folder, kg_buf *b)
{
    kg_err e = KG_OK;
    for (int k = 0; k < WIRE_KIND_COUNT && e == KG_OK; k++) {
        char name[32];
        (void)snprintf(name, sizeof name, "envelope.%02d", k);
        const wire_msg m = samples_msg((wire_kind)k);
        e = wire_write(&m, b);
        if (e == KG_OK) {
            e = write_seed(folder, name, b);
        }
    }
    return e;
}

static kg_err write_others(const char *folder, kg_buf *b)
{
    const wire_receipt receipt = samples_receipt();
    const wire_status status = samples_status();
    const wire_msg order = samples_msg(WIRE_ORDER);
    const wire_msg receipts = samples_msg(WIRE_RECEIPTS);
    kg_err e = wire_receipt_pack(&receipt, b);
    if (e == KG_OK) {
        e = write_seed(folder, "receipt", b);
    }
    if (e == KG_OK) {
        e = wire_status_pack(&status, b);
    }
    if (e == KG_OK) {
        e = write_seed(folder, "status", b);
    }
    if (e == KG_OK) {
        e = wire_target_pack(&order.u.order.targets[0], b);
    }
    if (e == KG_OK) {
        e = write_seed(folder, "target", b);
    }
    if (e == KG_OK) {
        e = wire_delivery_receipt_pack(&receipts.u.receipts.items[0], b);
    }
    return e == KG_OK ? write_seed(folder, "delivery-receipt", b) : e;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        return 64;
    }
    kg_buf b = {.s = NULL};
    kg_err e = write_envelopes(argv[1], &b);
    if (e == KG_OK) {
        e = write_others(argv[1], &b);
    }
    kg_buf_done(&b);
    return e == KG_OK ? 0 : 1;
}
