/*
 * clips - recordings of people, for languages that no voice speaks.
 *
 * Shape     A folder with catalogue.tsv, one recording a line, tab-separated, "#" begins a remark:
 *               hash  language  text  ms  reviewer  valid-until
 *           and the files, named <hash>.wav (48 kHz, mono, 16 bit). hash: BLAKE2b-256 of the file, hexadecimal.
 *           reviewer: who heard it and answers for it, "-" nobody yet. valid-until: 2027-06-30, that day included
 *           (Vietnamese time), "-" without end.
 * Rules     A recording is sounded only when its hash and its length fit, somebody reviewed it and its date has not
 *           passed. A text is said by recordings only when every sentence of it is there: half a warning is none. No
 *           numbers or names belong inside recorded sentences.
 * Errors    clips_open: KG_E_INVALID with file and line. The others: KG_E_NOTFOUND, KG_E_DENIED not reviewed,
 *           KG_E_EXPIRED, KG_E_INVALID altered or damaged.
 * Owns      clip pointers live as long as the clips.
 */
#ifndef KENG_SPEECH_CLIPS_H
#define KENG_SPEECH_CLIPS_H

#include "alert/alert.h"
#include "base/buf.h"

enum { CLIPS_MAX = 4096, CLIPS_IN_TEXT_MAX = 32, CLIPS_LENGTH_SLACK_MS = 20 };

typedef struct clip {
    alert_hash hash;
    const char *language, *text, *reviewer; /* reviewer "": nobody */
    int64_t length_ms;
    int64_t valid_until_ms; /* the first moment it is not; 0 without end */
} clip;

typedef struct clips clips;

KG_MUST_CHECK kg_err clips_open(const char *dir, clips **out, kg_diag *diag);
void clips_close(clips **c);
size_t clips_count(const clips *c);
const clip *clips_find(const clips *c, const alert_hash *hash); /* NULL: not in the catalogue */

/* May it be sounded at now_ms? (Date and review; the file is looked at by clips_load.) */
KG_MUST_CHECK kg_err clips_check(const clip *one, int64_t now_ms, kg_diag *diag);

/* The recordings that say `text` sentence by sentence, all of them fit for use; order[] holds CLIPS_IN_TEXT_MAX. */
KG_MUST_CHECK kg_err clips_saying(const clips *c, const char *language, const char *text, int64_t now_ms,
                                  const clip **order, size_t *count, kg_diag *diag);

/* Reads one, checks it and appends its samples. */
KG_MUST_CHECK kg_err clips_load(const clips *c, const clip *one, int64_t now_ms, kg_buf *samples, kg_diag *diag);

#endif
