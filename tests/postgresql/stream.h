/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients that write one thing after the other and, as real ones would, try
 * again when that is safe.  They run on the workers.
 */
#ifndef STREAM_H
#define STREAM_H

#include "kit.h"

enum { LANES_MOST = 64, LANES_A_SESSION = 4 };

enum stream_kind {
	STREAM_SENDS, /* messages: repeated under the same clientMessageId whatever happened */
	STREAM_NOTES, /* not idempotent: repeated only when nothing was stored */
};

struct stream;

struct lane {
	struct stream *stream;
	struct convro_ctx *ctx;
	uint32_t number, done;
	int64_t last_id;
};

struct stream {
	struct kit *kit;
	enum stream_kind kind;
	uint32_t lane_count, each;
	struct lane lanes[LANES_MOST];
	_Atomic uint32_t acknowledged;
	_Atomic uint32_t unknown;  /* given up: may have been stored */
	_Atomic uint32_t failures; /* that were tried again */
	_Atomic uint32_t mistakes; /* what must never happen */
	_Atomic uint32_t lanes_left;
	sem_t ended;
};

/* Sends `each` things on each of `lanes` lanes. */
void stream_start(
    struct stream *stream, struct kit *kit, enum stream_kind kind, uint32_t lanes, uint32_t each);
void stream_wait(struct stream *stream);

#endif
