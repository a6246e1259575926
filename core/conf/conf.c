/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration's life: lines come in (conf_read_*, conf_set), tables come
 * in (conf_declare), and each option takes the last line that fits it.  Read
 * check.c next: what is a mistake.
 */
#include "base/must.h"
#include "base/text.h"
#include "conf/private.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct conf *
conf_new(void)
{
	struct conf *conf;

	if (sodium_init() < 0)
		return NULL;
	conf = calloc(1, sizeof(*conf));
	if (conf == NULL)
		return NULL;
	conf->arena = arena_new(16384);
	if (conf->arena == NULL) {
		free(conf);
		return NULL;
	}
	return conf;
}

void
conf_free(struct conf *conf)
{
	if (conf == NULL)
		return;
	for (uint32_t i = 0; i < conf->slot_count; i++)
		sodium_free(conf->slots[i].secret);
	free(conf->entries);
	free(conf->slots);
	free(conf->sections);
	free(conf->mistakes);
	arena_free(conf->arena);
	free(conf);
}

/* Room for one more element; false when memory is out. */
static bool
grow(struct conf *conf, void **array, uint32_t count, uint32_t *room, size_t size)
{
	uint32_t wanted = *room == 0 ? 64 : *room * 2;
	void *larger;

	if (count < *room)
		return true;
	larger = reallocarray(*array, wanted, size);
	if (larger == NULL) {
		conf->failed = true;
		return false;
	}
	*array = larger;
	*room = wanted;
	return true;
}

void
conf_complain(struct conf *conf, const struct conf_place *place, const char *format, ...)
{
	struct conf_mistake mistake = { .place = *place };
	char text[512];
	void *array = conf->mistakes;
	va_list args;
	int len;

	mistake.sequence = conf->mistakes_found++;
	if (conf->mistake_count == CONF_MISTAKES_MAX)
		return;
	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	mistake.text = arena_copy(conf->arena, text, len < 0 ? 0 : strlen(text));
	if (mistake.text == NULL) {
		conf->failed = true;
		return;
	}
	if (!grow(conf, &array, conf->mistake_count, &conf->mistake_room, sizeof(mistake)))
		return;
	conf->mistakes = array;
	conf->mistakes[conf->mistake_count++] = mistake;
}

void
conf_add_entry(struct conf *conf, const char *section, const char *name, const char *text,
    const struct conf_place *place)
{
	struct conf_entry entry = { .place = *place };
	void *array = conf->entries;

	if (conf->entry_count == CONF_ENTRIES_MAX) {
		if (!conf->full)
			conf_complain(conf, place, "these are more than %d sections and options",
			    CONF_ENTRIES_MAX);
		conf->full = true;
		return;
	}
	entry.section = arena_copy(conf->arena, section, strlen(section));
	if (name != NULL) {
		entry.name = arena_copy(conf->arena, name, strlen(name));
		entry.text = arena_copy(conf->arena, text, strlen(text));
	}
	if (entry.section == NULL || (name != NULL && (entry.name == NULL || entry.text == NULL))) {
		conf->failed = true;
		return;
	}
	if (!grow(conf, &array, conf->entry_count, &conf->entry_room, sizeof(entry)))
		return;
	conf->entries = array;
	conf->entries[conf->entry_count++] = entry;
}

bool
conf_add_section(struct conf *conf, const char *section)
{
	void *array = conf->sections;

	if (!grow(conf, &array, conf->section_count, &conf->section_room, sizeof(section)))
		return false;
	conf->sections = array;
	conf->sections[conf->section_count++] = section;
	return true;
}

const struct conf_entry *
conf_entry_of(const struct conf *conf, const struct conf_slot *slot)
{
	for (uint32_t i = conf->entry_count; i > 0; i--) {
		const struct conf_entry *entry = &conf->entries[i - 1];

		if (entry->name != NULL && strcmp(entry->name, slot->file_name) == 0 &&
		    strcmp(entry->section, slot->section) == 0)
			return entry;
	}
	return NULL;
}

