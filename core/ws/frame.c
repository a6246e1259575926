/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebSocket frames (RFC 6455, section 5).  Every rule is checked at the first
 * byte that can break it, so the outcome does not depend on how the bytes were
 * cut on their way here.
 */
#include "ws/frame.h"

#include "ws/utf8.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct ws_reader) <= 64, "one cache line in every connection");

enum { IN_HEADER, IN_PAYLOAD, FINISHED };

#define FIN        0x80
#define RSV1       0x40
#define RSV2_RSV3  0x30
#define OPCODE     0x0f
#define CONTROL    0x08
#define MASKED     0x80
#define LENGTH     0x7f
#define LENGTH_16  126
#define LENGTH_64  127
#define MASK_SIZE  4
#define FIRST_SIZE 256 /* smallest piece of memory to collect a message in */

void
ws_reader_init(struct ws_reader *reader, uint32_t max_message, bool allow_rsv1)
{
	*reader = (struct ws_reader){ .max_message = max_message, .allow_rsv1 = allow_rsv1 };
}

static void
free_message(struct ws_reader *reader)
{
	free(reader->message);
	reader->message = NULL;
	reader->message_len = 0;
	reader->message_size = 0;
	reader->message_given = false;
}

static void
free_control(struct ws_reader *reader)
{
	free(reader->control);
	reader->control = NULL;
	reader->control_len = 0;
	reader->control_given = false;
}

void
ws_reader_fini(struct ws_reader *reader)
{
	free_message(reader);
	free_control(reader);
	reader->state = FINISHED;
}

static enum ws_event_type
fail(struct ws_reader *reader, struct ws_event *out, uint16_t code, const char *why)
{
	ws_reader_fini(reader);
	out->code = code;
	out->data = why;
	out->len = strlen(why);
	return WS_ERROR;
}

static bool
is_control(const struct ws_reader *reader)
{
	return (reader->opcode & CONTROL) != 0;
}

/* Bytes of the extended length in the current header. */
static unsigned
length_size(const struct ws_reader *reader)
{
	switch (reader->header[1] & LENGTH) {
	case LENGTH_16:
		return 2;
	case LENGTH_64:
		return 8;
	default:
		return 0;
	}
}

/* The header's first byte: FIN, RSV and opcode. */
static enum ws_event_type
check_first(struct ws_reader *reader, struct ws_event *out)
{
	uint8_t byte = reader->header[0];
	const char *why = NULL;

	reader->fin = (byte & FIN) != 0;
	reader->opcode = byte & OPCODE;

	switch (reader->opcode) {
	case WS_OP_TEXT:
	case WS_OP_BINARY:
		if (reader->fragments > 0)
			why = "a new message inside a fragmented one";
		break;
	case WS_OP_CONTINUATION:
		if (reader->fragments == 0)
			why = "a continuation of no message";
		break;
	case WS_OP_CLOSE:
	case WS_OP_PING:
	case WS_OP_PONG:
		if (!reader->fin)
			why = "a fragmented control frame";
		break;
	default:
		why = "a reserved opcode";
	}
	if ((byte & RSV2_RSV3) != 0)
		why = "reserved bits that nobody agreed on";
	if ((byte & RSV1) != 0 && (!reader->allow_rsv1 || (reader->opcode != WS_OP_TEXT &&
							      reader->opcode != WS_OP_BINARY)))
		why = "a compression bit where none may be";

	return why == NULL ? WS_NONE : fail(reader, out, WS_CLOSE_PROTOCOL_ERROR, why);
}

/* The second byte: mask and short length. */
static enum ws_event_type
check_second(struct ws_reader *reader, struct ws_event *out)
{
	uint8_t byte = reader->header[1];

	if ((byte & MASKED) == 0)
		return fail(reader, out, WS_CLOSE_PROTOCOL_ERROR, "an unmasked frame");
	if (is_control(reader) && (byte & LENGTH) > WS_CONTROL_MAX)
		return fail(reader, out, WS_CLOSE_PROTOCOL_ERROR, "a control frame over 125 bytes");
	return WS_NONE;
}

/* Frames of 64 bytes on average are no attack, however many. */
static uint32_t
max_fragments(const struct ws_reader *reader)
{
	uint32_t by_size = reader->max_message / 64;

	if (reader->max_fragments != 0)
		return reader->max_fragments;
	return by_size > WS_MAX_FRAGMENTS ? by_size : WS_MAX_FRAGMENTS;
}

