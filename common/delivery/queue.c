#include "delivery/queue.h"

#include <assert.h>
#include <stdlib.h>

/*
 * Nodes live in chunks that never move; a free node's place links the free list. A line is one station on one lane: a
 * binary heap of node numbers. Each node knows its place in its heap and an open hash finds it by delivery number, so
 * that a recalled item is taken out of the middle without looking at the others.
 */
enum { CHUNK_BITS = 12, CHUNK = 1 << CHUNK_BITS, HASH_MIN = 1024 };
static const uint32_t NONE = UINT32_MAX;

typedef struct node {
    uint64_t delivery;
    uint32_t station;
    uint32_t order;
    uint32_t place; /* in its line's heap; of a free node: the next free one */
    uint16_t hit_rank;
    uint8_t class;
    uint8_t weight;
} node;

typedef struct line {
    uint32_t *heap;
    uint32_t count, cap;
    uint32_t ready_place; /* in the lane's ready heap, or NONE */
    uint64_t granted, taken;
} line;

typedef struct ready {
    uint32_t *stations; /* heap; room for all stations */
    uint32_t count;
} ready;

struct queue {
    node **chunks;
    uint32_t chunk_count, chunk_cap;
    uint32_t free_node;
    uint32_t *hash; /* node numbers, linear probing */
    uint32_t hash_cap;
    uint32_t total;
    size_t stations;
    line *lines; /* [station * LANE_COUNT + lane] */
    ready ready[LANE_COUNT];
    size_t heap_bytes;
};

static node *at(const queue *q, uint32_t n)
{
    return &q->chunks[n >> CHUNK_BITS][n & (CHUNK - 1)];
}

static line *line_of(const queue *q, uint32_t station, lane l)
{
    return &q->lines[(size_t)station * LANE_COUNT + l];
}

static lane lane_of(uint8_t class)
{
    return class >= QUEUE_CLASS_URGENT ? LANE_URGENT : LANE_OTHER;
}

/* Within a station: class, weight, age. Delivery numbers are unique, so the order is total. */
static bool node_before(const queue *q, uint32_t a, uint32_t b)
{
    const node *x = at(q, a);
    const node *y = at(q, b);
    if (x->class != y->class) {
        return x->class > y->class;
    }
    if (x->weight != y->weight) {
        return x->weight > y->weight;
    }
    return x->order != y->order ? x->order < y->order : x->delivery < y->delivery;
}

/* Between stations, by what each has first: class, worst-hit rank, then as above. */
static bool station_before(const queue *q, lane l, uint32_t a, uint32_t b)
{
    const uint32_t na = line_of(q, a, l)->heap[0];
    const uint32_t nb = line_of(q, b, l)->heap[0];
    const node *x = at(q, na);
    const node *y = at(q, nb);
    if (x->class != y->class) {
        return x->class > y->class;
    }
    return x->hit_rank != y->hit_rank ? x->hit_rank < y->hit_rank : node_before(q, na, nb);
}

/* ---- a line's heap ---- */

static void set_place(queue *q, line *s, uint32_t place, uint32_t n)
{
    s->heap[place] = n;
    at(q, n)->place = place;
}

