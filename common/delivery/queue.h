/*
 * queue - what waits for each station, in the order it must go: class, then weight, then age.
 *
 * Shape     Per station and lane a heap of (class desc, weight desc, accepted order asc); per lane a heap of the
 *           stations that may get something now. Every operation is O(log n); nothing is ever scanned. Items are small
 *           integers (delivery numbers of the caller, each waiting once): ~40 bytes an item; no allocation per item.
 * Credit    Each station has credit per lane (urgent, other), granted by the sink as running totals; an urgent item
 *           may take only urgent credit, the others only the other's, so an urgent alert never waits for routine ones.
 *           Dispatch queue_next picks over all ready stations: class first, then worst-hit rank, then weight and age.
 * Limits    QUEUE_ITEMS_MAX items: KG_E_FULL.
 * Pure      No I/O, no clock.
 */
#ifndef KENG_DELIVERY_QUEUE_H
#define KENG_DELIVERY_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef enum lane { LANE_OTHER, LANE_URGENT, LANE_COUNT } lane;

enum { QUEUE_ITEMS_MAX = 16 * 1024 * 1024, QUEUE_CLASS_URGENT = 2 };

typedef struct queue queue;

typedef struct queue_item {
    uint64_t delivery; /* caller's number */
    uint32_t station;
    uint8_t class;     /* bulletin_class: the urgent class goes by the urgent lane */
    uint8_t weight;    /* severity and risk level combined by the caller; more goes first */
    uint16_t hit_rank; /* 0 first */
    uint32_t order;    /* accepted order; less goes first */
} queue_item;

/* stations: their numbers are 0 to stations - 1; queue_grow adds some later (a new policy). */
KG_MUST_CHECK kg_err queue_new(size_t stations, queue **out);
void queue_free(queue **q);
KG_MUST_CHECK kg_err queue_grow(queue *q, size_t stations);

/* KG_E_EXISTS it waits already; KG_E_NOTFOUND no such station; KG_E_FULL; KG_E_NOMEM. */
KG_MUST_CHECK kg_err queue_put(queue *q, const queue_item *item);
/* Removes a waiting item wherever it is; false when it is not there. */
bool queue_remove(queue *q, uint32_t station, uint64_t delivery);
/* The sink's running total since its session began; a lower one than before is an old message and ignored. */
void queue_credit(queue *q, uint32_t station, lane l, uint64_t granted_total);
void queue_reset(queue *q, uint32_t station, lane l); /* sink gone or new session: no credit, nothing in flight */
/* Takes the next item that may go now, and its credit. False when none may. */
bool queue_next(queue *q, lane l, queue_item *out);
/* What queue_next gave could not be sent after all: it waits again and its credit is back. Errors as queue_put. */
KG_MUST_CHECK kg_err queue_put_back(queue *q, const queue_item *item);

size_t queue_waiting(const queue *q, uint32_t station);
size_t queue_total(const queue *q);
size_t queue_bytes(const queue *q); /* memory it holds, for the bench */

#endif
