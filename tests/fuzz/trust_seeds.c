/* Valid messages for the trust targets: a manifest and an alert, each whole and as the payload inside. */
#include <stdio.h>
#include <stdlib.h>

#include "alert/pack.h"
#include "base/file.h"
#include "tests/unit/trust/trust_fixture.h"

static void write_seed(const char *folder, const char *name, const void *bytes, size_t n)
{
    char path[4096];
    kg_diag diag = {{0}};
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    if (kg_file_replace(path, bytes, n, 0644, &diag) != KG_OK) {
        (void)fprintf(stderr, "%s\n", diag.text);
        exit(1);
    }
}

static void write_both(const char *folder, const char *whole, const char *inside, const kg_buf *b)
{
    signed_view v = {0};
    if (signed_open(b->s, b->len, &v, NULL) != KG_OK) {
        exit(1);
    }
    write_seed(folder, whole, b->s, b->len);
    write_seed(folder, inside, v.payload, v.payload_len);
    signed_done(&v);
}

int main(int argc, char **argv)
{
    trust_fixture f;
    if (argc != 2) {
        return 64;
    }
    tf_open(&f);
    kg_buf b = {0};
    tf_manifest(&f, 3, &b);
    write_both(argv[1], "manifest", "manifest.payload", &b);
    static const struct {
        const char *whole, *inside, *agency;
        tf_who who;
        cap_status status;
        bulletin_class class;
    } rows[] = {
        {"health", "health.payload", "so-y-te", TF_HEALTH, CAP_ACTUAL, CLASS_URGENT},
        {"commune", "commune.payload", "ubnd-28756", TF_COMMUNE, CAP_ACTUAL, CLASS_PRIORITY},
        {"drill", "drill.payload", "so-y-te", TF_DRILL, CAP_EXERCISE, CLASS_URGENT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        alert a;
        tf_alert(&a);
        a.agency = rows[i].agency;
        a.status = rows[i].status;
        a.bulletin_class = rows[i].class;
        kg_buf_clear(&b);
        tf_sign(&f, &a, &rows[i].who, 1, &b);
        write_both(argv[1], rows[i].whole, rows[i].inside, &b);
        alert_done(&a);
    }
    kg_buf_done(&b);
    tf_close(&f);
    return 0;
}
