/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/conf/value.c: what each type takes, how it reads, how it refuses.
 */
#include "conf_kit.h"

#include <stdio.h>

/* Reads "[kit] name = value"; the caller frees with conf_free. */
static struct conf *
with(const char *name, const char *value)
{
	struct conf *conf = kit_conf();
	char text[256];

	snprintf(text, sizeof(text), "[kit]\n%s = %s\n", name, value);
	assert_int_equal(conf_read_text(conf, "f", text, strlen(text)), 0);
	return conf;
}

static void
assert_number(const char *name, const char *value, int64_t expected)
{
	struct conf *conf = with(name, value);

	kit_expect(conf, "");
	assert_int_equal(conf_int(conf, "kit", name), expected);
	conf_free(conf);
}

static void
assert_refused(const char *name, const char *value, const char *why)
{
	struct conf *conf = with(name, value);
	char line[512];

	snprintf(line, sizeof(line), "f:2: kit.%s: %s\n", name, why);
	kit_expect(conf, line);
	conf_free(conf);
}

static void
assert_rate(const char *value, double per_second, double burst)
{
	struct conf *conf = with("limit", value);
	struct convro_rate rate = { .size = sizeof(rate) };

	kit_expect(conf, "");
	conf_rate(conf, "kit", "limit", &rate);
	assert_int_equal(rate.size, sizeof(rate));
	assert_int_equal(rate.enabled, 1);
	assert_true(rate.per_second > per_second * 0.999999);
	assert_true(rate.per_second < per_second * 1.000001);
	assert_true(rate.burst > burst - 0.5 && rate.burst < burst + 0.5);
	conf_free(conf);
}

static void
gives_the_defaults_of_what_is_not_written(void **state)
{
	struct conf *conf = kit_conf();
	size_t len = 5;

	(void)state;
	assert_string_equal(conf_text(conf, "kit", "title"), "none");
	assert_int_equal(conf_int(conf, "kit", "count"), 3);
	assert_int_equal(conf_int(conf, "kit", "flag"), 0);
	assert_int_equal(conf_int(conf, "kit", "wait"), 10000);
	assert_int_equal(conf_int(conf, "kit", "room"), 16384);
	assert_string_equal(conf_text(conf, "kit", "colour"), "red");
	assert_string_equal(conf_text(conf, "kit", "names"), "a b");
	assert_int_equal(conf_int(conf, "other", "depth"), 0);
	assert_null(conf_secret(conf, "kit", "key", &len));
	assert_int_equal(len, 0);
	conf_free(conf);
}

static void
reads_whole_numbers(void **state)
{
	(void)state;

	assert_number("count", "1", 1);
	assert_number("count", "9", 9);
	assert_number("offset", "-5", -5);
	assert_number("offset", "9223372036854775807", INT64_MAX);
	assert_refused("count", "0", "\"0\" is not within 1..9");
	assert_refused("count", "10", "\"10\" is not within 1..9");
	assert_refused("count", "3.5", "\"3.5\" is no whole number");
	assert_refused("count", "0x3", "\"0x3\" is no whole number");
	assert_refused("count", "", "\"\" is no whole number");
	assert_refused(
	    "offset", "9223372036854775808", "\"9223372036854775808\" is no whole number");
}

static void
reads_switches(void **state)
{
	(void)state;

	assert_number("flag", "on", 1);
	assert_number("flag", "Yes", 1);
	assert_number("flag", "TRUE", 1);
	assert_number("flag", "1", 1);
	assert_number("flag", "off", 0);
	assert_number("flag", "no", 0);
	assert_number("flag", "false", 0);
	assert_number("flag", "0", 0);
	assert_refused("flag", "2", "\"2\" is neither on nor off");
}

static void
reads_durations(void **state)
{
	const char *why = "\"15\" is no duration: a whole number and ms, s, m, h or d, such as 15s";

	(void)state;
	assert_number("wait", "1500ms", 1500);
	assert_number("wait", "15s", 15000);
	assert_number("wait", "2m", 120000);
	assert_number("wait", "2min", 120000);
	assert_number("wait", "1h", 3600000);
	assert_refused("wait", "15", why);
	assert_refused("wait", "15 s",
	    "\"15 s\" is no duration: a whole number and ms, s, m, h or d, such as 15s");
	assert_refused("wait", "999ms", "\"999ms\" is not within 1s..1h");
	assert_refused("wait", "0", "\"0\" is not within 1s..1h");
	assert_refused("wait", "1d", "\"1d\" is not within 1s..1h");
	assert_refused("wait", "9223372036854775807d",
	    "\"9223372036854775807d\" is no duration: a whole number and ms, s, m, h or d, such as 15s");
}

