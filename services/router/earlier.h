/*
 * earlier - which stations were told what an Update or a Cancel now corrects, and for which communes.
 *
 * Rules     Follows the references, and theirs, back: a station that heard the first warning must hear its end even when
 *           the update between never reached it. One entry a station. An alert of another agency is foreign: a person
 *           decides.
 */
#ifndef KENG_ROUTER_EARLIER_H
#define KENG_ROUTER_EARLIER_H

#include "core.h"

enum { EARLIER_ALERTS_MAX = 256 };

typedef struct earlier {
    kg_arena mem;
    route_earlier *items;
    size_t count;
    bool foreign;
} earlier;

/* foreign_too: a person has decided, follow those also. */
KG_MUST_CHECK kg_err earlier_find(core *c, const alert *a, bool foreign_too, earlier *out, kg_diag *diag);
void earlier_done(earlier *e);

#endif
