#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <libxml/parser.h>
#include <seccomp.h>

#include "cap/answer.h"
#include "cap/gate.h"

enum {
    MEMORY_BYTES = 128 * 1024 * 1024,
    CPU_S = 2,
    EXIT_USAGE = 64,
    EXIT_FENCE = 71,
    CHUNK = 64 * 1024,
    ZONE_MAX_MIN = 14 * 60
};

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static bool limit(__rlimit_resource_t what, rlim_t soft, rlim_t hard)
{
    const struct rlimit r = {soft, hard};
    return setrlimit(what, &r) == 0;
}

static bool limits(void)
{
    return (SANITIZED || limit(RLIMIT_AS, MEMORY_BYTES, MEMORY_BYTES)) && /* a sanitizer maps terabytes */
           limit(RLIMIT_CPU, CPU_S, CPU_S + 1) && limit(RLIMIT_NOFILE, 3, 3) && limit(RLIMIT_FSIZE, 0, 0) &&
           limit(RLIMIT_CORE, 0, 0) && limit(RLIMIT_NPROC, 0, 0);
}

/* Reading standard input, answering on standard output, memory that is not executable: nothing else. */
static bool allow(scmp_filter_ctx f)
{
    static const int plain[] = {SCMP_SYS(brk),   SCMP_SYS(munmap), SCMP_SYS(mremap),     SCMP_SYS(madvise),
                                SCMP_SYS(futex), SCMP_SYS(exit),   SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn)};
    static const int mapping[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};
    int rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(read), 1, SCMP_A0(SCMP_CMP_EQ, STDIN_FILENO, 0));
    rc |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(write), 1, SCMP_A0(SCMP_CMP_EQ, STDOUT_FILENO, 0));
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        rc |= seccomp_rule_add(f, SCMP_ACT_ALLOW, plain[i], 0);
    }
    for (size_t i = 0; i < sizeof mapping / sizeof mapping[0]; i++) {
        rc |= seccomp_rule_add(f, SCMP_ACT_ALLOW, mapping[i], 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    }
    return rc == 0;
}

static bool fence(void)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || !limits()) {
        return false;
    }
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (f == NULL) {
        return false;
    }
    const bool up = allow(f) && seccomp_load(f) == 0;
    seccomp_release(f);
    return up;
}

static bool write_all(const void *bytes, size_t n)
{
    const char *p = bytes;
    while (n > 0) {
        const ssize_t put = write(STDOUT_FILENO, p, n);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return false;
        }
        p += put;
        n -= (size_t)put;
    }
    return true;
}

/* Up to one byte more than is read anyway, so that cap_read sees that it is too much. */
static bool read_all(kg_buf *in)
{
    while (in->len <= ALERT_PAYLOAD_MAX) {
        if (kg_buf_reserve(in, CHUNK) != KG_OK) {
            return false;
        }
        const ssize_t n = read(STDIN_FILENO, in->s + in->len, CHUNK);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n == 0;
        }
        in->len += (size_t)n;
    }
    return true;
}

static bool answer(int assume_offset_min)
{
    kg_buf in = {0};
    kg_buf out = {0};
    cap_reading r;
    if (!read_all(&in) || cap_read(kg_buf_str(&in), in.len, assume_offset_min, &r, NULL) != KG_OK ||
        answer_pack(&r, &out) != KG_OK) {
        return false;
    }
    uint8_t length[ANSWER_LENGTH_BYTES];
    for (size_t i = 0; i < sizeof length; i++) {
        length[i] = (uint8_t)(out.len >> (8 * (sizeof length - 1 - i)));
    }
    return write_all(length, sizeof length) && write_all(out.s, out.len);
}

int gate_child(int argc, char **argv)
{
    int assume_offset_min = INT_MIN;
    if (argc > 2) {
        return EXIT_USAGE;
    }
    if (argc == 2 && strcmp(argv[1], "none") != 0) {
        char *end = NULL;
        const long v = strtol(argv[1], &end, 10);
        if (end == argv[1] || *end != '\0' || v < -ZONE_MAX_MIN || v > ZONE_MAX_MIN) {
            return EXIT_USAGE;
        }
        assume_offset_min = (int)v;
    }
    xmlInitParser(); /* looks at the environment; the fence would not let it */
    if (!fence()) {
        return EXIT_FENCE;
    }
    /* What is in memory goes with the process: _exit runs no handler that might reach outside the fence. */
    _exit(write_all(ANSWER_MARK, ANSWER_MARK_BYTES) && answer(assume_offset_min) ? EXIT_SUCCESS : EXIT_FAILURE);
}
