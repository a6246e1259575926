/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip and zlib streams, which are kept from one answer to the next.
 */
#include "compress.h"

#include <stdlib.h>
#include <strings.h>
/* Its input is const then, as it ought to be. */
#define ZLIB_CONST
#include <zlib.h>

#define CODINGS   3
#define MEM_LEVEL 8  /* zlib's default */
#define WINDOW    15 /* bits */
#define AS_GZIP   16 /* added to the window's bits */

struct compressor {
	z_stream streams[CODINGS];
	bool ready[CODINGS];
};

/* ---- what the client accepts ---- */

static const char *const names[CODINGS] = { "identity", "gzip", "deflate" };

const char *
coding_name(enum coding coding)
{
	return names[coding];
}

static size_t
skip_blanks(const char *at)
{
	return strspn(at, " \t");
}

/* "1", "0.5" ... in thousandths; -1 when malformed (RFC 9110, section 12.4.2). */
static int
read_weight(const char *text, size_t len)
{
	int value = 0, scale = 1000;

	if (len == 0 || len > 5 || (text[0] != '0' && text[0] != '1') ||
	    (len > 1 && text[1] != '.'))
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (i == 1)
			continue;
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value += (text[i] - '0') * scale;
		scale /= 10;
	}
	return value <= 1000 ? value : -1;
}

/* The weight behind a coding: ";q=0.5" or nothing; -1 when malformed. */
static int
weight(const char *text, size_t len)
{
	size_t at = skip_blanks(text), end = len;

	if (at >= len)
		return 1000;
	if (text[at++] != ';')
		return -1;
	at += skip_blanks(text + at);
	if (len - at < 2 || strncasecmp(text + at, "q=", 2) != 0)
		return -1;
	at += 2;
	while (end > at && (text[end - 1] == ' ' || text[end - 1] == '\t'))
		end--;
	return read_weight(text + at, end - at);
}

enum coding
coding_wanted(const char *accept)
{
	int weights[CODINGS] = { -1, -1, -1 }, others = -1;
	enum coding best = CODING_NONE;

	for (const char *at = accept; at != NULL && *at != '\0';) {
		size_t len, name;

		at += strspn(at, ", \t");
		len = strcspn(at, ",");
		name = strcspn(at, ",; \t");
		for (unsigned i = CODING_GZIP; i < CODINGS; i++)
			if (name == strlen(names[i]) && strncasecmp(at, names[i], name) == 0)
				weights[i] = weight(at + name, len - name);
		if (name == 1 && *at == '*')
			others = weight(at + 1, len - 1);
		at += len;
	}
	for (unsigned i = CODING_GZIP; i < CODINGS; i++) {
		if (weights[i] < 0)
			weights[i] = others;
		if (weights[i] > 0 && weights[i] > weights[best])
			best = (enum coding)i;
	}
	return best;
}

/* ---- streams ---- */

struct compressor *
compressor_new(void)
{
	return calloc(1, sizeof(struct compressor));
}

void
compressor_free(struct compressor *compressor)
{
	if (compressor == NULL)
		return;
	for (unsigned i = 0; i < CODINGS; i++)
		if (compressor->ready[i])
			(void)deflateEnd(&compressor->streams[i]);
	free(compressor);
}

static bool
prepare(struct compressor *compressor, enum coding coding)
{
	z_stream *stream = &compressor->streams[coding];
	int window = coding == CODING_GZIP ? WINDOW + AS_GZIP : WINDOW;

	if (compressor->ready[coding])
		return deflateReset(stream) == Z_OK;
	compressor->ready[coding] = deflateInit2(stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window,
					MEM_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK;
	return compressor->ready[coding];
}

bool
shorten(struct compressor *compressor, enum coding coding, struct slice data, struct text *out)
{
	z_stream *stream = &compressor->streams[coding];
	char *room = data.len <= INT32_MAX ? text_room(out, data.len) : NULL;

	if (room == NULL || !prepare(compressor, coding))
		return false;
	stream->next_in = (const Bytef *)data.data;
	stream->avail_in = (uInt)data.len;
	stream->next_out = (Bytef *)room;
	stream->avail_out = (uInt)data.len;
	if (deflate(stream, Z_FINISH) != Z_STREAM_END)
		return false; /* no room is left: it is no shorter */
	out->len = data.len - stream->avail_out;
	return true;
}
