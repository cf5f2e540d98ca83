/*
 * engine_world - a sink with neither loop nor network: a clock that stands still, a driver that does as it is told, and
 * a router that notes what it hears.
 */
#ifndef KENG_TESTS_ENGINE_WORLD_H
#define KENG_TESTS_ENGINE_WORLD_H

#include "sink/engine.h"
#include "tests/unit/trust/trust_fixture.h"

enum { WORLD_JOBS = 64, WORLD_TEXT = 16 * 1024 };

#define HORN   "86.28756.loa"
#define HORN_2 "86.28756.loa2"
#define SMS    "86.sms.vnpt"

typedef struct world_alert { /* what differs from the usual urgent one; NULL or 0: as usual */
    const char *identifier;
    bulletin_class class;
    cap_msg_type msg_type;
    const char *references; /* identifier of the one it references */
    cap_status status;
    int64_t ends_ms; /* after tf_now_ms */
    tf_who who;
    const char *agency;
    const char *description;
} world_alert;

typedef struct world {
    trust_fixture trust;
    sink sink;
    sink_config config;
    sink_router_config routers[2]; /* one is configured; a test may set config.router_count */
    size_t via;                    /* the router that speaks */
    sink_driver_config drivers[2];
    sink_station_config stations[3];
    ledger *ledger;
    int64_t now_ms;
    bool open;
    bool deaf;               /* the router's pipe is full */
    char heard[WORLD_TEXT];  /* "HELD 86.28756.loa/7#0 ..." since the last look */
    char played[WORLD_TEXT]; /* "start 86.28756.loa#0 ..." since the last look */
    uint64_t batches[2][LANE_COUNT];
    sink_job *jobs[WORLD_JOBS]; /* that the driver has and has not ended */
    size_t job_count;
    bool at_once;      /* start ends DONE before it returns */
    bool can_be_asked; /* the driver has ask */
    dlv_state ask_says;
    unsigned credit[LANE_COUNT]; /* of HORN */
    alert_hash wanted;
    uint64_t wanted_offset;
    sink_driver horn, sms;
} world;

void world_open(world *w);
void world_close(world *w);
void world_crash(world *w);   /* the process ends without a word; nothing of it but the ledger is left */
void world_restart(world *w); /* and begins anew, the router at its door */
int64_t world_turn(world *w); /* turns until there is nothing more to do; when it would wake */
void world_later(world *w, int64_t ms);

void world_sign(const world *w, const world_alert *what, kg_buf *out, alert_id *id);
/* An order of it to one station, delivery number = position in the alphabet of stations + 1. */
void world_order(world *w, const world_alert *what, const char *place, const wire_target *like);
void world_order_bytes(world *w, const kg_buf *bytes, alert_id id, const wire_target *t);
void world_recall(world *w, const world_alert *what, const char *place, life_state reason);
void world_kept(world *w);
sink_job *world_job(const world *w, const char *place);
void world_finish(world *w, const char *place, dlv_state state);

/* What was heard and played since the last look; compared, then forgotten. */
void world_heard(world *w, const char *label, const char *want);
void world_played(world *w, const char *label, const char *want);

#endif
