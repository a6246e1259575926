/* SPDX-License-Identifier: Apache-2.0 */
/*
 * permessage-deflate over zlib's raw streams, see deflate.h.  A message ends
 * with an empty stored block whose last four bytes do not travel (RFC 7692,
 * sections 7.2.1 and 7.2.2).
 */
#include "ws/deflate.h"

#include "base/must.h"
#include "ws/utf8.h"

#include <stdlib.h>
#include <string.h>
/* Its input is const then, as it ought to be. */
#define ZLIB_CONST
#include <zlib.h>

#define TAIL_SIZE  4
#define BUFFER_MIN 16384
#define BUFFER_MAX 65536 /* kept between messages */
#define MEM_LEVEL  8     /* zlib's default */
#define WINDOW_MAX 15

/* z_stream.data_type after inflate(): between two blocks, and bits of a byte not used yet. */
#define BETWEEN_BLOCKS 128
#define UNUSED_BITS    63

static const uint8_t tail[TAIL_SIZE] = { 0x00, 0x00, 0xff, 0xff };

struct ws_deflate {
	z_stream deflater, inflater;
	unsigned window_bits; /* of the deflater; 0 = not there yet */
	bool inflates;        /* the inflater is there */
	char *buffer;         /* owned: the message being inflated */
	size_t size;          /* bytes at `buffer` */
};

struct ws_deflate *
ws_deflate_new(void)
{
	return calloc(1, sizeof(struct ws_deflate));
}

void
ws_deflate_free(struct ws_deflate *streams)
{
	if (streams == NULL)
		return;
	if (streams->window_bits != 0)
		(void)deflateEnd(&streams->deflater);
	if (streams->inflates)
		(void)inflateEnd(&streams->inflater);
	free(streams->buffer);
	free(streams);
}

/* ---- compressing ---- */

