/*
 * queue - what waits for each station, in the order it must go: class, then weight, then age.
 *
 * Shape     Per station a heap of (class desc, severity and risk desc, accepted order asc). Items are small integers:
 *           delivery numbers of the caller. ~40 bytes an item; no allocation per item (pools that grow by doubling).
 * Credit    Each station has credit per lane (urgent, other), granted by the sink as running totals; an urgent item
 *           may take only urgent credit, the others only the other's, so an urgent alert never waits for routine ones.
 *           Dispatch queue_next picks over all ready stations: class first, then worst-hit rank, then age.
 * Pure      No I/O, no clock.
 */
#ifndef KENG_DELIVERY_QUEUE_H
#define KENG_DELIVERY_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef enum lane { LANE_OTHER, LANE_URGENT, LANE_COUNT } lane;

typedef struct queue queue;

typedef struct queue_item {
    uint64_t delivery; /* caller's number */
    uint32_t station;
    uint8_t class;     /* bulletin_class */
    uint8_t weight;    /* severity and risk level combined by the caller; more goes first */
    uint16_t hit_rank; /* 0 first */
    uint32_t order;    /* accepted order; less goes first */
} queue_item;

KG_MUST_CHECK kg_err queue_new(size_t stations, queue **out);
void queue_free(queue **q);
KG_MUST_CHECK kg_err queue_put(queue *q, const queue_item *item);
/* Removes a waiting item wherever it is; false when it is not there. */
bool queue_remove(queue *q, uint32_t station, uint64_t delivery);
void queue_credit(queue *q, uint32_t station, lane l, uint64_t granted_total);
void queue_reset(queue *q, uint32_t station, lane l); /* sink gone or new session: no credit, nothing in flight */
/* Takes the next item that may go now, and its credit. False when none may. */
bool queue_next(queue *q, lane l, queue_item *out);
size_t queue_waiting(const queue *q, uint32_t station);
size_t queue_total(const queue *q);
size_t queue_bytes(const queue *q); /* memory it holds, for the bench */

#endif
