/* playout - carries out what the player decides: prepare, STARTED, start, stop, and what an outcome leads to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "sink/backoff.h"
#include "sink/engine.h"
#include "sink/repeat.h"

enum { PROGRESS_EVERY_MS = 1000 };

static const backoff urgent_backoff = {.base_ms = 1000, .cap_ms = 30000};
static const backoff other_backoff = {.base_ms = 2000, .cap_ms = 300000};

static holding *holding_of(sink_job *job)
{
    return (holding *)((char *)job - offsetof(holding, job));
}

static void set_state(holding *h, player_state state, int64_t now_ms)
{
    h->item.state = state;
    h->item.since_ms = now_ms;
}

/* ---- rows and words of one playing ---- */

static ledger_playing playing_row(const holding *h, dlv_state state, const sink_outcome *o)
{
    return (ledger_playing){
        .id = h->alert->id,
        .station = h->post->station->id,
        .playing = h->item.playing,
        .state = state,
        .certainty = o->certainty,
        .started_ms = o->started_ms,
        .ended_ms = o->ended_ms,
        .labelled = h->item.labelled,
        .driver_ref = h->driver_ref,
        .code = o->code,
        .detail = o->detail,
    };
}

/* The row of a playing that is open: code says how to take it up again after a crash. */
static void keep_open(sink *s, const holding *h, const char *code)
{
    const sink_outcome o = {.code = code, .started_ms = h->started_ms};
    const ledger_playing row = playing_row(h, DLV_STARTED, &o);
    rows_playing(s, &row);
}

static wire_delivery_receipt receipt_of(const holding *h, size_t router, dlv_state state)
{
    return (wire_delivery_receipt){
        .id = h->alert->id,
        .station = h->post->station->id,
        .delivery = h->delivery[router],
        .playing = h->item.playing,
        .state = (uint32_t)state,
        .labelled = h->item.labelled,
        .sent = h->sent,
        .reached = h->reached,
    };
}

void playout_say(sink *s, const holding *h, size_t router, dlv_state state)
{
    wire_delivery_receipt r = receipt_of(h, router, state);
    r.time_ms = state == DLV_HELD ? h->held_ms : h->started_ms;
    if (state == DLV_STARTED) {
        r.certainty = CERTAIN_NONE;
    } else {
        r.playing = 0;
        r.labelled = false;
    }
    link_say(s, router, board_lane(h->alert), &r);
}

static void say_to_all(sink *s, const holding *h, dlv_state state)
{
    for (size_t i = 0; i < s->config->router_count; i++) {
        if (h->delivery[i] != 0) {
            playout_say(s, h, i, state);
        }
    }
}

/* ---- the job the driver sees ---- */

/* Of the languages that the order asks for, those the station can render, in the order's order. Where it can render none
 * of them all are left: better a language that may fail, and says so, than silence. */
static kg_err keep_languages(const sink_station *at, alert_texts *wanted, kg_arena *mem)
{
    const char **kept = kg_arena_array(mem, wanted->count, sizeof *kept);
    size_t count = 0;
    for (size_t i = 0; kept != NULL && i < wanted->count; i++) {
        for (size_t k = 0; k < at->languages.count; k++) {
            if (strcmp(wanted->items[i], at->languages.items[k]) == 0) {
                kept[count++] = wanted->items[i];
                break;
            }
        }
    }
    if (count > 0) {
        *wanted = (alert_texts){.items = kept, .count = count};
    }
    return kept != NULL ? KG_OK : KG_E_NOMEM;
}

