/* board - what a sink has in memory: its stations, the alerts that matter now, and what each station holds. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sink/engine.h"

kg_err board_open(sink *s, kg_diag *diag)
{
    s->posts = calloc(s->config->station_count, sizeof *s->posts);
    if (s->posts == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for %zu stations", s->config->station_count);
    }
    s->post_count = s->config->station_count;
    for (size_t i = 0; i < s->post_count; i++) {
        const sink_station_config *c = &s->config->stations[i]; /* sorted by id */
        s->posts[i].station = &c->station;
        s->posts[i].driver = s->drivers[c->driver];
        s->posts[i].self = s->driver_self[c->driver];
        s->posts[i].wake_ms = INT64_MAX;
    }
    return KG_OK;
}

static int by_id(const void *key, const void *item)
{
    return strcmp(key, ((const post *)item)->station->id);
}

post *board_post(const sink *s, const char *id)
{
    return s->post_count == 0 ? NULL : bsearch(id, s->posts, s->post_count, sizeof *s->posts, by_id);
}

void board_touch(sink *s, post *p)
{
    if (!p->dirty) {
        p->dirty = true;
        p->next_dirty = s->dirty;
        s->dirty = p;
    }
}

static size_t bucket(alert_id id)
{
    return ((size_t)id.b[0] | (size_t)id.b[1] << 8) % ALERT_BUCKETS;
}

held_alert *board_alert(const sink *s, alert_id id)
{
    for (held_alert *a = s->alerts[bucket(id)]; a != NULL; a = a->next) {
        if (alert_id_same(a->id, id)) {
            return a;
        }
    }
    return NULL;
}

lane board_lane(const held_alert *a)
{
    return a->content.bulletin_class == CLASS_URGENT ? LANE_URGENT : LANE_OTHER;
}

static void alert_free(held_alert *a)
{
    area_set_done(&a->places);
    alert_done(&a->content);
    kg_buf_done(&a->signed_bytes);
    free(a);
}

/* Only when every area is given by codes: of a polygon a sink cannot tell the communes. */
static bool know_places(const sink *s, held_alert *a)
{
    for (size_t i = 0; i < a->content.infos.count; i++) {
        const alert_info *info = &a->content.infos.items[i];
        for (size_t k = 0; k < info->areas.count; k++) {
            if (info->areas.items[k].polygons.count + info->areas.items[k].circles.count > 0) {
                return false;
            }
        }
    }
    return areas_resolve(s->areas, &a->content, &a->places, NULL) == KG_OK && !a->places.unusable;
}

kg_err board_alert_add(sink *s, alert *content, const key_entry *signer, const wire_bytes *bytes, held_alert **out)
{
    held_alert *a = calloc(1, sizeof *a);
    if (a == NULL) {
        return KG_E_NOMEM;
    }
    a->signed_bytes.max = SIGNED_BYTES_MAX;
    const kg_err e = kg_buf_put(&a->signed_bytes, bytes->b, bytes->n);
    if (e != KG_OK) {
        free(a);
        return e;
    }
    a->id = alert_own_id(content);
    a->hash = alert_hash_of(bytes->b, bytes->n);
    alert_id_text(a->id, a->id_text);
    a->content = *content;
    memset(content, 0, sizeof *content);
    a->signer = signer;
    a->places_known = know_places(s, a);
    a->last_used = ++s->uses;
    a->next = s->alerts[bucket(a->id)];
    s->alerts[bucket(a->id)] = a;
    s->idle_alerts++;
    *out = a;
    return KG_OK;
}

holding *board_holding(const post *p, const held_alert *a)
{
    for (size_t i = p->count; i > 0; i--) {
        if (p->items[i - 1]->alert == a) {
            return p->items[i - 1];
        }
    }
    return NULL;
}

static kg_err room_for_one(post *p)
{
    if (p->count < p->cap) {
        return KG_OK;
    }
    const size_t cap = p->cap == 0 ? 8 : 2 * p->cap;
    holding **items = realloc(p->items, cap * sizeof(holding *)); /* cap is bounded by HOLDINGS_MAX */
    if (items == NULL) {
        return KG_E_NOMEM;
    }
    p->items = items;
    p->cap = cap;
    return KG_OK;
}

/* The ledger's copy has neither station nor delivery: the row knows both. */
static kg_err pack_target(holding *h, const wire_target *t)
{
    wire_target kept = *t;
    kept.station = "";
    kept.delivery = 0;
    kg_buf b = {.max = WIRE_FRAME_MAX};
    const kg_err e = wire_target_pack(&kept, &b);
    if (e != KG_OK) {
        kg_buf_done(&b);
        return e;
    }
    h->target = b.s; /* the buffer's memory becomes the holding's */
    h->target_len = b.len;
    return KG_OK;
}

