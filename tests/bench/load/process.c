/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processor time and memory: see process.h.  The processor-time clock of a
 * process counts nanoseconds; the fields of /proc/PID/stat, in ticks of 10 ms,
 * serve for children that have ended only.
 */
#include "process.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { DEPTH_MAX = 8 };

/* The file as text; "" where there is none. */
static void
read_file(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = 0;
	size_t len = 0;

	while (fd >= 0 && len < size - 1 && (got = read(fd, out + len, size - 1 - len)) > 0)
		len += (size_t)got;
	if (fd >= 0)
		(void)close(fd);
	out[len] = '\0';
}

static uint64_t
clock_of(clockid_t clock)
{
	struct timespec time;

	if (clock_gettime(clock, &time) != 0)
		return 0;
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t
cpu_alive(pid_t pid)
{
	clockid_t clock;

	return clock_getcpuclockid(pid, &clock) == 0 ? clock_of(clock) : 0;
}

/* Of children that were waited for: fields 16 and 17 of stat, and the name before may be anything
 * but ends at the last bracket. */
static uint64_t
cpu_ended(pid_t pid)
{
	char path[64], text[1024];
	long ticks = sysconf(_SC_CLK_TCK);
	uint64_t user = 0, system = 0;
	const char *at;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	read_file(path, text, sizeof(text));
	at = strrchr(text, ')');
	if (at == NULL || ticks <= 0 ||
	    sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64,
		&user, &system) != 2)
		return 0;
	return (user + system) * (1000000000u / (uint64_t)ticks);
}

static uint64_t
resident(pid_t pid)
{
	char path[64], text[4096];
	const char *at;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	read_file(path, text, sizeof(text));
	at = strstr(text, "\nVmRSS:");
	return at != NULL ? strtoull(at + sizeof("\nVmRSS:") - 1, NULL, 10) : 0;
}

static uint64_t
cpu(pid_t pid)
{
	return cpu_alive(pid) + cpu_ended(pid);
}

/* Adds what `of` says about the process and all below it. */
static uint64_t
sum(pid_t pid, uint64_t (*of)(pid_t), unsigned depth)
{
	char path[64], text[16384];
	char *at = text, *end;
	uint64_t total = of(pid);

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	read_file(path, text, sizeof(text));
	for (;;) {
		long child = strtol(at, &end, 10);

		if (end == at || depth == DEPTH_MAX)
			return total;
		total += sum((pid_t)child, of, depth + 1);
		at = end;
	}
}

static uint64_t
sum_all(const struct processes *processes, uint64_t (*of)(pid_t))
{
	uint64_t total = 0;

	for (unsigned i = 0; i < processes->count; i++)
		total += sum(processes->pids[i], of, 0);
	return total;
}

uint64_t
processes_cpu(const struct processes *processes)
{
	return sum_all(processes, cpu);
}

uint64_t
processes_resident(const struct processes *processes)
{
	return sum_all(processes, resident);
}

uint64_t
own_cpu(void)
{
	return clock_of(CLOCK_PROCESS_CPUTIME_ID);
}
