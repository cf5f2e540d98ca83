/*
 * bench_store - what the stores alone can do, on the disk that is named: rows accepted, held and read again a second.
 *
 * Use       bench_store FOLDER [DELIVERIES]      (default 1,000,000; FOLDER must exist and is left empty)
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "delivery/queue.h"
#include "store/journal.h"
#include "store/ledger.h"

enum { SIGNED_BYTES = 2048, STATIONS = 1000, TARGET_BYTES = 160, RECEIPT_BYTES = 80, PATH_BYTES = 512 };

typedef struct bench {
    char journal[PATH_BYTES], ledger[PATH_BYTES];
    char names[STATIONS][16];
    char targets[STATIONS][TARGET_BYTES];
    uint8_t signed_bytes[SIGNED_BYTES];
    journal_delivery deliveries[STATIONS];
} bench;

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(kg_err e, const kg_diag *diag, const char *what)
{
    if (e != KG_OK) {
        (void)fprintf(stderr, "%s: %s: %s\n", what, kg_err_name(e), diag->text);
        exit(1);
    }
}

static void say(const char *what, double n, double seconds)
{
    (void)printf("%-58s %10.0f /s   (%.0f in %.2f s)\n", what, n / seconds, n, seconds);
    (void)fflush(stdout);
}

static void remove_files(const bench *b)
{
    static const char *const ends[] = {"", "-wal", "-reserve"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char path[PATH_BYTES + 16];
        (void)snprintf(path, sizeof path, "%s%s", b->journal, ends[i]);
        (void)unlink(path);
        (void)snprintf(path, sizeof path, "%s%s", b->ledger, ends[i]);
        (void)unlink(path);
    }
}

static alert_id id_of(uint64_t n)
{
    const alert_hash h = alert_hash_of(&n, sizeof n); /* as random as real ones: the index feels it */
    alert_id id;
    memcpy(id.b, h.b, sizeof id.b);
    return id;
}

static journal_alert an_alert(bench *b, uint64_t n)
{
    memcpy(b->signed_bytes, &n, sizeof n);
    return (journal_alert){.id = id_of(n),
                           .hash = alert_hash_of(b->signed_bytes, SIGNED_BYTES),
                           .agency = "so-nnmt-vinh-long",
                           .class = CLASS_URGENT,
                           .accepted_ms = (int64_t)n,
                           .expires_ms = INT32_MAX,
                           .signed_bytes = b->signed_bytes,
                           .signed_len = SIGNED_BYTES};
}

static void accept_one(bench *b, journal *j, uint64_t n, size_t deliveries)
{
    kg_diag diag = {""};
    journal_alert a = an_alert(b, n);
    must(journal_accept(j, &a, b->deliveries, deliveries, &diag), &diag, "accept");
    must(journal_audit(j, (int64_t)n, "so-nnmt-vinh-long", "alert.accepted", "00112233445566778899aabbccddeeff",
                       "policy 0011223344556677, rule class.urgent, QĐ 18/2021/QĐ-TTg", &diag),
         &diag, "audit");
}

static void bench_accept(bench *b, size_t deliveries, size_t group, size_t alerts)
{
    kg_diag diag = {""};
    journal *j = NULL;
    must(journal_sqlite_open(b->journal, &j, &diag), &diag, "open");
    const double start = now_s();
    for (size_t n = 0; n < alerts;) {
        must(journal_begin(j, &diag), &diag, "begin");
        for (size_t i = 0; i < group && n < alerts; i++) {
            accept_one(b, j, n++, deliveries);
        }
        must(journal_commit(j, &diag), &diag, "commit");
    }
    const double took = now_s() - start;
    char what[96];
    (void)snprintf(what, sizeof what, "accept, %zu deliveries each, %zu a commit: alerts", deliveries, group);
    say(what, (double)alerts, took);
    journal_close(&j);
    remove_files(b);
}

/* What becomes of one order in a batch: the router's plan, the sink's row and receipt, the router's HELD. */
static void bench_held_both_sides(bench *b, size_t total)
{
    kg_diag diag = {""};
    journal *j = NULL;
    ledger *l = NULL;
    must(journal_sqlite_open(b->journal, &j, &diag), &diag, "open");
    must(ledger_open(b->ledger, &l, &diag), &diag, "open");
    static const uint8_t receipt[RECEIPT_BYTES] = {1};
    const double start = now_s();
    uint64_t kept = 0;
    for (uint64_t n = 0; n < total / STATIONS; n++) {
        must(journal_begin(j, &diag), &diag, "begin");
        accept_one(b, j, n, STATIONS);
        must(journal_commit(j, &diag), &diag, "commit");
        const journal_alert a = an_alert(b, n);
        must(ledger_begin(l, &diag), &diag, "begin");
        for (size_t i = 0; i < STATIONS; i++) {
            const ledger_holding h = {.id = a.id,
                                      .station = b->names[i],
                                      .delivery = b->deliveries[i].number,
                                      .held_ms = 5,
                                      .target = b->targets[i],
                                      .target_len = TARGET_BYTES};
            must(ledger_hold(l, &h, &a.hash, b->signed_bytes, SIGNED_BYTES, &diag), &diag, "hold");
            must(ledger_receipt_put(l, receipt, sizeof receipt, &diag), &diag, "receipt");
        }
        must(ledger_commit(l, &diag), &diag, "commit");
        must(journal_begin(j, &diag), &diag, "begin");
        for (size_t i = 0; i < STATIONS; i++) {
            const journal_delivery d = {.number = b->deliveries[i].number, .state = DLV_HELD, .held_ms = 5};
            must(journal_set_delivery(j, &d, &diag), &diag, "held");
        }
        must(journal_commit(j, &diag), &diag, "commit");
        kept += STATIONS;
        must(ledger_begin(l, &diag), &diag, "begin");
        must(ledger_receipts_kept(l, kept, &diag), &diag, "kept");
        must(ledger_commit(l, &diag), &diag, "commit");
    }
    say("planned, held at the sink, HELD at the router, kept", (double)kept, now_s() - start);
    journal_close(&j);
    ledger_close(&l);
    remove_files(b);
}

