/* station_verbs - what the commune's clerk sees and does at his stations (keng station). What he does is durable, with
 * who and why, before he is told that it is done. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sink/engine.h"
#include "svc/auditpage.h"

enum { KEY_MAX = 512, ID_PREFIX_MIN = 6 };

typedef struct verb { /* one call, with what every verb needs */
    sink *s;
    const control_call *call;
    control_reply *reply;
    kg_diag *diag;
    post *post;
    holding *holding;
} verb;

static const char *argument(const verb *v, size_t i)
{
    return i < v->call->arguments.count ? v->call->arguments.items[i] : "";
}

static kg_err need_post(verb *v)
{
    v->post = board_post(v->s, argument(v, 0));
    if (v->post == NULL) {
        return kg_fail(v->diag, KG_E_NOTFOUND, "Không có trạm '%s'; xem danh sách bằng lệnh list.", argument(v, 0));
    }
    return KG_OK;
}

/* An alert by its id or the beginning of it, as far as it is clear. */
static kg_err need_holding(verb *v)
{
    const kg_err e = need_post(v);
    if (e != KG_OK) {
        return e;
    }
    const char *id = argument(v, 1);
    size_t found = 0;
    for (size_t i = 0; strlen(id) >= ID_PREFIX_MIN && i < v->post->count; i++) {
        if (strncmp(v->post->items[i]->alert->id_text, id, strlen(id)) == 0) {
            v->holding = v->post->items[i];
            found++;
        }
    }
    if (found != 1) {
        kg_ignore(kg_fail(v->diag, KG_E_NOTFOUND, "Trạm '%s' %s bản tin '%s'; cần ít nhất %d ký tự đầu của mã bản tin.",
                          argument(v, 0), found == 0 ? "không giữ" : "giữ nhiều", id, ID_PREFIX_MIN));
        return KG_E_NOTFOUND;
    }
    return KG_OK;
}

/* The end of every verb that changes something. */
static kg_err record(verb *v, const char *action, const char *object, const char *why)
{
    char actor[256];
    char detail[1024];
    (void)snprintf(actor, sizeof actor, "%s (%s)", v->call->who, v->call->caller->holder);
    (void)snprintf(detail, sizeof detail, "%s: %s", v->post->station->id, why);
    rows_audit(v->s, &(sink_act){actor, action, object, detail});
    const kg_err e = rows_commit(v->s, v->diag);
    if (e != KG_OK && e != KG_E_FULL) {
        sink_break(v->s, e, v->diag);
    }
    if (v->s->loop != NULL) {
        loop_again(v->s->loop);
    }
    return e;
}

/* ---- seeing ---- */

static const char *state_word(const player_item *it)
{
    static const char *const words[] = {
        [PLAYER_WAITING] = "waiting",  [PLAYER_PREPARING] = "preparing", [PLAYER_READY] = "ready",
        [PLAYER_STARTING] = "playing", [PLAYER_PLAYING] = "playing",     [PLAYER_STOPPING] = "stopping",
    };
    if (it->state == PLAYER_WAITING && it->mode == MODE_OFFER && it->class != CLASS_URGENT && !it->accepted) {
        return "offered";
    }
    return words[it->state];
}

static void time_word(int64_t ms, char out[KG_TIME_TEXT_MAX])
{
    if (ms <= 0) {
        out[0] = '\0';
    } else {
        kg_time_text(ms, KG_VN_OFFSET_MIN, out);
    }
}

static const char *device_word(const device_state *d)
{
    if (!d->known) {
        return "unknown";
    }
    if (d->fault[0] != '\0') {
        return d->fault;
    }
    return d->on ? "on" : "off";
}

