/*
 * material - what an Order is made of: an alert's signed bytes and its deliveries' targets, for those now on their way.
 *
 * Shape     A cache over the journal with a ceiling of bytes; the one used longest ago goes first. So a million queued
 *           deliveries cost their lines in the book and no more.
 */
#ifndef KENG_ROUTER_MATERIAL_H
#define KENG_ROUTER_MATERIAL_H

#include "store/journal.h"
#include "wire/wire.h"

enum { MATERIAL_BYTES_MAX = 48 * 1024 * 1024 };

typedef struct material {
    uint64_t position;
    wire_bytes signed_alert;
    alert_hash hash;
    const wire_target *targets; /* by line; .station NULL where there is none */
    size_t target_count;
} material;

typedef struct materials materials;

KG_MUST_CHECK kg_err materials_new(journal *j, materials **out);
void materials_free(materials **m);
/* Lends until the next call. */
KG_MUST_CHECK kg_err materials_get(materials *m, uint64_t position, const material **out, kg_diag *diag);
void materials_forget(materials *m, uint64_t position);
void materials_clear(materials *m);
size_t materials_bytes(const materials *m);

#endif
