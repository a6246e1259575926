/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /v1/users/resolve on the fake core.
 */
#include "module_kit.h"

#include "users_sql.h"

static void
finds_a_peer_by_username(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, USERS_BY_USERNAME, "ala", "123|241772|ala|\\N");

	assert_int_equal(kit_get(kit, "/v1/users/resolve?username=ala"), 200);
	assert_string_equal(kit_body(kit), "{\"userId\":123,\"convroNumber\":\"+99241772\","
					   "\"username\":\"ala\",\"fullName\":null}");
}

static void
finds_a_peer_by_number_however_it_is_spelled(void **state)
{
	static const char *const spellings[] = { "convroNumber=%2B99241772",
		"convroNumber=+99241772", "convroNumber=99241772", "convroNumber=%2b99+241+772",
		"convro_number=99241772", "convro_number=99241772&convroNumber=+99241772" };
	struct kit *kit = *state;

	kit_rows(kit, USERS_BY_NUMBER, "241772", "123|241772|\\N|Ala Nowak");
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		char path[200] = "/v1/users/resolve?";

		strncat(path, spellings[i], sizeof(path) - 1 - strlen(path));
		assert_int_equal(kit_get(kit, path), 200);
		assert_string_equal(kit_body(kit), "{\"userId\":123,\"convroNumber\":\"+99241772\","
						   "\"username\":null,\"fullName\":\"Ala Nowak\"}");
	}
}

static void
takes_a_number_of_twelve_digits(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, USERS_BY_NUMBER, "123456789012", "5|123456789012|\\N|\\N");
	assert_int_equal(kit_get(kit, "/v1/users/resolve?convroNumber=99123456789012"), 200);
	assert_string_equal(kit_member(kit, "convroNumber"), "+99123456789012");
}

static void
says_so_when_nobody_matches(void **state)
{
	assert_int_equal(kit_get(*state, "/v1/users/resolve?username=nobody"), 404);
	assert_string_equal(kit_error(*state), "USER_NOT_FOUND");
}

static void
refuses_none_or_both_selectors(void **state)
{
	assert_int_equal(kit_get(*state, "/v1/users/resolve"), 400);
	assert_string_equal(kit_error(*state), "INVALID_QUERY");
	assert_int_equal(
	    kit_get(*state, "/v1/users/resolve?username=ala&convroNumber=%2B99000001"), 400);
	assert_string_equal(kit_error(*state), "INVALID_QUERY");
	assert_string_equal(kit_trace(*state), "");
}

static void
drops_one_at_sign_and_case(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, USERS_BY_USERNAME, "ala.2_b", "1|000001|Ala.2_B|\\N");
	assert_int_equal(kit_get(kit, "/v1/users/resolve?username=@ALA.2_b"), 200);
	assert_string_equal(kit_member(kit, "username"), "Ala.2_B");
	assert_int_equal(kit_get(kit, "/v1/users/resolve?username=@@ala.2_b"), 400);
}

static void
refuses_what_cannot_be_a_name(void **state)
{
	static const char *const names[] = { "", "@", "al", "@al", "a-b", "a%20b", "%C4%85%C4%87e",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "a%00b",
		"a%" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[200] = "/v1/users/resolve?username=";

		strncat(path, names[i], sizeof(path) - 1 - strlen(path));
		assert_int_equal(kit_get(*state, path), 400);
		assert_string_equal(kit_error(*state), "INVALID_QUERY");
	}
	assert_string_equal(kit_trace(*state), "");
}

static void
takes_a_name_of_sixty_four_with_its_at_sign(void **state)
{
	assert_int_equal(
	    kit_get(*state,
		"/v1/users/resolve?username=@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
	    404);
}

static void
refuses_what_cannot_be_a_number(void **state)
{
	static const char *const numbers[] = { "", "99", "9912345", "991234567890123", "98241772",
		"99-241-772", "%2B%2B99241772", "99241772x" };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char path[200] = "/v1/users/resolve?convroNumber=";

		strncat(path, numbers[i], sizeof(path) - 1 - strlen(path));
		assert_int_equal(kit_get(*state, path), 400);
		assert_string_equal(kit_error(*state), "INVALID_QUERY");
	}
}

static void
tells_failures_of_the_store_apart(void **state)
{
	struct kit *kit = *state;

	kit_fails(kit, USERS_BY_USERNAME, CONVRO_NOT_SENT);
	kit_fails(kit, USERS_BY_USERNAME, CONVRO_OVERLOAD);
	kit_fails(kit, USERS_BY_USERNAME, CONVRO_FAILED);
	assert_int_equal(kit_get(kit, "/v1/users/resolve?username=ala"), 503);
	assert_string_equal(kit_error(kit), "DB_UNAVAILABLE");
	assert_true(kit_retry_after(kit) >= 1);
	assert_int_equal(kit_get(kit, "/v1/users/resolve?username=ala"), 503);
	assert_string_equal(kit_error(kit), "OVERLOADED");
	assert_int_equal(kit_get(kit, "/v1/users/resolve?username=ala"), 500);
	assert_string_equal(kit_error(kit), "INTERNAL_ERROR");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(finds_a_peer_by_username),
		KIT_TEST(finds_a_peer_by_number_however_it_is_spelled),
		KIT_TEST(takes_a_number_of_twelve_digits),
		KIT_TEST(says_so_when_nobody_matches),
		KIT_TEST(refuses_none_or_both_selectors),
		KIT_TEST(drops_one_at_sign_and_case),
		KIT_TEST(refuses_what_cannot_be_a_name),
		KIT_TEST(takes_a_name_of_sixty_four_with_its_at_sign),
		KIT_TEST(refuses_what_cannot_be_a_number),
		KIT_TEST(tells_failures_of_the_store_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
