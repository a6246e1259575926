/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refresh and logout on the fake core, and the form of refresh tokens.
 */
#include "auth_kit.h"

#define PATH   "/v1/auth/refresh"
#define JTI    "00112233445566778899aabbccddeeff"
#define SECRET "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" /* bytes 0..31 */
#define HASH   "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd"
#define TOKEN  "rt_" JTI "_" SECRET
#define BODY   "{\"refreshToken\":\"" TOKEN "\"}"
#define STATE  "|55|" DEVICE_TEXT "|241772|Ala|4|5"

static void
is_answered(struct kit *kit, const char *state, int status, const char *code)
{
	kit_rows(kit, AUTH_REFRESH_STATE, NULL, state);
	assert_int_equal(kit_post(kit, PATH, BODY), status);
	assert_string_equal(kit_error(kit), code);
}

static void
rotates_in_one_batch(void **state)
{
	struct kit *kit = *state;
	struct refresh_token next;
	struct claims claims;
	const char *text;
	char hex[65];

	is_answered(kit, "0" STATE, 200, "");
	assert_string_equal(kit_trace(kit),
	    "[auth.refresh_lock auth.rotate auth.successor auth.kill auth.kill_epoch auth.refresh_state]");
	assert_string_equal(kit_member(kit, "userId"), "55");
	assert_string_equal(kit_member(kit, "deviceId"), DEVICE);
	assert_string_equal(kit_member(kit, "convroNumber"), "+99241772");
	assert_string_equal(kit_member(kit, "username"), "Ala");

	text = kit_member(kit, "accessToken");
	assert_true(token_read(kit_self(kit), text, strlen(text), &claims));
	assert_int_equal(claims.user_id, 55);
	assert_int_equal(claims.epoch, 4);
	assert_int_equal(claims.db_epoch, 5);

	/* What the store got: the old one's hash, the new one's jti and hash. */
	assert_int_equal(
	    strncmp(kit_args(kit, AUTH_ROTATE, 0), JTI "|" HASH "|", strlen(JTI HASH) + 2), 0);
	text = kit_member(kit, "refreshToken");
	assert_true(refresh_token_read(text, strlen(text), &next));
	sodium_bin2hex(hex, sizeof(hex), next.jti, JTI_BYTES);
	assert_non_null(strstr(kit_args(kit, AUTH_SUCCESSOR, 0), hex));
	sodium_bin2hex(hex, sizeof(hex), next.hash, SECRET_HASH_BYTES);
	assert_non_null(strstr(kit_args(kit, AUTH_SUCCESSOR, 0), hex));
}

static void
gives_the_store_the_grace_of_the_configuration(void **state)
{
	struct kit *kit = auth_new();

	(void)state;
	kit_option(kit, "refresh_reuse_grace", "30s");
	assert_int_equal(kit_start(kit), CONVRO_OK);
	assert_int_equal(kit_post(kit, PATH, BODY), 401);
	assert_non_null(strstr(kit_args(kit, AUTH_KILL, 0), "|1769862896000000|30000000"));
	kit_free(kit);
}

static void
names_each_outcome(void **state)
{
	struct kit *kit = *state;

	is_answered(kit, "", 401, "REFRESH_NOT_FOUND");
	is_answered(kit, "1" STATE, 401, "REFRESH_INVALID");
	is_answered(kit, "2" STATE, 401, "REFRESH_REVOKED");
	is_answered(kit, "3" STATE, 401, "REFRESH_EXPIRED");
	is_answered(kit, "4" STATE, 401, "REFRESH_REVOKED");
	assert_int_equal(kit_facts(kit, "auth.revoked"), 0);
}

