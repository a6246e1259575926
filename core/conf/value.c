/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a value means: one parser per option type (include/convro/conf.h lists
 * them).  Pure: no state, no I/O; a refusal ends the sentence
 * "section.option: ...".
 */
#include "base/text.h"
#include "conf/private.h"

#include <stdio.h>
#include <string.h>

struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit durations[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 },
	{ "min", 60000 }, { "h", 3600000 }, { "d", 86400000 }, { NULL, 0 } };
static const struct unit sizes[] = { { "", 1 }, { "k", 1024 }, { "m", 1024 * 1024 },
	{ "g", 1024 * 1024 * 1024 }, { NULL, 0 } };

struct conf_shown
conf_show(const char *value)
{
	struct conf_shown shown;
	size_t len = 0;

	for (; value[len] != '\0' && len < sizeof(shown.text) - 4; len++) {
		unsigned char c = (unsigned char)value[len];
		shown.text[len] = c < 0x20 || c == 0x7f ? '?' : (char)c;
	}
	if (value[len] == '\0') {
		shown.text[len] = '\0';
		return shown;
	}
	/* Not within a character of UTF-8. */
	while (len > 0 && ((unsigned char)value[len] & 0xc0) == 0x80)
		len--;
	memcpy(shown.text + len, "...", 4);
	return shown;
}

/* "15" + "m": a whole number and one of the units; false when it is anything else or too large. */
static bool
parse_units(const char *text, size_t len, const struct unit *units, int64_t *out)
{
	size_t digits = 0;
	int64_t number;

	while (digits < len && text[digits] >= '0' && text[digits] <= '9')
		digits++;
	if (text_int64(text, digits, &number) != 0)
		return false;
	for (; units->name != NULL; units++) {
		if (text_equal_nocase(
			text + digits, len - digits, units->name, strlen(units->name)))
			return !__builtin_mul_overflow(number, units->factor, out);
	}
	return false;
}

/* The number with the largest unit that divides it. */
static void
put_units(int64_t number, const struct unit *units, struct buf *out)
{
	const struct unit *best = units;

	if (number == 0) {
		buf_putc(out, '0');
		return;
	}
	for (const struct unit *unit = units; unit->name != NULL; unit++) {
		if (number % unit->factor == 0 && unit->factor > best->factor)
			best = unit;
	}
	buf_printf(out, "%lld%s", (long long)(number / best->factor), best->name);
}

static void
put_bound(const struct convro_option *option, int64_t number, struct buf *out)
{
	if (option->type == CONVRO_OPTION_DURATION)
		put_units(number, durations, out);
	else if (option->type == CONVRO_OPTION_SIZE)
		put_units(number, sizes, out);
	else
		buf_put_int(out, number);
}

static bool
is_within(const struct convro_option *option, const char *text, int64_t number, struct buf *why)
{
	if ((option->min == 0 && option->max == 0) ||
	    (number >= option->min && number <= option->max))
		return true;
	buf_printf(why, "\"%s\" is not within ", conf_show(text).text);
	put_bound(option, option->min, why);
	buf_puts(why, "..");
	put_bound(option, option->max, why);
	return false;
}

static bool
parse_number(
    const struct convro_option *option, const char *text, struct conf_value *out, struct buf *why)
{
	size_t len = strlen(text);

	switch (option->type) {
	case CONVRO_OPTION_DURATION:
		if (strcmp(text, "0") == 0) {
			out->number = 0;
		} else if (!parse_units(text, len, durations, &out->number)) {
			buf_printf(why,
			    "\"%s\" is no duration: a whole number and ms, s, m, h or d, such as 15s",
			    conf_show(text).text);
			return false;
		}
		break;
	case CONVRO_OPTION_SIZE:
		if (!parse_units(text, len, sizes, &out->number)) {
			buf_printf(why,
			    "\"%s\" is no size: a whole number of bytes, or with k, m or g, such as 16k",
			    conf_show(text).text);
			return false;
		}
		break;
	default:
		if (text_int64(text, len, &out->number) != 0) {
			buf_printf(why, "\"%s\" is no whole number", conf_show(text).text);
			return false;
		}
		break;
	}
	return is_within(option, text, out->number, why);
}

static bool
parse_bool(const char *text, struct conf_value *out, struct buf *why)
{
	static const char *const words[] = { "off", "on", "no", "yes", "false", "true", "0", "1" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (slice_is_nocase(slice_of(text), words[i])) {
			out->number = (int64_t)(i % 2);
			return true;
		}
	}
	buf_printf(why, "\"%s\" is neither on nor off", conf_show(text).text);
	return false;
}

