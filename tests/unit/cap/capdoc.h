/*
 * capdoc - a CAP document without any fault, and a way to make one with exactly one.
 */
#ifndef KENG_TESTS_CAP_CAPDOC_H
#define KENG_TESTS_CAP_CAPDOC_H

#include "base/buf.h"
#include "cap/cap.h"

extern const char capdoc_base[];

/* Appends the base with `find` (which must be in it once) replaced by `with`; find "" leaves it as it is. */
void capdoc_change(const char *find, const char *with, kg_buf *out);

bool capdoc_has(const cap_document *d, const char *rule, cap_verdict v);
/* Fails the test with all findings printed. */
void capdoc_fail(const char *label, const cap_reading *r);

#endif