static void
tells_everybody_when_a_family_was_killed(void **state)
{
	struct kit *kit = *state;
	const struct convro_revoked_fact *fact;

	kit_rows(kit, AUTH_KILL_EPOCH, NULL, DEVICE_TEXT "|9");
	is_answered(kit, "4" STATE, 401, "REFRESH_REVOKED");
	assert_int_equal(kit_facts(kit, "auth.revoked"), 1);
	fact = kit_fact(kit, "auth.revoked", 0);
	assert_int_equal(fact->user_id, 55);
	assert_int_equal(fact->device_id, (int64_t)0xa1b2c3d4e5f60708);
	assert_int_equal(fact->epoch, 9);
	assert_true(kit_logged(kit, "came back"));
	assert_false(kit_logged(kit, JTI)); /* no token in the log */
}

static void
tells_of_a_store_that_fails(void **state)
{
	kit_fails(*state, AUTH_ROTATE, CONVRO_UNKNOWN_OUTCOME);
	assert_int_equal(kit_post(*state, PATH, BODY), 503);
	assert_string_equal(kit_error(*state), "DB_UNAVAILABLE");
}

/* ---- the form ---- */

static void
makes_tokens_that_it_reads(void **state)
{
	struct refresh_token made, read;
	char text[REFRESH_TEXT_SIZE], other[REFRESH_TEXT_SIZE];

	(void)state;
	refresh_token_make(&made, other);
	refresh_token_make(&made, text);
	assert_string_not_equal(text, other);
	assert_int_equal(strlen(text), REFRESH_TEXT_SIZE - 1);
	assert_true(refresh_token_read(text, strlen(text), &read));
	assert_memory_equal(&made, &read, sizeof(made));
}

static void
reads_what_a_client_may_have(void **state)
{
	static const char *const texts[] = { TOKEN, "rt_00112233445566778899AABBCCDDEEFF_" SECRET,
		"rt_" JTI "_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJw" /* 40 bytes */,
		"rt_" JTI "_-_ECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct refresh_token read;

		if (!refresh_token_read(texts[i], strlen(texts[i]), &read))
			fail_msg("refused: %s", texts[i]);
	}
}

static void
refuses_any_other_form(void **state)
{
	static const char *const texts[] = { "", "rt_", "rt__", "RT_" JTI "_" SECRET,
		JTI "_" SECRET, "rt_" JTI SECRET, "rt_" JTI "-" SECRET, "rt_" JTI "_",
		"rt_" JTI "_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg" /* 31 bytes */,
		"rt_" JTI "_" SECRET "=", "rt_" JTI "_" SECRET "AA" /* a lone character */,
		"rt_" JTI "_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9" /* spare bits */,
		"rt_" JTI "_+/ECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
		"rt_" JTI "_ AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
		"rt_0011223344556677889gaabbccddeeff_" SECRET,
		"rt_00112233445566778899aabbccddeef_" SECRET,
		"rt_00112233445566778899aabbccddeeff0_" SECRET,
		"rt_0011 233445566778899aabbccddeeff_" SECRET, " " TOKEN, TOKEN " " };
	char body[300];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		snprintf(body, sizeof(body), "{\"refreshToken\":\"%s\"}", texts[i]);
		assert_int_equal(kit_post(*state, PATH, body), 400);
		assert_string_equal(kit_error(*state), "INVALID_REFRESH_TOKEN");
		assert_string_equal(kit_field(*state), "refreshToken");
	}
	assert_int_equal(kit_post(*state, PATH, "{\"refreshToken\":7}"), 400);
	assert_string_equal(kit_error(*state), "INVALID_REFRESH_TOKEN");
	assert_int_equal(kit_post(*state, PATH, "{}"), 400);
	assert_string_equal(kit_error(*state), "INVALID_REFRESH_TOKEN");
	assert_string_equal(kit_trace(*state), "");
}

static void
refuses_a_secret_that_is_far_too_long(void **state)
{
	char *text = malloc(2000);
	struct refresh_token read;

	(void)state;
	snprintf(text, 2000, "rt_" JTI "_%01000d", 0);
	assert_false(refresh_token_read(text, strlen(text), &read));
	free(text);
}

/* ---- logout ---- */

#define LOGOUT "/v1/auth/logout"

