#include "router_intake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "follow.h"
#include "rate.h"
#include "wire/pieces.h"

enum { VERDICTS_A_RECEIPT = 32, TRIES_MAX = 4, RATE_TOLD_MS = 60 * 1000 };

typedef struct publisher {
    bus_peer peer;
    public_key key;
    char who[64];
    unsigned fetching;
} publisher;

typedef struct key_rate {
    public_key key;
    rate rate;
    int64_t told_ms; /* monotonic; when its excess was last written down */
} key_rate;

typedef struct fetch {
    alert_hash hash;
    uint64_t total, offset;
    bus_peer peer;
    bool blob;
    int64_t asked_ms; /* monotonic */
    unsigned tries;
} fetch;

struct router_intake {
    core *core;
    bus_server *server;
    follow *follow;
    pieces *pieces;
    publisher *peers;
    size_t peer_count, peer_cap;
    key_rate *rates;
    size_t rate_count, rate_cap;
    fetch fetches[PIECES_OPEN];
    size_t fetch_count;
    intake_item *items;
    size_t count;
    bool closed;
};

/* ---- peers ---- */

static publisher *find_peer(const router_intake *in, bus_peer peer)
{
    for (size_t i = 0; i < in->peer_count; i++) {
        if (in->peers[i].peer == peer) {
            return &in->peers[i];
        }
    }
    return NULL;
}

static publisher *meet(router_intake *in, bus_peer peer, const public_key *key)
{
    publisher *p = find_peer(in, peer);
    if (p != NULL) {
        return p;
    }
    if (in->peer_count == in->peer_cap) {
        const size_t cap = in->peer_cap == 0 ? 16 : 2 * in->peer_cap;
        publisher *more = realloc(in->peers, cap * sizeof *more);
        if (more == NULL) {
            return NULL;
        }
        in->peers = more;
        in->peer_cap = cap;
    }
    p = &in->peers[in->peer_count++];
    *p = (publisher){.peer = peer, .key = *key};
    const key_entry *e = manifest_connector(in->core->manifest, key);
    (void)snprintf(p->who, sizeof p->who, "%s", e != NULL ? e->holder : "unknown");
    return p;
}

static bool admit(void *ctx, const public_key *key)
{
    const router_intake *in = ctx;
    const key_entry *e = manifest_connector(in->core->manifest, key);
    return !in->closed && key_entry_valid(e, in->core->now_ms) && e->role == ROLE_PUBLISHER;
}

static key_rate *rate_of(router_intake *in, const public_key *key)
{
    for (size_t i = 0; i < in->rate_count; i++) {
        if (public_same(&in->rates[i].key, key)) {
            return &in->rates[i];
        }
    }
    if (in->rate_count == in->rate_cap) {
        const size_t cap = in->rate_cap == 0 ? 16 : 2 * in->rate_cap;
        key_rate *more = realloc(in->rates, cap * sizeof *more);
        if (more == NULL) {
            return NULL;
        }
        in->rates = more;
        in->rate_cap = cap;
    }
    key_rate *r = &in->rates[in->rate_count++];
    *r = (key_rate){.key = *key};
    return r;
}

/* ---- sending ---- */

static void send_to(router_intake *in, bus_peer peer, const wire_msg *m)
{
    kg_buf out = {0};
    if (wire_write(m, &out) == KG_OK) {
        kg_ignore(bus_send(in->server, peer, out.s, out.len)); /* lost: the publisher submits again */
    }
    kg_buf_done(&out);
}

static void refuse_message(router_intake *in, bus_peer peer, const char *who, refusal r, const char *why)
{
    kg_diag sentence;
    kg_diag_set(&sentence, "%s (%s)", refusal_vi(r), why);
    const wire_msg m = {.kind = WIRE_REFUSED, .u.refused = {refusal_code(r), sentence.text}};
    send_to(in, peer, &m);
    core_audit(in->core, who, "message.refused", "-", "code=%s %s", refusal_code(r), why);
}

/* ---- items ---- */

static intake_item *new_item(router_intake *in, const publisher *p)
{
    if (in->count == INTAKE_ITEMS_MAX) {
        return NULL;
    }
    intake_item *it = &in->items[in->count++];
    *it = (intake_item){.peer = p->peer};
    (void)snprintf(it->who, sizeof it->who, "%s", p->who);
    return it;
}

