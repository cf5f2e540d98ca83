/* The key manifest: as it comes, and its content behind a signature that holds, so that the parser is reached. */
#include "alert/pack.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/trust/trust_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void look_through(manifest *m)
{
    size_t sum = 0;
    for (size_t i = 0; i < manifest_count(m); i++) {
        const key_entry *e = manifest_at(m, i);
        sum += strlen(e->holder) + strlen(e->agency) + e->areas.count + e->sectors.count;
        if (manifest_signer(m, &e->key) != e && manifest_connector(m, &e->key) != e) {
            abort(); /* every entry is found by its key */
        }
        sum += manifest_serves(e, "86.28756.loa") ? 1 : 0;
    }
    if (sum == SIZE_MAX) {
        abort();
    }
    manifest_free(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static trust_fixture world;
    if (world.areas == NULL) {
        tf_open(&world);
        (void)unlink(world.areas_path); /* read already; nobody closes this world */
        (void)rmdir(world.dir);
    }
    const public_key root = secret_public(world.keys[TF_ROOT]);
    manifest *m = NULL;
    kg_diag diag = {{0}};
    if (manifest_read(data, size, &root, &m, &diag) == KG_OK) {
        look_through(m);
    }
    signed_view v = {.kind = TRUST_MANIFEST, .payload = data, .payload_len = size, .signature_count = 1};
    memcpy(v.signatures[0].key, root.b, KEY_BYTES);
    kg_buf whole = {0};
    if (trust_sign(world.keys[TF_ROOT], TRUST_MANIFEST, data, size, v.signatures[0].sig) == KG_OK &&
        signed_pack(&v, &whole) == KG_OK && manifest_read(whole.s, whole.len, &root, &m, &diag) == KG_OK) {
        look_through(m);
    }
    kg_buf_done(&whole);
    return 0;
}