static kg_err list_row(verb *v, const post *p)
{
    char counts[3][24];
    char heard[KG_TIME_TEXT_MAX];
    char played[KG_TIME_TEXT_MAX];
    char volume[24] = "";
    size_t now = 0;
    const char *what = "";
    for (size_t i = 0; i < p->count; i++) {
        if (p->items[i]->item.state >= PLAYER_STARTING) {
            now++;
            what = p->items[i]->alert->id_text;
        }
    }
    (void)snprintf(counts[0], sizeof counts[0], "%zu", now);
    (void)snprintf(counts[1], sizeof counts[1], "%zu", p->count - now);
    if (p->device.known) {
        (void)snprintf(volume, sizeof volume, "%d", p->device.volume);
    }
    time_word(p->device.heard_ms, heard);
    time_word(p->last_played_ms, played);
    const char *cells[] = {p->station->id,
                           p->station->name,
                           medium_text(p->station->medium),
                           p->driver->kind,
                           counts[0],
                           what,
                           counts[1],
                           p->muted ? p->mute_reason : "",
                           device_word(&p->device),
                           volume,
                           heard,
                           played,
                           p->device.tested_ms == 0 ? "" : p->device.test_detail};
    return control_row(v->reply, cells, sizeof cells / sizeof cells[0]);
}

static kg_err verb_list(void *ctx, const control_call *call, control_reply *reply, kg_diag *diag)
{
    static const char *const columns[] = {"station", "name",   "medium", "driver", "playing",     "alert",    "waiting",
                                          "muted",   "device", "volume", "heard",  "last-played", "self-test"};
    verb v = {.s = ctx, .call = call, .reply = reply, .diag = diag};
    kg_err e = control_columns(reply, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; e == KG_OK && i < v.s->post_count; i++) {
        e = list_row(&v, &v.s->posts[i]);
    }
    return e;
}

static kg_err show_row(verb *v, const holding *h)
{
    char playing[24];
    char attempts[24];
    char due[KG_TIME_TEXT_MAX];
    char ends[KG_TIME_TEXT_MAX];
    const alert_info *info = alert_info_for(h->alert->content.infos.count > 0 ? &h->alert->content : NULL, "vi");
    (void)snprintf(playing, sizeof playing, "%u", h->item.playing);
    (void)snprintf(attempts, sizeof attempts, "%u", h->item.attempts);
    time_word(h->item.due_ms, due);
    time_word(h->item.ends_ms, ends);
    const char *cells[] = {h->alert->id_text,
                           bulletin_class_text(h->item.class),
                           policy_mode_text(h->item.mode),
                           state_word(&h->item),
                           playing,
                           due,
                           ends,
                           attempts,
                           h->detail,
                           info != NULL ? info->headline : ""};
    return control_row(v->reply, cells, sizeof cells / sizeof cells[0]);
}

static kg_err verb_show(void *ctx, const control_call *call, control_reply *reply, kg_diag *diag)
{
    static const char *const columns[] = {"alert", "class", "mode",  "state",        "playing",
                                          "due",   "ends",  "tries", "last-problem", "headline"};
    verb v = {.s = ctx, .call = call, .reply = reply, .diag = diag};
    kg_err e = need_post(&v);
    if (e == KG_OK) {
        e = control_columns(reply, columns, sizeof columns / sizeof columns[0]);
    }
    for (size_t i = 0; e == KG_OK && i < v.post->count; i++) {
        e = show_row(&v, v.post->items[i]);
    }
    return e;
}

static kg_err verb_status(void *ctx, const control_call *call, control_reply *reply, kg_diag *diag)
{
    (void)call;
    (void)diag;
    const sink *s = ctx;
    static const char *const columns[] = {"counter", "value"};
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"orders", s->counts.orders},    {"held", s->counts.held},       {"repeated", s->counts.repeated},
        {"refused", s->counts.refused},  {"started", s->counts.started}, {"finished", s->counts.finished},
        {"deferred", s->counts.retried}, {"commits", s->counts.commits}, {"holdings", s->holdings},
    };
    kg_err e = control_columns(reply, columns, 2);
    for (size_t i = 0; e == KG_OK && i < sizeof rows / sizeof rows[0]; i++) {
        char value[24];
        (void)snprintf(value, sizeof value, "%llu", (unsigned long long)rows[i].value);
        const char *cells[] = {rows[i].name, value};
        e = control_row(reply, cells, 2);
    }
    return e;
}

