/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/conf/reader.c and check.c: the format, and every kind of mistake with
 * its line.
 */
#include "conf_kit.h"

static void
assert_title(const char *text, const char *expected)
{
	struct conf *conf = kit_conf();

	assert_int_equal(conf_read_text(conf, "f", text, strlen(text)), 0);
	kit_expect(conf, "");
	assert_string_equal(conf_text(conf, "kit", "title"), expected);
	conf_free(conf);
}

static void
reads_values_with_and_without_quotes(void **state)
{
	(void)state;

	assert_title("[kit]\ntitle = plain words\n", "plain words");
	assert_title("[kit]\ntitle=tight", "tight");
	assert_title("  [ kit ]  # said\n\ttitle\t=\tv \t\r\n", "v");
	assert_title("[kit]\ntitle = \"  kept # \\\"so\\\" \\\\ \\n\"", "  kept # \"so\" \\ \n");
	assert_title("[kit]\ntitle = \"\"", "");
	assert_title("[kit]\ntitle =", "");
	assert_title("[kit]\ntitle = a = b", "a = b");
	assert_title("[kit]\ntitle = say \"so\"", "say \"so\"");
	assert_title(
	    "\xef\xbb\xbf[kit]\ntitle = \xc5\xbc\xc3\xb3\xc5\x82w\n", "\xc5\xbc\xc3\xb3\xc5\x82w");
	assert_title("", "none");
}

static void
ends_a_value_at_a_hash_behind_a_blank(void **state)
{
	(void)state;

	assert_title("# one\n  # two\n[kit]\ntitle = a # b", "a");
	assert_title("[kit]\ntitle = a#b", "a#b");
	assert_title("[kit]\ntitle = # nothing", "");
	assert_title("[kit]\ntitle =#fff", "#fff");
	assert_title("[kit]\ntitle = \"a\" # b", "a");
}

static void
merges_a_section_that_is_opened_twice(void **state)
{
	struct conf *conf = kit_conf();
	const char *text = "[kit]\ncount = 4\n[other]\ndepth = 7\n[kit]\nflag = on\n";

	(void)state;
	assert_int_equal(conf_read_text(conf, "f", text, strlen(text)), 0);
	kit_expect(conf, "");
	assert_int_equal(conf_int(conf, "kit", "count"), 4);
	assert_int_equal(conf_int(conf, "kit", "flag"), 1);
	assert_int_equal(conf_int(conf, "other", "depth"), 7);
	conf_free(conf);
}

static void
tells_lines_that_are_no_lines_of_the_format(void **state)
{
	(void)state;

	kit_mistakes("[kit\n", "f:1: \"[kit\": the section's ] is missing\n");
	kit_mistakes("[Kit]\n", "f:1: [Kit] is no section name: small letters, digits and _\n");
	kit_mistakes("[]\n", "f:1: [] is no section name: small letters, digits and _\n");
	kit_mistakes("[kit] x\n", "f:1: nothing but a comment may follow [kit]\n");
	kit_mistakes(
	    "[kit]\n\ntitle\n", "f:3: \"title\" is neither [section] nor option = value\n");
	kit_mistakes("[kit]\n;x\n", "f:2: \";x\": a comment starts with #\n");
	kit_mistakes("[kit]\nTitle = x\n",
	    "f:2: \"Title\" is no option name: small letters, digits and _\n");
	kit_mistakes("[kit]\n= x\n", "f:2: \"\" is no option name: small letters, digits and _\n");
	kit_mistakes("title = x\n", "f:1: \"title\" stands before the first [section]\n");
	kit_mistakes("[kit]\ntitle = \"x\n", "f:2: the closing quote is missing\n");
	kit_mistakes(
	    "[kit]\ntitle = \"x\\", "f:2: a backslash in quotes stands before \", \\ or n only\n");
	kit_mistakes("[kit]\ntitle = \"x\\t\"",
	    "f:2: a backslash in quotes stands before \", \\ or n only\n");
	kit_mistakes(
	    "[kit]\ntitle = \"x\"y", "f:2: nothing but a comment may follow the closing quote\n");
	kit_mistakes("[kit]\ntitle = \xff\n", "f:2: this is not UTF-8\n");
	kit_mistakes("[kit]\ntitle = \x1b[2J\n", "f:2: a control character is not allowed here\n");
	kit_mistakes("[kit]\nint = 5\ninclude = x\n",
	    "f:2: unknown option kit.int\nf:3: unknown option kit.include\n");
	kit_mistakes(
	    "include = x\n", "f:1: include belongs into the main file, before its first section\n");
}

static void
shows_no_more_than_a_word_of_a_line_it_cannot_read(void **state)
{
	(void)state;

	kit_mistakes(
	    "[kit]\nkey hunter2\n", "f:2: \"key\" is neither [section] nor option = value\n");
	kit_mistakes(
	    "[kit]\nkey: hunter2\n", "f:2: \"key\" is neither [section] nor option = value\n");
}

