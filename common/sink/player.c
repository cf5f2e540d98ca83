#include "sink/player.h"

typedef struct view {
    const player_rules *rules;
    const player_item *const *items;
    size_t count;
    int64_t now_ms;
    player_plan *plan;
} view;

static void step(view *v, player_do what, size_t item, player_why why)
{
    if (v->plan->count < PLAYER_STEPS_MAX) {
        v->plan->steps[v->plan->count++] = (player_step){what, item, why};
    }
}

static void wake(view *v, int64_t at_ms)
{
    if (at_ms > v->now_ms && at_ms < v->plan->wake_ms) {
        v->plan->wake_ms = at_ms;
    }
}

static bool sounding(const player_item *it)
{
    return it->state == PLAYER_STARTING || it->state == PLAYER_PLAYING || it->state == PLAYER_STOPPING;
}

static player_why over(const player_item *it, int64_t now_ms)
{
    if (it->stopped) {
        return PLAYER_WHY_OPERATOR;
    }
    if (it->ended) {
        return PLAYER_WHY_ENDED;
    }
    return it->ends_ms <= now_ms ? PLAYER_WHY_EXPIRED : PLAYER_WHY_NONE;
}

/* Class 2 asks nobody: no clerk, no programme, no quiet hours, no mute. */
static bool allowed(const view *v, const player_item *it)
{
    if (it->class == CLASS_URGENT) {
        return true;
    }
    if (v->rules->muted || (it->mode == MODE_OFFER && !it->accepted)) {
        return false;
    }
    if (it->class == CLASS_ROUTINE && hours_quiet(v->rules->hours, v->now_ms)) {
        return false;
    }
    return it->mode != MODE_SCHEDULE || it->accepted || hours_in_session(v->rules->hours, v->now_ms);
}

static bool may_play(view *v, const player_item *it)
{
    const int64_t from_ms = it->due_ms > it->not_before_ms ? it->due_ms : it->not_before_ms;
    if (from_ms > v->now_ms) {
        wake(v, from_ms);
        return false;
    }
    return allowed(v, it);
}

static bool before(const player_item *a, const player_item *b)
{
    if (a->class != b->class) {
        return a->class > b->class;
    }
    if ((a->playing == 0) != (b->playing == 0)) {
        return a->playing == 0;
    }
    return a->rank < b->rank;
}

static bool cuts(const player_item *next, const player_item *now)
{
    return next->class == CLASS_URGENT && now->class != CLASS_URGENT && next->mode != MODE_CRAWL &&
           next->mode != MODE_NEXT;
}

/* Ends what is over, and what a mute silences. True when the item is dealt with. */
static bool end_if_over(view *v, size_t i)
{
    const player_item *it = v->items[i];
    if (it->state == PLAYER_STOPPING || it->state == PLAYER_STARTING) {
        return true; /* STARTING becomes PLAYING within this turn, and is looked at again */
    }
    player_why why = over(it, v->now_ms);
    if (why == PLAYER_WHY_NONE && it->state == PLAYER_PLAYING && v->rules->muted && it->class != CLASS_URGENT) {
        why = PLAYER_WHY_MUTED;
    }
    if (why == PLAYER_WHY_NONE) {
        wake(v, it->ends_ms);
        return false;
    }
    step(v, it->state == PLAYER_WAITING ? PLAYER_DROP : PLAYER_STOP, i, why);
    return true;
}

static void decide_parallel(view *v)
{
    size_t running = 0;
    for (size_t i = 0; i < v->count; i++) {
        running += v->items[i]->state != PLAYER_WAITING && v->items[i]->class != CLASS_URGENT;
    }
    for (size_t i = 0; i < v->count; i++) {
        const player_item *it = v->items[i];
        if (end_if_over(v, i) || it->state == PLAYER_PLAYING || it->state == PLAYER_PREPARING || !may_play(v, it)) {
            continue;
        }
        if (it->state == PLAYER_READY) {
            step(v, PLAYER_START, i, PLAYER_WHY_NONE);
        } else if (it->class == CLASS_URGENT || running < PLAYER_PARALLEL_MAX) {
            running += it->class != CLASS_URGENT;
            step(v, PLAYER_PREPARE, i, PLAYER_WHY_NONE);
        }
    }
}

enum { NOBODY = -1 };

typedef struct choice {
    ptrdiff_t playing, ready, waiting, preparing; /* the first of each in order */
    size_t ahead;                                 /* how many are being prepared or are ready */
} choice;

