#include <stdio.h>

#include "svc/control.h"
#include "tool.h"

/* Options of every asking command: --config, --to, --who. */
enum { OPT_CONFIG, OPT_TO, OPT_WHO };
enum { ASK_TIMEOUT_MS = 10000 };

typedef struct ask_words {
    const char *verb;
    const char *const *arguments;
    size_t count;
} ask_words;

static void print_answer(const control_answer *a)
{
    if (a->row_count > 0 || a->columns.count > 0) {
        tool_table(&a->columns, a->rows, a->row_count);
    }
    if (a->sentence != NULL && a->sentence[0] != '\0') {
        (void)printf("%s\n", a->sentence);
    }
}

static kg_err ask(const operator_config *c, const cli_args *args, const ask_words *words, kg_diag *diag)
{
    secret_key *own = NULL;
    control_answer answer = {0};
    const char *to = args->values[OPT_TO] != NULL ? args->values[OPT_TO] : "";
    const char *who = args->values[OPT_WHO] != NULL ? args->values[OPT_WHO] : c->who;
    const operator_process *p = operator_process_find(c, to, diag);
    if (p == NULL) {
        return KG_E_NOTFOUND;
    }
    if (c->key_path[0] == '\0') {
        return kg_fail(diag, KG_E_NOTFOUND, "keng.yaml names no key to connect with; add: key: FILE");
    }
    kg_err e = secret_load(c->key_path, &own, diag);
    if (e == KG_OK) {
        e = control_ask(own, p->control, &p->key, words->verb, words->arguments, words->count, who, ASK_TIMEOUT_MS,
                        &answer, diag);
        if (e == KG_OK) {
            e = control_result(&answer, diag);
        }
        if (e == KG_OK) {
            print_answer(&answer);
        } else {
            kg_ignore(kg_fail_in(diag, e, "%s: ", p->name)); /* e itself is returned */
        }
        control_answer_done(&answer);
    }
    secret_free(&own);
    return e;
}

static int ask_words_of(const cli_args *args, const ask_words *words)
{
    operator_config c = {0};
    kg_diag diag = {{0}};
    const int status = tool_config(args, &c);
    if (status != CLI_OK) {
        return status;
    }
    const kg_err e = ask(&c, args, words, &diag);
    operator_config_done(&c);
    return e == KG_OK ? CLI_OK : tool_fail(e, &diag);
}

int ask_router(const cli_args *args, const char *verb)
{
    const ask_words words = {verb, args->positional, args->positional_count};
    return ask_words_of(args, &words);
}

static int ask_sink_words(const cli_args *args, const ask_words *words)
{
    if (args->values[OPT_TO] == NULL) {
        kg_diag diag = {{0}};
        kg_ignore(kg_fail(&diag, KG_E_INVALID, "say which sink serves the station: --to NAME")); /* printed next */
        (void)tool_fail(KG_E_INVALID, &diag);
        return CLI_USAGE;
    }
    return ask_words_of(args, words);
}

int ask_sink(const cli_args *args, const char *verb)
{
    const ask_words words = {verb, args->positional, args->positional_count};
    return ask_sink_words(args, &words);
}

/* STATION ALERT NOTE of the command becomes STATION ALERT not-done NOTE of the sink's verb. */
int ask_not_done(const cli_args *args)
{
    const char *arguments[] = {args->positional[0], args->positional[1], "not-done", args->positional[2]};
    const ask_words words = {"confirm", arguments, 4};
    return ask_sink_words(args, &words);
}
