/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /v1/auth/register on the fake core: every outcome of the batch.
 */
#include "auth_kit.h"

#define PATH "/v1/auth/register"
#define ALA                                                                                        \
	"{\"password\":\"correct horse\",\"username\":\"Ala.2\",\"fullName\":\"Ala Nowak\",\"deviceId\":\"A1B2C3D4E5F60708\",\"platform\":\"ios\",\"deviceLabel\":\"phone\"}"

#define TRACE "[auth.device_lock auth.user_add auth.device_first auth.token_add]"

static int
start(void **state)
{
	(void)start_auth(state);
	kit_rows(*state, AUTH_ORDINALS, NULL, "16");
	return 0;
}

/* The nth argument of a statement's run. */
static const char *
argument(struct kit *kit, uint32_t statement, uint32_t nth, int index)
{
	static char text[512];
	const char *at = kit_args(kit, statement, nth);

	while (index-- > 0)
		at = strchr(at, '|') + 1;
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(at, "|"), at);
	return text;
}

static void
makes_a_user_a_device_and_a_login(void **state)
{
	struct kit *kit = *state;
	struct claims claims;
	const char *token;

	kit_rows(kit, AUTH_TOKEN_ADD, NULL, "0|5");
	assert_int_equal(kit_post(kit, PATH, ALA), 201);
	assert_string_equal(kit_trace(kit), "auth.ordinals " TRACE);
	assert_string_equal(kit_member(kit, "username"), "Ala.2");
	assert_string_equal(kit_member(kit, "fullName"), "Ala Nowak");
	assert_string_equal(kit_member(kit, "deviceId"), DEVICE);
	assert_string_equal(kit_member(kit, "platform"), "ios");
	assert_string_equal(kit_member(kit, "userId"), argument(kit, AUTH_USER_ADD, 0, 0));
	assert_int_equal(strncmp(kit_member(kit, "convroNumber"), "+99", 3), 0);
	assert_string_equal(
	    kit_member(kit, "convroNumber") + 3, argument(kit, AUTH_USER_ADD, 0, 2));
	assert_int_equal(strlen(kit_member(kit, "convroNumber")), 9);

	token = kit_member(kit, "accessToken");
	assert_true(token_read(kit_self(kit), token, strlen(token), &claims));
	assert_int_equal(claims.device_id, (int64_t)0xa1b2c3d4e5f60708);
	assert_int_equal(claims.epoch, 0);
	assert_int_equal(claims.db_epoch, 5);
	assert_int_equal(claims.expires_at, KIT_NOW_US + INT64_C(3600000000));
}

static void
stores_the_name_the_key_and_a_hash(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, AUTH_TOKEN_ADD, NULL, "0|5");
	assert_int_equal(kit_post(kit, PATH, ALA), 201);
	assert_string_equal(argument(kit, AUTH_USER_ADD, 0, 3), "Ala.2");
	assert_string_equal(argument(kit, AUTH_USER_ADD, 0, 4), "ala.2");
	assert_int_equal(
	    crypto_pwhash_str_verify(argument(kit, AUTH_USER_ADD, 0, 6), "correct horse", 13), 0);
	assert_string_equal(argument(kit, AUTH_USER_ADD, 0, 7), DEVICE_TEXT);
	assert_string_equal(argument(kit, AUTH_DEVICE_FIRST, 0, 3), "1");
	assert_string_equal(argument(kit, AUTH_DEVICE_FIRST, 0, 4), "phone");
}

static void
stores_only_a_hash_of_the_refresh_token_it_answers(void **state)
{
	struct kit *kit = *state;
	struct refresh_token refresh;
	const char *text;
	char hex[2 * SECRET_HASH_BYTES + 1];

	kit_rows(kit, AUTH_TOKEN_ADD, NULL, "0|5");
	assert_int_equal(kit_post(kit, PATH, ALA), 201);
	text = kit_member(kit, "refreshToken");
	assert_true(refresh_token_read(text, strlen(text), &refresh));
	sodium_bin2hex(hex, sizeof(hex), refresh.jti, JTI_BYTES);
	assert_string_equal(argument(kit, AUTH_TOKEN_ADD, 0, 0), hex);
	sodium_bin2hex(hex, sizeof(hex), refresh.hash, SECRET_HASH_BYTES);
	assert_string_equal(argument(kit, AUTH_TOKEN_ADD, 0, 3), hex);
}

