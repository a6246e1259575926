/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /v1/prekeys/bundle on the fake core, the word that keys are low, and the
 * purge of removed devices.
 */
#include "module_kit.h"

#include "prekeys.h"

#define PATH   "/v1/prekeys/bundle"
#define BUNDLE "81985529216486895|01|2|03|04|" /* device 0123456789abcdef */
#define BYTES  "81985529216486895"
#define LEAST  "-9223372036854775808"

static void
hands_out_a_key_and_consumes_it(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, PREKEYS_BUNDLE, BYTES "|55|1769862896000000|1", BUNDLE "5|06");
	kit_rows(kit, PREKEYS_FREE, BYTES, "20");
	kit_forget_trace(kit);
	assert_int_equal(kit_get(kit, PATH "?user_id=55&device_id=0123456789ABCDEF"), 200);
	assert_string_equal(kit_trace(kit), "[prekeys.bundle prekeys.free]");
	assert_string_equal(kit_body(kit),
	    "{\"responderDeviceId\":\"0123456789abcdef\",\"identityPublicKeyEd25519\":\"AQ==\","
	    "\"signedPrekeyId\":\"0000000000000002\",\"signedPrekeyPublicKeyX25519\":\"Aw==\","
	    "\"signedPrekeySignature\":\"BA==\",\"oneTimePrekeyId\":\"0000000000000005\","
	    "\"oneTimePrekeyPublicKeyX25519\":\"Bg==\"}");
	assert_int_equal(kit_pushes(kit), 0);
	assert_int_equal(kit_facts(kit, "prekeys.one_time.unused"), 0);
}

static void
has_no_key_when_none_is_left_and_says_so_to_the_limits(void **state)
{
	struct kit *kit = *state;
	const struct convro_on_one_time *fact;

	kit_rows(kit, PREKEYS_BUNDLE, NULL, BUNDLE "\\N|\\N");
	kit_rows(kit, PREKEYS_FREE, NULL, "0");
	assert_int_equal(kit_get(kit, PATH "?userId=55&deviceId=0123456789abcdef"), 200);
	assert_string_equal(kit_member(kit, "oneTimePrekeyId"), "null");
	assert_string_equal(kit_member(kit, "oneTimePrekeyPublicKeyX25519"), "null");
	fact = kit_fact(kit, "prekeys.one_time.unused", 0);
	assert_int_equal(fact->caller_user, 7);
	assert_int_equal(fact->target_device, 0x0123456789abcdef);
}

static void
takes_no_key_when_a_hook_denies_it(void **state)
{
	struct kit *kit = *state;

	kit_deny(kit, "prekeys.one_time", 429, "RATE_LIMITED", 5);
	kit_rows(kit, PREKEYS_BUNDLE, BYTES "|\\N|1769862896000000|0", BUNDLE "\\N|\\N");
	assert_int_equal(kit_get(kit, PATH "?device_id=0123456789abcdef"), 200);
	assert_int_equal(kit_facts(kit, "prekeys.one_time.unused"), 0);
}

static void
finds_the_first_device_of_a_user(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, PREKEYS_DEVICE_OF, "55", BYTES);
	kit_rows(kit, PREKEYS_BUNDLE, BYTES "|55|1769862896000000|1", BUNDLE "5|06");
	assert_int_equal(kit_get(kit, PATH "?user_id=55"), 200);
	assert_string_equal(kit_member(kit, "responderDeviceId"), "0123456789abcdef");
}

static void
looks_once_more_when_the_first_device_went_away(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, PREKEYS_DEVICE_OF, "55", "9");
	kit_rows(kit, PREKEYS_DEVICE_OF, "55", BYTES);
	kit_rows(kit, PREKEYS_BUNDLE, BYTES "|55|1769862896000000|1", BUNDLE "5|06");
	assert_int_equal(kit_get(kit, PATH "?user_id=55"), 200);
	assert_int_equal(kit_facts(kit, "prekeys.one_time.unused"), 1); /* of the first try */

	kit_rows(kit, PREKEYS_DEVICE_OF, "56", "9");
	kit_rows(kit, PREKEYS_BUNDLE_WHY, "\\N|56", "1|0");
	kit_forget_trace(kit);
	assert_int_equal(kit_get(kit, PATH "?user_id=56"), 404);
	assert_string_equal(kit_trace(kit),
	    "prekeys.device_of [prekeys.bundle prekeys.free] prekeys.device_of "
	    "[prekeys.bundle prekeys.free] prekeys.bundle_why");
}

static void
says_what_is_missing(void **state)
{
	static const struct {
		const char *query, *args, *row, *code;
	} cases[] = {
		{ "user_id=1", "\\N|1", "0|0", "USER_NOT_FOUND" },
		{ "user_id=2", "\\N|2", "1|0", "PREKEYS_NOT_FOUND" },
		{ "user_id=3&device_id=0000000000000001", "1|3", "0|1", "USER_NOT_FOUND" },
		{ "user_id=4&device_id=0000000000000001", "1|4", "1|0", "DEVICE_NOT_FOUND" },
		{ "user_id=5&device_id=0000000000000001", "1|5", "1|1", "PREKEYS_NOT_FOUND" },
		{ "device_id=0000000000000002", "2|\\N", "0|0", "DEVICE_NOT_FOUND" },
		{ "device_id=0000000000000003", "3|\\N", "0|1", "PREKEYS_NOT_FOUND" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char path[100];

		kit_rows(*state, PREKEYS_BUNDLE_WHY, cases[i].args, cases[i].row);
		snprintf(path, sizeof(path), PATH "?%s", cases[i].query);
		assert_int_equal(kit_get(*state, path), 404);
		assert_string_equal(kit_error(*state), cases[i].code);
	}
}

static void
refuses_a_query_that_names_nobody(void **state)
{
	static const char *const queries[] = { "", "?user_id=0", "?user_id=-1", "?user_id=x",
		"?device_id=12", "?user_id=1&userId=2", "?user_id=9007199254740992",
		"?user_id=%3" };

	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		char path[100];

		snprintf(path, sizeof(path), PATH "%s", queries[i]);
		assert_int_equal(kit_get(*state, path), 400);
		assert_string_equal(kit_error(*state), "INVALID_QUERY");
	}
}

