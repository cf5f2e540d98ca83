/*
 * progress - what became of an alert so far, as lines for a person: a bar a medium, and the times. Pure.
 */
#ifndef KENG_PUBLISHER_PROGRESS_H
#define KENG_PUBLISHER_PROGRESS_H

#include "base/buf.h"
#include "wire/wire.h"

/* Appends one line per medium that has targets, and a last line with the times since submit_ms when all are final.
 * Returns false when an outcome is there that a person must look at: REFUSED, FAILED, UNCERTAIN or PARTIAL. */
bool progress_lines(const wire_msg *progress, int64_t submit_ms, kg_buf *out);

#endif
