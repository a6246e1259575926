/* SPDX-License-Identifier: Apache-2.0 */
/*
 * me, devices, devices/register and the removal of a device on the fake core.
 */
#include "auth_kit.h"

#define NOW "1769862896000000"

static void
says_who_is_calling(void **state)
{
	assert_int_equal(kit_get(*state, "/v1/auth/me"), 200);
	assert_string_equal(kit_body(*state),
	    "{\"userId\":7,\"deviceId\":\"" DEVICE
	    "\",\"convroNumber\":\"+99241772\",\"username\":null}");
	kit_caller(*state, 8, -1, "000001234567", "Ala");
	assert_int_equal(kit_get(*state, "/v1/auth/me"), 200);
	assert_string_equal(kit_body(*state),
	    "{\"userId\":8,\"deviceId\":\"ffffffffffffffff\","
	    "\"convroNumber\":\"+99000001234567\",\"username\":\"Ala\"}");
}

static void
lists_devices_with_what_became_of_them(void **state)
{
	kit_rows(*state, AUTH_DEVICES, "7",
	    "1|0|\\N|" NOW "|\\N|" NOW "\n" DEVICE_TEXT "|4|my \"web\"|" NOW "|" NOW "|\\N");
	assert_int_equal(kit_get(*state, "/v1/auth/devices"), 200);
	assert_string_equal(kit_body(*state),
	    "{\"devices\":["
	    "{\"deviceId\":\"0000000000000001\",\"platform\":\"unknown\",\"deviceLabel\":null,"
	    "\"createdAt\":\"2026-01-31T12:34:56.000Z\",\"lastSeenAt\":null,\"isActive\":false,\"current\":false},"
	    "{\"deviceId\":\"" DEVICE "\",\"platform\":\"web\",\"deviceLabel\":\"my \\\"web\\\"\","
	    "\"createdAt\":\"2026-01-31T12:34:56.000Z\",\"lastSeenAt\":\"2026-01-31T12:34:56.000Z\","
	    "\"isActive\":true,\"current\":true}]}");
}

static void
tells_a_new_device_from_a_known_one(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, AUTH_DEVICE_PUT, "1|7|" NOW "|3|desk|32", "9|" NOW "|3|desk");
	kit_rows(kit, AUTH_DEVICE_PUT, "2|7|" NOW "|\\N|\\N|32", "10|1000000|3|old");
	assert_int_equal(
	    kit_post(kit, "/v1/auth/devices/register",
		"{\"deviceId\":\"0000000000000001\",\"platform\":\"desktop\",\"deviceLabel\":\"desk\"}"),
	    201);
	assert_string_equal(kit_body(kit),
	    "{\"ok\":true,\"userId\":7,\"deviceId\":\"0000000000000001\",\"platform\":\"desktop\","
	    "\"deviceLabel\":\"desk\",\"createdAt\":\"2026-01-31T12:34:56.000Z\"}");
	assert_int_equal(kit_post(kit, "/v1/auth/devices/register",
			     "{\"deviceId\":\"0000000000000002\",\"deviceLabel\":\"\"}"),
	    200);
	assert_string_equal(kit_member(kit, "deviceLabel"), "old");
	assert_string_equal(kit_member(kit, "createdAt"), "1970-01-01T00:00:01.000Z");
}

static void
makes_an_id_for_an_empty_body(void **state)
{
	kit_rows(*state, AUTH_DEVICE_PUT, NULL, "9|" NOW "|0|\\N");
	assert_int_equal(kit_post(*state, "/v1/auth/devices/register", ""), 201);
	assert_int_equal(strlen(kit_member(*state, "deviceId")), 16);
}

static void
says_why_a_device_is_not_added(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, AUTH_DEVICE_WHY, "1|7", "0|0");
	kit_rows(kit, AUTH_DEVICE_WHY, "2|7", "1|1");
	assert_int_equal(
	    kit_post(kit, "/v1/auth/devices/register", "{\"deviceId\":\"0000000000000001\"}"), 403);
	assert_string_equal(kit_error(kit), "DEVICE_OWNED_BY_OTHER_USER");
	assert_int_equal(
	    kit_post(kit, "/v1/auth/devices/register", "{\"deviceId\":\"0000000000000002\"}"), 403);
	assert_string_equal(kit_error(kit), "DEVICE_REMOVED");
	assert_int_equal(kit_post(kit, "/v1/auth/devices/register", "{}"), 403);
	assert_string_equal(kit_error(kit), "DEVICE_LIMIT_REACHED");
}

static void
removes_another_device_and_tells_everybody(void **state)
{
	struct kit *kit = *state;
	const struct convro_revoked_fact *revoked;
	const struct convro_device_removed_fact *removed;

	kit_rows(kit, AUTH_DEVICE_REMOVE, "-1|7|" NOW, "-1|6");
	assert_int_equal(kit_delete(kit, "/v1/auth/devices/FFFFFFFFFFFFFFFF"), 200);
	assert_string_equal(kit_body(kit), "{\"ok\":true}");
	assert_string_equal(kit_trace(kit), "[auth.device_remove auth.revoke_device]");
	revoked = kit_fact(kit, "auth.revoked", 0);
	removed = kit_fact(kit, "auth.device.removed", 0);
	assert_int_equal(revoked->device_id, -1);
	assert_int_equal(revoked->epoch, 6);
	assert_int_equal(removed->device_id, -1);
	assert_int_equal(removed->user_id, 7);
}

static void
does_not_remove_the_caller_or_a_stranger(void **state)
{
	struct kit *kit = *state;

	assert_int_equal(kit_delete(kit, "/v1/auth/devices/" DEVICE), 409);
	assert_string_equal(kit_error(kit), "CURRENT_DEVICE");
	assert_string_equal(kit_trace(kit), "");
	assert_int_equal(kit_delete(kit, "/v1/auth/devices/0000000000000001"), 404);
	assert_string_equal(kit_error(kit), "DEVICE_NOT_FOUND");
	assert_int_equal(kit_delete(kit, "/v1/auth/devices/xyz"), 400);
	assert_string_equal(kit_error(kit), "INVALID_DEVICE_ID");
	assert_int_equal(kit_facts(kit, "auth.revoked"), 0);
}

static void
purges_old_tokens_every_hour_in_pages(void **state)
{
	struct kit *kit = *state;

	kit_changed(kit, AUTH_TOKENS_PURGE, 1000);
	kit_changed(kit, AUTH_TOKENS_PURGE, 999);
	kit_advance(kit, 3599999);
	assert_int_equal(kit_ran(kit, AUTH_TOKENS_PURGE), 0);
	kit_advance(kit, 1);
	assert_int_equal(kit_ran(kit, AUTH_TOKENS_PURGE), 2);
	kit_advance(kit, 3600000);
	assert_int_equal(kit_ran(kit, AUTH_TOKENS_PURGE), 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		AUTH_TEST(says_who_is_calling),
		AUTH_TEST(lists_devices_with_what_became_of_them),
		AUTH_TEST(tells_a_new_device_from_a_known_one),
		AUTH_TEST(makes_an_id_for_an_empty_body),
		AUTH_TEST(says_why_a_device_is_not_added),
		AUTH_TEST(removes_another_device_and_tells_everybody),
		AUTH_TEST(does_not_remove_the_caller_or_a_stranger),
		AUTH_TEST(purges_old_tokens_every_hour_in_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
