/*
 * wire - the door of every protobuf message but Alert, Signed and Manifest: Envelope in and out, as plain values.
 *
 * Shape     wire_read turns one frame into a wire_msg whose pointers all live in its arena: the frame may go at once.
 *           wire_write packs one. Which fields count is told by `kind`. Every field is checked: lengths, counts,
 *           ranges, UTF-8 without NUL. Text is never NULL: absent = "" (a writer may leave NULL).
 * Checks    A number that stands for an enum of a higher room (mode, state, medium, lifecycle) is below WIRE_ENUM_MAX,
 *           so a bit may be shifted by it; what it means is that room's to check. An inline signed alert has
 *           total_bytes = its length; that its hash is right is the reader's to check (it hashes anyway).
 * Limits    WIRE_FRAME_MAX bytes a frame; WIRE_HEAP_MAX of memory for unpacking one; the maxima below, checked by
 *           reader and writer alike. Errors KG_E_INVALID (code "bad-form"), KG_E_LIMIT, KG_E_DENIED for another
 *           version (code "bad-version"), checked before anything else is looked at.
 */
#ifndef KENG_WIRE_WIRE_H
#define KENG_WIRE_WIRE_H

#include "alert/alert.h"
#include "base/buf.h"

enum {
    WIRE_VERSION = 1,
    WIRE_FRAME_MAX = 64 * 1024,
    WIRE_INLINE_MAX = 48 * 1024, /* a larger packed Signed travels in pieces */
    WIRE_PIECE_MAX = 48 * 1024,
    WIRE_HEAP_MAX = 1024 * 1024,
    WIRE_LIST_MAX = 4096,
    WIRE_ENUM_MAX = 32,
    WIRE_NAME_MAX = 256,       /* a station, sink, router, verb, code, language, commune, person */
    WIRE_TEXT_MAX = 4096,      /* a sentence, rule or legal basis */
    WIRE_CELL_MAX = 16 * 1024, /* an argument of a query, a cell of a reply */
    WIRE_REPEATS_MAX = 64
};

typedef enum wire_kind {
    WIRE_SUBMIT,
    WIRE_FOLLOW,
    WIRE_ANSWER,
    WIRE_PROGRESS,
    WIRE_HELLO,
    WIRE_CREDIT,
    WIRE_RECEIPTS,
    WIRE_WELCOME,
    WIRE_ORDER,
    WIRE_RECALL,
    WIRE_RECEIPTS_KEPT,
    WIRE_WANT,
    WIRE_PIECE,
    WIRE_QUERY,
    WIRE_REPLY,
    WIRE_BEAT,
    WIRE_REFUSED,
    WIRE_KIND_COUNT
} wire_kind;

typedef enum wire_outcome {
    WIRE_ACCEPTED,
    WIRE_DUPLICATE,
    WIRE_HELD_FOR_PERSON,
    WIRE_REFUSED_FOR_GOOD,
    WIRE_TRY_LATER,
    WIRE_OUTCOME_COUNT
} wire_outcome;

typedef struct wire_bytes {
    const uint8_t *b;
    size_t n;
} wire_bytes;

typedef struct wire_verdict {
    bool has_id;
    alert_id id;
    alert_hash hash;
    wire_outcome outcome;
    const char *code, *sentence;
    uint64_t position;
    uint32_t targets;
} wire_verdict;

typedef struct wire_receipt { /* what answer.receipt unpacks to */
    kg_arena mem;
    const char *router;
    int64_t time_ms;
    wire_verdict *verdicts;
    size_t verdict_count;
} wire_receipt;

typedef struct wire_grant {
    const char *station;
    uint32_t credit;
    const char *why;
} wire_grant;
typedef struct wire_grants {
    wire_grant *items;
    size_t count;
} wire_grants;

typedef struct wire_tally {
    uint32_t medium, state, count;
} wire_tally;

typedef struct wire_target {
    const char *station;
    uint64_t delivery;
    uint32_t mode;
    const uint32_t *repeat_after_s;
    size_t repeat_after_count;
    uint32_t repeat_every_s;
    bool repeat_on_the_hour;
    alert_texts languages, communes;
    const char *rule, *basis;
} wire_target;

typedef struct wire_delivery_receipt {
    alert_id id;
    const char *station;
    uint64_t delivery;
    uint32_t playing, state, certainty;
    int64_t time_ms;
    const char *code, *detail;
    uint64_t reached, sent;
    bool labelled;
} wire_delivery_receipt;

