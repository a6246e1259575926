/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refresh tokens: rt_<32 hex of jti>_<base64url of 32 random bytes>.  The store
 * has SHA-256 of the secret; the secret is random, so a slow hash gains nothing.
 */
#include "auth.h"

#include <sodium.h>
#include <string.h>

void
refresh_token_make(struct refresh_token *out, char text[REFRESH_TEXT_SIZE])
{
	uint8_t secret[SECRET_BYTES];

	randombytes_buf(out->jti, sizeof(out->jti));
	randombytes_buf(secret, sizeof(secret));
	crypto_hash_sha256(out->hash, secret, sizeof(secret));
	memcpy(text, "rt_", 3);
	sodium_bin2hex(text + 3, 2 * JTI_BYTES + 1, out->jti, sizeof(out->jti));
	text[3 + 2 * JTI_BYTES] = '_';
	sodium_bin2base64(text + 4 + 2 * JTI_BYTES, 44, secret, sizeof(secret),
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(secret, sizeof(secret));
}

bool
refresh_token_read(const char *text, size_t len, struct refresh_token *out)
{
	const size_t head = 4 + 2 * JTI_BYTES;
	uint8_t secret[256]; /* the contract asks for at least 32 bytes; ours are 32 */
	size_t jti_len = 0, secret_len = 0;
	const char *end = NULL;
	bool good;

	if (len < head + 43 || strncmp(text, "rt_", 3) != 0 || text[head - 1] != '_')
		return false;
	if (sodium_hex2bin(
		out->jti, sizeof(out->jti), text + 3, 2 * JTI_BYTES, NULL, &jti_len, NULL) != 0 ||
	    jti_len != JTI_BYTES)
		return false;
	good = sodium_base642bin(secret, sizeof(secret), text + head, len - head, NULL, &secret_len,
		   &end, sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
	       end == text + len && secret_len >= SECRET_BYTES;
	if (good)
		crypto_hash_sha256(out->hash, secret, secret_len);
	sodium_memzero(secret, sizeof(secret));
	return good;
}
