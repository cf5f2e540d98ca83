/*
 * gstplay - plays one WAV to the network or to a sound card, as fast as it sounds.
 *
 * Shape     One GStreamer pipeline a playing, with threads of its own; its bus is a descriptor in our loop. Ends in
 *           exactly one `done`, from the loop; or in gstplay_stop, then in none. Stopping takes milliseconds.
 * Proof     RTP is not acknowledged by anybody: all that is known is what left this machine. `sent_bytes` is what the
 *           socket took, `all` whether it took everything.
 * Bounds    A pipeline that does not end GSTPLAY_SLACK_MS after its sound should have ended has failed.
 * Door      GStreamer appears in gstplay.c only. gstplay_open before the first; GStreamer's threads inherit the signal
 *           mask, so the loop comes first.
 */
#ifndef KENG_LOUDSPEAKER_GSTPLAY_H
#define KENG_LOUDSPEAKER_GSTPLAY_H

#include <stdbool.h>

#include "svc/loop.h"

enum { GSTPLAY_SLACK_MS = 5000, GSTPLAY_HOST_MAX = 64, GSTPLAY_NAME_MAX = 64 };

typedef struct gstplay gstplay;

typedef struct gstplay_target {
    char device[GSTPLAY_NAME_MAX]; /* an ALSA device; "": RTP to */
    char host[GSTPLAY_HOST_MAX];   /* address of a group or of one speaker */
    unsigned port;
    char interface[GSTPLAY_NAME_MAX]; /* to send multicast on; "": the routing table decides */
    unsigned ttl;                     /* of multicast */
} gstplay_target;

typedef struct gstplay_end {
    bool good;           /* the pipeline reached the end of the sound */
    bool all;            /* and the network took every byte of it */
    uint64_t sent_bytes; /* payload; 0 for a sound card */
    const char *why;     /* what went wrong, "" nothing */
} gstplay_end;

typedef void (*gstplay_done)(void *ctx, const gstplay_end *end);

KG_MUST_CHECK kg_err gstplay_open(bool alsa, kg_diag *diag); /* are all parts installed? */

typedef struct gstplay_order {
    const gstplay_target *target;
    const char *wav; /* 48 kHz, mono, 16 bit; may be unlinked once the playing has ended */
    int64_t length_ms;
    gstplay_done done;
    void *ctx;
} gstplay_order;

KG_MUST_CHECK kg_err gstplay_start(loop *l, const gstplay_order *o, gstplay **out, kg_diag *diag);
/* What was sent until now. */
uint64_t gstplay_sent(const gstplay *g);
void gstplay_stop(gstplay **g);

#endif
