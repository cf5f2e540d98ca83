/* store_fixture - a folder of its own for every test, and a few values to store. */
#ifndef KENG_TESTS_STORE_FIXTURE_H
#define KENG_TESTS_STORE_FIXTURE_H

#include <stddef.h>

#include "alert/alert.h"
#include "base/err.h"

enum { FIXTURE_PATH = 256 };

/* cmocka's setup and teardown: *state is the folder's path. */
int fixture_setup(void **state);
int fixture_teardown(void **state);
void fixture_path(void *const *state, const char *name, char out[FIXTURE_PATH]);

alert_id fixture_id(unsigned n);
alert_hash fixture_hash(unsigned n);
/* Fails the test with the diag's sentence unless e is want. */
void fixture_want(kg_err e, kg_err want, const kg_diag *diag, int line);
#define WANT(call, want)                                                                                               \
    do {                                                                                                               \
        kg_diag want_diag = {""};                                                                                      \
        kg_diag *diag = &want_diag;                                                                                    \
        const kg_err want_e = (call);                                                                                  \
        fixture_want(want_e, (want), diag, __LINE__);                                                                  \
    } while (0)

/* Runs fn in a child with KENG_FAULT=fault (NULL: none): its answer, or FIXTURE_KILLED when it was killed there. The
 * environment is read at the first fault point a process reaches, so the parent must not reach one: it only reads. */
enum { FIXTURE_KILLED = -1 };
int fixture_child(const char *fault, int (*fn)(void *ctx), void *ctx);

#endif
