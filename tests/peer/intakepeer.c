/* intakepeer - a publisher that does as it is told, wrong things too: for tests of the router's intake.
 *
 *   intakepeer KEYFILE ENDPOINT ROUTER_KEY
 *
 *   submit FILE         the packed Signed in FILE, inline or in pieces, as a publisher would
 *   claim FILE BYTES    announces it as so many bytes, without the bytes
 *   frame FILE          these bytes as they are, one frame
 *   pack FILE OUT       writes the frame that `submit FILE` would send into OUT
 *   quit
 *
 * On standard output, one line each: up / down / turned-away (our connecting key) / answer OUTCOME CODE SENTENCE /
 * refused CODE SENTENCE.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "bus/bus.h"
#include "svc/loop.h"

enum { FILE_MAX = 8 * 1024 * 1024, LINE_BYTES = 4096 };

typedef struct peer {
    loop *loop;
    bus *bus;
    bus_client *client;
    kg_buf whole; /* what was submitted last: pieces of it are served */
    alert_hash hash;
    char line[LINE_BYTES];
    size_t line_len;
} peer;

static void die(const char *what, const kg_diag *diag)
{
    (void)fprintf(stderr, "intakepeer: %s: %s\n", what, diag->text);
    exit(1);
}

static void must(kg_err e, const char *what, const kg_diag *diag)
{
    if (e != KG_OK) {
        die(what, diag);
    }
}

static void say(const char *line)
{
    (void)puts(line);
    (void)fflush(stdout);
}

/* ---- what comes back ---- */

static void say_receipt(wire_bytes bytes)
{
    static const char *const outcomes[WIRE_OUTCOME_COUNT] = {"accepted", "duplicate", "held", "refused", "later"};
    kg_diag diag = {{0}};
    wire_receipt r;
    must(wire_receipt_read(bytes.b, bytes.n, &r, &diag), "receipt", &diag);
    for (size_t i = 0; i < r.verdict_count; i++) {
        const wire_verdict *v = &r.verdicts[i];
        (void)printf("answer %s %s %s\n", outcomes[v->outcome], v->code, v->sentence);
    }
    (void)fflush(stdout);
    wire_receipt_done(&r);
}

static void send_msg(peer *p, const wire_msg *m)
{
    kg_buf frame = {.max = WIRE_FRAME_MAX};
    kg_diag diag = {{0}};
    must(wire_write(m, &frame), "packing", &diag);
    must(bus_client_send(p->client, frame.s, frame.len), "sending", &diag);
    kg_buf_done(&frame);
}

static void serve(peer *p, uint64_t offset)
{
    wire_msg m = {.kind = WIRE_PIECE};
    m.u.piece.hash = p->hash;
    m.u.piece.offset = offset;
    if (offset < p->whole.len) {
        const size_t left = p->whole.len - (size_t)offset;
        m.u.piece.total = p->whole.len;
        m.u.piece.bytes =
            (wire_bytes){(const uint8_t *)p->whole.s + offset, left < WIRE_PIECE_MAX ? left : WIRE_PIECE_MAX};
    }
    send_msg(p, &m);
}

static void on_message(void *ctx, const void *bytes, size_t n)
{
    peer *p = ctx;
    wire_msg m;
    kg_diag diag = {{0}};
    must(wire_read(bytes, n, &m, &diag), "reading", &diag);
    if (m.kind == WIRE_ANSWER) {
        say_receipt(m.u.answer.receipt);
    } else if (m.kind == WIRE_WANT) {
        serve(p, m.u.want.offset);
    } else if (m.kind == WIRE_REFUSED) {
        (void)printf("refused %s %s\n", m.u.refused.code, m.u.refused.sentence);
        (void)fflush(stdout);
    }
    wire_done(&m);
}

static void on_up(void *ctx)
{
    (void)ctx;
    say("up");
}

static void on_down(void *ctx)
{
    (void)ctx;
    say("down");
}

static void on_turned_away(void *ctx)
{
    (void)ctx;
    say("turned-away");
}

/* ---- what it is told ---- */

