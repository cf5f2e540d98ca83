#include "router.h"

#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "ending.h"
#include "operate.h"
#include "silence.h"
#include "svc/notify.h"

/* ---- one turn ---- */

static void take_item(router *r, intake_item *it)
{
    kg_diag diag = {0};
    if (!it->blob) {
        accept_alert(&r->core, it->bytes.s, it->bytes.len, it->who, &it->result);
    } else if (core_batch(&r->core)) {
        const kg_err e = journal_blob_put(r->core.journal, &it->hash, it->bytes.s, it->bytes.len, &diag);
        if (e != KG_OK) {
            (void)core_fail(&r->core, e, &diag);
        }
    }
}

/* True when work is left for the next turn. */
static bool read_all(router *r)
{
    core *c = &r->core;
    sinks_work(r->sinks); /* first what sinks say: it frees credit and ends offers */
    for (size_t i = 0; i < router_intake_count(r->intake); i++) {
        intake_item *it = router_intake_at(r->intake, i);
        if (it->bytes.len > 0) { /* else it is answered already */
            take_item(r, it);
        }
    }
    ending_due(c);
    return ending_work(c);
}

/* Memory from what is durable, as at a start; the sinks' sessions go on. */
static kg_err rebuild(router *r, kg_diag *diag)
{
    dispatch_forget(r->dispatch);
    r->rebuild = false;
    const kg_err e = core_rebuild(&r->core, diag);
    if (e == KG_OK) {
        sinks_rebind(r->sinks);
    }
    return e;
}

static bool must_stop(kg_err e)
{
    return e == KG_E_IO || kg_err_class(e) == KG_FAULT;
}

/* KG_OK: durable. TEMP: nothing of the turn lasts, and memory knows nothing of it any more. Else: stop. */
static kg_err commit_turn(router *r, bool *more, kg_diag *diag)
{
    kg_err e = core_commit(&r->core, diag);
    if (e == KG_OK || must_stop(e)) {
        return e;
    }
    kg_diag why = *diag;
    kg_err rebuilt = rebuild(r, diag);
    if (rebuilt == KG_OK && e == KG_E_FULL && journal_use_reserve(r->core.journal)) {
        kg_log(KG_ERROR, "disk.full", KG_TEXT("now", "only urgent alerts are taken, from the reserve"));
        *more = read_all(r); /* the same messages: accept turns away what is not urgent */
        e = core_commit(&r->core, &why);
        rebuilt = e == KG_OK || must_stop(e) ? KG_OK : rebuild(r, diag);
    }
    if (rebuilt != KG_OK) {
        return KG_E_IO; /* what is durable cannot be read */
    }
    if (e != KG_OK) {
        *diag = why;
        kg_log(KG_ERROR, "turn.failed", KG_TEXT("why", why.text));
    }
    return e;
}

static void turn(void *ctx)
{
    router *r = ctx;
    kg_diag diag = {0};
    core_tick(&r->core);
    if (r->rebuild && rebuild(r, &diag) != KG_OK) {
        loop_fail(r->loop, KG_E_IO, &diag);
        return;
    }
    bool more = read_all(r);
    const kg_err e = commit_turn(r, &more, &diag);
    if (must_stop(e)) {
        kg_log(KG_ERROR, "journal.broken", KG_TEXT("why", diag.text));
        loop_fail(r->loop, e, &diag);
        return; /* nothing is acknowledged any more */
    }
    router_intake_answer(r->intake, e == KG_OK);
    sinks_after_commit(r->sinks, e == KG_OK);
    if (e == KG_OK) {
        more = dispatch_turn(r->dispatch) || more;
    }
    if (r->stopping) {
        loop_quit(r->loop);
    } else if (more) {
        loop_again(r->loop);
    }
}

/* ---- now and then ---- */

