/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hexadecimal text.  deviceId and keyId are 16 digits on the wire and a signed
 * 64-bit big-endian number inside, sessionId is 8 digits and 32 bits: read in
 * either case, written in lower case (wire contract, section 1).  Thread: any.
 */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stddef.h>
#include <stdint.h>

#define HEX16_LEN 16
#define HEX8_LEN  8

/* Exactly 16 digits ("ffffffffffffffff" is -1).  0, or -1 when the text is anything else. */
int hex16_decode(const char *text, size_t len, int64_t *out);

/* Exactly 8 digits.  0, or -1 when the text is anything else. */
int hex8_decode(const char *text, size_t len, int32_t *out);

/* Write 16 and 8 characters, no NUL. */
void hex16_encode(int64_t value, char out[HEX16_LEN]);
void hex8_encode(int32_t value, char out[HEX8_LEN]);

/* Writes 2 * len characters, no NUL. */
void hex_encode(const void *data, size_t len, char *out);

/* `len` characters, an even number, into len / 2 bytes at `out`.  0, or -1 when the text is
 * malformed. */
int hex_decode(const char *text, size_t len, uint8_t *out);

#endif
