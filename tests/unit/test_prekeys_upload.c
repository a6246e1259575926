/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /v1/prekeys/upload on the fake core: the curve checks with the reference
 * values of the clients' encryption, and every outcome of the batch.
 */
#include "module_kit.h"

#include "base/base64.h"
#include "base/hex.h"
#include "prekeys.h"

#include <sodium.h>

#define PATH     "/v1/prekeys/upload"
#define IDENTITY "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c"
#define SPK      "ce8d3ad1ccb633ec7b70c17814a5c76ecd029685050d344745ba05870e587d59"
#define OTP      "5dfedd3b6bd47f6fa28ee15d969d5bb0ea53774d488bdaf9df1c6e0124b3ef22"
#define EPH      "ac01b2209e86354fb853237b5de0f4fab13c7fcbf433a61c019369617fecf10b"
#define SIG_45                                                                                     \
	"12953766e81a9bcea219320465f3036954ce59a10d4a778c173ab8a2fbf0d956"                         \
	"cb5c23612ea4ea7a308a7af22a44aed52f2321e2c91c3c827789ebdffe057b09"
#define SIG_53                                                                                     \
	"57fe336eb85f69ad8beb869a5608b459c73ac2dc4ecf084d2e29631ad50d0d50"                         \
	"9288ca1aa6209128a0c9263805ef28a7a458e95a6b1545a52e52e891004fb606"
#define KEY_ID "0102030405060708"
#define DEVICE "-6795153568590067960"

