/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The curve arithmetic of an upload: about 50 microseconds a key, so it runs in
 * the offload pool.
 */
#include "prekeys.h"

#include <sodium.h>
#include <string.h>

/* What handshakes would compute with such a point is zero for every secret (RFC 7748, section 6.1).
 */
static bool
is_low_order(const uint8_t pub[PUBLIC_KEY_BYTES])
{
	static const uint8_t scalar[crypto_scalarmult_SCALARBYTES] = { 8 };
	uint8_t shared[crypto_scalarmult_BYTES];

	return crypto_scalarmult(shared, scalar, pub) != 0;
}

/* One of the three messages that clients have signed: with a label, with label and key id, the bare
 * key. */
static bool
is_signed(const struct key_check *check)
{
	static const char label[] = "C6P_PREKEY_V1";
	const size_t label_len = sizeof(label) - 1;
	uint8_t message[sizeof(label) - 1 + 8 + PUBLIC_KEY_BYTES];

	memcpy(message, label, label_len);
	memcpy(message + label_len, check->signed_key, PUBLIC_KEY_BYTES);
	if (crypto_sign_verify_detached(
		check->signature, message, label_len + PUBLIC_KEY_BYTES, check->identity) == 0)
		return true;
	memcpy(message + label_len, check->signed_id, 8);
	memcpy(message + label_len + 8, check->signed_key, PUBLIC_KEY_BYTES);
	if (crypto_sign_verify_detached(
		check->signature, message, label_len + 8 + PUBLIC_KEY_BYTES, check->identity) == 0)
		return true;
	return crypto_sign_verify_detached(
		   check->signature, check->signed_key, PUBLIC_KEY_BYTES, check->identity) == 0;
}

void
prekeys_check(void *arg)
{
	struct key_check *check = arg;

	check->error = NULL;
	if (crypto_core_ed25519_is_valid_point(check->identity) == 0)
		check->error = "INVALID_IDENTITY_KEY";
	else if (is_low_order(check->signed_key))
		check->error = "INVALID_SIGNED_PREKEY";
	else if (check->check_signature && !is_signed(check))
		check->error = "INVALID_SIGNATURE";
	for (uint32_t i = 0; i < check->count && check->error == NULL; i++)
		if (is_low_order(check->keys[i].pub))
			check->error = "INVALID_ONE_TIME_PREKEY";
}

int64_t
prekeys_derived_id(const uint8_t pub[PUBLIC_KEY_BYTES])
{
	uint8_t digest[crypto_hash_sha256_BYTES];
	uint64_t id = 0;

	(void)crypto_hash_sha256(digest, pub, PUBLIC_KEY_BYTES);
	for (int i = 0; i < 8; i++)
		id = id << 8 | digest[i];
	return (int64_t)id;
}
