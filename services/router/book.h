/*
 * book - the alerts with open deliveries, in memory: small, because a million deliveries may wait.
 *
 * Shape     Alerts by journal position, each with one 20-byte line a delivery. Texts, targets and outcomes stay in the
 *           journal. A line that was not loaded has state BOOK_ABSENT: it was final when this process started.
 * Pure      No I/O, no clock.
 */
#ifndef KENG_ROUTER_BOOK_H
#define KENG_ROUTER_BOOK_H

#include "alert/alert.h"
#include "delivery/dlv.h"

enum { BOOK_ABSENT = DLV_STATE_COUNT };

typedef struct book_line {
    uint32_t station;
    uint32_t held_after_ms; /* from the alert's accepted_ms; 0 not held */
    uint32_t session;       /* of the station, when it was offered */
    uint16_t hit_rank;
    uint8_t state; /* dlv_state, or BOOK_ABSENT */
    uint8_t certainty;
    uint8_t offer; /* which offer is out; wraps */
    bool offered;  /* a sink may have it */
    bool told;     /* to stop, in this session */
} book_line;

typedef struct book_alert {
    uint64_t position;
    alert_id id;
    int64_t accepted_ms, expires_ms;
    int64_t last_outcome_ms; /* of what was heard since this process knows it */
    uint32_t count;          /* lines */
    uint32_t open;           /* of them not final */
    uint8_t class, weight, lifecycle;
    uint8_t waiting; /* work lists it stands in */
    bool silence_told;
    book_line *lines; /* in the same block */
} book_alert;

typedef struct book book;

KG_MUST_CHECK kg_err book_new(book **out);
void book_free(book **b);
/* A copy of *head with room for count absent lines. KG_E_EXISTS: it is here. */
KG_MUST_CHECK kg_err book_add(book *b, const book_alert *head, uint32_t count, book_alert **out);
book_alert *book_find(const book *b, uint64_t position);
void book_drop(book *b, uint64_t position);
/* In order of position; next = the first one after `after`, or NULL. */
book_alert *book_next(const book *b, uint64_t after);
size_t book_count(const book *b);
size_t book_bytes(const book *b);

#endif
