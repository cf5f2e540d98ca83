/*
 * gate - reads CAP in a fenced child process (keng-capgate): no network, no keys, bounded memory and CPU time.
 *
 * Shape     gate_read starts the child beside the running program (or $KENG_CAPGATE), writes the document to it, reads
 *           one packed reading back and checks it. A child that dies, stalls or answers rubbish is KG_E_INVALID for
 *           that document: hostile input, not our failure; KG_E_IO only when the child could not be started at all.
 */
#ifndef KENG_CAP_GATE_H
#define KENG_CAP_GATE_H

#include "cap/cap.h"

KG_MUST_CHECK kg_err gate_read(const void *bytes, size_t n, int assume_offset_min, cap_reading *out, kg_diag *diag);

/* keng-capgate's whole main: fences itself, reads standard input, answers on standard output. */
int gate_child(int argc, char **argv);

#endif
