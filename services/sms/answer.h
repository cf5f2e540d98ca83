/*
 * answer - what an operator's server says about a request, judged in one place.
 *
 * Purpose   HTTP status and JSON body become one of five verdicts. Anything that is not clearly one thing is DOUBT: the
 *           same request with the same id is sent again, and the operator answers with what it did the first time.
 * Bytes     From another company's server: bounded, checked, never trusted. Counts over ANSWER_COUNT_MAX, negative or
 *           contradictory ones make it rubbish.
 */
#ifndef KENG_SMS_ANSWER_H
#define KENG_SMS_ANSWER_H

#include "http/http.h"

enum { ANSWER_BYTES_MAX = 64 * 1024, ANSWER_CODE_MAX = 40, ANSWER_WORDS_MAX = 240 };
static const uint64_t ANSWER_COUNT_MAX = 1000000000;

typedef enum answer_state {
    ANSWER_ACCEPTED,
    ANSWER_SENDING,
    ANSWER_FINISHED,
    ANSWER_STOPPED,
    ANSWER_REFUSED
} answer_state;

typedef enum answer_verdict {
    VERDICT_TAKEN,      /* the operator has it; see state and counts */
    VERDICT_REFUSED,    /* it will not do it, and asking again will not help */
    VERDICT_NOT_TAKEN,  /* surely not taken: try later */
    VERDICT_UNKNOWN_ID, /* only when asked for a status: it never got it */
    VERDICT_DOUBT
} answer_verdict;

typedef struct answer {
    answer_state state;
    uint64_t targeted, sent, delivered, failed;
    int64_t started_ms, ended_ms; /* 0 not said */
    char id[128];                 /* as answered, "" not said */
    char code[ANSWER_CODE_MAX];   /* of a refusal or stop, stable words: "quota-exceeded"; "" none */
    char words[ANSWER_WORDS_MAX]; /* a sentence for people, "" none */
} answer;

/* KG_E_INVALID: not an answer of the contract. */
KG_MUST_CHECK kg_err answer_read(const void *bytes, size_t n, answer *out);
/* `id`: the request's. `asked`: it was a status question, not a request. */
answer_verdict answer_judge(const http_answer *h, const char *id, bool asked, answer *out);

#endif
