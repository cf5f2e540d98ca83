/* sink_main - the edges of a sink process: command line, loop, bus, clock, control, and the order of opening. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "bus/bus.h"
#include "sink/engine.h"
#include "svc/cli.h"
#include "svc/notify.h"

enum { BUS_BUDGET = 512 };

typedef struct lane_end { /* what a connection's callbacks need */
    sink *s;
    size_t router;
    lane lane;
    bus_client *client;
} lane_end;

typedef struct process {
    sink sink;
    sink_config config;
    secret_key *key;
    manifest *manifest;
    areas *areas;
    ledger *ledger;
    loop *loop;
    loop_timer *timer;
    bus *bus;
    control *control;
    lane_end ends[SINK_ROUTERS_MAX][LANE_COUNT];
} process;

/* ---- edges ---- */

static kg_err edge_send(void *ctx, size_t router, lane l, const void *bytes, size_t n)
{
    process *p = ctx;
    return bus_client_send(p->ends[router][l].client, bytes, n);
}

static int64_t edge_now(void *ctx)
{
    (void)ctx;
    return kg_clock_wall_ms();
}

static void edge_again(void *ctx)
{
    process *p = ctx;
    loop_again(p->loop);
}

static void on_up(void *ctx)
{
    const lane_end *end = ctx;
    sink_link_up(end->s, end->router, end->lane);
}

static void on_down(void *ctx)
{
    const lane_end *end = ctx;
    sink_link_down(end->s, end->router, end->lane);
}

static void on_message(void *ctx, const void *bytes, size_t n)
{
    const lane_end *end = ctx;
    sink_take(end->s, end->router, end->lane, bytes, n);
}

static const bus_client_ops client_ops = {.up = on_up, .down = on_down, .message = on_message};

/* ---- turns ---- */

static void on_timer(void *ctx)
{
    (void)ctx; /* the end of this turn does the work */
}

static void on_turn_end(void *ctx)
{
    process *p = ctx;
    const int64_t wake_ms = sink_turn(&p->sink);
    if (p->sink.broken != KG_OK) {
        loop_quit(p->loop); /* after a failed write nothing more is acknowledged or started */
        return;
    }
    const int64_t wait_ms = wake_ms - kg_clock_wall_ms();
    if (wait_ms <= 0) {
        loop_again(p->loop);
    } else if (wake_ms != INT64_MAX) {
        loop_timer_set(p->timer, wait_ms);
    }
}

static void on_stop(void *ctx)
{
    process *p = ctx;
    notify_stopping();
    loop_quit(p->loop);
}

static void floor_path(const process *p, char *out, size_t cap)
{
    (void)snprintf(out, cap, "%s/manifest.floor", p->config.state);
}

static void on_reload(void *ctx)
{
    process *p = ctx;
    char floor[1024];
    kg_diag diag = {{0}};
    manifest *fresh = NULL;
    floor_path(p, floor, sizeof floor);
    if (manifest_load(p->config.manifest, &p->config.root, floor, &fresh, &diag) != KG_OK) {
        kg_log(KG_ERROR, "manifest.refused", KG_TEXT("why", diag.text)); /* the old one goes on */
        return;
    }
    manifest *old = p->manifest;
    p->manifest = fresh;
    sink_manifest(&p->sink, fresh);
    manifest_free(&old);
    kg_log(KG_INFO, "manifest.loaded", KG_INT("version", manifest_version(fresh)));
}

/* ---- opening, in the order that matters ---- */

static kg_err open_places(process *p, kg_diag *diag)
{
    kg_err e = KG_OK;
    for (size_t i = 0; e == KG_OK && i < p->config.communes.count; i++) {
        const char *file = p->config.communes.items[i];
        e = i == 0 ? areas_load(file, &p->areas, diag) : areas_add(p->areas, file, diag);
    }
    return e;
}

