/*
 * fence - shuts a process off for good: it may read standard input, write standard output and use memory.
 *
 * Limits    128 MiB of address space (not under AddressSanitizer, which maps terabytes), 2 s of processor time, no
 *           file, no core dump, no child, no network, no executable memory. Any other system call kills the process.
 * Source    reliability.md 3.8; design.md 8.
 */
#ifndef KENG_CAP_FENCE_H
#define KENG_CAP_FENCE_H

#include <stdbool.h>

/* False: the fence does not stand, or not all of it; the caller must end without reading anything. */
bool fence_raise(void);

#endif
