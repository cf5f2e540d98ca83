/*
 * engine - the parts of a running sink, as the files of this room see them. No other room includes this.
 *
 * Shape     posts (stations) hold holdings (an alert for that station), which share held alerts. What is to be durable
 *           is collected as rows during a turn; sink_turn commits them all at once, and only then does anything leave
 *           the process: HELD, a start, a receipt.
 * Edges     The outside comes in by sink_take, sink_link_up and sink_link_down, and leaves by sink_edges: a test drives
 *           the engine with neither loop nor network.
 * Threads   One.
 */
#ifndef KENG_SINK_ENGINE_H
#define KENG_SINK_ENGINE_H

#include "areas/areas.h"
#include "base/buf.h"
#include "delivery/queue.h"
#include "lifecycle/life.h"
#include "sink/credit.h"
#include "sink/player.h"
#include "sink/sink.h"
#include "sink/sink_config.h"
#include "store/ledger.h"
#include "svc/control.h"
#include "trust/manifest.h"
#include "trust/verify.h"
#include "wire/pieces.h"
#include "wire/wire.h"

enum {
    ALERT_BUCKETS = 1024,
    IDLE_ALERTS_MAX = 256,     /* verified alerts kept although nothing here waits for them */
    IDLE_ALERTS_CAP = 512,     /* so many before the older ones are let go */
    HOLDINGS_MAX = 200 * 1000, /* in memory; beyond it no credit is given */
    OTHER_HOLDINGS_MAX = 150 * 1000
};

typedef struct post post;
typedef struct holding holding;

typedef struct held_alert {
    struct held_alert *next; /* in its bucket */
    alert_id id;
    alert_hash hash;
    char id_text[ALERT_ID_TEXT];
    alert content;
    kg_buf signed_bytes;
    const key_entry *signer; /* in the current manifest; NULL when that refuses it: */
    refusal refused;
    area_set places; /* its communes, where codes alone say them */
    bool places_known;
    const char *end_code; /* NULL while alive; else why it ended: "superseded" "cancelled" "revoked-key" ... */
    size_t users;
    uint64_t last_used;
} held_alert;

struct holding {
    player_item item; /* the player's view */
    sink_job job;     /* while job_open */
    bool job_open, driver_has_it, asking;
    kg_arena job_mem;
    held_alert *alert;
    post *post;
    uint64_t delivery[SINK_ROUTERS_MAX]; /* 0: that router did not order it */
    void *target;                        /* packed, for the ledger and the job */
    size_t target_len;
    policy_repeat repeat;
    const char *end_code; /* ended here alone; NULL */
    bool played_once;
    bool recovering; /* found STARTED at start-up */
    int64_t held_ms;
    int64_t first_ms;   /* start of the first playing: the repeats count from it */
    int64_t started_ms; /* of the present playing */
    int64_t told_ms;
    uint64_t sent, reached;
    char driver_ref[128];
    char code[48], detail[256]; /* of the last failed try */
};

typedef struct device_state {
    bool known, on;
    int volume;
    int64_t heard_ms;
    char fault[160];
    int64_t tested_ms;
    bool tested_good;
    char test_detail[160];
} device_state;

struct post {
    const sink_station *station;
    const sink_driver *driver;
    void *self;
    holding **items;
    size_t count, cap;
    bool dirty;
    post *next_dirty;
    int64_t wake_ms;
    bool muted;
    char mute_reason[160];
    device_state device;
    int64_t last_played_ms;
    uint32_t waiting[LANE_COUNT]; /* not yet played the first time */
    credit credit[SINK_ROUTERS_MAX][LANE_COUNT];
};

typedef struct sent_batch {
    uint64_t batch, last_row;
    int64_t sent_ms;
} sent_batch;

enum { BATCHES_MAX = 32, BATCH_ITEMS = 200, BATCH_BYTES = 40 * 1024 };