static bool open_job(sink *s, holding *h)
{
    wire_target t;
    kg_diag diag = {{0}};
    kg_err e = wire_target_read(h->target, h->target_len, &h->job_mem, &t, &diag);
    if (e == KG_OK) {
        e = keep_languages(h->post->station, &t.languages, &h->job_mem);
    }
    if (e != KG_OK) {
        sink_break(s, e, &diag); /* it was packed by us, or it is our own row */
        return false;
    }
    h->job = (sink_job){
        .number = ++s->job_numbers,
        .alert = &h->alert->content,
        .id = h->alert->id,
        .station = h->post->station,
        .mode = h->item.mode,
        .playing = h->item.playing,
        .attempt = h->item.attempts,
        .labelled = h->item.labelled,
        .languages = t.languages,
        .communes = t.communes,
        .rule = t.rule,
        .basis = t.basis,
        .ends_ms = h->item.ends_ms,
    };
    memcpy(h->job.id_text, h->alert->id_text, sizeof h->job.id_text);
    h->job_open = true;
    return true;
}

static void close_job(holding *h)
{
    h->job_open = false;
    h->driver_has_it = false;
    h->asking = false;
    h->item.why = PLAYER_WHY_NONE;
    kg_arena_done(&h->job_mem);
}

/* ---- the end of a playing ---- */

static life_state life_of(const holding *h)
{
    const char *code = holding_end_code(h);
    if (code == NULL) {
        return LIFE_ALIVE;
    }
    if (strcmp(code, "superseded") == 0) {
        return LIFE_SUPERSEDED;
    }
    if (strcmp(code, "expired") == 0) {
        return LIFE_EXPIRED;
    }
    return strcmp(code, "cancelled") == 0 ? LIFE_CANCELLED : LIFE_WITHDRAWN;
}

/* The next repeat, or the end of the holding (h is gone then). */
static void go_on(sink *s, holding *h, bool may_repeat)
{
    const int64_t now_ms = sink_now_ms(s);
    /* From its start, not from when it was due: what was missed before it is made good by it. */
    const int64_t last_ms = h->item.playing == 0 ? h->first_ms : h->started_ms != 0 ? h->started_ms : now_ms;
    const bool over = h->item.ended || h->item.stopped || h->item.ends_ms <= now_ms;
    const int64_t due_ms = may_repeat && !over ? repeat_due(&h->repeat, h->first_ms, last_ms, now_ms) : 0;
    board_touch(s, h->post);
    if (due_ms == 0 || due_ms >= h->item.ends_ms) {
        h->item.due_ms = 0;
        rows_holding(s, h, h->item.stopped ? LIFE_WITHDRAWN : life_of(h));
        board_release(s, h);
        return;
    }
    h->item.playing++;
    h->item.due_ms = due_ms;
    h->item.not_before_ms = 0;
    h->item.attempts = 0;
    h->item.labelled = false;
    h->item.started = false;
    h->started_ms = 0;
    h->driver_ref[0] = '\0';
    h->sent = 0;
    h->reached = 0;
    set_state(h, PLAYER_WAITING, now_ms);
    rows_holding(s, h, LIFE_ALIVE);
}

void playout_end(sink *s, holding *h, dlv_state final, const sink_outcome *o)
{
    const int64_t now_ms = sink_now_ms(s);
    sink_outcome told = *o;
    told.ended_ms = o->ended_ms != 0 ? o->ended_ms : now_ms;
    told.started_ms = o->started_ms != 0 ? o->started_ms : h->started_ms;
    const ledger_playing row = playing_row(h, final, &told);
    KG_FAULT("sink.before_outcome");
    rows_playing(s, &row);
    h->sent = o->sent;
    h->reached = o->reached;
    for (size_t i = 0; i < s->config->router_count; i++) {
        if (h->delivery[i] == 0) {
            continue;
        }
        wire_delivery_receipt r = receipt_of(h, i, final);
        r.certainty = (uint32_t)o->certainty;
        r.time_ms = told.ended_ms;
        r.code = o->code;
        r.detail = o->detail;
        rows_receipt(s, i, board_lane(h->alert), &r);
    }
    if (h->item.playing == 0) {
        h->first_ms = told.started_ms != 0 ? told.started_ms : now_ms;
    }
    if (h->item.labelled) {
        rows_audit(s, &(sink_act){"sink", "playing.labelled", h->alert->id_text, h->post->station->id});
    }
    if (final == DLV_DONE || final == DLV_PARTIAL) {
        h->post->last_played_ms = told.ended_ms;
    }
    if (final == DLV_FAILED || final == DLV_UNCERTAIN || final == DLV_REFUSED) {
        kg_log(KG_WARNING, "playing.ended", KG_TEXT("alert", h->alert->id_text),
               KG_TEXT("station", h->post->station->id), KG_INT("playing", h->item.playing),
               KG_TEXT("state", dlv_state_text(final)), KG_TEXT("code", o->code), KG_TEXT("why", o->detail));
    }
    s->counts.finished++;
    board_played_once(h);
    go_on(s, h, final != DLV_REFUSED && final != DLV_CANCELLED && final != DLV_EXPIRED);
}

