/*
 * cli - a program's face: commands, options, --help, --version and the man page, all from one table.
 *
 * Shape     main declares a static const cli; cli_run parses, prints help or the man page (--man, roff), and calls the
 *           command. Exit status: 0 done, 1 refused or failed for good, 2 usage, 3 try again later. Errors An unknown
 *           command or option names the nearest known one.
 */
#ifndef KENG_SVC_CLI_H
#define KENG_SVC_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_LATER = 3, CLI_OPTIONS_MAX = 24 };

typedef struct cli_option {
    const char *name;     /* "config" for --config; NULL ends the list */
    const char *argument; /* "FILE", or NULL for a switch */
    const char *help;
} cli_option;

typedef struct cli_args {
    const char *values[CLI_OPTIONS_MAX]; /* by position in the option list; "" for a given switch; NULL not given */
    const char *const *positional;
    size_t positional_count;
    const void *context; /* the cli's */
} cli_args;

typedef struct cli_command {
    const char *name;     /* "send", or "held list" (two words), or "" when the program has one job; NULL ends */
    const char *synopsis; /* "FILE|-" */
    const char *help;     /* one line, then further paragraphs after an empty line */
    const cli_option *options;
    size_t at_least, at_most; /* positional arguments */
    int (*run)(const cli_args *args);
} cli_command;

typedef struct cli {
    const char *program, *summary, *description;
    const cli_command *commands;
    const char *files;    /* man section FILES, may be NULL */
    const char *examples; /* man section EXAMPLES, may be NULL */
    const void *context;  /* for the commands; NULL when they need none */
} cli;

int cli_run(const cli *c, int argc, char **argv);
const char *cli_get(const cli_args *args, const cli_command *command, const char *option); /* NULL not given */

/* Prints the sentence to standard error as "program: sentence" and returns the exit status of e's class. */
int cli_fail(const char *program, kg_err e, const kg_diag *diag);

#endif
