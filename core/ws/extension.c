/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Negotiation of permessage-deflate (RFC 7692, section 7.1), see extension.h.
 * The grammar is checked to the end of the value, also behind the offer that
 * was taken.
 */
#include "ws/extension.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define WINDOW_BITS_LEAST   8  /* that may be asked for */
#define WINDOW_BITS_SERVER  9  /* the least that zlib compresses with, without a wrapper */
#define WINDOW_BITS_DEFAULT 15 /* and the most */

enum parameter {
	SERVER_NO_CONTEXT_TAKEOVER = 1,
	CLIENT_NO_CONTEXT_TAKEOVER = 2,
	SERVER_MAX_WINDOW_BITS = 4,
	CLIENT_MAX_WINDOW_BITS = 8
};

/* A token, or a quoted string that is one once it is unescaped: cut when too long for any value
 * that means something here. */
struct word {
	char text[32];
	size_t len; /* of the whole */
};

struct offer {
	bool acceptable;
	unsigned seen; /* parameters, to find them doubled */
	uint8_t window_bits;
};

static bool
is_token_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static const char *
skip_space(const char *at)
{
	return at + strspn(at, " \t");
}

static void
append(struct word *word, char c)
{
	if (word->len < sizeof(word->text) - 1) {
		word->text[word->len] = c;
		word->text[word->len + 1] = '\0';
	}
	word->len++;
}

/* Moves on behind the token and the space that follows it; false when there is none. */
static bool
read_token(const char **at, struct word *out)
{
	*out = (struct word){ .len = 0 };
	while (is_token_char(**at))
		append(out, *(*at)++);
	*at = skip_space(*at);
	return out->len > 0;
}

static bool
read_quoted(const char **at, struct word *out)
{
	*out = (struct word){ .len = 0 };
	for (++*at; **at != '"'; ++*at) {
		if (**at == '\\')
			++*at;
		if (!is_token_char(**at))
			return false;
		append(out, **at);
	}
	*at = skip_space(*at + 1);
	return out->len > 0;
}

static bool
is(const struct word *word, const char *text)
{
	return word->len == strlen(text) && strcmp(word->text, text) == 0;
}

/* 8..15 without a leading zero; 0 for anything else. */
static uint8_t
window_bits(const struct word *value)
{
	unsigned bits = 0;

	if (value->len == 1 || (value->len == 2 && value->text[0] == '1'))
		for (size_t i = 0; i < value->len; i++)
			bits = value->text[i] >= '0' && value->text[i] <= '9'
				   ? bits * 10 + (unsigned)(value->text[i] - '0')
				   : 99;
	return bits >= WINDOW_BITS_LEAST && bits <= WINDOW_BITS_DEFAULT ? (uint8_t)bits : 0;
}

/* `value` is NULL when the parameter has none. */
static void
judge(struct offer *offer, const struct word *name, const struct word *value)
{
	unsigned parameter = 0;

	if (is(name, "server_no_context_takeover") && value == NULL) {
		parameter = SERVER_NO_CONTEXT_TAKEOVER;
	} else if (is(name, "client_no_context_takeover") && value == NULL) {
		parameter = CLIENT_NO_CONTEXT_TAKEOVER;
	} else if (is(name, "client_max_window_bits") &&
		   (value == NULL || window_bits(value) != 0)) {
		parameter = CLIENT_MAX_WINDOW_BITS;
	} else if (is(name, "server_max_window_bits") && value != NULL &&
		   window_bits(value) >= WINDOW_BITS_SERVER) {
		parameter = SERVER_MAX_WINDOW_BITS;
		offer->window_bits = window_bits(value);
	}
	if (parameter == 0 || (offer->seen & parameter) != 0)
		offer->acceptable = false;
	offer->seen |= parameter;
}

/* One extension with its parameters; false when it breaks the grammar. */
static bool
read_offer(const char **at, struct offer *out)
{
	struct word name, value;

	*out = (struct offer){ .window_bits = WINDOW_BITS_DEFAULT };
	if (!read_token(at, &name))
		return false;
	out->acceptable = is(&name, "permessage-deflate");
	while (**at == ';') {
		bool has_value;

		*at = skip_space(*at + 1);
		if (!read_token(at, &name))
			return false;
		has_value = **at == '=';
		if (has_value) {
			*at = skip_space(*at + 1);
			if (!(**at == '"' ? read_quoted(at, &value) : read_token(at, &value)))
				return false;
		}
		judge(out, &name, has_value ? &value : NULL);
	}
	return **at == ',' || **at == '\0';
}

bool
ws_extension_negotiate(const char *value, struct ws_agreed *agreed)
{
	const char *at = skip_space(value);

	while (*at != '\0') {
		struct offer offer;

		if (*at == ',') { /* empty elements of a list are nothing */
			at = skip_space(at + 1);
			continue;
		}
		if (!read_offer(&at, &offer))
			return false;
		if (offer.acceptable && agreed->window_bits == 0) {
			agreed->window_bits = offer.window_bits;
			agreed->window_asked = (offer.seen & SERVER_MAX_WINDOW_BITS) != 0;
		}
	}
	return true;
}

void
ws_extension_answer(const struct ws_agreed *agreed, char out[WS_EXTENSION_SIZE])
{
	static const char takeover[] =
	    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

	if (agreed->window_asked)
		(void)snprintf(out, WS_EXTENSION_SIZE, "%s; server_max_window_bits=%u", takeover,
		    agreed->window_bits);
	else
		(void)snprintf(out, WS_EXTENSION_SIZE, "%s", takeover);
}
