#include "lifecycle/life.h"

#include <stdlib.h>
#include <string.h>

#include "lifecycle/life_index.h"

enum { SWEEP_MIN = 1024, SWEEP_MS = 3600 * 1000, EXPIRE_MAX = 4096 };

/* A clock entry; entries of alerts that ended otherwise are skipped when their time comes. */
typedef struct due {
    int64_t at_ms;
    alert_id id;
} due;

struct life {
    life_index index;
    due *heap; /* soonest first */
    size_t heap_count, heap_room;
    life_change *changes;
    size_t change_count, change_room;
    size_t swept_count; /* how many records were left by the last sweep */
    int64_t swept_ms;
};

const char *life_state_text(life_state s)
{
    static const char *const names[LIFE_STATE_COUNT] = {[LIFE_ALIVE] = "alive",
                                                        [LIFE_SUPERSEDED] = "superseded",
                                                        [LIFE_CANCELLED] = "cancelled",
                                                        [LIFE_EXPIRED] = "expired",
                                                        [LIFE_WITHDRAWN] = "withdrawn"};
    return s < LIFE_STATE_COUNT ? names[s] : "?";
}

kg_err life_new(life **out)
{
    life *l = calloc(1, sizeof *l);
    if (l == NULL) {
        return KG_E_NOMEM;
    }
    *out = l;
    return KG_OK;
}

void life_free(life **l)
{
    if (l != NULL && *l != NULL) {
        life_index_done(&(*l)->index);
        free((*l)->heap);
        free((*l)->changes);
        free(*l);
        *l = NULL;
    }
}

/* ---- clock ---- */

static kg_err heap_reserve(life *l)
{
    if (l->heap_count < l->heap_room) {
        return KG_OK;
    }
    const size_t room = l->heap_room != 0 ? 2 * l->heap_room : 256;
    due *heap = realloc(l->heap, room * sizeof *heap);
    if (heap == NULL) {
        return KG_E_NOMEM;
    }
    l->heap = heap;
    l->heap_room = room;
    return KG_OK;
}

static void heap_put(life *l, due d)
{
    size_t i = l->heap_count++;
    for (; i > 0 && l->heap[(i - 1) / 2].at_ms > d.at_ms; i = (i - 1) / 2) {
        l->heap[i] = l->heap[(i - 1) / 2];
    }
    l->heap[i] = d;
}

static due heap_take(life *l)
{
    const due first = l->heap[0], last = l->heap[--l->heap_count];
    size_t i = 0;
    for (size_t child = 1; child < l->heap_count; child = 2 * i + 1) {
        child += child + 1 < l->heap_count && l->heap[child + 1].at_ms < l->heap[child].at_ms ? 1 : 0;
        if (l->heap[child].at_ms >= last.at_ms) {
            break;
        }
        l->heap[i] = l->heap[child];
        i = child;
    }
    l->heap[i] = last;
    return first;
}

/* ---- who ends whom ---- */

static const char *named_sender(const life_ref *r)
{
    return r->sender[0] != '\0' ? r->sender : r->from->sender;
}

static bool is_exact(const life_ref *r, const life_node *m)
{
    return r->sent_s != 0 && r->sent_s == m->sent_s && strcmp(m->sender, named_sender(r)) == 0 &&
           strcmp(m->identifier, r->identifier) == 0;
}

/* Is a record of the name here, by its sender or another's, and one that is exactly what the reference names? */
typedef struct candidates {
    bool exact, own, others;
} candidates;

static candidates look_up(const life *l, const life_ref *r)
{
    candidates c = {0};
    for (const life_node *n = life_index_named(&l->index, r->identifier); n != NULL; n = n->next_name) {
        if (n != r->from && strcmp(n->identifier, r->identifier) == 0) {
            const bool own = strcmp(n->sender, named_sender(r)) == 0;
            c.own = c.own || own;
            c.others = c.others || !own;
        }
        c.exact = c.exact || is_exact(r, n); /* itself too: a reference to itself matches nothing else */
    }
    return c;
}

static bool matches(const life *l, const life_ref *r, const life_node *m)
{
    if (m == r->from || strcmp(m->identifier, r->identifier) != 0) {
        return false;
    }
    return look_up(l, r).exact ? is_exact(r, m) : strcmp(m->sender, named_sender(r)) == 0;
}

static bool ends_others(const life_node *n)
{
    return (n->type == CAP_UPDATE || n->type == CAP_CANCEL) && !n->withdrawn && (!n->foreign || n->forced);
}