static void
needs_no_more_than_a_password(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, AUTH_TOKEN_ADD, NULL, "0|5");
	assert_int_equal(kit_post(kit, PATH, "{\"password\":\"12345678\",\"username\":null}"), 201);
	assert_string_equal(kit_member(kit, "username"), "null");
	assert_string_equal(kit_member(kit, "fullName"), "null");
	assert_string_equal(kit_member(kit, "platform"), "unknown");
	assert_int_equal(strlen(kit_member(kit, "deviceId")), 16);
	assert_string_equal(argument(kit, AUTH_USER_ADD, 0, 3), "\\N");
	assert_string_equal(argument(kit, AUTH_USER_ADD, 0, 4), "\\N");
}

static void
names_the_field_at_fault(void **state)
{
	static const struct {
		const char *body, *code;
	} cases[] = {
		{ "{}", "PASSWORD_TOO_SHORT" },
		{ "{\"password\":\"1234567\"}", "PASSWORD_TOO_SHORT" },
		{ "{\"password\":\"\xc4\x85\xc4\x85\xc4\x85\xc4\x85\"}", "PASSWORD_TOO_SHORT" },
		{ "{\"password\":12345678}", "PASSWORD_TOO_SHORT" },
		{ "{\"password\":\"12345678\",\"username\":\"al\"}", "INVALID_USERNAME" },
		{ "{\"password\":\"12345678\",\"username\":\"@ala\"}", "INVALID_USERNAME" },
		{ "{\"password\":\"12345678\",\"username\":\"\"}", "INVALID_USERNAME" },
		{ "{\"password\":\"12345678\",\"deviceId\":\"12\"}", "INVALID_DEVICE_ID" },
		{ "{\"password\":\"12345678\",\"platform\":\"IOS\"}", "INVALID_PLATFORM" },
		{ "{\"password\":\"12345678\",\"deviceLabel\":7}", "INVALID_DEVICE_LABEL" },
		{ "{\"password\":\"12345678\",\"fullName\":true}", "INVALID_FULL_NAME" },
	};
	char *body = malloc(1100);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(kit_post(*state, PATH, cases[i].body), 400);
		assert_string_equal(kit_error(*state), cases[i].code);
	}
	snprintf(body, 1100, "{\"password\":\"%01025d\"}", 0);
	assert_int_equal(kit_post(*state, PATH, body), 400);
	assert_string_equal(kit_error(*state), "PASSWORD_TOO_LONG");
	free(body);
	assert_string_equal(kit_trace(*state), "");
}

static void
says_which_of_name_and_device_was_taken(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, AUTH_REGISTER_WHY, "ala.2|" DEVICE_TEXT, "1|1");
	kit_rows(kit, AUTH_REGISTER_WHY, "ala.2|" DEVICE_TEXT, "0|1");
	assert_int_equal(kit_post(kit, PATH, ALA), 409);
	assert_string_equal(kit_error(kit), "USERNAME_TAKEN");
	assert_int_equal(kit_post(kit, PATH, ALA), 409);
	assert_string_equal(kit_error(kit), "DEVICE_ID_TAKEN");
}

static void
loses_no_number_to_a_name_that_was_taken(void **state)
{
	struct kit *kit = *state;
	char first[512];

	kit_rows(kit, AUTH_REGISTER_WHY, NULL, "1|0");
	assert_int_equal(kit_post(kit, PATH, ALA), 409);
	snprintf(first, sizeof(first), "%s", argument(kit, AUTH_USER_ADD, 0, 2));
	assert_int_equal(kit_post(kit, PATH, ALA), 409);
	assert_string_equal(argument(kit, AUTH_USER_ADD, 1, 2), first);
}

