/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lays out a line.  Whatever comes from outside is escaped: controls, bytes
 * that are not UTF-8, and the characters that turn the direction of text or
 * break lines, so that no input can forge or hide one.
 */
#include "log/line.h"

#include "base/isotime.h"
#include "base/utf8.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ORIGIN_MAX 64 /* bytes of a module's name or request id, before escaping */

/* Bytes kept free for what follows the message: quote, brace, request id (each of its bytes may
 * take six), newline. */
#define TAIL_MAX (ORIGIN_MAX * 6 + 32)

struct line {
	char *out;
	size_t len, size;
	bool cut; /* something did not fit; nothing is written any more */
};

static void
put(struct line *line, const char *data, size_t len)
{
	if (line->cut || len > line->size - line->len) {
		line->cut = true;
		return;
	}
	memcpy(line->out + line->len, data, len);
	line->len += len;
}

static void
puts_line(struct line *line, const char *text)
{
	put(line, text, strlen(text));
}

/* The code point of `len` well-formed bytes. */
static uint32_t
code_point(const char *text, size_t len)
{
	static const unsigned char masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t code = (unsigned char)text[0] & masks[len];

	for (size_t i = 1; i < len; i++)
		code = code << 6 | ((unsigned char)text[i] & 0x3f);
	return code;
}

/* Controls, line and paragraph separators, and what changes the direction of text. */
static bool
is_unsafe(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x200e || code == 0x200f ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
	       code == 0xfeff;
}

static void
put_text_escape(struct line *line, const char *at, size_t len)
{
	char escape[4 * UTF8_MAX + 1];
	size_t used = 0;

	if (*at == '\n' || *at == '\\') {
		put(line, *at == '\n' ? "\\n" : "\\\\", 2);
		return;
	}
	for (size_t i = 0; i < len; i++)
		used += (size_t)snprintf(
		    escape + used, sizeof(escape) - used, "\\x%02x", (unsigned char)at[i]);
	put(line, escape, used);
}

static void
put_json_escape(struct line *line, const char *at, size_t len, uint32_t code)
{
	char escape[8];

	if (len == 0) { /* a byte that is not UTF-8 */
		puts_line(line, "\\ufffd");
	} else if (*at == '"' || *at == '\\') {
		escape[0] = '\\';
		escape[1] = *at;
		put(line, escape, 2);
	} else {
		put(line, escape,
		    (size_t)snprintf(escape, sizeof(escape), "\\u%04x", code & 0xffff));
	}
}

/* At most `max` bytes of `text`, escaped; a character is whole or left out. */
static void
put_escaped(struct line *line, const char *text, size_t max, bool json)
{
	size_t left = strnlen(text, max);

	while (left > 0 && !line->cut) {
		size_t step = utf8_step(text, left);
		uint32_t code = step > 0 ? code_point(text, step) : 0;

		if (step == 0 || is_unsafe(code) || *text == '\\' || (json && *text == '"')) {
			if (json)
				put_json_escape(line, text, step, code);
			else
				put_text_escape(line, text, step > 0 ? step : 1);
		} else {
			put(line, text, step);
		}
		text += step > 0 ? step : 1;
		left -= step > 0 ? step : 1;
	}
}

/* The message, with "..." where it was cut. */
static void
put_message(struct line *line, const char *message, bool json)
{
	line->size = LOG_LINE_MAX - TAIL_MAX;
	put_escaped(line, message, LOG_LINE_MAX, json);
	line->size = LOG_LINE_MAX;
	if (line->cut) {
		line->cut = false;
		puts_line(line, "...");
	}
}

static void
put_time(struct line *line, int64_t time_us)
{
	char text[ISOTIME_LEN];

	isotime_format(time_us, text);
	put(line, text, sizeof(text));
}

static void
put_text_line(struct line *line, bool journal, const char *level, int64_t time_us,
    const struct log_origin *origin, const char *message)
{
	if (!journal) {
		char column[16];

		put_time(line, time_us);
		put(line, column, (size_t)snprintf(column, sizeof(column), " %-7s ", level));
	}
	if (origin->module != NULL) {
		put_escaped(line, origin->module, ORIGIN_MAX, false);
		puts_line(line, ": ");
	}
	put_message(line, message, false);
	if (origin->request_id != NULL) {
		puts_line(line, " request=");
		put_escaped(line, origin->request_id, ORIGIN_MAX, false);
	}
}

static void
put_json_line(struct line *line, const char *level, int64_t time_us,
    const struct log_origin *origin, const char *message)
{
	puts_line(line, "{\"time\":\"");
	put_time(line, time_us);
	puts_line(line, "\",\"level\":\"");
	puts_line(line, level);
	if (origin->module != NULL) {
		puts_line(line, "\",\"module\":\"");
		put_escaped(line, origin->module, ORIGIN_MAX, true);
	}
	if (origin->request_id != NULL) {
		puts_line(line, "\",\"request\":\"");
		put_escaped(line, origin->request_id, ORIGIN_MAX, true);
	}
	puts_line(line, "\",\"message\":\"");
	put_message(line, message, true);
	puts_line(line, "\"}");
}

size_t
log_line(enum log_form form, enum convro_log_level level, int64_t time_us,
    const struct log_origin *origin, const char *message, char out[LOG_LINE_MAX])
{
	static const struct {
		const char *name, *priority; /* priority: of syslog(3) */
	} levels[] = { [CONVRO_LOG_ERROR] = { "error", "<3>" },
		[CONVRO_LOG_WARNING] = { "warning", "<4>" },
		[CONVRO_LOG_INFO] = { "info", "<6>" },
		[CONVRO_LOG_DEBUG] = { "debug", "<7>" } };
	static const struct log_origin nowhere = { NULL, NULL };
	struct line line = { .out = out, .size = LOG_LINE_MAX };
	bool journal = form == LOG_JOURNAL_TEXT || form == LOG_JOURNAL_JSON;

	if ((unsigned)level > CONVRO_LOG_DEBUG)
		level = CONVRO_LOG_DEBUG; /* of a module newer than this core */
	if (origin == NULL)
		origin = &nowhere;
	if (journal)
		puts_line(&line, levels[level].priority);
	if (form == LOG_TEXT || form == LOG_JOURNAL_TEXT)
		put_text_line(&line, journal, levels[level].name, time_us, origin, message);
	else
		put_json_line(&line, levels[level].name, time_us, origin, message);
	puts_line(&line, "\n");
	return line.len;
}
