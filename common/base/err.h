/*
 * err - what can go wrong, and what the caller should do about it.
 *
 * Purpose   Every fallible function returns a kg_err; its class, not the single code, decides what happens. The cause
 *           travels in a kg_diag; whoever decides what to do next logs it, once.
 * Classes   DONE go on (now, or it was so already) · PERM reject, asking again will not help · TEMP try again later ·
 *           FAULT our own bug, stop.
 */
#ifndef KENG_BASE_ERR_H
#define KENG_BASE_ERR_H

#define KG_MUST_CHECK        __attribute__((warn_unused_result))
#define KG_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

typedef enum kg_err {
    KG_OK,
    KG_E_EXISTS,   /* DONE:  stored or done before, same content: acknowledge again */
    KG_E_INVALID,  /* PERM:  the bytes or values break a rule */
    KG_E_DENIED,   /* PERM:  no right to this */
    KG_E_CONFLICT, /* PERM:  same name, other content */
    KG_E_EXPIRED,  /* PERM:  too late */
    KG_E_LIMIT,    /* PERM:  larger or more than a stated maximum */
    KG_E_NOTFOUND, /* PERM:  no such thing */
    KG_E_IO,       /* TEMP:  disk, socket or child failed */
    KG_E_AGAIN,    /* TEMP:  not now: nothing there, or no room */
    KG_E_TIMEOUT,  /* TEMP:  no answer in time */
    KG_E_FULL,     /* TEMP:  disk or queue is full */
    KG_E_NOMEM,    /* TEMP:  out of memory */
    KG_E_BUG,      /* FAULT: an invariant of ours is broken */
    KG_ERR_COUNT
} kg_err;

typedef enum kg_class { KG_DONE, KG_PERM, KG_TEMP, KG_FAULT } kg_class;

enum { KG_DIAG_MAX = 768 };

/* A sentence for a person: what, where, how to mend it. Always terminated; cut at KG_DIAG_MAX on a character.
 */
typedef struct kg_diag {
    char text[KG_DIAG_MAX];
} kg_diag;

kg_class kg_err_class(kg_err e);
const char *kg_err_name(kg_err e); /* "ok", "invalid", "denied", ... stable, used in logs and on the wire */

/* Write the sentence (diag may be NULL), or put a context in front of the one that is there: "stations.yaml: " + it. */
void kg_diag_set(kg_diag *diag, const char *fmt, ...) KG_PRINTF(2, 3);
void kg_diag_within(kg_diag *diag, const char *fmt, ...) KG_PRINTF(2, 3);

/* The same as an expression whose value is e, so that a failing line reads: return kg_fail(...). Macros, so that a
 * checker of one file sees that e is what comes back. */
#define kg_fail(diag, e, ...)    (kg_diag_set((diag), __VA_ARGS__), (kg_err)(e))
#define kg_fail_in(diag, e, ...) (kg_diag_within((diag), __VA_ARGS__), (kg_err)(e))

/* For a result that truly does not matter; say why beside it. */
static inline void kg_ignore(kg_err e)
{
    (void)e;
}

#endif
