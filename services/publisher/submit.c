#include "submit.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "wire/wire.h"

enum {
    PENDING_MAX = 1000, /* rows in hand at once; the others wait in the outbox */
    FOLLOW_MAX = 256,
    TICK_MS = 250,
    CONNECT_MS = 3000, /* a router that is not up by then is left for the next */
    ANSWER_MS = 5000,
    LATER_MS = 2000,
    HELD_MS = 5000, /* between two questions what a person has decided */
    QUIET_MS = 1500
};

typedef struct pending {
    alert_id id;
    alert_hash hash;
    uint8_t class;
    bool sent;
    bool held;      /* answered so already */
    int64_t due_ms; /* monotonic: send not before; when sent: answer expected by */
} pending;

struct submit {
    loop *loop;
    bus *bus;
    outbox *outbox;
    const publisher_config *config;
    submit_ops ops;
    void *ctx;
    loop_timer *tick;
    bus_client *client;
    size_t active; /* router in use */
    int64_t opened_ms;
    int64_t held_asked_ms;
    int64_t active_ms; /* last answer, or last time the router asked for something; 0 never */
    pending rows[PENDING_MAX];
    size_t row_count;
    bool more; /* the outbox holds rows that did not fit */
    alert_id followed[FOLLOW_MAX];
    size_t follow_count;
    alert_hash blob_hash; /* the last thing the router asked for, kept while it asks for more pieces */
    kg_buf blob;
};

static kg_err collect(void *ctx, const outbox_row *row)
{
    submit *s = ctx;
    for (size_t i = 0; i < s->row_count; i++) {
        if (alert_id_same(s->rows[i].id, row->id)) {
            return KG_OK;
        }
    }
    s->more = s->row_count == PENDING_MAX;
    if (!s->more) {
        s->rows[s->row_count++] =
            (pending){.id = row->id, .hash = row->hash, .class = row->class, .held = row->state == OUTBOX_HELD};
    }
    return KG_OK;
}

/* What a router holds for a person is submitted again from time to time: it answers with what was decided. Another
 * router would hold it a second time. */
static kg_err collect_held(void *ctx, const outbox_row *row)
{
    submit *s = ctx;
    const bool here = s->config->router_count == 1 ||
                      (row->router != NULL && strcmp(row->router, s->config->routers[s->active].name) == 0);
    const bool open = row->state == OUTBOX_HELD && row->expires_ms > kg_clock_wall_ms();
    return here && open && s->row_count < PENDING_MAX ? collect(s, row) : KG_OK;
}

static void ask_for_held(submit *s)
{
    kg_diag diag = {{0}};
    const int64_t now = kg_clock_mono_ms();
    if (now - s->held_asked_ms < HELD_MS) {
        return;
    }
    s->held_asked_ms = now;
    if (outbox_rows(s->outbox, false, collect_held, s, &diag) != KG_OK) {
        kg_log(KG_ERROR, "submit.outbox", KG_TEXT("why", diag.text));
    }
}

static bool write_msg(submit *s, const wire_msg *m)
{
    kg_buf frame = {.max = WIRE_FRAME_MAX};
    kg_err e = wire_write(m, &frame);
    if (e == KG_OK) {
        e = bus_client_send(s->client, frame.s, frame.len);
    }
    kg_buf_done(&frame);
    return e == KG_OK;
}

static void send_row(submit *s, pending *p)
{
    kg_buf bytes = {0};
    kg_diag diag = {{0}};
    const kg_err e = outbox_signed(s->outbox, p->id, &bytes, &diag);
    if (e != KG_OK) {
        kg_log(KG_ERROR, "submit.unreadable", KG_TEXT("why", diag.text));
        p->due_ms = kg_clock_mono_ms() + LATER_MS;
        kg_buf_done(&bytes);
        return;
    }
    wire_msg m = {.kind = WIRE_SUBMIT};
    m.u.submit.hash = p->hash;
    m.u.submit.total_bytes = bytes.len;
    if (bytes.len <= WIRE_INLINE_MAX) {
        m.u.submit.signed_alert = (wire_bytes){(const uint8_t *)bytes.s, bytes.len};
    }
    KG_FAULT("publisher.before_submit");
    p->sent = write_msg(s, &m);
    KG_FAULT("publisher.after_submit");
    p->due_ms = kg_clock_mono_ms() + (p->sent ? ANSWER_MS : TICK_MS);
    kg_buf_done(&bytes);
}

