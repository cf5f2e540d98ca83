/* rows - what a turn makes durable: collected first, written in one commit, kept for another try when the disk is
 * full. Nothing that depends on a row leaves the process before its commit. */
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "sink/engine.h"

typedef enum row_kind { ROW_HOLD, ROW_HOLDING, ROW_PLAYING, ROW_RECEIPT, ROW_KEPT, ROW_NOTE, ROW_AUDIT } row_kind;

typedef struct row_hold {
    ledger_holding holding;
    alert_hash hash;
    const void *signed_bytes;
    size_t signed_len;
} row_hold;

typedef struct row_bytes {
    const void *bytes;
    size_t len;
} row_bytes;

struct sink_row {
    sink_row *next;
    row_kind kind;
    union {
        row_hold hold;
        ledger_playing playing;
        row_bytes receipt;
        uint64_t kept;
        struct {
            const char *key, *value;
        } note;
        audit_row audit;
    } u;
};

static sink_row *row_new(sink *s, row_kind kind)
{
    sink_row *r = kg_arena_alloc(&s->row_mem, sizeof *r);
    if (r == NULL) {
        s->broken = KG_E_NOMEM;
        return NULL;
    }
    r->kind = kind;
    r->next = NULL;
    if (s->last_row == NULL) {
        s->last_row = &s->first_row;
    }
    *s->last_row = r;
    s->last_row = &r->next;
    return r;
}

static const char *copy(sink *s, const char *text)
{
    const char *t = kg_arena_str(&s->row_mem, text != NULL ? text : "");
    if (t == NULL) {
        s->broken = KG_E_NOMEM;
        return "";
    }
    return t;
}

static const void *copy_bytes(sink *s, const void *bytes, size_t n)
{
    void *p = kg_arena_alloc(&s->row_mem, n);
    if (p == NULL) {
        s->broken = KG_E_NOMEM;
    } else if (n > 0) {
        memcpy(p, bytes, n);
    }
    return p;
}

static ledger_holding holding_row(const holding *h, life_state state)
{
    uint64_t delivery = 0;
    for (size_t i = SINK_ROUTERS_MAX; i > 0; i--) {
        delivery = h->delivery[i - 1] != 0 ? h->delivery[i - 1] : delivery;
    }
    return (ledger_holding){
        .id = h->alert->id,
        .station = h->post->station->id,
        .delivery = delivery,
        .lifecycle = (uint8_t)state,
        .held_ms = h->held_ms,
        .expires_ms = h->item.ends_ms,
        .next_playing = h->item.playing,
        .next_due_ms = h->item.due_ms,
    };
}

/* The alert's bytes and the target outlive the row: both are released only after the commit (board_forget_idle and
 * board_release run behind it). */
void rows_hold(sink *s, const holding *h)
{
    sink_row *r = row_new(s, ROW_HOLD);
    if (r == NULL) {
        return;
    }
    r->u.hold =
        (row_hold){holding_row(h, LIFE_ALIVE), h->alert->hash, h->alert->signed_bytes.s, h->alert->signed_bytes.len};
    r->u.hold.holding.target = copy_bytes(s, h->target, h->target_len);
    r->u.hold.holding.target_len = h->target_len;
}

void rows_holding(sink *s, const holding *h, life_state state)
{
    sink_row *r = row_new(s, ROW_HOLDING);
    if (r != NULL) {
        r->u.hold.holding = holding_row(h, state);
    }
}

void rows_playing(sink *s, const ledger_playing *p)
{
    sink_row *r = row_new(s, ROW_PLAYING);
    if (r == NULL) {
        return;
    }
    r->u.playing = *p;
    r->u.playing.driver_ref = copy(s, p->driver_ref);
    r->u.playing.code = copy(s, p->code);
    r->u.playing.detail = copy(s, p->detail);
}

