/*
 * wav - sound files: RIFF WAVE, 16-bit PCM, one channel.
 *
 * Rules     Samples are 16-bit in host order in a kg_buf (two bytes each). What a stream's header says about its length
 *           is a wish: espeak-ng writes 2 GB into a pipe's header. A file whose data chunk is cut short is refused.
 * Errors    KG_E_INVALID not such a file, and why; KG_E_LIMIT; KG_E_NOTFOUND; KG_E_IO.
 */
#ifndef KENG_SPEECH_WAV_H
#define KENG_SPEECH_WAV_H

#include <stdint.h>

#include "base/buf.h"

enum { WAV_RATE = 48000, WAV_FILE_MAX = 60 * 1024 * 1024 };

typedef struct wav_head {
    uint32_t rate;
    size_t data_at;    /* offset of the first sample */
    size_t data_bytes; /* as the header says */
} wav_head;

/* Judges the first bytes of a file or stream. KG_E_AGAIN: more bytes are needed to tell. */
KG_MUST_CHECK kg_err wav_head_read(const void *bytes, size_t n, wav_head *out, kg_diag *diag);

/* A whole file in memory, which must be 48 kHz; its samples are appended. */
KG_MUST_CHECK kg_err wav_parse(const void *bytes, size_t n, kg_buf *samples, kg_diag *diag);
KG_MUST_CHECK kg_err wav_read(const char *path, kg_buf *samples, kg_diag *diag);
/* A new file (an old one of that name is replaced); not synced: a sound can be made again. */
KG_MUST_CHECK kg_err wav_write(const char *path, const kg_buf *samples, kg_diag *diag);

static inline int64_t wav_length_ms(const kg_buf *samples)
{
    return (int64_t)(samples->len / 2) * 1000 / WAV_RATE;
}

#endif
