/*
 * capmap - what the readers of alert, info and area share: findings, children by name, text of a node.
 *
 * Inner header of capread: libxml2's types stop here.
 */
#ifndef KENG_CAP_CAPMAP_H
#define KENG_CAP_CAPMAP_H

#include <libxml/tree.h>

#include "cap/cap.h"

enum { CAPMAP_CHILDREN_MAX = 24 };

typedef enum cap_version { CAP_NOT, CAP_1_0, CAP_1_1, CAP_1_2 } cap_version;

typedef struct capmap {
    kg_arena *mem; /* the reading's, for findings */
    cap_document *doc;
    cap_version version;
    int assume_offset_min;
    size_t crossing_budget; /* for ring_read */
    kg_buf scratch;
    bool nomem;
} capmap;

/* at may be NULL: the whole document. Beyond CAP_FINDINGS_MAX only a worse verdict is still recorded. */
void capmap_find(capmap *m, const xmlNode *at, const char *rule, cap_verdict v, const char *fmt, ...) KG_PRINTF(5, 6);

cap_version capmap_version(const xmlNode *node); /* by the element's namespace */
bool capmap_named(const xmlNode *node, const char *name);

/* An element's children of the same namespace by name: names in the order of the schema. Empty ones count as absent
 * (DOC-13); wrong order, unknown ones and repeats of a name outside `many` (a bit a name) are findings. */
typedef struct capmap_children {
    const xmlNode *first[CAPMAP_CHILDREN_MAX];
    size_t times[CAPMAP_CHILDREN_MAX];
} capmap_children;
void capmap_sort(capmap *m, const xmlNode *parent, const char *const *names, uint32_t many, capmap_children *out);
/* The next one of that name that is not empty; NULL after the last. */
const xmlNode *capmap_next(const xmlNode *node);

/* Never NULL; in the alert's arena, NFC, without surrounding white space. node may be NULL: "". */
const char *capmap_token(capmap *m, const xmlNode *node); /* white space inside is one blank */
const char *capmap_text(capmap *m, const xmlNode *node);  /* for people: new lines stay; repeats are put together */

void *capmap_array(capmap *m, size_t count, size_t size);

/* 0 and a finding when it is no time at all. */
int64_t capmap_time(capmap *m, const xmlNode *node, const char *name, int *offset_min);

/* readers, one file each */
void capalert_read(capmap *m, const xmlNode *root);
void capinfo_read(capmap *m, const xmlNode *node, alert_info *out);
void caparea_read(capmap *m, const xmlNode *node, alert_area *out);
void capinfo_pairs(capmap *m, const xmlNode *first, size_t times, alert_pairs *out);
void capinfo_across(capmap *m); /* rules over all infos of one alert */

#endif
