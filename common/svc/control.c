#include "svc/control.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"

enum { VERBS_MAX = 64, ROWS_A_FRAME = 512, CELLS_A_FRAME = 4096, BYTES_A_FRAME = 40 * 1024 };

struct control {
    bus_server *server;
    const manifest *const *manifest;
    control_verb verbs[VERBS_MAX];
    size_t verb_count;
    void *ctx;
};

struct control_reply {
    kg_arena mem;
    alert_texts columns;
    wire_row *rows;
    size_t row_count, row_cap;
    char sentence[WIRE_TEXT_MAX];
};

/* ---- what a verb fills ---- */

static kg_err copy_texts(kg_arena *mem, const char *const *from, size_t count, alert_texts *out)
{
    if (count > CONTROL_CELLS_MAX) {
        return KG_E_LIMIT;
    }
    const char **items = kg_arena_array(mem, count, sizeof(char *));
    if (items == NULL) {
        return KG_E_LIMIT;
    }
    for (size_t i = 0; i < count; i++) {
        const char *s = from[i] != NULL ? from[i] : "";
        items[i] = strlen(s) <= CONTROL_CELL_MAX ? kg_arena_str(mem, s) : NULL;
        if (items[i] == NULL) {
            return KG_E_LIMIT;
        }
    }
    *out = (alert_texts){items, count};
    return KG_OK;
}

kg_err control_columns(control_reply *r, const char *const *names, size_t count)
{
    return copy_texts(&r->mem, names, count, &r->columns);
}

static size_t row_bytes(const wire_row *row)
{
    size_t n = 8;
    for (size_t i = 0; i < row->cells.count; i++) {
        n += strlen(row->cells.items[i]) + 8;
    }
    return n;
}

kg_err control_row(control_reply *r, const char *const *cells, size_t count)
{
    if (r->row_count == r->row_cap) {
        const size_t cap = r->row_cap != 0 ? 2 * r->row_cap : 64;
        wire_row *rows = realloc(r->rows, cap * sizeof *rows);
        if (rows == NULL) {
            return KG_E_NOMEM;
        }
        r->rows = rows;
        r->row_cap = cap;
    }
    wire_row *row = &r->rows[r->row_count];
    kg_err e = copy_texts(&r->mem, cells, count, &row->cells);
    if (e == KG_OK && row_bytes(row) > BYTES_A_FRAME) {
        e = KG_E_LIMIT;
    }
    r->row_count += e == KG_OK ? 1 : 0;
    return e;
}

static void keep_sentence(control_reply *r, const char *s)
{
    const size_t n = kg_utf8_floor(s, strlen(s), sizeof r->sentence - 1);
    memcpy(r->sentence, s, n);
    r->sentence[n] = '\0';
}

kg_err control_say(control_reply *r, const char *fmt, ...)
{
    char text[2 * sizeof r->sentence];
    va_list ap;
    va_start(ap, fmt);
    const int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n < 0) {
        return KG_E_INVALID;
    }
    keep_sentence(r, text);
    return KG_OK;
}

/* ---- what goes out ---- */

/* How many rows from `from` on fit one frame: at least one. */
static size_t rows_that_fit(const control_reply *r, size_t from)
{
    size_t bytes = 0;
    size_t cells = 0;
    size_t n = 0;
    for (; from + n < r->row_count && n < ROWS_A_FRAME; n++) {
        const wire_row *row = &r->rows[from + n];
        bytes += row_bytes(row);
        cells += row->cells.count;
        if (n > 0 && (bytes > BYTES_A_FRAME || cells > CELLS_A_FRAME)) {
            break;
        }
    }
    return n;
}

static kg_err send_message(control *c, bus_peer to, const wire_msg *m)
{
    kg_buf frame = {.max = WIRE_FRAME_MAX};
    kg_err e = wire_write(m, &frame);
    if (e == KG_OK) {
        e = bus_send(c->server, to, frame.s, frame.len);
    }
    kg_buf_done(&frame);
    return e;
}

static kg_err send_reply(control *c, bus_peer to, uint64_t number, const char *error, const control_reply *r)
{
    kg_err e = KG_OK;
    size_t at = 0;
    do {
        const size_t n = rows_that_fit(r, at);
        wire_msg m = {.kind = WIRE_REPLY};
        m.u.reply.number = number;
        m.u.reply.error = error;
        m.u.reply.sentence = r->sentence;
        m.u.reply.columns = at == 0 ? r->columns : (alert_texts){0};
        m.u.reply.rows = n > 0 ? r->rows + at : NULL;
        m.u.reply.row_count = n;
        at += n;
        m.u.reply.more = at < r->row_count;
        e = send_message(c, to, &m);
    } while (e == KG_OK && at < r->row_count);
    return e;
}