static void send_due(submit *s)
{
    if (!bus_client_up(s->client)) {
        return;
    }
    const int64_t now = kg_clock_mono_ms();
    for (int class = CLASS_COUNT - 1; class >= 0; class --) {
        for (size_t i = 0; i < s->row_count; i++) {
            if (s->rows[i].class == class && !s->rows[i].sent && s->rows[i].due_ms <= now) {
                send_row(s, &s->rows[i]);
            }
        }
    }
}

static void send_follow(submit *s, alert_id id)
{
    wire_msg m = {.kind = WIRE_FOLLOW};
    m.u.follow.id = id;
    if (!write_msg(s, &m)) {
        kg_log(KG_INFO, "submit.follow_later", KG_TEXT("router", s->config->routers[s->active].name));
    }
}

static const publisher_router *router_of(const submit *s)
{
    return &s->config->routers[s->active];
}

static void on_up(void *ctx)
{
    submit *s = ctx;
    kg_log(KG_INFO, "submit.connected", KG_TEXT("router", router_of(s)->name));
    for (size_t i = 0; i < s->follow_count; i++) {
        send_follow(s, s->followed[i]);
    }
    send_due(s);
}

static void forget_sent(submit *s)
{
    for (size_t i = 0; i < s->row_count; i++) {
        s->rows[i].sent = false;
        s->rows[i].due_ms = 0;
    }
}

static void on_down(void *ctx)
{
    submit *s = ctx;
    kg_log(KG_WARNING, "submit.lost", KG_TEXT("router", router_of(s)->name));
    s->opened_ms = kg_clock_mono_ms();
    forget_sent(s);
}

static outbox_state state_of(wire_outcome o)
{
    return o == WIRE_HELD_FOR_PERSON ? OUTBOX_HELD : o == WIRE_REFUSED_FOR_GOOD ? OUTBOX_REFUSED : OUTBOX_ACCEPTED;
}

/* One verdict: recorded with the receipt as proof before anyone is told. */
static void take_verdict(submit *s, const wire_receipt *r, const wire_verdict *v, wire_bytes proof)
{
    size_t at = 0;
    while (at < s->row_count && memcmp(s->rows[at].hash.b, v->hash.b, sizeof v->hash.b) != 0) {
        at++;
    }
    if (at == s->row_count) {
        return; /* answered before */
    }
    if (v->outcome == WIRE_TRY_LATER) {
        s->rows[at].sent = false;
        s->rows[at].due_ms = kg_clock_mono_ms() + LATER_MS;
        kg_log(KG_WARNING, "submit.later", KG_TEXT("router", r->router), KG_TEXT("why", v->sentence));
        return;
    }
    if (s->rows[at].held && v->outcome == WIRE_HELD_FOR_PERSON) {
        s->rows[at] = s->rows[--s->row_count]; /* nobody has decided yet; it is asked for again */
        return;
    }
    kg_diag diag = {{0}};
    const kg_err e = outbox_answer(s->outbox, s->rows[at].id, state_of(v->outcome), v->code, v->sentence, r->router,
                                   proof.b, proof.n, kg_clock_wall_ms(), &diag);
    if (e != KG_OK) {
        kg_log(KG_ERROR, "submit.answer_not_kept", KG_TEXT("why", diag.text));
        return; /* it is asked for again, and the router gives the same answer */
    }
    KG_FAULT("publisher.after_answer");
    s->active_ms = kg_clock_mono_ms();
    wire_verdict with_id = *v;
    with_id.has_id = true;
    with_id.id = s->rows[at].id;
    s->rows[at] = s->rows[--s->row_count];
    s->ops.answered(s->ctx, &with_id, r->router);
}

