#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "speech/cache.h"
#include "speech/wav.h"

typedef struct place {
    char dir[64];
    cache *c;
} place;

static int set_up(void **state)
{
    place *p = calloc(1, sizeof *p);
    kg_diag diag = {0};
    (void)snprintf(p->dir, sizeof p->dir, "/tmp/keng-cache-XXXXXX");
    *state = p;
    return mkdtemp(p->dir) != NULL && cache_open(p->dir, 3, 1000, &p->c, &diag) == KG_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    place *p = *state;
    cache_close(&p->c);
    const int rc = rmdir(p->dir); /* fails when something was left behind */
    free(p);
    return rc;
}

static alert_hash key(uint8_t n)
{
    return (alert_hash){.b = {n}};
}

static kg_err add(place *p, uint8_t n, size_t bytes)
{
    kg_buf samples = {0};
    kg_diag diag = {0};
    const alert_hash k = key(n);
    for (size_t i = 0; i < bytes; i++) {
        assert_int_equal(kg_buf_put(&samples, &n, 1), KG_OK);
    }
    const kg_err e = cache_add(p->c, &k, &samples, &diag);
    kg_buf_done(&samples);
    return e;
}

/* What the cache has under n: its first sample's byte, or -1. */
static int get(place *p, uint8_t n)
{
    char name[96];
    int64_t ms = 0;
    kg_buf samples = {0};
    kg_diag diag = {0};
    const alert_hash k = key(n);
    (void)snprintf(name, sizeof name, "%s/mine.wav", p->dir);
    const kg_err e = cache_link(p->c, &k, name, &ms, &diag);
    if (e != KG_OK) {
        assert_int_equal(e, KG_E_NOTFOUND);
        return -1;
    }
    assert_int_equal(wav_read(name, &samples, &diag), KG_OK);
    const int first = samples.s[0];
    kg_buf_done(&samples);
    assert_int_equal(unlink(name), 0);
    return first;
}

static void the_least_used_goes_first(void **state)
{
    place *p = *state;
    assert_int_equal(add(p, 1, 100), KG_OK);
    assert_int_equal(add(p, 2, 100), KG_OK);
    assert_int_equal(add(p, 3, 100), KG_OK);
    assert_int_equal(add(p, 3, 100), KG_E_EXISTS);
    assert_int_equal(get(p, 1), 1); /* used again: 2 is the eldest now */
    assert_int_equal(add(p, 4, 100), KG_OK);
    assert_int_equal(cache_count(p->c), 3);
    assert_int_equal(get(p, 1), 1);
    assert_int_equal(get(p, 2), -1);
    assert_int_equal(get(p, 3), 3);
    assert_int_equal(get(p, 4), 4);
}

static void bytes_are_bounded_too(void **state)
{
    place *p = *state;
    assert_int_equal(add(p, 1, 600), KG_OK);
    assert_int_equal(add(p, 2, 600), KG_OK);
    assert_int_equal(get(p, 1), -1);
    assert_int_equal(get(p, 2), 2);
    assert_int_equal(add(p, 3, 1002), KG_E_LIMIT);
}

static void a_second_name_outlives_the_cache(void **state)
{
    place *p = *state;
    char name[96];
    int64_t ms = 0;
    kg_buf samples = {0};
    kg_diag diag = {0};
    const alert_hash k = key(1);
    (void)snprintf(name, sizeof name, "%s/mine.wav", p->dir);
    assert_int_equal(add(p, 1, 96), KG_OK);
    assert_int_equal(cache_link(p->c, &k, name, &ms, &diag), KG_OK);
    assert_int_equal(ms, 1);
    assert_int_equal(add(p, 2, 1000), KG_OK);
    assert_int_equal(get(p, 1), -1);
    assert_int_equal(wav_read(name, &samples, &diag), KG_OK);
    assert_int_equal(samples.len, 96);
    kg_buf_done(&samples);
    assert_int_equal(unlink(name), 0);
}

static void a_cleaned_folder_is_found_out(void **state)
{
    place *p = *state;
    char command[192];
    assert_int_equal(add(p, 1, 96), KG_OK);
    (void)snprintf(command, sizeof command, "%s/0100000000000000000000000000000000000000000000000000000000000000.wav",
                   p->dir);
    assert_int_equal(unlink(command), 0);
    assert_int_equal(get(p, 1), -1);
    assert_int_equal(add(p, 1, 96), KG_OK);
    assert_int_equal(get(p, 1), 1);
}

static void opening_removes_what_a_crash_left(void **state)
{
    place *p = *state;
    char name[96];
    kg_diag diag = {0};
    (void)snprintf(name, sizeof name, "%s/out-7.wav", p->dir);
    cache_close(&p->c);
    assert_int_equal(kg_file_replace(name, "x", 1, 0600, &diag), KG_OK);
    assert_int_equal(cache_open(p->dir, 3, 1000, &p->c, &diag), KG_OK);
    assert_int_not_equal(access(name, F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_least_used_goes_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bytes_are_bounded_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_second_name_outlives_the_cache, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cleaned_folder_is_found_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(opening_removes_what_a_crash_left, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