static void say_known_verbs(const control *c, const char *asked, kg_diag *diag)
{
    kg_buf list = {.max = KG_DIAG_MAX};
    for (size_t i = 0; i < c->verb_count; i++) {
        kg_ignore(kg_buf_putf(&list, "%s%s", i > 0 ? ", " : "", c->verbs[i].verb)); /* too long is cut: a hint */
    }
    kg_ignore(kg_fail(diag, KG_E_NOTFOUND, "unknown request \"%s\"; known here: %s", asked, kg_buf_str(&list)));
    kg_buf_done(&list);
}

static kg_err call_verb(control *c, const control_call *call, control_reply *reply, kg_diag *diag)
{
    for (size_t i = 0; i < c->verb_count; i++) {
        if (strcmp(c->verbs[i].verb, call->verb) == 0) {
            return c->verbs[i].fn(c->ctx, call, reply, diag);
        }
    }
    say_known_verbs(c, call->verb, diag);
    return KG_E_NOTFOUND;
}

static kg_err answer(control *c, bus_peer from, const wire_msg *query, const key_entry *caller)
{
    const control_call call = {query->u.query.verb, query->u.query.arguments, query->u.query.who, caller};
    control_reply *reply = calloc(1, sizeof *reply);
    if (reply == NULL) {
        return KG_E_NOMEM;
    }
    reply->mem.max = CONTROL_ANSWER_MAX;
    kg_diag diag = {{0}};
    const kg_err said = call_verb(c, &call, reply, &diag);
    if (kg_err_class(said) != KG_DONE) {
        keep_sentence(reply, diag.text[0] != '\0' ? diag.text
                             : said == KG_E_LIMIT ? "the answer is too long: ask for less"
                                                  : kg_err_name(said));
        reply->columns = (alert_texts){0};
        reply->row_count = 0; /* half an answer is none */
    }
    const kg_err e = send_reply(c, from, query->u.query.number, kg_err_name(said), reply);
    free(reply->rows);
    kg_arena_done(&reply->mem);
    free(reply);
    return e;
}

/* ---- who may come in ---- */

static const key_entry *operator_of(const control *c, const public_key *key)
{
    const key_entry *e = *c->manifest != NULL ? manifest_connector(*c->manifest, key) : NULL;
    return e != NULL && key_entry_valid(e, kg_clock_wall_ms()) && e->role == ROLE_OPERATOR ? e : NULL;
}

static bool admit(void *ctx, const public_key *key)
{
    return operator_of(ctx, key) != NULL;
}

static void refuse(control *c, bus_peer to, kg_err why, const kg_diag *diag)
{
    wire_msg m = {.kind = WIRE_REFUSED};
    m.u.refused.code = why == KG_E_DENIED ? "bad-version" : "bad-form";
    m.u.refused.sentence = diag->text;
    kg_ignore(send_message(c, to, &m)); /* it sent rubbish: whether it hears so is its own affair */
}

static void on_message(void *ctx, bus_peer from, const public_key *key, const void *bytes, size_t n)
{
    control *c = ctx;
    const key_entry *caller = operator_of(c, key);
    if (caller == NULL) {
        return; /* the bus has asked `admit` a moment ago; a manifest may have changed in between */
    }
    wire_msg query;
    kg_diag diag = {{0}};
    kg_err e = wire_read(bytes, n, &query, &diag);
    if (e != KG_OK) {
        refuse(c, from, e, &diag);
        return;
    }
    if (query.kind == WIRE_QUERY) {
        e = answer(c, from, &query, caller);
    } else {
        kg_ignore(kg_fail(&diag, KG_E_INVALID, "only queries are answered here"));
        refuse(c, from, KG_E_INVALID, &diag);
    }
    if (e != KG_OK) {
        kg_log(KG_WARNING, "control.answer_lost", KG_TEXT("who", caller->holder), KG_TEXT("why", kg_err_name(e)));
    }
    wire_done(&query);
}

/* ---- life ---- */

kg_err control_open(bus *b, const char *endpoint, const manifest *const *m, const control_verb *verbs, size_t count,
                    void *ctx, control **out, kg_diag *diag)
{
    static const bus_server_ops ops = {.admit = admit, .message = on_message};
    if (count > VERBS_MAX) {
        return kg_fail(diag, KG_E_LIMIT, "control: %zu verbs are more than %d", count, VERBS_MAX);
    }
    control *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "control: no memory");
    }
    c->manifest = m;
    c->ctx = ctx;
    c->verb_count = count;
    memcpy(c->verbs, verbs, count * sizeof *verbs);
    const kg_err e = bus_listen(b, "control", endpoint, true, &ops, c, &c->server, diag);
    if (e != KG_OK) {
        free(c);
        return e;
    }
    *out = c;
    return KG_OK;
}

void control_close(control **c)
{
    if (*c != NULL) {
        bus_server_close(&(*c)->server);
        free(*c);
        *c = NULL;
    }
}

const char *control_endpoint(const control *c)
{
    return bus_server_endpoint(c->server);
}
