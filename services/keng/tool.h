/*
 * tool - what the commands of `keng` share: the configuration option, how a refusal ends, how a table is printed.
 */
#ifndef KENG_KENG_TOOL_H
#define KENG_KENG_TOOL_H

#include "operator_config.h"
#include "svc/cli.h"
#include "wire/wire.h"

/* First option of every command that needs keng.yaml. */
#define TOOL_CONFIG                                                                                                    \
    {                                                                                                                  \
        "config", "FILE", "keng.yaml (default: /etc/keng/keng.yaml)"                                                   \
    }
enum { TOOL_OPT_CONFIG };

extern const char tool_program[];

int tool_fail(kg_err e, const kg_diag *diag); /* prints the sentence; the exit status */
int tool_config(const cli_args *args, operator_config *out);

/* For a person at a terminal columns padded to the widest cell (widths counted in characters); for a program reading a
 * pipe tab-separated values, the column names first. */
void tool_table(const alert_texts *columns, const wire_row *rows, size_t count);

int key_new(const cli_args *args);
int key_show(const cli_args *args);
int key_manifest(const cli_args *args);
int key_list(const cli_args *args);
int policy_check_command(const cli_args *args);
int explain_command(const cli_args *args);
int areas_import_command(const cli_args *args);
int cap_check_command(const cli_args *args);
int audit_verify(const cli_args *args);
int audit_list(const cli_args *args);
int watch_command(const cli_args *args);

/* Asks a process: the verb is the command's own words. */
int ask_router(const cli_args *args, const char *verb);
int ask_sink(const cli_args *args, const char *verb);
int ask_not_done(const cli_args *args);

#endif
