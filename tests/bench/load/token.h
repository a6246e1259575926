/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access tokens, made here with the server's secret so that a measurement does
 * not begin with thousands of logins.  The same claims as the server's own
 * (wire contract, section 1, auth), algorithm HS256.
 */
#ifndef LOAD_TOKEN_H
#define LOAD_TOKEN_H

#include <stddef.h>
#include <stdint.h>

/* User k of the bench has id k, and one device with this id. */
#define DEVICE_OF(user) (UINT64_C(0x0100000000000000) + (user))

struct token_key {
	uint8_t secret[256];
	size_t len;
	char kid[17];
	const char *issuer;   /* borrowed */
	const char *audience; /* borrowed */
	uint64_t store;       /* the store's own epoch: 1 in one that was never restored */
};

/* Reads the secret as the server does: without the newline at its end.  Ends the program where the
 * file cannot be used. */
void token_key_load(const char *path, struct token_key *out);

/* Caller frees.  `iat` and `exp` in seconds since 1970. */
char *token_sign(const struct token_key *key, uint64_t user, int64_t iat, int64_t exp);

/* One token for each user, made when first asked for. */
struct tokens {
	const struct token_key *key; /* borrowed; NULL = no tokens at all */
	uint64_t first, count;
	char **made;
};

/* Users first .. first + count - 1. */
void
tokens_init(struct tokens *tokens, const struct token_key *key, uint64_t first, uint64_t count);
void tokens_fini(struct tokens *tokens);

/* Borrowed until tokens_fini; "" without a key. */
const char *tokens_get(struct tokens *tokens, uint64_t user);

#endif
