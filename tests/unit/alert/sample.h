/* sample - an alert in which every field holds something, for tests that pack, unpack and break it. */
#ifndef KENG_TESTS_ALERT_SAMPLE_H
#define KENG_TESTS_ALERT_SAMPLE_H

#include "alert/alert.h"

/* Its texts are literals; alert_done releases the lists. */
void sample_alert(alert *a);

#endif
