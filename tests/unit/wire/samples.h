/* samples - one filled message of every kind, every field with a value of its own; seeds of the fuzz targets too. */
#ifndef KENG_TESTS_WIRE_SAMPLES_H
#define KENG_TESTS_WIRE_SAMPLES_H

#include "wire/wire.h"

wire_msg samples_msg(wire_kind kind);
wire_receipt samples_receipt(void);
wire_status samples_status(void);

#endif
