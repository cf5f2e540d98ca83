/* wire - round trips, and what a peer must not be able to do with a frame. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/wire/samples.h"

static void pack(const wire_msg *m, kg_buf *out)
{
    kg_buf_clear(out);
    assert_int_equal(wire_write(m, out), KG_OK);
}

static wire_msg read_back(const kg_buf *frame)
{
    wire_msg m;
    kg_diag diag = {""};
    if (wire_read(frame->s, frame->len, &m, &diag) != KG_OK) {
        fail_msg("%s", diag.text);
    }
    return m;
}

/* One wire_msg there and back; the caller looks at every field and releases with wire_done. */
static wire_msg there_and_back(wire_kind kind)
{
    const wire_msg m = samples_msg(kind);
    kg_buf frame = {.s = NULL};
    pack(&m, &frame);
    const wire_msg got = read_back(&frame);
    assert_int_equal(got.kind, kind);
    kg_buf again = {.s = NULL};
    pack(&got, &again);
    assert_int_equal(again.len, frame.len);
    assert_memory_equal(again.s, frame.s, frame.len);
    kg_buf_done(&again);
    kg_buf_done(&frame); /* everything read must outlive the frame */
    return got;
}

static const uint8_t id_bytes[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static const uint8_t hash_bytes[32] = {0xA0, 0xA1, 0xA2, [31] = 0xBF};

static void test_intake(void **state)
{
    (void)state;
    wire_msg m = there_and_back(WIRE_SUBMIT);
    assert_int_equal(m.u.submit.signed_alert.n, 48);
    assert_memory_equal(m.u.submit.signed_alert.b, "Nuoc man xam", 12);
    assert_memory_equal(m.u.submit.hash.b, hash_bytes, 32);
    assert_int_equal(m.u.submit.total_bytes, 48);
    wire_done(&m);

    m = there_and_back(WIRE_FOLLOW);
    assert_memory_equal(m.u.follow.id.b, id_bytes, 16);
    assert_true(m.u.follow.stop);
    wire_done(&m);

    m = there_and_back(WIRE_ANSWER);
    assert_int_equal(m.u.answer.receipt.n, 40);
    assert_int_equal(m.u.answer.router_key[0], 7);
    assert_int_equal(m.u.answer.router_key[31], 8);
    assert_int_equal(m.u.answer.signature[0], 9);
    assert_int_equal(m.u.answer.signature[63], 10);
    wire_done(&m);

    m = there_and_back(WIRE_PROGRESS);
    assert_memory_equal(m.u.progress.id.b, id_bytes, 16);
    assert_int_equal(m.u.progress.tally_count, 2);
    assert_int_equal(m.u.progress.tallies[1].medium, 3);
    assert_int_equal(m.u.progress.tallies[1].state, 7);
    assert_int_equal(m.u.progress.tallies[1].count, 124);
    assert_true(m.u.progress.final);
    assert_int_equal(m.u.progress.last_held_ms, 1795446300001);
    assert_int_equal(m.u.progress.last_outcome_ms, 1795446300002);
    assert_int_equal(m.u.progress.accepted_ms, 1795446300003);
    assert_int_equal(m.u.progress.lifecycle, 6);
    wire_done(&m);
}

static void test_sessions(void **state)
{
    (void)state;
    wire_msg m = there_and_back(WIRE_HELLO);
    assert_int_equal(m.u.hello.lane, 1);
    assert_string_equal(m.u.hello.sink, "loa-vinh-long");
    assert_true(m.u.hello.session == 0xFEDCBA9876543210U);
    assert_int_equal(m.u.hello.stations.count, 2);
    assert_string_equal(m.u.hello.stations.items[1].station, "loa-29245");
    assert_true(m.u.hello.stations.items[1].credit == 4294967295U);
    wire_done(&m);

    m = there_and_back(WIRE_CREDIT);
    assert_int_equal(m.u.credit.stations.count, 2);
    assert_string_equal(m.u.credit.stations.items[0].station, "loa-29242");
    assert_int_equal(m.u.credit.stations.items[0].credit, 3);
    wire_done(&m);

    m = there_and_back(WIRE_WELCOME);
    assert_string_equal(m.u.welcome.router, "vinh-long");
    assert_int_equal(m.u.welcome.time_ms, 1795446300000);
    assert_int_equal(m.u.welcome.refused.count, 1);
    assert_string_equal(m.u.welcome.refused.items[0].station, "loa-99999");
    assert_string_equal(m.u.welcome.refused.items[0].why, "trạm này không thuộc khoá này");
    wire_done(&m);
}

static void check_target(const wire_target *t)
{
    assert_string_equal(t->station, "loa-29242");
    assert_int_equal(t->delivery, 4194305);
    assert_int_equal(t->mode, 2);
    assert_int_equal(t->repeat_after_count, 2);
    assert_int_equal(t->repeat_after_s[1], 900);
    assert_int_equal(t->repeat_every_s, 3600);
    assert_true(t->repeat_on_the_hour);
    assert_int_equal(t->languages.count, 2);
    assert_string_equal(t->languages.items[1], "km");
    assert_int_equal(t->communes.count, 3);
    assert_string_equal(t->communes.items[2], "29248");
    assert_string_equal(t->rule, "media.loudspeaker.urgent");
    assert_string_equal(t->basis, "Thông tư 39/2020/TT-BTTTT, Điều 6");
}

static void check_receipt(const wire_delivery_receipt *r)
{
    assert_memory_equal(r->id.b, id_bytes, 16);
    assert_string_equal(r->station, "loa-29242");
    assert_int_equal(r->delivery, 4194305);
    assert_int_equal(r->playing, 2);
    assert_int_equal(r->state, 4);
    assert_int_equal(r->certainty, 5);
    assert_int_equal(r->time_ms, 1795446300000);
    assert_string_equal(r->code, "heard");
    assert_string_equal(r->detail, "Micro thu lại đúng bản tin");
    assert_int_equal(r->reached, 11);
    assert_int_equal(r->sent, 12);
    assert_true(r->labelled);
}

static void test_carriage(void **state)
{
    (void)state;
    wire_msg m = there_and_back(WIRE_ORDER);
    assert_memory_equal(m.u.order.id.b, id_bytes, 16);
    assert_memory_equal(m.u.order.hash.b, hash_bytes, 32);
    assert_int_equal(m.u.order.signed_alert.n, 48);
    assert_int_equal(m.u.order.total_bytes, 48);
    assert_int_equal(m.u.order.target_count, 2);
    check_target(&m.u.order.targets[0]);
    assert_string_equal(m.u.order.targets[1].station, "loa-29245");
    assert_int_equal(m.u.order.targets[1].languages.count, 0);
    wire_done(&m);

    m = there_and_back(WIRE_RECALL);
    assert_memory_equal(m.u.recall.id.b, id_bytes, 16);
    assert_int_equal(m.u.recall.reason, 3);
    assert_int_equal(m.u.recall.target_count, 2);
    assert_string_equal(m.u.recall.targets[1].station, "loa-29245");
    assert_int_equal(m.u.recall.targets[1].delivery, 4194306);
    wire_done(&m);

    m = there_and_back(WIRE_RECEIPTS);
    assert_int_equal(m.u.receipts.batch, 77);
    assert_int_equal(m.u.receipts.count, 2);
    check_receipt(&m.u.receipts.items[0]);
    assert_string_equal(m.u.receipts.items[1].code, "");
    assert_false(m.u.receipts.items[1].labelled);
    assert_int_equal(m.u.receipts.credit.count, 1);
    assert_int_equal(m.u.receipts.credit.items[0].credit, 3);
    wire_done(&m);

    m = there_and_back(WIRE_RECEIPTS_KEPT);
    assert_int_equal(m.u.receipts_kept.batch, 77);
    wire_done(&m);
}

static void test_either(void **state)
{
    (void)state;
    wire_msg m = there_and_back(WIRE_WANT);
    assert_memory_equal(m.u.want.hash.b, hash_bytes, 32);
    assert_int_equal(m.u.want.offset, 98304);
    wire_done(&m);

    m = there_and_back(WIRE_PIECE);
    assert_memory_equal(m.u.piece.hash.b, hash_bytes, 32);
    assert_int_equal(m.u.piece.total, 100000);
    assert_int_equal(m.u.piece.offset, 98304);
    assert_int_equal(m.u.piece.bytes.n, 48);
    assert_memory_equal(m.u.piece.bytes.b, "Nuoc", 4);
    wire_done(&m);

    m = there_and_back(WIRE_QUERY);
    assert_int_equal(m.u.query.number, 5);
    assert_string_equal(m.u.query.verb, "station mute");
    assert_int_equal(m.u.query.arguments.count, 2);
    assert_string_equal(m.u.query.arguments.items[1], "bảo trì loa");
    assert_string_equal(m.u.query.who, "Nguyễn Văn Tâm");
    wire_done(&m);

    m = there_and_back(WIRE_REPLY);
    assert_int_equal(m.u.reply.number, 5);
    assert_string_equal(m.u.reply.error, "ok");
    assert_string_equal(m.u.reply.sentence, "Đã tắt loa");
    assert_string_equal(m.u.reply.columns.items[1], "state");
    assert_int_equal(m.u.reply.row_count, 2);
    assert_string_equal(m.u.reply.rows[0].cells.items[1], "đang phát");
    assert_string_equal(m.u.reply.rows[1].cells.items[0], "");
    assert_true(m.u.reply.more);
    wire_done(&m);

    m = there_and_back(WIRE_BEAT);
    assert_int_equal(m.u.beat.number, 300);
    assert_int_equal(m.u.beat.time_ms, 1);
    wire_done(&m);

    m = there_and_back(WIRE_REFUSED);
    assert_string_equal(m.u.refused.code, "bad-form");
    assert_string_equal(m.u.refused.sentence, "order.hash has the wrong length");
    wire_done(&m);
}

/* Bytes worked out by hand from envelope.proto: version 1; field 70 = tag 0xB2 0x04; number 300; time zigzag(1). */
static void test_bytes_by_hand(void **state)
{
    (void)state;
    static const uint8_t want[] = {0x08, 0x01, 0xB2, 0x04, 0x05, 0x08, 0xAC, 0x02, 0x10, 0x02};
    const wire_msg m = samples_msg(WIRE_BEAT);
    kg_buf frame = {.s = NULL};
    pack(&m, &frame);
    assert_int_equal(frame.len, sizeof want);
    assert_memory_equal(frame.s, want, sizeof want);
    kg_buf_done(&frame);
}

static void test_receipt(void **state)
{
    (void)state;
    const wire_receipt r = samples_receipt();
    kg_buf b = {.s = NULL};
    assert_int_equal(wire_receipt_pack(&r, &b), KG_OK);
    wire_receipt got;
    assert_int_equal(wire_receipt_read(b.s, b.len, &got, NULL), KG_OK);
    kg_buf_done(&b);
    assert_string_equal(got.router, "vinh-long");
    assert_int_equal(got.time_ms, 1795446300000);
    assert_int_equal(got.verdict_count, 2);
    assert_true(got.verdicts[0].has_id);
    assert_memory_equal(got.verdicts[0].id.b, id_bytes, 16);
    assert_int_equal(got.verdicts[0].hash.b[31], 0xBF);
    assert_int_equal(got.verdicts[0].outcome, WIRE_ACCEPTED);
    assert_string_equal(got.verdicts[0].code, "");
    assert_int_equal(got.verdicts[0].position, 41);
    assert_int_equal(got.verdicts[0].targets, 124);
    assert_false(got.verdicts[1].has_id);
    assert_int_equal(got.verdicts[1].outcome, WIRE_REFUSED_FOR_GOOD);
    assert_string_equal(got.verdicts[1].code, "wrong-area");
    assert_string_equal(got.verdicts[1].sentence, "Khoá này không được cảnh báo xã 29242");
    wire_receipt_done(&got);
    wire_receipt_done(&got);
    wire_receipt_done(NULL);
}

static void test_status(void **state)
{
    (void)state;
    const wire_status s = samples_status();
    kg_buf b = {.s = NULL};
    kg_arena mem = {.head = NULL};
    assert_int_equal(wire_status_pack(&s, &b), KG_OK);
    wire_status got;
    assert_int_equal(wire_status_read(b.s, b.len, &mem, &got, NULL), KG_OK);
    kg_buf_done(&b);
    assert_string_equal(got.name, "vinh-long");
    assert_int_equal(got.time_ms, 1795446300000);
    assert_int_equal(got.count, 3);
    assert_string_equal(got.counters[1].name, "queued");
    assert_int_equal(got.counters[1].value, 1000000);
    assert_int_equal(got.counters[2].value, -7);
    kg_arena_done(&mem);
}

/* Journal and ledger keep targets without station and delivery: equal plans give equal bytes. */
static void test_kept_parts(void **state)
{
    (void)state;
    const wire_msg order = samples_msg(WIRE_ORDER);
    const wire_msg receipts = samples_msg(WIRE_RECEIPTS);
    kg_buf b = {.s = NULL};
    kg_arena mem = {.head = NULL};
    wire_target t = order.u.order.targets[0];
    assert_int_equal(wire_target_pack(&t, &b), KG_OK);
    wire_target got;
    assert_int_equal(wire_target_read(b.s, b.len, &mem, &got, NULL), KG_OK);
    check_target(&got);
    t.station = "";
    t.delivery = 0;
    kg_buf_clear(&b);
    assert_int_equal(wire_target_pack(&t, &b), KG_OK);
    assert_int_equal(wire_target_read(b.s, b.len, &mem, &got, NULL), KG_OK);
    assert_string_equal(got.station, "");
    assert_int_equal(got.delivery, 0);

    kg_buf_clear(&b);
    assert_int_equal(wire_delivery_receipt_pack(&receipts.u.receipts.items[0], &b), KG_OK);
    wire_delivery_receipt r;
    assert_int_equal(wire_delivery_receipt_read(b.s, b.len, &mem, &r, NULL), KG_OK);
    check_receipt(&r);
    assert_int_equal(wire_delivery_receipt_read(b.s, b.len - 1, &mem, &r, NULL), KG_E_INVALID);
    assert_int_equal(wire_target_read("\x08", 1, &mem, &got, NULL), KG_E_INVALID);
    kg_arena_done(&mem);
    kg_buf_done(&b);
}

/* A changed byte is refused, or means something that survives another trip; it never crashes (asan) and never leaves a
 * message half-made. */
static void try_changed(const kg_buf *frame)
{
    wire_msg m;
    if (wire_read(frame->s, frame->len, &m, NULL) != KG_OK) {
        assert_int_equal(m.kind, WIRE_KIND_COUNT);
        assert_null(m.mem.head);
        return;
    }
    kg_buf once = {.s = NULL};
    kg_buf twice = {.s = NULL};
    pack(&m, &once);
    wire_msg again = read_back(&once);
    pack(&again, &twice);
    assert_int_equal(once.len, twice.len);
    assert_memory_equal(once.s, twice.s, once.len);
    wire_done(&m);
    wire_done(&again);
    kg_buf_done(&once);
    kg_buf_done(&twice);
}

static void test_every_byte_flipped(void **state)
{
    (void)state;
    static const uint8_t masks[] = {0x01, 0x04, 0x80, 0xFF};
    for (int k = 0; k < WIRE_KIND_COUNT; k++) {
        const wire_msg m = samples_msg((wire_kind)k);
        kg_buf frame = {.s = NULL};
        pack(&m, &frame);
        for (size_t i = 0; i < frame.len; i++) {
            for (size_t x = 0; x < sizeof masks; x++) {
                frame.s[i] = (char)(frame.s[i] ^ masks[x]);
                try_changed(&frame);
                frame.s[i] = (char)(frame.s[i] ^ masks[x]);
            }
        }
        kg_buf_done(&frame);
    }
}

static void test_truncated(void **state)
{
    (void)state;
    for (int k = 0; k < WIRE_KIND_COUNT; k++) {
        const wire_msg m = samples_msg((wire_kind)k);
        kg_buf frame = {.s = NULL};
        pack(&m, &frame);
        for (size_t n = 0; n < frame.len; n++) {
            /* An exact copy, so that the sanitizer sees a read past its end. */
            char *cut = malloc(n + 1);
            assert_non_null(cut);
            memcpy(cut, frame.s, n);
            wire_msg got;
            if (wire_read(cut, n, &got, NULL) == KG_OK) {
                fail_msg("kind %d: %zu of %zu bytes were taken for a message", k, n, frame.len);
            }
            free(cut);
        }
        kg_buf_done(&frame);
    }
}

static void test_version_first(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        const char *bytes;
        size_t n;
        kg_err want;
    } rows[] = {
        {"nothing", "", 0, KG_E_INVALID},
        {"no version", "\xB2\x04\x00", 3, KG_E_INVALID},
        {"version 0", "\x08\x00\xB2\x04\x00", 5, KG_E_DENIED},
        {"version 2, body of another form", "\x08\x02\xFF\xFF\xFF\xFF", 6, KG_E_DENIED},
        {"version in two bytes", "\x08\x81\x01\xB2\x04\x00", 6, KG_E_DENIED},
        {"version 1, then 2", "\x08\x01\x08\x02\xB2\x04\x00", 7, KG_E_INVALID},
        {"no body", "\x08\x01", 2, KG_E_INVALID},
        {"unknown body", "\x08\x01\xBA\x04\x00", 5, KG_E_INVALID},
        {"empty beat", "\x08\x01\xB2\x04\x00", 5, KG_OK},
        {"two bodies: the last one counts", "\x08\x01\xDA\x02\x02\x08\x07\xB2\x04\x00", 10, KG_OK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        wire_msg m;
        kg_diag diag = {""};
        const kg_err e = wire_read(rows[i].bytes, rows[i].n, &m, &diag);
        if (e != rows[i].want || (e != KG_OK && diag.text[0] == '\0')) {
            fail_msg("%s: got %s (%s)", rows[i].label, kg_err_name(e), diag.text);
        }
        wire_done(&m);
    }
}

static void test_limits(void **state)
{
    (void)state;
    kg_buf frame = {.s = NULL};
    wire_msg m = samples_msg(WIRE_PIECE);
    static uint8_t big[WIRE_FRAME_MAX];
    m.u.piece = (wire_piece){.total = sizeof big, .bytes = {big, WIRE_PIECE_MAX}};
    assert_int_equal(wire_write(&m, &frame), KG_OK);
    m.u.piece.bytes.n++;
    assert_int_equal(wire_write(&m, &frame), KG_E_LIMIT);

    m = samples_msg(WIRE_CREDIT);
    static wire_grant grants[WIRE_LIST_MAX + 1];
    for (size_t i = 0; i <= WIRE_LIST_MAX; i++) {
        grants[i] = (wire_grant){.station = "s", .credit = 1};
    }
    kg_buf_clear(&frame);
    m.u.credit.stations = (wire_grants){grants, WIRE_LIST_MAX};
    assert_int_equal(wire_write(&m, &frame), KG_OK);
    wire_msg got = read_back(&frame);
    assert_int_equal(got.u.credit.stations.count, WIRE_LIST_MAX);
    wire_done(&got);
    m.u.credit.stations.count++;
    assert_int_equal(wire_write(&m, &frame), KG_E_LIMIT);

    m = samples_msg(WIRE_QUERY);
    static char name[WIRE_NAME_MAX + 2];
    memset(name, 'a', WIRE_NAME_MAX + 1);
    m.u.query.verb = name;
    assert_int_equal(wire_write(&m, &frame), KG_E_LIMIT);
    name[WIRE_NAME_MAX] = '\0';
    kg_buf_clear(&frame);
    assert_int_equal(wire_write(&m, &frame), KG_OK);

    m = samples_msg(WIRE_SUBMIT);
    m.u.submit.signed_alert = (wire_bytes){big, WIRE_INLINE_MAX + 1};
    assert_int_equal(wire_write(&m, &frame), KG_E_LIMIT);
    m.kind = WIRE_KIND_COUNT;
    assert_int_equal(wire_write(&m, &frame), KG_E_BUG);
    assert_int_equal(wire_read(big, WIRE_FRAME_MAX + 1, &got, NULL), KG_E_LIMIT);
    kg_buf_done(&frame);
}

/* Forms a writer of ours never makes: each is put together here, field by field. */
static void put_field(kg_buf *b, unsigned field, const void *bytes, size_t n)
{
    uint8_t head[8];
    size_t len = 0;
    for (uint64_t v = (field << 3) | 2; len < 8; v >>= 7) {
        head[len++] = (uint8_t)((v & 0x7F) | (v > 0x7F ? 0x80 : 0));
        if (v <= 0x7F) {
            break;
        }
    }
    for (uint64_t v = n; len < 8; v >>= 7) {
        head[len++] = (uint8_t)((v & 0x7F) | (v > 0x7F ? 0x80 : 0));
        if (v <= 0x7F) {
            break;
        }
    }
    assert_int_equal(kg_buf_put(b, head, len), KG_OK);
    assert_int_equal(kg_buf_put(b, bytes, n), KG_OK);
}

static kg_err read_body(unsigned field, const kg_buf *body)
{
    kg_buf frame = {.s = NULL};
    assert_int_equal(kg_buf_put(&frame, "\x08\x01", 2), KG_OK);
    put_field(&frame, field, kg_buf_str(body), body->len);
    wire_msg m;
    const kg_err e = wire_read(frame.s, frame.len, &m, NULL);
    wire_done(&m);
    kg_buf_done(&frame);
    return e;
}

static void test_hostile_fields(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        unsigned body, field;
        const char *bytes;
        size_t n;
    } rows[] = {
        {"follow without id", 11, 9, "", 0},
        {"follow, id of 15 bytes", 11, 1, "123456789012345", 15},
        {"follow, id of 17 bytes", 11, 1, "12345678901234567", 17},
        {"want, hash of 31 bytes", 50, 1, "1234567890123456789012345678901", 31},
        {"query without verb", 60, 4, "me", 2},
        {"query, verb not UTF-8", 60, 2, "\xC3(", 2},
        {"query, verb with NUL", 60, 2, "a\0b", 3},
        {"query, surrogate", 60, 2, "\xED\xA0\x80", 3},
        {"refused without code", 71, 2, "why", 3},
        {"reply without error", 61, 3, "why", 3},
        {"hello without sink", 30, 4, "\x0A\x01s", 3},
        {"welcome without router", 40, 9, "", 0},
        {"order without id", 41, 9, "", 0},
        {"answer without receipt", 20, 2, "12345678901234567890123456789012", 32},
        {"submit without hash", 10, 1, "abc", 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kg_buf body = {.s = NULL};
        put_field(&body, rows[i].field, rows[i].bytes, rows[i].n);
        if (read_body(rows[i].body, &body) != KG_E_INVALID) {
            fail_msg("%s: not refused", rows[i].label);
        }
        kg_buf_done(&body);
    }
}

/* A 64 KiB frame of empty sub-messages would cost megabytes: the ceiling holds, as an ordinary refusal. */
static void test_memory_ceiling(void **state)
{
    (void)state;
    kg_buf body = {.s = NULL};
    while (body.len < 60000) {
        put_field(&body, 5, "", 0); /* reply.rows, each empty */
    }
    assert_int_equal(read_body(61, &body), KG_E_LIMIT);
    kg_buf_clear(&body);
    put_field(&body, 2, "verb", 4);
    for (size_t i = 0; i <= WIRE_LIST_MAX; i++) {
        put_field(&body, 3, "x", 1); /* query.arguments */
    }
    assert_int_equal(read_body(60, &body), KG_E_LIMIT);
    kg_buf_done(&body);
}

static void test_ranges(void **state)
{
    (void)state;
    kg_buf frame = {.s = NULL};
    wire_msg got;
    static const struct {
        const char *label;
        uint32_t lane, state, mode, lifecycle;
        int64_t time_ms;
        uint64_t offset;
    } rows[] = {
        {"lane 2", 2, 0, 0, 0, 0, 0},
        {"state 32", 0, 32, 0, 0, 0, 0},
        {"mode 32", 0, 0, 32, 0, 0, 0},
        {"lifecycle 32", 0, 0, 0, 32, 0, 0},
        {"time before 1970", 0, 0, 0, 0, -1, 0},
        {"time after 9999", 0, 0, 0, 0, 253402300800000, 0},
        {"piece past the end", 0, 0, 0, 0, 0, 100000},
        {"piece wraps round", 0, 0, 0, 0, 0, UINT64_MAX - 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        wire_msg m = samples_msg(rows[i].lane != 0        ? WIRE_HELLO
                                 : rows[i].state != 0     ? WIRE_RECEIPTS
                                 : rows[i].mode != 0      ? WIRE_ORDER
                                 : rows[i].lifecycle != 0 ? WIRE_PROGRESS
                                 : rows[i].time_ms != 0   ? WIRE_BEAT
                                                          : WIRE_PIECE);
        wire_delivery_receipt r = {.station = "s", .state = rows[i].state};
        wire_target t = {.station = "s", .mode = rows[i].mode};
        if (m.kind == WIRE_HELLO) {
            m.u.hello.lane = rows[i].lane;
        } else if (m.kind == WIRE_RECEIPTS) {
            m.u.receipts.items = &r;
            m.u.receipts.count = 1;
        } else if (m.kind == WIRE_ORDER) {
            m.u.order.targets = &t;
            m.u.order.target_count = 1;
        } else if (m.kind == WIRE_PROGRESS) {
            m.u.progress.lifecycle = rows[i].lifecycle;
        } else if (m.kind == WIRE_BEAT) {
            m.u.beat.time_ms = rows[i].time_ms;
        } else {
            m.u.piece.offset = rows[i].offset;
        }
        pack(&m, &frame);
        if (wire_read(frame.s, frame.len, &got, NULL) != KG_E_INVALID) {
            fail_msg("%s: not refused", rows[i].label);
        }
    }
    /* A length beside an inline alert must be its own; named only by hash it must be given. */
    wire_msg m = samples_msg(WIRE_SUBMIT);
    m.u.submit.signed_alert = (wire_bytes){NULL, 0};
    m.u.submit.total_bytes = 0;
    pack(&m, &frame);
    assert_int_equal(wire_read(frame.s, frame.len, &got, NULL), KG_E_INVALID);
    m.u.submit.total_bytes = 300000;
    pack(&m, &frame);
    got = read_back(&frame);
    assert_int_equal(got.u.submit.signed_alert.n, 0);
    assert_int_equal(got.u.submit.total_bytes, 300000);
    wire_done(&got);
    m = samples_msg(WIRE_ORDER);
    m.u.order.target_count = 0;
    pack(&m, &frame);
    assert_int_equal(wire_read(frame.s, frame.len, &got, NULL), KG_E_INVALID);
    kg_buf_done(&frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_intake),
        cmocka_unit_test(test_sessions),
        cmocka_unit_test(test_carriage),
        cmocka_unit_test(test_either),
        cmocka_unit_test(test_bytes_by_hand),
        cmocka_unit_test(test_receipt),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_kept_parts),
        cmocka_unit_test(test_every_byte_flipped),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_version_first),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_hostile_fields),
        cmocka_unit_test(test_memory_ceiling),
        cmocka_unit_test(test_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