/* Points of small order on curve25519 and encodings of them (and p, p+1 above the field). */
static const char *const low_order[] = {
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	/* the same with the bit that X25519 ignores */
	"0000000000000000000000000000000000000000000000000000000000000080",
	"0100000000000000000000000000000000000000000000000000000000000080",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

/* Of small order on edwards25519, not canonical, or no point at all. */
static const char *const bad_identities[] = {
	"0100000000000000000000000000000000000000000000000000000000000000",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"0200000000000000000000000000000000000000000000000000000000000000",
};

/* Text of bytes given in hex; borrowed for the next few calls. */
static const char *
base64_of(const char *hex)
{
	static char texts[8][100];
	static unsigned next;
	char *out = texts[next++ % 8];
	uint8_t bytes[64];
	size_t len = strlen(hex) / 2;

	assert_int_equal(hex_decode(hex, 2 * len, bytes), 0);
	base64_encode(bytes, len, out);
	out[base64_encoded_len(len)] = '\0';
	return out;
}

static int
upload(struct kit *kit, const char *identity, const char *spk, const char *signature,
    const char *key_id, const char *more)
{
	char *body = malloc(60000);
	int status;

	assert_non_null(body);
	snprintf(body, 60000,
	    "{\"identity\":{\"publicKeyEd25519\":\"%s\"},\"signedPrekey\":{%s%s%s"
	    "\"publicKeyX25519\":\"%s\",\"signatureEd25519\":\"%s\"}%s}",
	    base64_of(identity), key_id != NULL ? "\"keyId\":\"" : "", key_id != NULL ? key_id : "",
	    key_id != NULL ? "\"," : "", base64_of(spk), base64_of(signature), more);
	status = kit_post(kit, PATH, body);
	free(body);
	return status;
}

static const char *
one_time(const char *id, const char *hex)
{
	static char text[300];

	snprintf(text, sizeof(text),
	    ",\"oneTimePrekeys\":[{\"keyId\":\"%s\",\"publicKeyX25519\":\"%s\"}]", id,
	    base64_of(hex));
	return text;
}

static void
stores(struct kit *kit)
{
	kit_rows(kit, PREKEYS_UPLOAD_STATE, NULL, "1|0|0|21|77");
}

static void
stores_keys_in_one_batch(void **state)
{
	struct kit *kit = *state;

	stores(kit);
	kit_rows(kit, PREKEYS_UPLOAD_KEYS, NULL, "1");
	kit_rows(kit, PREKEYS_KNOWN, DEVICE "|{1}", "1|" OTP "|\\N");
	kit_forget_trace(kit);
	assert_int_equal(
	    upload(kit, IDENTITY, SPK, SIG_45, KEY_ID, one_time("0000000000000001", OTP)), 200);
	assert_string_equal(kit_trace(kit),
	    "[prekeys.upload_lock prekeys.otp_in prekeys.upload_take prekeys.upload_signed "
	    "prekeys.upload_keys prekeys.upload_state prekeys.known prekeys.otp_clear]");
	assert_string_equal(kit_body(kit),
	    "{\"ok\":true,\"accepted\":true,\"deviceId\":\"a1b2c3d4e5f60708\",\"userDeviceId\":77,"
	    "\"storedOneTimePrekeys\":1,\"acceptedOneTimePrekeyIds\":[\"0000000000000001\"],"
	    "\"oneTimeAvailable\":21,\"serverTime\":\"2026-01-31T12:34:56Z\"}");
	assert_string_equal(kit_args(kit, PREKEYS_OTP_IN, 0), "1|1|" OTP);
}

static void
accepts_each_of_the_three_signed_messages(void **state)
{
	struct kit *kit = *state;
	uint8_t seed[32], public[32], secret[64], signature[64], spk[32];
	char hex[129];

	stores(kit);
	assert_int_equal(upload(kit, IDENTITY, SPK, SIG_45, NULL, ""), 200);
	assert_int_equal(upload(kit, IDENTITY, SPK, SIG_45, KEY_ID, ""), 200);
	assert_int_equal(upload(kit, IDENTITY, SPK, SIG_53, KEY_ID, ""), 200);

	memset(seed, 1, sizeof(seed));
	crypto_sign_seed_keypair(public, secret, seed);
	assert_int_equal(hex_decode(SPK, 64, spk), 0);
	crypto_sign_detached(signature, NULL, spk, sizeof(spk), secret);
	sodium_bin2hex(hex, sizeof(hex), signature, sizeof(signature));
	assert_int_equal(upload(kit, IDENTITY, SPK, hex, NULL, ""), 200);
}

static void
refuses_any_other_signature(void **state)
{
	struct kit *kit = *state;
	char changed[] = SIG_45;

	kit_forget_trace(kit);
	assert_int_equal(upload(kit, IDENTITY, SPK, SIG_53, "0102030405060709", ""), 400);
	assert_string_equal(kit_error(kit), "INVALID_SIGNATURE");
	assert_int_equal(upload(kit, IDENTITY, SPK, SIG_53, NULL, ""), 400);
	assert_int_equal(upload(kit, IDENTITY, OTP, SIG_45, NULL, ""), 400);
	changed[0] = changed[0] == '0' ? '1' : '0';
	assert_int_equal(upload(kit, IDENTITY, SPK, changed, NULL, ""), 400);
	assert_int_equal(upload(kit, IDENTITY, SPK, SPK, NULL, ""), 400); /* 32 bytes */
	assert_string_equal(kit_error(kit), "INVALID_SIGNATURE");
	assert_string_equal(kit_trace(kit), "");
}

static void
verifies_nothing_when_switched_off(void **state)
{
	struct kit *kit = kit_new(convro_module_v1());

	(void)state;
	kit_option(kit, "prekey_signature", "off");
	assert_int_equal(kit_start(kit), CONVRO_OK);
	stores(kit);
	assert_int_equal(upload(kit, IDENTITY, OTP, SIG_45, NULL, ""), 200);
	assert_int_equal(upload(kit, IDENTITY, low_order[0], SIG_45, NULL, ""), 400);
	assert_string_equal(kit_error(kit), "INVALID_SIGNED_PREKEY");
	kit_free(kit);
}

static void
refuses_points_of_low_order(void **state)
{
	struct kit *kit = *state;

	kit_forget_trace(kit);
	for (size_t i = 0; i < sizeof(low_order) / sizeof(low_order[0]); i++) {
		assert_int_equal(upload(kit, IDENTITY, low_order[i], SIG_45, NULL, ""), 400);
		assert_string_equal(kit_error(kit), "INVALID_SIGNED_PREKEY");
		assert_int_equal(upload(kit, IDENTITY, SPK, SIG_45, NULL,
				     one_time("0000000000000001", low_order[i])),
		    400);
		assert_string_equal(kit_error(kit), "INVALID_ONE_TIME_PREKEY");
	}
	for (size_t i = 0; i < sizeof(bad_identities) / sizeof(bad_identities[0]); i++) {
		assert_int_equal(upload(kit, bad_identities[i], SPK, SIG_45, NULL, ""), 400);
		assert_string_equal(kit_error(kit), "INVALID_IDENTITY_KEY");
	}
	assert_string_equal(kit_trace(kit), "");
}

static void
derives_an_id_from_the_key(void **state)
{
	struct kit *kit = *state;
	uint8_t spk[32], digest[32];
	char expected[120];
	uint64_t id = 0;

	stores(kit);
	assert_int_equal(hex_decode(SPK, 64, spk), 0);
	crypto_hash_sha256(digest, spk, sizeof(spk));
	for (int i = 0; i < 8; i++)
		id = id << 8 | digest[i];
	assert_int_equal(prekeys_derived_id(spk), (int64_t)id);
	assert_int_equal(upload(kit, IDENTITY, SPK, SIG_45, NULL, ""), 200);
	snprintf(expected, sizeof(expected), "|%lld|" SPK, (long long)(int64_t)id);
	assert_non_null(strstr(kit_args(kit, PREKEYS_UPLOAD_SIGNED, 0), expected));
}

static void
takes_the_spellings_of_other_clients(void **state)
{
	struct kit *kit = *state;
	char body[1000];

	stores(kit);
	snprintf(body, sizeof(body),
	    "{\"identityPublicKeyEd25519B64u\":\"iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w\","
	    "\"deviceId\":\"A1B2C3D4E5F60708\",\"virtualNumber\":\"+99241772\","
	    "\"signedPrekey\":{\"prekeyId\":\"" KEY_ID
	    "\",\"publicKeyX25519B64u\":\"%s\",\"signatureEd25519B64u\":\"%s\"},"
	    "\"oneTimePrekeys\":[{\"prekeyId\":\"00000000000000ff\",\"publicKeyX25519B64u\":\"%s\"}]}",
	    base64_of(SPK), base64_of(SIG_45), base64_of(OTP));
	assert_int_equal(kit_post(kit, PATH, body), 200);
	assert_string_equal(kit_args(kit, PREKEYS_OTP_IN, 0), "255|1|" OTP);
}

static void
refuses_keys_of_another_device_or_number(void **state)
{
	static const char *const more[] = { ",\"deviceId\":\"a1b2c3d4e5f60709\"",
		",\"deviceId\":\"zz\"", ",\"virtualNumber\":\"+99241773\"",
		",\"virtualNumber\":\"241772\"", ",\"virtualNumber\":5" };

	kit_forget_trace(*state);
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		assert_int_equal(upload(*state, IDENTITY, SPK, SIG_45, NULL, more[i]), 403);
		assert_string_equal(kit_error(*state), "DEVICE_MISMATCH");
	}
	assert_string_equal(kit_trace(*state), "");
}

