#include "base/fault.h"
#include "store/journal_ops.h"

void journal_close(journal **j)
{
    if (j != NULL && *j != NULL) {
        (*j)->ops->close(*j);
        *j = NULL;
    }
}

static kg_err need_batch(const journal *j, kg_diag *diag)
{
    return j->in_batch ? KG_OK : kg_fail(diag, KG_E_BUG, "journal: a change outside of a batch");
}

kg_err journal_begin(journal *j, kg_diag *diag)
{
    if (j->in_batch) {
        return kg_fail(diag, KG_E_BUG, "journal: a batch is open already");
    }
    const kg_err e = j->ops->begin(j, diag);
    j->in_batch = e == KG_OK;
    return e;
}

kg_err journal_commit(journal *j, kg_diag *diag)
{
    kg_err e = need_batch(j, diag);
    if (e == KG_OK) {
        KG_FAULT("journal.before_commit");
        j->in_batch = false;
        e = j->ops->commit(j, diag);
        KG_FAULT("journal.after_commit");
    }
    return e;
}

void journal_rollback(journal *j)
{
    if (j->in_batch) {
        j->in_batch = false;
        j->ops->rollback(j);
    }
}

kg_err journal_idle(journal *j, kg_diag *diag)
{
    return j->in_batch ? KG_OK : j->ops->idle(j, diag);
}

bool journal_use_reserve(journal *j)
{
    return !j->in_batch && j->ops->use_reserve(j);
}

bool journal_short_of_room(const journal *j)
{
    return j->ops->short_of_room(j);
}

static kg_err check_deliveries(const journal_delivery *deliveries, size_t count, kg_diag *diag)
{
    if (count > (size_t)1 << JOURNAL_LINE_BITS) {
        return kg_fail(diag, KG_E_LIMIT, "journal: %zu deliveries of one alert are more than %d", count,
                       1 << JOURNAL_LINE_BITS);
    }
    for (size_t i = 0; i < count; i++) {
        if (deliveries[i].station == NULL || deliveries[i].station[0] == '\0') {
            return kg_fail(diag, KG_E_INVALID, "journal: a delivery without a station");
        }
    }
    return KG_OK;
}

kg_err journal_accept(journal *j, journal_alert *a, journal_delivery *deliveries, size_t count, kg_diag *diag)
{
    kg_err e = need_batch(j, diag);
    if (e == KG_OK) {
        e = check_deliveries(deliveries, count, diag);
    }
    return e == KG_OK ? j->ops->accept(j, a, deliveries, count, diag) : e;
}

kg_err journal_plan(journal *j, uint64_t position, journal_delivery *deliveries, size_t count, kg_diag *diag)
{
    kg_err e = need_batch(j, diag);
    if (e == KG_OK) {
        e = check_deliveries(deliveries, count, diag);
    }
    return e == KG_OK ? j->ops->plan(j, position, deliveries, count, diag) : e;
}

kg_err journal_set_lifecycle(journal *j, uint64_t position, uint8_t lifecycle, int64_t now_ms, kg_diag *diag)
{
    const kg_err e = need_batch(j, diag);
    return e == KG_OK ? j->ops->set_lifecycle(j, position, lifecycle, now_ms, diag) : e;
}

kg_err journal_set_held(journal *j, uint64_t position, bool held, const char *code, const char *sentence, kg_diag *diag)
{
    const kg_err e = need_batch(j, diag);
    const journal_alert a = {.position = position, .held = held, .hold_code = code, .hold_sentence = sentence};
    return e == KG_OK ? j->ops->set_held(j, &a, diag) : e;
}

kg_err journal_sign_again(journal *j, uint64_t position, const alert_hash *hash, const void *bytes, size_t n,
                          kg_diag *diag)
{
    const kg_err e = need_batch(j, diag);
    const journal_alert a = {.position = position, .hash = *hash, .signed_bytes = bytes, .signed_len = n};
    return e == KG_OK ? j->ops->sign_again(j, &a, diag) : e;
}

kg_err journal_set_delivery(journal *j, const journal_delivery *d, kg_diag *diag)
{
    kg_err e = need_batch(j, diag);
    if (e == KG_OK && ((unsigned)d->state >= DLV_STATE_COUNT || d->state == DLV_OFFERED)) {
        e = kg_fail(diag, KG_E_BUG, "journal: a delivery is never written as %s", dlv_state_text(d->state));
    }
    return e == KG_OK ? j->ops->set_delivery(j, d, diag) : e;
}

kg_err journal_audit(journal *j, int64_t time_ms, const char *actor, const char *action, const char *object,
                     const char *detail, kg_diag *diag)
{
    const kg_err e = need_batch(j, diag);
    audit_row row = {.time_ms = time_ms, .actor = actor, .action = action, .object = object, .detail = detail};
    return e == KG_OK ? j->ops->audit(j, &row, diag) : e;
}

kg_err journal_blob_put(journal *j, const alert_hash *hash, const void *bytes, size_t n, kg_diag *diag)
{
    const kg_err e = need_batch(j, diag);
    return e == KG_OK ? j->ops->blob_put(j, hash, bytes, n, diag) : e;
}

kg_err journal_alerts(journal *j, bool with_bytes, journal_alert_fn fn, void *ctx, kg_diag *diag)
{
    return j->ops->alerts(j, JOURNAL_ALL, with_bytes, fn, ctx, diag);
}

kg_err journal_open_alerts(journal *j, bool with_bytes, journal_alert_fn fn, void *ctx, kg_diag *diag)
{
    return j->ops->alerts(j, JOURNAL_OPEN, with_bytes, fn, ctx, diag);
}

kg_err journal_open_deliveries(journal *j, journal_delivery_fn fn, void *ctx, kg_diag *diag)
{
    return j->ops->open_deliveries(j, fn, ctx, diag);
}

kg_err journal_deliveries_of(journal *j, uint64_t position, journal_delivery_fn fn, void *ctx, kg_diag *diag)
{
    return j->ops->deliveries_of(j, position, fn, ctx, diag);
}

kg_err journal_target(journal *j, uint64_t number, kg_buf *out, kg_diag *diag)
{
    return j->ops->target(j, number, out, diag);
}

kg_err journal_find(journal *j, alert_id id, journal_alert_fn fn, void *ctx, kg_diag *diag)
{
    return j->ops->find(j, id, fn, ctx, diag);
}

kg_err journal_bytes(journal *j, uint64_t position, kg_buf *out, kg_diag *diag)
{
    return j->ops->bytes(j, position, out, diag);
}

kg_err journal_blob_get(journal *j, const alert_hash *hash, kg_buf *out, kg_diag *diag)
{
    return j->ops->blob_get(j, hash, out, diag);
}

kg_err journal_audit_rows(journal *j, uint64_t from, journal_audit_fn fn, void *ctx, kg_diag *diag)
{
    return j->ops->audit_rows(j, from, fn, ctx, diag);
}

void journal_audit_head(const journal *j, uint64_t *n, alert_hash *chain)
{
    j->ops->audit_head(j, n, chain);
}
