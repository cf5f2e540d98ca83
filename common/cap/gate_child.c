#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxml/parser.h>

#include "cap/answer.h"
#include "cap/fence.h"
#include "cap/gate.h"

enum { EXIT_USAGE = 64, EXIT_FENCE = 71, CHUNK = 64 * 1024, ZONE_MAX_MIN = 14 * 60 };

static bool write_all(const void *bytes, size_t n)
{
    const char *p = bytes;
    while (n > 0) {
        const ssize_t put = write(STDOUT_FILENO, p, n);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return false;
        }
        p += put;
        n -= (size_t)put;
    }
    return true;
}

/* Up to one byte more than is read anyway, so that cap_read sees that it is too much. */
static bool read_all(kg_buf *in)
{
    while (in->len <= ALERT_PAYLOAD_MAX) {
        if (kg_buf_reserve(in, CHUNK) != KG_OK) {
            return false;
        }
        const ssize_t n = read(STDIN_FILENO, in->s + in->len, CHUNK);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n == 0;
        }
        in->len += (size_t)n;
    }
    return true;
}

static bool answer(int assume_offset_min)
{
    kg_buf in = {0};
    kg_buf out = {0};
    cap_reading r;
    if (!read_all(&in) || cap_read(kg_buf_str(&in), in.len, assume_offset_min, &r, NULL) != KG_OK ||
        answer_pack(&r, &out) != KG_OK) {
        return false;
    }
    uint8_t length[ANSWER_LENGTH_BYTES];
    for (size_t i = 0; i < sizeof length; i++) {
        length[i] = (uint8_t)(out.len >> (8 * (sizeof length - 1 - i)));
    }
    return write_all(length, sizeof length) && write_all(out.s, out.len);
}

int gate_child(int argc, char **argv)
{
    int assume_offset_min = INT_MIN;
    if (argc > 2) {
        return EXIT_USAGE;
    }
    if (argc == 2 && strcmp(argv[1], "none") != 0) {
        char *end = NULL;
        const long v = strtol(argv[1], &end, 10);
        if (end == argv[1] || *end != '\0' || v < -ZONE_MAX_MIN || v > ZONE_MAX_MIN) {
            return EXIT_USAGE;
        }
        assume_offset_min = (int)v;
    }
    xmlInitParser(); /* looks at the environment; the fence would not let it */
    if (!fence_raise()) {
        return EXIT_FENCE;
    }
    /* What is in memory goes with the process: _exit runs no handler that might reach outside the fence. */
    _exit(write_all(ANSWER_MARK, ANSWER_MARK_BYTES) && answer(assume_offset_min) ? EXIT_SUCCESS : EXIT_FAILURE);
}