typedef struct wire_piece {
    alert_hash hash;
    uint64_t total, offset; /* total 0: the sender does not have it */
    wire_bytes bytes;
} wire_piece;

typedef struct wire_row {
    alert_texts cells;
} wire_row;

typedef struct wire_msg {
    wire_kind kind;
    kg_arena mem; /* filled by wire_read; a writer may leave it alone */
    union {
        struct {
            wire_bytes signed_alert;
            alert_hash hash;
            uint64_t total_bytes;
        } submit;
        struct {
            alert_id id;
            bool stop;
        } follow;
        struct {
            wire_bytes receipt;
            uint8_t router_key[32];
            uint8_t signature[64];
        } answer;
        struct {
            alert_id id;
            const wire_tally *tallies;
            size_t tally_count;
            bool final;
            int64_t last_held_ms, last_outcome_ms, accepted_ms;
            uint32_t lifecycle;
        } progress;
        struct {
            uint32_t lane;
            const char *sink;
            uint64_t session;
            wire_grants stations;
        } hello;
        struct {
            wire_grants stations;
        } credit;
        struct {
            uint64_t batch;
            const wire_delivery_receipt *items;
            size_t count;
            wire_grants credit;
        } receipts;
        struct {
            const char *router;
            int64_t time_ms;
            wire_grants refused; /* .why says */
        } welcome;
        struct {
            alert_id id;
            wire_bytes signed_alert;
            alert_hash hash;
            uint64_t total_bytes;
            const wire_target *targets;
            size_t target_count;
        } order;
        struct {
            alert_id id;
            const wire_target *targets;
            size_t target_count;
            uint32_t reason;
        } recall;
        struct {
            uint64_t batch;
        } receipts_kept;
        struct {
            alert_hash hash;
            uint64_t offset;
        } want;
        wire_piece piece;
        struct {
            uint64_t number;
            const char *verb;
            alert_texts arguments;
            const char *who;
        } query;
        struct {
            uint64_t number;
            const char *error, *sentence;
            alert_texts columns;
            const wire_row *rows;
            size_t row_count;
            bool more;
        } reply;
        struct {
            uint64_t number;
            int64_t time_ms;
        } beat;
        struct {
            const char *code, *sentence;
        } refused;
    } u;
} wire_msg;

KG_MUST_CHECK kg_err wire_read(const void *frame, size_t n, wire_msg *out, kg_diag *diag);
void wire_done(wire_msg *m);
/* Appends the packed Envelope. KG_E_LIMIT when it would not fit a frame: the caller splits its lists. */
KG_MUST_CHECK kg_err wire_write(const wire_msg *m, kg_buf *out);

KG_MUST_CHECK kg_err wire_receipt_pack(const wire_receipt *r, kg_buf *out);
KG_MUST_CHECK kg_err wire_receipt_read(const void *bytes, size_t n, wire_receipt *out, kg_diag *diag);
void wire_receipt_done(wire_receipt *r);

/* A target and a delivery receipt on their own, as journal and ledger keep them. A kept target has no station and no
 * delivery (the row knows both), so that equal ones are stored once; what wire_*_read gives lives in mem. */
KG_MUST_CHECK kg_err wire_target_pack(const wire_target *t, kg_buf *out);
KG_MUST_CHECK kg_err wire_target_read(const void *bytes, size_t n, kg_arena *mem, wire_target *out, kg_diag *diag);
KG_MUST_CHECK kg_err wire_delivery_receipt_pack(const wire_delivery_receipt *r, kg_buf *out);
KG_MUST_CHECK kg_err wire_delivery_receipt_read(const void *bytes, size_t n, kg_arena *mem, wire_delivery_receipt *out,
                                                kg_diag *diag);

/* Counters for the status socket. */
typedef struct wire_counter {
    const char *name;
    int64_t value;
} wire_counter;
typedef struct wire_status {
    const char *name;
    int64_t time_ms;
    wire_counter *counters;
    size_t count;
} wire_status;
KG_MUST_CHECK kg_err wire_status_pack(const wire_status *s, kg_buf *out);
KG_MUST_CHECK kg_err wire_status_read(const void *bytes, size_t n, kg_arena *mem, wire_status *out, kg_diag *diag);

#endif
