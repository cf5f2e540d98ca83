/*
 * peer - a scripted publisher, scripted sinks and a real router between them: what tests, benches and crash campaigns
 * drive.
 *
 * World     A temporary folder with keys, key manifest, policy, stations and router.yaml for the 124 communes of Vinh
 *           Long, and the keng-router process of KENG_BIN_DIR. Station i is "st-<iiiii>", a loudspeaker of commune
 *           peer_commune(w, i): commune i modulo 124. An alert for province "86" reaches all of them.
 * Peers     Real connections (CURVE, ZAP) over the bus. A sink keeps what it was given, as a ledger would, also while it
 *           is disconnected: an order it knows is counted in `again`. Receipts are said again until they are kept.
 * Time      Nothing sleeps for a fixed time: peer_until polls all connections until a condition holds, or says false
 *           after a bounded time.
 * Errors    What a test cannot go on without prints a sentence with the router's last log lines, and aborts. The router
 *           dies with the test process.
 */
#ifndef KENG_TESTS_PEER_H
#define KENG_TESTS_PEER_H

#include "areas/areas.h"
#include "bus/bus.h"
#include "delivery/dlv.h"
#include "delivery/queue.h"
#include "svc/control.h"
#include "trust/key.h"

enum { PEER_PROVINCE_COMMUNES = 124, PEER_STATION_TEXT = 16 };

/* ---- the world ---- */

typedef enum peer_who {
    PEER_HEALTH,   /* actual; so-y-te, province 86, health, urgent */
    PEER_HEALTH_2, /* the same rights, another person */
    PEER_POLICE,   /* actual; cong-an-tinh, province 86, security, urgent */
    PEER_COMMUNE,  /* actual; ubnd-28756, its commune, every sector, priority */
    PEER_DRILL,    /* drill; so-y-te */
    PEER_REVOKED,  /* actual; so-y-te, revoked */
    PEER_STRANGER, /* in no manifest */
    PEER_ROOT,
    PEER_ROUTER,      /* connects */
    PEER_ROUTER_SIGN, /* signs receipts */
    PEER_PUBLISHER,   /* connects */
    PEER_SINK,        /* connects; stations st-* */
    PEER_SINK_2,      /* connects; stations st-0000* */
    PEER_OPERATOR,    /* connects */
    PEER_WHO_COUNT
} peer_who;

typedef struct peer_setup {
    size_t stations;            /* 0: 4 */
    bool two_signatures;        /* urgent for more than one commune needs two persons */
    bool tcp;                   /* loopback ports, not sockets in the folder */
    unsigned per_minute, burst; /* 0: the router's own */
} peer_setup;

typedef struct peer_world peer_world;

peer_world *peer_world_new(const peer_setup *setup);
void peer_world_free(peer_world **w);
const char *peer_dir(const peer_world *w);
const secret_key *peer_key(const peer_world *w, peer_who who);
const char *peer_commune(const peer_world *w, size_t i); /* of station i */
void peer_station(size_t i, char out[PEER_STATION_TEXT]);
/* Writes the key manifest anew; `revoked` (PEER_WHO_COUNT: none) is marked so. The router reads it on SIGHUP. */
void peer_manifest(peer_world *w, uint64_t version, peer_who revoked);

/* fault: KENG_FAULT for this run, or NULL. Returns when the router is ready (or is gone, at a fault point). */
void peer_router_start(peer_world *w, const char *fault);
int peer_router_end(peer_world *w, int signal); /* waitpid's status */
bool peer_router_alive(peer_world *w);
int peer_router_wait(peer_world *w, int64_t at_most_ms); /* -1: still there */
pid_t peer_router_pid(const peer_world *w);
void peer_router_signal(peer_world *w, int signal);
size_t peer_router_log_count(const peer_world *w, const char *text); /* lines of all runs that hold the text */

/* Serves all connections of the world until cond says true; false after at_most_ms. cond NULL: just serve. */
bool peer_until(peer_world *w, bool (*cond)(void *ctx), void *ctx, int64_t at_most_ms);
int64_t peer_now_us(void); /* monotonic */

/* One question at the router's control door; the answer's texts live in it. Aborts when no answer comes. */
void peer_ask(peer_world *w, const char *verb, const char *const *arguments, size_t count, control_answer *out);
/* The number behind a name in the "status" table. */
int64_t peer_status(peer_world *w, const char *name);

