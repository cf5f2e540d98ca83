/* bench_wire - messages packed and read a second, one thread, in memory. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/unit/wire/samples.h"

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void measure(const char *what, const wire_msg *m, int rounds)
{
    kg_buf frame = {.s = NULL};
    double start = now_s();
    for (int i = 0; i < rounds; i++) {
        kg_buf_clear(&frame);
        if (wire_write(m, &frame) != KG_OK) {
            exit(1);
        }
    }
    const double packed = now_s() - start;
    start = now_s();
    for (int i = 0; i < rounds; i++) {
        wire_msg got;
        if (wire_read(frame.s, frame.len, &got, NULL) != KG_OK) {
            exit(1);
        }
        wire_done(&got);
    }
    const double read = now_s() - start;
    (void)printf("%-40s %6zu bytes  packed %9.0f /s  read %9.0f /s\n", what, frame.len, rounds / packed, rounds / read);
    kg_buf_done(&frame);
}

int main(void)
{
    static uint8_t content[2048];
    wire_msg m = samples_msg(WIRE_ORDER);
    m.u.order.signed_alert = (wire_bytes){content, sizeof content};
    m.u.order.target_count = 1;
    measure("order, 2 KiB alert, one target", &m, 200000);
    static wire_delivery_receipt receipts[100];
    m = samples_msg(WIRE_RECEIPTS);
    for (size_t i = 0; i < 100; i++) {
        receipts[i] = m.u.receipts.items[1];
    }
    measure("receipts, one", &m, 200000);
    m.u.receipts.items = receipts;
    m.u.receipts.count = 100;
    measure("receipts, a hundred", &m, 10000);
    m = samples_msg(WIRE_BEAT);
    measure("beat", &m, 500000);
    return 0;
}