static bool from_a_router(const submit *s, const wire_msg *m)
{
    public_key k;
    memcpy(k.b, m->u.answer.router_key, sizeof k.b);
    const key_entry *e = manifest_signer(s->config->manifest, &k);
    return e != NULL && e->role == ROLE_ROUTER && key_entry_valid(e, kg_clock_wall_ms()) &&
           trust_verify(&k, TRUST_RECEIPT, m->u.answer.receipt.b, m->u.answer.receipt.n, m->u.answer.signature);
}

static void take_answer(submit *s, const wire_msg *m)
{
    kg_diag diag = {{0}};
    wire_receipt r;
    if (!from_a_router(s, m)) {
        kg_log(KG_ERROR, "submit.false_receipt", KG_TEXT("router", router_of(s)->name),
               KG_TEXT("mend", "the manifest lists no such router signing key, or the signature is wrong"));
        return;
    }
    const kg_err e = wire_receipt_read(m->u.answer.receipt.b, m->u.answer.receipt.n, &r, &diag);
    if (e != KG_OK) {
        kg_log(KG_ERROR, "submit.bad_receipt", KG_TEXT("why", diag.text));
        return;
    }
    for (size_t i = 0; i < r.verdict_count; i++) {
        take_verdict(s, &r, &r.verdicts[i], m->u.answer.receipt);
    }
    wire_receipt_done(&r);
}

/* Brings s->blob to what `hash` names: a signed alert in hand, or an original document or recording. */
static bool load_blob(submit *s, const alert_hash *hash)
{
    if (s->blob.len > 0 && memcmp(&s->blob_hash, hash, sizeof *hash) == 0) {
        return true;
    }
    kg_buf_clear(&s->blob);
    kg_err e = outbox_blob_get(s->outbox, hash, &s->blob, NULL);
    for (size_t i = 0; e != KG_OK && i < s->row_count; i++) {
        if (memcmp(&s->rows[i].hash, hash, sizeof *hash) == 0) {
            kg_buf_clear(&s->blob);
            e = outbox_signed(s->outbox, s->rows[i].id, &s->blob, NULL);
        }
    }
    s->blob_hash = *hash;
    if (e != KG_OK) {
        kg_buf_clear(&s->blob);
    }
    return e == KG_OK;
}

static void serve_want(submit *s, const wire_msg *m)
{
    s->active_ms = kg_clock_mono_ms();
    wire_msg reply = {.kind = WIRE_PIECE};
    reply.u.piece.hash = m->u.want.hash;
    reply.u.piece.offset = m->u.want.offset;
    if (load_blob(s, &m->u.want.hash) && m->u.want.offset < s->blob.len) {
        const size_t left = s->blob.len - (size_t)m->u.want.offset;
        reply.u.piece.total = s->blob.len;
        reply.u.piece.bytes =
            (wire_bytes){(const uint8_t *)s->blob.s + m->u.want.offset, left < WIRE_PIECE_MAX ? left : WIRE_PIECE_MAX};
    }
    for (size_t i = 0; i < s->row_count; i++) {
        if (memcmp(&s->rows[i].hash, &m->u.want.hash, sizeof m->u.want.hash) == 0) {
            s->rows[i].due_ms = s->active_ms + ANSWER_MS; /* it is being fetched: not late */
        }
    }
    if (!write_msg(s, &reply)) {
        kg_log(KG_INFO, "submit.piece_later", KG_TEXT("router", router_of(s)->name));
    }
}

static void on_message(void *ctx, const void *bytes, size_t n)
{
    submit *s = ctx;
    kg_diag diag = {{0}};
    wire_msg m;
    if (wire_read(bytes, n, &m, &diag) != KG_OK) {
        kg_log(KG_WARNING, "submit.unreadable_message", KG_TEXT("why", diag.text));
        return;
    }
    if (m.kind == WIRE_ANSWER) {
        take_answer(s, &m);
    } else if (m.kind == WIRE_PROGRESS) {
        s->ops.progress(s->ctx, &m);
    } else if (m.kind == WIRE_WANT) {
        serve_want(s, &m);
    } else if (m.kind == WIRE_REFUSED) {
        kg_log(KG_WARNING, "submit.not_taken", KG_TEXT("code", m.u.refused.code), KG_TEXT("why", m.u.refused.sentence));
    }
    wire_done(&m);
}