static void
takes_a_key_that_comes_twice_as_one_and_refuses_two_under_one_id(void **state)
{
	struct kit *kit = *state;
	char more[700];

	stores(kit);
	snprintf(more, sizeof(more),
	    ",\"oneTimePrekeys\":[{\"keyId\":\"000000000000000B\",\"publicKeyX25519\":\"%s\"},"
	    "{\"keyId\":\"000000000000000a\",\"publicKeyX25519\":\"%s\"},"
	    "{\"keyId\":\"000000000000000b\",\"publicKeyX25519\":\"%s\"}]",
	    base64_of(OTP), base64_of(EPH), base64_of(OTP));
	assert_int_equal(upload(kit, IDENTITY, SPK, SIG_45, NULL, more), 200);
	assert_int_equal(kit_ran(kit, PREKEYS_OTP_IN), 2);
	assert_string_equal(kit_args(kit, PREKEYS_KNOWN, 0), DEVICE "|{11,10}"); /* their order */

	snprintf(more, sizeof(more),
	    ",\"oneTimePrekeys\":[{\"keyId\":\"000000000000000b\",\"publicKeyX25519\":\"%s\"},"
	    "{\"keyId\":\"000000000000000B\",\"publicKeyX25519\":\"%s\"}]",
	    base64_of(OTP), base64_of(EPH));
	assert_int_equal(upload(kit, IDENTITY, SPK, SIG_45, NULL, more), 409);
	assert_string_equal(kit_error(kit), "KEY_ID_CONFLICT");
	assert_int_equal(kit_ran(kit, PREKEYS_UPLOAD_TAKE), 1);
}