void rows_receipt(sink *s, size_t router, lane l, const wire_delivery_receipt *receipt)
{
    kg_buf b = {.max = WIRE_FRAME_MAX};
    const char head = l == LANE_URGENT ? 'U' : 'O';
    const char *name = s->config->routers[router].name;
    kg_ignore(kg_buf_put(&b, &head, 1)); /* checked once, at the end */
    kg_ignore(kg_buf_put(&b, name, strlen(name) + 1));
    const kg_err e = wire_delivery_receipt_pack(receipt, &b);
    sink_row *r = row_new(s, ROW_RECEIPT);
    if (e != KG_OK || kg_buf_failed(&b) != KG_OK) {
        s->broken = e != KG_OK ? e : kg_buf_failed(&b);
    } else if (r != NULL) {
        r->u.receipt = (row_bytes){copy_bytes(s, b.s, b.len), b.len};
    }
    kg_buf_done(&b);
}

bool rows_receipt_is_for(const ledger_receipt *r, const char *router, lane l, const void **packed, size_t *len)
{
    const char *b = r->bytes;
    const size_t name = strlen(router) + 1;
    if (r->len < 1 + name || b[0] != (l == LANE_URGENT ? 'U' : 'O') || memcmp(b + 1, router, name) != 0) {
        return false;
    }
    *packed = b + 1 + name;
    *len = r->len - 1 - name;
    return true;
}

void rows_kept(sink *s, uint64_t up_to)
{
    sink_row *r = row_new(s, ROW_KEPT);
    if (r != NULL) {
        r->u.kept = up_to;
    }
}

void rows_note(sink *s, const char *key, const char *value)
{
    sink_row *r = row_new(s, ROW_NOTE);
    if (r != NULL) {
        r->u.note.key = copy(s, key);
        r->u.note.value = copy(s, value);
    }
}

void rows_audit(sink *s, const sink_act *act)
{
    sink_row *r = row_new(s, ROW_AUDIT);
    if (r != NULL) {
        r->u.audit = (audit_row){
            .time_ms = sink_now_ms(s),
            .actor = copy(s, act->actor),
            .action = copy(s, act->action),
            .object = copy(s, act->object),
            .detail = copy(s, act->detail),
        };
    }
}

bool rows_waiting(const sink *s)
{
    return s->first_row != NULL;
}

static kg_err write_row(sink *s, sink_row *r, kg_diag *diag)
{
    kg_err e = KG_E_BUG;
    switch (r->kind) {
    case ROW_HOLD:
        e = ledger_hold(s->ledger, &r->u.hold.holding, &r->u.hold.hash, r->u.hold.signed_bytes, r->u.hold.signed_len,
                        diag);
        break;
    case ROW_HOLDING:
        e = ledger_set_holding(s->ledger, &r->u.hold.holding, diag);
        break;
    case ROW_PLAYING:
        e = ledger_set_playing(s->ledger, &r->u.playing, diag);
        break;
    case ROW_RECEIPT:
        e = ledger_receipt_put(s->ledger, r->u.receipt.bytes, r->u.receipt.len, diag);
        break;
    case ROW_KEPT:
        e = ledger_receipts_kept(s->ledger, r->u.kept, diag);
        break;
    case ROW_NOTE:
        e = ledger_note_put(s->ledger, r->u.note.key, r->u.note.value, diag);
        break;
    case ROW_AUDIT:
        e = ledger_audit(s->ledger, &r->u.audit, diag);
        break;
    }
    return kg_err_class(e) == KG_DONE ? KG_OK : e;
}

kg_err rows_commit(sink *s, kg_diag *diag)
{
    if (!rows_waiting(s)) {
        return KG_OK;
    }
    kg_err e = ledger_begin(s->ledger, diag);
    bool receipts = false;
    for (sink_row *r = s->first_row; e == KG_OK && r != NULL; r = r->next) {
        receipts = receipts || r->kind == ROW_RECEIPT;
        e = write_row(s, r, diag);
    }
    KG_FAULT("sink.before_commit");
    if (e == KG_OK) {
        e = ledger_commit(s->ledger, diag);
    }
    if (e != KG_OK) {
        ledger_rollback(s->ledger);
        return e;
    }
    KG_FAULT("sink.after_commit");
    s->counts.commits++;
    if (receipts) {
        link_rows_put(s);
    }
    rows_free(s);
    return KG_OK;
}

void rows_free(sink *s)
{
    kg_arena_done(&s->row_mem);
    s->first_row = NULL;
    s->last_row = NULL;
}
