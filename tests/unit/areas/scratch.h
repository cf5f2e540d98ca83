/*
 * scratch - a text file for one test, in the temporary folder, removed by scratch_done.
 */
#ifndef KENG_TESTS_AREAS_SCRATCH_H
#define KENG_TESTS_AREAS_SCRATCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct scratch {
    char path[64];
} scratch;

static inline scratch scratch_file(const char *text)
{
    scratch s = {"/tmp/keng-areas-XXXXXX"};
    const int fd = mkstemp(s.path);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || close(fd) != 0) {
        (void)fprintf(stderr, "cannot write %s\n", s.path);
        abort();
    }
    return s;
}

static inline void scratch_done(const scratch *s)
{
    (void)unlink(s->path);
}

#endif
