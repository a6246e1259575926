/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of core/conf: options of every type, and the mistakes of a
 * text in one string.
 */
#ifndef CONF_KIT_H
#define CONF_KIT_H

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "conf/conf.h"

#include <string.h>

static const struct convro_option kit_options[] = {
	{ .name = "title", .type = CONVRO_OPTION_TEXT, .initial = "none" },
	{ .name = "count", .type = CONVRO_OPTION_INT, .initial = "3", .min = 1, .max = 9 },
	{ .name = "offset", .type = CONVRO_OPTION_INT, .initial = "0" },
	{ .name = "flag", .type = CONVRO_OPTION_BOOL, .initial = "off" },
	{ .name = "wait",
	    .type = CONVRO_OPTION_DURATION,
	    .initial = "10s",
	    .min = 1000,
	    .max = 3600000 },
	{ .name = "room",
	    .type = CONVRO_OPTION_SIZE,
	    .initial = "16k",
	    .min = 1024,
	    .max = 1048576 },
	{ .name = "colour",
	    .type = CONVRO_OPTION_CHOICE,
	    .initial = "red",
	    .values = "red green blue" },
	{ .name = "names", .type = CONVRO_OPTION_WORDS, .initial = "a b" },
	{ .name = "limit", .type = CONVRO_OPTION_RATE, .initial = "60/h" },
	{ .name = "key", .type = CONVRO_OPTION_SECRET, .initial = "" },
};

static const struct convro_option kit_other[] = {
	{ .name = "depth", .type = CONVRO_OPTION_INT, .initial = "" },
};

/* Sections "kit" and "other", nothing read yet.  The caller frees with conf_free. */
static inline struct conf *
kit_conf(void)
{
	struct conf *conf = conf_new();

	assert_non_null(conf);
	assert_int_equal(
	    conf_declare(conf, "kit", kit_options, sizeof(kit_options) / sizeof(kit_options[0])),
	    0);
	assert_int_equal(conf_declare(conf, "other", kit_other, 1), 0);
	return conf;
}

/* Ends reading: the mistakes are these lines, neither more nor fewer. */
static inline void
kit_expect(struct conf *conf, const char *lines)
{
	struct buf out;
	uint32_t expected = 0, found;

	for (const char *at = lines; *at != '\0'; at++)
		expected += *at == '\n';
	buf_init(&out, 0);
	found = conf_finish(conf, &out);
	assert_string_equal(buf_text(&out), lines);
	assert_int_equal(found, expected);
	buf_fini(&out);
}

/* What is wrong with `text`, read as "f". */
static inline void
kit_mistakes(const char *text, const char *lines)
{
	struct conf *conf = kit_conf();

	assert_int_equal(conf_read_text(conf, "f", text, strlen(text)), 0);
	kit_expect(conf, lines);
	conf_free(conf);
}

#endif
