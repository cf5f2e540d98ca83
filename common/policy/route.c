#include "policy/route.h"

#include <string.h>

#include "policy/judge.h"

/* A commune of the alert by rank: 0 the worst hit. */
typedef struct target {
    uint32_t commune, rank;
} target;

typedef struct routing {
    const policy *p;
    const areas *ar;
    const alert *a;
    const route_context *context;
    int64_t now_ms;
    plan *out;
    area_set set;
    kg_arena scratch;
    target *targets;    /* worst hit first, then by code */
    const char **codes; /* the same as codes, in the plan's memory: lines that cover all of them share it */
    size_t target_count;
    bool *targeted;                    /* by commune index */
    uint32_t *covered;                 /* by station: how many targets */
    uint32_t *rank;                    /* by station: of its worst target */
    const route_earlier **earlier;     /* by station: what it was told before */
    verdict verdicts[MEDIUM_COUNT][2]; /* [1]: a named list, not the public */
    bool only_earlier;
    uint32_t *always, *may;             /* by station: language masks of its communes */
    bool written[POLICY_LANGUAGES_MAX]; /* does the alert have the policy's language? */
} routing;

/* ---- communes and stations ---- */

static bool rank_targets(routing *r)
{
    const size_t n = r->set.count;
    r->targets = kg_arena_array(&r->scratch, n, sizeof *r->targets);
    r->codes = kg_arena_array(&r->out->mem, n, sizeof *r->codes);
    r->targeted = kg_arena_array(&r->scratch, areas_count(r->ar), sizeof *r->targeted);
    bool *named = kg_arena_array(&r->scratch, areas_count(r->ar), sizeof *named);
    if (r->targets == NULL || r->codes == NULL || r->targeted == NULL || named == NULL) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        r->targeted[r->set.items[i]] = true;
    }
    for (size_t i = 0; i < r->a->worst_hit.count; i++) {
        const size_t c = areas_index(r->ar, r->a->worst_hit.items[i]);
        if (c != SIZE_MAX && r->targeted[c] && !named[c]) {
            named[c] = true;
            r->targets[r->target_count] = (target){(uint32_t)c, (uint32_t)r->target_count};
            r->target_count++;
        }
    }
    const uint32_t rest = (uint32_t)r->target_count;
    for (size_t i = 0; i < n; i++) {
        if (!named[r->set.items[i]]) {
            r->targets[r->target_count++] = (target){r->set.items[i], rest};
        }
    }
    for (size_t i = 0; i < n; i++) {
        r->codes[i] = areas_at(r->ar, r->targets[i].commune)->code;
    }
    return true;
}

static void add_languages(routing *r, size_t at, size_t where)
{
    r->always[at] |= r->p->always[where];
    r->may[at] |= r->p->written[where];
}

static void find_earlier(routing *r)
{
    for (size_t i = 0; i < r->context->earlier_count; i++) {
        const route_earlier *e = &r->context->earlier[i];
        const station *s = policy_station_find(r->p, e->station->id); /* the policy may be a newer one */
        if (s == NULL) {
            continue;
        }
        r->earlier[s->index] = e;
        if (r->covered[s->index] == 0) {
            r->rank[s->index] = (uint32_t)r->target_count; /* behind those in the area */
        }
        for (size_t k = 0; k < e->communes.count; k++) {
            const size_t c = areas_index(r->ar, e->communes.items[k]);
            if (c != SIZE_MAX) {
                add_languages(r, s->index, c);
            }
        }
    }
}

static bool find_stations(routing *r)
{
    const policy *p = r->p;
    r->covered = kg_arena_array(&r->scratch, p->station_count, sizeof *r->covered);
    r->rank = kg_arena_array(&r->scratch, p->station_count, sizeof *r->rank);
    r->always = kg_arena_array(&r->scratch, p->station_count, sizeof *r->always);
    r->may = kg_arena_array(&r->scratch, p->station_count, sizeof *r->may);
    r->earlier = kg_arena_array(&r->scratch, p->station_count, sizeof(route_earlier *));
    if (r->covered == NULL || r->rank == NULL || r->always == NULL || r->may == NULL || r->earlier == NULL) {
        return false;
    }
    for (size_t i = 0; !r->only_earlier && i < r->target_count; i++) {
        const target *t = &r->targets[i];
        for (uint32_t k = p->cover_from[t->commune]; k < p->cover_from[t->commune + 1]; k++) {
            const uint32_t s = p->cover[k];
            r->rank[s] = r->covered[s] == 0 ? t->rank : r->rank[s]; /* the first target is the worst */
            r->covered[s]++;
            add_languages(r, s, t->commune);
        }
    }
    find_earlier(r);
    return true;
}

/* ---- languages ---- */

static bool renders(const station *s, const char *language)
{
    for (size_t i = 0; i < s->languages.count; i++) {
        if (strcmp(s->languages.items[i], language) == 0) {
            return true;
        }
    }
    return s->languages.count == 0;
}