static bool
prepare_deflater(struct ws_deflate *streams, unsigned window_bits)
{
	if (streams->window_bits == window_bits)
		return deflateReset(&streams->deflater) == Z_OK;
	if (streams->window_bits != 0)
		(void)deflateEnd(&streams->deflater);
	streams->deflater = (z_stream){ .zalloc = Z_NULL };
	streams->window_bits = 0;
	if (deflateInit2(&streams->deflater, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -(int)window_bits,
		MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	streams->window_bits = window_bits;
	return true;
}

size_t
ws_deflate_message(struct ws_deflate *streams, unsigned window_bits, const void *data, size_t len,
    void *out, size_t size)
{
	z_stream *stream = &streams->deflater;
	size_t most = size < INT32_MAX ? size : INT32_MAX, wrote;

	MUST(window_bits > 8 && window_bits <= WINDOW_MAX && len <= INT32_MAX);
	if (!prepare_deflater(streams, window_bits))
		return 0;
	stream->next_in = data;
	stream->avail_in = (uInt)len;
	stream->next_out = out;
	stream->avail_out = (uInt)most;
	/* The flush is complete only when there is room left. */
	if (deflate(stream, Z_SYNC_FLUSH) != Z_OK || stream->avail_out == 0)
		return 0;
	wrote = most - stream->avail_out;
	MUST(wrote > TAIL_SIZE && memcmp((char *)out + wrote - TAIL_SIZE, tail, TAIL_SIZE) == 0);
	return wrote - TAIL_SIZE;
}

/* ---- inflating ---- */

static bool
prepare_inflater(struct ws_deflate *streams)
{
	if (streams->inflates)
		return inflateReset(&streams->inflater) == Z_OK;
	/* The largest window reads what was made with any. */
	streams->inflater = (z_stream){ .zalloc = Z_NULL };
	streams->inflates = inflateInit2(&streams->inflater, -WINDOW_MAX) == Z_OK;
	return streams->inflates;
}

/* A message on its way out of the inflater. */
struct inflating {
	struct ws_deflate *streams;
	size_t len;   /* bytes so far */
	size_t limit; /* one byte more than the message may have */
	bool is_text;
	uint8_t utf8;
	const char *why; /* of an error, for the log */
};

/* Doubles the buffer, up to the limit; false when memory is out. */
static bool
make_room(struct inflating *inflating)
{
	struct ws_deflate *streams = inflating->streams;
	size_t size = streams->size < BUFFER_MIN ? BUFFER_MIN : streams->size * 2;
	char *buffer;

	if (inflating->len < streams->size)
		return true;
	if (size > inflating->limit && inflating->limit > streams->size)
		size = inflating->limit;
	buffer = realloc(streams->buffer, size);
	if (buffer == NULL)
		return false;
	streams->buffer = buffer;
	streams->size = size;
	return true;
}

static uint16_t
refuse(struct inflating *inflating, uint16_t code, const char *why)
{
	inflating->why = why;
	return code;
}

/* Takes what inflate() has just written; 0, or the code to close with. */
static uint16_t
take_output(struct inflating *inflating, size_t wrote)
{
	const char *data = inflating->streams->buffer + inflating->len;

	inflating->len += wrote;
	if (inflating->len >= inflating->limit)
		return refuse(
		    inflating, WS_CLOSE_TOO_BIG, "a message that inflates over the limit");
	if (inflating->is_text && !ws_utf8_check(&inflating->utf8, data, wrote))
		return refuse(inflating, WS_CLOSE_INVALID_DATA, "text that is not utf-8");
	return 0;
}

/* Inflates these bytes of the message; 0, or the code to close with. */
static uint16_t
inflate_bytes(struct inflating *inflating, const void *data, size_t len, int *status)
{
	z_stream *stream = &inflating->streams->inflater;
	uint16_t code = 0;
	bool full;

	stream->next_in = data;
	stream->avail_in = (uInt)len;
	do {
		size_t room;

		/* A block that says it is the last may be followed by others (RFC 7692, section
		 * 7.2.3.5), which begin anew. */
		if (*status == Z_STREAM_END)
			(void)inflateReset(stream);
		if (!make_room(inflating))
			return refuse(inflating, WS_CLOSE_INTERNAL, "out of memory");
		room = inflating->streams->size - inflating->len;
		if (room > inflating->limit - inflating->len)
			room = inflating->limit - inflating->len;
		stream->next_out = (Bytef *)inflating->streams->buffer + inflating->len;
		stream->avail_out = (uInt)room;
		*status = inflate(stream, Z_SYNC_FLUSH);
		if (*status == Z_MEM_ERROR)
			return refuse(inflating, WS_CLOSE_INTERNAL, "out of memory");
		if (*status != Z_OK && *status != Z_STREAM_END && *status != Z_BUF_ERROR)
			return refuse(inflating, WS_CLOSE_INVALID_DATA, "bad compressed data");
		full = stream->avail_out == 0;
		code = take_output(inflating, room - stream->avail_out);
	} while (code == 0 && (stream->avail_in > 0 || (full && *status == Z_OK)));
	return code;
}

static uint16_t
inflate_whole(struct inflating *inflating, const char *data, size_t len)
{
	z_stream *stream = &inflating->streams->inflater;
	int status = Z_OK;
	uint16_t code;

	if (!prepare_inflater(inflating->streams))
		return refuse(inflating, WS_CLOSE_INTERNAL, "out of memory");
	code = inflate_bytes(inflating, data, len, &status);
	if (code == 0)
		code = inflate_bytes(inflating, tail, TAIL_SIZE, &status);
	if (code != 0)
		return code;
	if (status != Z_STREAM_END &&
	    (stream->data_type & (BETWEEN_BLOCKS | UNUSED_BITS)) != BETWEEN_BLOCKS)
		return refuse(inflating, WS_CLOSE_INVALID_DATA, "compressed data that breaks off");
	if (inflating->utf8 != WS_UTF8_START)
		return refuse(
		    inflating, WS_CLOSE_INVALID_DATA, "text that ends inside a character");
	return 0;
}

void
ws_inflate_message(struct ws_deflate *streams, uint32_t max_message, struct ws_event *event)
{
	struct inflating inflating = {
		.streams = streams,
		.limit = (size_t)max_message + 1,
		.is_text = event->type == WS_TEXT,
		.utf8 = WS_UTF8_START,
	};
	uint16_t code = inflate_whole(&inflating, event->data, event->len);

	event->compressed = false;
	event->code = code;
	if (code != 0) {
		event->type = WS_ERROR;
		event->data = inflating.why;
		event->len = strlen(inflating.why);
	} else {
		event->data = inflating.len > 0 ? streams->buffer : "";
		event->len = inflating.len;
	}
}

void
ws_inflate_done(struct ws_deflate *streams)
{
	if (streams->size <= BUFFER_MAX)
		return;
	free(streams->buffer);
	streams->buffer = NULL;
	streams->size = 0;
}
