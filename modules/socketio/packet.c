/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Socket.IO v5 packets: reading.  Writing is packet_write.c, and the collecting
 * of attachments assembly.c.
 */
#include "packet.h"

#include <string.h>

#define ROOT_NAMESPACE "/"
#define MAX_ID_DIGITS  16

/* The text that is still to be read. */
struct cursor {
	const char *at;
	size_t left;
};

static char
peek(const struct cursor *cursor)
{
	return cursor->left > 0 ? cursor->at[0] : '\0';
}

static struct slice
take(struct cursor *cursor, size_t len)
{
	struct slice slice = { cursor->at, len };

	cursor->at += len;
	cursor->left -= len;
	return slice;
}

static struct slice
take_digits(struct cursor *cursor)
{
	size_t len = 0;

	while (len < cursor->left && cursor->at[len] >= '0' && cursor->at[len] <= '9')
		len++;
	return take(cursor, len);
}

static uint64_t
number(struct slice digits)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < digits.len; i++)
		value = value * 10 + (uint64_t)(digits.data[i] - '0');
	return value;
}

/* "<count>-" of a binary packet. */
static const char *
read_attachments(struct cursor *cursor, struct packet *out)
{
	struct slice digits = take_digits(cursor);

	if (peek(cursor) != '-')
		return "a binary packet without a number of attachments";
	take(cursor, 1);
	if (digits.len == 0 || digits.len > 2 || digits.data[0] == '0' ||
	    number(digits) > PACKET_MAX_ATTACHMENTS)
		return "a number of attachments outside 1 to 99";
	out->attachments = (unsigned)number(digits);
	return NULL;
}

/* "/<name>" up to a comma, which belongs to it, or the end. */
static const char *
read_namespace(struct cursor *cursor, struct packet *out)
{
	size_t len = 0;

	if (peek(cursor) != '/')
		return NULL;
	for (; len < cursor->left && cursor->at[len] != ','; len++) {
		unsigned char c = (unsigned char)cursor->at[len];

		/* It is echoed, and 0x1e would end the packet in a poll's body. */
		if (c < 0x20 || c == 0x7f)
			return "a control character in the namespace";
		if (len == PACKET_MAX_NAMESPACE)
			return "a namespace over 255 bytes";
	}
	out->namespace = take(cursor, len);
	if (cursor->left > 0)
		take(cursor, 1);
	return NULL;
}

static const char *
read_id(struct cursor *cursor, struct packet *out)
{
	out->id = take_digits(cursor);
	if (out->id.len > MAX_ID_DIGITS || number(out->id) > PACKET_MAX_ID)
		return "an ack id over 2^53";
	out->id_value = number(out->id);
	return NULL;
}

/* What a type asks of its ack id and its JSON. */
static const char *
check_parts(const struct packet *packet)
{
	char first = packet->json.len > 0 ? packet->json.data[0] : '\0';
	bool has_id = packet->id.len > 0;

	switch (packet->type) {
	case PACKET_CONNECT:
		if (has_id)
			return "a CONNECT with an ack id";
		return packet->json.len == 0 || first == '{'
			   ? NULL
			   : "a CONNECT whose payload is no object";
	case PACKET_DISCONNECT:
		if (has_id)
			return "a DISCONNECT with an ack id";
		return packet->json.len == 0 ? NULL : "a DISCONNECT with a payload";
	case PACKET_CONNECT_ERROR:
		return "a CONNECT_ERROR from a client";
	case PACKET_EVENT:
	case PACKET_BINARY_EVENT:
		return first == '[' ? NULL : "an event whose payload is no array";
	case PACKET_ACK:
	case PACKET_BINARY_ACK:
		if (!has_id)
			return "an ack without an id";
		return first == '[' ? NULL : "an ack whose payload is no array";
	}
	return "an unknown packet type";
}

const char *
packet_parse(const char *data, size_t len, struct packet *out)
{
	struct cursor cursor = { data, len };
	const char *why = NULL;

	*out = (struct packet){ .namespace = slice_of(ROOT_NAMESPACE) };
	if (peek(&cursor) < '0' + PACKET_CONNECT || peek(&cursor) > '0' + PACKET_BINARY_ACK)
		return "an unknown packet type";
	out->type = (enum packet_type)(take(&cursor, 1).data[0] - '0');

	if (out->type == PACKET_BINARY_EVENT || out->type == PACKET_BINARY_ACK)
		why = read_attachments(&cursor, out);
	if (why == NULL)
		why = read_namespace(&cursor, out);
	if (why == NULL)
		why = read_id(&cursor, out);
	if (why != NULL)
		return why;
	out->json = take(&cursor, cursor.left);
	return check_parts(out);
}

bool
packet_event_name_ok(struct slice name)
{
	static const char *const reserved[] = { "connect", "connect_error", "disconnect",
		"disconnecting", "newListener", "removeListener" };
	size_t i;

	for (i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (slice_equal(name, slice_of(reserved[i])))
			return false;
	return true;
}
