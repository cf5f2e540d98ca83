/* routerpeer - a scripted router for tests of sinks: it reads commands from standard input, one a line, and writes
 * what it hears to standard output, one event a line.
 *
 *   routerpeer DIR URGENT OTHER        keys and manifest are made in DIR; endpoints as in router.yaml
 *
 *   alert NAME CLASS SECONDS [update|cancel NAME2] [pad BYTES]   signs an alert that ends SECONDS from now
 *   order NAME STATION MODE [EVERY_S]                            sends it
 *   recall NAME STATION REASON                                   life_state as a number
 *   keep on|off                                                  whether receipts are answered (on)
 *   away | back                                                  closes its doors, opens them
 *   ask ENDPOINT VERB [ARGUMENT...]                              a verb of the sink's control door
 *   flood PREFIX COUNT CLASS                                     COUNT alerts to every station as credit allows
 *   quit
 *
 *   ready ROOT ROUTER SINK / hello LANE STATIONS / receipt STATION NAME PLAYING STATE LABELLED CODE DETAIL /
 *   up, gone, answer ERROR SENTENCE, row CELL|CELL, flooded COUNT MILLISECONDS
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "areas/areas.h"
#include "base/clock.h"
#include "bus/bus.h"
#include "delivery/dlv.h"
#include "delivery/queue.h"
#include "svc/control.h"
#include "svc/loop.h"
#include "tests/peer/routerpeer_world.h"
#include "wire/pieces.h"

enum { ALERTS_MAX = 20000, STATIONS_MAX = 1000, WORDS_MAX = 12, LINE_MAX_HERE = 4096, BATCH_TARGETS = 100 };

typedef struct station_state {
    char id[64];
    uint32_t credit[LANE_COUNT], sent[LANE_COUNT];
    size_t next_alert; /* of a flood */
} station_state;

typedef struct lane_state {
    struct peer *peer;
    lane lane;
    bus_server *server;
    bus_peer sink;
    bool up;
} lane_state;

typedef struct flood {
    size_t first, count, held, wanted;
    bulletin_class class;
    int64_t began_ms;
} flood;

typedef struct peer {
    peer_world world;
    const char *endpoints[LANE_COUNT];
    loop *loop;
    bus *bus;
    lane_state lanes[LANE_COUNT];
    peer_alert *alerts;
    size_t alert_count;
    station_state stations[STATIONS_MAX];
    size_t station_count;
    int64_t born_ms; /* sent time of every alert, so that a reference finds it */
    bool keep, quiet;
    flood flood;
    char line[LINE_MAX_HERE];
    size_t line_len;
    kg_buf frame;
} peer;

static void die(const char *what, const kg_diag *diag)
{
    (void)fprintf(stderr, "routerpeer: %s: %s\n", what, diag != NULL ? diag->text : "");
    exit(1);
}

static void must(kg_err e, const char *what, const kg_diag *diag)
{
    if (e != KG_OK) {
        die(what, diag);
    }
}

static void send_msg(peer *p, lane l, const wire_msg *m)
{
    kg_buf_clear(&p->frame);
    must(wire_write(m, &p->frame), "wire_write", NULL);
    if (p->lanes[l].up) {
        kg_ignore(bus_send(p->lanes[l].server, p->lanes[l].sink, p->frame.s, p->frame.len)); /* the script sees */
    }
}

static peer_alert *alert_named(peer *p, const char *name)
{
    for (size_t i = p->alert_count; i > 0; i--) {
        if (strcmp(p->alerts[i - 1].name, name) == 0) {
            return &p->alerts[i - 1];
        }
    }
    die("no such alert", NULL);
    return NULL;
}

static station_state *station_named(peer *p, const char *id)
{
    for (size_t i = 0; i < p->station_count; i++) {
        if (strcmp(p->stations[i].id, id) == 0) {
            return &p->stations[i];
        }
    }
    if (p->station_count == STATIONS_MAX) {
        die("too many stations", NULL);
    }
    station_state *s = &p->stations[p->station_count++];
    (void)snprintf(s->id, sizeof s->id, "%s", id);
    return s;
}