/* The whole length, once its last byte is there. */
static enum ws_event_type
check_length(struct ws_reader *reader, struct ws_event *out)
{
	unsigned size = length_size(reader);
	uint64_t length = reader->header[1] & LENGTH;
	unsigned i;

	if (size > 0) {
		length = 0;
		for (i = 0; i < size; i++)
			length = length << 8 | reader->header[2 + i];
		if (length <= (size == 2 ? WS_CONTROL_MAX : UINT16_MAX))
			return fail(reader, out, WS_CLOSE_PROTOCOL_ERROR,
			    "a length in more bytes than it needs");
		if (length > INT64_MAX)
			return fail(reader, out, WS_CLOSE_PROTOCOL_ERROR, "a length over 63 bits");
	}
	if (!is_control(reader)) {
		if (reader->fragments == max_fragments(reader))
			return fail(reader, out, WS_CLOSE_POLICY, "too many fragments");
		if (length > reader->max_message - reader->message_len)
			return fail(reader, out, WS_CLOSE_TOO_BIG, "a message over the limit");
	}
	reader->left = (uint32_t)length;
	return WS_NONE;
}

static void
begin_payload(struct ws_reader *reader)
{
	memcpy(reader->mask, reader->header + reader->header_len - MASK_SIZE, MASK_SIZE);
	reader->header_len = 0;
	reader->state = IN_PAYLOAD;

	if (is_control(reader))
		return;
	if (reader->opcode != WS_OP_CONTINUATION) {
		reader->message_type = reader->opcode;
		reader->compressed = (reader->header[0] & RSV1) != 0;
		reader->utf8 = WS_UTF8_START;
	}
	reader->fragments++;
}

/* Takes header bytes until the payload begins, the bytes end or a rule is broken. */
static enum ws_event_type
read_header(struct ws_reader *reader, char **data, size_t *len, struct ws_event *out)
{
	enum ws_event_type type = WS_NONE;

	while (*len > 0 && type == WS_NONE && reader->state == IN_HEADER) {
		unsigned have;

		reader->header[reader->header_len++] = (uint8_t)(*data)[0];
		++*data;
		--*len;
		have = reader->header_len;
		if (have == 1) {
			type = check_first(reader, out);
			continue;
		}
		if (have == 2)
			type = check_second(reader, out);
		if (type == WS_NONE && have == 2 + length_size(reader))
			type = check_length(reader, out);
		if (type == WS_NONE && have == 2 + length_size(reader) + MASK_SIZE)
			begin_payload(reader);
	}
	return type;
}

/* Unmasks in place and turns the mask so that it fits the byte after the last one. */
static void
unmask(char *data, size_t len, uint8_t mask[MASK_SIZE])
{
	uint8_t turned[MASK_SIZE];
	uint64_t key, word;
	size_t i;

	memcpy(&key, mask, MASK_SIZE);
	memcpy((char *)&key + MASK_SIZE, mask, MASK_SIZE);
	for (i = 0; len - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, data + i, sizeof(word));
		word ^= key;
		memcpy(data + i, &word, sizeof(word));
	}
	for (; i < len; i++)
		data[i] = (char)((uint8_t)data[i] ^ mask[i % MASK_SIZE]);

	for (i = 0; i < MASK_SIZE; i++)
		turned[i] = mask[(len + i) % MASK_SIZE];
	memcpy(mask, turned, MASK_SIZE);
}

/* Memory for `len` more bytes of the message: doubled, so that many small pieces cost little, but
 * never more than the message can still need. */
static bool
make_room(struct ws_reader *reader, uint32_t len)
{
	uint32_t need = reader->message_len + len;
	uint32_t most = reader->fin ? reader->message_len + reader->left : reader->max_message;
	uint32_t size = reader->message_size > most / 2 ? most : reader->message_size * 2;
	char *message;

	if (need <= reader->message_size)
		return true;
	if (size < FIRST_SIZE)
		size = FIRST_SIZE < most ? FIRST_SIZE : most;
	if (size < need)
		size = need;
	message = realloc(reader->message, size);
	if (message == NULL)
		return false;
	reader->message = message;
	reader->message_size = size;
	return true;
}

static enum ws_event_type
give_message(struct ws_reader *reader, const char *data, size_t len, struct ws_event *out)
{
	out->data = len > 0 ? data : "";
	out->len = len;
	out->compressed = reader->compressed;
	reader->fragments = 0;
	reader->state = IN_HEADER;
	return reader->message_type == WS_OP_TEXT ? WS_TEXT : WS_BINARY;
}

