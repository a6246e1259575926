/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64 with the standard alphabet and padding (RFC 4648, section 4), as
 * Engine.IO wraps binary packets in where only text can travel.
 */
#ifndef SOCKETIO_BASE64_H
#define SOCKETIO_BASE64_H

#include "text.h"

/* Appends `len` bytes as base64. */
void text_put_base64(struct text *out, const void *data, size_t len);

/* Decodes in place and stores the number of bytes; false when the text is not padded base64 of the
 * standard alphabet or has bits set that no byte uses.  The text is then partly overwritten. */
bool text_from_base64(char *data, size_t len, size_t *out);

#endif