/* ---- doing ---- */

static void mute_key(const post *p, char out[KEY_MAX])
{
    (void)snprintf(out, KEY_MAX, "mute/%s", p->station->id);
}

static void set_mute(verb *v, const char *reason)
{
    char key[KEY_MAX];
    mute_key(v->post, key);
    rows_note(v->s, key, reason);
    v->post->muted = reason[0] != '\0';
    sink_keep_text(v->post->mute_reason, sizeof v->post->mute_reason, reason);
    board_touch(v->s, v->post);
}

static kg_err verb_mute(void *ctx, const control_call *call, control_reply *reply, kg_diag *diag)
{
    verb v = {.s = ctx, .call = call, .reply = reply, .diag = diag};
    kg_err e = need_post(&v);
    if (e != KG_OK) {
        return e;
    }
    if (argument(&v, 1)[0] == '\0') {
        return kg_fail(diag, KG_E_INVALID, "Cần nêu lý do tắt tiếng.");
    }
    set_mute(&v, argument(&v, 1));
    e = record(&v, "station.muted", v.post->station->id, argument(&v, 1));
    return e != KG_OK
               ? e
               : control_say(reply, "Đã tắt tiếng trạm %s. Bản tin khẩn cấp vẫn được phát.", v.post->station->id);
}

static kg_err verb_unmute(void *ctx, const control_call *call, control_reply *reply, kg_diag *diag)
{
    verb v = {.s = ctx, .call = call, .reply = reply, .diag = diag};
    kg_err e = need_post(&v);
    if (e != KG_OK) {
        return e;
    }
    set_mute(&v, "");
    e = record(&v, "station.unmuted", v.post->station->id, "");
    return e != KG_OK ? e : control_say(reply, "Trạm %s đã bật tiếng trở lại.", v.post->station->id);
}

static void holding_key(const holding *h, const char *what, char out[KEY_MAX])
{
    (void)snprintf(out, KEY_MAX, "%s/%s/%s", what, h->alert->id_text, h->post->station->id);
}

static kg_err verb_accept(void *ctx, const control_call *call, control_reply *reply, kg_diag *diag)
{
    verb v = {.s = ctx, .call = call, .reply = reply, .diag = diag};
    kg_err e = need_holding(&v);
    if (e != KG_OK) {
        return e;
    }
    char key[KEY_MAX];
    holding_key(v.holding, "accept", key);
    rows_note(v.s, key, call->who);
    v.holding->item.accepted = true;
    board_touch(v.s, v.post);
    e = record(&v, "playing.accepted", v.holding->alert->id_text, "");
    return e != KG_OK ? e : control_say(reply, "Bản tin sẽ được phát tại trạm %s.", v.post->station->id);
}

static int by_rank(const void *a, const void *b)
{
    const int64_t x = (*(holding *const *)a)->item.rank;
    const int64_t y = (*(holding *const *)b)->item.rank;
    return (x > y) - (x < y);
}

/* The waiting ones of the same class get the numbers 1, 2, 3 ...; later ones come behind, since theirs is a time. */
static kg_err rank_anew(verb *v, size_t position)
{
    post *p = v->post;
    holding **line = calloc(p->count, sizeof(holding *));
    if (line == NULL) {
        return kg_fail(v->diag, KG_E_NOMEM, "no memory to reorder");
    }
    size_t n = 0;
    for (size_t i = 0; i < p->count; i++) {
        if (p->items[i] != v->holding && p->items[i]->item.class == v->holding->item.class) {
            line[n++] = p->items[i];
        }
    }
    qsort(line, n, sizeof(holding *), by_rank);
    const size_t at = position - 1 < n ? position - 1 : n;
    memmove(line + at + 1, line + at, (n - at) * sizeof(holding *));
    line[at] = v->holding;
    for (size_t i = 0; i <= n; i++) {
        char key[KEY_MAX];
        char number[24];
        line[i]->item.rank = (int64_t)i + 1;
        holding_key(line[i], "rank", key);
        (void)snprintf(number, sizeof number, "%zu", i + 1);
        rows_note(v->s, key, number);
    }
    free(line);
    board_touch(v->s, p);
    return KG_OK;
}

