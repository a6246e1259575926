/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/must: a broken promise ends the process and says where.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/must.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void
passes_when_the_condition_holds(void **state)
{
	(void)state;
	MUST(1 + 1 == 2);
}

static void
aborts_with_file_and_condition_when_it_does_not(void **state)
{
	char said[512];
	size_t len = 0;
	ssize_t got;
	int ends[2], status;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		const struct rlimit none = { 0, 0 };

		(void)setrlimit(RLIMIT_CORE, &none);
		(void)dup2(ends[1], STDERR_FILENO);
		MUST(1 + 1 == 3);
		_exit(0);
	}
	(void)close(ends[1]);
	while (
	    len < sizeof said - 1 && (got = read(ends[0], said + len, sizeof said - 1 - len)) > 0)
		len += (size_t)got;
	said[len] = '\0';
	(void)close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_non_null(strstr(said, "test_base_must.c:"));
	assert_non_null(strstr(said, ": bug: 1 + 1 == 3\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_when_the_condition_holds),
		cmocka_unit_test(aborts_with_file_and_condition_when_it_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