static kg_err open_trust(process *p, kg_diag *diag)
{
    char floor[1024];
    floor_path(p, floor, sizeof floor);
    kg_err e = kg_dir_make(p->config.state, 0700, diag);
    if (e == KG_OK) {
        e = secret_load(p->config.key, &p->key, diag);
    }
    if (e == KG_OK && secret_use(p->key) != KEY_CONNECT) {
        e = kg_fail(diag, KG_E_INVALID, "%s is not a connecting key", p->config.key);
    }
    if (e == KG_OK) {
        e = manifest_load(p->config.manifest, &p->config.root, floor, &p->manifest, diag);
    }
    if (e == KG_OK && manifest_degraded(p->manifest, kg_clock_wall_ms())) {
        static const char why[] = "its time is over; it is used all the same";
        kg_log(KG_WARNING, "manifest.degraded", KG_TEXT("why", &why[0]));
    }
    return e == KG_OK ? open_places(p, diag) : e;
}

static kg_err open_engine(process *p, const sink_driver *const *drivers, size_t count, kg_diag *diag)
{
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/ledger.db", p->config.state);
    kg_err e = ledger_open(path, &p->ledger, diag);
    if (e != KG_OK) {
        return e;
    }
    p->sink.config = &p->config;
    p->sink.loop = p->loop;
    p->sink.ledger = p->ledger;
    p->sink.manifest = p->manifest;
    p->sink.areas = p->areas;
    p->sink.edges = (sink_edges){p, edge_send, edge_now, edge_again};
    return sink_open(&p->sink, drivers, count, diag);
}

static kg_err open_lane(process *p, size_t router, lane l, kg_diag *diag)
{
    const sink_router_config *r = &p->config.routers[router];
    lane_end *end = &p->ends[router][l];
    *end = (lane_end){&p->sink, router, l, NULL};
    return bus_connect(p->bus, l == LANE_URGENT ? r->urgent : r->other, &r->key, l == LANE_URGENT, &client_ops, end,
                       &end->client, diag);
}

static kg_err open_bus(process *p, kg_diag *diag)
{
    kg_err e = bus_new(p->key, &p->bus, diag);
    if (e == KG_OK) {
        e = bus_guard(p->bus, diag);
    }
    if (e == KG_OK) {
        e = loop_bus(p->loop, p->bus, BUS_BUDGET);
    }
    if (e == KG_OK) {
        e = control_open(p->bus, p->config.control, (const manifest *const *)&p->manifest, station_verbs,
                         station_verb_count, &p->sink, &p->control, diag);
    }
    for (size_t i = 0; e == KG_OK && i < p->config.router_count; i++) {
        e = open_lane(p, i, LANE_URGENT, diag); /* first: it is polled first */
    }
    for (size_t i = 0; e == KG_OK && i < p->config.router_count; i++) {
        e = open_lane(p, i, LANE_OTHER, diag);
    }
    return e;
}

static kg_err run(process *p, const sink_driver *const *drivers, size_t count, kg_diag *diag)
{
    kg_err e = loop_new(&p->loop, diag); /* first: it blocks the signals for every thread that follows */
    if (e == KG_OK) {
        e = loop_timer_new(p->loop, on_timer, p, &p->timer);
    }
    if (e == KG_OK) {
        e = open_trust(p, diag);
    }
    if (e == KG_OK) {
        e = open_engine(p, drivers, count, diag);
    }
    if (e == KG_OK) {
        e = open_bus(p, diag);
    }
    if (e == KG_OK) {
        e = notify_watchdog(p->loop);
    }
    if (e != KG_OK) {
        return e;
    }
    loop_on_turn_end(p->loop, on_turn_end, p);
    loop_on_stop(p->loop, on_stop, p);
    loop_on_reload(p->loop, on_reload, p);
    loop_again(p->loop); /* what recovery found is dealt with at once */
    notify_ready();
    kg_log(KG_INFO, "sink.ready", KG_TEXT("sink", p->config.name), KG_INT("stations", p->config.station_count),
           KG_INT("holdings", p->sink.holdings));
    e = loop_run(p->loop, diag);
    if (e == KG_OK && p->sink.broken != KG_OK) {
        e = kg_fail(diag, p->sink.broken, "the ledger or memory failed; nothing was acknowledged after that");
    }
    return e;
}

static void done(process *p)
{
    for (size_t i = 0; i < SINK_ROUTERS_MAX; i++) {
        for (size_t l = 0; l < LANE_COUNT; l++) {
            bus_client_close(&p->ends[i][l].client);
        }
    }
    control_close(&p->control);
    if (p->sink.config != NULL) {
        sink_close(&p->sink);
    }
    bus_free(&p->bus);
    ledger_close(&p->ledger);
    loop_timer_free(&p->timer);
    loop_free(&p->loop);
    areas_free(&p->areas);
    manifest_free(&p->manifest);
    secret_free(&p->key);
    sink_config_done(&p->config);
}

