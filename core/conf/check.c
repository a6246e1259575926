/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of reading: every line is held against the declared options, the
 * secrets are loaded, and all mistakes are told in the order of the files.
 */
#include "conf/private.h"

#include <stdlib.h>
#include <string.h>

static bool
has_section(const struct conf *conf, const char *section)
{
	for (uint32_t i = 0; i < conf->section_count; i++) {
		if (strcmp(conf->sections[i], section) == 0)
			return true;
	}
	return false;
}

/* What a line's option is called in the tables, or NULL. */
static const struct conf_slot *
slot_of(const struct conf *conf, const char *section, const char *file_name)
{
	for (uint32_t i = 0; i < conf->slot_count; i++) {
		const struct conf_slot *slot = &conf->slots[i];

		if (strcmp(slot->file_name, file_name) == 0 && strcmp(slot->section, section) == 0)
			return slot;
	}
	return NULL;
}

/* The secret that somebody wrote into the file itself, or NULL. */
static const struct conf_slot *
secret_of(const struct conf *conf, const struct conf_entry *entry)
{
	for (uint32_t i = 0; i < conf->slot_count; i++) {
		const struct conf_slot *slot = &conf->slots[i];

		if (slot->option->type == CONVRO_OPTION_SECRET &&
		    strcmp(slot->option->name, entry->name) == 0 &&
		    strcmp(slot->section, entry->section) == 0)
			return slot;
	}
	return NULL;
}

static void
complain_section(struct conf *conf, const struct conf_entry *entry)
{
	const char *near = NULL;
	uint32_t best = 99;

	for (uint32_t i = 0; i < conf->section_count; i++) {
		uint32_t distance = conf_distance(entry->section, conf->sections[i]);

		if (distance < best && conf_is_near(distance, entry->section)) {
			best = distance;
			near = conf->sections[i];
		}
	}
	if (near != NULL)
		conf_complain(conf, &entry->place, "unknown section [%s]; did you mean [%s]?",
		    entry->section, near);
	else
		conf_complain(conf, &entry->place,
		    "unknown section [%s]; a module's section needs its module in server.modules",
		    entry->section);
}

static void
complain_option(struct conf *conf, const struct conf_entry *entry)
{
	const char *near = NULL, *elsewhere = NULL;
	uint32_t best = 99;

	for (uint32_t i = 0; i < conf->slot_count; i++) {
		const struct conf_slot *slot = &conf->slots[i];
		uint32_t distance = conf_distance(entry->name, slot->file_name);

		if (strcmp(slot->section, entry->section) != 0) {
			if (distance == 0 && elsewhere == NULL)
				elsewhere = slot->section;
		} else if (distance < best && conf_is_near(distance, entry->name)) {
			best = distance;
			near = slot->file_name;
		}
	}
	if (elsewhere != NULL)
		conf_complain(conf, &entry->place, "unknown option %s.%s; it belongs into [%s]",
		    entry->section, entry->name, elsewhere);
	else if (near != NULL)
		conf_complain(conf, &entry->place, "unknown option %s.%s; did you mean %s?",
		    entry->section, entry->name, near);
	else
		conf_complain(
		    conf, &entry->place, "unknown option %s.%s", entry->section, entry->name);
}

static void
check_value(struct conf *conf, const struct conf_entry *entry, const struct conf_slot *slot)
{
	struct conf_value value;
	struct buf why;

	if (slot->option->type == CONVRO_OPTION_SECRET)
		return;
	buf_init(&why, 0);
	if (!conf_parse_value(slot->option, entry->text, &value, &why) ||
	    (slot->check != NULL && !slot->check(entry->text, &why)))
		conf_complain(
		    conf, &entry->place, "%s.%s: %s", entry->section, entry->name, buf_text(&why));
	buf_fini(&why);
}

/* False when the option was given in the same file before. */
static void
check_repeated(struct conf *conf, const struct conf_entry *entry)
{
	for (const struct conf_entry *other = conf->entries; other < entry; other++) {
		if (other->place.source != entry->place.source || other->name == NULL ||
		    strcmp(other->name, entry->name) != 0 ||
		    strcmp(other->section, entry->section) != 0)
			continue;
		conf_complain(conf, &entry->place, "%s.%s was given in line %u already",
		    entry->section, entry->name, other->place.line);
		return;
	}
}

void
conf_check_entries(struct conf *conf)
{
	const struct conf_entry *told = NULL; /* the line whose unknown section was told last */

	for (uint32_t i = 0; i < conf->entry_count; i++) {
		const struct conf_entry *entry = &conf->entries[i];
		const struct conf_slot *slot, *secret;

		if (entry->name == NULL)
			continue; /* a header alone says nothing, so it may be unknown */
		if (!has_section(conf, entry->section)) {
			if (conf->partly)
				continue;
			/* Once for the options that stand together. */
			if (told == NULL || strcmp(told->section, entry->section) != 0 ||
			    told->place.source != entry->place.source)
				complain_section(conf, entry);
			told = entry;
			continue;
		}
		check_repeated(conf, entry);
		slot = slot_of(conf, entry->section, entry->name);
		secret = secret_of(conf, entry);
		if (slot != NULL)
			check_value(conf, entry, slot);
		else if (secret != NULL)
			conf_complain(conf, &entry->place,
			    "%s.%s must not be written here; put it into a file that only the server can read and name that with %s, or set %s in the environment",
			    entry->section, entry->name, secret->file_name, secret->environment);
		else
			complain_option(conf, entry);
	}
}

static int
compare(const void *a, const void *b)
{
	const struct conf_mistake *left = a, *right = b;

	if (left->place.source != right->place.source)
		return left->place.source < right->place.source ? -1 : 1;
	if (left->place.line != right->place.line)
		return left->place.line < right->place.line ? -1 : 1;
	return left->sequence < right->sequence ? -1 : 1;
}

uint32_t
conf_finish(struct conf *conf, struct buf *out)
{
	conf_check_entries(conf);
	for (uint32_t i = 0; i < conf->slot_count; i++) {
		if (conf->slots[i].option->type == CONVRO_OPTION_SECRET)
			conf_load_secret(conf, &conf->slots[i]);
	}
	if (conf->mistake_count > 1)
		qsort(conf->mistakes, conf->mistake_count, sizeof(*conf->mistakes), compare);
	for (uint32_t i = 0; i < conf->mistake_count; i++) {
		const struct conf_mistake *mistake = &conf->mistakes[i];

		buf_puts(out, mistake->place.file);
		if (mistake->place.line > 0)
			buf_printf(out, ":%u", mistake->place.line);
		buf_printf(out, ": %s\n", mistake->text);
	}
	if (conf->mistakes_found > conf->mistake_count)
		buf_printf(out, "and %u more\n", conf->mistakes_found - conf->mistake_count);
	if (conf->failed) {
		conf->mistakes_found++;
		buf_puts(out, "configuration: out of memory\n");
	}
	return conf->mistakes_found;
}

uint32_t
conf_finish_partly(struct conf *conf, struct buf *out)
{
	conf->partly = true;
	return conf_finish(conf, out);
}
