#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "svc/control.h"

typedef struct asking {
    control_answer answer;
    size_t row_cap;
    bool up, refused, done;
    kg_err e;
    kg_diag *diag;
} asking;

static const char *copy(kg_arena *mem, const char *s)
{
    const char *c = kg_arena_str(mem, s);
    return c != NULL ? c : "";
}

static bool copy_texts(kg_arena *mem, const alert_texts *from, alert_texts *out)
{
    out->items = kg_arena_array(mem, from->count, sizeof(char *));
    for (size_t i = 0; out->items != NULL && i < from->count; i++) {
        out->items[i] = kg_arena_str(mem, from->items[i]);
        if (out->items[i] == NULL) {
            return false;
        }
    }
    out->count = out->items != NULL ? from->count : 0;
    return out->items != NULL;
}

/* The rows so far live in one growing arena array: a larger one is a copy, the old one goes with the arena. */
static bool room_for(asking *a, size_t more)
{
    control_answer *out = &a->answer;
    if (out->row_count + more <= a->row_cap) {
        return true;
    }
    const size_t cap = 2 * (out->row_count + more);
    wire_row *rows = kg_arena_array(&out->mem, cap, sizeof *rows);
    if (rows == NULL) {
        return false;
    }
    if (out->row_count > 0) {
        memcpy(rows, out->rows, out->row_count * sizeof *rows);
    }
    out->rows = rows;
    a->row_cap = cap;
    return true;
}

static void take_reply(asking *a, const wire_msg *m)
{
    control_answer *out = &a->answer;
    out->error = copy(&out->mem, m->u.reply.error);
    out->sentence = copy(&out->mem, m->u.reply.sentence);
    bool fits = room_for(a, m->u.reply.row_count);
    if (fits && m->u.reply.columns.count > 0) {
        fits = copy_texts(&out->mem, &m->u.reply.columns, &out->columns);
    }
    for (size_t i = 0; fits && i < m->u.reply.row_count; i++) {
        fits = copy_texts(&out->mem, &m->u.reply.rows[i].cells, &out->rows[out->row_count].cells);
        out->row_count += fits ? 1 : 0;
    }
    if (!fits) {
        a->e = kg_fail(a->diag, KG_E_LIMIT, "the answer is too long");
    }
    a->done = !fits || !m->u.reply.more;
}

static void on_message(void *ctx, const void *bytes, size_t n)
{
    asking *a = ctx;
    wire_msg m;
    if (a->done) {
        return;
    }
    kg_err e = wire_read(bytes, n, &m, a->diag);
    if (e == KG_OK && m.kind == WIRE_REPLY && m.u.reply.number == 1) {
        take_reply(a, &m);
        wire_done(&m);
        return;
    }
    if (e == KG_OK) {
        e = m.kind == WIRE_REFUSED ? kg_fail(a->diag, KG_E_DENIED, "%s", m.u.refused.sentence)
                                   : kg_fail(a->diag, KG_E_INVALID, "an answer to something that was not asked");
        wire_done(&m);
    }
    a->e = e;
    a->done = true;
}

static void on_up(void *ctx)
{
    ((asking *)ctx)->up = true;
}

static void on_refused(void *ctx)
{
    ((asking *)ctx)->refused = true;
}

/* Runs the bus until what is waited for has come, or until `until_ms`. */
static kg_err wait_for(bus *b, const asking *a, const bool *what, int64_t until_ms, kg_diag *diag)
{
    while (!*what && !a->refused && a->e == KG_OK) {
        const int64_t left = until_ms - kg_clock_mono_ms();
        if (left <= 0) {
            return KG_E_TIMEOUT;
        }
        struct pollfd fd = {.fd = bus_fd(b), .events = POLLIN};
        (void)poll(&fd, 1, bus_pending(b) ? 0 : left < 1000 ? (int)left : 1000);
        const kg_err e = bus_poll(b, 64, NULL, diag);
        if (e != KG_OK) {
            return e;
        }
    }
    return KG_OK;
}

static kg_err converse(bus *b, bus_client *c, const wire_msg *query, asking *a, int64_t until_ms)
{
    kg_buf frame = {.max = WIRE_FRAME_MAX};
    kg_err e = wire_write(query, &frame);
    if (e != KG_OK) {
        e = kg_fail(a->diag, e, "the request is too long, or not text");
        goto out;
    }
    e = wait_for(b, a, &a->up, until_ms, a->diag);
    if (e == KG_E_TIMEOUT) {
        e = kg_fail(a->diag, e, "nobody answers; is it running, and is its key the one given?");
    }
    if (e == KG_OK && !a->refused) {
        e = bus_client_send(c, frame.s, frame.len);
    }
    if (e == KG_OK && !a->refused) {
        e = wait_for(b, a, &a->done, until_ms, a->diag);
        if (e == KG_E_TIMEOUT) {
            e = kg_fail(a->diag, e, "connected, but no answer in time");
        }
    }
    if (e == KG_OK && a->refused) {
        e = kg_fail(a->diag, KG_E_DENIED,
                    "our connecting key is not admitted: the manifest must list it with the role operator");
    }
out:
    kg_buf_done(&frame);
    return e == KG_OK ? a->e : e;
}

kg_err control_ask(const secret_key *own, const char *endpoint, const public_key *server, const char *verb,
                   const char *const *arguments, size_t count, const char *who, int64_t timeout_ms, control_answer *out,
                   kg_diag *diag)
{
    static const bus_client_ops ops = {.up = on_up, .message = on_message, .refused = on_refused};
    kg_diag own_diag = {{0}};
    asking a = {.diag = diag != NULL ? diag : &own_diag};
    bus *b = NULL;
    bus_client *c = NULL;
    wire_msg query = {.kind = WIRE_QUERY};
    query.u.query.number = 1; /* one question a connection */
    query.u.query.verb = verb;
    query.u.query.who = who;
    query.u.query.arguments.count = count;
    query.u.query.arguments.items = count > 0 ? calloc(count, sizeof(char *)) : NULL;
    kg_err e = count > 0 && query.u.query.arguments.items == NULL ? KG_E_NOMEM : KG_OK;
    for (size_t i = 0; e == KG_OK && i < count; i++) {
        query.u.query.arguments.items[i] = arguments[i];
    }
    const int64_t until_ms = kg_clock_mono_ms() + timeout_ms;
    if (e == KG_OK) {
        e = bus_new(own, &b, a.diag);
    }
    if (e == KG_OK) {
        e = bus_connect(b, endpoint, server, true, &ops, &a, &c, a.diag);
    }
    if (e == KG_OK) {
        e = converse(b, c, &query, &a, until_ms);
        if (e != KG_OK) {
            e = kg_fail_in(a.diag, e, "%s: ", endpoint);
        }
    }
    bus_client_close(&c);
    bus_free(&b);
    free(query.u.query.arguments.items);
    if (e == KG_OK) {
        *out = a.answer;
    } else {
        control_answer_done(&a.answer);
    }
    return e;
}

kg_err control_result(const control_answer *a, kg_diag *diag)
{
    for (int e = 0; e < KG_ERR_COUNT; e++) {
        if (strcmp(a->error, kg_err_name((kg_err)e)) == 0) {
            return kg_err_class((kg_err)e) == KG_DONE ? KG_OK : kg_fail(diag, (kg_err)e, "%s", a->sentence);
        }
    }
    return kg_fail(diag, KG_E_INVALID, "%s: %s", a->error, a->sentence); /* of a newer version than ours */
}

void control_answer_done(control_answer *a)
{
    kg_arena_done(&a->mem);
    *a = (control_answer){0};
}
