/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /v1/auth/login on the fake core: one answer for every wrong credential,
 * and what becomes of the device.
 */
#include "auth_kit.h"

#define PATH       "/v1/auth/login"
#define LOGIN(who) "{\"password\":\"correct horse\",\"deviceId\":\"" DEVICE "\"," who "}"
#define BY_NAME    LOGIN("\"username\":\"@Ala\"")
#define BY_NUMBER  LOGIN("\"convroNumber\":\"+99 241 772\"")
#define BY_BOTH    LOGIN("\"username\":\"ala\",\"convroNumber\":\"+99241772\"")
#define STORED     "[auth.device_lock auth.device_put auth.token_add auth.token_trim]"

/* User 55 with the password of BY_NAME. */
static const char *
ala(int64_t user)
{
	static char row[300];
	static char hash[crypto_pwhash_STRBYTES];

	if (hash[0] == '\0')
		assert_int_equal(crypto_pwhash_str_alg(hash, "correct horse", 13, 1, 8192,
				     crypto_pwhash_ALG_ARGON2ID13),
		    0);
	snprintf(row, sizeof(row), "%lld|241772|Ala|\\N|%s", (long long)user, hash);
	return row;
}

static int
start(void **state)
{
	struct kit *kit;

	(void)start_auth(state);
	kit = *state;
	kit_rows(kit, AUTH_FIND_NAME, "ala", ala(55));
	kit_rows(kit, AUTH_DEVICE_PUT, NULL, "1|1000|2|\\N");
	kit_rows(kit, AUTH_TOKEN_ADD, NULL, "4|5");
	return 0;
}

static void
is_refused(struct kit *kit, const char *body)
{
	uint32_t failed = kit_facts(kit, "auth.login.failed");

	kit_forget_trace(kit);
	assert_int_equal(kit_post(kit, PATH, body), 401);
	assert_string_equal(kit_error(kit), "INVALID_CREDENTIALS");
	assert_null(strstr(kit_trace(kit), "token_add"));
	assert_int_equal(kit_facts(kit, "auth.login.failed"), failed + 1);
}

static void
logs_in_by_name_whatever_its_case(void **state)
{
	struct kit *kit = *state;
	struct claims claims;
	const char *token;

	assert_int_equal(kit_post(kit, PATH, BY_NAME), 200);
	assert_string_equal(kit_trace(kit), "auth.find_name " STORED);
	assert_string_equal(kit_member(kit, "userId"), "55");
	assert_string_equal(kit_member(kit, "convroNumber"), "+99241772");
	assert_string_equal(kit_member(kit, "username"), "Ala");
	assert_string_equal(kit_member(kit, "fullName"), "null");
	assert_string_equal(kit_member(kit, "deviceId"), DEVICE);
	assert_string_equal(kit_member(kit, "platform"), "android");
	token = kit_member(kit, "accessToken");
	assert_true(token_read(kit_self(kit), token, strlen(token), &claims));
	assert_int_equal(claims.epoch, 4);
	assert_int_equal(claims.db_epoch, 5);
	assert_int_equal(kit_facts(kit, "auth.login.succeeded"), 1);
	assert_int_equal(kit_facts(kit, "auth.login.failed"), 0);
}

static void
logs_in_by_number_however_it_is_spelled(void **state)
{
	kit_rows(*state, AUTH_FIND_NUMBER, "241772", ala(55));
	assert_int_equal(kit_post(*state, PATH, BY_NUMBER), 200);
}

static void
takes_both_identifiers_of_one_user(void **state)
{
	kit_rows(*state, AUTH_FIND_NUMBER, "241772", ala(55));
	assert_int_equal(kit_post(*state, PATH, BY_BOTH), 200);
	assert_string_equal(kit_trace(*state), "auth.find_name auth.find_number " STORED);
}

static void
refuses_both_identifiers_of_two_users(void **state)
{
	kit_rows(*state, AUTH_FIND_NUMBER, "241772", ala(56));
	is_refused(*state, BY_BOTH);
}

static void
refuses_when_either_identifier_is_unknown(void **state)
{
	struct kit *kit = *state;

	is_refused(kit, BY_BOTH); /* nobody has the number */
	kit_rows(kit, AUTH_FIND_NUMBER, "241772", ala(55));
	is_refused(kit, LOGIN("\"username\":\"ola\",\"convroNumber\":\"+99241772\""));
}

