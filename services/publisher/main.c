#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "publisher.h"
#include "svc/cli.h"

enum { DOCUMENT_MAX = 16 * 1024 * 1024 };

static const char program[] = "keng-publisher";

static const cli_option one_shot_options[] = {
    {"config", "FILE", "publisher.yaml (default: /etc/keng/publisher.yaml)"},
    {"follow", NULL, "show the deliveries until every first playing is final; the exit status tells the outcome"},
    {"wait", "SECONDS", "give up waiting after so long (exit status 3); the alert stays in the outbox"},
    {NULL, NULL, NULL},
};
static const cli_option config_only[] = {
    {"config", "FILE", "publisher.yaml (default: /etc/keng/publisher.yaml)"},
    {NULL, NULL, NULL},
};
static const cli_option poll_options[] = {
    {"config", "FILE", "publisher.yaml (default: /etc/keng/publisher.yaml)"},
    {"every", "SECONDS", "time between two looks (default 60)"},
    {NULL, NULL, NULL},
};
enum { OPT_CONFIG, OPT_FOLLOW, OPT_WAIT, OPT_EVERY = 1 };

static int with_config(const cli_args *args, publisher_config *c)
{
    kg_diag diag = {{0}};
    const char *path = args->values[OPT_CONFIG] != NULL ? args->values[OPT_CONFIG] : "/etc/keng/publisher.yaml";
    kg_err e = trust_start(&diag);
    if (e == KG_OK) {
        e = publisher_config_load(path, c, &diag);
    }
    return e == KG_OK ? CLI_OK : cli_fail(program, e, &diag);
}

static bool read_seconds(const char *text, int64_t *ms)
{
    char *end = NULL;
    const long s = strtol(text, &end, 10);
    *ms = s * 1000;
    return end != text && *end == '\0' && s > 0 && s <= 1000000;
}

/* Reads the document and notes its folder and time; both belong to the request for as long as the caller's buffers. */
static kg_err take_document(const char *path, desk_request *r, kg_buf *document, kg_buf *folder, kg_diag *diag)
{
    struct stat st;
    const bool standard = strcmp(path, "-") == 0;
    const char *slash = strrchr(path, '/');
    kg_err e = kg_file_read(path, DOCUMENT_MAX, document, diag);
    char absolute[4096];
    if (e == KG_OK && realpath(".", absolute) == NULL) {
        e = kg_fail(diag, KG_E_IO, "the current folder is gone");
    }
    if (e == KG_OK) {
        const int n = slash == NULL ? 1 : (int)(slash - path);
        e = path[0] == '/' ? kg_buf_putf(folder, "%.*s/", (int)(slash - path), path)
                           : kg_buf_putf(folder, "%s/%.*s", absolute, n, slash == NULL ? "." : path);
    }
    r->name = standard ? "standard input" : path;
    r->document = document;
    r->folder = kg_buf_str(folder);
    r->document_ms = !standard && stat(path, &st) == 0 ? (int64_t)st.st_mtim.tv_sec * 1000 : kg_clock_wall_ms();
    return e;
}

static int one_shot(const cli_args *args, const char *verb, const char *about, const char *path)
{
    publisher_config c;
    kg_diag diag = {{0}};
    kg_buf document = {0};
    kg_buf folder = {0};
    desk_request r = {.verb = verb, .alert = about, .follow = args->values[OPT_FOLLOW] != NULL};
    if (args->values[OPT_WAIT] != NULL && !read_seconds(args->values[OPT_WAIT], &r.wait_ms)) {
        (void)kg_fail(&diag, KG_E_INVALID, "--wait %s: write whole seconds", args->values[OPT_WAIT]);
        (void)cli_fail(program, KG_E_INVALID, &diag);
        return CLI_USAGE;
    }
    int status = with_config(args, &c);
    if (status != CLI_OK) {
        return status;
    }
    const kg_err e = path != NULL ? take_document(path, &r, &document, &folder, &diag) : KG_OK;
    status = e == KG_OK ? publisher_once(&c, &r) : cli_fail(program, e, &diag);
    kg_buf_done(&document);
    kg_buf_done(&folder);
    publisher_config_done(&c);
    return status;
}

static int run_send(const cli_args *args)
{
    return one_shot(args, "send", NULL, args->positional[0]);
}