/* Payload of a text or binary frame: a slice when the message is whole here, else collected. */
static enum ws_event_type
read_message(struct ws_reader *reader, char *data, uint32_t len, struct ws_event *out)
{
	bool is_last = reader->fin && len == reader->left;

	if (reader->message_type == WS_OP_TEXT && !reader->compressed) {
		if (!ws_utf8_check(&reader->utf8, data, len))
			return fail(reader, out, WS_CLOSE_INVALID_DATA, "text that is not utf-8");
		if (is_last && reader->utf8 != WS_UTF8_START)
			return fail(reader, out, WS_CLOSE_INVALID_DATA,
			    "text that ends inside a character");
	}
	if (is_last && reader->message_len == 0)
		return give_message(reader, data, len, out);

	if (len > 0) {
		if (!make_room(reader, len))
			return fail(reader, out, WS_CLOSE_INTERNAL, "out of memory");
		memcpy(reader->message + reader->message_len, data, len);
		reader->message_len += len;
		reader->left -= len;
	}
	if (is_last) {
		reader->message_given = true;
		return give_message(reader, reader->message, reader->message_len, out);
	}
	if (reader->left == 0)
		reader->state = IN_HEADER;
	return WS_NONE;
}

/* A whole close frame: nothing follows it. */
static enum ws_event_type
give_close(struct ws_reader *reader, const char *data, size_t len, struct ws_event *out)
{
	uint8_t utf8 = WS_UTF8_START;
	unsigned code;

	if (len == 1)
		return fail(reader, out, WS_CLOSE_PROTOCOL_ERROR, "half a close code");
	out->code = WS_CLOSE_NO_STATUS;
	out->data = "";
	out->len = 0;
	if (len >= 2) {
		code = (unsigned)(uint8_t)data[0] << 8 | (uint8_t)data[1];
		if (!ws_close_code_valid(code))
			return fail(reader, out, WS_CLOSE_PROTOCOL_ERROR,
			    "a close code that may not be sent");
		if (!ws_utf8_check(&utf8, data + 2, len - 2) || utf8 != WS_UTF8_START)
			return fail(
			    reader, out, WS_CLOSE_INVALID_DATA, "a close reason that is not utf-8");
		out->code = (uint16_t)code;
		out->data = data + 2;
		out->len = len - 2;
	}
	free_message(reader);
	reader->state = FINISHED;
	return WS_CLOSE;
}

static enum ws_event_type
give_control(struct ws_reader *reader, const char *data, size_t len, struct ws_event *out)
{
	reader->state = IN_HEADER;
	if (reader->opcode == WS_OP_CLOSE)
		return give_close(reader, data, len, out);
	out->data = len > 0 ? data : "";
	out->len = len;
	return reader->opcode == WS_OP_PING ? WS_PING : WS_PONG;
}

/* Payload of a control frame: apart from the message that it may interrupt. */
static enum ws_event_type
read_control(struct ws_reader *reader, char *data, uint32_t len, struct ws_event *out)
{
	if (len == reader->left && reader->control_len == 0)
		return give_control(reader, data, len, out);

	if (len == 0)
		return WS_NONE;
	if (reader->control == NULL && (reader->control = malloc(WS_CONTROL_MAX)) == NULL)
		return fail(reader, out, WS_CLOSE_INTERNAL, "out of memory");
	memcpy(reader->control + reader->control_len, data, len);
	reader->control_len = (uint8_t)(reader->control_len + len);
	reader->left -= len;
	if (reader->left > 0)
		return WS_NONE;
	reader->control_given = true;
	return give_control(reader, reader->control, reader->control_len, out);
}

static enum ws_event_type
read_payload(struct ws_reader *reader, char **data, size_t *len, struct ws_event *out)
{
	uint32_t take = *len < reader->left ? (uint32_t)*len : reader->left;
	char *payload = *data;

	unmask(payload, take, reader->mask);
	*data += take;
	*len -= take;
	if (is_control(reader))
		return read_control(reader, payload, take, out);
	return read_message(reader, payload, take, out);
}

enum ws_event_type
ws_read(struct ws_reader *reader, char **data, size_t *len, struct ws_event *out)
{
	enum ws_event_type type = WS_NONE;

	*out = (struct ws_event){ .type = WS_NONE };
	if (reader->message_given)
		free_message(reader);
	if (reader->control_given)
		free_control(reader);

	while (type == WS_NONE && *len > 0) {
		if (reader->state == FINISHED) {
			*data += *len;
			*len = 0;
			break;
		}
		if (reader->state == IN_HEADER)
			type = read_header(reader, data, len, out);
		if (type == WS_NONE && reader->state == IN_PAYLOAD)
			type = read_payload(reader, data, len, out);
	}
	out->type = type;
	return type;
}