/* An item that needs no turn: it is answered as it came. */
static void answer_at_once(router_intake *in, const publisher *p, const alert_hash *hash, refusal r, const char *why)
{
    intake_item *it = new_item(in, p);
    if (it == NULL) {
        return; /* silence is "try again" too */
    }
    accept_result *a = &it->result;
    const bool later = r == REFUSAL_RATE || r == REFUSAL_TRY_LATER;
    a->verdict = (wire_verdict){.hash = *hash,
                                .outcome = later ? WIRE_TRY_LATER : WIRE_REFUSED_FOR_GOOD,
                                .code = refusal_code(r),
                                .sentence = a->sentence.text};
    kg_ignore(kg_fail(&a->sentence, KG_E_DENIED, "%s (%s)", refusal_vi(r), why)); /* only the text is wanted */
    if (!later) {
        core_audit(in->core, p->who, "alert.refused", "-", "code=%s %s", refusal_code(r), why);
        in->core->counts[COUNT_REFUSED]++;
    }
    kg_log(KG_WARNING, later ? "alert.later" : "alert.refused", KG_TEXT("by", p->who), KG_TEXT("code", refusal_code(r)),
           KG_TEXT("why", why));
}

/* ---- pieces ---- */

static void ask_piece(router_intake *in, fetch *f)
{
    const wire_msg m = {.kind = WIRE_WANT, .u.want = {.hash = f->hash, .offset = f->offset}};
    f->asked_ms = in->core->mono_ms;
    send_to(in, f->peer, &m);
}

static void drop_fetch(router_intake *in, fetch *f)
{
    publisher *p = find_peer(in, f->peer);
    if (p != NULL && p->fetching > 0) {
        p->fetching--;
    }
    pieces_drop(in->pieces, &f->hash);
    *f = in->fetches[--in->fetch_count];
}

static fetch *find_fetch(router_intake *in, const alert_hash *hash)
{
    for (size_t i = 0; i < in->fetch_count; i++) {
        if (memcmp(in->fetches[i].hash.b, hash->b, sizeof hash->b) == 0) {
            return &in->fetches[i];
        }
    }
    return NULL;
}

/* KG_OK: it is on its way (or was already). */
static kg_err start_fetch(router_intake *in, publisher *p, const alert_hash *hash, uint64_t total, bool blob)
{
    fetch *known = find_fetch(in, hash);
    if (known != NULL) {
        known->peer = p->peer; /* it connected anew, perhaps */
        ask_piece(in, known);
        return KG_OK;
    }
    if (p->fetching >= INTAKE_PIECES_A_PEER || in->fetch_count == PIECES_OPEN) {
        return KG_E_AGAIN;
    }
    fetch f = {.hash = *hash, .total = total, .peer = p->peer, .blob = blob};
    const kg_err e = pieces_open(in->pieces, hash, total, &f.offset);
    if (e == KG_OK) {
        p->fetching++;
        in->fetches[in->fetch_count] = f;
        ask_piece(in, &in->fetches[in->fetch_count++]);
    }
    return e;
}

static void take_piece(router_intake *in, publisher *p, const wire_piece *piece)
{
    fetch *f = find_fetch(in, &piece->hash);
    if (f == NULL || f->peer != p->peer) {
        return; /* nobody asked */
    }
    pieces_state st = {0};
    const kg_err e = pieces_put(in->pieces, piece, &st);
    if (e != KG_OK) {
        const alert_hash hash = f->hash;
        const bool blob = f->blob;
        drop_fetch(in, f);
        if (!blob) {
            answer_at_once(in, p, &hash, kg_err_class(e) == KG_TEMP ? REFUSAL_TRY_LATER : REFUSAL_BAD_FORM,
                           "its pieces do not make up what was announced");
        }
        return;
    }
    f->tries = 0;
    if (!st.done) {
        f->offset = st.next_offset;
        ask_piece(in, f);
        return;
    }
    intake_item *it = new_item(in, p);
    if (it != NULL && kg_buf_put(&it->bytes, st.whole.b, st.whole.n) == KG_OK) {
        it->blob = f->blob;
        it->hash = f->hash;
    } else if (it != NULL) {
        in->count--; /* no memory: it is submitted again */
    }
    drop_fetch(in, f);
}

/* ---- messages ---- */

static bool in_pace(router_intake *in, publisher *p, const alert_hash *hash)
{
    const router_config *config = in->core->config;
    key_rate *r = rate_of(in, &p->key);
    if (r != NULL && rate_take(&r->rate, config->rate_per_minute, config->rate_burst, in->core->mono_ms)) {
        return true;
    }
    if (r != NULL && in->core->mono_ms - r->told_ms > RATE_TOLD_MS) {
        r->told_ms = in->core->mono_ms;
        core_audit(in->core, p->who, "alert.rate", "-", "more than %u a minute", config->rate_per_minute);
    }
    answer_at_once(in, p, hash, REFUSAL_RATE, "too many submissions from this key");
    return false;
}