static void publish_status(router *r)
{
    core *c = &r->core;
    wire_counter counters[COUNTER_COUNT + DLV_STATE_COUNT + 4];
    size_t n = 0;
    for (int i = 0; i < COUNTER_COUNT; i++) {
        counters[n++] = (wire_counter){core_counter_name((core_counter)i), (int64_t)c->counts[i]};
    }
    for (int i = 0; i < DLV_STATE_COUNT; i++) {
        counters[n++] = (wire_counter){dlv_state_text((dlv_state)i), (int64_t)c->states[i]};
    }
    counters[n++] = (wire_counter){"queued", (int64_t)queue_total(c->queue)};
    counters[n++] = (wire_counter){"waiting-for-a-person", (int64_t)c->held_count};
    counters[n++] = (wire_counter){"sinks", (int64_t)sinks_count(r->sinks)};
    counters[n++] = (wire_counter){"publishers", (int64_t)router_intake_peers(r->intake)};
    const wire_status s = {.name = r->config.name, .time_ms = c->now_ms, .counters = counters, .count = n};
    kg_buf out = {0};
    if (wire_status_pack(&s, &out) == KG_OK) {
        bus_publish(r->status, out.s, out.len);
    }
    kg_buf_done(&out);
}

static void check_manifest_age(router *r)
{
    enum { COMPLAIN_EVERY_MS = 10 * 60 * 1000 };
    core *c = &r->core;
    if (manifest_degraded(c->manifest, c->now_ms) &&
        (r->degraded_ms == 0 || c->mono_ms - r->degraded_ms >= COMPLAIN_EVERY_MS)) {
        r->degraded_ms = c->mono_ms;
        kg_log(KG_ERROR, "manifest.degraded", KG_INT("version", manifest_version(c->manifest)),
               KG_TEXT("do", "install a new key manifest; alerts are still taken by this one"));
    }
}

static void tick(void *ctx)
{
    router *r = ctx;
    core *c = &r->core;
    core_tick(c);
    sinks_leases(r->sinks);
    router_intake_tick(r->intake);
    if (c->mono_ms - r->status_ms >= ROUTER_STATUS_MS) {
        r->status_ms = c->mono_ms;
        ending_overdue(c);
        silence_look(c);
        publish_status(r);
        check_manifest_age(r);
        kg_diag diag = {0};
        const kg_err e = journal_idle(c->journal, &diag);
        if (e != KG_OK && e != KG_E_FULL) {
            (void)core_fail(c, e, &diag);
        }
    }
    loop_timer_set(r->tick, ROUTER_TICK_MS);
}

static void on_reload(void *ctx)
{
    router *r = ctx;
    core *c = &r->core;
    manifest *fresh = NULL;
    kg_diag diag = {0};
    core_tick(c);
    if (manifest_load(r->config.manifest, &r->config.root, r->config.floor, &fresh, &diag) != KG_OK) {
        kg_log(KG_ERROR, "manifest.refused", KG_TEXT("why", diag.text));
        core_audit(c, "keng-router", "manifest.refused", r->config.name, "%s", diag.text);
        return;
    }
    manifest *old = c->manifest;
    c->manifest = fresh;
    manifest_free(&old);
    sinks_manifest(r->sinks);
    router_intake_manifest(r->intake);
    core_audit(c, "keng-router", "manifest.loaded", r->config.name, "version=%llu",
               (unsigned long long)manifest_version(fresh));
    kg_log(KG_INFO, "manifest.loaded", KG_INT("version", manifest_version(fresh)));
    loop_again(r->loop);
}

static void on_stop(void *ctx)
{
    router *r = ctx;
    notify_stopping();
    router_intake_close(r->intake);
    r->stopping = true;
    loop_again(r->loop);
}

kg_err router_commit_now(router *r, kg_diag *diag)
{
    const kg_err e = core_commit(&r->core, diag);
    if (must_stop(e)) {
        loop_fail(r->loop, e, diag);
    } else if (e != KG_OK) {
        r->rebuild = true;
        loop_again(r->loop);
    }
    return e;
}

/* ---- life ---- */

