/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64 as the wire contract, section 1 "binary fields", has it: both alphabets
 * are read (never mixed), padding is whole or absent, spare bits are zero.  So
 * each accepted text has one meaning, and each meaning four texts at most.
 * RFC 4648, sections 4 and 5.  Thread: any.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* Decodes all of `text` into `out`, which holds `size` bytes; *out_len is then the number written.
 * 0, or -1 when the text is malformed or its bytes do not fit (`out` may then hold some of them).
 */
int base64_decode(const char *text, size_t len, uint8_t *out, size_t size, size_t *out_len);

/* Characters of the padded text of `len` bytes. */
size_t base64_encoded_len(size_t len);

/* Characters of the unpadded text of `len` bytes. */
size_t base64url_encoded_len(size_t len);

/* Most bytes that a text of `len` characters can decode to. */
size_t base64_decoded_max(size_t len);

/* Padded standard alphabet; writes exactly base64_encoded_len(len) characters, no NUL. */
void base64_encode(const void *data, size_t len, char *out);

/* Unpadded URL alphabet; writes exactly base64url_encoded_len(len) characters, no NUL. */
void base64url_encode(const void *data, size_t len, char *out);

#endif
