#include "trust/key.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/hex.h"

/* "KENG/1" and its NUL, the kind, the length: no signature of one kind can pass for another's. */
enum { DOMAIN_BYTES = 7, PREFIX_BYTES = DOMAIN_BYTES + 1 + 8, FILE_LINE_MAX = 128 };

struct secret_key {
    key_use use;
    public_key open;
    union {
        uint8_t sign[crypto_sign_SECRETKEYBYTES]; /* seed, then public key */
        uint8_t connect[crypto_box_SECRETKEYBYTES];
    } s;
};

static const char *const file_words[KEY_USE_COUNT] = {
    [KEY_SIGN_ACTUAL] = "keng-sign-secret",
    [KEY_SIGN_DRILL] = "keng-drill-secret",
    [KEY_CONNECT] = "keng-connect-secret",
};

kg_err trust_start(kg_diag *diag)
{
    return sodium_init() < 0 ? kg_fail(diag, KG_E_BUG, "the cryptographic library does not start") : KG_OK;
}

void trust_random(void *out, size_t n)
{
    randombytes_buf(out, n);
}

/* From the 32 bytes a file holds; they are the caller's to wipe. */
static kg_err secret_from(key_use use, const uint8_t seed[KEY_BYTES], secret_key **out, kg_diag *diag)
{
    secret_key *k = sodium_malloc(sizeof *k);
    if (k == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no locked memory for a secret key; raise the memlock limit");
    }
    memset(k, 0, sizeof *k);
    k->use = use;
    int rc = 0;
    if (use == KEY_CONNECT) {
        memcpy(k->s.connect, seed, KEY_BYTES);
        rc = crypto_scalarmult_base(k->open.b, k->s.connect);
    } else {
        rc = crypto_sign_seed_keypair(k->open.b, k->s.sign, seed);
    }
    if (rc != 0) {
        sodium_free(k);
        return kg_fail(diag, KG_E_INVALID, "these bytes are no secret key");
    }
    (void)sodium_mprotect_readonly(k);
    *out = k;
    return KG_OK;
}

kg_err secret_new(key_use use, secret_key **out, kg_diag *diag)
{
    assert(use < KEY_USE_COUNT);
    uint8_t seed[KEY_BYTES];
    randombytes_buf(seed, sizeof seed);
    const kg_err e = secret_from(use, seed, out, diag);
    sodium_memzero(seed, sizeof seed);
    return e;
}

void secret_free(secret_key **k)
{
    if (k != NULL && *k != NULL) {
        sodium_free(*k); /* wipes */
        *k = NULL;
    }
}

/* Judges the opened file, not the name: what is checked is what is read. */
static kg_err read_private(const char *path, char line[FILE_LINE_MAX], kg_diag *diag)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return kg_fail(diag, errno == ENOENT ? KG_E_NOTFOUND : KG_E_IO, "%s: cannot open the secret key: %s", path,
                       strerror(errno));
    }
    kg_err e = KG_OK;
    struct stat st;
    size_t n = 0;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        e = kg_fail(diag, KG_E_DENIED, "%s: a secret key must be a regular file", path);
    } else if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        e = kg_fail(diag, KG_E_DENIED, "%s: others may read this secret; mend it with: chmod 600 %s", path, path);
    }
    while (e == KG_OK && n < FILE_LINE_MAX - 1) {
        const ssize_t got = read(fd, line + n, FILE_LINE_MAX - 1 - n);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            e = kg_fail(diag, KG_E_IO, "%s: cannot read the secret key: %s", path, strerror(errno));
        }
        if (got <= 0) {
            break;
        }
        n += (size_t)got;
    }
    (void)close(fd);
    line[n] = '\0';
    return e;
}

static bool line_read(char *line, key_use *use, uint8_t seed[KEY_BYTES])
{
    char *end = strchr(line, '\n');
    if (end != NULL && end[1] == '\0') {
        *end = '\0';
    }
    for (int u = 0; u < KEY_USE_COUNT; u++) {
        const size_t n = strlen(file_words[u]);
        if (strncmp(line, file_words[u], n) == 0 && line[n] == ' ') {
            *use = (key_use)u;
            return kg_hex_read(line + n + 1, seed, KEY_BYTES);
        }
    }
    return false;
}