static bool admit_watcher(void *ctx, const public_key *key)
{
    const core *c = ctx;
    const key_entry *e = manifest_connector(c->manifest, key);
    return key_entry_valid(e, c->now_ms);
}

/* Urgent first: servers are polled in the order they open. */
static kg_err open_doors(router *r, kg_diag *diag)
{
    const router_config *config = &r->config;
    kg_err e = bus_new(config->key, &r->bus, diag);
    if (e == KG_OK) {
        e = bus_guard(r->bus, diag);
    }
    if (e == KG_OK) {
        e = sinks_listen(r->sinks, r->bus, LANE_URGENT, config->urgent, diag);
    }
    if (e == KG_OK) {
        e = router_intake_listen(r->intake, r->bus, config->intake, diag);
    }
    if (e == KG_OK) {
        e = sinks_listen(r->sinks, r->bus, LANE_OTHER, config->other, diag);
    }
    if (e == KG_OK) {
        e = operate_open(r, diag);
    }
    if (e == KG_OK) {
        e = bus_publish_open(r->bus, config->status, admit_watcher, &r->core, &r->status, diag);
    }
    return e;
}

static kg_err open_stages(router *r, kg_diag *diag)
{
    kg_err e = sinks_new(&r->core, &r->sinks);
    if (e == KG_OK) {
        e = router_intake_new(&r->core, &r->intake);
    }
    if (e == KG_OK) {
        e = dispatch_new(&r->core, r->sinks, &r->dispatch);
    }
    return e == KG_OK ? e : kg_fail(diag, e, "no memory to start");
}

static kg_err open_loop(router *r, kg_diag *diag)
{
    kg_err e = loop_bus(r->loop, r->bus, ROUTER_BUDGET);
    if (e == KG_OK) {
        e = loop_timer_new(r->loop, tick, r, &r->tick);
    }
    if (e == KG_OK) {
        e = notify_watchdog(r->loop);
    }
    if (e != KG_OK) {
        return kg_fail(diag, e, "the event loop cannot be set up");
    }
    loop_on_turn_end(r->loop, turn, r);
    loop_on_stop(r->loop, on_stop, r);
    loop_on_reload(r->loop, on_reload, r);
    loop_timer_set(r->tick, ROUTER_TICK_MS);
    return KG_OK;
}

kg_err router_open(router *r, const char *config_path, kg_diag *diag)
{
    *r = (router){0};
    kg_err e = loop_new(&r->loop, diag); /* blocks signals before any thread starts */
    if (e == KG_OK) {
        e = router_config_load(config_path, &r->config, diag);
    }
    if (e == KG_OK) {
        e = core_open(&r->core, &r->config, diag);
    }
    if (e == KG_OK) {
        e = router_config_fits(&r->config, r->core.manifest, diag);
    }
    if (e == KG_OK) {
        e = open_stages(r, diag);
    }
    if (e == KG_OK) {
        e = open_doors(r, diag);
    }
    return e == KG_OK ? open_loop(r, diag) : e;
}

kg_err router_run(router *r, kg_diag *diag)
{
    core *c = &r->core;
    core_audit(c, "keng-router", "router.started", r->config.name, "version=%s manifest=%llu", KENG_VERSION,
               (unsigned long long)manifest_version(c->manifest));
    kg_err e = core_commit(c, diag);
    if (e == KG_OK) {
        kg_log(KG_INFO, "router.ready", KG_TEXT("name", r->config.name), KG_INT("queued", queue_total(c->queue)),
               KG_INT("held", c->held_count), KG_INT("manifest", manifest_version(c->manifest)));
        notify_ready();
        e = loop_run(r->loop, diag);
    }
    return e;
}

void router_close(router *r)
{
    control_close(&r->control);
    bus_publish_close(&r->status);
    dispatch_free(&r->dispatch);
    router_intake_free(&r->intake);
    sinks_free(&r->sinks);
    loop_timer_free(&r->tick);
    loop_free(&r->loop);
    bus_free(&r->bus);
    core_close(&r->core);
    router_config_done(&r->config);
}
