/* Questions as libzmq asks them: CURVE over tcp and over ipc, and the mechanisms we refuse. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"

typedef struct question {
    const char *name;
    const char *frames[8];
} question;

static kg_err write_seed(const char *folder, const question *q)
{
    kg_buf b = {.max = 4096};
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder, q->name);
    for (size_t i = 0; i < 8 && q->frames[i] != NULL; i++) {
        const unsigned char n = (unsigned char)strlen(q->frames[i]);
        kg_ignore(kg_buf_put(&b, &n, 1)); /* a failure shows at the end */
        kg_ignore(kg_buf_puts(&b, q->frames[i]));
    }
    const kg_err e = kg_buf_failed(&b) == KG_OK ? kg_file_replace(path, b.s, b.len, 0644, NULL) : kg_buf_failed(&b);
    kg_buf_done(&b);
    return e;
}

int main(int argc, char **argv)
{
    static const question all[] = {
        {"curve-tcp", {"1.0", "1", "intake", "192.0.2.7", "", "CURVE", "0123456789abcdef0123456789abcdef"}},
        {"curve-ipc", {"1.0", "1", "control", "", "", "CURVE", "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"}},
        {"curve-named", {"1.0", "1", "urgent", "::1", "siren-7", "CURVE", "0123456789abcdef0123456789abcdef"}},
        {"null", {"1.0", "1", "intake", "192.0.2.7", "", "NULL"}},
        {"plain", {"1.0", "1", "intake", "192.0.2.7", "", "PLAIN", "admin", "secret"}},
    };
    if (argc != 2) {
        return 64;
    }
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (write_seed(argv[1], &all[i]) != KG_OK) {
            return 1;
        }
    }
    return 0;
}
