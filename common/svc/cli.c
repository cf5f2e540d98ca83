#include "svc/cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "svc/cli_text.h"

enum { WORD_MAX = 64, NEAR_ENOUGH = 3 };

/* ---- suggestions ---- */

static size_t smallest(size_t a, size_t b, size_t c)
{
    const size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Levenshtein distance; words longer than WORD_MAX are nobody's near miss. */
static size_t distance(const char *a, const char *b)
{
    const size_t na = strlen(a);
    const size_t nb = strlen(b);
    if (na >= WORD_MAX || nb >= WORD_MAX) {
        return WORD_MAX;
    }
    size_t row[WORD_MAX + 1];
    for (size_t j = 0; j <= nb; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= na; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            const size_t changed = diagonal + (a[i - 1] != b[j - 1] ? 1 : 0);
            diagonal = row[j];
            row[j] = smallest(changed, row[j] + 1, row[j - 1] + 1);
        }
    }
    return row[nb];
}

typedef struct nearest {
    const char *word;
    size_t distance;
} nearest;

static void consider(nearest *best, const char *given, const char *known)
{
    const size_t d = distance(given, known);
    if (d < best->distance) {
        *best = (nearest){known, d};
    }
}

static void complain(const char *program, const char *what, const char *given, const nearest *best)
{
    (void)fprintf(stderr, "%s: unknown %s \"%s\"", program, what, given);
    if (best->word != NULL && best->distance <= NEAR_ENOUGH && best->distance < strlen(best->word)) {
        (void)fprintf(stderr, "; did you mean \"%s\"?", best->word);
    }
    (void)fprintf(stderr, "\n%s: \"%s --help\" lists what there is\n", program, program);
}

/* ---- commands ---- */

/* True when the words at argv begin with the command's name, which has one word, two, or none; *words how many. */
static bool is_named(const cli_command *k, int argc, char **argv, int *words)
{
    const char *space = strchr(k->name, ' ');
    const size_t first = space != NULL ? (size_t)(space - k->name) : strlen(k->name);
    *words = k->name[0] == '\0' ? 0 : space != NULL ? 2 : 1;
    if (*words > argc) {
        return false;
    }
    return *words == 0 || (strlen(argv[0]) == first && strncmp(argv[0], k->name, first) == 0 &&
                           (space == NULL || strcmp(argv[1], space + 1) == 0));
}

static const cli_command *find_command(const cli *c, int argc, char **argv, int *words)
{
    const cli_command *found = NULL;
    *words = -1;
    for (const cli_command *k = c->commands; k->name != NULL; k++) {
        int n = 0;
        if (is_named(k, argc, argv, &n) && n > *words) {
            found = k;
            *words = n;
        }
    }
    return found;
}

/* "held" alone, when there is "held list": says which words may follow. */
static bool half_a_command(const cli *c, int argc, char **argv)
{
    const size_t first = argc > 0 ? strlen(argv[0]) : 0;
    bool found = false;
    if (first == 0 || (argc > 1 && argv[1][0] != '-')) {
        return false;
    }
    for (const cli_command *k = c->commands; k->name != NULL; k++) {
        if (strncmp(k->name, argv[0], first) == 0 && k->name[first] == ' ') {
            if (!found) {
                (void)fprintf(stderr, "%s: \"%s\" needs one more word: ", c->program, argv[0]);
            }
            (void)fprintf(stderr, "%s%s", found ? ", " : "", k->name + first + 1);
            found = true;
        }
    }
    if (found) {
        (void)fprintf(stderr, "\n");
    }
    return found;
}

static int unknown_command(const cli *c, int argc, char **argv)
{
    if (half_a_command(c, argc, argv)) {
        return CLI_USAGE;
    }
    if (argc == 0) {
        (void)fprintf(stderr, "%s: say what to do; \"%s --help\" lists the commands\n", c->program, c->program);
        return CLI_USAGE;
    }
    char two[2 * WORD_MAX] = "";
    if (argc > 1 && strlen(argv[0]) + strlen(argv[1]) < WORD_MAX) {
        (void)snprintf(two, sizeof two, "%s %s", argv[0], argv[1]);
    }
    nearest best = {NULL, WORD_MAX};
    for (const cli_command *k = c->commands; k->name != NULL; k++) {
        const bool pair = strchr(k->name, ' ') != NULL && two[0] != '\0';
        const size_t before = best.distance;
        consider(&best, pair ? two : argv[0], k->name);
        if (pair && best.distance == before && distance(two, k->name) == before) {
            best.word = k->name; /* as near, and it explains both words */
        }
    }
    complain(c->program, "command", argv[0], &best);
    return CLI_USAGE;
}

/* ---- options ---- */

static int find_option(const cli_command *k, const char *name, size_t n)
{
    for (int i = 0; k->options != NULL && k->options[i].name != NULL; i++) {
        if (strlen(k->options[i].name) == n && strncmp(k->options[i].name, name, n) == 0) {
            return i;
        }
    }
    return -1;
}