static void line_up(queue *q, line *s, uint32_t place)
{
    const uint32_t n = s->heap[place];
    while (place > 0 && node_before(q, n, s->heap[(place - 1) / 2])) {
        set_place(q, s, place, s->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    set_place(q, s, place, n);
}

static void line_down(queue *q, line *s, uint32_t place)
{
    const uint32_t n = s->heap[place];
    for (uint32_t child = 2 * place + 1; child < s->count; child = 2 * place + 1) {
        if (child + 1 < s->count && node_before(q, s->heap[child + 1], s->heap[child])) {
            child++;
        }
        if (!node_before(q, s->heap[child], n)) {
            break;
        }
        set_place(q, s, place, s->heap[child]);
        place = child;
    }
    set_place(q, s, place, n);
}

static bool line_room(queue *q, line *s)
{
    if (s->count < s->cap) {
        return true;
    }
    const uint32_t cap = s->cap != 0 ? s->cap + s->cap / 2 : 4;
    uint32_t *heap = realloc(s->heap, cap * sizeof *heap);
    if (heap == NULL) {
        return false;
    }
    q->heap_bytes += (cap - s->cap) * sizeof *heap;
    s->heap = heap;
    s->cap = cap;
    return true;
}

/* ---- the heap of ready stations ---- */

static void set_ready(queue *q, lane l, uint32_t place, uint32_t station)
{
    q->ready[l].stations[place] = station;
    line_of(q, station, l)->ready_place = place;
}

static void ready_up(queue *q, lane l, uint32_t place)
{
    const ready *r = &q->ready[l];
    const uint32_t station = r->stations[place];
    while (place > 0 && station_before(q, l, station, r->stations[(place - 1) / 2])) {
        set_ready(q, l, place, r->stations[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    set_ready(q, l, place, station);
}

static void ready_down(queue *q, lane l, uint32_t place)
{
    const ready *r = &q->ready[l];
    const uint32_t station = r->stations[place];
    for (uint32_t child = 2 * place + 1; child < r->count; child = 2 * place + 1) {
        if (child + 1 < r->count && station_before(q, l, r->stations[child + 1], r->stations[child])) {
            child++;
        }
        if (!station_before(q, l, r->stations[child], station)) {
            break;
        }
        set_ready(q, l, place, r->stations[child]);
        place = child;
    }
    set_ready(q, l, place, station);
}

/* Takes the station out before its line changes: the heap compares by what each station has first. */
static void ready_leave(queue *q, uint32_t station, lane l)
{
    ready *r = &q->ready[l];
    const uint32_t place = line_of(q, station, l)->ready_place;
    if (place == NONE) {
        return;
    }
    line_of(q, station, l)->ready_place = NONE;
    r->count--;
    if (place < r->count) {
        set_ready(q, l, place, r->stations[r->count]);
        ready_up(q, l, place);
        ready_down(q, l, line_of(q, r->stations[place], l)->ready_place);
    }
}

static void ready_enter(queue *q, uint32_t station, lane l)
{
    const line *s = line_of(q, station, l);
    if (s->count == 0 || s->taken >= s->granted || s->ready_place != NONE) {
        return;
    }
    const uint32_t place = q->ready[l].count++;
    set_ready(q, l, place, station);
    ready_up(q, l, place);
}

/* ---- finding an item by its delivery number ---- */

static uint32_t hash_start(const queue *q, uint64_t delivery)
{
    uint64_t x = delivery * 0x9E3779B97F4A7C15U;
    x ^= x >> 32;
    return (uint32_t)x & (q->hash_cap - 1);
}

/* Where it is, or the empty slot where it would be. */
static uint32_t hash_slot(const queue *q, uint64_t delivery)
{
    uint32_t slot = hash_start(q, delivery);
    while (q->hash[slot] != NONE && at(q, q->hash[slot])->delivery != delivery) {
        slot = (slot + 1) & (q->hash_cap - 1);
    }
    return slot;
}

static uint32_t *hash_table(uint32_t cap)
{
    uint32_t *hash = malloc(cap * sizeof *hash);
    for (uint32_t i = 0; hash != NULL && i < cap; i++) {
        hash[i] = NONE;
    }
    return hash;
}

static bool hash_room(queue *q)
{
    if (q->total < q->hash_cap - q->hash_cap / 4) {
        return true;
    }
    uint32_t *old = q->hash;
    const uint32_t old_cap = q->hash_cap;
    uint32_t *hash = hash_table(2 * old_cap);
    if (hash == NULL) {
        return false;
    }
    q->hash = hash;
    q->hash_cap = 2 * old_cap;
    for (uint32_t i = 0; i < old_cap; i++) {
        if (old[i] != NONE) {
            hash[hash_slot(q, at(q, old[i])->delivery)] = old[i];
        }
    }
    free(old);
    return true;
}

/* Moves later ones of the same run back, so that no marker of what was is left. */
static void hash_remove(queue *q, uint32_t hole)
{
    const uint32_t mask = q->hash_cap - 1;
    for (uint32_t i = (hole + 1) & mask; q->hash[i] != NONE; i = (i + 1) & mask) {
        const uint32_t home = hash_start(q, at(q, q->hash[i])->delivery);
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            q->hash[hole] = q->hash[i];
            hole = i;
        }
    }
    q->hash[hole] = NONE;
}

/* ---- nodes ---- */

static bool node_room(queue *q)
{
    if (q->free_node != NONE) {
        return true;
    }
    if (q->chunk_count == q->chunk_cap) {
        const uint32_t cap = q->chunk_cap != 0 ? 2 * q->chunk_cap : 16;
        node **chunks = realloc(q->chunks, cap * sizeof(void *));
        if (chunks == NULL) {
            return false;
        }
        q->chunks = chunks;
        q->chunk_cap = cap;
    }
    node *chunk = malloc(CHUNK * sizeof *chunk);
    if (chunk == NULL) {
        return false;
    }
    const uint32_t first = q->chunk_count << CHUNK_BITS;
    q->chunks[q->chunk_count++] = chunk;
    for (uint32_t i = 0; i < CHUNK; i++) {
        chunk[i].place = i + 1 < CHUNK ? first + i + 1 : NONE;
    }
    q->free_node = first;
    return true;
}

static queue_item item_of(const node *n)
{
    return (queue_item){.delivery = n->delivery,
                        .station = n->station,
                        .class = n->class,
                        .weight = n->weight,
                        .hit_rank = n->hit_rank,
                        .order = n->order};
}

/* Out of its heap, the hash and use. The station must not be in the ready heap. */
static void take_out(queue *q, line *s, uint32_t slot)
{
    const uint32_t n = q->hash[slot];
    const uint32_t place = at(q, n)->place;
    hash_remove(q, slot);
    s->count--;
    if (place < s->count) {
        set_place(q, s, place, s->heap[s->count]);
        const uint32_t moved = s->heap[place];
        line_up(q, s, place);
        line_down(q, s, at(q, moved)->place);
    }
    at(q, n)->place = q->free_node;
    q->free_node = n;
    q->total--;
}

/* ---- the queue ---- */

kg_err queue_new(size_t stations, queue **out)
{
    queue *q = calloc(1, sizeof *q);
    if (q == NULL) {
        return KG_E_NOMEM;
    }
    q->free_node = NONE;
    q->hash_cap = HASH_MIN;
    q->hash = hash_table(HASH_MIN);
    const kg_err e = q->hash != NULL ? queue_grow(q, stations) : KG_E_NOMEM;
    if (e != KG_OK) {
        queue_free(&q);
        return e;
    }
    *out = q;
    return KG_OK;
}

void queue_free(queue **q)
{
    if (q == NULL || *q == NULL) {
        return;
    }
    for (size_t i = 0; i < (*q)->stations * LANE_COUNT; i++) {
        free((*q)->lines[i].heap);
    }
    for (uint32_t i = 0; i < (*q)->chunk_count; i++) {
        free((*q)->chunks[i]);
    }
    free((*q)->chunks);
    free((*q)->hash);
    free((*q)->lines);
    free((*q)->ready[LANE_OTHER].stations);
    free((*q)->ready[LANE_URGENT].stations);
    free(*q);
    *q = NULL;
}

kg_err queue_grow(queue *q, size_t stations)
{
    if (stations <= q->stations) {
        return KG_OK;
    }
    if (stations >= NONE / LANE_COUNT) {
        return KG_E_LIMIT;
    }
    line *lines = realloc(q->lines, stations * LANE_COUNT * sizeof *lines);
    if (lines == NULL) {
        return KG_E_NOMEM;
    }
    q->lines = lines;
    for (size_t l = 0; l < LANE_COUNT; l++) {
        uint32_t *r = realloc(q->ready[l].stations, stations * sizeof *r);
        if (r == NULL) {
            return KG_E_NOMEM;
        }
        q->ready[l].stations = r;
    }
    for (size_t i = q->stations * LANE_COUNT; i < stations * LANE_COUNT; i++) {
        lines[i] = (line){.ready_place = NONE};
    }
    q->stations = stations;
    return KG_OK;
}

kg_err queue_put(queue *q, const queue_item *item)
{
    if (item->station >= q->stations) {
        return KG_E_NOTFOUND;
    }
    if (q->total >= QUEUE_ITEMS_MAX) {
        return KG_E_FULL;
    }
    const lane l = lane_of(item->class);
    line *s = line_of(q, item->station, l);
    if (!hash_room(q) || !node_room(q) || !line_room(q, s)) {
        return KG_E_NOMEM;
    }
    const uint32_t slot = hash_slot(q, item->delivery);
    if (q->hash[slot] != NONE) {
        return KG_E_EXISTS;
    }
    ready_leave(q, item->station, l);
    const uint32_t n = q->free_node;
    q->free_node = at(q, n)->place;
    *at(q, n) = (node){.delivery = item->delivery,
                       .station = item->station,
                       .order = item->order,
                       .hit_rank = item->hit_rank,
                       .class = item->class,
                       .weight = item->weight};
    q->hash[slot] = n;
    q->total++;
    s->heap[s->count++] = n;
    line_up(q, s, s->count - 1);
    ready_enter(q, item->station, l);
    return KG_OK;
}

bool queue_remove(queue *q, uint32_t station, uint64_t delivery)
{
    const uint32_t slot = hash_slot(q, delivery);
    if (q->hash[slot] == NONE || at(q, q->hash[slot])->station != station) {
        return false;
    }
    const lane l = lane_of(at(q, q->hash[slot])->class);
    ready_leave(q, station, l);
    take_out(q, line_of(q, station, l), slot);
    ready_enter(q, station, l);
    return true;
}

void queue_credit(queue *q, uint32_t station, lane l, uint64_t granted_total)
{
    if (station >= q->stations) {
        return;
    }
    line *s = line_of(q, station, l);
    if (granted_total > s->granted) {
        s->granted = granted_total;
        ready_enter(q, station, l);
    }
}

void queue_reset(queue *q, uint32_t station, lane l)
{
    if (station < q->stations) {
        ready_leave(q, station, l);
        line_of(q, station, l)->granted = 0;
        line_of(q, station, l)->taken = 0;
    }
}

bool queue_next(queue *q, lane l, queue_item *out)
{
    if (q->ready[l].count == 0) {
        return false;
    }
    const uint32_t station = q->ready[l].stations[0];
    line *s = line_of(q, station, l);
    assert(s->count > 0 && s->taken < s->granted);
    *out = item_of(at(q, s->heap[0]));
    ready_leave(q, station, l);
    take_out(q, s, hash_slot(q, out->delivery));
    s->taken++;
    ready_enter(q, station, l);
    return true;
}

kg_err queue_put_back(queue *q, const queue_item *item)
{
    const kg_err e = queue_put(q, item);
    if (e == KG_OK) {
        line *s = line_of(q, item->station, lane_of(item->class));
        if (s->taken > 0) { /* not after a reset in between: that gave all credit up */
            s->taken--;
            ready_enter(q, item->station, lane_of(item->class));
        }
    }
    return e;
}

size_t queue_waiting(const queue *q, uint32_t station)
{
    return station < q->stations
               ? (size_t)line_of(q, station, LANE_OTHER)->count + line_of(q, station, LANE_URGENT)->count
               : 0;
}

size_t queue_total(const queue *q)
{
    return q->total;
}

size_t queue_bytes(const queue *q)
{
    return sizeof *q + q->stations * (LANE_COUNT * (sizeof(line) + sizeof(uint32_t))) + q->heap_bytes +
           q->hash_cap * sizeof(uint32_t) + q->chunk_cap * sizeof(node *) +
           (size_t)q->chunk_count * CHUNK * sizeof(node);
}
