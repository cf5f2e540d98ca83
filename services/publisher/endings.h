/*
 * endings - the text of an alert's Cancel and of its all-clear. Pure.
 *
 * Rules     The ending names the alert, goes to the same area, keeps its status, class, sector and categories, and says
 *           in Vietnamese what is over and when the ended warning was issued. Its `sent` is one or two seconds after the
 *           alert's own: it is written at the same time and waits. It lives as long as the alert.
 * Source    cap.md B5, rules 2 to 4 and lessons (Hawaii): a retraction is prepared with every live alert.
 */
#ifndef KENG_PUBLISHER_ENDINGS_H
#define KENG_PUBLISHER_ENDINGS_H

#include "alert/alert.h"
#include "store/outbox.h"

KG_MUST_CHECK kg_err endings_draft(const alert *a, outbox_draft kind, alert *out, kg_diag *diag);

/* Makes *a an Update of the alert named by the triple: adds the reference unless it is there. */
KG_MUST_CHECK kg_err endings_update_of(alert *a, const alert *old, kg_diag *diag);

#endif