static kg_err verb_reorder(void *ctx, const control_call *call, control_reply *reply, kg_diag *diag)
{
    verb v = {.s = ctx, .call = call, .reply = reply, .diag = diag};
    kg_err e = need_holding(&v);
    if (e != KG_OK) {
        return e;
    }
    char *end = NULL;
    const unsigned long position = strtoul(argument(&v, 2), &end, 10);
    if (position == 0 || position > SINK_STATIONS_MAX || *end != '\0') {
        return kg_fail(diag, KG_E_INVALID, "Thứ tự phải là số từ 1 trở lên, không phải '%s'.", argument(&v, 2));
    }
    if (v.holding->item.class == CLASS_URGENT) {
        return kg_fail(diag, KG_E_DENIED, "Bản tin khẩn cấp luôn phát trước, không đổi thứ tự được.");
    }
    e = rank_anew(&v, position);
    if (e == KG_OK) {
        e = record(&v, "playing.reordered", v.holding->alert->id_text, argument(&v, 2));
    }
    return e != KG_OK ? e : control_say(reply, "Đã đổi thứ tự phát tại trạm %s.", v.post->station->id);
}

static kg_err verb_confirm(void *ctx, const control_call *call, control_reply *reply, kg_diag *diag)
{
    verb v = {.s = ctx, .call = call, .reply = reply, .diag = diag};
    kg_err e = need_holding(&v);
    if (e != KG_OK) {
        return e;
    }
    /* STATION ALERT [NOTE] says that it was done; STATION ALERT not-done NOTE that it was not. */
    const bool done = strcmp(argument(&v, 2), "not-done") != 0;
    const char *what = argument(&v, done ? 2 : 3);
    if (v.post->driver->confirm == NULL || v.holding->item.state != PLAYER_PLAYING) {
        return kg_fail(diag, KG_E_INVALID, "Trạm '%s' không chờ xác nhận cho bản tin này.", v.post->station->id);
    }
    char id[ALERT_ID_TEXT];
    memcpy(id, v.holding->alert->id_text, sizeof id); /* the holding may end with the confirmation */
    e = v.post->driver->confirm(v.post->self, &v.holding->job, done, call->who, what, diag);
    if (e == KG_OK) {
        e = record(&v, done ? "playing.confirmed" : "playing.denied", id, what);
    }
    if (e != KG_OK) {
        return e;
    }
    return control_say(reply,
                       done ? "Đã ghi nhận xác nhận của %s cho trạm %s."
                            : "Đã ghi nhận %s báo không thực hiện được tại trạm %s.",
                       call->who, v.post->station->id);
}

static kg_err verb_self_test(void *ctx, const control_call *call, control_reply *reply, kg_diag *diag)
{
    verb v = {.s = ctx, .call = call, .reply = reply, .diag = diag};
    kg_err e = need_post(&v);
    if (e != KG_OK) {
        return e;
    }
    if (v.post->driver->test == NULL) {
        return kg_fail(diag, KG_E_INVALID, "Trạm '%s' không có chức năng tự kiểm tra.", v.post->station->id);
    }
    e = v.post->driver->test(v.post->self, v.post->station, diag);
    if (e == KG_OK) {
        e = record(&v, "station.self_test", v.post->station->id, "");
    }
    return e != KG_OK
               ? e
               : control_say(reply, "Trạm %s đang tự kiểm tra; xem kết quả bằng lệnh list.", v.post->station->id);
}