static int
upload_many(struct kit *kit, unsigned count)
{
	char *more = malloc(50000);
	size_t len = (size_t)snprintf(more, 50000, ",\"oneTimePrekeys\":[");
	int status;

	for (unsigned i = 0; i < count; i++)
		len += (size_t)snprintf(more + len, 200,
		    "%s{\"keyId\":\"%016x\",\"publicKeyX25519\":\"%s\"}", i > 0 ? "," : "", i,
		    base64_of(OTP));
	snprintf(more + len, 3, "]");
	status = upload(kit, IDENTITY, SPK, SIG_45, NULL, more);
	free(more);
	return status;
}

static void
takes_256_keys_a_call_and_no_more(void **state)
{
	stores(*state);
	assert_int_equal(upload_many(*state, 256), 200);
	assert_int_equal(kit_ran(*state, PREKEYS_OTP_IN), 256);
	assert_int_equal(upload_many(*state, 257), 400);
	assert_string_equal(kit_error(*state), "TOO_MANY_PREKEYS");
}

static void
lists_only_keys_that_are_unused_now(void **state)
{
	struct kit *kit = *state;

	stores(kit);
	kit_rows(kit, PREKEYS_KNOWN, NULL, "1|" OTP "|5\n2|" EPH "|\\N");
	assert_int_equal(
	    upload(kit, IDENTITY, SPK, SIG_45, NULL, one_time("0000000000000001", OTP)), 200);
	assert_string_equal(kit_member(kit, "acceptedOneTimePrekeyIds"), "[\"0000000000000002\"]");
	assert_string_equal(kit_member(kit, "storedOneTimePrekeys"), "0");
}

static void
is_refused(const char *answer, const char *known, int status, const char *code)
{
	struct kit *kit = kit_new(convro_module_v1());

	assert_int_equal(kit_start(kit), CONVRO_OK);
	kit_rows(kit, PREKEYS_UPLOAD_STATE, NULL, answer);
	kit_rows(kit, PREKEYS_KNOWN, NULL, known);
	assert_int_equal(
	    upload(kit, IDENTITY, SPK, SIG_45, NULL, one_time("0000000000000001", OTP)), status);
	assert_string_equal(kit_error(kit), code);
	kit_free(kit);
}

static void
says_why_nothing_was_stored(void **state)
{
	(void)state;
	is_refused("0|0|0|0|\\N", "", 401, "TOKEN_INVALID");
	is_refused("0|1|1|0|77", "", 409, "IDENTITY_KEY_MISMATCH");
	is_refused("0|0|1|0|77", "", 409, "KEY_ID_CONFLICT");
	is_refused("0|0|0|0|77", "1|" EPH "|\\N", 409, "KEY_ID_CONFLICT");
	is_refused("0|0|0|1000|77", "1|" OTP "|\\N", 400, "TOO_MANY_PREKEYS");
}

static void
answers_503_when_the_pool_or_the_store_is_out(void **state)
{
	kit_refuse_offload(*state, 1);
	assert_int_equal(upload(*state, IDENTITY, SPK, SIG_45, NULL, ""), 503);
	assert_string_equal(kit_error(*state), "OVERLOADED");
	kit_fails(*state, PREKEYS_UPLOAD_TAKE, CONVRO_RETRY);
	assert_int_equal(upload(*state, IDENTITY, SPK, SIG_45, NULL, ""), 503);
	assert_string_equal(kit_error(*state), "DB_UNAVAILABLE");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(stores_keys_in_one_batch),
		KIT_TEST(accepts_each_of_the_three_signed_messages),
		KIT_TEST(refuses_any_other_signature),
		cmocka_unit_test(verifies_nothing_when_switched_off),
		KIT_TEST(refuses_points_of_low_order),
		KIT_TEST(derives_an_id_from_the_key),
		KIT_TEST(takes_the_spellings_of_other_clients),
		KIT_TEST(refuses_keys_of_another_device_or_number),
		KIT_TEST(takes_a_key_that_comes_twice_as_one_and_refuses_two_under_one_id),
		KIT_TEST(takes_256_keys_a_call_and_no_more),
		KIT_TEST(lists_only_keys_that_are_unused_now),
		cmocka_unit_test(says_why_nothing_was_stored),
		KIT_TEST(answers_503_when_the_pool_or_the_store_is_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
