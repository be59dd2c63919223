/*
 * A process of another PID namespace, known by its pid there: looked for from here.
 *
 * A process is seen from its own namespace and from those around it, and /proc tells
 * all its pids (NSpid). The first namespace, which is around all others, sees every
 * process, so that there one that is not found is dead. From elsewhere nothing is
 * concluded, nor where /proc hides other users' processes.
 *
 * Each look goes through all of /proc: for what seldom happens, and a few times in 50 ms at
 * most; beyond that nothing is concluded.
 */
#ifndef PID_NAMESPACE_H
#define PID_NAMESPACE_H

#include "os/process.h"

/* start: in clock ticks since boot, of which the bits of start_mask are known. */
enum process_life process_life_elsewhere(pid_t pid, uint64_t start, uint64_t start_mask);

#endif
