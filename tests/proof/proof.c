/*
 * proof - was this sound played in that recording?   proof ORDERED.wav RECORDED.wav
 *
 * Both 8 kHz, mono, 16 bit. First the loudness envelope (50 ms steps) is laid over the recording at every offset: codecs
 * and levels do not matter to it, and it finds the place. Then each second of the waveform must be found within 150 ms
 * of where it belongs: that tells one text from another that is as long and as loud.
 *
 * Prints one line: verdict, start in seconds, envelope correlation, blocks found, blocks in all. Exit status: 0 played,
 * 1 not or not wholly played, 2 the files cannot be compared.
 */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 8000, STEP = RATE / 20, SLACK = RATE * 15 / 100, SAMPLES_MAX = RATE * 3600 };

static const double ENVELOPE_MIN = 0.8, BLOCK_MIN = 0.5, BLOCKS_MIN = 0.9;
static const double QUIET = 30; /* rms below which a second has no waveform to speak of */

typedef struct sound {
    float *x;
    size_t n;
    float *loud; /* decibels, a value a step */
    size_t steps;
} sound;

static _Noreturn void give_up(const char *path, const char *why)
{
    (void)fprintf(stderr, "proof: %s: %s\n", path, why);
    exit(2);
}

static uint32_t u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The data chunk's samples; its length is cut to what is there (a recording may have been killed). */
static sound sound_read(const char *path)
{
    uint8_t head[12], chunk[8], format[16];
    FILE *f = fopen(path, "rb");
    sound s = {0};
    if (f == NULL) {
        give_up(path, strerror(errno));
    }
    if (fread(head, 1, sizeof head, f) != sizeof head || memcmp(head, "RIFF", 4) != 0 ||
        memcmp(head + 8, "WAVE", 4) != 0) {
        give_up(path, "not a WAV file");
    }
    for (int good = 0;;) {
        if (fread(chunk, 1, sizeof chunk, f) != sizeof chunk) {
            give_up(path, "no sound in it");
        }
        const uint32_t length = u32(chunk + 4);
        if (memcmp(chunk, "data", 4) == 0 && good) {
            break;
        }
        long skip = (long)length + (long)(length & 1);
        if (memcmp(chunk, "fmt ", 4) == 0 && length >= sizeof format) {
            if (fread(format, 1, sizeof format, f) != sizeof format) {
                give_up(path, "cut short");
            }
            good = format[0] == 1 && format[2] == 1 && u32(format + 4) == RATE && format[14] == 16;
            skip -= (long)sizeof format;
        }
        if (fseek(f, skip, SEEK_CUR) != 0) {
            give_up(path, "cut short");
        }
    }
    s.x = calloc(SAMPLES_MAX, sizeof *s.x);
    if (s.x == NULL) {
        give_up(path, "no memory");
    }
    for (uint8_t two[2]; s.n < SAMPLES_MAX && fread(two, 1, 2, f) == 2;) {
        s.x[s.n++] = (float)(int16_t)(two[0] | two[1] << 8);
    }
    (void)fclose(f);
    s.steps = s.n / STEP;
    s.loud = calloc(s.steps + 1, sizeof *s.loud);
    if (s.loud == NULL) {
        give_up(path, "no memory");
    }
    for (size_t i = 0; i < s.steps; i++) {
        double power = 0;
        for (size_t k = 0; k < STEP; k++) {
            power += (double)s.x[i * STEP + k] * (double)s.x[i * STEP + k];
        }
        s.loud[i] = (float)(10 * log10(power / STEP + 100)); /* 100: what is below is silence alike */
    }
    return s;
}

/* Correlation coefficient of two stretches, -1 to 1; 0 when one of them is constant. */
static double alike(const float *a, const float *b, size_t n)
{
    double sa = 0, sb = 0, ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < n; i++) {
        const double x = (double)a[i], y = (double)b[i];
        sa += x;
        sb += y;
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    const double va = aa - sa * sa / (double)n, vb = bb - sb * sb / (double)n;
    return va > 1e-6 && vb > 1e-6 ? (ab - sa * sb / (double)n) / sqrt(va * vb) : 0;
}

/* The best place of a's envelope in b; b may end early, then the part that is there counts. */
static double place(const sound *a, const sound *b, size_t *at)
{
    double best = -1;
    for (size_t o = 0; o < b->steps; o++) {
        const size_t n = a->steps < b->steps - o ? a->steps : b->steps - o;
        if (n * 10 < a->steps * 9 && o > 0) {
            break; /* the recording ends before nine tenths of it */
        }
        const double r = alike(a->loud, b->loud + o, n);
        if (r > best) {
            best = r;
            *at = o;
        }
    }
    return best;
}

static double rms(const float *x, size_t n)
{
    double power = 0;
    for (size_t i = 0; i < n; i++) {
        power += (double)x[i] * (double)x[i];
    }
    return sqrt(power / (double)n);
}

static int block_found(const sound *a, size_t from, const sound *b, size_t at)
{
    const size_t middle = at * STEP + from;
    for (size_t o = middle > SLACK ? middle - SLACK : 0; o <= middle + SLACK && o + RATE <= b->n; o++) {
        if (fabs(alike(a->x + from, b->x + o, RATE)) > BLOCK_MIN) {
            return 1;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        (void)fprintf(stderr, "proof ORDERED.wav RECORDED.wav\n");
        return 2;
    }
    const sound ordered = sound_read(argv[1]), recorded = sound_read(argv[2]);
    size_t at = 0, found = 0, blocks = 0;
    const double envelope = place(&ordered, &recorded, &at);
    for (size_t from = 0; from + RATE <= ordered.n; from += RATE) {
        if (rms(ordered.x + from, RATE) >= QUIET) {
            blocks++;
            found += (size_t)block_found(&ordered, from, &recorded, at);
        }
    }
    const int played = envelope >= ENVELOPE_MIN && blocks > 0 && (double)found >= BLOCKS_MIN * (double)blocks;
    (void)printf("%s start=%.2f envelope=%.3f blocks=%zu/%zu\n",
                 played      ? "played"
                 : found > 0 ? "partly"
                             : "not-played",
                 (double)at * STEP / RATE, envelope, found, blocks);
    free(ordered.x);
    free(ordered.loud);
    free(recorded.x);
    free(recorded.loud);
    return played ? 0 : 1;
}
