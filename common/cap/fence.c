#include "cap/fence.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <seccomp.h>

enum { MEMORY_BYTES = 128 * 1024 * 1024, CPU_S = 2 };

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

bool fence_raise(void)
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
