/*
 * auditpage - the control verb "audit [FROM]": a process's audit chain, page by page, for `keng audit verify`.
 *
 * Shape     auditpage_open, then the store's walk from `from` with auditpage_row, then auditpage_close on the result.
 */
#ifndef KENG_SVC_AUDITPAGE_H
#define KENG_SVC_AUDITPAGE_H

#include "store/audit.h"
#include "svc/control.h"

enum { AUDITPAGE_ROWS = 2000 };

typedef struct auditpage {
    control_reply *reply;
    uint64_t from; /* the row number asked for; 1 without an argument */
    size_t rows;
} auditpage;

KG_MUST_CHECK kg_err auditpage_open(const control_call *call, control_reply *reply, auditpage *out, kg_diag *diag);
KG_MUST_CHECK kg_err auditpage_row(void *page, const audit_row *row);
/* A full page ends the walk early and is no error. */
KG_MUST_CHECK kg_err auditpage_close(kg_err walked);

#endif