static void plan_repeats(holding *h, const wire_target *t)
{
    h->repeat.after_count = t->repeat_after_count < POLICY_REPEATS_MAX ? t->repeat_after_count : POLICY_REPEATS_MAX;
    for (size_t i = 0; i < h->repeat.after_count; i++) {
        h->repeat.after_s[i] = t->repeat_after_s[i];
    }
    h->repeat.every_s = t->repeat_every_s;
    h->repeat.on_the_hour = t->repeat_on_the_hour;
}

kg_err board_hold(sink *s, post *p, held_alert *a, const wire_target *t, holding **out)
{
    kg_err e = room_for_one(p);
    if (e != KG_OK) {
        return e;
    }
    holding *h = calloc(1, sizeof *h);
    if (h == NULL) {
        return KG_E_NOMEM;
    }
    e = pack_target(h, t);
    if (e != KG_OK) {
        free(h);
        return e;
    }
    plan_repeats(h, t);
    const int64_t now_ms = sink_now_ms(s);
    h->alert = a;
    h->post = p;
    h->held_ms = now_ms;
    h->item = (player_item){.class = a->content.bulletin_class,
                            .mode = t->mode < MODE_COUNT ? (policy_mode)t->mode : MODE_NEXT,
                            .due_ms = now_ms,
                            .ends_ms = a->content.expires_ms,
                            .rank = now_ms,
                            .since_ms = now_ms};
    p->items[p->count++] = h;
    p->waiting[board_lane(a)]++;
    s->holdings++;
    s->idle_alerts -= a->users == 0;
    a->users++;
    a->last_used = ++s->uses;
    board_touch(s, p);
    *out = h;
    return KG_OK;
}

void board_played_once(holding *h)
{
    if (!h->played_once) {
        h->played_once = true;
        h->post->waiting[board_lane(h->alert)]--;
    }
}

static void holding_free(holding *h)
{
    kg_arena_done(&h->job_mem);
    free(h->target);
    free(h);
}

void board_release(sink *s, holding *h)
{
    post *p = h->post;
    board_played_once(h);
    size_t i = 0;
    while (p->items[i] != h) {
        i++;
        assert(i < p->count); /* a holding is always among its post's */
    }
    p->items[i] = p->items[--p->count];
    s->holdings--;
    h->alert->users--;
    s->idle_alerts += h->alert->users == 0;
    holding_free(h);
}

const player_item **board_view(sink *s, const post *p)
{
    if (p->count > s->view_cap || s->view == NULL) {
        const size_t cap = p->count + 64;
        const player_item **view = realloc(s->view, cap * sizeof(player_item *)); /* bounded as the post's items are */
        if (view == NULL) {
            sink_break(s, KG_E_NOMEM, NULL);
            return NULL;
        }
        s->view = view;
        s->view_cap = cap;
    }
    for (size_t i = 0; i < p->count; i++) {
        s->view[i] = &p->items[i]->item;
    }
    return s->view;
}

bool board_starting(sink *s, holding *h)
{
    if (s->starting_count == s->starting_cap) {
        const size_t cap = s->starting_cap == 0 ? 64 : 2 * s->starting_cap;
        holding **list = realloc(s->starting, cap * sizeof(holding *)); /* bounded by HOLDINGS_MAX */
        if (list == NULL) {
            sink_break(s, KG_E_NOMEM, NULL);
            return false;
        }
        s->starting = list;
        s->starting_cap = cap;
    }
    s->starting[s->starting_count++] = h;
    return true;
}

/* Alerts nobody waits for stay a while, because orders of one alert come station by station. Their rows are
 * committed when this is called. */
void board_forget_idle(sink *s)
{
    if (s->idle_alerts <= IDLE_ALERTS_CAP || rows_waiting(s)) {
        return;
    }
    const uint64_t keep_from = s->uses - IDLE_ALERTS_MAX;
    for (size_t b = 0; b < ALERT_BUCKETS; b++) {
        for (held_alert **at = &s->alerts[b]; *at != NULL;) {
            held_alert *a = *at;
            if (a->users > 0 || a->last_used > keep_from) {
                at = &a->next;
                continue;
            }
            *at = a->next;
            alert_free(a);
            s->idle_alerts--;
        }
    }
}

const char *holding_end_code(const holding *h)
{
    return h->end_code != NULL ? h->end_code : h->alert->end_code;
}

void board_free(sink *s)
{
    for (size_t i = 0; i < s->post_count; i++) {
        post *p = &s->posts[i];
        for (size_t k = 0; k < p->count; k++) {
            holding_free(p->items[k]);
        }
        free(p->items);
    }
    free(s->posts);
    free(s->view);
    free(s->starting);
    s->view = NULL;
    s->starting = NULL;
    s->posts = NULL;
    s->post_count = 0;
    for (size_t b = 0; b < ALERT_BUCKETS; b++) {
        while (s->alerts[b] != NULL) {
            held_alert *a = s->alerts[b];
            s->alerts[b] = a->next;
            alert_free(a);
        }
    }
}
