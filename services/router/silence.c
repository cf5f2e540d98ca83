#include "silence.h"

#include "base/log.h"

enum { ALERTS_A_LOOK = 256 };

static void tell(core *c, book_alert *a)
{
    uint32_t silent = 0;
    const book_line *worst = NULL;
    for (uint32_t i = 0; i < a->count; i++) {
        const book_line *l = &a->lines[i];
        if ((l->state == DLV_PENDING || l->state == DLV_OFFERED) && l->station != CORE_NO_STATION) {
            silent++;
            worst = worst == NULL || l->hit_rank < worst->hit_rank ? l : worst;
        }
    }
    if (silent > 0) {
        char id[ALERT_ID_TEXT];
        alert_id_text(a->id, id);
        const char *name = policy_station(c->policy, worst->station)->id;
        core_audit(c, "keng-router", "stations.silent", id, "count=%u worst-hit=%s", silent, name);
        kg_log(KG_ERROR, "stations.silent", KG_TEXT("alert", id), KG_INT("count", silent), KG_TEXT("worst-hit", name),
               KG_TEXT("do", "call these communes; see: keng ledger"));
    }
    a->silence_told = true;
}

void silence_look(core *c)
{
    size_t left = ALERTS_A_LOOK;
    uint64_t at = c->silence_from;
    for (book_alert *a = book_next(c->book, at); a != NULL && left > 0; a = book_next(c->book, at), left--) {
        if (c->now_ms - a->accepted_ms < SILENCE_MS) {
            break; /* and so are all that came after it */
        }
        if (a->class == CLASS_URGENT && a->lifecycle == LIFE_ALIVE && !a->silence_told && a->open > 0) {
            tell(c, a);
        }
        at = a->position;
    }
    c->silence_from = at;
}