static void keep_first(const view *v, ptrdiff_t *best, size_t i)
{
    if (*best == NOBODY || before(v->items[i], v->items[*best])) {
        *best = (ptrdiff_t)i;
    }
}

static choice choose(view *v)
{
    choice c = {NOBODY, NOBODY, NOBODY, NOBODY, 0};
    for (size_t i = 0; i < v->count; i++) {
        const player_item *it = v->items[i];
        if (sounding(it)) {
            c.playing = (ptrdiff_t)i;
        }
        if (end_if_over(v, i) || it->state == PLAYER_PLAYING) {
            continue;
        }
        c.ahead += it->state == PLAYER_PREPARING || it->state == PLAYER_READY;
        if (it->state == PLAYER_PREPARING) {
            keep_first(v, &c.preparing, i);
        } else if (may_play(v, it)) {
            keep_first(v, it->state == PLAYER_READY ? &c.ready : &c.waiting, i);
        }
    }
    return c;
}

/* A lower one is not begun while a higher one is nearly there, only to be cut; but a slow renderer must not
 * silence the station either. */
static bool should_wait(view *v, const choice *c)
{
    const bulletin_class ready = v->items[c->ready]->class;
    if (c->waiting != NOBODY && v->items[c->waiting]->class > ready) {
        return true; /* its preparation begins with this plan */
    }
    if (c->preparing == NOBODY || v->items[c->preparing]->class <= ready) {
        return false;
    }
    const int64_t until_ms = v->items[c->preparing]->since_ms + PLAYER_PATIENCE_MS;
    wake(v, until_ms);
    return until_ms > v->now_ms;
}

/* Two are kept prepared, so that one follows another without a pause; a better one is always prepared. */
static void prepare_ahead(view *v, const choice *c)
{
    if (c->waiting == NOBODY) {
        return;
    }
    const player_item *it = v->items[c->waiting];
    const bool better = (c->ready == NOBODY || before(it, v->items[c->ready])) &&
                        (c->preparing == NOBODY || before(it, v->items[c->preparing]));
    if (better || c->ahead < 2) {
        step(v, PLAYER_PREPARE, (size_t)c->waiting, PLAYER_WHY_NONE);
    }
}

static void decide_exclusive(view *v)
{
    const choice c = choose(v);
    prepare_ahead(v, &c);
    if (c.ready == NOBODY || should_wait(v, &c)) {
        return;
    }
    if (c.playing == NOBODY) {
        step(v, PLAYER_START, (size_t)c.ready, PLAYER_WHY_NONE);
        return;
    }
    const player_item *now = v->items[c.playing];
    if (now->state == PLAYER_PLAYING && over(now, v->now_ms) == PLAYER_WHY_NONE && cuts(v->items[c.ready], now)) {
        step(v, PLAYER_STOP, (size_t)c.playing, PLAYER_WHY_CUT);
    }
}

void player_decide(const player_rules *r, const player_item *const *items, size_t count, int64_t now_ms,
                   player_plan *out)
{
    out->count = 0;
    out->wake_ms = INT64_MAX;
    view v = {r, items, count, now_ms, out};
    if (r->exclusive) {
        decide_exclusive(&v);
    } else {
        decide_parallel(&v);
    }
    if (count > 0) {
        wake(&v, hours_next_change(r->hours, now_ms));
    }
}

player_next player_after(const player_item *item, dlv_state outcome, dlv_state *final)
{
    *final = outcome;
    const bool comes_back = item->why == PLAYER_WHY_CUT || item->why == PLAYER_WHY_MUTED;
    if (outcome == DLV_PARTIAL && comes_back) {
        return PLAYER_RESUME;
    }
    if (outcome != DLV_PENDING) {
        return PLAYER_FINAL;
    }
    if (item->why == PLAYER_WHY_NONE) {
        return PLAYER_RETRY;
    }
    if (comes_back) {
        return PLAYER_AGAIN;
    }
    *final = player_dropped(item, item->why);
    return PLAYER_FINAL;
}

dlv_state player_dropped(const player_item *item, player_why why)
{
    if (item->labelled) {
        return DLV_PARTIAL; /* part of it was heard, the rest never will be */
    }
    if (why == PLAYER_WHY_EXPIRED && item->attempts > 0) {
        return DLV_FAILED; /* tried to the end; the last reason is told */
    }
    if (item->playing > 0 && item->attempts == 0 && !item->started) {
        return DLV_PENDING;
    }
    return why == PLAYER_WHY_EXPIRED ? DLV_EXPIRED : DLV_CANCELLED;
}
