/*
 * fuzz - what every fuzz target offers. With libFuzzer (preset fuzz) it is searched; with any other compiler replay.c
 * feeds it each seed, cuts of it and some thousand mutations, so that ctest runs every door in every build.
 *
 * Seeds     valid messages: a target that never gets past the first check shows nothing. Text seeds are files; binary
 *           ones are made by a program <name>_seeds.c that writes them into the folder it is given.
 */
#ifndef KENG_TESTS_FUZZ_H
#define KENG_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