static void
does_not_tell_wrong_credentials_apart(void **state)
{
	struct kit *kit = *state;
	char *body = malloc(1200);

	is_refused(kit, LOGIN("\"username\":\"nobody\""));
	is_refused(kit, LOGIN("\"username\":\"a-b!\""));
	is_refused(kit, LOGIN("\"username\":\"@\""));
	is_refused(kit, LOGIN("\"convroNumber\":\"12\""));
	is_refused(kit, LOGIN("\"convroNumber\":7"));
	is_refused(kit, LOGIN("\"username\":\"ala\",\"convroNumber\":\"12\""));
	is_refused(kit, "{\"username\":\"ala\",\"password\":\"wrong horse\"}");
	is_refused(kit, "{\"username\":\"ala\",\"password\":\"\"}");
	snprintf(body, 1200, "{\"username\":\"ala\",\"password\":\"%01100d\"}", 0);
	is_refused(kit, body);
	free(body);
}

static void
needs_an_identifier(void **state)
{
	static const char *const bodies[] = { "{\"password\":\"x\"}",
		"{\"password\":\"x\",\"username\":\"\"}",
		"{\"password\":\"x\",\"username\":\"\",\"convroNumber\":\"\"}",
		"{\"password\":\"x\",\"username\":null,\"convroNumber\":null}" };

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		assert_int_equal(kit_post(*state, PATH, bodies[i]), 400);
		assert_string_equal(kit_error(*state), "MISSING_LOGIN_IDENTIFIER");
	}
	assert_string_equal(kit_trace(*state), "");
}

static char heard[200];

static void
hears(struct convro_ctx *ctx, void *self, const void *fact)
{
	const struct convro_on_login *login = fact; /* the facts have the same members */

	(void)ctx;
	snprintf(heard + strlen(heard), sizeof(heard) - strlen(heard), "%s %s %s;",
	    (const char *)self, login->identifier, login->address);
}

static void
tells_hook_and_facts_the_same_identifier_and_address(void **state)
{
	struct kit *kit = *state;
	char ask[] = "ask", failed[] = "failed", undecided[] = "undecided";

	heard[0] = '\0';
	kit_address(kit, "2001:db8::1");
	kit_listen(kit, "auth.login", hears, ask);
	kit_listen(kit, "auth.login.failed", hears, failed);
	kit_listen(kit, "auth.login.undecided", hears, undecided);
	is_refused(kit, "{\"username\":\"@ALA\",\"password\":\"wrong horse\"}");
	kit_refuse_offload(kit, 1);
	assert_int_equal(kit_post(kit, PATH, BY_NUMBER), 503);
	assert_string_equal(heard, "ask ala 2001:db8::1;failed ala 2001:db8::1;"
				   "ask 241772 2001:db8::1;undecided 241772 2001:db8::1;");
}

static void
answers_what_a_hook_says_before_it_looks_anybody_up(void **state)
{
	struct kit *kit = *state;

	kit_deny(kit, "auth.login", 429, "RATE_LIMITED", 77);
	assert_int_equal(kit_post(kit, PATH, BY_NAME), 429);
	assert_string_equal(kit_error(kit), "RATE_LIMITED");
	assert_int_equal(kit_retry_after(kit), 77);
	assert_string_equal(kit_trace(kit), "");
	assert_int_equal(kit_facts(kit, "auth.login.failed"), 0);
	kit_deny(kit, "auth.login", 0, NULL, 0);
	assert_int_equal(kit_post(kit, PATH, BY_NAME), 200);
}

static void
counts_nothing_when_it_could_not_decide(void **state)
{
	struct kit *kit = *state;

	kit_fails(kit, AUTH_FIND_NUMBER, CONVRO_NOT_SENT);
	assert_int_equal(kit_post(kit, PATH, BY_NUMBER), 503);
	assert_string_equal(kit_error(kit), "DB_UNAVAILABLE");
	assert_int_equal(kit_facts(kit, "auth.login.undecided"), 1);
	kit_refuse_offload(kit, 1);
	assert_int_equal(kit_post(kit, PATH, BY_NAME), 503);
	assert_string_equal(kit_error(kit), "OVERLOADED");
	assert_int_equal(kit_facts(kit, "auth.login.undecided"), 2);
	assert_int_equal(kit_facts(kit, "auth.login.failed"), 0);
	assert_int_equal(kit_facts(kit, "auth.login.succeeded"), 0);
}

