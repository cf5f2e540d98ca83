/* folder - a temporary folder of a test's own, removed with all that is in it. */
#ifndef KENG_TEST_FOLDER_H
#define KENG_TEST_FOLDER_H

enum { FOLDER_PATH = 64 };

int folder_make(char path[FOLDER_PATH]); /* 0 done */
int folder_remove(const char *path);
unsigned folder_files(const char *path); /* how many entries it has */

#endif