static void
draws_again_when_the_number_was_taken(void **state)
{
	struct kit *kit = *state;
	char first[512];

	kit_rows(kit, AUTH_TOKEN_ADD, NULL, "");
	kit_rows(kit, AUTH_TOKEN_ADD, NULL, "0|5");
	kit_rows(kit, AUTH_REGISTER_WHY, NULL, "0|0");
	assert_int_equal(kit_post(kit, PATH, ALA), 201);
	assert_string_equal(kit_trace(kit), "auth.ordinals " TRACE " auth.register_why " TRACE);
	snprintf(first, sizeof(first), "%s", argument(kit, AUTH_USER_ADD, 0, 2));
	assert_string_not_equal(argument(kit, AUTH_USER_ADD, 1, 2), first);
	assert_string_equal(
	    kit_member(kit, "convroNumber") + 3, argument(kit, AUTH_USER_ADD, 1, 2));
}

static void
gives_up_when_every_number_is_taken(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, AUTH_REGISTER_WHY, NULL, "0|0");
	assert_int_equal(kit_post(kit, PATH, ALA), 500);
	assert_string_equal(kit_error(kit), "FAILED_TO_ALLOCATE_CONVRO_NUMBER");
	assert_int_equal(kit_ran(kit, AUTH_USER_ADD), 64);
}

static void
says_so_when_the_space_is_full(void **state)
{
	struct kit *kit;

	(void)state;
	kit = auth_new();
	kit_option(kit, "number_digits", "9"); /* too wide to look for gaps */
	assert_int_equal(kit_start(kit), CONVRO_OK);
	assert_int_equal(kit_post(kit, PATH, ALA), 500);
	assert_string_equal(kit_error(kit), "FAILED_TO_ALLOCATE_CONVRO_NUMBER");
	assert_true(kit_logged(kit, "number_growth"));
	assert_int_equal(kit_ran(kit, AUTH_USER_ADD), 0);
	kit_free(kit);
}

/* The row tells whether a commit that was not seen took place. */
static void
store_it_after_all(struct kit *kit, void *arg)
{
	char row[600], user[512], number[512];

	(void)arg;
	snprintf(user, sizeof(user), "%s", argument(kit, AUTH_USER_ADD, 0, 0));
	snprintf(number, sizeof(number), "%s", argument(kit, AUTH_USER_ADD, 0, 2));
	snprintf(row, sizeof(row), "%.20s|%.12s|Ala.2|3|9", user, number);
	kit_rows(kit, AUTH_ME, DEVICE_TEXT, row);
}

static void
answers_a_registration_whose_commit_was_not_seen_but_took_place(void **state)
{
	struct kit *kit = *state;
	struct claims claims;
	const char *token;

	kit_fails(kit, AUTH_TOKEN_ADD, CONVRO_UNKNOWN_OUTCOME);
	kit_meanwhile(kit, AUTH_TOKEN_ADD, store_it_after_all, NULL);
	assert_int_equal(kit_post(kit, PATH, ALA), 201);
	token = kit_member(kit, "accessToken");
	assert_true(token_read(kit_self(kit), token, strlen(token), &claims));
	assert_int_equal(claims.epoch, 3);
	assert_int_equal(claims.db_epoch, 9);
}

static void
tells_of_a_commit_that_did_not_take_place_and_reuses_the_number(void **state)
{
	struct kit *kit = *state;
	char first[512];

	kit_fails(kit, AUTH_TOKEN_ADD, CONVRO_UNKNOWN_OUTCOME);
	kit_rows(kit, AUTH_TOKEN_ADD, NULL, "0|5");
	kit_rows(kit, AUTH_ME, DEVICE_TEXT, "");
	assert_int_equal(kit_post(kit, PATH, ALA), 503);
	assert_string_equal(kit_error(kit), "DB_UNAVAILABLE");
	snprintf(first, sizeof(first), "%s", argument(kit, AUTH_USER_ADD, 0, 2));
	assert_int_equal(kit_post(kit, PATH, ALA), 201);
	assert_string_equal(argument(kit, AUTH_USER_ADD, 1, 2), first);
}