/* ---- the command line ---- */

typedef struct program {
    const char *name;
    uint32_t media;
    const sink_driver *const *drivers;
    size_t driver_count;
} program;

static const cli_option options[] = {
    {"config", "FILE", "sink.yaml of this process"},
    {"check", NULL, "only check the file, the keys and the key manifest; start nothing"},
    {NULL, NULL, NULL},
};

static kg_err check_kinds(const process *p, const program *prog, kg_diag *diag)
{
    for (size_t i = 0; i < p->config.driver_count; i++) {
        size_t k = 0;
        while (k < prog->driver_count && strcmp(prog->drivers[k]->kind, p->config.drivers[i].kind) != 0) {
            k++;
        }
        if (k == prog->driver_count) {
            return kg_fail(diag, KG_E_INVALID, "driver '%s': this program has no kind '%s'", p->config.drivers[i].name,
                           p->config.drivers[i].kind);
        }
    }
    return KG_OK;
}

/* What can be said without touching the state, a device or the network. */
static kg_err check(process *p, const program *prog, const char *config, kg_diag *diag)
{
    kg_err e = secret_load(p->config.key, &p->key, diag);
    if (e == KG_OK) {
        e = manifest_load(p->config.manifest, &p->config.root, NULL, &p->manifest, diag);
    }
    if (e == KG_OK) {
        e = open_places(p, diag);
    }
    if (e == KG_OK) {
        e = check_kinds(p, prog, diag);
    }
    if (e == KG_OK) {
        const public_key own = secret_public(p->key);
        const key_entry *entry = manifest_connector(p->manifest, &own);
        if (entry == NULL || entry->role != ROLE_SINK) {
            return kg_fail(diag, KG_E_DENIED, "key: the key manifest does not list %s as a sink's", p->config.key);
        }
        (void)printf("%s: fit for use: %zu stations, %zu drivers (their own files are read at the start)\n", config,
                     p->config.station_count, p->config.driver_count);
    }
    return e;
}

static int serve(const program *prog, const char *config, bool check_only)
{
    kg_diag diag = {{0}};
    process *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return cli_fail(prog->name, kg_fail(&diag, KG_E_NOMEM, "no memory"), &diag);
    }
    kg_err e = trust_start(&diag);
    if (e == KG_OK) {
        e = sink_config_load(config, prog->media, &p->config, &diag);
    }
    if (e == KG_OK) {
        e = check_only ? check(p, prog, config, &diag) : run(p, prog->drivers, prog->driver_count, &diag);
    }
    done(p);
    free(p);
    return e == KG_OK ? CLI_OK : cli_fail(prog->name, e, &diag);
}

static int run_command(const cli_args *args)
{
    const program *prog = args->context;
    if (args->values[0] == NULL) {
        kg_diag diag = {{0}};
        kg_ignore(kg_fail(&diag, KG_E_INVALID, "--config FILE is missing; it names the sink.yaml to serve"));
        kg_ignore((kg_err)cli_fail(prog->name, KG_E_INVALID, &diag)); /* it says so; the status is ours */
        return CLI_USAGE;
    }
    return serve(prog, args->values[0], args->values[1] != NULL);
}

int sink_main(int argc, char **argv, const char *program_name, const char *summary, uint32_t media,
              const sink_driver *const *drivers, size_t driver_count)
{
    static const cli_command commands[] = {
        {"", "", "Serves the stations of sink.yaml until SIGTERM. SIGHUP loads the key manifest anew.", options, 0, 0,
         run_command},
        {NULL, NULL, NULL, NULL, 0, 0, NULL},
    };
    const program prog = {program_name, media, drivers, driver_count};
    const cli c = {
        .program = program_name,
        .summary = summary,
        .description = "Receives signed alerts from the router, checks them again, writes its ledger, delivers them "
                       "and reports every outcome.",
        .commands = commands,
        .files = "sink.yaml: name, key, root, manifest, communes, state, control, routers, drivers, stations, hours.",
        .context = &prog,
    };
    kg_log_open(program_name, KG_INFO);
    return cli_run(&c, argc, argv);
}
