/* SPDX-License-Identifier: Apache-2.0 */
/*
 * convrod's command line: long options with their value behind a blank or a
 * '=', one command at most.  Not getopt_long, which prints on its own and
 * takes abbreviations that a later option would break.
 */
#include "conf/arguments.h"

#include <stdlib.h>
#include <string.h>

const char arguments_usage[] =
    "usage: convrod [--config FILE] [--set section.option=value]...\n"
    "       convrod --check [FILE]\n"
    "       convrod --describe FILE.so\n"
    "       convrod --print-reference [conf|man]\n"
    "       convrod --version | --help\n"
    "\n"
    "  --config FILE       read FILE instead of the installed configuration\n"
    "  --set S.O=VALUE     override option O of section S; may be repeated\n"
    "  --check [FILE]      tell every mistake in the configuration, start nothing\n"
    "  --describe FILE.so  print what a module adds to the server\n"
    "  --print-reference   print every option with its default, as convro.conf or\n"
    "                      as sections of its man page\n"
    "\n"
    "See convrod(8) and convro.conf(5).\n";

struct cursor {
	int argc;
	const char *const *argv;
	int at;            /* the argument at hand */
	const char *name;  /* "--set" */
	const char *value; /* behind its '=', or NULL */
	size_t name_len;
};

static bool
is_option(const struct cursor *cursor, const char *name)
{
	return strlen(name) == cursor->name_len &&
	       memcmp(cursor->name, name, cursor->name_len) == 0;
}

/* The option's value; NULL when there is none (an option follows, or nothing). */
static const char *
take_value(struct cursor *cursor)
{
	const char *next;

	if (cursor->value != NULL)
		return cursor->value;
	if (cursor->at + 1 >= cursor->argc)
		return NULL;
	next = cursor->argv[cursor->at + 1];
	if (next[0] == '-' && next[1] == '-')
		return NULL;
	cursor->at++;
	return next;
}

static int
need_value(struct cursor *cursor, const char *what, const char **out, struct buf *why)
{
	*out = take_value(cursor);
	if (*out != NULL && **out != '\0')
		return 0;
	buf_printf(why, "%.*s needs %s", (int)cursor->name_len, cursor->name, what);
	return -1;
}

/* Makes `command` the one to carry out. */
static int
choose(
    struct cursor *cursor, struct arguments *out, enum arguments_command command, struct buf *why)
{
	if (out->command != ARGUMENTS_RUN) {
		buf_printf(why, "%.*s cannot be combined with another command",
		    (int)cursor->name_len, cursor->name);
		return -1;
	}
	out->command = command;
	return 0;
}

static int
take_config(struct arguments *out, const char *file, struct buf *why)
{
	if (out->config != NULL) {
		buf_printf(why, "two configuration files: %s and %s; use include in one of them",
		    out->config, file);
		return -1;
	}
	out->config = file;
	return 0;
}

static int
take_reference(struct cursor *cursor, struct arguments *out, struct buf *why)
{
	const char *form = take_value(cursor);

	out->form = form != NULL ? form : "conf";
	if (strcmp(out->form, "conf") != 0 && strcmp(out->form, "man") != 0) {
		buf_printf(why, "--print-reference knows conf and man, not \"%s\"", form);
		return -1;
	}
	return choose(cursor, out, ARGUMENTS_REFERENCE, why);
}

static int
take_simple(
    struct cursor *cursor, struct arguments *out, enum arguments_command command, struct buf *why)
{
	if (cursor->value != NULL) {
		buf_printf(why, "%.*s takes no value", (int)cursor->name_len, cursor->name);
		return -1;
	}
	return choose(cursor, out, command, why);
}

static int
take_option(struct cursor *cursor, struct arguments *out, struct buf *why)
{
	const char *value;

	if (is_option(cursor, "--config")) {
		if (need_value(cursor, "a file", &value, why) != 0)
			return -1;
		return take_config(out, value, why);
	}
	if (is_option(cursor, "--set"))
		return need_value(
		    cursor, "section.option=value", &out->sets[out->set_count++], why);
	if (is_option(cursor, "--check")) {
		value = take_value(cursor);
		if (value != NULL && take_config(out, value, why) != 0)
			return -1;
		return choose(cursor, out, ARGUMENTS_CHECK, why);
	}
	if (is_option(cursor, "--describe")) {
		if (need_value(cursor, "a module's file", &out->describe, why) != 0)
			return -1;
		return choose(cursor, out, ARGUMENTS_DESCRIBE, why);
	}
	if (is_option(cursor, "--print-reference"))
		return take_reference(cursor, out, why);
	if (is_option(cursor, "--version"))
		return take_simple(cursor, out, ARGUMENTS_VERSION, why);
	if (is_option(cursor, "--help"))
		return take_simple(cursor, out, ARGUMENTS_HELP, why);
	buf_printf(why, "unknown argument \"%.*s\"; see convrod --help", (int)cursor->name_len,
	    cursor->name);
	return -1;
}

int
arguments_parse(int argc, const char *const *argv, struct arguments *out, struct buf *why)
{
	struct cursor cursor = { .argc = argc, .argv = argv };

	*out = (struct arguments){ .command = ARGUMENTS_RUN };
	out->sets = calloc((size_t)(argc > 0 ? argc : 1), sizeof(*out->sets));
	if (out->sets == NULL) {
		buf_puts(why, "out of memory");
		return -1;
	}
	for (cursor.at = 1; cursor.at < argc; cursor.at++) {
		const char *equals;

		cursor.name = argv[cursor.at];
		equals = strchr(cursor.name, '=');
		cursor.value = equals != NULL ? equals + 1 : NULL;
		cursor.name_len =
		    equals != NULL ? (size_t)(equals - cursor.name) : strlen(cursor.name);
		if (take_option(&cursor, out, why) != 0)
			return -1;
	}
	return 0;
}

void
arguments_fini(struct arguments *arguments)
{
	free(arguments->sets);
	arguments->sets = NULL;
}
