/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/log/log.c: levels, sinks, reopening, many threads at once.
 */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "log/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define THREADS 4
#define LINES   250

static char dir[64];
static int saved_stderr;

/* A directory of its own; standard error goes to the file "stderr" in it. */
static int
enter(void **state)
{
	FILE *file;

	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/convro-log-XXXXXX");
	unsetenv("JOURNAL_STREAM");
	if (mkdtemp(dir) == NULL || chdir(dir) != 0)
		return -1;
	saved_stderr = dup(STDERR_FILENO);
	file = fopen("stderr", "a");
	if (file == NULL || saved_stderr < 0 || dup2(fileno(file), STDERR_FILENO) < 0)
		return -1;
	return fclose(file);
}

static int
leave(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_configure(log_get(), "text", "info", "");
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	unlink("stderr");
	unlink("log");
	unlink("log.1");
	return chdir("/") == 0 && rmdir(dir) == 0 ? 0 : -1;
}

/* The file's bytes with a NUL behind them; the caller frees with free. */
static char *
contents(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, 1 << 20);

	assert_non_null(file);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 20) - 1, file) < (1 << 20) - 1);
	fclose(file);
	return text;
}

static void
assert_ends_with(const char *path, const char *ending)
{
	char *text = contents(path);
	size_t len = strlen(text);

	assert_in_range(strlen(ending), 0, len);
	assert_string_equal(text + len - strlen(ending), ending);
	free(text);
}

static void
writes_text_to_standard_error_at_first(void **state)
{
	(void)state;
	log_info("number %d", 7);
	assert_ends_with("stderr", "Z info    number 7\n");
}

static void
drops_lines_below_the_level(void **state)
{
	char *text;

	(void)state;
	assert_int_equal(log_configure(log_get(), "text", "warning", ""), 0);
	assert_true(log_enabled(log_get(), CONVRO_LOG_WARNING));
	assert_false(log_enabled(log_get(), CONVRO_LOG_INFO));
	log_info("dropped");
	log_debug("dropped");
	log_warning("kept");
	log_error("kept too");
	text = contents("stderr");
	assert_null(strstr(text, "dropped"));
	assert_non_null(strstr(text, "warning kept\n"));
	assert_non_null(strstr(text, "error   kept too\n"));
	free(text);
}

static void
appends_to_a_file_and_opens_it_again(void **state)
{
	struct stat info;

	(void)state;
	assert_int_equal(log_configure(log_get(), "json", "debug", "log"), 0);
	log_debug("one");
	assert_int_equal(rename("log", "log.1"), 0);
	log_debug("two");
	assert_ends_with("log.1", "\"message\":\"two\"}\n");
	log_reopen(log_get());
	log_debug("three");
	assert_ends_with("log.1", "\"message\":\"two\"}\n");
	assert_ends_with("log", "\"message\":\"three\"}\n");
	assert_int_equal(stat("log", &info), 0);
	assert_int_equal(info.st_mode & 07, 0);
	assert_int_equal(stat("stderr", &info), 0);
	assert_int_equal(info.st_size, 0);
}

static void
says_so_when_the_file_cannot_be_opened(void **state)
{
	(void)state;
	assert_int_equal(log_configure(log_get(), "text", "info", "gone/log"), -1);
	assert_ends_with(
	    "stderr", "could not open the log file \"gone/log\": No such file or directory\n");
}

static void
keeps_the_old_file_when_it_cannot_be_opened_again(void **state)
{
	(void)state;
	assert_int_equal(log_configure(log_get(), "text", "info", "log"), 0);
	assert_int_equal(rename("log", "log.1"), 0);
	assert_int_equal(mkdir("log", 0700), 0);
	log_reopen(log_get());
	assert_ends_with("log.1",
	    "could not open the log file \"log\" again, the old one stays in use: Is a directory\n");
	assert_int_equal(rmdir("log"), 0);
}

static void
has_nothing_to_open_again_without_a_file(void **state)
{
	(void)state;
	assert_int_equal(log_configure(log_get(), "text", "info", ""), 0);
	log_reopen(log_get());
	log_info("still here");
	assert_ends_with("stderr", " still here\n");
}

static void
speaks_the_journal_s_language_when_that_is_standard_error(void **state)
{
	struct stat info;
	char stream[64];

	(void)state;
	assert_int_equal(fstat(STDERR_FILENO, &info), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)info.st_dev, (uintmax_t)info.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	assert_int_equal(log_configure(log_get(), "text", "info", ""), 0);
	log_warning("to the journal");
	assert_ends_with("stderr", "<4>to the journal\n");

	/* Inherited from a parent whose standard error was another. */
	setenv("JOURNAL_STREAM", "8:1", 1);
	assert_int_equal(log_configure(log_get(), "text", "info", ""), 0);
	log_warning("to people");
	assert_ends_with("stderr", "Z warning to people\n");
}

static void
leaves_errno_alone(void **state)
{
	(void)state;
	assert_int_equal(log_configure(log_get(), "text", "info", ""), 0);
	close(STDERR_FILENO);
	errno = ENOTTY;
	log_error("nowhere to write to");
	assert_int_equal(errno, ENOTTY);
	errno = ENOTTY;
	log_debug("dropped");
	assert_int_equal(errno, ENOTTY);
}

static void *
write_lines(void *arg)
{
	const struct log_origin origin = { "thread", arg };

	for (int i = 0; i < LINES; i++)
		log_write(log_get(), CONVRO_LOG_INFO, &origin, "line %d", i);
	return NULL;
}

static void
keeps_lines_of_many_threads_whole_while_the_file_is_opened_again(void **state)
{
	static char names[THREADS][2] = { "a", "b", "c", "d" };
	pthread_t threads[THREADS];
	char *text, *line;
	int count = 0;

	(void)state;
	assert_int_equal(log_configure(log_get(), "text", "info", "log"), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_lines, names[i]), 0);
	for (int i = 0; i < 20; i++)
		log_reopen(log_get());
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	text = contents("log");
	for (line = text; *line != '\0'; count++) {
		char *end = strchr(line, '\n');

		assert_non_null(end);
		assert_memory_equal(line + 23, "Z info    thread: line ", 23);
		assert_memory_equal(end - 10, " request=", 9);
		line = end + 1;
	}
	assert_int_equal(count, THREADS * LINES);
	free(text);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(writes_text_to_standard_error_at_first),
		CASE(drops_lines_below_the_level),
		CASE(appends_to_a_file_and_opens_it_again),
		CASE(says_so_when_the_file_cannot_be_opened),
		CASE(keeps_the_old_file_when_it_cannot_be_opened_again),
		CASE(has_nothing_to_open_again_without_a_file),
		CASE(speaks_the_journal_s_language_when_that_is_standard_error),
		CASE(leaves_errno_alone),
		CASE(keeps_lines_of_many_threads_whole_while_the_file_is_opened_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
