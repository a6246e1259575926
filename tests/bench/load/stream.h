/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages that go on being sent while their recipients lose their connections
 * and come back: none that the server has taken may be missing in the end.
 */
#ifndef LOAD_STREAM_H
#define LOAD_STREAM_H

#include "deliveries.h"
#include "http.h"

enum { STREAM_CONNECTIONS = 16 };

struct stream {
	struct load *load; /* borrowed */
	struct http http;
	struct requests requests;
	struct deliveries deliveries;
	struct timer timer;
	uint64_t next, interval;              /* ns */
	uint64_t current[STREAM_CONNECTIONS]; /* the number of the message on each */
	uint32_t idle[STREAM_CONNECTIONS];
	uint32_t nidle;
};

/* options.rate messages a second to the responders of sessions 1 .. recipients. */
void stream_init(struct stream *stream, struct load *load, uint32_t recipients);
void stream_fini(struct stream *stream);

void stream_start(struct stream *stream);

/* What a socket of recipient 0 .. recipients - 1 got. */
void stream_arrived(struct stream *stream, uint32_t recipient, const char *array, size_t len);

/* After which row a recipient has to be caught up. */
uint64_t stream_last_id(const struct stream *stream, uint32_t recipient);

/* Sends no more, waits for what is outstanding, for at most options.timeout, and tells. */
void stream_end(struct stream *stream);

#endif
