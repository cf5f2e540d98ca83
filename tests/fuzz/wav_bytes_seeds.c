/* Writes two valid sound files into the folder given: a plain one, and one with a chunk before its sound. */
#include <stdio.h>
#include <string.h>

#include "speech/attention.h"
#include "speech/wav.h"

static const char remark[] = "LIST\x04\0\0\0Keng";

int main(int argc, char **argv)
{
    char path[4096];
    kg_buf samples = {0};
    kg_diag diag = {0};
    const attention_signal blip = {.first_hz = 700, .second_hz = 700, .step_ms = 2, .steps = 1};
    if (argc != 2 || attention_put(&blip, &samples) != KG_OK) {
        return 2;
    }
    (void)snprintf(path, sizeof path, "%s/plain.wav", argv[1]);
    if (wav_write(path, &samples, &diag) != KG_OK) {
        (void)fprintf(stderr, "%s\n", diag.text);
        return 1;
    }
    unsigned char all[1024];
    FILE *f = fopen(path, "rb");
    const size_t n = f != NULL ? fread(all, 1, sizeof all, f) : 0;
    if (n < 44 || fclose(f) != 0) {
        return 1;
    }
    (void)snprintf(path, sizeof path, "%s/remark.wav", argv[1]);
    f = fopen(path, "wb");
    if (f == NULL || fwrite(all, 1, 36, f) != 36 || fwrite(remark, 1, sizeof remark - 1, f) != sizeof remark - 1 ||
        fwrite(all + 36, 1, n - 36, f) != n - 36) {
        return 1;
    }
    kg_buf_done(&samples);
    return fclose(f) == 0 ? 0 : 1;
}
