/* Compiled only with KENG_FAULTS. */
#include "base/fault.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SEEN_MAX = 256 };

/* Read once; a process has one fault armed at most. Mutable here because a fault point takes no argument. */
static struct {
    bool ready;
    bool fail;
    char name[64];
    unsigned long left;
    int list_fd;
    const char *seen[SEEN_MAX];
    size_t seen_count;
} armed = {.list_fd = -1};

static void arm(void)
{
    armed.ready = true;
    const char *spec = getenv("KENG_FAULT");
    if (spec != NULL) {
        const char *colon = strchr(spec, ':');
        const size_t n = colon != NULL ? (size_t)(colon - spec) : strlen(spec);
        if (n < sizeof armed.name) {
            memcpy(armed.name, spec, n);
            char *end = NULL;
            armed.left = colon != NULL ? strtoul(colon + 1, &end, 10) : 1;
            armed.fail = end != NULL && strcmp(end, ":fail") == 0;
        }
    }
    const char *list = getenv("KENG_FAULT_LIST");
    if (list != NULL) {
        armed.list_fd = open(list, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
}

static void note(const char *name)
{
    if (armed.list_fd < 0) {
        return;
    }
    for (size_t i = 0; i < armed.seen_count; i++) {
        if (strcmp(armed.seen[i], name) == 0) {
            return;
        }
    }
    if (armed.seen_count < SEEN_MAX) {
        armed.seen[armed.seen_count++] = name;
        char line[80];
        size_t n = strlen(name);
        if (n > sizeof line - 1) {
            n = sizeof line - 1;
        }
        memcpy(line, name, n);
        line[n] = '\n';
        if (write(armed.list_fd, line, n + 1) < 0) {
            armed.list_fd = -1;
        }
    }
}

static bool hit(const char *name, bool fail)
{
    if (!armed.ready) {
        arm();
    }
    note(name);
    return armed.left > 0 && armed.fail == fail && strcmp(armed.name, name) == 0 && --armed.left == 0;
}

void kg_fault_reach(const char *name)
{
    if (hit(name, false)) {
        (void)kill(getpid(), SIGKILL);
    }
}

bool kg_fault_fails(const char *name)
{
    return hit(name, true);
}