static void take_submit(router_intake *in, publisher *p, const wire_msg *m)
{
    const wire_bytes *b = &m->u.submit.signed_alert;
    if (!in_pace(in, p, &m->u.submit.hash)) {
        return;
    }
    if (m->u.submit.total_bytes > SIGNED_BYTES_MAX) {
        answer_at_once(in, p, &m->u.submit.hash, REFUSAL_TOO_LARGE, "larger than an alert may be");
        return;
    }
    if (b->n == 0) {
        const kg_err e = start_fetch(in, p, &m->u.submit.hash, m->u.submit.total_bytes, false);
        if (e != KG_OK) {
            answer_at_once(in, p, &m->u.submit.hash,
                           kg_err_class(e) == KG_PERM && e != KG_E_LIMIT ? REFUSAL_BAD_FORM : REFUSAL_TRY_LATER,
                           "it cannot be fetched in pieces now");
        }
        return;
    }
    const alert_hash hash = alert_hash_of(b->b, b->n);
    if (memcmp(hash.b, m->u.submit.hash.b, sizeof hash.b) != 0) {
        answer_at_once(in, p, &m->u.submit.hash, REFUSAL_BAD_FORM, "the bytes do not have the hash they came with");
        return;
    }
    intake_item *it = new_item(in, p);
    if (it != NULL && kg_buf_put(&it->bytes, b->b, b->n) != KG_OK) {
        in->count--;
    }
}

static void on_message(void *ctx, bus_peer peer, const public_key *key, const void *bytes, size_t n)
{
    router_intake *in = ctx;
    publisher *p = meet(in, peer, key);
    wire_msg m;
    kg_diag diag = {0};
    const kg_err e = wire_read(bytes, n, &m, &diag);
    if (e != KG_OK || p == NULL) {
        refuse_message(in, peer, p != NULL ? p->who : "unknown",
                       e == KG_E_DENIED ? REFUSAL_BAD_VERSION : REFUSAL_BAD_FORM, diag.text);
        if (e == KG_OK) {
            wire_done(&m);
        }
        return;
    }
    switch ((unsigned)m.kind) {
    case WIRE_SUBMIT:
        take_submit(in, p, &m);
        break;
    case WIRE_FOLLOW:
        if (m.u.follow.stop) {
            follow_stop(in->follow, peer, m.u.follow.id);
        } else {
            follow_start(in->follow, peer, m.u.follow.id);
        }
        break;
    case WIRE_PIECE:
        take_piece(in, p, &m.u.piece);
        break;
    case WIRE_BEAT:
        send_to(in, peer, &m);
        break;
    default:
        refuse_message(in, peer, p->who, REFUSAL_NOT_ALLOWED, "a publisher submits and follows, no more");
        break;
    }
    wire_done(&m);
}

static void on_gone(void *ctx, bus_peer peer)
{
    router_intake *in = ctx;
    for (size_t i = in->fetch_count; i-- > 0;) {
        if (in->fetches[i].peer == peer) {
            drop_fetch(in, &in->fetches[i]);
        }
    }
    follow_gone(in->follow, peer);
    publisher *p = find_peer(in, peer);
    if (p != NULL) {
        *p = in->peers[--in->peer_count];
    }
}

/* ---- life ---- */

kg_err router_intake_new(core *c, router_intake **out)
{
    router_intake *in = calloc(1, sizeof *in);
    if (in == NULL) {
        return KG_E_NOMEM;
    }
    in->core = c;
    in->items = calloc(INTAKE_ITEMS_MAX, sizeof *in->items);
    if (in->items == NULL || pieces_new(&in->pieces) != KG_OK || follow_new(c, &in->follow) != KG_OK) {
        router_intake_free(&in);
        return KG_E_NOMEM;
    }
    *out = in;
    return KG_OK;
}

kg_err router_intake_listen(router_intake *in, bus *b, const char *endpoint, kg_diag *diag)
{
    static const bus_server_ops ops = {admit, on_message, on_gone};
    return bus_listen(b, "intake", endpoint, false, &ops, in, &in->server, diag);
}

void router_intake_close(router_intake *in)
{
    in->closed = true;
}

static void forget_items(router_intake *in)
{
    for (size_t i = 0; i < in->count; i++) {
        kg_buf_done(&in->items[i].bytes);
    }
    in->count = 0;
}

void router_intake_free(router_intake **in)
{
    if (in == NULL || *in == NULL) {
        return;
    }
    router_intake *i = *in;
    bus_server_close(&i->server);
    forget_items(i);
    follow_free(&i->follow);
    pieces_free(&i->pieces);
    free(i->items);
    free(i->peers);
    free(i->rates);
    free(i);
    *in = NULL;
}

