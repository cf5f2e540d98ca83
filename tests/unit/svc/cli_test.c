#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "svc/cli.h"

/* What the last command was called with. */
static struct {
    const char *command, *config, *first, *second;
    bool keep;
    size_t count;
} seen;

static const cli_option send_options[] = {
    {"config", "FILE", "Read the configuration from FILE."},
    {"keep", NULL, "Leave it running."},
    {.name = NULL},
};

static int note(const char *command, const cli_args *a)
{
    seen.command = command;
    seen.config = a->values[0];
    seen.keep = a->values[1] != NULL;
    seen.count = a->positional_count;
    seen.first = a->positional_count > 0 ? a->positional[0] : NULL;
    seen.second = a->positional_count > 1 ? a->positional[1] : NULL;
    return CLI_OK;
}

static int run_send(const cli_args *a)
{
    return note("send", a);
}

static int run_held(const cli_args *a)
{
    return note("held", a);
}

static int run_held_list(const cli_args *a)
{
    return note("held list", a);
}

static int run_later(const cli_args *a)
{
    (void)a;
    kg_diag diag = {{0}};
    return cli_fail("demo", kg_fail(&diag, KG_E_AGAIN, "the router is not there"), &diag);
}

static const cli_command commands[] = {
    {"send", "FILE|-", "Send a warning.\n\nChecks it first.\n  demo send a.xml", send_options, 1, 2, run_send},
    {"held", "", "Says how many are held.", NULL, 0, 0, run_held},
    {"held list", "", "Lists them.", NULL, 0, 0, run_held_list},
    {"later", "", "Fails for now.", NULL, 0, 0, run_later},
    {"note add", "", "Adds one.", NULL, 0, 0, run_later},
    {"note list", "", "Lists them.", NULL, 0, 0, run_later},
    {.name = NULL},
};

static const cli demo = {
    .program = "demo",
    .summary = "shows a command line",
    .description = "The first paragraph.\n\n.A dot and a \\ at the start of a paragraph are text.",
    .commands = commands,
    .files = "/etc/keng/demo.yaml",
    .examples = "demo send warning.xml",
};

/* Runs the demo with standard output and error caught in `said`. */
static int run(const cli *c, const char *const *words, kg_buf *said)
{
    char *argv[12];
    int argc = 0;
    for (; words[argc] != NULL; argc++) {
        argv[argc] = strdup(words[argc]);
        assert_non_null(argv[argc]);
    }
    argv[argc] = NULL;
    char *all[12];
    memcpy(all, argv, sizeof all);
    char path[] = "/tmp/keng-cli-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)fflush(stdout);
    const int out = dup(STDOUT_FILENO);
    const int err = dup(STDERR_FILENO);
    (void)dup2(fd, STDOUT_FILENO);
    (void)dup2(fd, STDERR_FILENO);
    memset(&seen, 0, sizeof seen);
    const int status = cli_run(c, argc, argv);
    (void)fflush(stdout);
    (void)dup2(out, STDOUT_FILENO);
    (void)dup2(err, STDERR_FILENO);
    (void)close(out);
    (void)close(err);
    (void)close(fd);
    kg_buf_clear(said);
    assert_int_equal(kg_file_read(path, 65536, said, NULL), KG_OK);
    (void)unlink(path);
    /* The command has looked at its words: what it noted points into them, so compare before freeing. */
    seen.config = seen.config != NULL ? strdup(seen.config) : NULL;
    seen.first = seen.first != NULL ? strdup(seen.first) : NULL;
    for (int i = 0; i < argc; i++) {
        free(all[i]);
    }
    return status;
}

static void forget(void)
{
    free((void *)(uintptr_t)seen.config);
    free((void *)(uintptr_t)seen.first);
    memset(&seen, 0, sizeof seen);
}

