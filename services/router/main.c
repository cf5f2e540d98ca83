#include <stdio.h>

#include "base/log.h"
#include "router.h"
#include "svc/cli.h"

static const char program[] = "keng-router";

static const cli_option options[] = {
    {"config", "FILE", "router.yaml (default: /etc/keng/router.yaml)"},
    {"check", NULL, "only check the configuration, the policy and the key manifest; start nothing"},
    {"verbose", NULL, "log what goes on in detail"},
    {NULL, NULL, NULL},
};
enum { OPT_CONFIG, OPT_CHECK, OPT_VERBOSE };

static const char *config_of(const cli_args *args)
{
    return args->values[OPT_CONFIG] != NULL ? args->values[OPT_CONFIG] : "/etc/keng/router.yaml";
}

static int check(const cli_args *args)
{
    router_config c = {0};
    kg_diag diag = {{0}};
    areas *ar = NULL;
    policy *p = NULL;
    manifest *m = NULL;
    kg_err e = trust_start(&diag);
    if (e == KG_OK) {
        e = router_config_load(config_of(args), &c, &diag);
    }
    for (size_t i = 0; e == KG_OK && i < c.communes.count; i++) {
        e = ar == NULL ? areas_load(c.communes.items[i], &ar, &diag) : areas_add(ar, c.communes.items[i], &diag);
    }
    for (size_t i = 0; e == KG_OK && i < c.geometry.count; i++) {
        size_t imported = 0;
        e = areas_import(ar, c.geometry.items[i], &imported, &diag);
    }
    if (e == KG_OK) {
        e = policy_load(c.policy, ar, &p, &diag);
    }
    if (e == KG_OK) {
        e = manifest_load(c.manifest, &c.root, NULL, &m, &diag);
    }
    if (e == KG_OK) {
        e = router_config_fits(&c, m, &diag);
    }
    if (e == KG_OK) {
        (void)printf("%s: fit for use: %zu stations, %zu keys\n", config_of(args), policy_station_count(p),
                     manifest_count(m));
    }
    manifest_free(&m);
    policy_free(&p);
    areas_free(&ar);
    router_config_done(&c);
    return e == KG_OK ? CLI_OK : cli_fail(program, e, &diag);
}

static int run(const cli_args *args)
{
    if (args->values[OPT_CHECK] != NULL) {
        return check(args);
    }
    router r = {0};
    kg_diag diag = {{0}};
    kg_log_open(program, args->values[OPT_VERBOSE] != NULL ? KG_DEBUG : KG_INFO);
    kg_err e = trust_start(&diag);
    if (e == KG_OK) {
        e = router_open(&r, config_of(args), &diag);
        if (e == KG_OK) {
            e = router_run(&r, &diag);
        }
        router_close(&r);
    }
    return e == KG_OK ? CLI_OK : cli_fail(program, e, &diag);
}

static const cli_command commands[] = {
    {"", "", "Takes alerts in and sends them to the sinks, until SIGTERM. SIGHUP loads the key manifest anew.", options,
     0, 0, run},
    {NULL, NULL, NULL, NULL, 0, 0, NULL},
};

int main(int argc, char **argv)
{
    static const cli face = {
        .program = program,
        .summary = "takes signed public warnings in, and sends them to every station they are for",
        .description = "The router verifies who may say what, writes each alert and its planned deliveries to its "
                       "journal before anyone hears \"accepted\", and hands them to the sinks, urgent ones first, "
                       "until each delivery has an outcome.",
        .commands = commands,
        .files = "/etc/keng/router.yaml  name, key, sign_key, root, manifest, policy, communes, geometry, state, "
                 "listen (intake, urgent, other, control, status), rate.",
        .examples = "keng-router --config router.yaml",
    };
    return cli_run(&face, argc, argv);
}
