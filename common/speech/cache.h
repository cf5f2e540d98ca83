/*
 * cache - finished sounds by the hash of what was ordered, as files; the least used goes first.
 *
 * Shape     <dir>/<key>.wav. cache_open empties the folder of WAV files: nothing outlives the process that knows it.
 * Bounds    Number of files and bytes together. A file that was handed out under a second name (a hard link) stays for
 *           who has it when the cache drops its own.
 */
#ifndef KENG_SPEECH_CACHE_H
#define KENG_SPEECH_CACHE_H

#include "alert/alert.h"
#include "base/buf.h"

typedef struct cache cache;

KG_MUST_CHECK kg_err cache_open(const char *dir, size_t files_max, uint64_t bytes_max, cache **out, kg_diag *diag);
void cache_close(cache **c); /* removes its files */

/* Writes the sound under its key; makes room first. KG_E_EXISTS: it is there. */
KG_MUST_CHECK kg_err cache_add(cache *c, const alert_hash *key, const kg_buf *samples, kg_diag *diag);
/* Gives the file a second name. KG_E_NOTFOUND: not in the cache. */
KG_MUST_CHECK kg_err cache_link(cache *c, const alert_hash *key, const char *path, int64_t *length_ms, kg_diag *diag);
size_t cache_count(const cache *c);

#endif
