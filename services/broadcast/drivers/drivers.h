/* drivers - the kinds of radio and television station that keng-broadcast knows; see deploy/gateways/README.md. */
#ifndef KENG_BROADCAST_DRIVERS_H
#define KENG_BROADCAST_DRIVERS_H

#include "sink/sink.h"

extern const sink_driver liquidsoap_driver; /* liquidsoap.c: a playout with our keng.liq */
extern const sink_driver spool_driver;      /* spool.c: sound, crawl and order as files for the control room */

#endif
