#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "store/audit.h"
#include "svc/control.h"
#include "tool.h"

/* The router hands out the rows; the chain is computed here, so that a router cannot vouch for itself. */
enum { OPT_CONFIG, OPT_TO, ROW_CELLS = 7, PAGE_TIMEOUT_MS = 30000 };

static bool read_row(const wire_row *w, audit_row *out)
{
    char *end = NULL;
    *out = (audit_row){0};
    if (w->cells.count != ROW_CELLS || !kg_hex_read(w->cells.items[6], out->chain.b, sizeof out->chain.b)) {
        return false;
    }
    out->n = strtoull(w->cells.items[0], &end, 10);
    if (end == w->cells.items[0] || *end != '\0') {
        return false;
    }
    out->time_ms = strtoll(w->cells.items[1], &end, 10);
    out->actor = w->cells.items[2];
    out->action = w->cells.items[3];
    out->object = w->cells.items[4];
    out->detail = w->cells.items[5];
    return *end == '\0';
}

/* A text may hold anything; a tab or a line's end would break the table. */
static void print_cell(const char *text, char end)
{
    for (const char *c = text; *c != '\0'; c++) {
        (void)putchar((unsigned char)*c < ' ' ? ' ' : *c);
    }
    (void)putchar(end);
}

static void print_row(const audit_row *row)
{
    char time[KG_TIME_TEXT_MAX];
    kg_time_text(row->time_ms, KG_VN_OFFSET_MIN, time);
    (void)printf("%" PRIu64 "\t%s\t", row->n, time);
    print_cell(row->actor, '\t');
    print_cell(row->action, '\t');
    print_cell(row->object, '\t');
    print_cell(row->detail, '\n');
}

static kg_err check_page(const control_answer *page, audit_checker *checker, bool list, kg_diag *diag)
{
    for (size_t i = 0; i < page->row_count; i++) {
        audit_row row;
        if (!read_row(&page->rows[i], &row)) {
            return kg_fail(diag, KG_E_INVALID, "after row %" PRIu64 ": a row that is none", checker->next_n);
        }
        if (!audit_check(checker, &row, diag)) {
            return KG_E_CONFLICT;
        }
        if (list) {
            print_row(&row);
        }
    }
    return KG_OK;
}

static kg_err walk(const operator_config *c, const operator_process *p, bool list, uint64_t *rows, kg_diag *diag)
{
    secret_key *own = NULL;
    audit_checker checker;
    audit_check_start(&checker);
    const uint64_t first = checker.next_n;
    kg_err e = secret_load(c->key_path, &own, diag);
    bool more = e == KG_OK;
    while (more) {
        char from[24];
        (void)snprintf(from, sizeof from, "%" PRIu64, checker.next_n);
        const char *arguments[] = {from};
        control_answer page = {0};
        e = control_ask(own, p->control, &p->key, "audit", arguments, 1, c->who, PAGE_TIMEOUT_MS, &page, diag);
        if (e == KG_OK) {
            e = control_result(&page, diag); /* a door that gives no rows shows no chain */
        }
        if (e == KG_OK) {
            e = check_page(&page, &checker, list, diag);
        }
        more = e == KG_OK && page.row_count > 0;
        control_answer_done(&page);
    }
    *rows = checker.next_n - first;
    secret_free(&own);
    return e;
}

static int read_chain(const cli_args *args, bool list)
{
    operator_config c = {0};
    kg_diag diag = {{0}};
    uint64_t rows = 0;
    const int status = tool_config(args, &c);
    if (status != CLI_OK) {
        return status;
    }
    const operator_process *p =
        operator_process_find(&c, args->values[OPT_TO] != NULL ? args->values[OPT_TO] : "", &diag);
    const kg_err e = p != NULL ? walk(&c, p, list, &rows, &diag) : KG_E_NOTFOUND;
    if (e == KG_OK && !list) {
        (void)printf("%s: %" PRIu64 " audit rows, the chain holds\n", p->name, rows);
    }
    operator_config_done(&c);
    return e == KG_OK ? CLI_OK : tool_fail(e, &diag);
}

int audit_verify(const cli_args *args)
{
    return read_chain(args, false);
}

int audit_list(const cli_args *args)
{
    (void)puts("n\ttime\tactor\taction\tobject\tdetail");
    return read_chain(args, true);
}
