#include "tests/unit/sink/engine_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "alert/pack.h"

static void note(char *text, const char *fmt, ...) KG_PRINTF(2, 3);

static void note(char *text, const char *fmt, ...)
{
    const size_t len = strlen(text);
    va_list args;
    va_start(args, fmt);
    if (len > 0) {
        text[len] = ' ';
    }
    const size_t at = len > 0 ? len + 1 : 0;
    (void)vsnprintf(text + at, WORLD_TEXT - at, fmt, args);
    va_end(args);
}

/* ---- the driver ---- */

static world *the_world(void *self)
{
    return self;
}

static kg_err driver_open(sink *host, const char *name, const char *config_path, void **self, kg_diag *diag)
{
    (void)name;
    (void)config_path;
    (void)diag;
    *self = (world *)((char *)host - offsetof(world, sink));
    return KG_OK;
}

static kg_err driver_prepare(void *self, sink_job *job, kg_diag *diag)
{
    (void)diag;
    sink_prepared(&the_world(self)->sink, job);
    return KG_OK;
}

static void take_job(world *w, sink_job *job)
{
    assert_true(w->job_count < WORLD_JOBS);
    w->jobs[w->job_count++] = job;
}

static void drop_job(world *w, const sink_job *job)
{
    for (size_t i = 0; i < w->job_count; i++) {
        if (w->jobs[i] == job) {
            w->jobs[i] = w->jobs[--w->job_count];
            return;
        }
    }
}

static kg_err driver_start(void *self, sink_job *job, kg_diag *diag)
{
    world *w = the_world(self);
    kg_arena mem = {0};
    ledger_playing row;
    /* Journal first: its row is there, STARTED, before a sound. */
    assert_int_equal(ledger_find_playing(w->ledger, job->id, job->station->id, job->playing, &mem, &row, diag), KG_OK);
    assert_int_equal(row.state, DLV_STARTED);
    assert_int_equal(row.labelled, job->labelled);
    kg_arena_done(&mem);
    note(w->played, "start %s#%u%s", job->station->id, job->playing, job->labelled ? " again" : "");
    if (w->at_once) {
        sink_finish(&w->sink, job, &(sink_outcome){.state = DLV_DONE, .certainty = CERTAIN_FINISHED});
        return KG_OK;
    }
    take_job(w, job);
    return KG_OK;
}

static void driver_stop(void *self, sink_job *job)
{
    world *w = the_world(self);
    const size_t before = w->job_count;
    drop_job(w, job);
    note(w->played, "stop %s#%u", job->station->id, job->playing);
    sink_finish(
        &w->sink, job,
        &(sink_outcome){.state = before == w->job_count ? DLV_PENDING : DLV_PARTIAL, .certainty = CERTAIN_STARTED});
}

static kg_err driver_ask(void *self, sink_job *job, const char *driver_ref, kg_diag *diag)
{
    world *w = the_world(self);
    note(w->played, "ask %s#%u '%s'", job->station->id, job->playing, driver_ref);
    if (!w->can_be_asked) {
        return kg_fail(diag, KG_E_IO, "the device does not answer");
    }
    sink_finish(&w->sink, job, &(sink_outcome){.state = w->ask_says, .certainty = CERTAIN_FINISHED});
    return KG_OK;
}

static void driver_close(void *self)
{
    (void)self;
}

/* ---- the router ---- */

static void hear_receipts(world *w, size_t router, const wire_msg *m)
{
    for (size_t i = 0; i < m->u.receipts.count; i++) {
        const wire_delivery_receipt *r = &m->u.receipts.items[i];
        char upper[16];
        (void)snprintf(upper, sizeof upper, "%s", dlv_state_text((dlv_state)r->state));
        note(w->heard, "%s%s %s/%llu#%u%s%s%s%s", router == 1 ? "2:" : "", upper, r->station,
             (unsigned long long)r->delivery, r->playing, r->labelled ? " again" : "", r->code[0] != '\0' ? " (" : "",
             r->code, r->code[0] != '\0' ? ")" : "");
    }
}

static void hear_grants(world *w, lane l, const wire_grants *g)
{
    for (size_t i = 0; i < g->count; i++) {
        if (strcmp(g->items[i].station, HORN) == 0) {
            assert_true(g->items[i].credit >= w->credit[l]);
            w->credit[l] = g->items[i].credit;
        }
    }
}

static kg_err hear(void *ctx, size_t router, lane l, const void *bytes, size_t n)
{
    world *w = ctx;
    wire_msg m;
    assert_true(router < w->config.router_count);
    if (w->deaf) {
        return KG_E_AGAIN;
    }
    assert_false(rows_waiting(&w->sink) && w->sink.starting_count > 0); /* nothing leaves before its commit */
    assert_int_equal(wire_read(bytes, n, &m, NULL), KG_OK);
    if (m.kind == WIRE_RECEIPTS) {
        assert_true(m.u.receipts.batch > w->batches[router][l]);
        w->batches[router][l] = m.u.receipts.batch;
        hear_receipts(w, router, &m);
    } else if (m.kind == WIRE_HELLO) {
        w->credit[l] = 0;
        w->batches[router][l] = 0;
        hear_grants(w, l, &m.u.hello.stations);
    } else if (m.kind == WIRE_CREDIT) {
        hear_grants(w, l, &m.u.credit.stations);
    } else if (m.kind == WIRE_WANT) {
        w->wanted = m.u.want.hash;
        w->wanted_offset = m.u.want.offset;
    } else {
        assert_int_equal(m.kind, WIRE_BEAT);
    }
    wire_done(&m);
    return KG_OK;
}