static void open_active(submit *s)
{
    static const bus_client_ops ops = {.up = on_up, .down = on_down, .message = on_message};
    kg_diag diag = {{0}};
    const publisher_router *r = router_of(s);
    s->opened_ms = kg_clock_mono_ms();
    if (bus_connect(s->bus, r->intake, &r->key, true, &ops, s, &s->client, &diag) != KG_OK) {
        s->client = NULL;
        kg_log(KG_ERROR, "submit.cannot_connect", KG_TEXT("router", r->name), KG_TEXT("why", diag.text));
    }
}

/* A line that is up and silent is made anew even to the only router: it may have dropped us (a key revoked and listed
 * again), and says nothing on the old line any more. */
static void go_on_to_next(submit *s, bool silent, const char *why)
{
    if (s->config->router_count == 1 && s->client != NULL && !silent) {
        s->opened_ms = kg_clock_mono_ms(); /* libzmq keeps trying */
        forget_sent(s);
        return;
    }
    kg_log(KG_WARNING, "submit.next_router", KG_TEXT("left", router_of(s)->name), KG_TEXT("why", why));
    bus_client_close(&s->client);
    forget_sent(s);
    s->active = (s->active + 1) % s->config->router_count;
    open_active(s);
}

static void on_tick(void *ctx)
{
    submit *s = ctx;
    const int64_t now = kg_clock_mono_ms();
    const bool up = s->client != NULL && bus_client_up(s->client);
    bool late = false;
    for (size_t i = 0; i < s->row_count && up; i++) {
        late = late || (s->rows[i].sent && s->rows[i].due_ms < now);
    }
    if (!up && now - s->opened_ms > CONNECT_MS) {
        go_on_to_next(s, false, "no connection");
    } else if (late) {
        go_on_to_next(s, true, "no answer");
    }
    if (s->more && s->row_count < PENDING_MAX / 2) {
        submit_wake(s);
    } else if (s->client != NULL) {
        ask_for_held(s);
        send_due(s);
    }
    loop_timer_set(s->tick, TICK_MS);
}

kg_err submit_open(loop *l, bus *b, outbox *o, const publisher_config *c, const submit_ops *ops, void *ctx,
                   submit **out, kg_diag *diag)
{
    submit *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for the outbox's rows");
    }
    s->loop = l;
    s->bus = b;
    s->outbox = o;
    s->config = c;
    s->ops = *ops;
    s->ctx = ctx;
    s->held_asked_ms = kg_clock_mono_ms();
    s->blob.max = PUBLISHER_BLOB_MAX;
    kg_err e = loop_timer_new(l, on_tick, s, &s->tick);
    if (e != KG_OK) {
        free(s);
        return kg_fail(diag, e, "no timer");
    }
    open_active(s);
    loop_timer_set(s->tick, TICK_MS);
    *out = s;
    submit_wake(s);
    return KG_OK;
}

void submit_close(submit **s)
{
    if (s == NULL || *s == NULL) {
        return;
    }
    bus_client_close(&(*s)->client);
    loop_timer_free(&(*s)->tick);
    kg_buf_done(&(*s)->blob);
    free(*s);
    *s = NULL;
}

void submit_wake(submit *s)
{
    kg_diag diag = {{0}};
    if (outbox_rows(s->outbox, true, collect, s, &diag) != KG_OK) {
        kg_log(KG_ERROR, "submit.outbox", KG_TEXT("why", diag.text));
    }
    if (s->client != NULL) {
        send_due(s);
    }
}

void submit_follow(submit *s, alert_id id)
{
    if (s->follow_count == FOLLOW_MAX) { /* the oldest is the likeliest to be over */
        memmove(&s->followed[0], &s->followed[1], (FOLLOW_MAX - 1) * sizeof s->followed[0]);
        s->follow_count--;
    }
    s->followed[s->follow_count++] = id;
    if (s->client != NULL && bus_client_up(s->client)) {
        send_follow(s, id);
    }
}

bool submit_quiet(const submit *s)
{
    return s->active_ms == 0 || kg_clock_mono_ms() - s->active_ms > QUIET_MS;
}
