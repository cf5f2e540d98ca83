#include "tests/unit/airing/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"

/* The engine's handle is the host; drivers never look inside. */
struct sink {
    host h;
};

static host *of(sink *s)
{
    return (host *)(void *)s;
}

sink *host_sink(host *h)
{
    return (sink *)(void *)h;
}

static void on_limit(void *ctx)
{
    host *h = ctx;
    h->late = true;
    loop_quit(h->l);
}

int host_open(host *h)
{
    kg_diag diag = {0};
    memset(h, 0, sizeof *h);
    h->now_ms = INT64_C(1795323600000); /* 2026-11-22 12:00 in Viet Nam */
    return folder_make(h->dir) == 0 && loop_new(&h->l, &diag) == KG_OK &&
                   loop_timer_new(h->l, on_limit, h, &h->limit) == KG_OK
               ? 0
               : -1;
}

int host_close(host *h)
{
    host_run_ms(h, 1); /* collects children that were told to end */
    loop_timer_free(&h->limit);
    loop_free(&h->l);
    return folder_remove(h->dir);
}

static void check(host *h)
{
    if (h->finished >= h->wait_finished && h->prepared >= h->wait_prepared) {
        loop_quit(h->l);
    }
}

void host_run_ms(host *h, int64_t ms)
{
    kg_diag diag = {0};
    h->wait_finished = UINT32_MAX;
    loop_timer_set(h->limit, ms);
    assert_int_equal(loop_run(h->l, &diag), KG_OK);
    h->late = false;
}

void host_wait(host *h, unsigned finished, unsigned prepared)
{
    kg_diag diag = {0};
    h->wait_finished = finished;
    h->wait_prepared = prepared;
    if (h->finished >= finished && h->prepared >= prepared) {
        return;
    }
    loop_timer_set(h->limit, 20 * 1000);
    assert_int_equal(loop_run(h->l, &diag), KG_OK);
    loop_timer_stop(h->limit);
    if (h->late) {
        fail_msg("20 s went by: %u of %u finished, %u of %u prepared", h->finished, finished, h->prepared, prepared);
    }
}

void host_wait_tested(host *h)
{
    kg_diag diag = {0};
    h->wait_finished = UINT32_MAX;
    if (!h->tested) {
        loop_timer_set(h->limit, 20 * 1000);
        assert_int_equal(loop_run(h->l, &diag), KG_OK);
        loop_timer_stop(h->limit);
    }
    assert_true(h->tested);
}

sink_job *host_job(host *h, unsigned n, const alert *a, const sink_station *at)
{
    sink_job *j = &h->jobs[n];
    *j = (sink_job){.number = n, .alert = a, .station = at, .mode = MODE_INTERRUPT, .rule = "media.test"};
    j->id = alert_own_id(a);
    alert_id_text(j->id, j->id_text);
    j->basis = "Thông tư 39/2020/TT-BTTTT";
    j->ends_ms = a->expires_ms;
    h->told[n] = (host_told){0};
    return j;
}

void host_play(host *h, sink_job *job)
{
    kg_diag diag = {0};
    const kg_err e = h->driver->prepare != NULL ? h->driver->prepare(h->self, job, &diag) : KG_OK;
    if (e != KG_OK) {
        fail_msg("prepare: %s", diag.text);
    }
    if (h->driver->prepare == NULL) {
        sink_prepared(host_sink(h), job);
    }
}

static alert_info *info_in(alert *a, const char *language, const char *speech)
{
    alert_info *i = &a->infos.items[a->infos.count++];
    const alert_info empty = a->infos.items[0];
    if (a->infos.count > 1) {
        *i = empty;
        i->resources.items = NULL;
        i->resources.count = 0;
    }
    i->language = language;
    i->speech = speech;
    return i;
}

