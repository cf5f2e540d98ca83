/* drivers - the kinds of loudspeaker station that keng-loudspeaker knows; see deploy/gateways/README.md. */
#ifndef KENG_LOUDSPEAKER_DRIVERS_H
#define KENG_LOUDSPEAKER_DRIVERS_H

#include "sink/sink.h"

extern const sink_driver rtp_driver;    /* live.c: RTP L16/48000 to a group or one speaker */
extern const sink_driver alsa_driver;   /* live.c: a sound card of this machine */
extern const sink_driver file_driver;   /* file.c: a folder that a player fetches from */
extern const sink_driver manual_driver; /* manual.c: a person is called, and confirms */

#endif
