/* What an operator's server answers: status and body from another company's machine. */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "base/utf8.h"

static void check(const answer *a)
{
    assert(strnlen(a->code, sizeof a->code) < sizeof a->code && strnlen(a->words, sizeof a->words) < sizeof a->words);
    assert(kg_utf8_valid(a->words, strlen(a->words)) && kg_utf8_valid(a->code, strlen(a->code)));
    assert(a->sent <= ANSWER_COUNT_MAX && a->delivered <= a->sent && a->targeted <= ANSWER_COUNT_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const long statuses[] = {200, 202, 404, 409, 422, 429, 500, 503};
    answer a;
    if (answer_read(data, size, &a) == KG_OK) {
        check(&a);
    }
    char *body = malloc(size + 1);
    if (body == NULL) {
        return 0;
    }
    memcpy(body, data, size);
    body[size] = '\0';
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        const http_answer h = {.sent = true, .status = statuses[i], .body = body, .body_bytes = size, .sentence = ""};
        const answer_verdict v = answer_judge(&h, "id", i % 2 == 0, &a);
        check(&a);
        assert(v != VERDICT_TAKEN || statuses[i] < 300);
    }
    free(body);
    return 0;
}
