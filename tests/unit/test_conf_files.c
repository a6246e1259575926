/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/conf/conf.c and declare.c: files, what they include, the command line,
 * what overrides what, and malformed option tables.
 */
#include "conf_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

static int
enter(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/convro-conf-XXXXXX");
	return mkdtemp(dir) != NULL && chdir(dir) == 0 && mkdir("conf.d", 0700) == 0 ? 0 : -1;
}

static int
leave(void **state)
{
	(void)state;
	unlink("main.conf");
	unlink("conf.d/10.conf");
	unlink("conf.d/20.conf");
	unlink("conf.d/note.txt");
	rmdir("conf.d");
	return chdir("/") == 0 && rmdir(dir) == 0 ? 0 : -1;
}

static void
put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void
says_which_file_it_could_not_read(void **state)
{
	struct conf *conf = kit_conf();

	(void)state;
	assert_int_equal(conf_read_file(conf, "absent.conf"), -1);
	assert_int_equal(conf_read_file(conf, "conf.d"), -1);
	kit_expect(conf, "absent.conf: could not read the file: No such file or directory\n"
			 "conf.d: could not read the file: Is a directory\n");
	conf_free(conf);
}

static void
refuses_a_file_that_is_too_large(void **state)
{
	struct conf *conf = kit_conf();

	(void)state;
	put("main.conf", "");
	assert_int_equal(truncate("main.conf", (1 << 20) + 1), 0);
	assert_int_equal(conf_read_file(conf, "main.conf"), -1);
	kit_expect(conf, "main.conf: could not read the file: File too large\n");
	conf_free(conf);
}

static void
lets_included_files_override_in_the_order_of_their_names(void **state)
{
	struct conf *conf = kit_conf();

	(void)state;
	put("main.conf", "include = conf.d/*.conf\n[kit]\ncount = 2\ntitle = main\nflag = on\n");
	put("conf.d/20.conf", "[kit]\ntitle = twenty\n");
	put("conf.d/10.conf", "[kit]\ntitle = ten\ncount = 5\n");
	put("conf.d/note.txt", "not read");
	assert_int_equal(conf_read_file(conf, "main.conf"), 0);
	kit_expect(conf, "");
	assert_string_equal(conf_text(conf, "kit", "title"), "twenty");
	assert_int_equal(conf_int(conf, "kit", "count"), 5);
	assert_int_equal(conf_int(conf, "kit", "flag"), 1);
	conf_free(conf);
}

static void
looks_for_included_files_beside_the_one_that_names_them(void **state)
{
	struct conf *conf = kit_conf();
	char path[96];

	(void)state;
	put("main.conf", "include = conf.d/10.conf\n");
	put("conf.d/10.conf", "[kit]\ntitle = ten\n");
	snprintf(path, sizeof(path), "%s/main.conf", dir);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(conf_read_file(conf, path), 0);
	assert_int_equal(chdir(dir), 0);
	kit_expect(conf, "");
	assert_string_equal(conf_text(conf, "kit", "title"), "ten");
	conf_free(conf);
}

static void
tells_mistakes_of_included_files_with_their_names(void **state)
{
	struct conf *conf = kit_conf();

	(void)state;
	put("main.conf", "include = conf.d/*.conf\ninclude = conf.d/gone.conf\n[kit]\ncount = 0\n");
	put("conf.d/10.conf", "include = x\n[kit]\ncount = 0\n");
	assert_int_equal(conf_read_file(conf, "main.conf"), -1);
	kit_expect(conf,
	    "main.conf:2: there is no file conf.d/gone.conf\n"
	    "main.conf:4: kit.count: \"0\" is not within 1..9\n"
	    "conf.d/10.conf:1: include belongs into the main file, before its first section\n"
	    "conf.d/10.conf:3: kit.count: \"0\" is not within 1..9\n");
	conf_free(conf);
}

static void
takes_a_pattern_that_matches_nothing(void **state)
{
	struct conf *conf = kit_conf();

	(void)state;
	put("main.conf", "include = conf.d/*.conf\n");
	assert_int_equal(conf_read_file(conf, "main.conf"), 0);
	kit_expect(conf, "");
	conf_free(conf);
}

static void
wants_include_to_name_something_and_to_come_first(void **state)
{
	struct conf *conf = kit_conf();

	(void)state;
	put("main.conf", "include =\n[kit\ninclude = y\n[kit]\n");
	assert_int_equal(conf_read_file(conf, "main.conf"), 0);
	kit_expect(conf,
	    "main.conf:1: include names no file\n"
	    "main.conf:2: \"[kit\": the section's ] is missing\n"
	    "main.conf:3: include belongs into the main file, before its first section\n");
	conf_free(conf);
}

static void
lets_the_command_line_override_files_and_itself(void **state)
{
	struct conf *conf = kit_conf();

	(void)state;
	put("main.conf", "[kit]\ntitle = file\ncount = 2\n");
	assert_int_equal(conf_read_file(conf, "main.conf"), 0);
	assert_int_equal(conf_set(conf, "kit.title=first"), 0);
	assert_int_equal(conf_set(conf, "kit.title= a = \"b\" # c "), 0);
	kit_expect(conf, "");
	assert_string_equal(conf_text(conf, "kit", "title"), "a = \"b\" # c");
	assert_int_equal(conf_int(conf, "kit", "count"), 2);
	conf_free(conf);
}

