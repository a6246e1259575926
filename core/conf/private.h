/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of core/conf share: the lines that were read, the options
 * that were declared, the mistakes that were found.  See conf.h for the whole.
 */
#ifndef CONF_PRIVATE_H
#define CONF_PRIVATE_H

#include "base/arena.h"
#include "conf/conf.h"

/* More lines than this are a mistake: the work per line stays bounded. */
#define CONF_ENTRIES_MAX 2048
/* Mistakes past this many are counted, not kept. */
#define CONF_MISTAKES_MAX 500
#define CONF_FILE_MAX     ((size_t)1 << 20) /* bytes */
#define CONF_SECRET_MAX   ((size_t)1 << 16) /* bytes */

/* Where something was written.  `source` orders files and command line as they were read. */
struct conf_place {
	const char *file; /* in the arena */
	uint32_t source;
	uint32_t line; /* 0 = the file as a whole */
	bool command_line;
};

/* One "option = value", or a section's header (name NULL). */
struct conf_entry {
	const char *section, *name, *text; /* in the arena */
	struct conf_place place;
};

struct conf_mistake {
	struct conf_place place;
	uint32_t sequence;
	const char *text; /* in the arena */
};

/* What a text means by its option's type. */
struct conf_value {
	const char *text;
	int64_t number;
	struct convro_rate rate;
};

struct conf_slot {
	const char *section;                /* in the arena */
	const struct convro_option *option; /* borrowed from whoever declared it */
	const char *file_name;              /* as it is written in a file: "secret_file" */
	const char *environment;            /* of a secret: CONVRO_AUTH_SECRET */
	conf_check *check;                  /* or NULL */
	struct conf_value value;
	uint8_t *secret; /* sodium_malloc'd, read-only; NULL when none is configured */
	size_t secret_len;
};

struct conf {
	struct arena *arena;
	struct conf_entry *entries;
	struct conf_slot *slots;
	struct conf_mistake *mistakes;
	const char **sections; /* declared ones; the texts are in the arena */
	uint32_t entry_count, entry_room;
	uint32_t slot_count;
	uint32_t section_count, section_room;
	uint32_t mistake_count, mistake_room;
	uint32_t mistakes_found; /* also those that were not kept */
	uint32_t sources;
	bool full;   /* of entries, and said so */
	bool partly; /* sections that nobody declared are passed over */
	bool failed; /* memory is out */
};

/* A value as it may stand in a sentence: cut, without control characters. */
struct conf_shown {
	char text[88];
};
struct conf_shown conf_show(const char *value);

/* Keeps a sentence (lower case, no full stop) about a place. */
void conf_complain(struct conf *conf, const struct conf_place *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Takes the name, which is in the arena; false when memory is out. */
bool conf_add_section(struct conf *conf, const char *section);

/* Copies the three texts; a section's header when `name` is NULL. */
void conf_add_entry(struct conf *conf, const char *section, const char *name, const char *text,
    const struct conf_place *place);

/* Takes lines apart and adds them.  `includes`: where the patterns of "include" go, a NUL behind
 * each; NULL where include is not allowed. */
void conf_read_lines(struct conf *conf, const struct conf_place *file, const char *text, size_t len,
    struct buf *includes);
/* [a-z][a-z0-9_]* and at most 64 bytes. */
bool conf_is_name(const char *text, size_t len);
/* A sentence about bytes that no value may hold, NULL when all are fine. */
const char *conf_bad_bytes(const char *text, size_t len);

/* A text by its option's type and bounds; false with the end of a sentence in `why`. */
bool conf_parse_value(
    const struct convro_option *option, const char *text, struct conf_value *out, struct buf *why);
/* "a whole number, 1..16": the type for people. */
void conf_put_type(const struct convro_option *option, struct buf *out);

/* Compares the lines with the options: unknown, repeated, malformed. */
void conf_check_entries(struct conf *conf);
/* Gives every option its value by what is known so far. */
void conf_settle(struct conf *conf);
/* The last line that gives `slot` a value, or NULL. */
const struct conf_entry *conf_entry_of(const struct conf *conf, const struct conf_slot *slot);
void conf_load_secret(struct conf *conf, struct conf_slot *slot);

/* How far apart two names are: letters to insert, drop, change or swap; capped at 99. */
uint32_t conf_distance(const char *a, const char *b);
/* Whether a name so far from what was written is worth suggesting. */
bool conf_is_near(uint32_t distance, const char *written);
/* The word of a blank-separated list nearest to `written`, in `out`; false when none is near. */
bool conf_nearest_word(const char *written, const char *words, char *out, size_t size);

#endif