static int run_update(const cli_args *args)
{
    return one_shot(args, "update", args->positional[0], args->positional[1]);
}

static int run_retract(const cli_args *args)
{
    return one_shot(args, "retract", args->positional[0], NULL);
}

static int run_all_clear(const cli_args *args)
{
    return one_shot(args, "all-clear", args->positional[0], NULL);
}

static int run_follow(const cli_args *args)
{
    return one_shot(args, "follow", args->positional[0], NULL);
}

static int run_list(const cli_args *args)
{
    cli_args plain = {.values = {args->values[OPT_CONFIG]}};
    return one_shot(&plain, "list", NULL, NULL);
}

static int serve(const cli_args *args, publisher_watch *w, bool configured)
{
    publisher_config c;
    int status = with_config(args, &c);
    if (status != CLI_OK) {
        return status;
    }
    if (configured) {
        *w = (publisher_watch){.drop = c.drop, .polls = c.polls, .poll_count = c.poll_count};
    }
    status = publisher_serve(&c, w);
    publisher_config_done(&c);
    return status;
}

static int run_run(const cli_args *args)
{
    publisher_watch w;
    return serve(args, &w, true);
}

static int run_watch(const cli_args *args)
{
    publisher_watch w = {.drop = args->positional[0]};
    return serve(args, &w, false);
}

static int run_poll(const cli_args *args)
{
    int64_t every_ms = 60000;
    if (args->values[OPT_EVERY] != NULL && !read_seconds(args->values[OPT_EVERY], &every_ms)) {
        kg_diag diag = {{0}};
        (void)kg_fail(&diag, KG_E_INVALID, "--every %s: write whole seconds", args->values[OPT_EVERY]);
        (void)cli_fail(program, KG_E_INVALID, &diag);
        return CLI_USAGE;
    }
    const publisher_poll one = {.url = args->positional[0], .every_s = (unsigned)(every_ms / 1000)};
    publisher_watch w = {.drop = "", .polls = &one, .poll_count = 1};
    return serve(args, &w, false);
}

static const cli_command commands[] = {
    {"send", "FILE|-", "sign and send a warning: CAP XML, a feed of it, or the short YAML form", one_shot_options, 1, 1,
     run_send},
    {"update", "ALERT FILE|-", "send FILE as the Update of an alert sent before", one_shot_options, 2, 2, run_update},
    {"retract", "ALERT", "send the Cancel that was signed together with the alert", one_shot_options, 1, 1,
     run_retract},
    {"all-clear", "ALERT", "send the all-clear that was signed together with the alert", one_shot_options, 1, 1,
     run_all_clear},
    {"follow", "ALERT", "show the deliveries of an alert sent before", one_shot_options, 1, 1, run_follow},
    {"list", "", "what this agency has sent, and the routers' answers", config_only, 0, 0, run_list},
    {"run", "", "stay and serve: the outbox, the drop folder and the feeds that publisher.yaml names", config_only, 0,
     0, run_run},
    {"watch", "DIR", "stay and send every file put into DIR; it ends in DIR/accepted or DIR/refused", config_only, 1, 1,
     run_watch},
    {"poll", "URL", "stay and send what is new in a CAP document or an Atom or RSS feed", poll_options, 1, 1, run_poll},
    {NULL, NULL, NULL, NULL, 0, 0, NULL},
};

static const cli face = {
    .program = program,
    .summary = "one agency's door to Keng",
    .description =
        "Reads a warning, checks it as the router will, signs it, keeps it in its outbox until a router has "
        "answered, and follows its deliveries. XML is read in a fenced child process (keng-capgate).\n\n"
        "While a publisher runs on the same state folder, the other commands hand their request to it.\n\n"
        "Exit status: 0 done; 1 refused, or an outcome that a person must look at; 2 usage; 3 no final answer "
        "in time, it goes on.",
    .commands = commands,
    .files =
        "publisher.yaml: name, agency, sender, key, sign_key, root, manifest, communes, state, routers, and, where "
        "wanted, drop, polls, defaults (class, sector, ttl_min), offset.",
    .examples = "keng-publisher send --follow canh-bao.xml\nkeng-publisher retract 3f9a12\n"
                "keng-publisher poll https://example.org/alerts.atom --every 60",
};

int main(int argc, char **argv)
{
    kg_log_open(program, KG_INFO);
    return cli_run(&face, argc, argv);
}