static void
tells_mistakes_of_the_command_line(void **state)
{
	struct conf *conf = kit_conf();

	(void)state;
	assert_int_equal(conf_set(conf, "kit.count=ten"), 0);
	assert_int_equal(conf_set(conf, "kit:key=hunter2"), 0);
	assert_int_equal(conf_set(conf, "kit.count"), 0);
	assert_int_equal(conf_set(conf, "count=kit.x"), 0);
	assert_int_equal(conf_set(conf, ".=x"), 0);
	assert_int_equal(conf_set(conf, "kit.title=\x01"), 0);
	assert_int_equal(conf_set(conf, "kit.titel=x"), 0);
	kit_expect(conf, "command line: kit.count: \"ten\" is no whole number\n"
			 "command line: \"kit:key\" is not section.option=value\n"
			 "command line: \"kit.count\" is not section.option=value\n"
			 "command line: \"count\" is not section.option=value\n"
			 "command line: \".\" is not section.option=value\n"
			 "command line: kit.title: a control character is not allowed here\n"
			 "command line: unknown option kit.titel; did you mean title?\n");
	conf_free(conf);
}

static void
judges_a_value_that_is_overridden_too(void **state)
{
	struct conf *conf = kit_conf();

	(void)state;
	put("main.conf", "[kit]\ncount = ten\n");
	assert_int_equal(conf_read_file(conf, "main.conf"), 0);
	assert_int_equal(conf_set(conf, "kit.count=5"), 0);
	assert_int_equal(conf_int(conf, "kit", "count"), 5);
	kit_expect(conf, "main.conf:2: kit.count: \"ten\" is no whole number\n");
	conf_free(conf);
}

static void
settles_values_whichever_comes_first(void **state)
{
	struct conf *conf = conf_new();

	(void)state;
	assert_non_null(conf);
	assert_int_equal(conf_set(conf, "kit.count=7"), 0);
	assert_int_equal(conf_declare(conf, "kit", kit_options, 2), 0);
	assert_int_equal(conf_int(conf, "kit", "count"), 7);
	assert_int_equal(conf_set(conf, "kit.count=8"), 0);
	assert_int_equal(conf_int(conf, "kit", "count"), 8);
	kit_expect(conf, "");
	conf_free(conf);
}

static bool
refuses_x(const char *value, struct buf *why)
{
	if (strcmp(value, "x") != 0)
		return true;
	buf_puts(why, "x is not liked");
	return false;
}

static void
asks_further_checks(void **state)
{
	struct conf *conf = kit_conf();

	(void)state;
	conf_add_check(conf, "kit", "title", refuses_x);
	assert_int_equal(conf_set(conf, "kit.title=x"), 0);
	assert_string_equal(conf_text(conf, "kit", "title"), "none");
	kit_expect(conf, "command line: kit.title: x is not liked\n");
	conf_free(conf);
}

static void
refuses_malformed_option_tables(void **state)
{
	static const struct convro_option bad[] = {
		{ .name = "Upper", .type = CONVRO_OPTION_TEXT, .initial = "" },
		{ .name = NULL, .type = CONVRO_OPTION_TEXT, .initial = "" },
		{ .name = "kind", .type = 99, .initial = "" },
		{ .name = "number", .type = CONVRO_OPTION_INT, .initial = "many" },
		{ .name = "bounds", .type = CONVRO_OPTION_INT, .initial = "", .min = 3, .max = 1 },
		{ .name = "choice", .type = CONVRO_OPTION_CHOICE, .initial = "" },
		{ .name = "twice", .type = CONVRO_OPTION_TEXT, .initial = "" },
		{ .name = "twice", .type = CONVRO_OPTION_INT, .initial = "" },
		{ .name = "key_file", .type = CONVRO_OPTION_TEXT, .initial = "" },
		{ .name = "key", .type = CONVRO_OPTION_SECRET, .initial = "" },
	};
	struct conf *conf = conf_new();

	(void)state;
	assert_non_null(conf);
	assert_int_equal(conf_declare(conf, "bad", bad, sizeof(bad) / sizeof(bad[0])), -1);
	assert_int_equal(conf_declare(conf, "bad", bad, 0), -1);
	kit_expect(conf, "option table: bad.Upper: this is no option name\n"
			 "option table: bad.: this is no option name\n"
			 "option table: bad.kind: type 99 is unknown to this server\n"
			 "option table: bad.number: the default: \"many\" is no whole number\n"
			 "option table: bad.bounds: its lower bound is above its upper one\n"
			 "option table: bad.choice: a choice without values\n"
			 "option table: bad.twice: declared twice\n"
			 "option table: bad.key: declared twice\n"
			 "option table: bad.*: the section was declared already\n");
	conf_free(conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(says_which_file_it_could_not_read, enter, leave),
		cmocka_unit_test_setup_teardown(refuses_a_file_that_is_too_large, enter, leave),
		cmocka_unit_test_setup_teardown(
		    lets_included_files_override_in_the_order_of_their_names, enter, leave),
		cmocka_unit_test_setup_teardown(
		    looks_for_included_files_beside_the_one_that_names_them, enter, leave),
		cmocka_unit_test_setup_teardown(
		    tells_mistakes_of_included_files_with_their_names, enter, leave),
		cmocka_unit_test_setup_teardown(takes_a_pattern_that_matches_nothing, enter, leave),
		cmocka_unit_test_setup_teardown(
		    wants_include_to_name_something_and_to_come_first, enter, leave),
		cmocka_unit_test_setup_teardown(
		    lets_the_command_line_override_files_and_itself, enter, leave),
		cmocka_unit_test(tells_mistakes_of_the_command_line),
		cmocka_unit_test_setup_teardown(
		    judges_a_value_that_is_overridden_too, enter, leave),
		cmocka_unit_test(settles_values_whichever_comes_first),
		cmocka_unit_test(asks_further_checks),
		cmocka_unit_test(refuses_malformed_option_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
