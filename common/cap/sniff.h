/*
 * sniff - two cheap questions that need no XML parser: is this XML at all, and what did a CAP document state itself?
 */
#ifndef KENG_CAP_SNIFF_H
#define KENG_CAP_SNIFF_H

#include "alert/alert.h"

/* The bytes begin as XML does (also with a byte order mark, also in UTF-16, which cap_read then refuses). */
bool cap_is_xml(const void *bytes, size_t n);

/* Some info of the alert carries a parameter of that name, e.g. "CAP-VN:class". */
bool cap_states(const alert *a, const char *parameter);

#endif