typedef struct sink_link { /* one lane of the talk with one router */
    bool up, welcomed;
    uint64_t next_batch;
    uint64_t scanned_row, kept_row; /* receipts rows read for sending; told by the router as kept */
    sent_batch open[BATCHES_MAX];
    size_t open_count;
    wire_delivery_receipt *said; /* HELD, STARTED, and answers to repeated orders: not durable, the row is */
    size_t said_count, said_cap;
    kg_arena said_mem;
    int64_t beat_ms;
    uint64_t beats;
    bool hello_again; /* the Hello could not be sent */
    bool behind;      /* the ledger may have receipts not yet read */
} sink_link;

typedef struct sink_row sink_row;

typedef struct sink_edges {
    void *ctx;
    KG_MUST_CHECK kg_err (*send)(void *ctx, size_t router, lane l, const void *bytes, size_t n);
    int64_t (*now)(void *ctx); /* wall time */
    void (*again)(void *ctx);  /* another turn soon */
} sink_edges;

typedef struct sink_fetching sink_fetching;
typedef struct sink_parked sink_parked;

typedef struct sink_counts {
    uint64_t orders, held, repeated, refused, started, finished, retried, commits;
} sink_counts;

struct sink {
    sink_config *config;
    loop *loop; /* NULL in a unit test */
    sink_edges edges;
    ledger *ledger;
    const manifest *manifest;
    const areas *areas;
    const sink_driver *drivers[SINK_DRIVERS_MAX];
    void *driver_self[SINK_DRIVERS_MAX];
    post *posts;
    size_t post_count;
    post *dirty;
    size_t holdings;
    held_alert *alerts[ALERT_BUCKETS];
    size_t idle_alerts;
    uint64_t uses;
    sink_link links[SINK_ROUTERS_MAX][LANE_COUNT];
    uint64_t session;
    uint64_t kept_row; /* receipts up to here are gone from the ledger */
    kg_arena row_mem;
    sink_row *first_row, **last_row;
    int64_t full_until_ms; /* the disk is full: no commit is tried before */
    bool turned_away;      /* orders that can wait were not taken meanwhile */
    uint64_t job_numbers;
    holding **starting;
    size_t starting_count, starting_cap;
    const player_item **view;
    size_t view_cap;
    pieces *pieces;
    sink_fetching *fetching;
    sink_parked *parked;
    size_t parked_count;
    sink_counts counts;
    kg_err broken; /* the ledger failed: nothing is said or started any more */
    kg_buf frame;  /* scratch for sending */
};

/* sink.c. s is zeroed but for config, edges, loop, ledger, manifest and areas, which are borrowed. */
KG_MUST_CHECK kg_err sink_open(sink *s, const sink_driver *const *drivers, size_t count, kg_diag *diag);
void sink_close(sink *s);
/* After the handlers of a loop turn. Returns when to come again at the latest (wall ms, INT64_MAX never). */
int64_t sink_turn(sink *s);
void sink_take(sink *s, size_t router, lane l, const void *frame, size_t n);
/* A new manifest: what it no longer allows ends. The old one may go afterwards. */
void sink_manifest(sink *s, const manifest *m);
void sink_keep_text(char *out, size_t cap, const char *text); /* cut on a character; NULL is "" */
void sink_break(sink *s, kg_err e, const kg_diag *diag); /* nothing is said or started any more; the process ends */

/* board.c: what is in memory. */
KG_MUST_CHECK kg_err board_open(sink *s, kg_diag *diag);
post *board_post(const sink *s, const char *id);
void board_touch(sink *s, post *p); /* its player is asked before the turn ends */
held_alert *board_alert(const sink *s, alert_id id);
/* Takes the content; copies the bytes. */
KG_MUST_CHECK kg_err board_alert_add(sink *s, alert *content, const key_entry *signer, const wire_bytes *bytes,
                                     held_alert **out);
holding *board_holding(const post *p, const held_alert *a);
KG_MUST_CHECK kg_err board_hold(sink *s, post *p, held_alert *a, const wire_target *t, holding **out);
void board_played_once(holding *h); /* it counts no longer as waiting */
void board_release(sink *s, holding *h);
const player_item **board_view(sink *s, const post *p); /* until the next call; NULL breaks the sink */
bool board_starting(sink *s, holding *h);               /* to be started after the commit */
void board_forget_idle(sink *s);
void board_free(sink *s);
lane board_lane(const held_alert *a);
const char *holding_end_code(const holding *h);

