#include "svc/auditpage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"

kg_err auditpage_open(const control_call *call, control_reply *reply, auditpage *out, kg_diag *diag)
{
    static const char *const columns[] = {"n", "time_ms", "actor", "action", "object", "detail", "chain"};
    char *end = NULL;
    const char *text = call->arguments.count > 0 ? call->arguments.items[0] : "1";
    const uint64_t from = strtoull(text, &end, 10);
    if (end == text || *end != '\0' || from == 0) {
        return kg_fail(diag, KG_E_INVALID, "\"%s\" is no row number", text);
    }
    *out = (auditpage){.reply = reply, .from = from};
    return control_columns(reply, columns, sizeof columns / sizeof columns[0]);
}

kg_err auditpage_row(void *page, const audit_row *row)
{
    auditpage *p = page;
    if (p->rows == AUDITPAGE_ROWS) {
        return KG_E_AGAIN;
    }
    char n[24];
    char time[24];
    char chain[2 * ALERT_HASH_BYTES + 1];
    (void)snprintf(n, sizeof n, "%" PRIu64, row->n);
    (void)snprintf(time, sizeof time, "%" PRId64, row->time_ms);
    kg_hex(row->chain.b, ALERT_HASH_BYTES, chain);
    const char *cells[] = {n, time, row->actor, row->action, row->object, row->detail, chain};
    p->rows++;
    return control_row(p->reply, cells, sizeof cells / sizeof cells[0]);
}

kg_err auditpage_close(kg_err walked)
{
    return walked == KG_E_AGAIN ? KG_OK : walked;
}