/* ---- hearing ---- */

static const char *name_of(const peer *p, alert_id id)
{
    for (size_t i = 0; i < p->alert_count; i++) {
        if (alert_id_same(p->alerts[i].id, id)) {
            return p->alerts[i].name;
        }
    }
    return "?";
}

static void flood_on(peer *p);

static void hear_receipts(peer *p, lane_state *l, const wire_msg *m)
{
    for (size_t i = 0; i < m->u.receipts.count; i++) {
        const wire_delivery_receipt *r = &m->u.receipts.items[i];
        p->flood.held += p->flood.wanted > 0 && r->state == (uint32_t)DLV_HELD;
        if (!p->quiet) {
            (void)printf("receipt %s %s %u %s %d %s %s\n", r->station, name_of(p, r->id), r->playing,
                         dlv_state_text((dlv_state)r->state), r->labelled, r->code[0] != '\0' ? r->code : "-",
                         r->detail);
        }
    }
    if (p->keep) {
        wire_msg kept = {.kind = WIRE_RECEIPTS_KEPT};
        kept.u.receipts_kept.batch = m->u.receipts.batch;
        send_msg(p, l->lane, &kept);
    }
    if (p->flood.wanted > 0 && p->flood.held >= p->flood.wanted) {
        (void)printf("flooded %zu %lld\n", p->flood.held, (long long)(kg_clock_mono_ms() - p->flood.began_ms));
        p->flood.wanted = 0;
        p->quiet = false;
    }
}

static void hear_grants(peer *p, lane l, const wire_grants *g, bool anew)
{
    for (size_t i = 0; i < g->count; i++) {
        station_state *s = station_named(p, g->items[i].station);
        s->credit[l] = g->items[i].credit;
        s->sent[l] = anew ? 0 : s->sent[l];
    }
    flood_on(p);
}

static void hear_want(peer *p, lane l, const wire_msg *m)
{
    wire_msg piece = {.kind = WIRE_PIECE};
    piece.u.piece.hash = m->u.want.hash;
    for (size_t i = 0; i < p->alert_count; i++) {
        if (memcmp(p->alerts[i].hash.b, m->u.want.hash.b, ALERT_HASH_BYTES) == 0) {
            const wire_bytes whole = {(const uint8_t *)p->alerts[i].bytes.s, p->alerts[i].bytes.len};
            piece.u.piece = pieces_cut(&m->u.want.hash, &whole, m->u.want.offset);
        }
    }
    send_msg(p, l, &piece);
}

static void on_message(void *ctx, bus_peer from, const public_key *key, const void *bytes, size_t n)
{
    (void)key;
    lane_state *l = ctx;
    peer *p = l->peer;
    wire_msg m;
    kg_diag diag = {{0}};
    must(wire_read(bytes, n, &m, &diag), "wire_read", &diag);
    if (m.kind == WIRE_HELLO) {
        l->sink = from;
        l->up = true;
        (void)printf("hello %s %zu\n", l->lane == LANE_URGENT ? "urgent" : "other", m.u.hello.stations.count);
        hear_grants(p, l->lane, &m.u.hello.stations, true);
        wire_msg welcome = {.kind = WIRE_WELCOME};
        welcome.u.welcome.router = "routerpeer";
        welcome.u.welcome.time_ms = kg_clock_wall_ms();
        send_msg(p, l->lane, &welcome);
    } else if (m.kind == WIRE_RECEIPTS) {
        hear_receipts(p, l, &m);
    } else if (m.kind == WIRE_CREDIT) {
        hear_grants(p, l->lane, &m.u.credit.stations, false);
    } else if (m.kind == WIRE_WANT) {
        hear_want(p, l->lane, &m);
    }
    wire_done(&m);
}

