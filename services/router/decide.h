/*
 * decide - what an accepted alert leads to: to whom it goes, what it ends, or why a person must decide first.
 *
 * Shape     The pure decisions (lifecycle, route) with what the journal knows put before them; and the writing down of
 *           their result, which accepting and releasing share.
 */
#ifndef KENG_ROUTER_DECIDE_H
#define KENG_ROUTER_DECIDE_H

#include "earlier.h"

typedef struct decision {
    plan plan;
    earlier earlier;
    life_verdict life; /* only when nothing holds it */
    const char *hold;  /* code, or NULL */
    const char *hold_vi;
} decision;

/* released: a person has let it go. holders: persons who signed. On KG_OK release with decision_done.
 * KG_E_NOTFOUND: unknown commune. */
KG_MUST_CHECK kg_err decide(core *c, const alert *a, size_t holders, bool released, decision *out, kg_diag *diag);
void decision_done(decision *d);

/* The plan's deliveries for the journal; they borrow the plan and *mem. */
KG_MUST_CHECK kg_err decide_deliveries(const decision *d, kg_arena *mem, journal_delivery **out, size_t *count);
/* After the journal has them: into the book and the queue. */
KG_MUST_CHECK kg_err decide_enter(core *c, const book_alert *head, const decision *d, const journal_delivery *rows,
                                  size_t count);

/* Risk level and severity: inside a class, after the worst hit. */
uint8_t decide_weight(const alert *a);

#endif
