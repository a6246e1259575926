/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sec-WebSocket-Extensions, server side: reads what the client offers (RFC
 * 6455, section 9.1) and agrees on permessage-deflate, the only extension there
 * is here (RFC 7692, section 7.1).  The compression itself is deflate.h.
 */
#ifndef WS_EXTENSION_H
#define WS_EXTENSION_H

#include <stdbool.h>
#include <stdint.h>

#define WS_EXTENSION_SIZE 128 /* of an answer, with its NUL */

struct ws_agreed {
	uint8_t window_bits; /* of what the server compresses, 9..15; 0 = no compression */
	bool window_asked;   /* the offer set it, so the answer has to */
};

/* Reads one header value; those of a repeated header are given one by one, in their order, with the
 * same `agreed`, which is cleared before the first.  The first offer that can be taken is; an offer
 * with parameters that are unknown, doubled or out of range, or with a window of 8 bits, which zlib
 * cannot compress with, is passed over.  False: the value breaks the grammar, so the handshake has
 * to fail with 400.  Thread: any. */
bool ws_extension_negotiate(const char *value, struct ws_agreed *agreed);

/* The header's value to answer with, when window_bits is not 0.  Thread: any. */
void ws_extension_answer(const struct ws_agreed *agreed, char out[WS_EXTENSION_SIZE]);

#endif
