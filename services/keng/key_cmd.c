#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "tool.h"
#include "trust/manifest.h"

enum { OPT_USE };
enum { OPT_ROOT_KEY };

int key_new(const cli_args *args)
{
    kg_diag diag = {{0}};
    secret_key *k = NULL;
    const int use = args->values[OPT_USE] != NULL ? key_use_read(args->values[OPT_USE]) : -1;
    kg_err e = trust_start(&diag);
    if (e == KG_OK && use < 0) {
        e = kg_fail(&diag, KG_E_INVALID, "say what the key is for: --use actual, drill or connect");
    }
    if (e == KG_OK) {
        e = secret_new((key_use)use, &k, &diag);
    }
    if (e == KG_OK) {
        e = secret_save(k, args->positional[0], &diag);
    }
    if (e == KG_OK) {
        char text[KEY_TEXT];
        const public_key public = secret_public(k);
        public_text(&public, text);
        (void)printf("%s\n", text);
    }
    secret_free(&k);
    return e == KG_OK ? CLI_OK : tool_fail(e, &diag);
}

int key_show(const cli_args *args)
{
    kg_diag diag = {{0}};
    secret_key *k = NULL;
    kg_err e = trust_start(&diag);
    if (e == KG_OK) {
        e = secret_load(args->positional[0], &k, &diag);
    }
    if (e == KG_OK) {
        char text[KEY_TEXT];
        const public_key public = secret_public(k);
        public_text(&public, text);
        (void)printf("%s %s\n", key_use_text(secret_use(k)), text);
    }
    secret_free(&k);
    return e == KG_OK ? CLI_OK : tool_fail(e, &diag);
}

static void print_texts(const char *label, const alert_texts *t)
{
    for (size_t i = 0; i < t->count; i++) {
        (void)printf("%s%s", i == 0 ? label : ",", t->items[i]);
    }
}

static void print_entry(const key_entry *k, int64_t now_ms)
{
    char text[KEY_TEXT];
    public_text(&k->key, text);
    (void)printf("%-7s %.16s… %-8s %s", key_use_text(k->use), text,
                 k->revoked_ms != 0           ? "revoked"
                 : key_entry_valid(k, now_ms) ? "valid"
                                              : "no date",
                 k->holder);
    if (k->use == KEY_CONNECT || k->role != ROLE_NONE) {
        (void)printf("  role=%s", key_role_text(k->role));
    }
    if (k->agency[0] != '\0') {
        (void)printf("  agency=%s class<=%s%s", k->agency, bulletin_class_text(k->class_max),
                     k->first_warning ? " first-warning" : "");
    }
    print_texts("  areas=", &k->areas);
    print_texts("  sectors=", &k->sectors);
    print_texts("  stations=", &k->stations);
    (void)printf("\n");
}

int key_list(const cli_args *args)
{
    kg_diag diag = {{0}};
    public_key root;
    manifest *m = NULL;
    kg_err e = trust_start(&diag);
    const char *hex = args->values[OPT_ROOT_KEY];
    if (e == KG_OK && (hex == NULL || !public_read(hex, &root))) {
        e = kg_fail(&diag, KG_E_INVALID, "--root must be the root's public key, 64 hex digits");
    }
    if (e == KG_OK) {
        e = manifest_load(args->positional[0], &root, NULL, &m, &diag);
    }
    if (e == KG_OK) {
        const int64_t now = kg_clock_wall_ms();
        (void)printf("version %llu%s, %zu keys\n", (unsigned long long)manifest_version(m),
                     manifest_degraded(m, now) ? " (out of date: degraded)" : "", manifest_count(m));
        for (size_t i = 0; i < manifest_count(m); i++) {
            print_entry(manifest_at(m, i), now);
        }
    }
    manifest_free(&m);
    return e == KG_OK ? CLI_OK : tool_fail(e, &diag);
}
