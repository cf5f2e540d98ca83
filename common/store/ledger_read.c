/* ledger_read - walking and looking up what ledger.c wrote. */
#include <string.h>

#include "store/ledger_file.h"

enum { STATION_MASK = (1 << INTERN_STATION_BITS) - 1 };

static void get_holding(ledger *l, stmt *s, ledger_holding *h)
{
    *h = (ledger_holding){.lifecycle = 0};
    (void)stmt_get_bytes(s, h->id.b, sizeof h->id.b); /* 16 bytes: the UNIQUE index found it by them */
    h->station = intern_name(&l->in, stmt_get_int(s) & STATION_MASK);
    h->delivery = (uint64_t)stmt_get_int(s);
    h->lifecycle = (uint8_t)stmt_get_int(s);
    h->held_ms = stmt_get_int(s);
    h->expires_ms = stmt_get_int(s);
    h->next_playing = (uint32_t)stmt_get_int(s);
    h->next_due_ms = stmt_get_int(s);
    h->target = stmt_get_blob(s, &h->target_len);
}

static void get_playing(ledger *l, stmt *s, ledger_playing *p)
{
    *p = (ledger_playing){.playing = 0};
    (void)stmt_get_bytes(s, p->id.b, sizeof p->id.b);
    p->station = intern_name(&l->in, stmt_get_int(s) & STATION_MASK);
    p->playing = (uint32_t)stmt_get_int(s);
    p->state = (dlv_state)stmt_get_int(s);
    p->certainty = (dlv_certainty)stmt_get_int(s);
    p->started_ms = stmt_get_int(s);
    p->ended_ms = stmt_get_int(s);
    p->labelled = stmt_get_int(s) != 0;
    p->driver_ref = stmt_get_text(s);
    p->code = stmt_get_text(s);
    p->detail = stmt_get_text(s);
}

kg_err ledger_holdings(ledger *l, bool alive_only, ledger_holding_fn fn, void *ctx, kg_diag *diag)
{
    stmt s = stmt_of(alive_only ? l->st.alive : l->st.holdings);
    kg_err e = KG_OK;
    bool ended = false;
    while (e == KG_OK) {
        e = stmt_next(&l->d, &s, "reading the holdings", diag);
        ended = e == KG_E_NOTFOUND;
        if (e == KG_OK) {
            ledger_holding h;
            get_holding(l, &s, &h);
            e = fn(ctx, &h);
        }
    }
    stmt_end(&s);
    return ended ? KG_OK : e;
}

kg_err ledger_playings(ledger *l, bool unfinished_only, ledger_playing_fn fn, void *ctx, kg_diag *diag)
{
    stmt s = stmt_of(unfinished_only ? l->st.unfinished : l->st.playings);
    kg_err e = KG_OK;
    bool ended = false;
    while (e == KG_OK) {
        e = stmt_next(&l->d, &s, "reading the playings", diag);
        ended = e == KG_E_NOTFOUND;
        if (e == KG_OK) {
            ledger_playing p;
            get_playing(l, &s, &p);
            e = fn(ctx, &p);
        }
    }
    stmt_end(&s);
    return ended ? KG_OK : e;
}

kg_err ledger_receipts(ledger *l, uint64_t after_row, size_t at_most, ledger_receipt_fn fn, void *ctx, kg_diag *diag)
{
    stmt s = stmt_of(l->st.receipts);
    stmt_int(&s, (int64_t)after_row);
    stmt_int(&s, at_most < INT32_MAX ? (int64_t)at_most : INT32_MAX);
    kg_err e = KG_OK;
    bool ended = false;
    while (e == KG_OK) {
        e = stmt_next(&l->d, &s, "reading the receipts", diag);
        ended = e == KG_E_NOTFOUND;
        if (e == KG_OK) {
            ledger_receipt r = {.row = (uint64_t)stmt_get_int(&s)};
            r.bytes = stmt_get_blob(&s, &r.len);
            e = fn(ctx, &r);
        }
    }
    stmt_end(&s);
    return ended ? KG_OK : e;
}

kg_err ledger_audits(ledger *l, uint64_t after_n, ledger_audit_fn fn, void *ctx, kg_diag *diag)
{
    return trail_walk(&l->trail, after_n + 1, fn, ctx, diag);
}

/* Copies into mem what the row lends; false: out of memory. */
static bool own_text(kg_arena *mem, const char **text)
{
    *text = kg_arena_str(mem, *text);
    return *text != NULL;
}

kg_err ledger_find_holding(ledger *l, alert_id id, const char *station, kg_arena *mem, ledger_holding *out,
                           kg_diag *diag)
{
    int64_t key = 0;
    kg_err e = ledger_file_key(l, id, station, &key, diag);
    if (e != KG_OK) {
        return e;
    }
    stmt s = stmt_of(l->st.holding);
    stmt_int(&s, key);
    e = stmt_next(&l->d, &s, "looking for a holding", diag);
    if (e == KG_OK) {
        ledger_holding h;
        get_holding(l, &s, &h);
        void *target = kg_arena_alloc(mem, h.target_len);
        if (target != NULL && own_text(mem, &h.station)) {
            memcpy(target, h.target != NULL ? h.target : "", h.target_len);
            h.target = target;
            *out = h;
        } else {
            e = KG_E_NOMEM;
        }
    } else if (e == KG_E_NOTFOUND) {
        e = kg_fail(diag, e, "%s: nothing is held of this alert for station %s", l->d.path, station);
    }
    stmt_end(&s);
    return e;
}

kg_err ledger_find_playing(ledger *l, alert_id id, const char *station, uint32_t playing, kg_arena *mem,
                           ledger_playing *out, kg_diag *diag)
{
    int64_t key = 0;
    kg_err e = ledger_file_key(l, id, station, &key, diag);
    if (e != KG_OK) {
        return e;
    }
    stmt s = stmt_of(l->st.playing);
    stmt_int(&s, key);
    stmt_int(&s, playing);
    e = stmt_next(&l->d, &s, "looking for a playing", diag);
    if (e == KG_OK) {
        ledger_playing p;
        get_playing(l, &s, &p);
        const bool ok = own_text(mem, &p.station) && own_text(mem, &p.driver_ref) && own_text(mem, &p.code) &&
                        own_text(mem, &p.detail);
        if (ok) {
            *out = p;
        } else {
            e = KG_E_NOMEM;
        }
    } else if (e == KG_E_NOTFOUND) {
        e = kg_fail(diag, e, "%s: playing %u of this alert never began at station %s", l->d.path, playing, station);
    }
    stmt_end(&s);
    return e;
}

kg_err ledger_signed(ledger *l, alert_id id, kg_buf *out, kg_diag *diag)
{
    stmt s = stmt_of(l->st.bytes);
    stmt_id(&s, &id);
    return stmt_fetch(&l->d, &s, out, "an alert's bytes", diag);
}