/* A repeat that never began leaves no playing behind. */
static void finish(sink *s, holding *h, dlv_state final, const sink_outcome *o)
{
    if (final == DLV_PENDING) {
        go_on(s, h, false);
    } else {
        playout_end(s, h, final, o);
    }
}

static void wait_again(sink *s, holding *h, const char *row_code)
{
    const bool was_started = h->item.started;
    close_job(h);
    set_state(h, PLAYER_WAITING, sink_now_ms(s));
    if (was_started) {
        keep_open(s, h, row_code);
    }
    board_touch(s, h->post);
}

static void try_later(sink *s, holding *h, const sink_outcome *o)
{
    uint32_t dice = 0;
    trust_random(&dice, sizeof dice);
    h->item.attempts++;
    const backoff *b = h->item.class == CLASS_URGENT ? &urgent_backoff : &other_backoff;
    const int64_t wait_ms = backoff_ms(b, h->item.attempts, dice);
    h->item.not_before_ms = sink_now_ms(s) + wait_ms;
    sink_keep_text(h->code, sizeof h->code, o->code);
    sink_keep_text(h->detail, sizeof h->detail, o->detail);
    s->counts.retried++;
    kg_log(KG_WARNING, "playing.deferred", KG_TEXT("alert", h->alert->id_text),
           KG_TEXT("station", h->post->station->id), KG_TEXT("code", h->code), KG_TEXT("why", h->detail),
           KG_INT("retry_in_ms", wait_ms));
    wait_again(s, h, "retry");
}

/* What an outcome means; h may be gone afterwards. */
static void ended(sink *s, holding *h, const sink_outcome *given)
{
    sink_outcome o = *given;
    if (o.state != DLV_PENDING && (!dlv_final(o.state) || o.state == DLV_CANCELLED || o.state == DLV_EXPIRED)) {
        kg_log(KG_ERROR, "driver.outcome", KG_TEXT("driver", h->post->driver->kind),
               KG_TEXT("state", dlv_state_text(o.state)));
        o.state = DLV_UNCERTAIN;
        o.code = "driver-fault";
    }
    dlv_state final = o.state;
    player_next next = player_after(&h->item, o.state, &final);
    if (h->asking && next == PLAYER_RETRY) {
        next = PLAYER_AGAIN; /* the device knows nothing of it: that is an answer, not a failure */
    }
    const bool alive = !h->item.ended && !h->item.stopped && h->item.why == PLAYER_WHY_NONE;
    if (o.again && next == PLAYER_FINAL && h->item.class == CLASS_URGENT && !h->item.labelled && alive) {
        next = PLAYER_RESUME;
    }
    char code[sizeof h->code];
    char detail[KG_DIAG_MAX];
    sink_keep_text(code, sizeof code, o.code);
    sink_keep_text(detail, sizeof detail, o.detail);
    o.code = code;
    o.detail = detail;
    switch (next) {
    case PLAYER_RETRY:
        try_later(s, h, &o);
        break;
    case PLAYER_AGAIN:
        wait_again(s, h, "retry");
        break;
    case PLAYER_RESUME:
        h->item.labelled = true;
        wait_again(s, h, "interrupted");
        break;
    case PLAYER_FINAL:
        if (o.state == DLV_PENDING) {
            playout_words(h, final, &o);
        }
        close_job(h);
        finish(s, h, final, &o);
        break;
    }
}