static int64_t the_time(void *ctx)
{
    return ((world *)ctx)->now_ms;
}

static void nothing(void *ctx)
{
    (void)ctx;
}

/* ---- the world ---- */

static void station_at(world *w, size_t i, const char *id, size_t driver)
{
    static const char *vi[] = {"vi"};
    w->stations[i] = (sink_station_config){.station = {.id = id,
                                                       .name = id,
                                                       .person = "",
                                                       .medium = driver == 0 ? MEDIUM_LOUDSPEAKER : MEDIUM_SMS,
                                                       .languages = {vi, 1},
                                                       .settings = ""},
                                           .driver = driver};
}

static void begin(world *w)
{
    char path[128];
    kg_diag diag = {{0}};
    const sink_driver *drivers[] = {&w->horn, &w->sms};
    (void)snprintf(path, sizeof path, "%s/ledger.db", w->trust.dir);
    if (ledger_open(path, &w->ledger, &diag) != KG_OK) {
        fail_msg("ledger_open: %s", diag.text);
    }
    memset(&w->sink, 0, sizeof w->sink);
    w->sink.config = &w->config;
    w->sink.ledger = w->ledger;
    w->sink.manifest = w->trust.manifest;
    w->sink.areas = w->trust.areas;
    w->sink.edges = (sink_edges){w, hear, the_time, nothing};
    w->job_count = 0;
    w->open = true;
    if (sink_open(&w->sink, drivers, 2, &diag) != KG_OK) {
        fail_msg("sink_open: %s", diag.text);
    }
}

void world_open(world *w)
{
    memset(w, 0, sizeof *w);
    tf_open(&w->trust);
    w->now_ms = tf_now_ms;
    w->horn = (sink_driver){.kind = "horn",
                            .exclusive = true,
                            .open = driver_open,
                            .prepare = driver_prepare,
                            .start = driver_start,
                            .stop = driver_stop,
                            .ask = driver_ask,
                            .close = driver_close};
    w->sms = (sink_driver){.kind = "sms",
                           .exclusive = false,
                           .open = driver_open,
                           .start = driver_start,
                           .stop = driver_stop,
                           .close = driver_close};
    w->routers[0] = (sink_router_config){.name = "vl", .urgent = "", .other = ""};
    w->routers[1] = (sink_router_config){.name = "vl2", .urgent = "", .other = ""};
    w->drivers[0] = (sink_driver_config){"horn", "horn", NULL};
    w->drivers[1] = (sink_driver_config){"sms", "sms", NULL};
    station_at(w, 0, HORN, 0);
    station_at(w, 1, HORN_2, 0);
    station_at(w, 2, SMS, 1);
    w->config = (sink_config){.name = "test",
                              .state = w->trust.dir,
                              .routers = w->routers,
                              .router_count = 1,
                              .drivers = w->drivers,
                              .driver_count = 2,
                              .stations = w->stations,
                              .station_count = 3};
    begin(w);
    sink_link_up(&w->sink, 0, LANE_URGENT);
    sink_link_up(&w->sink, 0, LANE_OTHER);
}

void world_crash(world *w)
{
    sink_close(&w->sink);
    ledger_close(&w->ledger);
    w->open = false;
}

void world_restart(world *w)
{
    world_crash(w);
    begin(w);
    for (size_t i = 0; i < w->config.router_count; i++) {
        sink_link_up(&w->sink, i, LANE_URGENT);
        sink_link_up(&w->sink, i, LANE_OTHER);
    }
}

void world_close(world *w)
{
    char command[128];
    if (w->open) {
        world_crash(w);
    }
    static const char *const files[] = {"ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db.reserve"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        (void)snprintf(command, sizeof command, "%s/%s", w->trust.dir, files[i]);
        (void)unlink(command);
    }
    (void)snprintf(command, sizeof command, "%s/clips", w->trust.dir);
    (void)rmdir(command);
    tf_close(&w->trust);
}

int64_t world_turn(world *w)
{
    int64_t wake_ms = 0;
    for (int i = 0; i < 100; i++) {
        wake_ms = sink_turn(&w->sink);
        assert_int_equal(w->sink.broken, KG_OK);
        if (wake_ms > w->now_ms) {
            return wake_ms;
        }
    }
    fail_msg("the sink does not come to rest");
    return wake_ms;
}

void world_later(world *w, int64_t ms)
{
    w->now_ms += ms;
    (void)world_turn(w);
}

/* ---- messages ---- */