/* A list of words with one blank between each. */
static const char *
squeeze(struct conf *conf, const char *text)
{
	char *copy = arena_copy(conf->arena, text, strlen(text));
	size_t len = 0;

	if (copy == NULL) {
		conf->failed = true;
		return text;
	}
	for (const char *at = text; *at != '\0'; at++) {
		if (strchr(" \t\n", *at) == NULL)
			copy[len++] = *at;
		else if (len > 0 && copy[len - 1] != ' ')
			copy[len++] = ' ';
	}
	if (len > 0 && copy[len - 1] == ' ')
		len--;
	copy[len] = '\0';
	return copy;
}

/* The value by what is known so far; a malformed line leaves the default. */
static void
settle(struct conf *conf, struct conf_slot *slot)
{
	const struct conf_entry *entry = conf_entry_of(conf, slot);
	const char *text = entry != NULL ? entry->text : slot->option->initial;
	struct buf why;

	if (slot->option->type == CONVRO_OPTION_SECRET)
		return;
	buf_init(&why, 0);
	if (!conf_parse_value(slot->option, text, &slot->value, &why) ||
	    (entry != NULL && slot->check != NULL && !slot->check(slot->value.text, &why))) {
		bool fits =
		    conf_parse_value(slot->option, slot->option->initial, &slot->value, &why);
		MUST(fits); /* conf_declare saw to it */
	}
	if (slot->option->type == CONVRO_OPTION_WORDS)
		slot->value.text = squeeze(conf, slot->value.text);
	buf_fini(&why);
}

void
conf_settle(struct conf *conf)
{
	for (uint32_t i = 0; i < conf->slot_count; i++)
		settle(conf, &conf->slots[i]);
}

static bool
begin_source(struct conf *conf, const char *name, struct conf_place *out)
{
	*out = (struct conf_place){ .file = arena_copy(conf->arena, name, strlen(name)),
		.source = conf->sources++ };
	if (out->file == NULL)
		conf->failed = true;
	return out->file != NULL;
}

/* All of a file into `out`; 0 or an errno. */
static int
load(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int error = 0;
	ssize_t got;

	if (fd < 0)
		return errno;
	do {
		char *room = buf_room(out, 16384);

		if (room == NULL) {
			error = EFBIG;
			break;
		}
		got = read(fd, room, 16384);
		if (got > 0)
			buf_wrote(out, (size_t)got);
		else if (got < 0 && errno != EINTR)
			error = errno;
	} while (error == 0 && got != 0);
	close(fd);
	return error;
}

static int
read_file(struct conf *conf, const char *path, struct buf *includes)
{
	struct conf_place place;
	struct buf text;
	int error;

	if (!begin_source(conf, path, &place))
		return -1;
	buf_init(&text, CONF_FILE_MAX + 16384);
	error = load(path, &text);
	if (error == 0 && text.len > CONF_FILE_MAX)
		error = EFBIG;
	if (error == 0)
		conf_read_lines(conf, &place, buf_text(&text), text.len, includes);
	else
		conf_complain(conf, &place, "could not read the file: %s", strerror(error));
	buf_fini(&text);
	return error == 0 && !conf->failed ? 0 : -1;
}

/* The pattern as seen from the directory of the file that includes it; caller frees with free. */
static char *
beside(const char *path, const char *pattern)
{
	const char *slash = strrchr(path, '/');
	char *joined = NULL;

	if (*pattern == '/' || slash == NULL)
		return strdup(pattern);
	if (asprintf(&joined, "%.*s%s", (int)(slash - path) + 1, path, pattern) < 0)
		return NULL;
	return joined;
}

static int
include_pattern(
    struct conf *conf, const char *path, const char *pattern, const struct conf_place *place)
{
	char *joined = beside(path, pattern);
	glob_t found = { 0 };
	int result = 0;

