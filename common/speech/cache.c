#include "speech/cache.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "speech/wav.h"

typedef struct entry {
    alert_hash key;
    uint64_t bytes;
    int64_t length_ms;
    uint64_t used; /* rises with every use */
} entry;

struct cache {
    char dir[PATH_MAX];
    size_t files_max, count;
    uint64_t bytes_max, bytes, uses;
    entry *entries;
};

/* PATH_MAX for the folder, a key and its ending behind it: whoever opens too long a path is told by the system. */
typedef struct path {
    char s[PATH_MAX + 2 * ALERT_HASH_BYTES + 8];
} path;

static path path_of(const cache *c, const alert_hash *key)
{
    path p;
    char hex[2 * ALERT_HASH_BYTES + 1];
    kg_hex(key->b, sizeof key->b, hex);
    (void)snprintf(p.s, sizeof p.s, "%s/%s.wav", c->dir, hex);
    return p;
}

static kg_err folder_empty(const char *dir, kg_diag *diag)
{
    DIR *d = opendir(dir);
    if (d == NULL) {
        return kg_fail(diag, KG_E_IO, "%s: cannot be opened: %s", dir, strerror(errno));
    }
    for (const struct dirent *f; (f = readdir(d)) != NULL;) {
        const size_t n = strlen(f->d_name);
        if (n > 4 && strcmp(f->d_name + n - 4, ".wav") == 0) {
            (void)unlinkat(dirfd(d), f->d_name, 0); /* what cannot go is overwritten or found out when written */
        }
    }
    (void)closedir(d);
    return KG_OK;
}

kg_err cache_open(const char *dir, size_t files_max, uint64_t bytes_max, cache **out, kg_diag *diag)
{
    kg_err e = kg_dir_make(dir, 0755, diag);
    if (e == KG_OK) {
        e = folder_empty(dir, diag);
    }
    if (e != KG_OK) {
        return e;
    }
    cache *c = calloc(1, sizeof *c);
    if (c == NULL || (c->entries = calloc(files_max, sizeof *c->entries)) == NULL) {
        free(c);
        return kg_fail(diag, KG_E_NOMEM, "no memory for the cache of sounds");
    }
    c->files_max = files_max;
    c->bytes_max = bytes_max;
    if ((size_t)snprintf(c->dir, sizeof c->dir, "%s", dir) >= sizeof c->dir) {
        cache_close(&c);
        return kg_fail(diag, KG_E_LIMIT, "%s: the path is too long", dir);
    }
    *out = c;
    return KG_OK;
}

static void drop(cache *c, size_t i)
{
    const path p = path_of(c, &c->entries[i].key);
    (void)unlink(p.s);
    c->bytes -= c->entries[i].bytes;
    c->entries[i] = c->entries[--c->count];
}

void cache_close(cache **c)
{
    if (c != NULL && *c != NULL) {
        while ((*c)->count > 0) {
            drop(*c, (*c)->count - 1);
        }
        free((*c)->entries);
        free(*c);
        *c = NULL;
    }
}

static entry *find(cache *c, const alert_hash *key)
{
    for (size_t i = 0; i < c->count; i++) {
        if (memcmp(c->entries[i].key.b, key->b, sizeof key->b) == 0) {
            return &c->entries[i];
        }
    }
    return NULL;
}

static size_t least_used(const cache *c)
{
    size_t least = 0;
    for (size_t i = 1; i < c->count; i++) {
        least = c->entries[i].used < c->entries[least].used ? i : least;
    }
    return least;
}

kg_err cache_add(cache *c, const alert_hash *key, const kg_buf *samples, kg_diag *diag)
{
    if (find(c, key) != NULL) {
        return KG_E_EXISTS;
    }
    if (samples->len > c->bytes_max) {
        return kg_fail(diag, KG_E_LIMIT, "a sound of %zu bytes is larger than the whole cache", samples->len);
    }
    while (c->count > 0 && (c->count == c->files_max || c->bytes + samples->len > c->bytes_max)) {
        drop(c, least_used(c));
    }
    const path p = path_of(c, key);
    const kg_err e = wav_write(p.s, samples, diag);
    if (e == KG_OK) {
        c->entries[c->count++] =
            (entry){.key = *key, .bytes = samples->len, .length_ms = wav_length_ms(samples), .used = ++c->uses};
        c->bytes += samples->len;
    }
    return e;
}

kg_err cache_link(cache *c, const alert_hash *key, const char *name, int64_t *length_ms, kg_diag *diag)
{
    entry *one = find(c, key);
    if (one == NULL) {
        return kg_fail(diag, KG_E_NOTFOUND, "this sound is not in the cache");
    }
    const path p = path_of(c, key);
    if (link(p.s, name) != 0) {
        const int why = errno;
        if (why == ENOENT) { /* somebody cleaned the folder: make the sound again rather than fail for ever */
            drop(c, (size_t)(one - c->entries));
            return kg_fail(diag, KG_E_NOTFOUND, "%s: is gone", p.s);
        }
        return kg_fail(diag, why == ENOSPC || why == EDQUOT ? KG_E_FULL : KG_E_IO, "%s: cannot be linked: %s", name,
                       strerror(why));
    }
    one->used = ++c->uses;
    *length_ms = one->length_ms;
    return KG_OK;
}

size_t cache_count(const cache *c)
{
    return c->count;
}