void world_sign(const world *w, const world_alert *what, kg_buf *out, alert_id *id)
{
    alert a;
    alert_ref ref;
    tf_alert(&a);
    a.identifier = what->identifier != NULL ? what->identifier : a.identifier;
    a.bulletin_class = what->class;
    a.msg_type = what->msg_type;
    a.status = what->status;
    a.agency = what->agency != NULL ? what->agency : a.agency;
    a.expires_ms = what->ends_ms != 0 ? tf_now_ms + what->ends_ms : a.expires_ms;
    a.infos.items[0].expires_ms = a.expires_ms;
    a.infos.items[0].description = what->description != NULL ? what->description : a.infos.items[0].description;
    if (what->references != NULL) {
        ref = (alert_ref){a.sender, what->references, a.sent_ms};
        a.references.items = &ref;
        a.references.count = 1;
    }
    *id = alert_own_id(&a);
    tf_sign(&w->trust, &a, &what->who, 1, out);
    alert_done(&a);
}

static uint64_t delivery_of(const world *w, const char *place)
{
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(w->stations[i].station.id, place) == 0) {
            return i + 1;
        }
    }
    return 9;
}

void world_order_bytes(world *w, const kg_buf *bytes, alert_id id, const wire_target *t)
{
    wire_msg m = {.kind = WIRE_ORDER};
    kg_buf frame = {0};
    m.u.order.id = id;
    m.u.order.hash = alert_hash_of(bytes->s, bytes->len);
    m.u.order.total_bytes = bytes->len;
    if (bytes->len <= WIRE_INLINE_MAX) {
        m.u.order.signed_alert = (wire_bytes){(const uint8_t *)bytes->s, bytes->len};
    }
    m.u.order.targets = t;
    m.u.order.target_count = 1;
    assert_int_equal(wire_write(&m, &frame), KG_OK);
    sink_take(&w->sink, w->via, LANE_URGENT, frame.s, frame.len);
    kg_buf_done(&frame);
}

void world_order(world *w, const world_alert *what, const char *place, const wire_target *like)
{
    static const char *here[] = {"28756"};
    static const char *vi[] = {"vi"};
    wire_target t = like != NULL ? *like : (wire_target){.mode = MODE_INTERRUPT};
    t.station = place;
    t.delivery = delivery_of(w, place);
    t.rule = "media.test";
    t.basis = "";
    t.languages = (alert_texts){vi, 1};
    if (t.communes.count == 0) {
        t.communes = (alert_texts){here, 1};
    }
    kg_buf bytes = {0};
    alert_id id;
    world_sign(w, what, &bytes, &id);
    world_order_bytes(w, &bytes, id, &t);
    kg_buf_done(&bytes);
}

void world_recall(world *w, const world_alert *what, const char *place, life_state reason)
{
    wire_msg m = {.kind = WIRE_RECALL};
    kg_buf bytes = {0};
    kg_buf frame = {0};
    const wire_target t = {.station = place, .delivery = delivery_of(w, place)};
    world_sign(w, what, &bytes, &m.u.recall.id);
    m.u.recall.targets = &t;
    m.u.recall.target_count = 1;
    m.u.recall.reason = (uint32_t)reason;
    assert_int_equal(wire_write(&m, &frame), KG_OK);
    sink_take(&w->sink, w->via, LANE_URGENT, frame.s, frame.len);
    kg_buf_done(&bytes);
    kg_buf_done(&frame);
}

void world_kept(world *w)
{
    for (int l = 0; l < LANE_COUNT; l++) {
        wire_msg m = {.kind = WIRE_RECEIPTS_KEPT};
        kg_buf frame = {0};
        m.u.receipts_kept.batch = w->batches[w->via][l];
        assert_int_equal(wire_write(&m, &frame), KG_OK);
        sink_take(&w->sink, w->via, (lane)l, frame.s, frame.len);
        kg_buf_done(&frame);
    }
    (void)world_turn(w);
}

sink_job *world_job(const world *w, const char *place)
{
    for (size_t i = 0; i < w->job_count; i++) {
        if (strcmp(w->jobs[i]->station->id, place) == 0) {
            return w->jobs[i];
        }
    }
    fail_msg("nothing plays at %s", place);
    return NULL;
}

void world_finish(world *w, const char *place, dlv_state state)
{
    sink_job *job = world_job(w, place);
    drop_job(w, job);
    sink_finish(&w->sink, job,
                &(sink_outcome){.state = state,
                                .certainty = CERTAIN_FINISHED,
                                .code = state == DLV_DONE ? "" : "device",
                                .detail = "",
                                .ended_ms = w->now_ms});
    (void)world_turn(w);
}

static void compare(char *got, const char *what, const char *label, const char *want)
{
    if (strcmp(got, want) != 0) {
        fail_msg("%s: %s\n  '%s', want\n  '%s'", label, what, got, want);
    }
    got[0] = '\0';
}

void world_heard(world *w, const char *label, const char *want)
{
    compare(w->heard, "the router heard", label, want);
}

void world_played(world *w, const char *label, const char *want)
{
    compare(w->played, "the driver did", label, want);
}