void playout_words(const holding *h, dlv_state final, sink_outcome *o)
{
    const char *end = holding_end_code(h);
    if (h->item.stopped) {
        o->code = "stopped-by-operator";
        o->detail = "Người trực đã dừng bản tin tại trạm này.";
    } else if (final == DLV_EXPIRED) {
        o->code = "expired";
        o->detail = "Bản tin hết hiệu lực trước khi phát được.";
    } else if (final == DLV_CANCELLED) {
        o->code = end != NULL ? end : "recalled";
        o->detail = "Bản tin đã được thay thế, hủy hoặc thu hồi trước khi phát xong.";
    } else if (final == DLV_PARTIAL) {
        o->code = "interrupted";
        o->detail = "Bản tin bị ngắt giữa chừng và không còn hiệu lực để phát lại.";
    } else if (final == DLV_FAILED) {
        o->code = h->code;
        o->detail = h->detail;
    }
}

/* A driver's call that returned an error ends the job as an outcome would. */
static void ended_by_error(sink *s, holding *h, kg_err e, const kg_diag *diag)
{
    const bool temp = kg_err_class(e) == KG_TEMP;
    ended(s, h,
          &(sink_outcome){.state = temp ? DLV_PENDING : DLV_FAILED, .code = kg_err_name(e), .detail = diag->text});
}

/* ---- steps ---- */

static void do_prepare(sink *s, holding *h)
{
    if (!open_job(s, h)) {
        return;
    }
    const sink_driver *d = h->post->driver;
    set_state(h, PLAYER_PREPARING, sink_now_ms(s));
    if (d->prepare == NULL) {
        sink_prepared(s, &h->job);
        return;
    }
    kg_diag diag = {{0}};
    h->driver_has_it = true;
    const kg_err e = d->prepare(h->post->self, &h->job, &diag);
    if (e != KG_OK) {
        ended_by_error(s, h, e, &diag);
    }
}

static void do_start(sink *s, holding *h)
{
    if (!board_starting(s, h)) {
        return;
    }
    set_state(h, PLAYER_STARTING, sink_now_ms(s));
    h->started_ms = sink_now_ms(s);
    h->item.started = true;
    keep_open(s, h, "");
}

static void do_stop(sink *s, holding *h, player_why why)
{
    set_state(h, PLAYER_STOPPING, sink_now_ms(s));
    h->item.why = why;
    if (h->driver_has_it) {
        KG_FAULT("sink.before_stop");
        h->post->driver->stop(h->post->self, &h->job);
    } else {
        ended(s, h, &(sink_outcome){.state = DLV_PENDING});
    }
}

static void do_drop(sink *s, holding *h, player_why why)
{
    const dlv_state final = player_dropped(&h->item, why);
    sink_outcome o = {.state = final};
    playout_words(h, final, &o);
    finish(s, h, final, &o);
}

static void carry_out(sink *s, holding *h, const player_step *step)
{
    switch (step->what) {
    case PLAYER_PREPARE:
        do_prepare(s, h);
        break;
    case PLAYER_START:
        do_start(s, h);
        break;
    case PLAYER_STOP:
        do_stop(s, h, step->why);
        break;
    case PLAYER_DROP:
        do_drop(s, h, step->why);
        break;
    }
}

/* One look at one station. True when something was done, and another look may find more. A step ends no other
 * holding than its own, so the holdings are looked up before the first step is taken. */
static bool decide_once(sink *s, post *p, player_plan *plan)
{
    const player_item **view = board_view(s, p);
    if (view == NULL) {
        return false;
    }
    const player_rules rules = {p->driver->exclusive, p->muted, &s->config->hours};
    player_decide(&rules, view, p->count, sink_now_ms(s), plan);
    holding *each[PLAYER_STEPS_MAX];
    const size_t count = plan->count;
    for (size_t i = 0; i < count; i++) {
        each[i] = p->items[plan->steps[i].item];
    }
    for (size_t i = 0; i < count; i++) {
        carry_out(s, each[i], &plan->steps[i]);
    }
    return count > 0;
}

