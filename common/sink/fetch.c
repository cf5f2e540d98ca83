/* fetch - what is too large for a frame, asked for by its hash, piece by piece: large alerts, and the audio they
 * carry. Audio is kept in the state folder, so that a repeat needs no router. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "sink/engine.h"

enum { ASK_AGAIN_MS = 3000, PARKED_MAX = 16 * 1024 };

struct sink_parked { /* an order whose alert is on its way */
    sink_parked *next;
    alert_hash hash;
    size_t router;
    lane lane;
    size_t len;
    unsigned char frame[];
};

typedef void (*fetched_fn)(void *ctx, kg_err e, const void *bytes, size_t n);

struct sink_fetching {
    sink_fetching *next;
    alert_hash hash;
    uint64_t total, offset;
    size_t router;
    lane lane;
    int64_t asked_ms;
    fetched_fn done; /* NULL: an alert, for the parked orders */
    void *ctx;
    bool opened, at_hand; /* at_hand: in the state folder already */
};

static bool same_hash(const alert_hash *a, const alert_hash *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

static void clip_path(const sink *s, const alert_hash *hash, char *out, size_t cap)
{
    char hex[2 * ALERT_HASH_BYTES + 1];
    kg_hex(hash->b, sizeof hash->b, hex);
    (void)snprintf(out, cap, "%s/clips/%s", s->config->state, hex);
}

static void ask(sink *s, sink_fetching *f)
{
    f->asked_ms = sink_now_ms(s);
    if (!f->opened) {
        f->opened = pieces_open(s->pieces, &f->hash, f->total, &f->offset) == KG_OK;
    }
    if (!f->opened || !s->links[f->router][f->lane].up) {
        return; /* too many under way, or nobody to ask: later */
    }
    wire_msg m = {.kind = WIRE_WANT};
    m.u.want.hash = f->hash;
    m.u.want.offset = f->offset;
    kg_ignore(link_send(s, f->router, f->lane, &m)); /* asked again in a while */
}

static sink_fetching *fetching_new(sink *s, const alert_hash *hash, uint64_t total)
{
    sink_fetching *f = calloc(1, sizeof *f);
    if (f == NULL) {
        return NULL;
    }
    f->hash = *hash;
    f->total = total;
    f->next = s->fetching;
    s->fetching = f;
    return f;
}

static void fetching_end(sink *s, sink_fetching *f)
{
    for (sink_fetching **at = &s->fetching; *at != NULL; at = &(*at)->next) {
        if (*at == f) {
            *at = f->next;
            break;
        }
    }
    free(f);
}

bool fetch_alert(sink *s, const sink_from *from, const wire_msg *order)
{
    const uint64_t total = order->u.order.total_bytes;
    if (total == 0 || total > SIGNED_BYTES_MAX || s->parked_count >= PARKED_MAX) {
        return false;
    }
    sink_parked *p = malloc(sizeof *p + from->frame_len); /* a frame is at most WIRE_FRAME_MAX */
    if (p == NULL) {
        return false;
    }
    *p = (sink_parked){s->parked, order->u.order.hash, from->router, from->lane, from->frame_len};
    memcpy(p->frame, from->frame, from->frame_len);
    s->parked = p;
    s->parked_count++;
    for (sink_fetching *f = s->fetching; f != NULL; f = f->next) {
        if (f->done == NULL && same_hash(&f->hash, &p->hash)) {
            return true;
        }
    }
    sink_fetching *f = fetching_new(s, &p->hash, total);
    if (f != NULL) {
        f->router = from->router;
        f->lane = from->lane;
        ask(s, f);
    }
    return f != NULL;
}

/* The orders that waited for these bytes are taken as if they had carried them. No bytes: they are let go; the router
 * offers them again on its next connection. */
static void unpark(sink *s, const alert_hash *hash, const wire_bytes *bytes)
{
    for (sink_parked **at = &s->parked; *at != NULL;) {
        sink_parked *p = *at;
        if (!same_hash(&p->hash, hash)) {
            at = &p->next;
            continue;
        }
        *at = p->next;
        s->parked_count--;
        wire_msg m;
        if (bytes != NULL && wire_read(p->frame, p->len, &m, NULL) == KG_OK) {
            m.u.order.signed_alert = *bytes;
            hold_order(s, &(sink_from){p->router, p->lane, p->frame, p->len}, &m);
            wire_done(&m);
        }
        free(p);
    }
}

static void complete(sink *s, sink_fetching *f, const wire_bytes *bytes)
{
    const alert_hash hash = f->hash;
    if (f->done == NULL) {
        unpark(s, &hash, bytes);
    } else {
        char path[1024];
        kg_diag diag = {{0}};
        clip_path(s, &hash, path, sizeof path);
        if (kg_file_replace(path, bytes->b, bytes->n, 0600, &diag) != KG_OK) {
            kg_log(KG_WARNING, "clip.not_kept", KG_TEXT("why", diag.text)); /* it can be played all the same */
        }
        f->done(f->ctx, KG_OK, bytes->b, bytes->n);
    }
    fetching_end(s, f);
    pieces_drop(s->pieces, &hash);
}

static void give_up(sink *s, sink_fetching *f, kg_err e)
{
    char hex[2 * ALERT_HASH_BYTES + 1];
    kg_hex(f->hash.b, sizeof f->hash.b, hex);
    kg_log(KG_WARNING, "fetch.failed", KG_TEXT("hash", hex), KG_TEXT("why", kg_err_name(e)));
    if (f->done != NULL) {
        f->done(f->ctx, e, NULL, 0);
    } else {
        unpark(s, &f->hash, NULL);
    }
    pieces_drop(s->pieces, &f->hash);
    fetching_end(s, f);
}

static sink_fetching *fetching_find(sink *s, const alert_hash *hash)
{
    for (sink_fetching *f = s->fetching; f != NULL; f = f->next) {
        if (f->opened && same_hash(&f->hash, hash)) {
            return f;
        }
    }
    return NULL;
}

void fetch_piece(sink *s, const sink_from *from, const wire_piece *p)
{
    sink_fetching *f = fetching_find(s, &p->hash);
    if (f == NULL || f->router != from->router) {
        return;
    }
    if (p->total == 0) {
        const size_t next = f->router + 1;
        if (f->done != NULL && next < s->config->router_count) {
            f->router = next; /* another router may have it */
            ask(s, f);
        } else {
            give_up(s, f, KG_E_NOTFOUND);
        }
        return;
    }
    pieces_state state = {.next_offset = f->offset};
    const kg_err e = pieces_put(s->pieces, p, &state);
    if (e != KG_OK) {
        give_up(s, f, e);
    } else if (state.done) {
        complete(s, f, &state.whole);
    } else {
        f->offset = state.next_offset;
        ask(s, f);
    }
}

kg_err sink_fetch(sink *s, const alert_hash *hash, uint64_t total, fetched_fn done, void *ctx, kg_diag *diag)
{
    if (total == 0 || total > PIECE_TOTAL_MAX) {
        return kg_fail(diag, KG_E_LIMIT, "a recording of %llu bytes; it must have 1 to %d", (unsigned long long)total,
                       PIECE_TOTAL_MAX);
    }
    sink_fetching *f = fetching_new(s, hash, total);
    if (f == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory to fetch a recording");
    }
    char path[1024];
    clip_path(s, hash, path, sizeof path);
    f->done = done;
    f->ctx = ctx;
    f->lane = LANE_OTHER;
    kg_buf probe = {.max = PIECE_TOTAL_MAX};
    f->at_hand = kg_file_read(path, PIECE_TOTAL_MAX, &probe, NULL) == KG_OK;
    kg_buf_done(&probe);
    if (!f->at_hand) {
        ask(s, f);
    }
    s->edges.again(s->edges.ctx);
    return KG_OK;
}

/* The caller is told from the loop, never from within sink_fetch. A recording that was altered on disk is fetched
 * anew. */
static void from_folder(sink *s, sink_fetching *f)
{
    char path[1024];
    clip_path(s, &f->hash, path, sizeof path);
    kg_buf b = {.max = PIECE_TOTAL_MAX};
    f->at_hand = false;
    if (kg_file_read(path, PIECE_TOTAL_MAX, &b, NULL) == KG_OK) {
        const alert_hash is = alert_hash_of(b.s, b.len);
        if (same_hash(&is, &f->hash)) {
            f->done(f->ctx, KG_OK, b.s, b.len);
            fetching_end(s, f);
            kg_buf_done(&b);
            return;
        }
    }
    kg_buf_done(&b);
    ask(s, f);
}

int64_t fetch_turn(sink *s)
{
    const int64_t now_ms = sink_now_ms(s);
    for (sink_fetching *f = s->fetching, *next = NULL; f != NULL; f = next) {
        next = f->next;
        if (f->at_hand) {
            from_folder(s, f);
        } else if (now_ms - f->asked_ms >= ASK_AGAIN_MS) {
            ask(s, f);
        }
    }
    return s->fetching != NULL ? now_ms + ASK_AGAIN_MS : INT64_MAX;
}

void fetch_free(sink *s)
{
    while (s->fetching != NULL) {
        fetching_end(s, s->fetching);
    }
    while (s->parked != NULL) {
        sink_parked *p = s->parked;
        s->parked = p->next;
        free(p);
    }
    pieces_free(&s->pieces);
}
