#include "svc/cli_text.h"

#include <string.h>

enum { COLUMNS = 80 };

static bool has_commands(const cli *c)
{
    return c->commands->name != NULL && (c->commands->name[0] != '\0' || c->commands[1].name != NULL);
}

static bool has_options(const cli_command *k)
{
    return k->options != NULL && k->options->name != NULL;
}

/* ---- plain text ---- */

static size_t columns_of(const char *s, size_t n)
{
    size_t columns = 0;
    for (size_t i = 0; i < n; i++) {
        columns += ((unsigned char)s[i] & 0xC0U) != 0x80 ? 1 : 0;
    }
    return columns;
}

/* Fills paragraphs to COLUMNS with a left margin; the cursor stands at the margin already. A line of the text
 * that begins with a blank is printed as it is: an example. */
static void print_filled(const char *text, int margin, FILE *to)
{
    size_t used = 0;
    for (const char *p = text; *p != '\0';) {
        if (*p == '\n') {
            const bool literal = p[1] == ' ' || p[1] == '\n';
            if (literal && p[1] == '\n') {
                (void)fprintf(to, "\n\n%*s", margin, "");
                p++;
                used = 0;
            } else if (literal) {
                const char *end = strchr(p + 1, '\n');
                const size_t n = end != NULL ? (size_t)(end - p - 1) : strlen(p + 1);
                (void)fprintf(to, "\n%*s%.*s", margin, "", (int)n, p + 1);
                p += n;
                used = COLUMNS;
            }
            p++;
            continue;
        }
        if (*p == ' ') {
            p++;
            continue;
        }
        const size_t n = strcspn(p, " \n");
        const size_t width = columns_of(p, n);
        if (used > 0 && (size_t)margin + used + 1 + width > COLUMNS) {
            (void)fprintf(to, "\n%*s", margin, "");
            used = 0;
        }
        (void)fprintf(to, "%s%.*s", used > 0 ? " " : "", (int)n, p);
        used += width + (used > 0 ? 1 : 0);
        p += n;
    }
    (void)fputc('\n', to);
}

void cli_print_usage(const cli *c, const cli_command *k, FILE *to)
{
    (void)fprintf(to, "%s%s%s%s%s%s\n", c->program, k->name[0] != '\0' ? " " : "", k->name,
                  has_options(k) ? " [OPTION]..." : "", k->synopsis != NULL && k->synopsis[0] != '\0' ? " " : "",
                  k->synopsis != NULL ? k->synopsis : "");
}

static void print_item(const char *name, const char *argument, const char *help, FILE *to)
{
    enum { MARGIN = 26 };
    char head[128];
    (void)snprintf(head, sizeof head, "  %s%s%s", name, argument != NULL && argument[0] != '\0' ? " " : "",
                   argument != NULL ? argument : "");
    const size_t width = columns_of(head, strlen(head));
    (void)fputs(head, to);
    if (width + 2 > MARGIN) {
        (void)fprintf(to, "\n%*s", MARGIN, "");
    } else {
        (void)fprintf(to, "%*s", (int)(MARGIN - width), "");
    }
    print_filled(help, MARGIN, to);
}

static void print_options(const cli_command *k, FILE *to)
{
    if (!has_options(k)) {
        return;
    }
    (void)fputs("\nOptions:\n", to);
    for (const cli_option *o = k->options; o->name != NULL; o++) {
        char dashed[80];
        (void)snprintf(dashed, sizeof dashed, "--%s", o->name);
        print_item(dashed, o->argument, o->help, to);
    }
}

static void print_first_line(const char *name, const cli_command *k, FILE *to)
{
    char line[256];
    const size_t n = strcspn(k->help, "\n");
    (void)snprintf(line, sizeof line, "%.*s", (int)(n < sizeof line ? n : sizeof line - 1), k->help);
    print_item(name, k->synopsis, line, to);
}

void cli_print_help(const cli *c, const cli_command *k, FILE *to)
{
    if (k == NULL && !has_commands(c)) {
        k = c->commands;
    }
    if (k != NULL) {
        (void)fputs("Usage: ", to);
        cli_print_usage(c, k, to);
        (void)fputc('\n', to);
        print_filled(k->help, 0, to);
        print_options(k, to);
    } else {
        (void)fprintf(to, "Usage: %s COMMAND [OPTION]... [ARGUMENT]...\n\n%s - %s\n\n", c->program, c->program,
                      c->summary);
        print_filled(c->description, 0, to);
        (void)fputs("\nCommands:\n", to);
        for (const cli_command *i = c->commands; i->name != NULL; i++) {
            print_first_line(i->name[0] != '\0' ? i->name : "(none)", i, to);
        }
        (void)fprintf(to, "\n\"%s COMMAND --help\" tells more. Also: --version, --man (the manual page).\n",
                      c->program);
    }
    if (k == NULL || !has_commands(c)) {
        if (c->examples != NULL) {
            (void)fprintf(to, "\nExamples:\n%s\n", c->examples);
        }
    }
    (void)fputs("\nExit status: 0 done, 1 refused or failed, 2 wrong usage, 3 try again later.\n", to);
}

