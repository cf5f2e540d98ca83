/* Compiled only with KENG_FAULTS. */
#include "base/fault.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
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
    struct {
        const char *name;
        unsigned long times;
    } seen[SEEN_MAX];
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

static void write_line(const char *name, unsigned long times)
{
    char line[96];
    const int n = snprintf(line, sizeof line, "%.64s %lu\n", name, times);
    if (write(armed.list_fd, line, (size_t)n) < 0) {
        armed.list_fd = -1;
    }
}

/* The 1st, 2nd, 4th, 8th ... time: a campaign then knows how often a point is passed, to a factor of two. */
static void note(const char *name)
{
    if (armed.list_fd < 0) {
        return;
    }
    size_t i = 0;
    while (i < armed.seen_count && strcmp(armed.seen[i].name, name) != 0) {
        i++;
    }
    if (i == SEEN_MAX) {
        return;
    }
    if (i == armed.seen_count) {
        armed.seen[armed.seen_count++].name = name;
    }
    const unsigned long times = ++armed.seen[i].times;
    if ((times & (times - 1)) == 0) {
        write_line(name, times);
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
