/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processor time and memory of processes: what a child uses counts for the one
 * that started it, before and after the child's end.
 */
#include "process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above it. */
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MEMORY = 32 * 1024 * 1024 };
#define BURNT_NS 50000000u
#define TICK_NS  10000000u /* user and system time are cut to ticks each */

struct child {
	pid_t pid;
	int ready, go; /* pipes */
};

/* A child that has used BURNT_NS of processor time and MEMORY when this returns, and then waits. */
static struct child
start_child(void)
{
	int ready[2], go[2];
	struct child child;
	char byte = 0;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(go), 0);
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (child.pid == 0) {
		uint64_t until = own_cpu() + BURNT_NS;
		volatile char *memory = malloc(MEMORY);

		if (memory == NULL)
			_exit(1);
		for (size_t i = 0; i < MEMORY; i += 4096)
			memory[i] = 1;
		while (own_cpu() < until)
			continue;
		(void)close(go[1]);
		_exit(write(ready[1], &byte, 1) == 1 && read(go[0], &byte, 1) >= 0 ? 0 : 1);
	}
	child.ready = ready[0];
	child.go = go[1];
	(void)close(ready[1]);
	(void)close(go[0]);
	assert_int_equal(read(child.ready, &byte, 1), 1);
	return child;
}

static void
end_child(const struct child *child)
{
	int status = 1;

	(void)close(child->go);
	(void)close(child->ready);
	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	assert_int_equal(status, 0);
}

static void
counts_the_children_of_a_process(void **state)
{
	struct processes self = { .pids = { getpid() }, .count = 1 };
	uint64_t cpu = processes_cpu(&self), memory = processes_resident(&self);
	struct child child;

	(void)state;
	assert_true(memory > 0);
	child = start_child();
	assert_true(processes_cpu(&self) - cpu >= BURNT_NS);
	assert_true(processes_resident(&self) - memory >= MEMORY / 1024);
	end_child(&child);
	assert_true(processes_cpu(&self) - cpu >= BURNT_NS - 2 * TICK_NS);
	assert_true(processes_resident(&self) - memory < MEMORY / 1024);
}

static void
adds_up_all_that_are_named(void **state)
{
	struct processes one, two;
	struct child child = start_child();

	(void)state;
	one = (struct processes){ .pids = { child.pid }, .count = 1 };
	two = (struct processes){ .pids = { child.pid, child.pid }, .count = 2 };
	assert_true(processes_cpu(&one) >= BURNT_NS);
	assert_int_equal(processes_cpu(&two), 2 * processes_cpu(&one));
	assert_int_equal(processes_resident(&two), 2 * processes_resident(&one));
	end_child(&child);
	assert_int_equal(processes_cpu(&one), 0);
	assert_int_equal(processes_resident(&one), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_the_children_of_a_process),
		cmocka_unit_test(adds_up_all_that_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
