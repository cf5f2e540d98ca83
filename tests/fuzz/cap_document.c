#include <limits.h>
#include <stdlib.h>

#include "cap/cap.h"
#include "tests/fuzz/fuzz.h"

/* What can be read, can be written, and read again; but for an XML or schema limit cap_write says so itself. */
static void writes_again(const alert *a)
{
    kg_buf xml = {0};
    cap_reading again;
    if (cap_write(a, &xml, NULL) == KG_OK && xml.len <= ALERT_PAYLOAD_MAX) {
        if (cap_read(xml.s, xml.len, INT_MIN, &again, NULL) != KG_OK || again.count != 1 ||
            !again.documents[0].has_alert) {
            abort();
        }
        cap_reading_done(&again);
    }
    kg_buf_done(&xml);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cap_reading r;
    if (cap_read(data, size, 420, &r, NULL) != KG_OK) {
        return 0;
    }
    for (size_t i = 0; i < r.count; i++) {
        const cap_document *d = &r.documents[i];
        if (d->has_alert && (d->verdict == CAP_REFUSE || d->from + d->length > size)) {
            abort();
        }
        if (d->has_alert) {
            writes_again(&d->alert);
        }
    }
    cap_reading_done(&r);
    return 0;
}