kg_err secret_load(const char *path, secret_key **out, kg_diag *diag)
{
    char line[FILE_LINE_MAX] = {0};
    uint8_t seed[KEY_BYTES] = {0};
    key_use use = KEY_USE_COUNT;
    kg_err e = read_private(path, line, diag);
    if (e == KG_OK && !line_read(line, &use, seed)) {
        e = kg_fail(diag, KG_E_INVALID,
                    "%s: not a secret key of Keng; expected one line \"keng-sign-secret\", \"keng-drill-secret\" or "
                    "\"keng-connect-secret\" and 64 hex digits (make one with: keng key new)",
                    path);
    }
    if (e == KG_OK) {
        e = secret_from(use, seed, out, diag);
    }
    sodium_memzero(line, sizeof line);
    sodium_memzero(seed, sizeof seed);
    return e;
}

static kg_err write_synced(int fd, const char *line, size_t n)
{
    while (n > 0) {
        const ssize_t w = write(fd, line, n);
        if (w < 0 && errno == EINTR) {
            continue;
        }
        if (w < 0) {
            return errno == ENOSPC ? KG_E_FULL : KG_E_IO;
        }
        line += w;
        n -= (size_t)w;
    }
    return fsync(fd) == 0 ? KG_OK : KG_E_IO;
}

kg_err secret_save(const secret_key *k, const char *path, kg_diag *diag)
{
    char line[FILE_LINE_MAX];
    char hex[KEY_TEXT];
    kg_hex(k->use == KEY_CONNECT ? k->s.connect : k->s.sign, KEY_BYTES, hex);
    const int n = snprintf(line, sizeof line, "%s %s\n", file_words[k->use], hex);
    assert(n > 0 && n < (int)sizeof line);
    kg_err e = KG_OK;
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0) {
        e = errno == EEXIST ? kg_fail(diag, KG_E_CONFLICT,
                                      "%s: there is a file of this name; a secret key is never overwritten", path)
                            : kg_fail(diag, KG_E_IO, "%s: cannot create the secret key: %s", path, strerror(errno));
    } else {
        e = write_synced(fd, line, (size_t)n);
        if (close(fd) != 0 || e != KG_OK) {
            e = kg_fail(diag, e == KG_OK ? KG_E_IO : e, "%s: cannot write the secret key: %s", path, strerror(errno));
            (void)unlink(path);
        }
    }
    sodium_memzero(line, sizeof line);
    sodium_memzero(hex, sizeof hex);
    return e;
}

key_use secret_use(const secret_key *k)
{
    return k->use;
}

public_key secret_public(const secret_key *k)
{
    return k->open;
}

const uint8_t *secret_connect_bytes(const secret_key *k)
{
    return k->use == KEY_CONNECT ? k->s.connect : NULL;
}

bool public_same(const public_key *a, const public_key *b)
{
    return memcmp(a->b, b->b, KEY_BYTES) == 0;
}

void public_text(const public_key *k, char out[KEY_TEXT])
{
    kg_hex(k->b, KEY_BYTES, out);
}

bool public_read(const char *text, public_key *out)
{
    public_key k = {{0}};
    if (!kg_hex_read(text, k.b, KEY_BYTES)) {
        return false;
    }
    *out = k;
    return true;
}

/* Ed25519 wants its message in one piece: prefix and payload are put together once. NULL: no memory. */
static uint8_t *signed_bytes(trust_kind kind, const void *payload, size_t n)
{
    uint8_t *m = n > SIZE_MAX - PREFIX_BYTES ? NULL : malloc(PREFIX_BYTES + n);
    if (m == NULL) {
        return NULL;
    }
    memcpy(m, "KENG/1", DOMAIN_BYTES);
    m[DOMAIN_BYTES] = (uint8_t)kind;
    for (int i = 0; i < 8; i++) {
        m[DOMAIN_BYTES + 1 + i] = (uint8_t)((uint64_t)n >> (56 - 8 * i));
    }
    if (n > 0) {
        memcpy(m + PREFIX_BYTES, payload, n);
    }
    return m;
}

kg_err trust_sign(const secret_key *k, trust_kind kind, const void *payload, size_t n, uint8_t sig[SIG_BYTES])
{
    assert(k->use != KEY_CONNECT);
    uint8_t *m = KG_FAULT_FAILS("key.sign_memory") ? NULL : signed_bytes(kind, payload, n);
    if (m == NULL) {
        return KG_E_NOMEM;
    }
    const int rc = crypto_sign_detached(sig, NULL, m, PREFIX_BYTES + n, k->s.sign);
    free(m);
    return rc == 0 ? KG_OK : KG_E_BUG;
}

bool trust_verify(const public_key *k, trust_kind kind, const void *payload, size_t n, const uint8_t sig[SIG_BYTES])
{
    uint8_t *m = signed_bytes(kind, payload, n);
    const bool good = m != NULL && crypto_sign_verify_detached(sig, m, PREFIX_BYTES + n, k->b) == 0;
    free(m);
    return good;
}
