/* fuzz_file - a text as a file in memory, for doors that take a path. */
#ifndef KENG_TESTS_FUZZ_FILE_H
#define KENG_TESTS_FUZZ_FILE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct fuzz_file {
    int fd;
    char path[32];
} fuzz_file;

static inline fuzz_file fuzz_file_of(const char *text)
{
    fuzz_file f = {.fd = memfd_create("seed", MFD_CLOEXEC)};
    if (f.fd < 0 || write(f.fd, text, strlen(text)) != (ssize_t)strlen(text)) {
        abort();
    }
    (void)snprintf(f.path, sizeof f.path, "/proc/self/fd/%d", f.fd);
    return f;
}

#endif