size_t router_intake_count(const router_intake *in)
{
    return in->count;
}

intake_item *router_intake_at(router_intake *in, size_t i)
{
    return &in->items[i];
}

size_t router_intake_peers(const router_intake *in)
{
    return in->peer_count;
}

/* ---- answers ---- */

static int urgent_first(const void *x, const void *y)
{
    const intake_item *a = *(const intake_item *const *)x;
    const intake_item *b = *(const intake_item *const *)y;
    if (a->result.class != b->result.class) {
        return a->result.class > b->result.class ? -1 : 1;
    }
    if (a->peer != b->peer) {
        return a->peer < b->peer ? -1 : 1;
    }
    return (a > b) - (a < b);
}

static kg_err send_answer(router_intake *in, bus_peer peer, wire_verdict *verdicts, size_t count)
{
    const core *c = in->core;
    const wire_receipt r = {
        .router = c->config->name, .time_ms = c->now_ms, .verdicts = verdicts, .verdict_count = count};
    kg_buf packed = {0};
    wire_msg m = {.kind = WIRE_ANSWER};
    kg_err e = wire_receipt_pack(&r, &packed);
    if (e == KG_OK) {
        const public_key own = secret_public(c->config->sign_key);
        m.u.answer.receipt = (wire_bytes){(const uint8_t *)packed.s, packed.len};
        memcpy(m.u.answer.router_key, own.b, KEY_BYTES);
        e = trust_sign(c->config->sign_key, TRUST_RECEIPT, packed.s, packed.len, m.u.answer.signature);
    }
    if (e == KG_OK) {
        KG_FAULT("router.before_answer");
        send_to(in, peer, &m);
        KG_FAULT("router.after_answer");
    }
    kg_buf_done(&packed);
    return e;
}

static void take_back(intake_item *it)
{
    it->result.verdict.outcome = WIRE_TRY_LATER;
    it->result.verdict.code = refusal_code(REFUSAL_TRY_LATER);
    it->result.verdict.sentence = refusal_vi(REFUSAL_TRY_LATER);
    it->result.verdict.position = 0;
    it->result.verdict.targets = 0;
    it->result.blob_count = 0;
}

static void fetch_blobs(router_intake *in, const intake_item *it)
{
    publisher *p = find_peer(in, it->peer);
    for (size_t i = 0; p != NULL && i < it->result.blob_count; i++) {
        kg_ignore(start_fetch(in, p, &it->result.blobs[i].hash, it->result.blobs[i].bytes, true)); /* else later: the
                                  publisher submits again when it starts, and what is missing is asked for again */
    }
}

void router_intake_answer(router_intake *in, bool committed)
{
    intake_item *order[INTAKE_ITEMS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < in->count; i++) {
        if (!in->items[i].blob) {
            if (!committed) {
                take_back(&in->items[i]);
            }
            order[n++] = &in->items[i];
        }
    }
    /* cppcheck-suppress uninitvar ; order[0..n) is filled just above */
    qsort(order, n, sizeof(intake_item *), urgent_first);
    for (size_t i = 0; i < n;) {
        wire_verdict verdicts[VERDICTS_A_RECEIPT];
        size_t count = 0;
        const bus_peer peer = order[i]->peer;
        const bulletin_class class = order[i]->result.class;
        while (i < n && count < VERDICTS_A_RECEIPT && order[i]->peer == peer && order[i]->result.class == class) {
            verdicts[count++] = order[i++]->result.verdict;
        }
        if (send_answer(in, peer, verdicts, count) != KG_OK) {
            kg_log(KG_ERROR, "answer.failed", KG_INT("verdicts", count)); /* no memory: the publisher submits again */
        }
    }
    for (size_t i = 0; i < n; i++) {
        fetch_blobs(in, order[i]);
    }
    forget_items(in);
}

void router_intake_tick(router_intake *in)
{
    for (size_t i = in->fetch_count; i-- > 0;) {
        fetch *f = &in->fetches[i];
        if (in->core->mono_ms - f->asked_ms < INTAKE_PATIENCE_MS) {
            continue;
        }
        if (++f->tries > TRIES_MAX) {
            drop_fetch(in, f);
        } else {
            ask_piece(in, f);
        }
    }
    follow_tick(in->follow, in->server);
}

void router_intake_manifest(router_intake *in)
{
    for (size_t i = in->peer_count; i-- > 0;) {
        const publisher p = in->peers[i];
        if (!admit(in, &p.key)) {
            kg_log(KG_WARNING, "publisher.dropped", KG_TEXT("by", p.who), KG_TEXT("why", "its key is not valid"));
            bus_close_peer(in->server, p.peer);
            on_gone(in, p.peer);
        }
    }
}
