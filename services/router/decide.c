#include "decide.h"

#include <string.h>

#include "wire/wire.h"

uint8_t decide_weight(const alert *a)
{
    return (uint8_t)(a->risk_level * CAP_SEVERITY_COUNT + (unsigned)alert_severity(a));
}

static void hold(decision *d, const char *code, const char *vi)
{
    if (d->hold == NULL) {
        d->hold = code;
        d->hold_vi = vi;
    }
}

static kg_err apply_life(core *c, const alert *a, bool released, decision *d, kg_diag *diag)
{
    const kg_err e = life_add(c->life, a, c->now_ms, released, &d->life);
    if (e != KG_OK) {
        return kg_fail(diag, e, "no memory to remember the alert");
    }
    if (d->life.foreign) {
        hold(d, refusal_code(REFUSAL_FOREIGN_REFERENCE), refusal_vi(REFUSAL_FOREIGN_REFERENCE));
    }
    return KG_OK;
}

kg_err decide(core *c, const alert *a, size_t holders, bool released, decision *out, kg_diag *diag)
{
    *out = (decision){0};
    kg_err e = earlier_find(c, a, released, &out->earlier, diag);
    if (e == KG_OK) {
        const route_context context = {.earlier = out->earlier.items,
                                       .earlier_count = out->earlier.count,
                                       .earlier_known = a->references.count > 0,
                                       .released = released};
        e = route_with(c->policy, c->areas, a, &context, c->now_ms, &out->plan, diag);
    }
    if (e == KG_OK && !released && holders < out->plan.signatures) {
        hold(out, refusal_code(REFUSAL_NEEDS_SIGNATURE), refusal_vi(REFUSAL_NEEDS_SIGNATURE));
    }
    if (e == KG_OK && !released && out->earlier.foreign) {
        hold(out, refusal_code(REFUSAL_FOREIGN_REFERENCE), refusal_vi(REFUSAL_FOREIGN_REFERENCE));
    }
    if (e == KG_OK && out->plan.hold != NULL) {
        hold(out, out->plan.hold, out->plan.hold_vi);
    }
    if (e == KG_OK && out->hold == NULL) {
        e = apply_life(c, a, released, out, diag); /* last: from here on others are ended by it */
    }
    if (e != KG_OK) {
        decision_done(out);
    }
    return e;
}

void decision_done(decision *d)
{
    plan_done(&d->plan);
    earlier_done(&d->earlier);
}

static kg_err target_of(const plan_line *l, kg_arena *mem, journal_delivery *out)
{
    const wire_target t = {.mode = (uint32_t)l->mode,
                           .repeat_after_s = l->repeat.after_s,
                           .repeat_after_count = l->repeat.after_count,
                           .repeat_every_s = l->repeat.every_s,
                           .repeat_on_the_hour = l->repeat.on_the_hour,
                           .languages = l->languages,
                           .communes = l->communes,
                           .rule = l->rule,
                           .basis = l->basis};
    kg_buf b = {.max = WIRE_FRAME_MAX};
    kg_err e = wire_target_pack(&t, &b);
    if (e == KG_OK) {
        void *copy = kg_arena_alloc(mem, b.len + 1);
        if (copy == NULL) {
            e = KG_E_NOMEM;
        } else {
            memcpy(copy, kg_buf_str(&b), b.len);
            *out = (journal_delivery){
                .station = l->station->id, .hit_rank = l->hit_rank, .target = copy, .target_len = b.len};
        }
    }
    kg_buf_done(&b);
    return e;
}

kg_err decide_deliveries(const decision *d, kg_arena *mem, journal_delivery **out, size_t *count)
{
    *count = 0;
    *out = kg_arena_array(mem, d->plan.in_count + 1, sizeof **out);
    if (*out == NULL) {
        return KG_E_NOMEM;
    }
    if (d->hold != NULL || d->life.own != LIFE_ALIVE) {
        return KG_OK; /* a person decides first; or its end came before it */
    }
    for (size_t i = 0; i < d->plan.count && *count < d->plan.in_count; i++) {
        if (d->plan.lines[i].in) {
            const kg_err e = target_of(&d->plan.lines[i], mem, &(*out)[*count]);
            if (e != KG_OK) {
                return e;
            }
            (*count)++;
        }
    }
    return KG_OK;
}

kg_err decide_enter(core *c, const book_alert *head, const decision *d, const journal_delivery *rows, size_t count)
{
    if (count == 0) {
        return KG_OK;
    }
    book_alert *a = NULL;
    kg_err e = book_add(c->book, head, (uint32_t)count, &a);
    size_t row = 0;
    for (size_t i = 0; e == KG_OK && i < d->plan.count && row < count; i++) {
        const plan_line *l = &d->plan.lines[i];
        if (!l->in) {
            continue;
        }
        const uint32_t line = (uint32_t)(rows[row++].number & ((1u << JOURNAL_LINE_BITS) - 1));
        a->lines[line] = (book_line){.station = l->station->index,
                                     .hit_rank = (uint16_t)(l->hit_rank > UINT16_MAX ? UINT16_MAX : l->hit_rank),
                                     .state = DLV_PENDING};
        a->open++;
        c->states[DLV_PENDING]++;
        e = core_queue(c, a, line);
    }
    return e;
}
