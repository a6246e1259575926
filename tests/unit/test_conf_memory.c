/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/conf when memory runs out: at every allocation in turn nothing crashes
 * or leaks, and the outcome is never a configuration without a mistake.
 */
#include "conf_kit.h"

#include "failing_alloc.h"

#define reallocarray(data, count, size) failing_realloc(data, (count) * (size))
#include "base/arena.c"
#include "base/buf.c"

#include "conf/check.c"
#include "conf/conf.c"
#include "conf/core_options.c"
#include "conf/declare.c"
#include "conf/reader.c"
#include "conf/value.c"

/* A default of many words, so that more than one block of the arena is needed. */
static char many_words[40000];

static const char text[] = "[kit]\ntitle = \"a\\nb\"\nnames = x  y\ncount = 5\n"
			   "[log]\nlevel = debug\n[server]\nlisten = 127.0.0.1:80  [::1]:80\n";

/* True when all went well; a failure has to show. */
static bool
read_all_of_it(const struct convro_option *wordy)
{
	struct conf *conf = conf_new();
	struct buf out;
	bool well;

	if (conf == NULL)
		return false;
	buf_init(&out, 0);
	well = conf_read_text(conf, "f", text, strlen(text)) == 0;
	well = conf_set(conf, "kit.flag=on") == 0 && well;
	well = conf_declare(conf, "wordy", wordy, 1) == 0 && well;
	well = conf_declare(
		   conf, "kit", kit_options, sizeof(kit_options) / sizeof(kit_options[0])) == 0 &&
	       well;
	if (core_options_declare(conf) != 0)
		well = false;
	well = conf_finish(conf, &out) == 0 && well;
	if (well) {
		assert_string_equal(conf_text(conf, "kit", "title"), "a\nb");
		assert_string_equal(conf_text(conf, "kit", "names"), "x y");
		assert_int_equal(conf_int(conf, "kit", "count"), 5);
		assert_int_equal(conf_int(conf, "kit", "flag"), 1);
		assert_string_equal(conf_text(conf, "log", "level"), "debug");
		assert_string_equal(conf_text(conf, "server", "listen"), "127.0.0.1:80 [::1]:80");
	}
	buf_fini(&out);
	conf_free(conf);
	return well;
}

static void
tells_a_failure_of_each_allocation(void **state)
{
	struct convro_option wordy = {
		.name = "words", .type = CONVRO_OPTION_WORDS, .initial = many_words
	};
	const long plenty = 1000000;
	long needed;

	(void)state;
	memset(many_words, 'w', sizeof(many_words) - 1);
	allocations_left = plenty;
	assert_true(read_all_of_it(&wordy));
	needed = plenty - allocations_left;
	assert_true(needed > 8);
	for (long count = 0; count < needed; count++) {
		bool well;

		allocations_left = count;
		well = read_all_of_it(&wordy);
		allocations_left = -1;
		assert_false(well);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_a_failure_of_each_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
