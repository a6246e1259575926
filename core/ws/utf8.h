/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8 check that can be continued over pieces and refuses at the first byte
 * that no continuation can save (RFC 3629).  Used by the frame reader, and by
 * whoever inflates a compressed text message.
 */
#ifndef WS_UTF8_H
#define WS_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WS_UTF8_START 0 /* state before the first byte, and after each whole character */

/* Checks the next `len` bytes and moves `*state` on; false = not UTF-8.  The text is whole when the
 * state is WS_UTF8_START after its last piece.  Thread: any. */
bool ws_utf8_check(uint8_t *state, const char *data, size_t len);

#endif
