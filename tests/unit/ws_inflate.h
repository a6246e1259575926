/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The oracle for what the server compresses: zlib itself, as a client has it.
 */
#ifndef WS_INFLATE_H
#define WS_INFLATE_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* What a client makes of it; false when it is no message in a window of `bits`. */
static inline bool
is_inflated_by_zlib(const char *data, size_t len, int bits, const char *expected, size_t size)
{
	z_stream stream = { 0 };
	char *in = malloc(len + 4), *out = malloc(size + 1);
	bool is_same;

	memcpy(in, data, len);
	memcpy(in + len, "\0\0\xff\xff", 4);
	(void)inflateInit2(&stream, -bits);
	stream.next_in = (Bytef *)in;
	stream.avail_in = (uInt)len + 4;
	stream.next_out = (Bytef *)out;
	stream.avail_out = (uInt)size + 1;
	is_same = inflate(&stream, Z_SYNC_FLUSH) == Z_OK && stream.avail_in == 0 &&
		  stream.avail_out == 1 && memcmp(out, expected, size) == 0;
	(void)inflateEnd(&stream);
	free(in);
	free(out);
	return is_same;
}

#endif