static void
takes_a_device_of_somebody_else_for_no_proof_of_a_commit(void **state)
{
	struct kit *kit = *state;

	kit_fails(kit, AUTH_TOKEN_ADD, CONVRO_UNKNOWN_OUTCOME);
	kit_rows(kit, AUTH_ME, DEVICE_TEXT, "1|000000|other|0|5");
	assert_int_equal(kit_post(kit, PATH, ALA), 503);
}

static void
burns_the_number_while_the_outcome_stays_unknown(void **state)
{
	struct kit *kit = *state;
	char first[512];

	kit_fails(kit, AUTH_TOKEN_ADD, CONVRO_UNKNOWN_OUTCOME);
	kit_rows(kit, AUTH_TOKEN_ADD, NULL, "0|5");
	kit_fails(kit, AUTH_ME, CONVRO_NOT_SENT);
	assert_int_equal(kit_post(kit, PATH, ALA), 503);
	snprintf(first, sizeof(first), "%s", argument(kit, AUTH_USER_ADD, 0, 2));
	assert_int_equal(kit_post(kit, PATH, ALA), 201);
	assert_string_not_equal(argument(kit, AUTH_USER_ADD, 1, 2), first);
}

static void
answers_503_when_the_pool_is_full(void **state)
{
	kit_refuse_offload(*state, 1);
	assert_int_equal(kit_post(*state, PATH, ALA), 503);
	assert_string_equal(kit_error(*state), "OVERLOADED");
	assert_true(kit_retry_after(*state) >= 1);
	assert_string_equal(kit_trace(*state), "");
}

static void
answers_503_when_a_hash_cannot_be_made(void **state)
{
	struct auth *auth = kit_self(*state);

	auth->password_memory = (size_t)1 << 50; /* more than there is */
	assert_int_equal(kit_post(*state, PATH, ALA), 503);
	assert_string_equal(kit_error(*state), "OVERLOADED");
	assert_string_equal(kit_trace(*state), "");
}

static void
answers_whatever_allocation_fails(void **state)
{
	struct kit *kit = *state;
	int status = 0;

	kit_rows(kit, AUTH_TOKEN_ADD, NULL, "0|5");
	for (long left = 0; status != 201; left++) {
		assert_true(left < 50);
		kit_memory(kit, left);
		status = kit_post(kit, PATH, ALA);
		kit_memory(kit, -1);
		if (status != 201)
			assert_int_equal(status, 503);
	}
}

#define TEST(function)                                                                             \
	{                                                                                          \
#function, function, start, stop_module, NULL                                      \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(makes_a_user_a_device_and_a_login),
		TEST(stores_the_name_the_key_and_a_hash),
		TEST(stores_only_a_hash_of_the_refresh_token_it_answers),
		TEST(needs_no_more_than_a_password),
		TEST(names_the_field_at_fault),
		TEST(says_which_of_name_and_device_was_taken),
		TEST(loses_no_number_to_a_name_that_was_taken),
		TEST(draws_again_when_the_number_was_taken),
		TEST(gives_up_when_every_number_is_taken),
		cmocka_unit_test(says_so_when_the_space_is_full),
		TEST(answers_a_registration_whose_commit_was_not_seen_but_took_place),
		TEST(tells_of_a_commit_that_did_not_take_place_and_reuses_the_number),
		TEST(takes_a_device_of_somebody_else_for_no_proof_of_a_commit),
		TEST(burns_the_number_while_the_outcome_stays_unknown),
		TEST(answers_503_when_the_pool_is_full),
		TEST(answers_503_when_a_hash_cannot_be_made),
		TEST(answers_whatever_allocation_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
