#include "tests/unit/wire/samples.h"

/* 48 bytes of anything, lent as ids, hashes and content. */
static const uint8_t content[] = "Nuoc man xam nhap song Co Chien, Vinh Long 2026.";

static const uint32_t repeats[] = {300, 900};
static const char *languages[] = {"vi", "km"};
static const char *communes[] = {"29242", "29245", "29248"};
static const wire_target targets[] = {
    {.station = "loa-29242",
     .delivery = 4194305,
     .mode = 2,
     .repeat_after_s = repeats,
     .repeat_after_count = 2,
     .repeat_every_s = 3600,
     .repeat_on_the_hour = true,
     .languages = {languages, 2},
     .communes = {communes, 3},
     .rule = "media.loudspeaker.urgent",
     .basis = "Thông tư 39/2020/TT-BTTTT, Điều 6"},
    {.station = "loa-29245", .delivery = 4194306, .mode = 1, .communes = {communes + 1, 1}, .rule = "r", .basis = "b"},
};
static wire_grant grants[] = {{"loa-29242", 3, ""}, {"loa-29245", 4294967295U, ""}};
static wire_grant refusals[] = {{"loa-99999", 0, "trạm này không thuộc khoá này"}};
static const wire_tally tallies[] = {{0, 4, 3}, {3, 7, 124}};
static const char *arguments[] = {"29242", "bảo trì loa"};
static const char *columns[] = {"station", "state"};
static const char *cells[] = {"loa-29242", "đang phát", "", "x"};
static const wire_row rows[] = {{{cells, 2}}, {{cells + 2, 2}}};

static const wire_delivery_receipt receipts[] = {
    {.id = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}},
     .station = "loa-29242",
     .delivery = 4194305,
     .playing = 2,
     .state = 4,
     .certainty = 5,
     .time_ms = 1795446300000,
     .code = "heard",
     .detail = "Micro thu lại đúng bản tin",
     .reached = 11,
     .sent = 12,
     .labelled = true},
    {.id = {{9}}, .station = "loa-29245", .delivery = 4194306, .state = 2, .time_ms = 1795446300001},
};

static alert_id an_id(void)
{
    return (alert_id){{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
}

static alert_hash a_hash(void)
{
    return (alert_hash){{0xA0, 0xA1, 0xA2, [31] = 0xBF}};
}

static void fill_intake(wire_msg *m)
{
    if (m->kind == WIRE_SUBMIT) {
        m->u.submit.signed_alert = (wire_bytes){content, sizeof content - 1};
        m->u.submit.hash = a_hash();
        m->u.submit.total_bytes = sizeof content - 1;
    } else if (m->kind == WIRE_FOLLOW) {
        m->u.follow.id = an_id();
        m->u.follow.stop = true;
    } else if (m->kind == WIRE_ANSWER) {
        m->u.answer.receipt = (wire_bytes){content, 40};
        m->u.answer.router_key[0] = 7;
        m->u.answer.router_key[31] = 8;
        m->u.answer.signature[0] = 9;
        m->u.answer.signature[63] = 10;
    } else if (m->kind == WIRE_PROGRESS) {
        m->u.progress.id = an_id();
        m->u.progress.tallies = tallies;
        m->u.progress.tally_count = 2;
        m->u.progress.final = true;
        m->u.progress.last_held_ms = 1795446300001;
        m->u.progress.last_outcome_ms = 1795446300002;
        m->u.progress.accepted_ms = 1795446300003;
        m->u.progress.lifecycle = 6;
    }
}

static void fill_carriage(wire_msg *m)
{
    if (m->kind == WIRE_HELLO) {
        m->u.hello.lane = 1;
        m->u.hello.sink = "loa-vinh-long";
        m->u.hello.session = 0xFEDCBA9876543210U;
        m->u.hello.stations = (wire_grants){grants, 2};
    } else if (m->kind == WIRE_CREDIT) {
        m->u.credit.stations = (wire_grants){grants, 2};
    } else if (m->kind == WIRE_RECEIPTS) {
        m->u.receipts.batch = 77;
        m->u.receipts.items = receipts;
        m->u.receipts.count = 2;
        m->u.receipts.credit = (wire_grants){grants, 1};
    } else if (m->kind == WIRE_WELCOME) {
        m->u.welcome.router = "vinh-long";
        m->u.welcome.time_ms = 1795446300000;
        m->u.welcome.refused = (wire_grants){refusals, 1};
    } else if (m->kind == WIRE_ORDER) {
        m->u.order.id = an_id();
        m->u.order.signed_alert = (wire_bytes){content, sizeof content - 1};
        m->u.order.hash = a_hash();
        m->u.order.total_bytes = sizeof content - 1;
        m->u.order.targets = targets;
        m->u.order.target_count = 2;
    } else if (m->kind == WIRE_RECALL) {
        m->u.recall.id = an_id();
        m->u.recall.targets = targets;
        m->u.recall.target_count = 2;
        m->u.recall.reason = 3;
    } else if (m->kind == WIRE_RECEIPTS_KEPT) {
        m->u.receipts_kept.batch = 77;
    }
}

static void fill_either(wire_msg *m)
{
    if (m->kind == WIRE_WANT) {
        m->u.want.hash = a_hash();
        m->u.want.offset = 98304;
    } else if (m->kind == WIRE_PIECE) {
        m->u.piece = (wire_piece){a_hash(), 100000, 98304, {content, 48}};
    } else if (m->kind == WIRE_QUERY) {
        m->u.query.number = 5;
        m->u.query.verb = "station mute";
        m->u.query.arguments = (alert_texts){arguments, 2};
        m->u.query.who = "Nguyễn Văn Tâm";
    } else if (m->kind == WIRE_REPLY) {
        m->u.reply.number = 5;
        m->u.reply.error = "ok";
        m->u.reply.sentence = "Đã tắt loa";
        m->u.reply.columns = (alert_texts){columns, 2};
        m->u.reply.rows = rows;
        m->u.reply.row_count = 2;
        m->u.reply.more = true;
    } else if (m->kind == WIRE_BEAT) {
        m->u.beat.number = 300;
        m->u.beat.time_ms = 1;
    } else if (m->kind == WIRE_REFUSED) {
        m->u.refused.code = "bad-form";
        m->u.refused.sentence = "order.hash has the wrong length";
    }
}

wire_msg samples_msg(wire_kind kind)
{
    wire_msg m = {.kind = kind};
    fill_intake(&m);
    fill_carriage(&m);
    fill_either(&m);
    return m;
}

wire_receipt samples_receipt(void)
{
    static wire_verdict verdicts[] = {
        {.has_id = true,
         .id = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}},
         .hash = {{0xA0, [31] = 0xBF}},
         .outcome = WIRE_ACCEPTED,
         .position = 41,
         .targets = 124},
        {.has_id = false,
         .hash = {{0xC0}},
         .outcome = WIRE_REFUSED_FOR_GOOD,
         .code = "wrong-area",
         .sentence = "Khoá này không được cảnh báo xã 29242"},
    };
    return (wire_receipt){.router = "vinh-long", .time_ms = 1795446300000, .verdicts = verdicts, .verdict_count = 2};
}

wire_status samples_status(void)
{
    static wire_counter counters[] = {{"accepted", 12}, {"queued", 1000000}, {"drift_ms", -7}};
    return (wire_status){.name = "vinh-long", .time_ms = 1795446300000, .counters = counters, .count = 3};
}