static void
skips_the_options_behind_a_malformed_header(void **state)
{
	(void)state;

	kit_mistakes("[kit\ntitle = x\nnonsense = y\n[kit]\ncount = 77\n",
	    "f:1: \"[kit\": the section's ] is missing\n"
	    "f:5: kit.count: \"77\" is not within 1..9\n");
}

static void
tells_every_mistake_in_the_order_of_the_lines(void **state)
{
	(void)state;

	kit_mistakes("[kit]\n"
		     "coumt = 4\n"
		     "flag = maybe\n"
		     "[othre]\n"
		     "depth = 1\n"
		     "depth = 2\n"
		     "[other]\n"
		     "depth = deep\n"
		     "oops\n",
	    "f:2: unknown option kit.coumt; did you mean count?\n"
	    "f:3: kit.flag: \"maybe\" is neither on nor off\n"
	    "f:5: unknown section [othre]; did you mean [other]?\n"
	    "f:8: other.depth: \"deep\" is no whole number\n"
	    "f:9: \"oops\" is neither [section] nor option = value\n");
}

static void
names_both_lines_of_an_option_given_twice(void **state)
{
	(void)state;

	kit_mistakes("[kit]\ncount = 4\n\n[other]\n[kit]\ncount = 5\n",
	    "f:6: kit.count was given in line 2 already\n");
}

static void
helps_with_unknown_names(void **state)
{
	(void)state;

	kit_mistakes(
	    "[kit]\ndepth = 4\n", "f:2: unknown option kit.depth; it belongs into [other]\n");
	kit_mistakes(
	    "[kit]\nkey_flie = x\n", "f:2: unknown option kit.key_flie; did you mean key_file?\n");
	kit_mistakes("[kit]\nzzzzzz = x\n", "f:2: unknown option kit.zzzzzz\n");
	kit_mistakes("[elsewhere]\na = 1\nb = 2\n",
	    "f:2: unknown section [elsewhere]; a module's section needs its module in server.modules\n");
	kit_mistakes("[kit]\ncolour = gren\n",
	    "f:2: kit.colour: \"gren\" is none of: red green blue; did you mean \"green\"?\n");
}

static void
passes_over_an_unknown_section_without_options(void **state)
{
	(void)state;

	kit_mistakes("[unloaded]\n# limit = 3/s\n[kit]\ncount = 2\n", "");
}

static void
passes_over_undeclared_sections_when_modules_are_missing(void **state)
{
	struct conf *conf = kit_conf();
	struct buf out;
	const char *text = "[module]\nx = 1\n[kit]\ncount = 0\n";

	(void)state;
	assert_int_equal(conf_read_text(conf, "f", text, strlen(text)), 0);
	buf_init(&out, 0);
	assert_int_equal(conf_finish_partly(conf, &out), 1);
	assert_string_equal(buf_text(&out), "f:4: kit.count: \"0\" is not within 1..9\n");
	buf_fini(&out);
	conf_free(conf);
}

static void
counts_what_is_too_much_to_tell(void **state)
{
	struct conf *conf = kit_conf();
	struct buf text, out;
	const char *end;

	(void)state;
	buf_init(&text, 0);
	buf_init(&out, 0);
	for (int i = 0; i < 700; i++)
		buf_puts(&text, "oops\n");
	assert_int_equal(conf_read_text(conf, "f", buf_text(&text), text.len), 0);
	assert_int_equal(conf_finish(conf, &out), 700);
	end = strstr(buf_text(&out), "f:500: ");
	assert_non_null(end);
	assert_string_equal(strchr(end, '\n'), "\nand 200 more\n");
	buf_fini(&out);
	buf_fini(&text);
	conf_free(conf);
}

static void
bounds_the_number_of_lines(void **state)
{
	struct conf *conf = kit_conf();
	struct buf text;

	(void)state;
	buf_init(&text, 0);
	for (int i = 0; i < 3000; i++)
		buf_puts(&text, "[kit]\n");
	assert_int_equal(conf_read_text(conf, "f", buf_text(&text), text.len), 0);
	kit_expect(conf, "f:2049: these are more than 2048 sections and options\n");
	buf_fini(&text);
	conf_free(conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_values_with_and_without_quotes),
		cmocka_unit_test(ends_a_value_at_a_hash_behind_a_blank),
		cmocka_unit_test(merges_a_section_that_is_opened_twice),
		cmocka_unit_test(tells_lines_that_are_no_lines_of_the_format),
		cmocka_unit_test(shows_no_more_than_a_word_of_a_line_it_cannot_read),
		cmocka_unit_test(skips_the_options_behind_a_malformed_header),
		cmocka_unit_test(tells_every_mistake_in_the_order_of_the_lines),
		cmocka_unit_test(names_both_lines_of_an_option_given_twice),
		cmocka_unit_test(helps_with_unknown_names),
		cmocka_unit_test(passes_over_an_unknown_section_without_options),
		cmocka_unit_test(passes_over_undeclared_sections_when_modules_are_missing),
		cmocka_unit_test(counts_what_is_too_much_to_tell),
		cmocka_unit_test(bounds_the_number_of_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
