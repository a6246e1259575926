/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content codings for the answers to polls (RFC 9110, sections 8.4.1 and
 * 12.5.3): gzip and deflate, as the client accepts.
 */
#ifndef SOCKETIO_COMPRESS_H
#define SOCKETIO_COMPRESS_H

#include "text.h"

#define COMPRESS_FROM 1024 /* bytes of a body that is worth it */

enum coding { CODING_NONE, CODING_GZIP, CODING_DEFLATE };

struct compressor; /* the streams of one worker, 256 KiB for each coding that was asked for */

/* What an Accept-Encoding (NULL = there is none) prefers of the two; gzip when it likes both alike.
 * What is malformed is passed over. */
enum coding coding_wanted(const char *accept);
/* The coding's name in a header. */
const char *coding_name(enum coding coding);

/* NULL when memory is out; caller frees with compressor_free. */
struct compressor *compressor_new(void);
void compressor_free(struct compressor *compressor); /* NULL is allowed */

/* Writes `data` in a coding that is not NONE to the empty `out`.  False when memory is out, or when
 * it got no shorter: send the data as they are then. */
bool
shorten(struct compressor *compressor, enum coding coding, struct slice data, struct text *out);

#endif
