#include "store/audit.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

/* One row, packed: the longest fits the stack. */
typedef struct packed {
    uint8_t bytes[ALERT_HASH_BYTES + 2 * 8 + 4 * 4 + 3 * AUDIT_NAME_MAX + AUDIT_DETAIL_MAX];
    size_t len;
} packed;

static void put_number(packed *p, uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        p->bytes[p->len++] = (uint8_t)(v >> (8 * (bytes - 1 - i)));
    }
}

static void put_text(packed *p, const char *s, size_t max)
{
    const size_t n = s != NULL ? strlen(s) : 0;
    assert(n <= max);
    put_number(p, n, 4);
    if (n > 0) {
        memcpy(p->bytes + p->len, s, n);
        p->len += n;
    }
}

alert_hash audit_chain(const alert_hash *before, const audit_row *row)
{
    packed p;
    p.len = 0;
    memcpy(p.bytes, before->b, sizeof before->b);
    p.len = sizeof before->b;
    put_number(&p, row->n, 8);
    put_number(&p, (uint64_t)row->time_ms, 8);
    put_text(&p, row->actor, AUDIT_NAME_MAX);
    put_text(&p, row->action, AUDIT_NAME_MAX);
    put_text(&p, row->object, AUDIT_NAME_MAX);
    put_text(&p, row->detail, AUDIT_DETAIL_MAX);
    return alert_hash_of(p.bytes, p.len);
}

void audit_check_start(audit_checker *c)
{
    *c = (audit_checker){.next_n = 1};
}

static bool short_enough(const char *s, size_t max)
{
    return s == NULL || strnlen(s, max + 1) <= max;
}

bool audit_check(audit_checker *c, const audit_row *row, kg_diag *diag)
{
    if (row->n != c->next_n) {
        kg_ignore(kg_fail(diag, KG_E_INVALID,
                          "audit: row %" PRIu64 " is missing or out of place: row %" PRIu64 " stands there", c->next_n,
                          row->n)); /* the answer is false; the sentence is the diag */
        return false;
    }
    const bool sizes = short_enough(row->actor, AUDIT_NAME_MAX) && short_enough(row->action, AUDIT_NAME_MAX) &&
                       short_enough(row->object, AUDIT_NAME_MAX) && short_enough(row->detail, AUDIT_DETAIL_MAX);
    alert_hash want = {{0}};
    if (sizes) {
        want = audit_chain(&c->chain, row);
    }
    if (!sizes || memcmp(&want, &row->chain, sizeof want) != 0) {
        kg_ignore(kg_fail(diag, KG_E_INVALID, "audit: row %" PRIu64 " (%.64s, %.64s) was changed after it was written",
                          row->n, row->action != NULL ? row->action : "", row->object != NULL ? row->object : ""));
        return false;
    }
    c->chain = want;
    c->next_n++;
    return true;
}

bool audit_check_end(const audit_checker *c, uint64_t n, const alert_hash *chain, kg_diag *diag)
{
    if (c->next_n <= n) {
        kg_ignore(kg_fail(diag, KG_E_INVALID,
                          "audit: the rows end at %" PRIu64 ", but row %" PRIu64 " was once there: rows were cut off",
                          c->next_n - 1, n));
        return false;
    }
    if (c->next_n == n + 1 && memcmp(&c->chain, chain, sizeof *chain) != 0) {
        kg_ignore(kg_fail(diag, KG_E_INVALID,
                          "audit: row %" PRIu64 " is not the one the checkpoint saw: the record was written anew", n));
        return false;
    }
    return true;
}
