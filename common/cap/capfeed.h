/*
 * capfeed - finds the alerts of a parsed document: one alert, or the entries of Atom, RSS, <alerts> and EDXL-DE.
 *
 * Inner header of capread.
 */
#ifndef KENG_CAP_CAPFEED_H
#define KENG_CAP_CAPFEED_H

#include <libxml/tree.h>

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

typedef struct capfeed_entry {
    xmlNode *alert; /* NULL: nothing but a link, or nothing at all */
    size_t number;  /* of the alert among all elements named so, in document order */
    const xmlNode *id, *link;
    const char *href; /* in mem; instead of link's text */
} capfeed_entry;

typedef struct capfeed {
    capfeed_entry *entries;
    size_t count;
    bool container;
    bool cut; /* more entries than CAP_DOCUMENTS_MAX */
    const char *next;
} capfeed;

/* false: out of memory. An unknown root gives no entry and is no container. */
bool capfeed_find(xmlNode *root, kg_arena *mem, capfeed *out);

#endif
