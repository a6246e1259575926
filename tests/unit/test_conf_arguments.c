/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/conf/arguments.c: the command line.
 */
#include "conf_kit.h"

#include "conf/arguments.h"

#define ARGUMENTS(...) ((const char *const[]){ "convrod", __VA_ARGS__, NULL })

static struct arguments
taken(const char *const *argv)
{
	struct arguments arguments;
	struct buf why;
	int argc = 0;

	while (argv[argc] != NULL)
		argc++;
	buf_init(&why, 0);
	assert_int_equal(arguments_parse(argc, argv, &arguments, &why), 0);
	assert_int_equal(why.len, 0);
	return arguments;
}

static void
refused(const char *const *argv, const char *sentence)
{
	struct arguments arguments;
	struct buf why;
	int argc = 0;

	while (argv[argc] != NULL)
		argc++;
	buf_init(&why, 0);
	assert_int_equal(arguments_parse(argc, argv, &arguments, &why), -1);
	assert_string_equal(buf_text(&why), sentence);
	buf_fini(&why);
	arguments_fini(&arguments);
}

static void
runs_when_nothing_else_is_asked_for(void **state)
{
	struct arguments arguments = taken(ARGUMENTS(NULL));

	(void)state;
	assert_int_equal(arguments.command, ARGUMENTS_RUN);
	assert_null(arguments.config);
	assert_int_equal(arguments.set_count, 0);
	arguments_fini(&arguments);
}

static void
takes_values_behind_a_blank_or_an_equals_sign(void **state)
{
	struct arguments arguments = taken(
	    ARGUMENTS("--set", "a.b=c", "--config=x.conf", "--set=d.e=f=g", "--set", "-h.i=j"));

	(void)state;
	assert_int_equal(arguments.command, ARGUMENTS_RUN);
	assert_string_equal(arguments.config, "x.conf");
	assert_int_equal(arguments.set_count, 3);
	assert_string_equal(arguments.sets[0], "a.b=c");
	assert_string_equal(arguments.sets[1], "d.e=f=g");
	assert_string_equal(arguments.sets[2], "-h.i=j");
	arguments_fini(&arguments);
}

static void
checks_a_file_or_the_installed_one(void **state)
{
	struct arguments arguments = taken(ARGUMENTS("--check", "x.conf", "--set", "a.b=c"));

	(void)state;
	assert_int_equal(arguments.command, ARGUMENTS_CHECK);
	assert_string_equal(arguments.config, "x.conf");
	assert_int_equal(arguments.set_count, 1);
	arguments_fini(&arguments);
	arguments = taken(ARGUMENTS("--check", "--config", "y.conf"));
	assert_int_equal(arguments.command, ARGUMENTS_CHECK);
	assert_string_equal(arguments.config, "y.conf");
	arguments_fini(&arguments);
	arguments = taken(ARGUMENTS("--check"));
	assert_null(arguments.config);
	arguments_fini(&arguments);
}

static void
knows_the_other_commands(void **state)
{
	struct arguments arguments = taken(ARGUMENTS("--describe", "x.so"));

	(void)state;
	assert_int_equal(arguments.command, ARGUMENTS_DESCRIBE);
	assert_string_equal(arguments.describe, "x.so");
	arguments_fini(&arguments);
	arguments = taken(ARGUMENTS("--print-reference", "--set", "a.b=c"));
	assert_int_equal(arguments.command, ARGUMENTS_REFERENCE);
	assert_string_equal(arguments.form, "conf");
	arguments_fini(&arguments);
	arguments = taken(ARGUMENTS("--print-reference=man"));
	assert_string_equal(arguments.form, "man");
	arguments_fini(&arguments);
	arguments = taken(ARGUMENTS("--version"));
	assert_int_equal(arguments.command, ARGUMENTS_VERSION);
	arguments_fini(&arguments);
	arguments = taken(ARGUMENTS("--help"));
	assert_int_equal(arguments.command, ARGUMENTS_HELP);
	arguments_fini(&arguments);
}

static void
says_what_it_does_not_understand(void **state)
{
	(void)state;

	refused(ARGUMENTS("--daemon"), "unknown argument \"--daemon\"; see convrod --help");
	refused(ARGUMENTS("x.conf"), "unknown argument \"x.conf\"; see convrod --help");
	refused(ARGUMENTS(""), "unknown argument \"\"; see convrod --help");
	refused(ARGUMENTS("--conf", "x"), "unknown argument \"--conf\"; see convrod --help");
	refused(ARGUMENTS("--check", "x", "y"), "unknown argument \"y\"; see convrod --help");
	refused(ARGUMENTS("--config"), "--config needs a file");
	refused(ARGUMENTS("--config="), "--config needs a file");
	refused(ARGUMENTS("--set", "--check"), "--set needs section.option=value");
	refused(ARGUMENTS("--describe"), "--describe needs a module's file");
	refused(ARGUMENTS("--version=2"), "--version takes no value");
	refused(
	    ARGUMENTS("--check", "--version"), "--version cannot be combined with another command");
	refused(ARGUMENTS("--print-reference", "html"),
	    "--print-reference knows conf and man, not \"html\"");
	refused(ARGUMENTS("--config", "a", "--check", "b"),
	    "two configuration files: a and b; use include in one of them");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_when_nothing_else_is_asked_for),
		cmocka_unit_test(takes_values_behind_a_blank_or_an_equals_sign),
		cmocka_unit_test(checks_a_file_or_the_installed_one),
		cmocka_unit_test(knows_the_other_commands),
		cmocka_unit_test(says_what_it_does_not_understand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
