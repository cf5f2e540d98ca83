#include <stdio.h>
#include <string.h>

#include "cap/gate.h"

static const char usage[] =
    "keng-capgate - reads one CAP document on standard input inside a fence\n"
    "\n"
    "Usage: keng-capgate [MINUTES|none]\n"
    "\n"
    "Started by keng-publisher and keng for each document; not meant to be run by hand. It shuts itself off\n"
    "from files, network and other processes (seccomp), limits itself to 128 MiB of memory and 2 s of processor\n"
    "time, reads a CAP alert or a feed of alerts, and answers with one packed reading on standard output.\n"
    "\n"
    "  MINUTES    zone, east of UTC, of times that a source writes without one; none: refuse such times\n"
    "  --help     this text\n"
    "  --man      the same as a manual page\n"
    "  --version  the version\n"
    "\n"
    "Exit status: 0 answered, 1 not answered, 64 wrong use, 71 the fence could not be set up.\n";

/* The same text as a manual page; no line of it begins with a dot. */
static const char man_head[] = ".TH KENG-CAPGATE 1\n.SH NAME\nkeng-capgate \\- reads one CAP document inside a fence\n"
                               ".SH DESCRIPTION\n.nf\n";

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        return fputs(usage, stdout) >= 0 ? 0 : 1;
    }
    if (argc == 2 && strcmp(argv[1], "--man") == 0) {
        return printf("%s%s.fi\n", man_head, usage) >= 0 ? 0 : 1;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        return puts("keng-capgate " KENG_VERSION) >= 0 ? 0 : 1;
    }
    return gate_child(argc, argv);
}
