/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access tokens: JWT (RFC 7519) by libjwt, with what it leaves to its caller:
 * the algorithm is the configured one whatever the header says, and issuer and
 * audience are ours.  The key is never NULL (libjwt would then accept "none").
 */
#include "auth.h"

#include <inttypes.h>
#include <jwt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libjwt allocates; a failure anywhere is a failure of the whole. */
static int
fill(jwt_t *jwt, const struct auth *auth, const struct claims *claims, int64_t now)
{
	char user[24], device[17], jti[2 * JTI_BYTES + 1];
	uint8_t random[JTI_BYTES];
	int failed = 0;

	randombytes_buf(random, sizeof(random));
	sodium_bin2hex(jti, sizeof(jti), random, sizeof(random));
	(void)snprintf(user, sizeof(user), "%" PRId64, claims->user_id);
	(void)snprintf(device, sizeof(device), "%016" PRIx64, (uint64_t)claims->device_id);
	failed |= jwt_add_header(jwt, "kid", auth->kid);
	failed |= jwt_add_grant(jwt, "sub", user);
	failed |= jwt_add_grant_int(jwt, "userId", claims->user_id);
	failed |= jwt_add_grant(jwt, "deviceId", device);
	failed |= jwt_add_grant_int(jwt, "epoch", claims->epoch);
	failed |= jwt_add_grant_int(jwt, "store", claims->db_epoch);
	failed |= jwt_add_grant_int(jwt, "iat", now / 1000000);
	failed |= jwt_add_grant_int(jwt, "exp", claims->expires_at / 1000000);
	failed |= jwt_add_grant(jwt, "jti", jti);
	failed |= jwt_add_grant(jwt, "iss", auth->issuer);
	failed |= jwt_add_grant(jwt, "aud", auth->audience);
	failed |=
	    jwt_set_alg(jwt, jwt_str_alg(auth->algorithm), auth->secret, (int)auth->secret_len);
	return failed;
}

const char *
token_sign(
    struct convro_ctx *ctx, const struct auth *auth, const struct claims *claims, int64_t now)
{
	jwt_t *jwt = NULL;
	char *text = NULL;
	const char *copy = NULL;

	if (jwt_new(&jwt) != 0)
		return NULL;
	if (fill(jwt, auth, claims, now) == 0)
		text = jwt_encode_str(jwt);
	if (text != NULL) {
		copy = convro->mem->copy(ctx, text, strlen(text));
		free(text);
	}
	jwt_free(jwt);
	return copy;
}

static bool
is_text(jwt_t *jwt, const char *name, const char *expected)
{
	const char *value = jwt_get_grant(jwt, name);

	return value != NULL && strcmp(value, expected) == 0;
}

static bool
read_device(jwt_t *jwt, int64_t *out)
{
	const char *text = jwt_get_grant(jwt, "deviceId");
	uint8_t bytes[8];
	size_t len = 0;
	uint64_t value = 0;

	if (text == NULL || strlen(text) != 16 ||
	    sodium_hex2bin(bytes, sizeof(bytes), text, 16, NULL, &len, NULL) != 0 ||
	    len != sizeof(bytes))
		return false;
	for (size_t i = 0; i < sizeof(bytes); i++)
		value = value << 8 | bytes[i];
	*out = (int64_t)value;
	return true;
}

bool
token_read(const struct auth *auth, const char *text, size_t len, struct claims *out)
{
	char copy[2048];
	jwt_t *jwt = NULL;
	bool good;

	/* Ours are about 450 bytes. */
	if (len == 0 || len >= sizeof(copy) || memchr(text, '\0', len) != NULL)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (jwt_decode(&jwt, copy, auth->secret, (int)auth->secret_len) != 0)
		return false;
	good = jwt_get_alg(jwt) == jwt_str_alg(auth->algorithm) &&
	       is_text(jwt, "iss", auth->issuer) && is_text(jwt, "aud", auth->audience) &&
	       read_device(jwt, &out->device_id);
	out->user_id = jwt_get_grant_int(jwt, "userId");
	out->epoch = (uint32_t)jwt_get_grant_int(jwt, "epoch");
	out->db_epoch = jwt_get_grant_int(jwt, "store");
	out->expires_at = (int64_t)jwt_get_grant_int(jwt, "exp") * 1000000;
	jwt_free(jwt);
	return good && out->user_id > 0 && out->expires_at > 0;
}