void playout_decide(sink *s)
{
    while (s->dirty != NULL && s->broken == KG_OK) {
        post *p = s->dirty;
        s->dirty = p->next_dirty;
        player_plan plan;
        plan.wake_ms = INT64_MAX;
        while (s->broken == KG_OK && decide_once(s, p, &plan)) {
        }
        p->wake_ms = plan.wake_ms;
        p->dirty = false; /* what its own steps touched has been looked at */
    }
}

void playout_start(sink *s)
{
    const size_t count = s->starting_count;
    s->starting_count = 0;
    for (size_t i = 0; i < count; i++) {
        holding *h = s->starting[i];
        const sink_driver *d = h->post->driver;
        kg_diag diag = {{0}};
        set_state(h, PLAYER_PLAYING, sink_now_ms(s));
        h->driver_has_it = true;
        h->told_ms = h->started_ms;
        if (h->item.attempts == 0) {
            say_to_all(s, h, DLV_STARTED);
        }
        board_touch(s, h->post);
        s->counts.started++;
        KG_FAULT("sink.before_start");
        const kg_err e = d->start(h->post->self, &h->job, &diag);
        KG_FAULT("sink.after_start");
        if (e != KG_OK) {
            ended_by_error(s, h, e, &diag);
        }
    }
}

/* ---- what drivers call ---- */

void sink_prepared(sink *s, sink_job *job)
{
    holding *h = holding_of(job);
    if (h->item.state == PLAYER_PREPARING) {
        set_state(h, PLAYER_READY, sink_now_ms(s));
        board_touch(s, h->post);
        s->edges.again(s->edges.ctx);
    }
}

void sink_finish(sink *s, sink_job *job, const sink_outcome *o)
{
    holding *h = holding_of(job);
    KG_FAULT("sink.finish");
    ended(s, h, o);
    s->edges.again(s->edges.ctx);
}

kg_err sink_note_ref(sink *s, sink_job *job, const char *driver_ref, kg_diag *diag)
{
    holding *h = holding_of(job);
    if (strlen(driver_ref) >= sizeof h->driver_ref) {
        return kg_fail(diag, KG_E_LIMIT, "a device's name for a playing has at most %zu bytes",
                       sizeof h->driver_ref - 1);
    }
    sink_keep_text(h->driver_ref, sizeof h->driver_ref, driver_ref);
    keep_open(s, h, "");
    const kg_err e = rows_commit(s, diag);
    if (e != KG_OK && e != KG_E_FULL) {
        sink_break(s, e, diag);
    }
    return e;
}

void sink_progress(sink *s, sink_job *job, uint64_t sent, uint64_t reached)
{
    holding *h = holding_of(job);
    const int64_t now_ms = sink_now_ms(s);
    h->sent = sent;
    h->reached = reached;
    if (h->item.state == PLAYER_PLAYING && now_ms - h->told_ms >= PROGRESS_EVERY_MS) {
        h->told_ms = now_ms;
        say_to_all(s, h, DLV_STARTED);
        s->edges.again(s->edges.ctx);
    }
}

/* ---- after a crash ---- */

bool playout_ask(sink *s, holding *h, const char *driver_ref)
{
    const sink_driver *d = h->post->driver;
    if (d->ask == NULL || !open_job(s, h)) {
        return false;
    }
    set_state(h, PLAYER_PLAYING, sink_now_ms(s));
    h->asking = true;
    h->driver_has_it = true;
    kg_diag diag = {{0}};
    const kg_err e = d->ask(h->post->self, &h->job, driver_ref, &diag);
    if (e != KG_OK) {
        close_job(h);
        set_state(h, PLAYER_WAITING, sink_now_ms(s));
        return false;
    }
    return true;
}
