/*
 * desk_own - what the desk's own files share: desk.c (talks and answers), desk_document.c (documents to sign),
 * desk_named.c (alerts sent before, by name). Nobody else includes it.
 */
#ifndef KENG_PUBLISHER_DESK_OWN_H
#define KENG_PUBLISHER_DESK_OWN_H

#include "author.h"
#include "desk.h"

enum { TALKS_MAX = 64, TALK_ALERTS_MAX = 256 };

/* What a talk still expects of one alert. */
typedef struct topic {
    alert_id id;
    int64_t submit_ms; /* when it went into the outbox */
    bool answered, over;
} topic;

typedef struct talk {
    bool open;
    desk_ears ears;
    bool follow;
    int64_t until_ms; /* monotonic; 0: no limit */
    topic topics[TALK_ALERTS_MAX];
    size_t topic_count;
    bool failed; /* something of it was refused, failed or is uncertain */
} talk;

struct desk {
    loop *loop;
    outbox *outbox;
    const publisher_config *config;
    submit *submit;
    loop_timer *timer;
    int64_t tidied_ms;
    talk talks[TALKS_MAX];
};

void desk_say(const talk *t, const char *fmt, ...) KG_PRINTF(2, 3);
topic *desk_topic(talk *t, alert_id id); /* found or new; NULL: no room */

/* Stores what was signed and says so; what was answered before is the answer again. */
void desk_queue(desk *d, talk *t, const authored *w, const desk_request *r);

/* By id, its first digits, or the CAP identifier. KG_E_NOTFOUND says how to look. */
KG_MUST_CHECK kg_err desk_find(desk *d, const char *name, alert_id *id, alert *out, kg_diag *diag);

/* `sent` of an alert of the same sender and identifier that still stands; 0: none. */
int64_t desk_sent_before(desk *d, const alert *a);

/* KG_E_CONFLICT when another alert than `ours` has replaced or ended `old`: who ends the replaced one would tell the
 * people of an end while its successor goes on. */
KG_MUST_CHECK kg_err desk_last(desk *d, const alert *old, alert_id ours, kg_diag *diag);

typedef void (*desk_verb)(desk *d, talk *t, const desk_request *r);
void desk_document(desk *d, talk *t, const desk_request *r); /* send, update */
void desk_retract(desk *d, talk *t, const desk_request *r);
void desk_all_clear(desk *d, talk *t, const desk_request *r);
void desk_follow(desk *d, talk *t, const desk_request *r);
void desk_list(desk *d, talk *t, const desk_request *r);

#endif
