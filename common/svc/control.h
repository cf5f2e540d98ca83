/*
 * control - the operator's door of a running process: named verbs with text arguments, answered by tables.
 *
 * Shape     A service registers verbs; the server (own CURVE domain, role operator) checks the peer's role and calls
 *           them. The client side is what `keng` uses: one query, all its replies.
 * Answer    error "ok" or the kg_err name of what the verb returned; the sentence is what it said (control_say), or the
 *           diag when it failed. An unknown verb is "notfound" and its sentence lists the known ones.
 * Rules     A verb that changes anything records who (holder of the key, and the name given) in the audit log.
 * Limits    CONTROL_ANSWER_MAX bytes an answer; CONTROL_CELLS_MAX cells a row; CONTROL_CELL_MAX bytes a cell.
 */
#ifndef KENG_SVC_CONTROL_H
#define KENG_SVC_CONTROL_H

#include "bus/bus.h"
#include "svc/loop.h"
#include "trust/manifest.h"

enum { CONTROL_ANSWER_MAX = 16 * 1024 * 1024, CONTROL_CELLS_MAX = 64, CONTROL_CELL_MAX = WIRE_CELL_MAX };

typedef struct control control;
typedef struct control_reply control_reply; /* collects one answer; given to the verb */

typedef struct control_call {
    const char *verb;
    alert_texts arguments;
    const char *who;         /* as the operator gave it */
    const key_entry *caller; /* whose key it came over */
} control_call;

typedef kg_err (*control_fn)(void *ctx, const control_call *call, control_reply *reply, kg_diag *diag);

typedef struct control_verb {
    const char *verb;
    control_fn fn;
} control_verb;

/* manifest: a pointer to the service's current manifest pointer, so that a reload is seen. */
KG_MUST_CHECK kg_err control_open(bus *b, const char *endpoint, const manifest *const *m, const control_verb *verbs,
                                  size_t count, void *ctx, control **out, kg_diag *diag);
void control_close(control **c);
const char *control_endpoint(const control *c);

/* Within a verb: columns once, then rows; cells are copied, NULL is "". Long answers are split into several replies.
 * KG_E_LIMIT: the answer or a cell is too long; return it, and the operator is told to ask for less. */
KG_MUST_CHECK kg_err control_columns(control_reply *r, const char *const *names, size_t count);
KG_MUST_CHECK kg_err control_row(control_reply *r, const char *const *cells, size_t count);
KG_MUST_CHECK kg_err control_say(control_reply *r, const char *fmt, ...) KG_PRINTF(2, 3);

/* The tool's side: blocks up to timeout_ms (it has no loop of its own). KG_OK: an answer came, whatever it says
 * (control_result). KG_E_DENIED: the process does not admit our key; KG_E_TIMEOUT. */
typedef struct control_answer {
    kg_arena mem;
    const char *error, *sentence;
    alert_texts columns;
    wire_row *rows;
    size_t row_count;
} control_answer;

KG_MUST_CHECK kg_err control_ask(const secret_key *own, const char *endpoint, const public_key *server,
                                 const char *verb, const char *const *arguments, size_t count, const char *who,
                                 int64_t timeout_ms, control_answer *out, kg_diag *diag);
/* What the verb itself came to: KG_OK, or its error with its sentence in diag. */
KG_MUST_CHECK kg_err control_result(const control_answer *a, kg_diag *diag);
void control_answer_done(control_answer *a);

#endif