static void
ends_the_device_by_default(void **state)
{
	static const char *const bodies[] = { "", "{}", "{\"allForDevice\":true}",
		"{\"allForUser\":false,\"refreshToken\":null}",
		"{\"refreshToken\":false,\"allForDevice\":true}" };
	struct kit *kit = *state;

	kit_rows(kit, AUTH_EPOCH_DEVICE, DEVICE_TEXT "|7", DEVICE_TEXT "|3");
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		const struct convro_revoked_fact *fact;

		kit_forget_trace(kit);
		assert_int_equal(kit_post(kit, LOGOUT, bodies[i]), 200);
		assert_string_equal(kit_body(kit), "{\"ok\":true,\"scope\":\"device\"}");
		assert_string_equal(kit_trace(kit), "[auth.epoch_device auth.revoke_device]");
		fact = kit_fact(kit, "auth.revoked", (uint32_t)i);
		assert_int_equal(fact->epoch, 3);
		assert_int_equal(fact->user_id, 7);
	}
}

static void
ends_every_device_of_the_user(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, AUTH_EPOCH_USER, "7", DEVICE_TEXT "|3\n12|1\n-5|8");
	assert_int_equal(kit_post(kit, LOGOUT, "{\"allForUser\":true}"), 200);
	assert_string_equal(kit_member(kit, "scope"), "user");
	assert_int_equal(kit_facts(kit, "auth.revoked"), 3);
	assert_int_equal(
	    ((const struct convro_revoked_fact *)kit_fact(kit, "auth.revoked", 2))->device_id, -5);
	assert_string_equal(kit_trace(kit), "[auth.epoch_user auth.revoke_user]");
}

static void
ends_one_login_and_no_access_token(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, AUTH_LOGOUT_TOKEN, JTI "|" HASH "|7|1769862896000000", DEVICE_TEXT);
	assert_int_equal(kit_post(kit, LOGOUT, BODY), 200);
	assert_string_equal(kit_member(kit, "scope"), "single");
	assert_int_equal(kit_facts(kit, "auth.revoked"), 0);
}

static void
does_not_end_a_login_it_cannot_find(void **state)
{
	assert_int_equal(kit_post(*state, LOGOUT, BODY), 404);
	assert_string_equal(kit_error(*state), "REFRESH_NOT_FOUND");
	assert_int_equal(kit_post(*state, LOGOUT, "{\"refreshToken\":\"rt_x\"}"), 400);
	assert_string_equal(kit_error(*state), "INVALID_REFRESH_TOKEN");
}

static void
refuses_more_than_one_option(void **state)
{
	assert_int_equal(
	    kit_post(*state, LOGOUT, "{\"allForUser\":true,\"allForDevice\":true}"), 400);
	assert_string_equal(kit_error(*state), "INVALID_BODY");
	assert_int_equal(
	    kit_post(*state, LOGOUT, "{\"allForUser\":true,\"refreshToken\":\"" TOKEN "\"}"), 400);
	assert_string_equal(kit_error(*state), "INVALID_BODY");
	assert_string_equal(kit_trace(*state), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		AUTH_TEST(rotates_in_one_batch),
		cmocka_unit_test(gives_the_store_the_grace_of_the_configuration),
		AUTH_TEST(names_each_outcome),
		AUTH_TEST(tells_everybody_when_a_family_was_killed),
		AUTH_TEST(tells_of_a_store_that_fails),
		cmocka_unit_test(makes_tokens_that_it_reads),
		cmocka_unit_test(reads_what_a_client_may_have),
		AUTH_TEST(refuses_any_other_form),
		cmocka_unit_test(refuses_a_secret_that_is_far_too_long),
		AUTH_TEST(ends_the_device_by_default),
		AUTH_TEST(ends_every_device_of_the_user),
		AUTH_TEST(ends_one_login_and_no_access_token),
		AUTH_TEST(does_not_end_a_login_it_cannot_find),
		AUTH_TEST(refuses_more_than_one_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