static void fill(bench *b, size_t total)
{
    kg_diag diag = {""};
    journal *j = NULL;
    must(journal_sqlite_open(b->journal, &j, &diag), &diag, "open");
    double start = now_s();
    double worst = 0;
    for (uint64_t n = 0; n < total / STATIONS; n++) {
        const double t = now_s();
        must(journal_begin(j, &diag), &diag, "begin");
        accept_one(b, j, n, STATIONS);
        must(journal_commit(j, &diag), &diag, "commit");
        worst = now_s() - t > worst ? now_s() - t : worst;
    }
    say("planned, an alert a commit: deliveries", (double)total, now_s() - start);
    (void)printf("  longest commit %.1f ms\n", worst * 1e3);
    start = now_s();
    worst = 0;
    for (uint64_t n = 1; n <= total / STATIONS; n++) {
        const double t = now_s();
        must(journal_begin(j, &diag), &diag, "begin");
        for (uint32_t i = 0; i < STATIONS; i++) {
            const journal_delivery d = {.number = journal_number(n, i), .state = DLV_HELD, .held_ms = 5};
            must(journal_set_delivery(j, &d, &diag), &diag, "held");
        }
        must(journal_commit(j, &diag), &diag, "commit");
        worst = now_s() - t > worst ? now_s() - t : worst;
    }
    say("HELD, 1000 a commit: deliveries", (double)total, now_s() - start);
    (void)printf("  longest commit %.1f ms\n", worst * 1e3);
    start = now_s();
    must(journal_idle(j, &diag), &diag, "idle");
    (void)printf("  idle %.1f ms\n", (now_s() - start) * 1e3);
    (void)fflush(stdout);
    _exit(0); /* no close: as after kill -9, nothing was tidied */
}

static kg_err requeue(void *ctx, const journal_delivery *d)
{
    static uint32_t last;
    last = (last + 1) % STATIONS;
    const queue_item item = {.delivery = d->number,
                             .station = last,
                             .class = CLASS_URGENT,
                             .hit_rank = (uint16_t)d->hit_rank,
                             .order = (uint32_t)journal_position_of(d->number)};
    return d->station[0] == 's' ? queue_put(ctx, &item) : KG_E_BUG;
}

static kg_err count_alert(void *ctx, const journal_alert *a)
{
    *(uint64_t *)ctx += a->signed_len;
    return KG_OK;
}

static void bench_reopen(bench *b)
{
    kg_diag diag = {""};
    journal *j = NULL;
    queue *q = NULL;
    must(queue_new(STATIONS, &q), &diag, "queue");
    const double start = now_s();
    must(journal_sqlite_open(b->journal, &j, &diag), &diag, "open");
    const double opened = now_s();
    uint64_t bytes = 0;
    must(journal_open_alerts(j, true, count_alert, &bytes, &diag), &diag, "alerts");
    must(journal_open_deliveries(j, requeue, q, &diag), &diag, "deliveries");
    const double done = now_s();
    (void)printf("reopened with %zu open deliveries: open %.2f s, read and queued %.2f s, in all %.2f s\n",
                 queue_total(q), opened - start, done - opened, done - start);
    journal_close(&j);
    queue_free(&q);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fprintf(stderr, "usage: bench_store FOLDER [DELIVERIES]\n");
        return 2;
    }
    const size_t total = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000000;
    bench *b = calloc(1, sizeof *b);
    if (b == NULL) {
        return 1;
    }
    (void)snprintf(b->journal, sizeof b->journal, "%s/bench-journal.db", argv[1]);
    (void)snprintf(b->ledger, sizeof b->ledger, "%s/bench-ledger.db", argv[1]);
    remove_files(b);
    for (uint32_t i = 0; i < STATIONS; i++) {
        (void)snprintf(b->names[i], sizeof b->names[i], "s-%05u", i);
        (void)snprintf(b->targets[i], TARGET_BYTES, "target of station %05u", i);
        b->deliveries[i] = (journal_delivery){
            .station = b->names[i], .target = b->targets[i], .target_len = TARGET_BYTES, .hit_rank = i};
    }
    bench_accept(b, 1, 1, 5000);
    bench_accept(b, 1, 10, 20000);
    bench_accept(b, 1, 100, 50000);
    bench_accept(b, 124, 1, 2000);
    bench_accept(b, 124, 10, 4000);
    bench_held_both_sides(b, total);
    const pid_t child = fork();
    if (child == 0) {
        fill(b, total);
    }
    int status = 1;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
        return 1;
    }
    bench_reopen(b);
    remove_files(b);
    free(b);
    return 0;
}