static void load(peer *p, const char *path)
{
    kg_diag diag = {{0}};
    kg_buf_clear(&p->whole);
    must(kg_file_read(path, FILE_MAX, &p->whole, &diag), path, &diag);
    p->hash = alert_hash_of(p->whole.s, p->whole.len);
}

static wire_msg submission(const peer *p, uint64_t claimed)
{
    wire_msg m = {.kind = WIRE_SUBMIT};
    m.u.submit.hash = p->hash;
    m.u.submit.total_bytes = claimed != 0 ? claimed : p->whole.len;
    if (claimed == 0 && p->whole.len <= WIRE_INLINE_MAX) {
        m.u.submit.signed_alert = (wire_bytes){(const uint8_t *)p->whole.s, p->whole.len};
    }
    return m;
}

static void pack_to(const peer *p, const char *out)
{
    kg_buf frame = {.max = WIRE_FRAME_MAX};
    kg_diag diag = {{0}};
    const wire_msg m = submission(p, 0);
    must(wire_write(&m, &frame), "packing", &diag);
    must(kg_file_replace(out, frame.s, frame.len, 0600, &diag), out, &diag);
    kg_buf_done(&frame);
    say("packed");
}

static void obey(peer *p, char *line)
{
    kg_diag diag = {{0}};
    char *rest = NULL;
    const char *verb = strtok_r(line, " ", &rest);
    const char *path = strtok_r(NULL, " ", &rest);
    const char *more = strtok_r(NULL, " ", &rest);
    if (verb == NULL || strcmp(verb, "quit") == 0) {
        loop_quit(p->loop);
        return;
    }
    if (path == NULL) {
        (void)kg_fail(&diag, KG_E_INVALID, "a file is missing");
        die(verb, &diag);
    }
    load(p, path);
    if (strcmp(verb, "frame") == 0) {
        must(bus_client_send(p->client, p->whole.s, p->whole.len), "sending", &diag);
    } else if (strcmp(verb, "pack") == 0 && more != NULL) {
        pack_to(p, more);
    } else {
        const wire_msg m = submission(p, more != NULL ? strtoull(more, NULL, 10) : 0);
        send_msg(p, &m);
    }
}

static void on_input(void *ctx, int fd, unsigned events)
{
    peer *p = ctx;
    (void)events;
    const ssize_t n = read(fd, p->line + p->line_len, sizeof p->line - 1 - p->line_len);
    if (n <= 0) {
        loop_quit(p->loop);
        return;
    }
    p->line_len += (size_t)n;
    for (char *end = memchr(p->line, '\n', p->line_len); end != NULL; end = memchr(p->line, '\n', p->line_len)) {
        const size_t used = (size_t)(end - p->line) + 1;
        char one[LINE_BYTES];
        memcpy(one, p->line, used);
        one[used - 1] = '\0';
        memmove(p->line, p->line + used, p->line_len - used);
        p->line_len -= used;
        obey(p, one);
    }
}

int main(int argc, char **argv)
{
    static const bus_client_ops ops = {.up = on_up, .down = on_down, .message = on_message, .refused = on_turned_away};
    peer p = {0};
    kg_diag diag = {{0}};
    secret_key *own = NULL;
    public_key router;
    if (argc != 4) {
        (void)fputs("usage: intakepeer KEYFILE ENDPOINT ROUTER_KEY\n", stderr);
        return 2;
    }
    must(trust_start(&diag), "crypto", &diag);
    must(secret_load(argv[1], &own, &diag), argv[1], &diag);
    must(public_read(argv[3], &router) ? KG_OK : KG_E_INVALID, argv[3], &diag);
    must(loop_new(&p.loop, &diag), "loop", &diag);
    must(bus_new(own, &p.bus, &diag), "bus", &diag);
    must(bus_connect(p.bus, argv[2], &router, true, &ops, &p, &p.client, &diag), argv[2], &diag);
    must(loop_bus(p.loop, p.bus, 64), "loop", &diag);
    must(loop_watch(p.loop, STDIN_FILENO, LOOP_READ, on_input, &p), "input", &diag);
    must(loop_run(p.loop, &diag), "loop", &diag);
    bus_client_close(&p.client);
    bus_free(&p.bus);
    loop_free(&p.loop);
    kg_buf_done(&p.whole);
    secret_free(&own);
    return 0;
}