static void
tells_the_owner_once_when_the_stock_gets_low(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, PREKEYS_BUNDLE, NULL, BUNDLE "5|06");
	kit_rows(kit, PREKEYS_FREE, BYTES, "20");
	kit_rows(kit, PREKEYS_FREE, BYTES, "19");
	kit_rows(kit, PREKEYS_FREE, BYTES, "18");
	for (int i = 0; i < 3; i++)
		assert_int_equal(kit_get(kit, PATH "?device_id=0123456789abcdef"), 200);
	assert_int_equal(kit_pushes(kit), 1);
	assert_string_equal(kit_push(kit, 0)->event, "prekeys.low");
	assert_string_equal(kit_push(kit, 0)->json, "{\"oneTimeAvailable\":19}");
	assert_int_equal(kit_push(kit, 0)->device, 0x0123456789abcdef);
	assert_int_equal(kit_push(kit, 0)->cursor, 0);
}

static void
does_not_tell_it_for_a_bundle_without_a_key(void **state)
{
	kit_rows(*state, PREKEYS_BUNDLE, NULL, BUNDLE "\\N|\\N");
	kit_rows(*state, PREKEYS_FREE, NULL, "19");
	assert_int_equal(kit_get(*state, PATH "?device_id=0123456789abcdef"), 200);
	assert_int_equal(kit_pushes(*state), 0);
}

static void
tells_it_on_every_connect_while_low(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, PREKEYS_FREE, "1", "19");
	kit_rows(kit, PREKEYS_FREE, "2", "20");
	kit_rows(kit, PREKEYS_FREE, "3", "0");
	assert_int_equal(kit_connect(kit, 1, -1), CONVRO_OK);
	assert_int_equal(kit_connect(kit, 2, 5), CONVRO_OK);
	assert_int_equal(kit_connect(kit, 3, 5), CONVRO_OK);
	assert_int_equal(kit_connect(kit, 4, -1), CONVRO_OK); /* never uploaded */
	assert_int_equal(kit_pushes(kit), 2);
	assert_int_equal(kit_push(kit, 0)->device, 1);
	assert_string_equal(kit_push(kit, 1)->json, "{\"oneTimeAvailable\":0}");
	kit_fails(kit, PREKEYS_FREE, CONVRO_NOT_SENT);
	assert_int_equal(kit_connect(kit, 5, -1), CONVRO_NOT_SENT);
}

static void
works_without_realtime(void **state)
{
	struct kit *kit = kit_new(convro_module_v1());

	(void)state;
	kit_without(kit, "realtime.v1");
	assert_int_equal(kit_start(kit), CONVRO_OK);
	kit_rows(kit, PREKEYS_BUNDLE, NULL, BUNDLE "5|06");
	kit_rows(kit, PREKEYS_FREE, NULL, "19");
	assert_int_equal(kit_get(kit, PATH "?device_id=0123456789abcdef"), 200);
	kit_free(kit);
}

static void
purges_a_removed_device(void **state)
{
	const struct convro_device_removed_fact fact = {
		.size = sizeof(fact), .user_id = 7, .device_id = -5
	};

	kit_tell(*state, "auth.device.removed", &fact);
	assert_string_equal(kit_args(*state, PREKEYS_PURGE, 0), "-5");
	kit_fails(*state, PREKEYS_PURGE, CONVRO_RETRY);
	kit_tell(*state, "auth.device.removed", &fact);
	assert_true(kit_logged(*state, "could not be purged"));
}

static void
purges_at_the_start_what_a_crash_left(void **state)
{
	struct kit *kit = kit_new(convro_module_v1());

	(void)state;
	kit_rows(kit, PREKEYS_PURGE_DUE, LEAST "|100", "-3\n4");
	assert_int_equal(kit_start(kit), CONVRO_OK);
	assert_int_equal(kit_ran(kit, PREKEYS_PURGE), 2);
	assert_string_equal(kit_args(kit, PREKEYS_PURGE, 1), "4");
	assert_string_equal(kit_args(kit, PREKEYS_PURGE_DUE, 1), "4|100");
	assert_int_equal(kit_ran(kit, PREKEYS_PURGE_DUE), 2);
	kit_free(kit);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(hands_out_a_key_and_consumes_it),
		KIT_TEST(has_no_key_when_none_is_left_and_says_so_to_the_limits),
		KIT_TEST(takes_no_key_when_a_hook_denies_it),
		KIT_TEST(finds_the_first_device_of_a_user),
		KIT_TEST(looks_once_more_when_the_first_device_went_away),
		KIT_TEST(says_what_is_missing),
		KIT_TEST(refuses_a_query_that_names_nobody),
		KIT_TEST(tells_the_owner_once_when_the_stock_gets_low),
		KIT_TEST(does_not_tell_it_for_a_bundle_without_a_key),
		KIT_TEST(tells_it_on_every_connect_while_low),
		cmocka_unit_test(works_without_realtime),
		KIT_TEST(purges_a_removed_device),
		cmocka_unit_test(purges_at_the_start_what_a_crash_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
