#include "progress.h"

#include <inttypes.h>

#include "delivery/dlv.h"
#include "policy/policy.h"

enum { BAR_CELLS = 24 };

static void put(kg_buf *out, const char *fmt, const char *a, uint32_t n)
{
    kg_ignore(
        kg_buf_putf(out, "%s%s %" PRIu32, fmt, a, n)); /* a line that does not fit shows less; nothing depends on it */
}

static void medium_line(const wire_msg *m, uint32_t medium_no, kg_buf *out)
{
    uint32_t by_state[DLV_STATE_COUNT] = {0};
    uint32_t total = 0;
    uint32_t over = 0;
    for (size_t i = 0; i < m->u.progress.tally_count; i++) {
        const wire_tally *t = &m->u.progress.tallies[i];
        if (t->medium == medium_no && t->state < DLV_STATE_COUNT) {
            by_state[t->state] += t->count;
            total += t->count;
            over += dlv_final((dlv_state)t->state) ? t->count : 0;
        }
    }
    if (total == 0) {
        return;
    }
    kg_ignore(kg_buf_putf(out, "%s%-12s [", out->len > 0 ? "\n" : "", medium_text((medium)medium_no)));
    const uint32_t cells = (uint32_t)((uint64_t)over * BAR_CELLS / total);
    for (uint32_t i = 0; i < BAR_CELLS; i++) {
        kg_ignore(kg_buf_puts(out, i < cells ? "#" : "."));
    }
    kg_ignore(kg_buf_putf(out, "] %" PRIu32 "/%" PRIu32, over, total));
    for (int s = 0; s < DLV_STATE_COUNT; s++) {
        if (by_state[s] > 0) {
            put(out, "  ", dlv_state_text((dlv_state)s), by_state[s]);
        }
    }
}

static bool needs_a_look(uint32_t state)
{
    return state == DLV_PARTIAL || state == DLV_REFUSED || state == DLV_FAILED || state == DLV_UNCERTAIN;
}

bool progress_lines(const wire_msg *m, int64_t submit_ms, kg_buf *out)
{
    bool good = true;
    for (uint32_t k = 0; k < MEDIUM_COUNT; k++) {
        medium_line(m, k, out);
    }
    for (size_t i = 0; i < m->u.progress.tally_count; i++) {
        good = good && !(m->u.progress.tallies[i].count > 0 && needs_a_look(m->u.progress.tallies[i].state));
    }
    if (m->u.progress.final && m->u.progress.tally_count == 0) {
        kg_ignore(kg_buf_puts(out, "it goes to no station"));
        good = false;
    } else if (m->u.progress.final) {
        kg_ignore(kg_buf_putf(
            out, "\nall final: last held %" PRId64 " ms, last outcome %" PRId64 " ms after it was submitted",
            m->u.progress.last_held_ms - submit_ms, m->u.progress.last_outcome_ms - submit_ms));
    }
    return good;
}