/* ---- roff ---- */

/* Text becomes text: no word of it can be taken for a macro or an escape. */
static void roff(const char *s, FILE *to)
{
    bool line_start = true;
    bool literal = false; /* the line before this one was an example: do not fill it up */
    for (; *s != '\0'; s++) {
        if (line_start && literal && *s != ' ') {
            (void)fputs(".br\n", to);
        }
        literal = line_start ? *s == ' ' : literal;
        if (line_start && (*s == '.' || *s == '\'')) {
            (void)fputs("\\&", to);
        }
        if (*s == '\\') {
            (void)fputs("\\e", to);
        } else if (*s == '-') {
            (void)fputs("\\-", to);
        } else if (*s == '\n' && s[1] == '\n') {
            (void)fputs("\n.sp\n", to);
            s++;
        } else if (line_start && *s == ' ') {
            (void)fputs(".br\n\\& ", to);
        } else {
            (void)fputc(*s, to);
        }
        line_start = *s == '\n';
    }
}

static void roff_item(const char *name, const char *argument, const char *help, FILE *to)
{
    (void)fputs(".TP\n\\fB", to);
    roff(name, to);
    (void)fputs("\\fR", to);
    if (argument != NULL && argument[0] != '\0') {
        (void)fputs(" \\fI", to);
        roff(argument, to);
        (void)fputs("\\fR", to);
    }
    (void)fputc('\n', to);
    roff(help, to);
    (void)fputc('\n', to);
}

static void roff_options(const cli_command *k, FILE *to)
{
    for (const cli_option *o = k->options; o != NULL && o->name != NULL; o++) {
        char dashed[80];
        (void)snprintf(dashed, sizeof dashed, "--%s", o->name);
        roff_item(dashed, o->argument, o->help, to);
    }
}

static void roff_section(const char *title, const char *text, FILE *to)
{
    if (text != NULL && text[0] != '\0') {
        (void)fprintf(to, ".SH %s\n", title);
        roff(text, to);
        (void)fputc('\n', to);
    }
}

static void roff_synopsis(const cli *c, FILE *to)
{
    (void)fputs(".SH SYNOPSIS\n", to);
    for (const cli_command *k = c->commands; k->name != NULL; k++) {
        (void)fprintf(to, "%s\\fB", k == c->commands ? "" : ".br\n");
        roff(c->program, to);
        (void)fputs(k->name[0] != '\0' ? " " : "", to);
        roff(k->name, to);
        (void)fprintf(to, "\\fR%s \\fI", has_options(k) ? " [OPTION]..." : "");
        roff(k->synopsis != NULL ? k->synopsis : "", to);
        (void)fputs("\\fR\n", to);
    }
}

void cli_print_man(const cli *c, FILE *to)
{
    (void)fputs(".TH \"", to);
    roff(c->program, to);
    (void)fprintf(to, "\" 1 \"\" \"Keng %s\" \"Keng\"\n.SH NAME\n", KENG_VERSION);
    roff(c->program, to);
    (void)fputs(" \\- ", to);
    roff(c->summary, to);
    (void)fputc('\n', to);
    roff_synopsis(c, to);
    roff_section("DESCRIPTION", c->description, to);
    (void)fputs(has_commands(c) ? ".SH COMMANDS\n" : ".SH OPTIONS\n", to);
    for (const cli_command *k = c->commands; k->name != NULL; k++) {
        if (has_commands(c)) {
            roff_item(k->name[0] != '\0' ? k->name : "(none)", k->synopsis, k->help, to);
            (void)fputs(".RS\n", to);
        }
        roff_options(k, to);
        if (has_commands(c)) {
            (void)fputs(".RE\n", to);
        }
    }
    roff_item("--help", NULL, "Print how it is used.", to);
    roff_item("--version", NULL, "Print the version.", to);
    roff_item("--man", NULL, "Print this page as roff.", to);
    roff_section("FILES", c->files, to);
    if (c->examples != NULL) {
        (void)fputs(".SH EXAMPLES\n.nf\n", to);
        roff(c->examples, to);
        (void)fputs("\n.fi\n", to);
    }
    (void)fputs(".SH EXIT STATUS\n0 done; 1 refused or failed for good; 2 wrong usage; 3 try again later.\n", to);
}