/* Could m's own references point to its own second? */
static bool refers_sideways(const life_node *m)
{
    for (size_t i = 0; m->type != CAP_ALERT && i < m->ref_count; i++) {
        if (m->refs[i].sent_s == 0 || m->refs[i].sent_s >= m->sent_s) {
            return true;
        }
    }
    return false;
}

/* Only what was sent before can be ended, so no circle can end itself. Within one second, where times do not tell, a
 * message that itself refers within that second is left alone: better a warning too many than a circle of silence. */
static bool is_before(const life_node *m, const life_node *by)
{
    return m->sent_s < by->sent_s || (m->sent_s == by->sent_s && !refers_sideways(m));
}

static bool applies(const life *l, const life_ref *r, const life_node *m)
{
    const life_node *by = r->from;
    return ends_others(by) && by->status == m->status && is_before(m, by) &&
           (by->forced || strcmp(by->sender, m->sender) == 0) && matches(l, r, m);
}

static bool earlier_end(const life_node *a, const life_node *b)
{
    return a->sent_s != b->sent_s ? a->sent_s < b->sent_s : memcmp(a->id.b, b->id.b, sizeof a->id.b) < 0;
}

/* The Cancel that ended m, else the Update; of several the first sent. The same whatever came first. */
static const life_node *ended_by(const life *l, const life_node *m)
{
    const life_node *best = NULL;
    for (const life_ref *r = life_index_naming(&l->index, m->identifier); r != NULL; r = r->next) {
        if (strcmp(r->identifier, m->identifier) != 0 || !applies(l, r, m)) {
            continue;
        }
        const bool cancels = r->from->type == CAP_CANCEL, had = best != NULL && best->type == CAP_CANCEL;
        if (best == NULL || (cancels && !had) || (cancels == had && earlier_end(r->from, best))) {
            best = r->from;
        }
    }
    return best;
}

/* ---- states ---- */

static kg_err reserve_changes(life *l, size_t more)
{
    l->change_count = 0;
    if (more <= l->change_room) {
        return KG_OK;
    }
    life_change *changes = realloc(l->changes, more * sizeof *changes);
    if (changes == NULL) {
        return KG_E_NOMEM;
    }
    l->changes = changes;
    l->change_room = more;
    return KG_OK;
}

/* Sets the state m has by the set and the time. A change of life or death is reported; why a dead one is dead is not. */
static void settle(life *l, life_node *m, int64_t now_ms, bool report)
{
    const life_node *by = ended_by(l, m);
    const life_state old = m->state;
    const bool was_ended = old == LIFE_SUPERSEDED || old == LIFE_CANCELLED;
    if (by == NULL && was_ended && life_index_find(&l->index, m->by) == NULL) {
        return; /* its tombstone was forgotten in the meantime: dead stays dead */
    }
    m->by = by != NULL ? by->id : (alert_id){{0}};
    m->state = m->withdrawn              ? LIFE_WITHDRAWN
               : by != NULL              ? (by->type == CAP_CANCEL ? LIFE_CANCELLED : LIFE_SUPERSEDED)
               : m->expires_ms <= now_ms ? LIFE_EXPIRED
                                         : LIFE_ALIVE;
    if ((old == LIFE_ALIVE) == (m->state == LIFE_ALIVE)) {
        return;
    }
    m->ended_ms = m->state == LIFE_ALIVE ? 0 : now_ms;
    if (report) {
        l->changes[l->change_count++] = (life_change){m->id, m->state, m->by};
    }
}

/* How many records could be touched by n. */
static size_t neighbours(const life *l, const life_node *n)
{
    size_t count = 0;
    for (size_t i = 0; i <= n->ref_count; i++) {
        const char *name = i < n->ref_count ? n->refs[i].identifier : n->identifier;
        for (const life_node *m = life_index_named(&l->index, name); m != NULL; m = m->next_name) {
            count++;
        }
    }
    return count;
}

/* Settles all that bears n's name or a name it refers to. Settling twice reports once. */
static void settle_around(life *l, life_node *n, int64_t now_ms)
{
    for (size_t i = 0; i <= n->ref_count; i++) {
        const char *name = i < n->ref_count ? n->refs[i].identifier : n->identifier;
        for (life_node *m = life_index_named(&l->index, name); m != NULL; m = m->next_name) {
            if (strcmp(m->identifier, name) == 0) {
                settle(l, m, now_ms, m != n);
            }
        }
    }
}

