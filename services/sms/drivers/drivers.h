/*
 * drivers - the gateways that keng-sms knows, one file each.
 */
#ifndef KENG_SMS_DRIVERS_H
#define KENG_SMS_DRIVERS_H

#include "sink/sink.h"

extern const sink_driver operator_driver; /* an operator's HTTPS interface: one request an alert */
extern const sink_driver mail_driver;     /* the same form as a letter; a person confirms by telephone */
extern const sink_driver kannel_driver;   /* small lists, message by message, through Kannel */
extern const sink_driver spool_driver;    /* one file a request, for whatever comes to fetch it */

#endif