static bool
parse_choice(const struct convro_option *option, const char *text, struct buf *why)
{
	const char *at = option->values;
	size_t len = strlen(text);
	char near[64];

	while (len > 0 && *at != '\0') {
		size_t word = strcspn(at, " ");

		if (word == len && memcmp(at, text, len) == 0)
			return true;
		at += word + strspn(at + word, " ");
	}
	buf_printf(why, "\"%s\" is none of: %s", conf_show(text).text, option->values);
	if (conf_nearest_word(text, option->values, near, sizeof(near)))
		buf_printf(why, "; did you mean \"%s\"?", near);
	return false;
}

/* A whole number from 1 to a thousand million, all of `len` bytes. */
static bool
parse_count(const char *text, size_t len, double *out)
{
	int64_t number;

	if (text_int64(text, len, &number) != 0 || number < 1 || number > 1000000000)
		return false;
	*out = (double)number;
	return true;
}

/* COUNT/[N]UNIT [burst COUNT] */
static bool
read_rate(const char *text, struct convro_rate *out)
{
	const char *slash = strchr(text, '/');
	const char *unit, *blank;
	char period[32];
	int64_t ms;
	double count;

	if (slash == NULL || !parse_count(text, (size_t)(slash - text), &count))
		return false;
	unit = slash + 1;
	blank = unit + strcspn(unit, " \t");
	if (snprintf(period, sizeof(period), "%s%.*s", *unit >= '0' && *unit <= '9' ? "" : "1",
		(int)(blank - unit > 20 ? 20 : blank - unit), unit) < 0)
		return false;
	if (!parse_units(period, strlen(period), durations, &ms) || ms <= 0)
		return false;
	out->burst = count;
	if (*blank != '\0') {
		const char *word = blank + strspn(blank, " \t");
		const char *number = word + 5;

		if (strncmp(word, "burst", 5) != 0 || (*number != ' ' && *number != '\t'))
			return false;
		number += strspn(number, " \t");
		if (!parse_count(number, strlen(number), &out->burst))
			return false;
	}
	out->enabled = 1;
	out->per_second = count * 1000.0 / (double)ms;
	return true;
}

static bool
parse_rate(const char *text, struct conf_value *out, struct buf *why)
{
	out->rate = (struct convro_rate){ .size = sizeof(out->rate) };
	if (slice_is_nocase(slice_of(text), "off") || read_rate(text, &out->rate))
		return true;
	buf_printf(why,
	    "\"%s\" is no rate: a count per time, such as 60/h, 10/15m, 50/s burst 500, or off",
	    conf_show(text).text);
	return false;
}

bool
conf_parse_value(
    const struct convro_option *option, const char *text, struct conf_value *out, struct buf *why)
{
	*out = (struct conf_value){ .text = text != NULL ? text : "" };
	out->rate.size = sizeof(out->rate);
	if (*out->text == '\0' && (option->initial == NULL || *option->initial == '\0'))
		return true; /* none */
	switch (option->type) {
	case CONVRO_OPTION_INT:
	case CONVRO_OPTION_DURATION:
	case CONVRO_OPTION_SIZE:
		return parse_number(option, out->text, out, why);
	case CONVRO_OPTION_BOOL:
		return parse_bool(out->text, out, why);
	case CONVRO_OPTION_CHOICE:
		return parse_choice(option, out->text, why);
	case CONVRO_OPTION_RATE:
		return parse_rate(out->text, out, why);
	default:
		return true;
	}
}

void
conf_put_type(const struct convro_option *option, struct buf *out)
{
	static const char *const names[] = { [CONVRO_OPTION_TEXT] = "text",
		[CONVRO_OPTION_INT] = "a whole number",
		[CONVRO_OPTION_BOOL] = "on or off",
		[CONVRO_OPTION_DURATION] = "a duration",
		[CONVRO_OPTION_SIZE] = "a size",
		[CONVRO_OPTION_CHOICE] = "one of",
		[CONVRO_OPTION_WORDS] = "words with blanks between",
		[CONVRO_OPTION_RATE] = "a rate",
		[CONVRO_OPTION_SECRET] = "the path of a file that only the server can read" };

	buf_puts(out, names[option->type]);
	if (option->type == CONVRO_OPTION_CHOICE)
		buf_printf(out, ": %s", option->values);
	if (option->min == 0 && option->max == 0)
		return;
	buf_puts(out, ", ");
	put_bound(option, option->min, out);
	buf_puts(out, "..");
	put_bound(option, option->max, out);
}
