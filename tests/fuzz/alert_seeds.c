/* Valid messages for alert_unpack: a full alert, a small one, and a Signed around each. */
#include <stdio.h>
#include <string.h>

#include "alert/pack.h"
#include "base/file.h"
#include "tests/unit/alert/sample.h"

static kg_err write_seed(const char *folder, const char *name, const kg_buf *b)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return kg_file_replace(path, b->s, b->len, 0644, NULL);
}

static kg_err write_pair(const char *folder, const char *plain, const char *wrapped, const alert *a)
{
    kg_buf bytes = {0};
    kg_buf outer = {0};
    signed_view v = {.kind = 1, .signature_count = 2};
    memset(&v.signatures, 7, sizeof v.signatures);
    kg_err e = alert_pack(a, &bytes);
    if (e == KG_OK) {
        v.payload = (const uint8_t *)bytes.s;
        v.payload_len = bytes.len;
        e = signed_pack(&v, &outer);
    }
    if (e == KG_OK) {
        e = write_seed(folder, plain, &bytes);
    }
    if (e == KG_OK) {
        e = write_seed(folder, wrapped, &outer);
    }
    kg_buf_done(&bytes);
    kg_buf_done(&outer);
    return e;
}

int main(int argc, char **argv)
{
    alert full;
    alert small;
    if (argc != 2) {
        return 64;
    }
    sample_alert(&full);
    alert_init(&small);
    small.identifier = "i";
    small.sender = "s";
    small.sent_ms = 1774000000000;
    small.expires_ms = 1774000001000;
    const kg_err e = write_pair(argv[1], "full", "full.signed", &full);
    const kg_err f = write_pair(argv[1], "small", "small.signed", &small);
    alert_done(&full);
    return e == KG_OK && f == KG_OK ? 0 : 1;
}
