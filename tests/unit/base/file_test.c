#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

typedef struct place {
    char dir[64];
    char path[128];
} place;

static int setup(void **state)
{
    place *p = calloc(1, sizeof *p);
    assert_non_null(p);
    (void)snprintf(p->dir, sizeof p->dir, "/tmp/keng-file-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    (void)snprintf(p->path, sizeof p->path, "%s/a.txt", p->dir);
    *state = p;
    return 0;
}

static size_t entries(const char *dir)
{
    DIR *d = opendir(dir);
    assert_non_null(d);
    size_t n = 0;
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        n += e->d_name[0] != '.' ? 1 : 0;
    }
    (void)closedir(d);
    return n;
}

static int teardown(void **state)
{
    place *p = *state;
    (void)unlink(p->path);
    (void)rmdir(p->dir);
    free(p);
    return 0;
}

static mode_t mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void a_file_is_replaced_as_a_whole(void **state)
{
    const place *p = *state;
    kg_buf got = {0};
    assert_int_equal(kg_file_replace(p->path, "one\0", 4, 0600, NULL), KG_OK);
    assert_int_equal(mode_of(p->path), 0600);
    assert_int_equal(kg_file_replace(p->path, "second", 6, 0640, NULL), KG_OK);
    assert_int_equal(mode_of(p->path), 0640);
    assert_int_equal(kg_buf_puts(&got, "before "), KG_OK);
    assert_int_equal(kg_file_read(p->path, 6, &got, NULL), KG_OK);
    assert_string_equal(got.s, "before second");
    assert_int_equal(entries(p->dir), 1); /* no temporary file is left */
    kg_buf_done(&got);
}

/* A crash left a temporary file that everybody may read: the secret must not be written into that one. */
static void an_old_temporary_file_does_not_lend_its_rights(void **state)
{
    const place *p = *state;
    char temp[160];
    (void)snprintf(temp, sizeof temp, "%s.new-%ld", p->path, (long)getpid());
    const int fd = open(temp, O_WRONLY | O_CREAT, 0644);
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, 0644), 0);
    assert_int_equal(kg_file_replace(p->path, "secret", 6, 0600, NULL), KG_OK);
    (void)close(fd);
    assert_int_equal(mode_of(p->path), 0600);
}

static void failing_says_what_and_where(void **state)
{
    const place *p = *state;
    kg_diag diag = {{0}};
    kg_buf got = {0};
    assert_int_equal(kg_file_read(p->path, 10, &got, &diag), KG_E_NOTFOUND);
    assert_non_null(strstr(diag.text, p->path));
    assert_int_equal(kg_file_read(p->dir, 10, &got, &diag), KG_E_IO);
    char deep[160];
    (void)snprintf(deep, sizeof deep, "%s/no/such/file", p->dir);
    assert_int_equal(kg_file_replace(deep, "x", 1, 0600, &diag), KG_E_NOTFOUND);
    assert_int_equal(kg_file_replace(p->path, "0123456789", 10, 0600, NULL), KG_OK);
    assert_int_equal(kg_buf_puts(&got, "keep"), KG_OK);
    assert_int_equal(kg_file_read(p->path, 9, &got, &diag), KG_E_LIMIT);
    assert_string_equal(got.s, "keep"); /* no half of a file */
    assert_int_equal(kg_file_read(p->path, 10, &got, &diag), KG_OK);
    kg_buf_done(&got);
    kg_buf small = {.max = 4};
    assert_int_equal(kg_file_read(p->path, 10, &small, &diag), KG_E_LIMIT);
    assert_int_equal(small.len, 0);
    kg_buf_done(&small);
}

static void folders_are_made_with_their_parents(void **state)
{
    const place *p = *state;
    char deep[160];
    (void)snprintf(deep, sizeof deep, "%s/a/b/c", p->dir);
    assert_int_equal(kg_dir_make(deep, 0700, NULL), KG_OK);
    assert_int_equal(mode_of(deep), 0700);
    assert_int_equal(kg_dir_make(deep, 0755, NULL), KG_OK); /* as it is */
    assert_int_equal(mode_of(deep), 0700);
    assert_int_equal(kg_dir_make("", 0700, NULL), KG_E_INVALID);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(rmdir(deep), 0);
        *strrchr(deep, '/') = '\0';
    }
    kg_diag diag = {{0}};
    assert_int_equal(kg_file_replace(p->path, "x", 1, 0600, NULL), KG_OK);
    assert_int_equal(kg_dir_make(p->path, 0700, &diag), KG_E_IO);
    assert_non_null(strstr(diag.text, "not a folder"));
    (void)snprintf(deep, sizeof deep, "%s/below", p->path);
    assert_int_equal(kg_dir_make(deep, 0700, &diag), KG_E_IO);
}

static void a_secret_is_private(void **state)
{
    const place *p = *state;
    static const struct {
        mode_t mode;
        kg_err want;
    } rows[] = {
        {0600, KG_OK},       {0400, KG_OK},       {0640, KG_E_DENIED},
        {0604, KG_E_DENIED}, {0610, KG_E_DENIED}, {0777, KG_E_DENIED},
    };
    kg_diag diag = {{0}};
    assert_int_equal(kg_file_is_private(p->path, &diag), KG_E_NOTFOUND);
    assert_int_equal(kg_file_replace(p->path, "x", 1, 0600, NULL), KG_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(chmod(p->path, rows[i].mode), 0);
        if (kg_file_is_private(p->path, &diag) != rows[i].want) {
            fail_msg("%o: %s", (unsigned)rows[i].mode, diag.text);
        }
    }
    assert_non_null(strstr(diag.text, "chmod 600"));
    assert_int_equal(kg_file_is_private(p->dir, &diag), KG_E_DENIED);
}

int main(void)
{
#define FILE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    (void)umask(022);
    const struct CMUnitTest tests[] = {
        FILE_TEST(a_file_is_replaced_as_a_whole), FILE_TEST(an_old_temporary_file_does_not_lend_its_rights),
        FILE_TEST(failing_says_what_and_where),   FILE_TEST(folders_are_made_with_their_parents),
        FILE_TEST(a_secret_is_private),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