static bool admit(void *ctx, const public_key *key)
{
    const lane_state *l = ctx;
    const public_key sink = secret_public(l->peer->world.sink);
    return public_same(&sink, key);
}

static void on_gone(void *ctx, bus_peer from)
{
    lane_state *l = ctx;
    if (l->up && l->sink == from) {
        l->up = false;
        (void)printf("gone %s\n", l->lane == LANE_URGENT ? "urgent" : "other");
    }
}

static const bus_server_ops ops = {.admit = admit, .message = on_message, .gone = on_gone};

static void open_doors(peer *p)
{
    kg_diag diag = {{0}};
    for (int l = LANE_COUNT - 1; l >= 0; l--) {
        p->lanes[l].peer = p;
        p->lanes[l].lane = (lane)l;
        p->lanes[l].up = false;
        must(bus_listen(p->bus, l == LANE_URGENT ? "urgent" : "other", p->endpoints[l], l == LANE_URGENT, &ops,
                        &p->lanes[l], &p->lanes[l].server, &diag),
             "bus_listen", &diag);
    }
}

/* ---- saying ---- */

static wire_target target_of(const station_state *s, const peer *p, const peer_alert *a)
{
    static const char *here[] = {"28756"};
    static const char *vi[] = {"vi"};
    return (wire_target){.station = s->id,
                         .delivery = (uint64_t)(a - p->alerts + 1) * 4096 + (uint64_t)(s - p->stations),
                         .mode = 4,
                         .languages = {vi, 1},
                         .communes = {here, 1},
                         .rule = "script",
                         .basis = "script"};
}

static void send_order(peer *p, const peer_alert *a, const wire_target *targets, size_t count)
{
    const lane l = a->class == CLASS_URGENT ? LANE_URGENT : LANE_OTHER;
    wire_msg m = {.kind = WIRE_ORDER};
    m.u.order.id = a->id;
    m.u.order.hash = a->hash;
    m.u.order.total_bytes = a->bytes.len;
    if (a->bytes.len <= WIRE_INLINE_MAX) {
        m.u.order.signed_alert = (wire_bytes){(const uint8_t *)a->bytes.s, a->bytes.len};
    }
    m.u.order.targets = targets;
    m.u.order.target_count = count;
    send_msg(p, l, &m);
}

/* As much of the flood as credit allows: for each alert one order to all stations that may have it now. */
static void flood_on(peer *p)
{
    flood *f = &p->flood;
    const lane l = f->class == CLASS_URGENT ? LANE_URGENT : LANE_OTHER;
    size_t least = f->count;
    for (size_t i = 0; f->wanted > 0 && i < p->station_count; i++) {
        least = p->stations[i].next_alert < least ? p->stations[i].next_alert : least;
    }
    for (size_t n = least; f->wanted > 0 && n < f->count; n++) {
        wire_target targets[BATCH_TARGETS];
        size_t count = 0;
        bool any = false;
        for (size_t i = 0; i < p->station_count; i++) {
            station_state *s = &p->stations[i];
            if (s->next_alert != n || s->sent[l] >= s->credit[l]) {
                continue;
            }
            targets[count++] = target_of(s, p, &p->alerts[f->first + n]);
            s->sent[l]++;
            s->next_alert++;
            any = true;
            if (count == BATCH_TARGETS) {
                send_order(p, &p->alerts[f->first + n], targets, count);
                count = 0;
            }
        }
        if (count > 0) {
            send_order(p, &p->alerts[f->first + n], targets, count);
        }
        if (!any && n > least) {
            return;
        }
    }
}

/* ---- the script ---- */

static void make_alert(peer *p, const peer_alert_words *words)
{
    if (p->alert_count == ALERTS_MAX) {
        die("too many alerts", NULL);
    }
    must(peer_alert_make(&p->world, words, &p->alerts[p->alert_count]), "alert", NULL);
    p->alert_count++;
}

