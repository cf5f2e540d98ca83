#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "bus/bus.h"
#include "svc/loop.h"
#include "tool.h"

enum { OPT_CONFIG, OPT_TO, BUDGET = 64 };

static void on_status(void *ctx, const void *bytes, size_t n)
{
    kg_arena mem = {0};
    kg_diag diag = {{0}};
    wire_status status = {0};
    (void)ctx;
    if (wire_status_read(bytes, n, &mem, &status, &diag) == KG_OK) {
        char when[KG_TIME_TEXT_MAX];
        kg_time_text(status.time_ms, KG_VN_OFFSET_MIN, when);
        (void)printf("%.19s %s", when, status.name);
        for (size_t i = 0; i < status.count; i++) {
            (void)printf(" %s=%" PRId64, status.counters[i].name, status.counters[i].value);
        }
        (void)printf("\n");
        (void)fflush(stdout);
    } else {
        (void)fprintf(stderr, "keng: a status message that cannot be read: %s\n", diag.text);
    }
    kg_arena_done(&mem);
}

static void on_up(void *ctx)
{
    (void)ctx;
    (void)fprintf(stderr, "keng: connected\n");
}

static void on_down(void *ctx)
{
    (void)ctx;
    (void)fprintf(stderr, "keng: connection lost; waiting for it to come back\n");
}

static void on_stop(void *ctx)
{
    loop_quit(ctx);
}

static kg_err watch(const operator_config *c, const operator_process *p, kg_diag *diag)
{
    static const bus_client_ops ops = {.up = on_up, .down = on_down, .message = on_status};
    secret_key *own = NULL;
    loop *l = NULL;
    bus *b = NULL;
    bus_client *client = NULL;
    if (p->status[0] == '\0') {
        return kg_fail(diag, KG_E_NOTFOUND, "keng.yaml names no status endpoint of \"%s\"", p->name);
    }
    kg_err e = loop_new(&l, diag);
    if (e == KG_OK) {
        e = secret_load(c->key_path, &own, diag);
    }
    if (e == KG_OK) {
        e = bus_new(own, &b, diag);
    }
    if (e == KG_OK) {
        e = bus_subscribe(b, p->status, &p->key, &ops, NULL, &client, diag);
    }
    if (e == KG_OK) {
        e = loop_bus(l, b, BUDGET);
    }
    if (e == KG_OK) {
        loop_on_stop(l, on_stop, l);
        e = loop_run(l, diag);
    }
    bus_client_close(&client);
    bus_free(&b);
    loop_free(&l);
    secret_free(&own);
    return e;
}

int watch_command(const cli_args *args)
{
    operator_config c = {0};
    kg_diag diag = {{0}};
    const int status = tool_config(args, &c);
    if (status != CLI_OK) {
        return status;
    }
    const operator_process *p =
        operator_process_find(&c, args->values[OPT_TO] != NULL ? args->values[OPT_TO] : "", &diag);
    const kg_err e = p != NULL ? watch(&c, p, &diag) : KG_E_NOTFOUND;
    operator_config_done(&c);
    return e == KG_OK ? CLI_OK : tool_fail(e, &diag);
}
