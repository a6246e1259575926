/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the answer to an HTTP/1.1 request (RFC 9112), from a server that is
 * trusted to be one.
 */
#ifndef LOAD_RESPONSE_H
#define LOAD_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>

struct response {
	int status;
	bool close;       /* the server will close the connection */
	const char *body; /* borrowed; chunks are joined in place */
	size_t body_len;
};

enum response_read { RESPONSE_READ, RESPONSE_INCOMPLETE, RESPONSE_WRONG };

/* `bytes` from the begin of the answer on; called again, with all of them, when more are there.
 * Changed only when the answer is whole. */
enum response_read response_read(char *bytes, size_t len, struct response *out);

#endif