static void do_alert(peer *p, char **w, size_t n)
{
    peer_alert_words words = {.name = w[1],
                              .class = (bulletin_class)strtoul(w[2], NULL, 10),
                              .sent_ms = p->born_ms,
                              .ends_ms = kg_clock_wall_ms() + strtoll(w[3], NULL, 10) * 1000};
    for (size_t i = 4; i + 1 < n; i += 2) {
        if (strcmp(w[i], "pad") == 0) {
            words.padding = strtoul(w[i + 1], NULL, 10);
        } else {
            words.type = strcmp(w[i], "update") == 0 ? CAP_UPDATE : CAP_CANCEL;
            words.references = w[i + 1];
        }
    }
    make_alert(p, &words);
}

static void do_order(peer *p, char **w, size_t n)
{
    const peer_alert *a = alert_named(p, w[1]);
    wire_target t = target_of(station_named(p, w[2]), p, a);
    t.mode = (uint32_t)strtoul(w[3], NULL, 10);
    t.repeat_every_s = n > 4 ? (uint32_t)strtoul(w[4], NULL, 10) : 0;
    send_order(p, a, &t, 1);
}

static void do_recall(peer *p, char **w)
{
    const peer_alert *a = alert_named(p, w[1]);
    const wire_target t = target_of(station_named(p, w[2]), p, a);
    wire_msg m = {.kind = WIRE_RECALL};
    m.u.recall.id = a->id;
    m.u.recall.targets = &t;
    m.u.recall.target_count = 1;
    m.u.recall.reason = (uint32_t)strtoul(w[3], NULL, 10);
    send_msg(p, a->class == CLASS_URGENT ? LANE_URGENT : LANE_OTHER, &m);
}

static void do_flood(peer *p, char **w)
{
    p->flood = (flood){
        .first = p->alert_count, .count = strtoul(w[2], NULL, 10), .class = (bulletin_class)strtoul(w[3], NULL, 10)};
    for (size_t i = 0; i < p->flood.count; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "%s%zu", w[1], i);
        make_alert(p, &(peer_alert_words){.name = name,
                                          .class = p->flood.class,
                                          .sent_ms = p->born_ms,
                                          .ends_ms = kg_clock_wall_ms() + 3600 * 1000});
    }
    for (size_t i = 0; i < p->station_count; i++) {
        p->stations[i].next_alert = 0;
    }
    p->quiet = true;
    p->flood.wanted = p->flood.count * p->station_count;
    p->flood.began_ms = kg_clock_mono_ms();
    flood_on(p);
}

static void do_ask(peer *p, char **w, size_t n)
{
    control_answer a = {0};
    kg_diag diag = {{0}};
    const public_key sink = secret_public(p->world.sink);
    const char *arguments[WORDS_MAX];
    for (size_t i = 3; i < n; i++) {
        arguments[i - 3] = w[i];
    }
    const kg_err e = control_ask(p->world.operator_key, w[1], &sink, w[2], arguments, n - 3, "Script", 5000, &a, &diag);
    if (e != KG_OK) {
        (void)printf("answer %s %s\n", kg_err_name(e), diag.text);
        return;
    }
    for (size_t i = 0; i < a.row_count; i++) {
        (void)printf("row ");
        for (size_t k = 0; k < a.rows[i].cells.count; k++) {
            (void)printf("%s%s", k > 0 ? "|" : "", a.rows[i].cells.items[k]);
        }
        (void)printf("\n");
    }
    (void)printf("answer %s %s\n", a.error, a.sentence);
    control_answer_done(&a);
}

