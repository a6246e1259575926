/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What other processes cost: processor time and memory, from the kernel's own
 * books.
 */
#ifndef LOAD_PROCESS_H
#define LOAD_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

enum { PROCESSES_MAX = 16 };

struct processes {
	pid_t pids[PROCESSES_MAX];
	unsigned count;
};

/* User and system time so far in nanoseconds: of the processes, of the processes that they started
 * and of those among them that ended.  A process that is not there counts 0. */
uint64_t processes_cpu(const struct processes *processes);

/* VmRSS in KiB, of the processes and of those that they started. */
uint64_t processes_resident(const struct processes *processes);

/* The same of this process, user and system, in nanoseconds. */
uint64_t own_cpu(void);

#endif
