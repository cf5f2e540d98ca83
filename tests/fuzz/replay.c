/* Runs a fuzz target over files and folders of seeds without libFuzzer: each as it is, cut, and changed. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

enum { SEED_MAX = 4 * 1024 * 1024, CUTS = 64, MUTATIONS = 400, MUTATION_BUDGET = 8 * 1024 * 1024, PATH_ROOM = 4096 };

/* Always the same numbers, so that a failure can be run again. */
static uint32_t next_number(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

/* On a copy of exactly n bytes, so that a sanitizer sees a read beyond them. */
static void run(const uint8_t *bytes, size_t n)
{
    uint8_t *exact = malloc(n > 0 ? n : 1);
    if (exact == NULL) {
        abort();
    }
    if (n > 0) {
        memcpy(exact, bytes, n);
    }
    (void)LLVMFuzzerTestOneInput(exact, n);
    free(exact);
}

/* One to three bytes: a low bit turned, or a byte from elsewhere in the seed, so that text often stays text. */
static void mutate_and_run(uint8_t *bytes, size_t n, uint32_t *state)
{
    uint8_t saved[3];
    size_t at[3];
    const size_t changes = 1 + next_number(state) % 3;
    for (size_t i = 0; i < changes; i++) {
        at[i] = next_number(state) % n;
        saved[i] = bytes[at[i]];
        const uint8_t turned = (uint8_t)(bytes[at[i]] ^ (1U << (next_number(state) % 7)));
        const uint8_t other = bytes[next_number(state) % n];
        bytes[at[i]] = next_number(state) % 2 == 0 ? turned : other;
    }
    run(bytes, n);
    for (size_t i = changes; i > 0; i--) {
        bytes[at[i - 1]] = saved[i - 1];
    }
}

static size_t replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *bytes = malloc(SEED_MAX);
    if (f == NULL || bytes == NULL) {
        (void)fprintf(stderr, "%s: cannot be read\n", path);
        exit(1);
    }
    const size_t n = fread(bytes, 1, SEED_MAX, f);
    (void)fclose(f);
    run(bytes, n);
    uint32_t state = 1;
    const size_t rounds = n > 0 && MUTATION_BUDGET / n < MUTATIONS ? MUTATION_BUDGET / n : MUTATIONS;
    for (size_t i = 1; i <= CUTS && n > 0; i++) {
        run(bytes, n * i / (CUTS + 1));
    }
    for (size_t i = 0; i < rounds && n > 0; i++) {
        mutate_and_run(bytes, n, &state);
    }
    free(bytes);
    return 1;
}

static size_t replay(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        return 0;
    }
    if (!S_ISDIR(st.st_mode)) {
        return replay_file(path);
    }
    size_t files = 0;
    struct dirent **list = NULL;
    const int n = scandir(path, &list, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char inner[PATH_ROOM];
        const int len = snprintf(inner, sizeof inner, "%s/%s", path, list[i]->d_name);
        if (list[i]->d_name[0] != '.' && len > 0 && len < PATH_ROOM) {
            files += replay(inner);
        }
        free(list[i]);
    }
    free(list);
    return files;
}

int main(int argc, char **argv)
{
    size_t files = 0;
    for (int i = 1; i < argc; i++) {
        files += replay(argv[i]);
    }
    (void)printf("%zu seeds replayed\n", files);
    return files > 0 ? 0 : 1; /* a target without seeds shows nothing */
}
