/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unguessable bytes from the kernel (getrandom), for keys, tokens and ids.
 * There is no failure to handle: a kernel without randomness ends the process.
 * Thread: any.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *out, size_t len);

uint64_t random_u64(void);

/* Ids take at most this many random bytes. */
#define RANDOM_ID_MAX 64

/* `bytes` (1..RANDOM_ID_MAX) random bytes as 2 * bytes lower-case hex digits and a NUL. */
void random_hex(char *out, size_t bytes);

/* `bytes` (1..RANDOM_ID_MAX) random bytes as base64url_encoded_len(bytes) characters and a NUL: 15
 * make 20. */
void random_base64url(char *out, size_t bytes);

#endif
