/* What is said to sinks after the commit, and what they fetch. */
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "sinks_own.h"
#include "wire/pieces.h"

enum { RECALL_TARGETS = 256 };

typedef struct told {
    sink_link *link;
    book_alert *alert;
    uint32_t line;
} told;

static int told_order(const void *x, const void *y)
{
    const told *a = x;
    const told *b = y;
    if (a->link != b->link) {
        return a->link->number < b->link->number ? -1 : 1;
    }
    if (a->alert != b->alert) {
        return a->alert->position < b->alert->position ? -1 : 1;
    }
    return (a->line > b->line) - (a->line < b->line);
}

static void lease_recall(sinks *s, const told *t)
{
    const book_line *l = &t->alert->lines[t->line];
    if (l->state != DLV_PENDING && l->state != DLV_OFFERED) {
        return;
    }
    const lane on = core_lane(t->alert);
    const lease_item item = {.delivery = journal_number(t->alert->position, t->line),
                             .station = l->station,
                             .session = s->slots[l->station].session[on],
                             .recall = true};
    kg_ignore(lease_put(s->core->lease, on, &item, s->core->mono_ms)); /* without it the alert's end decides */
}

/* One Recall: an alert's stations of one connection. */
static void send_recall(sinks *s, const told *items, size_t count)
{
    wire_target targets[RECALL_TARGETS];
    memset(targets, 0, sizeof targets);
    for (size_t i = 0; i < count; i++) {
        const book_line *l = &items[i].alert->lines[items[i].line];
        targets[i].station = policy_station(s->core->policy, l->station)->id;
        targets[i].delivery = journal_number(items[i].alert->position, items[i].line);
    }
    const wire_msg m = {
        .kind = WIRE_RECALL,
        .u.recall = {
            .id = items[0].alert->id, .targets = targets, .target_count = count, .reason = items[0].alert->lifecycle}};
    KG_FAULT("router.before_recall");
    if (sinks_send(s, items[0].link, &m) == KG_OK) {
        KG_FAULT("router.after_recall");
        for (size_t i = 0; i < count; i++) {
            items[i].alert->lines[items[i].line].told = true;
            lease_recall(s, &items[i]);
        }
    } /* else the connection is gone: told at the next Hello */
}

void sinks_tell(sinks *s)
{
    core *c = s->core;
    told *list = c->tell.count == 0 ? NULL : calloc(c->tell.count, sizeof *list);
    if (list == NULL) {
        return; /* nothing to say, or no memory: the next turn tries again */
    }
    size_t n = 0;
    for (size_t i = 0; i < c->tell.count; i++) {
        book_alert *a = book_find(c->book, c->tell.items[i].position);
        const uint32_t line = c->tell.items[i].line;
        sink_link *link = a == NULL || a->lines[line].station == CORE_NO_STATION
                              ? NULL
                              : sinks_link(s, a->lines[line].station, core_lane(a));
        if (link != NULL) {
            list[n++] = (told){link, a, line};
        }
    }
    qsort(list, n, sizeof *list, told_order);
    for (size_t i = 0; i < n;) {
        size_t j = i + 1;
        while (j < n && j - i < RECALL_TARGETS && list[j].link == list[i].link && list[j].alert == list[i].alert) {
            j++;
        }
        send_recall(s, &list[i], j - i);
        i = j;
    }
    for (size_t i = 0; i < c->tell.count; i++) {
        core_settle(c, c->tell.items[i].position);
    }
    c->tell.count = 0;
    free(list);
}

static void send_kept(sinks *s, sink_link *l)
{
    const wire_msg m = {.kind = WIRE_RECEIPTS_KEPT, .u.receipts_kept.batch = l->kept_batch};
    KG_FAULT("router.before_kept");
    kg_ignore(sinks_send(s, l, &m)); /* lost: the sink says its receipts again */
    KG_FAULT("router.after_kept");
}

void sinks_after_commit(sinks *s, bool committed)
{
    for (size_t i = 0; i < s->arrived_count; i++) {
        sink_link *l = s->arrived[i].link;
        if (l != NULL && l->kept) {
            l->kept = false;
            if (committed) {
                send_kept(s, l);
            }
        }
        wire_done(&s->arrived[i].msg);
    }
    s->arrived_count = 0;
    if (committed) {
        sinks_tell(s);
    }
}

/* A whole that was asked for a moment ago is likely asked for again: reading it from the journal for every piece would
 * read a recording as often as it has pieces. */
static const kg_buf *blob_of(sinks *s, const alert_hash *hash)
{
    blob *oldest = &s->blobs[0];
    for (size_t i = 0; i < SINKS_BLOBS; i++) {
        blob *b = &s->blobs[i];
        if (b->bytes.len > 0 && memcmp(b->hash.b, hash->b, sizeof hash->b) == 0) {
            b->used = ++s->blob_clock;
            return &b->bytes;
        }
        oldest = b->used < oldest->used ? b : oldest;
    }
    kg_buf_done(&oldest->bytes);
    *oldest = (blob){.bytes.max = PIECE_TOTAL_MAX + 1};
    kg_diag diag = {0};
    if (journal_blob_get(s->core->journal, hash, &oldest->bytes, &diag) != KG_OK || oldest->bytes.len == 0) {
        return NULL; /* not here (yet): the sink is told so and falls back to text */
    }
    oldest->hash = *hash;
    oldest->used = ++s->blob_clock;
    return &oldest->bytes;
}

void sinks_piece(sinks *s, sink_link *l, const wire_msg *want)
{
    const alert_hash *hash = &want->u.want.hash;
    const kg_buf *whole = blob_of(s, hash);
    wire_msg m = {.kind = WIRE_PIECE};
    if (whole != NULL) {
        const wire_bytes all = {(const uint8_t *)whole->s, whole->len};
        m.u.piece = pieces_cut(hash, &all, want->u.want.offset);
    } else {
        m.u.piece.hash = *hash;
    }
    kg_ignore(sinks_send(s, l, &m)); /* lost: it asks again */
}
