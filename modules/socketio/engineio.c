/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Engine.IO v4 packets.
 */
#include "engineio.h"

#include "base64.h"

#include <string.h>

#define SEPARATOR '\x1e'
#define BINARY    'b'

bool
engineio_read(char *data, size_t len, struct engineio_packet *out)
{
	if (len == 0)
		return false;
	if (data[0] == BINARY) {
		out->type = ENGINEIO_MESSAGE;
		out->binary = true;
		out->data.data = data + 1;
		return text_from_base64(data + 1, len - 1, &out->data.len);
	}
	if (data[0] < '0' + ENGINEIO_OPEN || data[0] > '0' + ENGINEIO_NOOP)
		return false;
	out->type = (enum engineio_type)(data[0] - '0');
	out->binary = false;
	out->data = (struct slice){ data + 1, len - 1 };
	return true;
}

void
engineio_payload_init(struct engineio_payload *payload, char *data, size_t len)
{
	*payload = (struct engineio_payload){ .at = data, .left = len };
}

enum engineio_next
engineio_payload_next(struct engineio_payload *payload, struct engineio_packet *out)
{
	char *packet = payload->at, *end;
	size_t len;

	if (payload->bad)
		return ENGINEIO_BAD;
	if (payload->ended)
		return ENGINEIO_END;

	end = payload->left > 0 ? memchr(packet, SEPARATOR, payload->left) : NULL;
	len = end != NULL ? (size_t)(end - packet) : payload->left;
	if (end == NULL) {
		payload->ended = true;
	} else {
		payload->at = end + 1;
		payload->left -= len + 1;
	}
	if (!text_is_utf8(packet, len) || !engineio_read(packet, len, out)) {
		payload->bad = true;
		return ENGINEIO_BAD;
	}
	return ENGINEIO_PACKET;
}

static void
separate(struct text *out)
{
	if (out->len > 0)
		text_putc(out, SEPARATOR);
}

void
engineio_begin(struct text *out, enum engineio_type type)
{
	separate(out);
	text_putc(out, (char)('0' + type));
}

void
engineio_put(struct text *out, enum engineio_type type, struct slice data)
{
	engineio_begin(out, type);
	text_put_slice(out, data);
}

void
engineio_put_binary(struct text *out, const void *data, size_t len)
{
	separate(out);
	text_putc(out, BINARY);
	text_put_base64(out, data, len);
}

void
engineio_put_open(struct text *out, const struct engineio_open *open)
{
	engineio_begin(out, ENGINEIO_OPEN);
	text_puts(out, "{\"sid\":");
	text_put_json_string(out, open->sid);
	text_puts(out, ",\"upgrades\":[");
	text_puts(out, open->upgrade ? "\"websocket\"" : "");
	text_puts(out, "],\"pingInterval\":");
	text_put_uint(out, open->ping_interval);
	text_puts(out, ",\"pingTimeout\":");
	text_put_uint(out, open->ping_timeout);
	text_puts(out, ",\"maxPayload\":");
	text_put_uint(out, open->max_payload);
	text_putc(out, '}');
}

static const char *const error_bodies[] = {
	[ENGINEIO_UNKNOWN_TRANSPORT] = "{\"code\":0,\"message\":\"Transport unknown\"}",
	[ENGINEIO_UNKNOWN_SID] = "{\"code\":1,\"message\":\"Session ID unknown\"}",
	[ENGINEIO_BAD_HANDSHAKE_METHOD] = "{\"code\":2,\"message\":\"Bad handshake method\"}",
	[ENGINEIO_BAD_REQUEST] = "{\"code\":3,\"message\":\"Bad request\"}",
	[ENGINEIO_FORBIDDEN] = "{\"code\":4,\"message\":\"Forbidden\"}",
	[ENGINEIO_UNSUPPORTED_PROTOCOL_VERSION] =
	    "{\"code\":5,\"message\":\"Unsupported protocol version\"}",
};

int
engineio_error_status(enum engineio_error error)
{
	return error == ENGINEIO_FORBIDDEN ? 403 : 400;
}

const char *
engineio_error_body(enum engineio_error error)
{
	return error_bodies[error];
}
