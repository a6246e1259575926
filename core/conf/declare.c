/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables' side of the configuration: declaring options and asking for
 * their values.  A table may come from somebody else's module, so a malformed
 * one is a mistake, not a bug of ours; asking for what was never declared is.
 */
#include "base/must.h"
#include "conf/private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The option of that name that is a secret, or that is none. */
static struct conf_slot *
slot_find(const struct conf *conf, const char *section, const char *name, bool secret)
{
	for (uint32_t i = 0; i < conf->slot_count; i++) {
		struct conf_slot *slot = &conf->slots[i];

		if (strcmp(slot->option->name, name) == 0 && strcmp(slot->section, section) == 0 &&
		    (slot->option->type == CONVRO_OPTION_SECRET) == secret)
			return slot;
	}
	return NULL;
}

static void
complain_table(struct conf *conf, const char *section, const char *name, const char *why)
{
	struct conf_place place = { .file = "option table", .source = UINT32_MAX };

	conf_complain(conf, &place, "%s.%s: %s", section, name, why);
}

/* False after saying in `why` what is wrong with it. */
static bool
is_sound(const struct convro_option *option, struct buf *why)
{
	struct conf_value value;

	if (option->type < CONVRO_OPTION_TEXT || option->type > CONVRO_OPTION_SECRET) {
		buf_printf(why, "type %u is unknown to this server", option->type);
		return false;
	}
	if (option->min > option->max) {
		buf_puts(why, "its lower bound is above its upper one");
		return false;
	}
	if (option->type == CONVRO_OPTION_CHOICE && option->values == NULL) {
		buf_puts(why, "a choice without values");
		return false;
	}
	if (option->type == CONVRO_OPTION_SECRET)
		return true;
	buf_puts(why, "the default: ");
	return conf_parse_value(option, option->initial, &value, why);
}

/* Fills the texts of a slot; false when memory is out. */
static bool
name_slot(struct conf *conf, struct conf_slot *slot)
{
	const char *name = slot->option->name;
	struct buf text;

	slot->file_name = name;
	if (slot->option->type != CONVRO_OPTION_SECRET)
		return true;
	buf_init(&text, 0);
	buf_printf(&text, "%s_file", name);
	slot->file_name = arena_copy(conf->arena, buf_text(&text), text.len);
	buf_clear(&text);
	buf_printf(&text, "CONVRO_%s_%s", slot->section, name);
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] >= 'a' && text.data[i] <= 'z')
			text.data[i] = (char)(text.data[i] - 'a' + 'A');
	}
	slot->environment = arena_copy(conf->arena, buf_text(&text), text.len);
	if (text.failed || slot->file_name == NULL || slot->environment == NULL)
		conf->failed = true;
	buf_fini(&text);
	return !conf->failed;
}

static bool
has_file_name(const struct conf *conf, const char *section, const char *file_name)
{
	for (uint32_t i = 0; i < conf->slot_count; i++) {
		if (strcmp(conf->slots[i].section, section) == 0 &&
		    strcmp(conf->slots[i].file_name, file_name) == 0)
			return true;
	}
	return false;
}

/* False when the table is malformed or memory is out. */
static bool
declare_option(struct conf *conf, const char *section, const struct convro_option *option)
{
	struct conf_slot slot = { .section = section, .option = option };
	const char *name = option->name != NULL ? option->name : "";
	struct buf why;
	bool sound = false;

	buf_init(&why, 0);
	if (!conf_is_name(name, strlen(name)))
		complain_table(conf, section, name, "this is no option name");
	else if (!is_sound(option, &why))
		complain_table(conf, section, name, buf_text(&why));
	else if (!name_slot(conf, &slot))
		sound = false;
	else if (has_file_name(conf, section, slot.file_name))
		complain_table(conf, section, name, "declared twice");
	else
		sound = true;
	buf_fini(&why);
	if (sound)
		conf->slots[conf->slot_count++] = slot;
	return sound;
}

int
conf_declare(
    struct conf *conf, const char *section, const struct convro_option *options, uint32_t count)
{
	struct conf_slot *larger;
	const char *name;
	bool sound = true;

	for (uint32_t i = 0; i < conf->section_count; i++) {
		if (strcmp(conf->sections[i], section) == 0) {
			complain_table(conf, section, "*", "the section was declared already");
			return -1;
		}
	}
	name = arena_copy(conf->arena, section, strlen(section));
	larger =
	    reallocarray(conf->slots, (size_t)conf->slot_count + count + 1, sizeof(*conf->slots));
	if (larger != NULL)
		conf->slots = larger;
	if (name == NULL || larger == NULL || !conf_add_section(conf, name)) {
		conf->failed = true;
		return -1;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (!declare_option(conf, name, &options[i]))
			sound = false;
	}
	conf_settle(conf);
	return sound && !conf->failed ? 0 : -1;
}

void
conf_add_check(struct conf *conf, const char *section, const char *name, conf_check *check)
{
	struct conf_slot *slot = slot_find(conf, section, name, false);

	MUST(slot != NULL);
	MUST(slot->option->type == CONVRO_OPTION_TEXT || slot->option->type == CONVRO_OPTION_WORDS);
	slot->check = check;
	conf_settle(conf);
}

const char *
conf_text(const struct conf *conf, const char *section, const char *name)
{
	const struct conf_slot *slot = slot_find(conf, section, name, false);

	MUST(slot != NULL);
	return slot->value.text;
}

int64_t
conf_int(const struct conf *conf, const char *section, const char *name)
{
	const struct conf_slot *slot = slot_find(conf, section, name, false);
	uint32_t type;

	MUST(slot != NULL);
	type = slot->option->type;
	MUST(type == CONVRO_OPTION_INT || type == CONVRO_OPTION_BOOL ||
	     type == CONVRO_OPTION_DURATION || type == CONVRO_OPTION_SIZE);
	return slot->value.number;
}

const uint8_t *
conf_secret(const struct conf *conf, const char *section, const char *name, size_t *len)
{
	const struct conf_slot *slot = slot_find(conf, section, name, true);

	MUST(slot != NULL);
	*len = slot->secret_len;
	return slot->secret;
}

void
conf_rate(const struct conf *conf, const char *section, const char *name, struct convro_rate *out)
{
	const struct conf_slot *slot = slot_find(conf, section, name, false);
	struct convro_rate rate;
	size_t size = out->size;

	MUST(slot != NULL && slot->option->type == CONVRO_OPTION_RATE);
	rate = slot->value.rate;
	rate.size = out->size;
	memcpy(out, &rate, size < sizeof(rate) ? size : sizeof(rate));
}