static void
reads_sizes(void **state)
{
	(void)state;

	assert_number("room", "2000", 2000);
	assert_number("room", "1k", 1024);
	assert_number("room", "1M", 1048576);
	assert_refused("room", "1023", "\"1023\" is not within 1k..1m");
	assert_refused("room", "1g", "\"1g\" is not within 1k..1m");
	assert_refused("room", "1kb",
	    "\"1kb\" is no size: a whole number of bytes, or with k, m or g, such as 16k");
	assert_refused("room", "-1k",
	    "\"-1k\" is no size: a whole number of bytes, or with k, m or g, such as 16k");
	assert_refused("room", "9223372036854775807g",
	    "\"9223372036854775807g\" is no size: a whole number of bytes, or with k, m or g, such as 16k");
}

static void
reads_choices_and_words(void **state)
{
	struct conf *conf = with("colour", "blue");

	(void)state;
	kit_expect(conf, "");
	assert_string_equal(conf_text(conf, "kit", "colour"), "blue");
	conf_free(conf);
	assert_refused("colour", "re", "\"re\" is none of: red green blue; did you mean \"red\"?");
	assert_refused("colour", "red green", "\"red green\" is none of: red green blue");
	assert_refused("colour", "violet", "\"violet\" is none of: red green blue");
	assert_refused("colour", "", "\"\" is none of: red green blue");

	conf = with("names", "\"  one \t two\\nthree \"");
	kit_expect(conf, "");
	assert_string_equal(conf_text(conf, "kit", "names"), "one two three");
	conf_free(conf);
	conf = with("names", "");
	kit_expect(conf, "");
	assert_string_equal(conf_text(conf, "kit", "names"), "");
	conf_free(conf);
}

static void
reads_rates(void **state)
{
	(void)state;

	assert_rate("60/h", 60.0 / 3600, 60);
	assert_rate("120/min", 2, 120);
	assert_rate("120/m", 2, 120);
	assert_rate("50/s", 50, 50);
	assert_rate("50/s burst 500", 50, 500);
	assert_rate("10/15m", 10.0 / 900, 10);
	assert_rate("5/d  burst\t9", 5.0 / 86400, 9);
	assert_rate("1000000000/1ms", 1e12, 1e9);
}

static void
switches_a_rate_off(void **state)
{
	struct conf *conf = with("limit", "off");
	struct convro_rate rate = { .size = sizeof(rate), .enabled = 1 };

	(void)state;
	kit_expect(conf, "");
	conf_rate(conf, "kit", "limit", &rate);
	assert_int_equal(rate.enabled, 0);
	conf_free(conf);
}

static void
writes_a_rate_no_further_than_its_size(void **state)
{
	struct conf *conf = kit_conf();
	struct convro_rate rate = { .size = offsetof(struct convro_rate, burst), .burst = -1 };

	(void)state;
	conf_rate(conf, "kit", "limit", &rate);
	assert_int_equal(rate.enabled, 1);
	assert_true(rate.burst < 0);
	assert_int_equal(rate.size, offsetof(struct convro_rate, burst));
	conf_free(conf);
}

static void
refuses_what_is_no_rate(void **state)
{
	static const char *const bad[] = { "60", "/h", "0/h", "60/", "60/0s", "60/x", "-1/s",
		"1.5/s", "60 / h", "60/h burst", "60/h burst 0", "60/h burst x", "60/h bursting 3",
		"60/h 3", "60/h burst 3 4", "1000000001/s", "60/99999999999999999999999s", "on",
		"" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char why[256];

		snprintf(why, sizeof(why),
		    "\"%s\" is no rate: a count per time, such as 60/h, 10/15m, 50/s burst 500, or off",
		    bad[i]);
		assert_refused("limit", bad[i], why);
	}
}

static void
leaves_the_default_where_a_value_is_malformed(void **state)
{
	struct conf *conf = with("count", "many");

	(void)state;
	assert_int_equal(conf_int(conf, "kit", "count"), 3);
	conf_free(conf);
}

static void
cuts_long_values_in_sentences_between_characters(void **state)
{
	char value[160] = "", why[256];

	(void)state;
	for (int i = 0; i < 60; i++)
		strncat(value, "\xc3\xb3", sizeof(value) - strlen(value) - 1);
	snprintf(why, sizeof(why), "\"%.84s...\" is no whole number", value);
	assert_refused("count", value, why);
	value[0] = 'x';
	value[1] = 'x';
	memmove(value + 1, value + 2, strlen(value + 2) + 1);
	snprintf(why, sizeof(why), "\"%.83s...\" is no whole number", value);
	assert_refused("count", value, why);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_the_defaults_of_what_is_not_written),
		cmocka_unit_test(reads_whole_numbers),
		cmocka_unit_test(reads_switches),
		cmocka_unit_test(reads_durations),
		cmocka_unit_test(reads_sizes),
		cmocka_unit_test(reads_choices_and_words),
		cmocka_unit_test(reads_rates),
		cmocka_unit_test(switches_a_rate_off),
		cmocka_unit_test(writes_a_rate_no_further_than_its_size),
		cmocka_unit_test(refuses_what_is_no_rate),
		cmocka_unit_test(leaves_the_default_where_a_value_is_malformed),
		cmocka_unit_test(cuts_long_values_in_sentences_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
