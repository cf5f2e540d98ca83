/*
 * held - alerts that wait for a person: let go, refused, or joined by a second person's signature.
 *
 * Rules     Who and why are on record. What is let go is verified and routed again at that moment: keys may have been
 *           revoked and stations have gone since it came. A signature that was missing lets the alert go by itself.
 */
#ifndef KENG_ROUTER_HELD_H
#define KENG_ROUTER_HELD_H

#include "core.h"

/* KG_E_NOTFOUND no such held alert; KG_E_DENIED its signatures count no more, or nobody can be reached; KG_E_EXPIRED. */
KG_MUST_CHECK kg_err held_release(core *c, alert_id id, const char *who, const char *why, kg_diag *diag);
KG_MUST_CHECK kg_err held_refuse(core *c, alert_id id, const char *who, const char *why, kg_diag *diag);

/* The same alert came again, verified, with other signatures: they are joined. *changed: a held one has more now.
 * KG_E_CONFLICT: the same id with other content. */
KG_MUST_CHECK kg_err held_sign(core *c, alert_id id, const void *bytes, size_t n, const char *who, bool *changed,
                               kg_diag *diag);

#endif