static void describe(const life *l, const life_node *n, life_verdict *out)
{
    out->own = n->state;
    out->own_by = n->by;
    out->foreign = n->foreign && !n->forced;
    for (size_t i = 0; n->type != CAP_ALERT && i < n->ref_count; i++) {
        const life_ref *r = &n->refs[i];
        const candidates c = look_up(l, r);
        for (const life_node *m = life_index_named(&l->index, r->identifier); m != NULL; m = m->next_name) {
            const bool hit = matches(l, r, m);
            out->known = out->known || hit;
            out->status_clash = out->status_clash || (hit && m->status != n->status);
        }
        out->foreign = out->foreign || (!n->forced && r->sender[0] == '\0' && !c.own && c.others);
    }
}

/* Room for all that can follow, then the record itself: nothing fails after this. */
static kg_err take_in(life *l, const alert *a, life_node **out)
{
    life_node *n = life_node_make(a);
    if (n == NULL) {
        return KG_E_NOMEM;
    }
    kg_err e = reserve_changes(l, neighbours(l, n) + 1);
    e = e == KG_OK ? heap_reserve(l) : e;
    e = e == KG_OK ? life_index_put(&l->index, n) : e;
    if (e != KG_OK) {
        life_node_free(n);
        return e;
    }
    *out = n;
    return KG_OK;
}

kg_err life_add(life *l, const alert *a, int64_t now_ms, bool forced, life_verdict *out)
{
    *out = (life_verdict){0};
    life_node *n = life_index_find(&l->index, alert_own_id(a));
    out->duplicate = n != NULL;
    const kg_err e = n != NULL ? reserve_changes(l, neighbours(l, n) + 1) : take_in(l, a, &n);
    if (e != KG_OK) {
        return e;
    }
    n->forced = n->forced || forced;
    n->withdrawn = n->withdrawn && !forced;
    settle_around(l, n, now_ms);
    if (!out->duplicate && n->expires_ms != INT64_MAX && n->expires_ms > now_ms) {
        heap_put(l, (due){n->expires_ms, n->id});
    }
    describe(l, n, out);
    out->ends = (life_changes){l->changes, l->change_count};
    return KG_OK;
}

kg_err life_withdraw(life *l, alert_id id, int64_t now_ms, life_changes *out)
{
    life_node *n = life_index_find(&l->index, id);
    if (n == NULL) {
        return KG_E_NOTFOUND;
    }
    const kg_err e = reserve_changes(l, neighbours(l, n) + 1);
    if (e != KG_OK) {
        return e;
    }
    n->withdrawn = true;
    settle_around(l, n, now_ms);
    *out = (life_changes){l->changes, l->change_count};
    return KG_OK;
}

/* ---- time ---- */

static bool forgettable(const life_node *n, int64_t now_ms)
{
    if (n->state == LIFE_ALIVE) {
        return false;
    }
    const int64_t sent_ms = n->sent_s * 1000;
    const int64_t keep_ms = n->type == CAP_UPDATE || n->type == CAP_CANCEL ? LIFE_TOMBSTONE_MS : LIFE_KEEP_MS;
    const int64_t last = n->ended_ms > sent_ms ? n->ended_ms : sent_ms;
    const bool over = n->expires_ms == INT64_MAX || n->expires_ms <= now_ms;
    return over && last <= now_ms - keep_ms;
}

/* Forgets once an hour, or when the records have doubled. */
static void sweep(life *l, int64_t now_ms)
{
    const bool due_now = now_ms - l->swept_ms >= SWEEP_MS || l->index.count >= 2 * l->swept_count;
    if (due_now && l->index.count >= SWEEP_MIN) {
        life_index_sweep(&l->index, forgettable, now_ms);
        l->swept_count = l->index.count;
        l->swept_ms = now_ms;
    }
}

kg_err life_expire(life *l, int64_t now_ms, life_changes *out, int64_t *next_ms)
{
    const kg_err e = reserve_changes(l, EXPIRE_MAX);
    if (e != KG_OK) {
        return e;
    }
    while (l->heap_count > 0 && l->heap[0].at_ms <= now_ms && l->change_count < EXPIRE_MAX) {
        const due d = heap_take(l);
        life_node *n = life_index_find(&l->index, d.id);
        if (n != NULL) {
            settle(l, n, now_ms, true);
        }
    }
    sweep(l, now_ms);
    *out = (life_changes){l->changes, l->change_count};
    *next_ms = l->heap_count > 0 ? l->heap[0].at_ms : INT64_MAX;
    return KG_OK;
}

bool life_find(const life *l, alert_id id, life_state *state)
{
    const life_node *n = life_index_find(&l->index, id);
    if (n != NULL) {
        *state = n->state;
    }
    return n != NULL;
}

size_t life_count(const life *l)
{
    return l->index.count;
}