static kg_err verb_stop(void *ctx, const control_call *call, control_reply *reply, kg_diag *diag)
{
    verb v = {.s = ctx, .call = call, .reply = reply, .diag = diag};
    kg_err e = need_holding(&v);
    if (e != KG_OK) {
        return e;
    }
    if (argument(&v, 2)[0] == '\0') {
        return kg_fail(diag, KG_E_INVALID, "Cần nêu lý do dừng bản tin.");
    }
    char key[KEY_MAX];
    holding_key(v.holding, "stop", key);
    rows_note(v.s, key, argument(&v, 2));
    v.holding->item.stopped = true;
    board_touch(v.s, v.post);
    e = record(&v, "playing.stopped", v.holding->alert->id_text, argument(&v, 2));
    return e != KG_OK ? e
                      : control_say(reply, "Đã dừng bản tin tại trạm %s, kể cả các lần nhắc lại.", v.post->station->id);
}

static kg_err verb_audit(void *ctx, const control_call *call, control_reply *reply, kg_diag *diag)
{
    const sink *s = ctx;
    auditpage page;
    kg_err e = auditpage_open(call, reply, &page, diag);
    if (e == KG_OK) {
        e = auditpage_close(ledger_audits(s->ledger, page.from - 1, auditpage_row, &page, diag));
    }
    return e;
}

const control_verb station_verbs[] = {
    {"list", verb_list},           {"show", verb_show},     {"status", verb_status},   {"mute", verb_mute},
    {"unmute", verb_unmute},       {"accept", verb_accept}, {"reorder", verb_reorder}, {"confirm", verb_confirm},
    {"self-test", verb_self_test}, {"stop", verb_stop},     {"audit", verb_audit},
};
const size_t station_verb_count = sizeof station_verbs / sizeof station_verbs[0];

/* ---- after a restart ---- */

static bool note(sink *s, const char *key, kg_buf *value)
{
    kg_diag diag = {{0}};
    kg_buf_clear(value);
    const kg_err e = ledger_note_get(s->ledger, key, value, &diag);
    if (e != KG_OK && e != KG_E_NOTFOUND) {
        sink_break(s, e, &diag);
    }
    return e == KG_OK && value->len > 0;
}

void verbs_remember(sink *s, holding *h)
{
    char key[KEY_MAX];
    kg_buf value = {.max = 4096};
    holding_key(h, "accept", key);
    h->item.accepted = note(s, key, &value);
    holding_key(h, "stop", key);
    h->item.stopped = note(s, key, &value);
    holding_key(h, "rank", key);
    if (note(s, key, &value)) {
        h->item.rank = strtoll(kg_buf_str(&value), NULL, 10);
    }
    kg_buf_done(&value);
}

void verbs_remember_mutes(sink *s)
{
    kg_buf value = {.max = 4096};
    for (size_t i = 0; i < s->post_count; i++) {
        post *p = &s->posts[i];
        char key[KEY_MAX];
        mute_key(p, key);
        p->muted = note(s, key, &value);
        sink_keep_text(p->mute_reason, sizeof p->mute_reason, p->muted ? kg_buf_str(&value) : "");
    }
    kg_buf_done(&value);
}

/* ---- what drivers report of their devices ---- */

void sink_tested(sink *s, const sink_station *at, bool good, const char *detail)
{
    post *p = board_post(s, at->id);
    if (p == NULL) {
        return;
    }
    p->device.tested_ms = sink_now_ms(s);
    p->device.tested_good = good;
    (void)snprintf(p->device.test_detail, sizeof p->device.test_detail, "%s: %s", good ? "good" : "bad", detail);
    rows_audit(s, &(sink_act){"sink", "station.tested", at->id, p->device.test_detail});
}

void sink_device(sink *s, const sink_station *at, bool on, int volume, const char *fault)
{
    post *p = board_post(s, at->id);
    if (p == NULL) {
        return;
    }
    p->device.known = true;
    p->device.on = on;
    p->device.volume = volume;
    p->device.heard_ms = sink_now_ms(s);
    sink_keep_text(p->device.fault, sizeof p->device.fault, fault);
}
