/*
 * routerpeer_world - the keys, the manifest and the signed alerts of a scripted router.
 */
#ifndef KENG_TESTS_ROUTERPEER_WORLD_H
#define KENG_TESTS_ROUTERPEER_WORLD_H

#include "alert/alert.h"
#include "base/buf.h"
#include "trust/manifest.h"

typedef struct peer_world {
    const char *dir;
    secret_key *root, *agency, *router, *sink, *operator_key;
} peer_world;

/* Makes what is not there yet in dir: key files, manifest, communes.tsv. */
KG_MUST_CHECK kg_err peer_world_open(const char *dir, peer_world *out, kg_diag *diag);
void peer_world_close(peer_world *w);

typedef struct peer_alert { /* one alert the script has made */
    char name[32];
    alert_id id;
    alert_hash hash;
    kg_buf bytes;
    bulletin_class class;
} peer_alert;

typedef struct peer_alert_words {
    const char *name;
    bulletin_class class;
    int64_t sent_ms, ends_ms;
    cap_msg_type type;
    const char *references; /* name of another, or NULL */
    size_t padding;         /* extra bytes of text */
} peer_alert_words;

KG_MUST_CHECK kg_err peer_alert_make(const peer_world *w, const peer_alert_words *words, peer_alert *out);

#endif