void host_alert(alert *a, const char *km)
{
    alert_init(a);
    a->identifier = "VN-86-2026-0007";
    a->sender = "pctt@vinhlong.example.vn";
    a->sent_ms = INT64_C(1795320000000); /* 2026-11-22 11:00 */
    a->sent_offset_min = 420;
    a->expires_ms = INT64_C(1795406400000);
    a->status = CAP_ACTUAL;
    a->agency = "ubnd-vinh-long";
    a->bulletin_class = CLASS_URGENT;
    a->infos.items = kg_arena_array(&a->mem, 2, sizeof *a->infos.items);
    assert_non_null(a->infos.items);
    alert_info *vi = info_in(a, "vi-VN", "");
    vi->event = "Lũ quét";
    vi->sender_name = "UBND tỉnh Vĩnh Long";
    vi->headline = "Lũ quét tại xã Cái Nhum";
    vi->description = "Nước lên nhanh.";
    vi->instruction = "Bà con sơ tán ngay.";
    vi->audience = vi->web = vi->contact = vi->sms = vi->sms_accented = vi->crawl = "";
    if (km != NULL) {
        alert_info *other = info_in(a, "km", km);
        other->headline = "ទឹកជំនន់";
        other->description = "";
        other->instruction = "រត់ទៅទីខ្ពស់";
    }
}

void host_write(const host *h, const char *name, const char *text, char path[FOLDER_PATH + 64])
{
    kg_diag diag = {0};
    (void)snprintf(path, FOLDER_PATH + 64, "%s/%s", h->dir, name);
    assert_int_equal(kg_file_replace(path, text, strlen(text), 0644, &diag), KG_OK);
}

/* ---- what drivers call ---- */

loop *sink_loop(sink *s)
{
    return of(s)->l;
}

const char *sink_state_dir(const sink *s)
{
    return s->h.dir;
}

int64_t sink_now_ms(const sink *s)
{
    return s->h.now_ms;
}

void sink_prepared(sink *s, sink_job *job)
{
    host *h = of(s);
    kg_diag diag = {0};
    assert_false(h->told[job->number].prepared || h->told[job->number].finished);
    h->told[job->number].prepared = true;
    h->prepared++;
    if (h->driver != NULL) {
        const kg_err e = h->driver->start(h->self, job, &diag);
        if (e != KG_OK) {
            sink_finish(s, job, &(sink_outcome){.state = DLV_FAILED, .code = "start", .detail = diag.text});
        }
    }
    check(h);
}

kg_err sink_note_ref(sink *s, sink_job *job, const char *driver_ref, kg_diag *diag)
{
    (void)diag;
    host_told *t = &of(s)->told[job->number];
    t->refs++;
    (void)snprintf(t->ref, sizeof t->ref, "%s", driver_ref);
    return KG_OK;
}

void sink_progress(sink *s, sink_job *job, uint64_t sent, uint64_t reached)
{
    (void)s;
    (void)job;
    (void)sent;
    (void)reached;
}

void sink_finish(sink *s, sink_job *job, const sink_outcome *o)
{
    host *h = of(s);
    host_told *t = &h->told[job->number];
    assert_false(t->finished); /* exactly once */
    assert_null(job->driver_data);
    t->finished = true;
    t->outcome = *o;
    (void)snprintf(t->code, sizeof t->code, "%s", o->code != NULL ? o->code : "");
    (void)snprintf(t->detail, sizeof t->detail, "%s", o->detail != NULL ? o->detail : "");
    h->finished++;
    check(h);
}

void sink_tested(sink *s, const sink_station *at, bool good, const char *detail)
{
    host *h = of(s);
    (void)at;
    h->tested = true;
    h->tested_good = good;
    (void)snprintf(h->tested_detail, sizeof h->tested_detail, "%s", detail);
    loop_quit(h->l);
}

void sink_device(sink *s, const sink_station *at, bool on, int volume, const char *fault)
{
    (void)at;
    (void)volume;
    (void)fault;
    of(s)->device_on = on;
}

kg_err sink_fetch(sink *s, const alert_hash *hash, uint64_t total,
                  void (*done)(void *ctx, kg_err e, const void *bytes, size_t n), void *ctx, kg_diag *diag)
{
    host *h = of(s);
    (void)hash;
    (void)total;
    (void)diag;
    h->fetches++;
    if (!h->fetch_silent) {
        done(ctx, h->fetch_bytes != NULL ? KG_OK : KG_E_NOTFOUND, h->fetch_bytes, h->fetch_count);
    }
    return KG_OK;
}