static void
is_denied(struct kit *kit, const char *why, const char *code)
{
	struct kit *fresh = auth_new();

	(void)kit;
	assert_int_equal(kit_start(fresh), CONVRO_OK);
	kit_rows(fresh, AUTH_FIND_NAME, "ala", ala(55));
	kit_rows(fresh, AUTH_DEVICE_WHY, DEVICE_TEXT "|55", why);
	assert_int_equal(kit_post(fresh, PATH, BY_NAME), 403);
	assert_string_equal(kit_error(fresh), code);
	kit_free(fresh);
}

static void
says_why_a_device_was_refused(void **state)
{
	is_denied(*state, "0|0", "DEVICE_OWNED_BY_OTHER_USER");
	is_denied(*state, "0|1", "DEVICE_OWNED_BY_OTHER_USER");
	is_denied(*state, "1|1", "DEVICE_REMOVED");
	is_denied(*state, "", "DEVICE_LIMIT_REACHED");
}

static void
gives_the_store_the_limits_of_the_configuration(void **state)
{
	struct kit *kit = auth_new();

	(void)state;
	kit_option(kit, "device_limit", "3");
	kit_option(kit, "logins_per_device", "2");
	assert_int_equal(kit_start(kit), CONVRO_OK);
	kit_rows(kit, AUTH_FIND_NAME, "ala", ala(55));
	kit_rows(
	    kit, AUTH_DEVICE_PUT, DEVICE_TEXT "|55|1769862896000000|\\N|\\N|3", "1|1000|0|\\N");
	kit_rows(kit, AUTH_TOKEN_ADD, NULL, "0|5");
	assert_int_equal(kit_post(kit, PATH, BY_NAME), 200);
	assert_string_equal(
	    kit_args(kit, AUTH_TOKEN_TRIM, 0), DEVICE_TEXT "|55|1769862896000000|2");
	kit_free(kit);
}

static void
makes_a_device_when_none_is_named(void **state)
{
	struct kit *kit = *state;
	char first[20];

	assert_int_equal(
	    kit_post(kit, PATH, "{\"username\":\"ala\",\"password\":\"correct horse\"}"), 200);
	snprintf(first, sizeof(first), "%s", kit_member(kit, "deviceId"));
	assert_int_equal(
	    kit_post(kit, PATH, "{\"username\":\"ala\",\"password\":\"correct horse\"}"), 200);
	assert_string_not_equal(kit_member(kit, "deviceId"), first);
}

static void
tells_failures_of_the_batch_apart(void **state)
{
	struct kit *kit = auth_new();

	(void)state;
	assert_int_equal(kit_start(kit), CONVRO_OK);
	kit_rows(kit, AUTH_FIND_NAME, "ala", ala(55));
	kit_fails(kit, AUTH_DEVICE_PUT, CONVRO_UNKNOWN_OUTCOME);
	kit_fails(kit, AUTH_DEVICE_PUT, CONVRO_FAILED);
	assert_int_equal(kit_post(kit, PATH, BY_NAME), 503);
	assert_int_equal(kit_post(kit, PATH, BY_NAME), 500);
	kit_free(kit);
}

#define TEST(function)                                                                             \
	{                                                                                          \
#function, function, start, stop_module, NULL                                      \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(logs_in_by_name_whatever_its_case),
		TEST(logs_in_by_number_however_it_is_spelled),
		TEST(takes_both_identifiers_of_one_user),
		TEST(refuses_both_identifiers_of_two_users),
		TEST(refuses_when_either_identifier_is_unknown),
		TEST(does_not_tell_wrong_credentials_apart),
		TEST(needs_an_identifier),
		TEST(tells_hook_and_facts_the_same_identifier_and_address),
		TEST(answers_what_a_hook_says_before_it_looks_anybody_up),
		TEST(counts_nothing_when_it_could_not_decide),
		TEST(says_why_a_device_was_refused),
		cmocka_unit_test(gives_the_store_the_limits_of_the_configuration),
		TEST(makes_a_device_when_none_is_named),
		cmocka_unit_test(tells_failures_of_the_batch_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
