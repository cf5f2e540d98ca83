/*
 * fault - named points at which a test ends the process as a power cut would (SIGKILL), or makes a call fail.
 *
 * Use       KG_FAULT("journal.after_commit") stands at every commit, send and playout boundary.
 *           KENG_FAULT="journal.after_commit:3" in the environment kills the process the third time it gets there;
 *           "name:3:fail" makes KG_FAULT_FAILS("name") true that time instead. KENG_FAULT_LIST=FILE appends every name
 *           reached with the number of times, at the 1st, 2nd, 4th, 8th ... time, so that a campaign knows them all.
 * Builds    Only with KENG_FAULTS (dev, asan, fuzz). A release has none of it.
 */
#ifndef KENG_BASE_FAULT_H
#define KENG_BASE_FAULT_H

#include <stdbool.h>

#ifdef KENG_FAULTS
void kg_fault_reach(const char *name);
bool kg_fault_fails(const char *name);
#define KG_FAULT(name)       kg_fault_reach(name)
#define KG_FAULT_FAILS(name) kg_fault_fails(name)
#else
#define KG_FAULT(name)       ((void)0)
#define KG_FAULT_FAILS(name) false
#endif

#endif