/* Vietnamese first, then what the communes speak and the alert has; without any of them, the alert's first language:
 * better a text in another language than silence. */
static bool set_languages(const routing *r, plan_line *l)
{
    const policy *p = r->p;
    const uint32_t always = r->always[l->station->index] | 1u; /* bit 0 is "vi" */
    const uint32_t may = r->may[l->station->index] | always;
    l->languages.items = kg_arena_array(&r->out->mem, p->language_count + 1, sizeof *l->languages.items);
    l->gaps.items = kg_arena_array(&r->out->mem, p->language_count, sizeof *l->gaps.items);
    if (l->languages.items == NULL || l->gaps.items == NULL) {
        return false;
    }
    for (size_t k = 0; r->a->infos.count > 0 && k < p->language_count; k++) {
        const uint32_t bit = 1u << k;
        if (r->written[k] && (may & bit) != 0 && renders(l->station, p->languages[k])) {
            l->languages.items[l->languages.count++] = p->languages[k];
        } else if (!r->written[k] && (always & bit) != 0) {
            l->gaps.items[l->gaps.count++] = p->languages[k];
        }
    }
    if (l->languages.count == 0 && r->a->infos.count > 0) {
        l->languages.items[l->languages.count++] = r->a->infos.items[0].language;
    }
    return true;
}

/* ---- lines ---- */

static size_t earlier_only(const routing *r, const route_earlier *e)
{
    size_t n = 0;
    for (size_t i = 0; i < e->communes.count; i++) {
        const size_t c = areas_index(r->ar, e->communes.items[i]);
        n += r->only_earlier || c == SIZE_MAX || !r->targeted[c] ? 1 : 0;
    }
    return n;
}

/* Room for the line's communes: those of the alert's area come in join_targets, those told before behind them. */
static bool set_communes(const routing *r, plan_line *l)
{
    const uint32_t s = l->station->index;
    const route_earlier *e = r->earlier[s];
    const size_t before = e != NULL ? earlier_only(r, e) : 0;
    if (before == 0 && r->covered[s] == r->target_count && r->target_count > 0) {
        l->communes = (alert_texts){r->codes, r->target_count};
        return true;
    }
    l->communes.items = kg_arena_array(&r->out->mem, r->covered[s] + before, sizeof *l->communes.items);
    return l->communes.items != NULL;
}

static void join_targets(routing *r, plan_line *const *by_station)
{
    for (size_t i = 0; !r->only_earlier && i < r->target_count; i++) {
        const uint32_t c = r->targets[i].commune;
        for (uint32_t k = r->p->cover_from[c]; k < r->p->cover_from[c + 1]; k++) {
            plan_line *l = by_station[r->p->cover[k]];
            if (l->communes.items != r->codes) {
                l->communes.items[l->communes.count++] = r->codes[i];
            }
        }
    }
}

static void join_earlier(const routing *r, plan_line *l)
{
    const route_earlier *e = r->earlier[l->station->index];
    for (size_t i = 0; e != NULL && l->communes.items != r->codes && i < e->communes.count; i++) {
        const size_t c = areas_index(r->ar, e->communes.items[i]);
        if (r->only_earlier || c == SIZE_MAX || !r->targeted[c]) {
            l->communes.items[l->communes.count++] = e->communes.items[i];
        }
    }
}

static void start_line(const routing *r, const station *s, plan_line *l)
{
    const verdict *v = &r->verdicts[s->medium][s->audience[0] != '\0'];
    *l = (plan_line){.station = s,
                     .in = v->in,
                     .mode = v->mode,
                     .repeat = v->repeat,
                     .hit_rank = r->rank[s->index],
                     .rule = v->rule,
                     .basis = v->basis,
                     .why = v->why,
                     .repeat_rule = v->repeat_rule};
    if (r->covered[s->index] > 0) {
        return;
    }
    if (r->earlier[s->index] == NULL) {
        l->in = false;
        l->rule = "area";
        l->basis = "";
        l->why = "Trạm không phủ xã, phường nào trong vùng của tin.";
    } else if (l->in) {
        l->why = "Trạm đã nhận tin trước; bản cập nhật, đính chính hoặc hủy phải tới đúng nơi đã nhận.";
    }
}

static kg_err make_lines(routing *r)
{
    const policy *p = r->p;
    plan *out = r->out;
    size_t n = 0;
    for (size_t i = 0; i < p->station_count; i++) {
        n += r->context->explain || r->covered[i] > 0 || r->earlier[i] != NULL ? 1 : 0;
    }
    out->lines = kg_arena_array(&out->mem, n, sizeof *out->lines);
    plan_line **by_station = kg_arena_array(&r->scratch, p->station_count, sizeof(plan_line *));
    if (out->lines == NULL || by_station == NULL) {
        return KG_E_NOMEM;
    }
    for (size_t i = 0; i < p->station_count; i++) {
        if (r->context->explain || r->covered[i] > 0 || r->earlier[i] != NULL) {
            plan_line *l = &out->lines[out->count++];
            by_station[i] = l;
            start_line(r, &p->stations[i], l);
            if (!set_communes(r, l)) {
                return KG_E_NOMEM;
            }
        }
    }
    join_targets(r, by_station);
    for (size_t i = 0; i < out->count; i++) {
        join_earlier(r, &out->lines[i]);
        if (!set_languages(r, &out->lines[i])) {
            return KG_E_NOMEM;
        }
        out->in_count += out->lines[i].in ? 1 : 0;
    }
    return KG_OK;
}

