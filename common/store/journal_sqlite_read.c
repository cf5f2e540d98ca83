/* journal_sqlite_read - walking and looking up what journal_sqlite.c wrote. */
#include "store/journal_file.h"

static kg_err give_alert(sqlite_journal *j, stmt *s, bool with_bytes, journal_alert_fn fn, void *ctx, kg_diag *diag)
{
    journal_alert a = {.position = (uint64_t)stmt_get_int(s)};
    const bool whole = stmt_get_bytes(s, a.id.b, sizeof a.id.b);
    if (!stmt_get_bytes(s, a.hash.b, sizeof a.hash.b) || !whole) {
        return kg_fail(diag, KG_E_INVALID, "%s: the alert at position %llu is damaged", j->d.path,
                       (unsigned long long)a.position);
    }
    a.agency = stmt_get_text(s);
    a.class = (uint8_t)stmt_get_int(s);
    a.weight = (uint8_t)stmt_get_int(s);
    a.lifecycle = (uint8_t)stmt_get_int(s);
    a.held = stmt_get_int(s) != 0;
    a.accepted_ms = stmt_get_int(s);
    a.expires_ms = stmt_get_int(s);
    a.changed_ms = stmt_get_int(s);
    a.hold_code = stmt_get_text(s);
    a.hold_sentence = stmt_get_text(s);
    if (!with_bytes) {
        return fn(ctx, &a);
    }
    kg_buf bytes = {.s = NULL};
    stmt b = stmt_of(j->st.bytes);
    stmt_int(&b, (int64_t)a.position);
    kg_err e = stmt_fetch(&j->d, &b, &bytes, "an alert's bytes", diag);
    if (e == KG_OK) {
        a.signed_bytes = bytes.s;
        a.signed_len = bytes.len;
        e = fn(ctx, &a);
    }
    kg_buf_done(&bytes);
    return e;
}

kg_err journal_file_alerts(journal *base, journal_which which, bool with_bytes, journal_alert_fn fn, void *ctx,
                           kg_diag *diag)
{
    sqlite_journal *j = (sqlite_journal *)base;
    stmt s = stmt_of(which == JOURNAL_ALL ? j->st.alerts : j->st.open_alerts);
    kg_err e = KG_OK;
    while (e == KG_OK) {
        e = stmt_next(&j->d, &s, "reading the alerts", diag);
        if (e != KG_OK) {
            break;
        }
        e = give_alert(j, &s, with_bytes, fn, ctx, diag);
    }
    const bool ended = e == KG_E_NOTFOUND;
    stmt_end(&s);
    return ended ? KG_OK : e;
}

kg_err journal_file_find(journal *base, alert_id id, journal_alert_fn fn, void *ctx, kg_diag *diag)
{
    sqlite_journal *j = (sqlite_journal *)base;
    stmt s = stmt_of(j->st.find);
    stmt_id(&s, &id);
    kg_err e = stmt_next(&j->d, &s, "looking for the alert", diag);
    if (e == KG_OK) {
        e = give_alert(j, &s, true, fn, ctx, diag);
    } else if (e == KG_E_NOTFOUND) {
        e = kg_fail(diag, e, "no alert with this id was ever accepted here");
    }
    stmt_end(&s);
    return e;
}

static kg_err give_deliveries(sqlite_journal *j, stmt *s, bool with_target, journal_delivery_fn fn, void *ctx,
                              kg_diag *diag)
{
    kg_err e = KG_OK;
    while (e == KG_OK) {
        e = stmt_next(&j->d, s, "reading the deliveries", diag);
        if (e != KG_OK) {
            break;
        }
        journal_delivery d = {.number = (uint64_t)stmt_get_int(s)};
        d.station = intern_name(&j->in, stmt_get_int(s));
        d.hit_rank = (uint32_t)stmt_get_int(s);
        d.state = (dlv_state)stmt_get_int(s);
        d.certainty = (dlv_certainty)stmt_get_int(s);
        d.held_ms = stmt_get_int(s);
        d.done_ms = stmt_get_int(s);
        d.playings = (uint32_t)stmt_get_int(s);
        d.reached = (uint64_t)stmt_get_int(s);
        d.sent = (uint64_t)stmt_get_int(s);
        d.code = stmt_get_text(s);
        d.detail = stmt_get_text(s);
        if (with_target) {
            d.target = stmt_get_blob(s, &d.target_len);
        }
        e = fn(ctx, &d);
    }
    const bool ended = e == KG_E_NOTFOUND;
    stmt_end(s);
    return ended ? KG_OK : e;
}

kg_err journal_file_open_deliveries(journal *base, journal_delivery_fn fn, void *ctx, kg_diag *diag)
{
    sqlite_journal *j = (sqlite_journal *)base;
    stmt s = stmt_of(j->st.open_deliveries);
    stmt_int(&s, DLV_DONE);
    return give_deliveries(j, &s, false, fn, ctx, diag);
}

kg_err journal_file_deliveries_of(journal *base, uint64_t position, journal_delivery_fn fn, void *ctx, kg_diag *diag)
{
    sqlite_journal *j = (sqlite_journal *)base;
    stmt s = stmt_of(j->st.deliveries_of);
    stmt_int(&s, (int64_t)journal_number(position, 0));
    stmt_int(&s, (int64_t)journal_number(position + 1, 0) - 1);
    return give_deliveries(j, &s, true, fn, ctx, diag);
}

kg_err journal_file_target(journal *base, uint64_t number, kg_buf *out, kg_diag *diag)
{
    sqlite_journal *j = (sqlite_journal *)base;
    stmt s = stmt_of(j->st.target);
    stmt_int(&s, (int64_t)number);
    return stmt_fetch(&j->d, &s, out, "a delivery's target", diag);
}

kg_err journal_file_bytes(journal *base, uint64_t position, kg_buf *out, kg_diag *diag)
{
    sqlite_journal *j = (sqlite_journal *)base;
    stmt s = stmt_of(j->st.bytes);
    stmt_int(&s, (int64_t)position);
    return stmt_fetch(&j->d, &s, out, "an alert's bytes", diag);
}

kg_err journal_file_blob_get(journal *base, const alert_hash *hash, kg_buf *out, kg_diag *diag)
{
    sqlite_journal *j = (sqlite_journal *)base;
    stmt s = stmt_of(j->st.blob);
    stmt_hash(&s, hash);
    return stmt_fetch(&j->d, &s, out, "a blob", diag);
}

kg_err journal_file_audit_rows(journal *base, uint64_t from, journal_audit_fn fn, void *ctx, kg_diag *diag)
{
    return trail_walk(&((sqlite_journal *)base)->trail, from, fn, ctx, diag);
}

void journal_file_audit_head(const journal *base, uint64_t *n, alert_hash *chain)
{
    const sqlite_journal *j = (const sqlite_journal *)base;
    *n = j->trail.head.n;
    *chain = j->trail.head.chain;
}
