/* A submitted alert: as it comes, and its content behind a signature that holds. What is taken is within its signer's
 * rights, whatever else it says. */
#include "alert/pack.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/trust/trust_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void judge(const trust_fixture *w, const void *bytes, size_t n)
{
    alert a = {0};
    const key_entry *signer = NULL;
    kg_diag diag = {{0}};
    const refusal r = verify_signed(bytes, n, w->manifest, w->areas, tf_now_ms, &a, &signer, &diag);
    if (r == REFUSAL_NONE &&
        (signer == NULL || strcmp(a.agency, signer->agency) != 0 || a.bulletin_class > signer->class_max ||
         (signer->use == KEY_SIGN_DRILL) != (a.status == CAP_EXERCISE || a.status == CAP_TEST))) {
        abort();
    }
    if (r != REFUSAL_NONE && diag.text[0] == '\0') {
        abort(); /* every refusal has a sentence */
    }
    alert_done(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static trust_fixture world;
    if (world.areas == NULL) {
        tf_open(&world);
        (void)unlink(world.areas_path); /* read already; nobody closes this world */
        (void)rmdir(world.dir);
    }
    judge(&world, data, size);
    static const tf_who signers[] = {TF_HEALTH, TF_COMMUNE, TF_DRILL};
    for (size_t i = 0; i < sizeof signers / sizeof signers[0]; i++) {
        const secret_key *k = world.keys[signers[i]];
        const public_key open = secret_public(k);
        signed_view v = {.kind = TRUST_ALERT, .payload = data, .payload_len = size, .signature_count = 1};
        kg_buf whole = {0};
        memcpy(v.signatures[0].key, open.b, KEY_BYTES);
        if (trust_sign(k, TRUST_ALERT, data, size, v.signatures[0].sig) == KG_OK && signed_pack(&v, &whole) == KG_OK) {
            judge(&world, whole.s, whole.len);
        }
        kg_buf_done(&whole);
    }
    return 0;
}