/* ---- alerts ---- */

typedef struct peer_spec {
    const char *identifier; /* NULL: a new one */
    const char *agency;     /* NULL: so-y-te */
    const char *sector;     /* NULL: health */
    const char *area;       /* NULL: "86"; a province's two digits or a commune's five */
    bulletin_class class;
    cap_status status;
    cap_msg_type msg_type;
    const alert_ref *references; /* of the same sender */
    size_t reference_count;
    int64_t sent_ms;    /* 0: now */
    int64_t ttl_ms;     /* from then on; 0: an hour; may be negative */
    size_t extra_bytes; /* of description, to make it large */
    const char *hold;   /* why a person should look first */
} peer_spec;

typedef struct peer_alert {
    alert_id id;
    alert_hash hash;
    alert_ref ref;       /* its identifier lives here: */
    char identifier[64]; /* so an alert stays where it was made */
    kg_buf bytes;        /* packed Signed */
} peer_alert;

/* Signed by so many persons, in this order. */
void peer_alert_new(peer_world *w, const peer_spec *spec, const peer_who *who, size_t count, peer_alert *out);
void peer_alert_done(peer_alert *a);

/* ---- a publisher ---- */

typedef struct peer_verdict {
    alert_hash hash;
    alert_id id;
    wire_outcome outcome;
    char code[48];
    char sentence[512];
    uint64_t position;
    uint32_t targets;
    int64_t at_us;
} peer_verdict;

typedef struct peer_publisher peer_publisher;

peer_publisher *peer_publisher_new(peer_world *w);
void peer_publisher_free(peer_publisher **p);
void peer_submit(peer_publisher *p, const peer_alert *a); /* inline or in pieces; false verdicts are not its business */
void peer_submit_bytes(peer_publisher *p, const void *bytes, size_t n);
/* Verdicts so far, in order of arrival; every receipt's signature was checked. */
size_t peer_verdict_count(const peer_publisher *p);
const peer_verdict *peer_verdict_at(const peer_publisher *p, size_t i);
/* Submits and waits for the verdict of these bytes; aborts when none comes. */
const peer_verdict *peer_submit_wait(peer_publisher *p, const peer_alert *a);
void peer_follow(peer_publisher *p, alert_id id);
/* The last Progress of the alert: so many in this state; -1 when none came. *final may be NULL. */
int peer_progress(const peer_publisher *p, alert_id id, dlv_state state, bool *final);

/* ---- a sink ---- */

typedef struct peer_sink_setup {
    size_t first, count; /* stations */
    uint32_t credit;     /* orders a station and lane at once; 0: 16 */
    bool hold;           /* says HELD at once */
    bool finish;         /* then STARTED and DONE */
    bool second_key;     /* PEER_SINK_2 */
    bool no_grants;      /* room is granted by peer_sink_grant only */
} peer_sink_setup;

typedef struct peer_order {
    uint64_t delivery;
    alert_id id;
    uint32_t station; /* its number */
    uint32_t mode;
    dlv_state state; /* as this sink sees it */
    unsigned again;  /* ordered so many times more */
    unsigned recalls;
    lane lane;
    int64_t at_us;
} peer_order;

typedef struct peer_sink peer_sink;

peer_sink *peer_sink_new(peer_world *w, const peer_sink_setup *setup);
void peer_sink_free(peer_sink **s);
void peer_sink_disconnect(peer_sink *s); /* as if killed; what it holds is kept */
void peer_sink_connect(peer_sink *s);
bool peer_sink_up(const peer_sink *s); /* welcomed on both lanes */
size_t peer_sink_refused(const peer_sink *s);
size_t peer_order_count(const peer_sink *s);
const peer_order *peer_order_at(const peer_sink *s, size_t i);
void peer_sink_say(peer_sink *s, size_t order, dlv_state state); /* a receipt */
void peer_sink_say_all(peer_sink *s, dlv_state state);
void peer_sink_grant(peer_sink *s, lane on, uint32_t more); /* to every station */
size_t peer_sink_unkept(const peer_sink *s);
size_t peer_recall_count(const peer_sink *s);

#endif
