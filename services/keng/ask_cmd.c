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
    bool of_sink; /* without --to: the sink that serves the station of the first argument, or all of them */
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

static kg_err ask_quietly(const operator_config *c, const operator_process *p, const char *who, const ask_words *words,
                          control_answer *answer, kg_diag *diag)
{
    secret_key *own = NULL;
    if (c->key_path[0] == '\0') {
        return kg_fail(diag, KG_E_INVALID, "keng.yaml names no key to connect with; add: key: FILE");
    }
    kg_err e = secret_load(c->key_path, &own, diag);
    if (e == KG_OK) {
        e = control_ask(own, p->control, &p->key, words->verb, words->arguments, words->count, who, ASK_TIMEOUT_MS,
                        answer, diag);
        e = e == KG_OK ? control_result(answer, diag) : e;
        if (e != KG_OK) {
            kg_ignore(kg_fail_in(diag, e, "%s: ", p->name)); /* e itself is returned */
        }
    }
    secret_free(&own);
    return e;
}

static kg_err ask_one(const operator_config *c, const operator_process *p, const char *who, const ask_words *words,
                      kg_diag *diag)
{
    control_answer answer = {0};
    const kg_err e = ask_quietly(c, p, who, words, &answer, diag);
    if (e == KG_OK) {
        print_answer(&answer);
    }
    control_answer_done(&answer);
    return e;
}

/* The sink that knows the station: asked one by one, because a clerk must be able to work with the router away. */
static const operator_process *sink_of(const operator_config *c, const char *who, const char *station_id, kg_diag *diag)
{
    const ask_words show = {"show", &station_id, 1, .of_sink = true};
    for (size_t i = 1; i < c->process_count; i++) {
        control_answer answer = {0};
        kg_diag why = {{0}};
        const kg_err e = ask_quietly(c, &c->processes[i], who, &show, &answer, &why);
        control_answer_done(&answer);
        if (e == KG_OK) {
            return &c->processes[i];
        }
        if (e != KG_E_NOTFOUND) {
            (void)fprintf(stderr, "keng: %s\n", why.text); /* the next one may know the station all the same */
        }
    }
    (void)kg_fail(diag, KG_E_NOTFOUND, "no sink of keng.yaml that answers serves a station \"%s\"; see: keng stations",
                  station_id);
    return NULL;
}

static kg_err ask_all_sinks(const operator_config *c, const char *who, const ask_words *words, kg_diag *diag)
{
    kg_err e = c->process_count > 1 ? KG_OK : kg_fail(diag, KG_E_NOTFOUND, "keng.yaml names no sink under `processes`");
    for (size_t i = 1; i < c->process_count && e == KG_OK; i++) {
        e = ask_one(c, &c->processes[i], who, words, diag);
    }
    return e;
}

static kg_err ask(const operator_config *c, const cli_args *args, const ask_words *words, kg_diag *diag)
{
    const char *to = args->values[OPT_TO] != NULL ? args->values[OPT_TO] : "";
    const char *who = args->values[OPT_WHO] != NULL ? args->values[OPT_WHO] : c->who;
    if (words->of_sink && to[0] == '\0' && words->count == 0) {
        return ask_all_sinks(c, who, words, diag);
    }
    const operator_process *p = words->of_sink && to[0] == '\0' ? sink_of(c, who, words->arguments[0], diag)
                                                                : operator_process_find(c, to, diag);
    return p != NULL ? ask_one(c, p, who, words, diag) : KG_E_NOTFOUND;
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
    const ask_words words = {verb, args->positional, args->positional_count, .of_sink = false};
    return ask_words_of(args, &words);
}

int ask_sink(const cli_args *args, const char *verb)
{
    const ask_words words = {verb, args->positional, args->positional_count, .of_sink = true};
    return ask_words_of(args, &words);
}

/* STATION ALERT NOTE of the command becomes STATION ALERT not-done NOTE of the sink's verb. */
int ask_not_done(const cli_args *args)
{
    const char *arguments[] = {args->positional[0], args->positional[1], "not-done", args->positional[2]};
    const ask_words words = {"confirm", arguments, 4, .of_sink = true};
    return ask_words_of(args, &words);
}
