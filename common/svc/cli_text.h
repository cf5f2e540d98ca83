/*
 * cli_text - how the table of cli.h looks to a reader: usage, --help, and the man page. Only cli.c calls it.
 */
#ifndef KENG_SVC_CLI_TEXT_H
#define KENG_SVC_CLI_TEXT_H

#include <stdio.h>

#include "svc/cli.h"

void cli_print_usage(const cli *c, const cli_command *k, FILE *to); /* one line */
void cli_print_help(const cli *c, const cli_command *k, FILE *to);  /* NULL: the whole program */
void cli_print_man(const cli *c, FILE *to);                         /* roff, man(7) macros, section 1 */

#endif
