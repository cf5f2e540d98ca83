/*
 * profile - the CAP-VN profile: how Keng's scales stand in CAP 1.2 (parameters, geocodes), read and written.
 *
 * Shape     info/parameter valueNames "CAP-VN:class", ":sector", ":risk-level", ":civil-defence-level",
 *           ":civil-defence-decision", ":phase", ":emergency-instrument", ":first-warning", ":next-bulletin",
 *           ":worst-hit", ":sms", ":sms-accented", ":speech", ":crawl", ":agency"; code "profile:CAP-VN:1.0"; geocodes
 *           of areas.h.
 * Rules     Nothing is derived: an absent class stays absent and the publisher says so. A parameter that contradicts
 *           itself between infos is a finding.
 */
#ifndef KENG_CAP_PROFILE_H
#define KENG_CAP_PROFILE_H

#include "cap/cap.h"

#define CAP_VN_CODE "profile:CAP-VN:1.0"

/* Bits of what the document said itself; the rest must come from the publisher's configuration. */
enum { PROFILE_CLASS = 1, PROFILE_SECTOR = 2, PROFILE_AGENCY = 4 };

/* Fills the alert's scales from its parameters; appends findings through the callback. */
typedef void (*profile_finding)(void *ctx, const char *rule, cap_verdict v, const char *sentence);
KG_MUST_CHECK kg_err profile_read(alert *a, unsigned *given, profile_finding fn, void *ctx);
/* Makes the parameters agree with the scales (for alerts that did not come as CAP). */
KG_MUST_CHECK kg_err profile_write(alert *a);

#endif
