/*
 * sink - what every sink does the same way: receive -> verify -> ledger -> render -> deliver -> receipt.
 *
 * Purpose   A medium's program is a table of drivers and a main of a dozen lines; this is the rest. sink.c is the
 *           story.
 * Flow      An Order is verified (agency's signature, key, scope, area; the router is not trusted for content),
 *           written to the ledger, and HELD is said after the commit. A playing comes due at its time: the station's
 *           player decides (player.h), the driver prepares (renders; may take seconds), STARTED is committed, the
 *           driver starts, and ends in exactly one outcome. Repeats are planned here, so they go on without the
 *           router. Recall, Update, Cancel and expiry stop what waits, plays and repeats.
 * Crash     A playing found STARTED at start-up: the driver is asked if it can be; else an urgent one is played once
 *           more labelled as a repeat; anything else is UNCERTAIN.
 * Config    sink.yaml: name, key, manifest, root, routers (name, urgent, other, key), state, communes, control, drivers
 *           (name, kind, config file), stations (id, name, medium, driver, languages, person, settings), hours
 *           (optional: quiet "21:00-05:00", sessions ["05:00-05:30"], for routine bulletins only). Every driver kind
 *           has a YAML file of its own with its own schema.
 * Control   Verbs for `keng station`: list, show, mute REASON, unmute, accept, reorder, confirm, self-test, stop;
 *           audit (the chain of what was done here).
 *           A mute holds back routine and priority bulletins; an urgent one sounds all the same.
 */
#ifndef KENG_SINK_SINK_H
#define KENG_SINK_SINK_H

#include "alert/alert.h"
#include "delivery/dlv.h"
#include "policy/policy.h"
#include "svc/loop.h"

typedef struct sink_station {
    const char *id, *name, *person;
    medium medium;
    alert_texts languages;
    const char *settings; /* the station's own line for its driver, e.g. "239.1.2.3:5004"; may be "" */
} sink_station;

typedef struct sink_job { /* one attempt at one playing of one alert at one station */
    uint64_t number;      /* unique in this process */
    const alert *alert;
    alert_id id;
    char id_text[ALERT_ID_TEXT];
    const sink_station *station;
    policy_mode mode;
    unsigned playing; /* 0 the first */
    unsigned attempt; /* 0 the first try of this playing */
    bool labelled;    /* a second playing on purpose (after a crash, or cut by an urgent one): say so */
    alert_texts languages, communes;
    const char *rule, *basis;
    int64_t ends_ms;   /* the alert's end */
    void *driver_data; /* the driver's own, released by it when it finishes the job */
} sink_job;

typedef struct sink_outcome {
    /* DONE PARTIAL REFUSED FAILED UNCERTAIN; or PENDING: nothing of it has reached anyone, try again (the engine
     * waits longer each time, until the alert's end, then FAILED with this code and detail). */
    dlv_state state;
    dlv_certainty certainty;
    const char *code;             /* stable, e.g. "gateway-down"; NULL or "" when DONE */
    const char *detail;           /* sentence for people; no phone numbers */
    int64_t started_ms, ended_ms; /* when people heard it, 0 unknown */
    uint64_t sent, reached;
    bool again; /* part of it may have been heard and the device has lost it: an urgent one is played once more,
                   labelled, as after a crash; for any other, or the second time, `state` counts */
} sink_outcome;

typedef struct sink sink; /* the running engine */

/* A returned error of prepare, start and ask ends the job as if the driver had finished it (TEMP: PENDING, else
 * FAILED, with the diag's sentence): it must not call sink_finish then. On KG_OK exactly one sink_finish ends the
 * job, from within the call or later; strings in the outcome are copied. */
typedef struct sink_driver {
    const char *kind;
    bool exclusive; /* one playing at a time a station, class 2 cuts in; false: as many as come (SMS) */
    /* Reads its config file (NULL: the kind has none). May block. */
    kg_err (*open)(sink *host, const char *name, const char *config_path, void **self, kg_diag *diag);
    /* Once per station of this driver, after open: refuses settings it cannot use. May block. NULL: anything goes. */
    kg_err (*add)(void *self, const sink_station *station, kg_diag *diag);
    /* Renders; never blocks. Ends in sink_prepared or sink_finish. NULL: nothing to prepare. */
    kg_err (*prepare)(void *self, sink_job *job, kg_diag *diag);
    /* STARTED is durable now. Never blocks. */
    kg_err (*start)(void *self, sink_job *job, kg_diag *diag);
    /* Stop within a second (recall, expiry, pre-emption, operator), also while preparing; still ends in exactly one
     * sink_finish: PARTIAL when some of it was heard, PENDING when none was, DONE when it was all over already. */
    void (*stop)(void *self, sink_job *job);
    /* After a crash: what became of driver_ref? PENDING: surely nothing. NULL: the device cannot be asked. */
    kg_err (*ask)(void *self, sink_job *job, const char *driver_ref, kg_diag *diag);
    /* A person confirms or refuses a started manual task; sink_finish follows. NULL: not manual. */
    kg_err (*confirm)(void *self, sink_job *job, bool done, const char *who, const char *note, kg_diag *diag);
    /* Self-test of one station on order, ends in sink_tested. NULL: none. */
    kg_err (*test)(void *self, const sink_station *station, kg_diag *diag);
    /* Jobs still open are forgotten without sink_finish: their STARTED rows are dealt with at the next start. */
    void (*close)(void *self);
} sink_driver;

/* What drivers call. */
loop *sink_loop(sink *s);
const char *sink_state_dir(const sink *s);
int64_t sink_now_ms(const sink *s);
void sink_prepared(sink *s, sink_job *job);
/* What the device calls this playing; durable when this returns. Call from start, before the device is told. */
KG_MUST_CHECK kg_err sink_note_ref(sink *s, sink_job *job, const char *driver_ref, kg_diag *diag);
void sink_progress(sink *s, sink_job *job, uint64_t sent, uint64_t reached); /* counts while it runs */
void sink_finish(sink *s, sink_job *job, const sink_outcome *o);             /* the job is gone after this */
void sink_tested(sink *s, const sink_station *at, bool good, const char *detail);
/* The device's own state as last heard: power, volume, fault, what it plays. */
void sink_device(sink *s, const sink_station *at, bool on, int volume, const char *fault);
/* Bytes the alert carries by hash (audio): from the store, else fetched from the router; done is called from
 * the loop. */
KG_MUST_CHECK kg_err sink_fetch(sink *s, const alert_hash *hash, uint64_t total,
                                void (*done)(void *ctx, kg_err e, const void *bytes, size_t n), void *ctx,
                                kg_diag *diag);

/* main: parses the command line (--config sink.yaml [--check]), opens everything, runs, closes.
 * media: bits (1u << medium) this program serves. */
int sink_main(int argc, char **argv, const char *program, const char *summary, uint32_t media,
              const sink_driver *const *drivers, size_t driver_count);

#endif