static void obey(peer *p, char *line)
{
    char *w[WORDS_MAX];
    size_t n = 0;
    for (char *save = NULL, *word = strtok_r(line, " \r\n", &save); word != NULL && n < WORDS_MAX;
         word = strtok_r(NULL, " \r\n", &save)) {
        w[n++] = word;
    }
    if (n == 0) {
        return;
    }
    if (strcmp(w[0], "alert") == 0 && n >= 4) {
        do_alert(p, w, n);
    } else if (strcmp(w[0], "order") == 0 && n >= 4) {
        do_order(p, w, n);
    } else if (strcmp(w[0], "recall") == 0 && n >= 4) {
        do_recall(p, w);
    } else if (strcmp(w[0], "keep") == 0 && n >= 2) {
        p->keep = strcmp(w[1], "on") == 0;
    } else if (strcmp(w[0], "away") == 0) {
        bus_server_close(&p->lanes[LANE_URGENT].server);
        bus_server_close(&p->lanes[LANE_OTHER].server);
        p->lanes[LANE_URGENT].up = p->lanes[LANE_OTHER].up = false;
    } else if (strcmp(w[0], "back") == 0) {
        open_doors(p);
    } else if (strcmp(w[0], "flood") == 0 && n >= 4) {
        do_flood(p, w);
    } else if (strcmp(w[0], "ask") == 0 && n >= 3) {
        do_ask(p, w, n);
    } else if (strcmp(w[0], "quit") == 0) {
        loop_quit(p->loop);
    } else {
        die("a command nobody knows", NULL);
    }
}

static void on_input(void *ctx, int fd, unsigned events)
{
    (void)events;
    peer *p = ctx;
    const ssize_t got = read(fd, p->line + p->line_len, sizeof p->line - p->line_len - 1);
    if (got <= 0) {
        loop_quit(p->loop);
        return;
    }
    p->line_len += (size_t)got;
    p->line[p->line_len] = '\0';
    for (char *end = strchr(p->line, '\n'); end != NULL; end = strchr(p->line, '\n')) {
        *end = '\0';
        obey(p, p->line);
        p->line_len -= (size_t)(end - p->line) + 1;
        memmove(p->line, end + 1, p->line_len + 1);
    }
}

static void print_ready(const peer *p)
{
    char text[3][KEY_TEXT];
    const public_key keys[] = {secret_public(p->world.root), secret_public(p->world.router),
                               secret_public(p->world.sink)};
    for (size_t i = 0; i < 3; i++) {
        public_text(&keys[i], text[i]);
    }
    (void)printf("ready %s %s %s\n", text[0], text[1], text[2]);
}

int main(int argc, char **argv)
{
    kg_diag diag = {{0}};
    peer *p = calloc(1, sizeof *p);
    if (argc != 4 || p == NULL) {
        die("usage: routerpeer DIR URGENT OTHER", NULL);
        return 2;
    }
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    p->keep = true;
    p->born_ms = kg_clock_wall_ms() / 1000 * 1000;
    p->endpoints[LANE_URGENT] = argv[2];
    p->endpoints[LANE_OTHER] = argv[3];
    p->alerts = calloc(ALERTS_MAX, sizeof *p->alerts);
    if (p->alerts == NULL) {
        die("no memory", NULL);
    }
    must(loop_new(&p->loop, &diag), "loop_new", &diag);
    must(peer_world_open(argv[1], &p->world, &diag), "keys", &diag);
    must(bus_new(p->world.router, &p->bus, &diag), "bus_new", &diag);
    must(bus_guard(p->bus, &diag), "bus_guard", &diag);
    must(loop_bus(p->loop, p->bus, 512), "loop_bus", &diag);
    must(loop_watch(p->loop, 0, LOOP_READ, on_input, p), "loop_watch", &diag);
    open_doors(p);
    print_ready(p);
    must(loop_run(p->loop, &diag), "loop_run", &diag);
    bus_free(&p->bus);
    loop_free(&p->loop);
    peer_world_close(&p->world);
    for (size_t i = 0; i < p->alert_count; i++) {
        kg_buf_done(&p->alerts[i].bytes);
    }
    kg_buf_done(&p->frame);
    free(p->alerts);
    free(p);
    return 0;
}