static void words_become_a_call(void **state)
{
    (void)state;
    static const struct {
        const char *label, *words[8];
        int status;
        const char *command, *config, *first, *says;
        bool keep;
        size_t count;
    } rows[] = {
        {"one argument", {"demo", "send", "a.xml"}, 0, "send", NULL, "a.xml", "", false, 1},
        {"a dash is an argument", {"demo", "send", "-"}, 0, "send", NULL, "-", "", false, 1},
        {"option and value", {"demo", "send", "--config", "c", "a"}, 0, "send", "c", "a", "", false, 1},
        {"option after the argument", {"demo", "send", "a", "--config=c"}, 0, "send", "c", "a", "", false, 1},
        {"empty value", {"demo", "send", "--config=", "a"}, 0, "send", "", "a", "", false, 1},
        {"switch", {"demo", "send", "--keep", "a", "b"}, 0, "send", NULL, "a", "", true, 2},
        {"after -- all are arguments", {"demo", "send", "--", "--keep"}, 0, "send", NULL, "--keep", "", false, 1},
        {"one word", {"demo", "held"}, 0, "held", NULL, NULL, "", false, 0},
        {"two words win", {"demo", "held", "list"}, 0, "held list", NULL, NULL, "", false, 0},
        {"too few", {"demo", "send"}, 2, NULL, NULL, NULL, "too few arguments; usage: demo send", false, 0},
        {"too many", {"demo", "send", "a", "b", "c"}, 2, NULL, NULL, NULL, "too many arguments", false, 0},
        {"too many for none", {"demo", "held", "lst"}, 2, NULL, NULL, NULL, "too many arguments", false, 0},
        {"near command", {"demo", "sned", "a"}, 2, NULL, NULL, NULL, "did you mean \"send\"?", false, 0},
        {"near pair", {"demo", "hold", "list"}, 2, NULL, NULL, NULL, "did you mean \"held list\"?", false, 0},
        {"half a command",
         {"demo", "note"},
         2,
         NULL,
         NULL,
         NULL,
         "\"note\" needs one more word: add, list\n",
         false,
         0},
        {"help for half", {"demo", "note", "--help"}, 2, NULL, NULL, NULL, "needs one more word: add, list", false, 0},
        {"nothing near", {"demo", "xyzzy"}, 2, NULL, NULL, NULL, "unknown command \"xyzzy\"\n", false, 0},
        {"near option", {"demo", "send", "--cofnig", "c"}, 2, NULL, NULL, NULL, "did you mean \"--config\"?", false, 0},
        {"short options are unknown",
         {"demo", "send", "-c", "a"},
         2,
         NULL,
         NULL,
         NULL,
         "unknown option \"-c\"",
         false,
         0},
        {"two dashes and =", {"demo", "send", "--=c", "a"}, 2, NULL, NULL, NULL, "unknown option", false, 0},
        {"value missing", {"demo", "send", "a", "--config"}, 2, NULL, NULL, NULL, "--config needs a value", false, 0},
        {"switch with value", {"demo", "send", "--keep=1", "a"}, 2, NULL, NULL, NULL, "takes no value", false, 0},
        {"twice", {"demo", "send", "--keep", "--keep", "a"}, 2, NULL, NULL, NULL, "given twice", false, 0},
        {"nothing said", {"demo"}, 2, NULL, NULL, NULL, "say what to do", false, 0},
        {"version", {"demo", "--version"}, 0, NULL, NULL, NULL, "demo " KENG_VERSION "\n", false, 0},
        {"help", {"demo", "--help"}, 0, NULL, NULL, NULL, "\n  send FILE|-             Send a warning.\n", false, 0},
        {"help of one",
         {"demo", "send", "--help"},
         0,
         NULL,
         NULL,
         NULL,
         "\nChecks it first.\n  demo send a.xml\n",
         false,
         0},
        {"options in help",
         {"demo", "send", "-h"},
         0,
         NULL,
         NULL,
         NULL,
         "  --config FILE           Read the",
         false,
         0},
        {"try later", {"demo", "later"}, 3, NULL, NULL, NULL, "demo: the router is not there\n", false, 0},
    };
    kg_buf said = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int status = run(&demo, rows[i].words, &said);
        const bool same_command = (seen.command == NULL) == (rows[i].command == NULL) &&
                                  (seen.command == NULL || strcmp(seen.command, rows[i].command) == 0);
        const bool same_config = (seen.config == NULL) == (rows[i].config == NULL) &&
                                 (seen.config == NULL || strcmp(seen.config, rows[i].config) == 0);
        const bool same_first = (seen.first == NULL) == (rows[i].first == NULL) &&
                                (seen.first == NULL || strcmp(seen.first, rows[i].first) == 0);
        if (status != rows[i].status || !same_command || !same_config || !same_first || seen.keep != rows[i].keep ||
            seen.count != rows[i].count || strstr(kg_buf_str(&said), rows[i].says) == NULL) {
            fail_msg("%s: status %d, command %s, %zu arguments, said:\n%s", rows[i].label, status,
                     seen.command != NULL ? seen.command : "none", seen.count, kg_buf_str(&said));
        }
        forget();
    }
    kg_buf_done(&said);
}

