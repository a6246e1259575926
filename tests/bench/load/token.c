/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access tokens: see token.h.
 */
#include "token.h"

#include "base.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIFETIME = 86400, SECRET_LEAST = 32, JTI_BYTES = 16, KID_BYTES = 8 };

static void
name_key(struct token_key *key)
{
	uint8_t digest[KID_BYTES];

	(void)crypto_generichash(digest, sizeof(digest), (const uint8_t *)"kid", 3, key->secret,
	    key->len < 64 ? key->len : 64);
	sodium_bin2hex(key->kid, sizeof(key->kid), digest, sizeof(digest));
}

void
token_key_load(const char *path, struct token_key *out)
{
	FILE *file = fopen(path, "re");

	*out = (struct token_key){ .issuer = "convro", .audience = "convro", .store = 1 };
	if (file == NULL)
		die("could not read the secret %s: %s", path, strerror(errno));
	out->len = fread(out->secret, 1, sizeof(out->secret), file);
	(void)fclose(file);
	if (out->len > 0 && out->secret[out->len - 1] == '\n')
		out->len--;
	if (out->len < SECRET_LEAST)
		die("the secret in %s has %zu bytes: the server wants %d", path, out->len,
		    SECRET_LEAST);
	name_key(out);
}

/* Appends base64url without padding; returns the new end. */
static char *
encode(char *out, char *end, const void *data, size_t len)
{
	sodium_bin2base64(
	    out, (size_t)(end - out), data, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	return out + strlen(out);
}

char *
token_sign(const struct token_key *key, uint64_t user, int64_t iat, int64_t exp)
{
	crypto_auth_hmacsha256_state state;
	uint8_t random[JTI_BYTES], mac[crypto_auth_hmacsha256_BYTES];
	char head[160], claims[640], jti[2 * JTI_BYTES + 1];
	char *token = allocate(1, 1280), *end = token + 1280, *at = token;
	int len;

	randombytes_buf(random, sizeof(random));
	sodium_bin2hex(jti, sizeof(jti), random, sizeof(random));
	len = snprintf(
	    head, sizeof(head), "{\"alg\":\"HS256\",\"kid\":\"%s\",\"typ\":\"JWT\"}", key->kid);
	at = encode(at, end, head, (size_t)len);
	*at++ = '.';
	len = snprintf(claims, sizeof(claims),
	    "{\"aud\":\"%s\",\"deviceId\":\"%016" PRIx64 "\",\"epoch\":0,\"exp\":%" PRId64
	    ",\"iat\":%" PRId64 ",\"iss\":\"%s\",\"jti\":\"%s\",\"store\":%" PRIu64
	    ",\"sub\":\"%" PRIu64 "\",\"userId\":%" PRIu64 "}",
	    key->audience, DEVICE_OF(user), exp, iat, key->issuer, jti, key->store, user, user);
	if (len < 0 || (size_t)len >= sizeof(claims))
		die("issuer and audience are too long: '%s', '%s'", key->issuer, key->audience);
	at = encode(at, end, claims, (size_t)len);
	(void)crypto_auth_hmacsha256_init(&state, key->secret, key->len);
	(void)crypto_auth_hmacsha256_update(&state, (uint8_t *)token, (size_t)(at - token));
	(void)crypto_auth_hmacsha256_final(&state, mac);
	*at++ = '.';
	(void)encode(at, end, mac, sizeof(mac));
	return token;
}

void
tokens_init(struct tokens *tokens, const struct token_key *key, uint64_t first, uint64_t count)
{
	*tokens = (struct tokens){ .key = key, .first = first, .count = count };
	tokens->made = allocate(count, sizeof(*tokens->made));
}

void
tokens_fini(struct tokens *tokens)
{
	for (uint64_t i = 0; i < tokens->count; i++)
		free(tokens->made[i]);
	free(tokens->made);
}

const char *
tokens_get(struct tokens *tokens, uint64_t user)
{
	uint64_t index = user - tokens->first;

	if (tokens->key == NULL)
		return "";
	if (index >= tokens->count)
		die("no user %" PRIu64 ": there are %" PRIu64 " from %" PRIu64 " on", user,
		    tokens->count, tokens->first);
	if (tokens->made[index] == NULL) {
		int64_t now = (int64_t)time(NULL);

		tokens->made[index] = token_sign(tokens->key, user, now, now + LIFETIME);
	}
	return tokens->made[index];
}
