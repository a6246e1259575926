/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The opening handshake of WebSocket, server side (RFC 6455, section 4.2):
 * judges the request's headers and computes the answer's.  The router decides
 * which paths may be upgraded; frame.h goes on from there.
 */
#ifndef WS_HANDSHAKE_H
#define WS_HANDSHAKE_H

#include <stdbool.h>

#define WS_ACCEPT_SIZE 29 /* Sec-WebSocket-Accept with its NUL */

/* The status to answer a GET with these header values (NULL = absent): 101, 400, or 426 together
 * with "Sec-WebSocket-Version: 13" when the version is another.  Thread: any. */
int ws_handshake_status(
    const char *upgrade, const char *connection, const char *version, const char *key);

/* Sec-WebSocket-Accept for a key that ws_handshake_status let pass.  False when OpenSSL refuses
 * SHA-1 or is out of memory: answer 500.  Thread: any. */
bool ws_handshake_accept(const char *key, char out[WS_ACCEPT_SIZE]);

/* Whether a comma-separated header value (NULL = absent) names `token`, in any case: tells an
 * upgrade from a plain request.  Thread: any. */
bool ws_header_has(const char *value, const char *token);

#endif
