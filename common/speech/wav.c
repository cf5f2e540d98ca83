#include "speech/wav.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "samples go from memory to the file as they are");

enum { WAV_CHUNKS_MAX = 64, WAV_HEAD_BYTES = 44, WAV_HEAD_MAX = 64 * 1024 };

static uint32_t u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint16_t u16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static kg_err format_check(const uint8_t *f, wav_head *h, kg_diag *diag)
{
    const unsigned tag = u16(f), channels = u16(f + 2), bits = u16(f + 14);
    if (tag != 1 || channels != 1 || bits != 16) {
        return kg_fail(diag, KG_E_INVALID,
                       "sound of format %u with %u channel(s) of %u bits; 16-bit PCM with one channel is needed", tag,
                       channels, bits);
    }
    h->rate = u32(f + 4);
    return KG_OK;
}

kg_err wav_head_read(const void *bytes, size_t n, wav_head *out, kg_diag *diag)
{
    const uint8_t *p = bytes;
    wav_head h = {0};
    bool format = false;
    if (n < 12) {
        return kg_fail(diag, KG_E_AGAIN, "a WAV header has 12 bytes, here are %zu", n);
    }
    if (memcmp(p, "RIFF", 4) != 0 || memcmp(p + 8, "WAVE", 4) != 0) {
        return kg_fail(diag, KG_E_INVALID, "not a WAV file (no RIFF/WAVE at its start)");
    }
    size_t at = 12;
    for (unsigned chunks = 0; chunks < WAV_CHUNKS_MAX; chunks++) {
        if (n - at < 8) {
            return kg_fail(diag, KG_E_AGAIN, "the WAV header ends before its data");
        }
        const size_t length = u32(p + at + 4);
        if (memcmp(p + at, "data", 4) == 0) {
            if (!format) {
                return kg_fail(diag, KG_E_INVALID, "the WAV file does not say its format before its data");
            }
            h.data_at = at + 8;
            h.data_bytes = length;
            *out = h;
            return KG_OK;
        }
        const size_t padded = length + (length & 1U);
        if (padded > WAV_HEAD_MAX) {
            return kg_fail(diag, KG_E_INVALID, "the WAV file has a chunk of %zu bytes before its data", length);
        }
        if (n - at - 8 < padded) {
            return kg_fail(diag, KG_E_AGAIN, "the WAV header ends inside a chunk");
        }
        if (memcmp(p + at, "fmt ", 4) == 0) {
            const kg_err e = length < 16 ? kg_fail(diag, KG_E_INVALID, "the WAV format chunk is cut short")
                                         : format_check(p + at + 8, &h, diag);
            if (e != KG_OK) {
                return e;
            }
            format = true;
        }
        at += 8 + padded;
    }
    return kg_fail(diag, KG_E_INVALID, "more than %d chunks before the WAV data", WAV_CHUNKS_MAX);
}

kg_err wav_parse(const void *bytes, size_t n, kg_buf *samples, kg_diag *diag)
{
    wav_head h = {0};
    kg_err e = wav_head_read(bytes, n, &h, diag);
    if (e != KG_OK) {
        return e == KG_E_AGAIN ? KG_E_INVALID : e; /* nothing more will come: the file is cut short */
    }
    if (h.rate != WAV_RATE) {
        return kg_fail(diag, KG_E_INVALID, "sound at %u samples a second; %d are needed", h.rate, WAV_RATE);
    }
    if (h.data_bytes > n - h.data_at || h.data_bytes % 2 != 0 || h.data_bytes == 0) {
        return kg_fail(diag, KG_E_INVALID, "the WAV header promises %zu bytes of sound, %zu are there", h.data_bytes,
                       n - h.data_at);
    }
    e = kg_buf_put(samples, (const uint8_t *)bytes + h.data_at, h.data_bytes);
    return e == KG_OK ? KG_OK : kg_fail(diag, e, "no room for %zu bytes of sound", h.data_bytes);
}

kg_err wav_read(const char *path, kg_buf *samples, kg_diag *diag)
{
    kg_buf file = {0};
    kg_err e = kg_file_read(path, WAV_FILE_MAX, &file, diag);
    if (e == KG_OK) {
        e = wav_parse(kg_buf_str(&file), file.len, samples, diag);
        if (e != KG_OK) {
            e = kg_fail_in(diag, e, "%s: ", path);
        }
    }
    kg_buf_done(&file);
    return e;
}

static void put32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++) {
        p[i] = (uint8_t)(v >> (8 * i));
    }
}

static void head_write(uint8_t h[WAV_HEAD_BYTES], uint32_t data_bytes)
{
    static const uint8_t model[WAV_HEAD_BYTES] = "RIFF....WAVEfmt \x10\0\0\0\x01\0\x01\0rrrrbbbb\x02\0\x10\0data...";
    memcpy(h, model, WAV_HEAD_BYTES);
    put32(h + 4, data_bytes + WAV_HEAD_BYTES - 8);
    put32(h + 24, WAV_RATE);
    put32(h + 28, WAV_RATE * 2);
    put32(h + 40, data_bytes);
}

static kg_err write_all(int fd, const void *bytes, size_t n)
{
    const char *p = bytes;
    while (n > 0) {
        const ssize_t put = write(fd, p, n);
        if (put < 0 && errno != EINTR) {
            return errno == ENOSPC || errno == EDQUOT ? KG_E_FULL : KG_E_IO;
        }
        if (put > 0) {
            p += put;
            n -= (size_t)put;
        }
    }
    return KG_OK;
}

kg_err wav_write(const char *path, const kg_buf *samples, kg_diag *diag)
{
    uint8_t head[WAV_HEAD_BYTES];
    if (samples->len > WAV_FILE_MAX) {
        return kg_fail(diag, KG_E_LIMIT, "%s: a sound of %zu bytes; at most %d are written", path, samples->len,
                       WAV_FILE_MAX);
    }
    head_write(head, (uint32_t)samples->len);
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) {
        return kg_fail(diag, KG_E_IO, "%s: cannot be written: %s", path, strerror(errno));
    }
    kg_err e = write_all(fd, head, sizeof head);
    if (e == KG_OK) {
        e = write_all(fd, kg_buf_str(samples), samples->len);
    }
    const int why = errno;
    if (close(fd) != 0 && e == KG_OK) {
        e = KG_E_IO;
    }
    if (e != KG_OK) {
        (void)unlink(path);
        return kg_fail(diag, e, "%s: cannot be written: %s", path, strerror(why));
    }
    return KG_OK;
}