static int unknown_option(const cli *c, const cli_command *k, const char *given)
{
    nearest best = {NULL, WORD_MAX};
    char dashed[CLI_OPTIONS_MAX][WORD_MAX];
    for (int i = 0; k->options != NULL && k->options[i].name != NULL && i < CLI_OPTIONS_MAX; i++) {
        (void)snprintf(dashed[i], sizeof dashed[i], "--%s", k->options[i].name);
        consider(&best, given, dashed[i]);
    }
    consider(&best, given, "--help");
    complain(c->program, "option", given, &best);
    return CLI_USAGE;
}

/* Takes the option at argv[*i]; moves *i past its value. CLI_OK, or CLI_USAGE after saying why. */
static int take_option(const cli *c, const cli_command *k, int argc, char **argv, int *i, cli_args *args)
{
    const char *word = argv[*i];
    const char *equals = strchr(word, '=');
    const size_t n = strncmp(word, "--", 2) != 0 ? 0 : equals != NULL ? (size_t)(equals - word) - 2 : strlen(word) - 2;
    const int at = n > 0 ? find_option(k, word + 2, n) : -1;
    if (at < 0 || at >= CLI_OPTIONS_MAX) {
        return unknown_option(c, k, word);
    }
    const cli_option *o = &k->options[at];
    if (args->values[at] != NULL) {
        (void)fprintf(stderr, "%s: --%s is given twice\n", c->program, o->name);
        return CLI_USAGE;
    }
    if (o->argument == NULL) {
        if (equals != NULL) {
            (void)fprintf(stderr, "%s: --%s takes no value\n", c->program, o->name);
            return CLI_USAGE;
        }
        args->values[at] = "";
        return CLI_OK;
    }
    if (equals == NULL && *i + 1 >= argc) {
        (void)fprintf(stderr, "%s: --%s needs a value: --%s %s\n", c->program, o->name, o->name, o->argument);
        return CLI_USAGE;
    }
    args->values[at] = equals != NULL ? equals + 1 : argv[++*i];
    return CLI_OK;
}

static int run_command(const cli *c, const cli_command *k, int argc, char **argv)
{
    cli_args args = {.values = {NULL}, .context = c->context};
    size_t count = 0;
    bool options_end = false;
    for (int i = 0; i < argc; i++) {
        char *word = argv[i];
        if (!options_end && strcmp(word, "--") == 0) {
            options_end = true;
        } else if (!options_end && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)) {
            cli_print_help(c, k, stdout);
            return CLI_OK;
        } else if (!options_end && word[0] == '-' && word[1] != '\0') {
            const int status = take_option(c, k, argc, argv, &i, &args);
            if (status != CLI_OK) {
                return status;
            }
        } else {
            argv[count++] = word; /* positional words move to the front; count never passes i */
        }
    }
    if (count < k->at_least || count > k->at_most) {
        const bool few = count < k->at_least;
        (void)fprintf(stderr, "%s: too %s arguments; usage: ", c->program, few ? "few" : "many");
        cli_print_usage(c, k, stderr);
        return CLI_USAGE;
    }
    args.positional = (const char *const *)argv;
    args.positional_count = count;
    return k->run(&args);
}

static int run(const cli *c, int argc, char **argv)
{
    if (argc > 0 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)) {
        cli_print_help(c, NULL, stdout);
        return CLI_OK;
    }
    if (argc > 0 && strcmp(argv[0], "--version") == 0) {
        (void)printf("%s %s\n", c->program, KENG_VERSION);
        return CLI_OK;
    }
    if (argc > 0 && strcmp(argv[0], "--man") == 0) {
        cli_print_man(c, stdout);
        return CLI_OK;
    }
    int words = 0;
    const cli_command *k = find_command(c, argc, argv, &words);
    return k != NULL ? run_command(c, k, argc - words, argv + words) : unknown_command(c, argc, argv);
}

int cli_run(const cli *c, int argc, char **argv)
{
    const int skip = argc > 0 ? 1 : 0;
    const int status = run(c, argc - skip, argv + skip);
    /* A table that was cut short by a full disk or a closed pipe must not look like a whole one. */
    if (fflush(stdout) != 0 && status == CLI_OK) {
        (void)fprintf(stderr, "%s: cannot write the answer: %s\n", c->program, strerror(errno));
        return CLI_FAILED;
    }
    return status;
}

const char *cli_get(const cli_args *args, const cli_command *command, const char *option)
{
    const int at = find_option(command, option, strlen(option));
    return at >= 0 && at < CLI_OPTIONS_MAX ? args->values[at] : NULL;
}

int cli_fail(const char *program, kg_err e, const kg_diag *diag)
{
    const bool said = diag != NULL && diag->text[0] != '\0';
    (void)fprintf(stderr, "%s: %s\n", program, said ? diag->text : kg_err_name(e));
    switch (kg_err_class(e)) {
    case KG_DONE:
        return CLI_OK;
    case KG_TEMP:
        return CLI_LATER;
    case KG_PERM:
    case KG_FAULT:
        break;
    }
    return CLI_FAILED;
}
