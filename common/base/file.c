#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static kg_err from_errno(kg_diag *diag, const char *path, const char *what)
{
    const int code = errno;
    const kg_err e = code == ENOENT ? KG_E_NOTFOUND : code == ENOSPC ? KG_E_FULL : KG_E_IO;
    return kg_fail(diag, e, "%s: cannot %s: %s", path, what, strerror(code));
}

kg_err kg_file_read(const char *path, size_t max, kg_buf *out, kg_diag *diag)
{
    const bool standard = strcmp(path, "-") == 0;
    const int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return from_errno(diag, path, "open");
    }
    kg_err e = KG_OK;
    const size_t start = out->len;
    char chunk[16384];
    for (;;) {
        const ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            e = from_errno(diag, path, "read");
            break;
        }
        if (n == 0) {
            break;
        }
        if (out->len - start + (size_t)n > max) {
            e = kg_fail(diag, KG_E_LIMIT, "%s: larger than the %zu bytes allowed", path, max);
            break;
        }
        e = kg_buf_put(out, chunk, (size_t)n);
        if (e != KG_OK) {
            e = kg_fail(diag, e, "%s: no memory to read it", path);
            break;
        }
    }
    if (!standard) {
        (void)close(fd);
    }
    if (e != KG_OK && out->s != NULL) { /* half a file is none */
        out->len = start;
        out->s[start] = '\0';
    }
    return e;
}

static kg_err sync_folder_of(const char *path, kg_diag *diag)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');
    const size_t n = slash == NULL ? 1 : slash == path ? 1 : (size_t)(slash - path);
    if (n >= sizeof dir) {
        return kg_fail(diag, KG_E_LIMIT, "%s: path is too long", path);
    }
    memcpy(dir, slash == NULL ? "." : path, n);
    dir[n] = '\0';
    const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return from_errno(diag, dir, "open");
    }
    const int rc = fsync(fd);
    const kg_err e = rc == 0 ? KG_OK : from_errno(diag, dir, "sync");
    (void)close(fd);
    return e;
}

static kg_err write_all(int fd, const char *bytes, size_t n, const char *path, kg_diag *diag)
{
    while (n > 0) {
        const ssize_t w = write(fd, bytes, n);
        if (w < 0 && errno == EINTR) {
            continue;
        }
        if (w < 0) {
            return from_errno(diag, path, "write");
        }
        bytes += w;
        n -= (size_t)w;
    }
    return fsync(fd) == 0 ? KG_OK : from_errno(diag, path, "sync");
}

kg_err kg_file_replace(const char *path, const void *bytes, size_t n, mode_t mode, kg_diag *diag)
{
    char temp[PATH_MAX];
    if (snprintf(temp, sizeof temp, "%s.new-%ld", path, (long)getpid()) >= (int)sizeof temp) {
        return kg_fail(diag, KG_E_LIMIT, "%s: path is too long", path);
    }
    (void)unlink(temp); /* left by a crash, maybe with other rights than `mode` */
    const int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) {
        return from_errno(diag, temp, "create");
    }
    kg_err e = write_all(fd, bytes, n, temp, diag);
    if (close(fd) != 0 && e == KG_OK) {
        e = from_errno(diag, temp, "close");
    }
    if (e == KG_OK && rename(temp, path) != 0) {
        e = from_errno(diag, path, "replace");
    }
    if (e != KG_OK) {
        (void)unlink(temp);
        return e;
    }
    return sync_folder_of(path, diag);
}

kg_err kg_dir_make(const char *path, mode_t mode, kg_diag *diag)
{
    char part[PATH_MAX];
    const size_t n = strlen(path);
    if (n == 0 || n >= sizeof part) {
        return kg_fail(diag, KG_E_INVALID, "\"%s\": not a usable path", path);
    }
    for (size_t i = 1; i <= n; i++) {
        if (path[i] != '/' && path[i] != '\0') {
            continue;
        }
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, mode) != 0 && errno != EEXIST) {
            return from_errno(diag, part, "make the folder");
        }
    }
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
        return kg_fail(diag, KG_E_IO, "%s: not a folder", path);
    }
    return KG_OK;
}

kg_err kg_file_is_private(const char *path, kg_diag *diag)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        return from_errno(diag, path, "look at");
    }
    if (!S_ISREG(st.st_mode) || (st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return kg_fail(diag, KG_E_DENIED, "%s: others may read this secret; mend it with: chmod 600 %s", path, path);
    }
    return KG_OK;
}