	if (joined == NULL) {
		conf->failed = true;
		return -1;
	}
	switch (glob(joined, GLOB_ERR, NULL, &found)) {
	case 0:
		for (size_t i = 0; i < found.gl_pathc; i++) {
			if (read_file(conf, found.gl_pathv[i], NULL) != 0)
				result = -1;
		}
		break;
	case GLOB_NOMATCH:
		if (strpbrk(pattern, "*?[") != NULL)
			break; /* an empty conf.d is no mistake */
		conf_complain(conf, place, "there is no file %s", conf_show(joined).text);
		result = -1;
		break;
	default:
		conf_complain(conf, place, "could not look for %s", conf_show(joined).text);
		result = -1;
		break;
	}
	globfree(&found);
	free(joined);
	return result;
}

int
conf_read_file(struct conf *conf, const char *path)
{
	struct conf_place place = { .source = conf->sources };
	struct buf includes;
	const char *at, *end;
	int result;

	buf_init(&includes, CONF_FILE_MAX * 2);
	result = read_file(conf, path, &includes);
	place.file = arena_copy(conf->arena, path, strlen(path));
	if (includes.failed || place.file == NULL)
		conf->failed = true;
	at = buf_text(&includes);
	end = at + includes.len;
	while (at < end && !conf->failed) {
		const char *pattern = at + strlen(at) + 1;

		place.line = (uint32_t)strtoul(at, NULL, 10);
		if (include_pattern(conf, path, pattern, &place) != 0)
			result = -1;
		at = pattern + strlen(pattern) + 1;
	}
	buf_fini(&includes);
	conf_settle(conf);
	return conf->failed ? -1 : result;
}

int
conf_read_text(struct conf *conf, const char *name, const char *text, size_t len)
{
	struct conf_place place;

	if (!begin_source(conf, name, &place))
		return -1;
	conf_read_lines(conf, &place, text, len, NULL);
	conf_settle(conf);
	return conf->failed ? -1 : 0;
}

/* "section" and "option" of "section.option=value", into `section` and `name`. */
static bool
take_apart(const char *assignment, char section[72], char name[72])
{
	const char *equals = strchr(assignment, '=');
	const char *dot = strchr(assignment, '.');
	struct slice left, right;

	if (equals == NULL || dot == NULL || dot > equals)
		return false;
	left = slice_trim((struct slice){ assignment, (size_t)(dot - assignment) });
	right = slice_trim((struct slice){ dot + 1, (size_t)(equals - dot) - 1 });
	if (!conf_is_name(left.data, left.len) || !conf_is_name(right.data, right.len))
		return false;
	snprintf(section, 72, "%.*s", (int)left.len, left.data);
	snprintf(name, 72, "%.*s", (int)right.len, right.data);
	return true;
}

int
conf_set(struct conf *conf, const char *assignment)
{
	struct conf_place place;
	char section[72], name[72];
	struct slice text;
	char *copy;

	if (!begin_source(conf, "command line", &place))
		return -1;
	place.command_line = true;
	if (!take_apart(assignment, section, name)) {
		/* Not what stands behind the '=': it may be a secret. */
		char *shown = strndup(assignment, strcspn(assignment, "="));

		conf_complain(conf, &place, "\"%s\" is not section.option=value",
		    conf_show(shown != NULL ? shown : "").text);
		free(shown);
		return 0;
	}
	text = slice_trim(slice_of(strchr(assignment, '=') + 1));
	if (conf_bad_bytes(text.data, text.len) != NULL) {
		conf_complain(
		    conf, &place, "%s.%s: %s", section, name, conf_bad_bytes(text.data, text.len));
		return 0;
	}
	copy = arena_copy(conf->arena, text.data, text.len);
	if (copy == NULL)
		conf->failed = true;
	else
		conf_add_entry(conf, section, name, copy, &place);
	conf_settle(conf);
	return conf->failed ? -1 : 0;
}