static void a_failure_has_its_status(void **state)
{
    (void)state;
    static const struct {
        kg_err e;
        int status;
    } rows[] = {
        {KG_OK, CLI_OK},         {KG_E_EXISTS, CLI_OK},  {KG_E_INVALID, CLI_FAILED}, {KG_E_DENIED, CLI_FAILED},
        {KG_E_AGAIN, CLI_LATER}, {KG_E_FULL, CLI_LATER}, {KG_E_BUG, CLI_FAILED},     {KG_E_TIMEOUT, CLI_LATER},
    };
    const int err = dup(STDERR_FILENO);
    const int nowhere = open("/dev/null", O_WRONLY);
    (void)dup2(nowhere, STDERR_FILENO);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int got = cli_fail("demo", rows[i].e, NULL);
        if (got != rows[i].status) {
            fail_msg("%s: %d", kg_err_name(rows[i].e), got);
        }
    }
    (void)dup2(err, STDERR_FILENO);
    (void)close(err);
    (void)close(nowhere);
}

static void a_page_is_roff(void **state)
{
    (void)state;
    static const char *const words[] = {"demo", "--man", NULL};
    static const char *const wanted[] = {
        ".TH \"demo\" 1",
        ".SH NAME\ndemo \\- shows a command line\n",
        ".SH SYNOPSIS\n\\fBdemo send\\fR [OPTION]... \\fIFILE|\\-\\fR\n",
        ".sp\n\\&.A dot and a \\e at the start",
        "\\fB\\-\\-config\\fR \\fIFILE\\fR\nRead the configuration from FILE.\n",
        ".SH FILES\n/etc/keng/demo.yaml\n",
        ".SH EXIT STATUS\n",
    };
    kg_buf said = {0};
    assert_int_equal(run(&demo, words, &said), CLI_OK);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if (strstr(kg_buf_str(&said), wanted[i]) == NULL) {
            fail_msg("no \"%s\" in:\n%s", wanted[i], kg_buf_str(&said));
        }
    }
    forget();
    kg_buf_done(&said);
}

/* A program with one job has no command word. */
static void one_job(void **state)
{
    (void)state;
    static const cli_command only[] = {{"", "DIR", "Watches a folder.", send_options, 1, 1, run_send}, {.name = NULL}};
    static const cli single = {.program = "one", .summary = "one job", .description = "", .commands = only};
    static const char *const words[] = {"one", "--keep", "dir", NULL};
    kg_buf said = {0};
    assert_int_equal(run(&single, words, &said), CLI_OK);
    assert_string_equal(seen.first, "dir");
    assert_true(seen.keep);
    forget();
    static const char *const help[] = {"one", "--help", NULL};
    assert_int_equal(run(&single, help, &said), CLI_OK);
    assert_non_null(strstr(said.s, "Usage: one [OPTION]... DIR\n"));
    static const cli_args none = {.values = {"x"}};
    assert_string_equal(cli_get(&none, &only[0], "config"), "x");
    assert_null(cli_get(&none, &only[0], "keep"));
    assert_null(cli_get(&none, &only[0], "other"));
    kg_buf_done(&said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_become_a_call),
        cmocka_unit_test(a_failure_has_its_status),
        cmocka_unit_test(a_page_is_roff),
        cmocka_unit_test(one_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
