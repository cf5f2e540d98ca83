#include "folder.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

int folder_make(char path[FOLDER_PATH])
{
    (void)snprintf(path, FOLDER_PATH, "/tmp/keng-test-XXXXXX");
    return mkdtemp(path) != NULL ? 0 : -1;
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

int folder_remove(const char *path)
{
    return nftw(path, drop, 16, FTW_DEPTH | FTW_PHYS);
}

unsigned folder_files(const char *path)
{
    unsigned n = 0;
    DIR *d = opendir(path);
    for (const struct dirent *f; d != NULL && (f = readdir(d)) != NULL;) {
        n += f->d_name[0] != '.';
    }
    if (d != NULL) {
        (void)closedir(d);
    }
    return n;
}