/* rows.c: what this turn makes durable. Out of memory breaks the sink: half a turn must not be written. */
typedef struct sink_act {
    const char *actor, *action, *object, *detail;
} sink_act;
void rows_hold(sink *s, const holding *h);
void rows_holding(sink *s, const holding *h, life_state state);
void rows_playing(sink *s, const ledger_playing *p);
void rows_receipt(sink *s, size_t router, lane l, const wire_delivery_receipt *r);
void rows_kept(sink *s, uint64_t up_to);
void rows_note(sink *s, const char *key, const char *value);
void rows_audit(sink *s, const sink_act *act);
bool rows_waiting(const sink *s);
KG_MUST_CHECK kg_err rows_commit(sink *s, kg_diag *diag); /* KG_E_FULL: kept, try again later */
void rows_free(sink *s);
/* A receipt row's own form: lane, router's name, packed receipt. False: it is for another link. */
bool rows_receipt_is_for(const ledger_receipt *r, const char *router, lane l, const void **packed, size_t *len);

/* hold.c: orders and recalls. */
typedef struct sink_from {
    size_t router;
    lane lane;
    const void *frame; /* as it came */
    size_t frame_len;
} sink_from;
typedef struct held_target {
    alert_id id;
    const wire_target *target;
} held_target;
typedef struct hold_refusal {
    refusal reason;
    kg_diag diag;
} hold_refusal;
void hold_order(sink *s, const sink_from *from, const wire_msg *m);
void hold_recall(sink *s, const sink_from *from, const wire_msg *m);
held_alert *hold_verify(sink *s, const wire_bytes *bytes, hold_refusal *why); /* NULL: why says */
bool hold_may_say(const sink *s, const held_alert *a, const wire_target *t, kg_diag *diag);
void hold_add_router(sink *s, holding *h, size_t router, uint64_t delivery);
void hold_know_routers(sink *s, holding *h, uint64_t delivery); /* from the ledger */
const char *hold_recalled(sink *s, alert_id id, const char *at);
void hold_end_alert(sink *s, held_alert *a, const char *code);

/* playout.c: the player's decisions, carried out. */
void playout_decide(sink *s);
void playout_start(sink *s); /* after the commit */
void playout_say(sink *s, const holding *h, size_t router, dlv_state state);
void playout_end(sink *s, holding *h, dlv_state final, const sink_outcome *o); /* h may be gone */
void playout_words(const holding *h, dlv_state final, sink_outcome *o);
bool playout_ask(sink *s, holding *h, const char *driver_ref); /* false: nobody to ask */

/* link.c: the talk with the routers. */
void sink_link_up(sink *s, size_t router, lane l);
void sink_link_down(sink *s, size_t router, lane l);
void link_take(sink *s, const sink_from *from, const wire_msg *m);
void link_answered(sink *s, const sink_from *from, post *p); /* one order less under way */
void link_say(sink *s, size_t router, lane l, const wire_delivery_receipt *r);
void link_held(sink *s, const holding *h);
void link_hello_again(sink *s, lane l); /* so that the routers offer again what they heard nothing of */
void link_rows_put(sink *s);            /* receipt rows were committed */
int64_t link_flush(sink *s);            /* after the commit; when to come again */
KG_MUST_CHECK kg_err link_send(sink *s, size_t router, lane l, const wire_msg *m);
void link_free(sink *s);

/* fetch.c: large things by hash. */
bool fetch_alert(sink *s, const sink_from *from, const wire_msg *order); /* false: too large */
void fetch_piece(sink *s, const sink_from *from, const wire_piece *p);
int64_t fetch_turn(sink *s);
void fetch_free(sink *s);

/* recover.c */
KG_MUST_CHECK kg_err recover_all(sink *s, kg_diag *diag);

/* station_verbs.c */
void verbs_remember(sink *s, holding *h); /* what the clerk said of it before a restart */
void verbs_remember_mutes(sink *s);
extern const control_verb station_verbs[];
extern const size_t station_verb_count;

#endif