/* Lines come by station id; a counting sort by (in, rank) keeps that order within a rank. */
static kg_err sort_lines(routing *r)
{
    plan *out = r->out;
    const size_t ranks = r->target_count + 1;
    size_t *from = kg_arena_array(&r->scratch, 2 * ranks + 1, sizeof *from);
    plan_line *sorted = kg_arena_array(&out->mem, out->count, sizeof *sorted);
    if (from == NULL || sorted == NULL) {
        return KG_E_NOMEM;
    }
    for (size_t i = 0; i < out->count; i++) {
        from[(out->lines[i].in ? 0 : ranks) + out->lines[i].hit_rank + 1]++;
    }
    for (size_t i = 1; i <= 2 * ranks; i++) {
        from[i] += from[i - 1];
    }
    for (size_t i = 0; i < out->count; i++) {
        sorted[from[(out->lines[i].in ? 0 : ranks) + out->lines[i].hit_rank]++] = out->lines[i];
    }
    out->lines = sorted;
    return KG_OK;
}

static const judge_hold *find_hold(const routing *r)
{
    const judge_hold *asked = r->context->released ? NULL : judge_asks_person(r->a);
    if (asked != NULL || r->only_earlier || r->out->in_count > 0) {
        return asked;
    }
    return judge_reaches_nobody(r->a, r->set.count + r->context->earlier_count > 0);
}

static void apply_hold(plan *out, const judge_hold *why)
{
    out->hold = why->code;
    out->hold_vi = why->vi;
    out->in_count = 0;
    for (size_t i = 0; i < out->count; i++) {
        if (out->lines[i].in) {
            out->lines[i].in = false;
            out->lines[i].why = why->vi;
        }
    }
}

static kg_err draw(routing *r, kg_diag *diag)
{
    plan *out = r->out;
    kg_err e = areas_resolve(r->ar, r->a, &r->set, diag);
    if (e != KG_OK) {
        return e;
    }
    out->expires_ms = judge_end_ms(r->p, r->a, r->now_ms);
    out->signatures = route_signatures_needed(r->p, r->ar, r->a, &r->set);
    out->communes = r->set.count;
    out->notes = kg_arena_str(&out->mem, r->set.notes);
    r->only_earlier = route_is_end(r->a) && r->context->earlier_known;
    for (int m = 0; m < MEDIUM_COUNT; m++) {
        for (int list = 0; list < 2; list++) {
            r->verdicts[m][list] = judge_medium(r->p, r->a, (medium)m, list == 1, r->now_ms);
        }
    }
    for (size_t k = 0; k < r->p->language_count; k++) {
        r->written[k] = alert_info_for(r->a, r->p->languages[k]) != NULL;
    }
    e = out->notes != NULL && rank_targets(r) && find_stations(r) ? make_lines(r) : KG_E_NOMEM;
    if (e == KG_OK && judge_for_people(r->a) && out->expires_ms > r->now_ms) {
        const judge_hold *why = find_hold(r);
        if (why != NULL) {
            apply_hold(out, why);
        }
    }
    e = e == KG_OK ? sort_lines(r) : e;
    return e == KG_OK ? KG_OK : kg_fail(diag, e, "no memory for the plan");
}

kg_err route_with(const policy *p, const areas *ar, const alert *a, const route_context *context, int64_t now_ms,
                  plan *out, kg_diag *diag)
{
    *out = (plan){.notes = ""};
    if (areas_count(ar) != p->commune_count) {
        return kg_fail(diag, KG_E_BUG, "the policy was compiled for another table of communes");
    }
    routing r = {.p = p, .ar = ar, .a = a, .context = context, .now_ms = now_ms, .out = out};
    const kg_err e = draw(&r, diag);
    area_set_done(&r.set);
    kg_arena_done(&r.scratch);
    if (e != KG_OK) {
        plan_done(out);
    }
    return e;
}

kg_err route_plan(const policy *p, const areas *ar, const alert *a, int64_t now_ms, plan *out, kg_diag *diag)
{
    return route_with(p, ar, a, &(route_context){0}, now_ms, out, diag);
}

kg_err route_explain(const policy *p, const areas *ar, const alert *a, int64_t now_ms, plan *out, kg_diag *diag)
{
    return route_with(p, ar, a, &(route_context){.explain = true}, now_ms, out, diag);
}

void plan_done(plan *p)
{
    if (p != NULL) {
        kg_arena_done(&p->mem);
        *p = (plan){.notes = ""};
    }
}
