/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Token buckets, and the named limits on the fake core.
 */
#include "module_kit.h"

#include "ratelimit.h"

static const struct convro_rate ten_a_second = {
	.size = sizeof(ten_a_second), .enabled = 1, .per_second = 10, .burst = 3
};
static const struct convro_rate hourly = {
	.size = sizeof(hourly), .enabled = 1, .per_second = 1.0 / 3600, .burst = 2
};

static bool
take(struct buckets *buckets, const struct convro_rate *rate, const char *key, int64_t now)
{
	uint32_t retry_after = 99;
	bool taken = buckets_take(buckets, rate, "limit", key, strlen(key), now, &retry_after);

	assert_true(taken == (retry_after == 0));
	return taken;
}

static void
begins_full_and_refills_up_to_its_burst(void **state)
{
	struct buckets *buckets = buckets_new(64);

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(take(buckets, &ten_a_second, "a", 1000));
	assert_false(take(buckets, &ten_a_second, "a", 1000));
	assert_false(take(buckets, &ten_a_second, "a", 1099));
	assert_true(take(buckets, &ten_a_second, "a", 1101));
	assert_false(take(buckets, &ten_a_second, "a", 1102));
	for (int i = 0; i < 3; i++)
		assert_true(take(buckets, &ten_a_second, "a", 100000));
	assert_false(take(buckets, &ten_a_second, "a", 100000));
	buckets_free(buckets);
}

static void
keeps_keys_and_limits_apart(void **state)
{
	struct buckets *buckets = buckets_new(1024);
	uint32_t retry_after;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(take(buckets, &ten_a_second, "a", 0));
	assert_false(take(buckets, &ten_a_second, "a", 0));
	assert_true(take(buckets, &ten_a_second, "b", 0));
	assert_true(buckets_take(buckets, &ten_a_second, "other", "a", 1, 0, &retry_after));
	assert_true(buckets_take(buckets, &ten_a_second, "limi", "ta", 2, 0, &retry_after));
	buckets_free(buckets);
}

static void
says_when_to_come_again_and_never_zero(void **state)
{
	struct buckets *buckets = buckets_new(64);
	uint32_t retry_after;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(take(buckets, &ten_a_second, "a", 0));
	assert_false(buckets_take(buckets, &ten_a_second, "limit", "a", 1, 0, &retry_after));
	assert_int_equal(retry_after, 1);
	assert_true(take(buckets, &hourly, "b", 0));
	assert_true(take(buckets, &hourly, "b", 0));
	assert_false(buckets_take(buckets, &hourly, "limit", "b", 1, 0, &retry_after));
	assert_in_range(retry_after, 3600, 3601);
	/* Whoever comes again when told is let in. */
	assert_true(take(buckets, &hourly, "b", (int64_t)retry_after * 1000));
	buckets_free(buckets);
}

static void
takes_back_what_was_not_used(void **state)
{
	struct buckets *buckets = buckets_new(64);

	(void)state;
	assert_true(take(buckets, &hourly, "a", 0));
	assert_true(take(buckets, &hourly, "a", 0));
	buckets_give_back(buckets, &hourly, "limit", "a", 1, 0);
	assert_true(take(buckets, &hourly, "a", 0));
	assert_false(take(buckets, &hourly, "a", 0));
	for (int i = 0; i < 9; i++) /* never above the burst */
		buckets_give_back(buckets, &hourly, "limit", "a", 1, 0);
	assert_true(take(buckets, &hourly, "a", 0));
	assert_true(take(buckets, &hourly, "a", 0));
	assert_false(take(buckets, &hourly, "a", 0));
	buckets_free(buckets);
}

static void
fills_to_the_brim_when_less_than_one_is_missing(void **state)
{
	struct buckets *buckets = buckets_new(64);

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_true(take(buckets, &hourly, "a", 0));
	buckets_give_back(
	    buckets, &hourly, "limit", "a", 1, 1800000); /* half a token came by itself */
	buckets_give_back(buckets, &hourly, "limit", "a", 1, 1800000);
	for (int i = 0; i < 2; i++)
		assert_true(take(buckets, &hourly, "a", 1800000));
	buckets_free(buckets);
}

static void
limits_nothing_that_is_off(void **state)
{
	static const struct convro_rate off = { .size = sizeof(off) };
	struct buckets *buckets = buckets_new(8);

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_true(take(buckets, &off, "a", 0));
	buckets_give_back(buckets, &off, "limit", "a", 1, 0);
	buckets_free(buckets);
}

/* One set of eight: whoever is limited stays so, however many others come by. */
static void
remembers_the_emptiest_when_it_is_crowded(void **state)
{
	struct buckets *buckets = buckets_new(8);
	char key[16];

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_true(take(buckets, &hourly, "thief", 0));
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		assert_true(take(buckets, &hourly, key, 1000));
	}
	assert_false(take(buckets, &hourly, "thief", 2000));
	buckets_free(buckets);
}

/* Buckets that were emptied long ago are full again and give way; a new one must not lose its place
 * to the next one that comes. */
static void
does_not_hold_on_to_what_has_refilled_long_ago(void **state)
{
	struct buckets *buckets = buckets_new(8);
	char key[16];

	(void)state;
	for (int i = 0; i < 8; i++) {
		snprintf(key, sizeof(key), "old%d", i);
		assert_true(take(buckets, &hourly, key, 0));
		assert_true(take(buckets, &hourly, key, 0));
	}
	for (int i = 0; i < 2; i++) { /* a day later, two take turns */
		assert_true(take(buckets, &hourly, "a", 86400000));
		assert_true(take(buckets, &hourly, "b", 86400000));
	}
	assert_false(take(buckets, &hourly, "a", 86400000));
	assert_false(take(buckets, &hourly, "b", 86400000));
	buckets_free(buckets);
}

static void
cuts_keys_that_are_too_long(void **state)
{
	struct buckets *buckets = buckets_new(64);
	char key[4000];

	(void)state;
	memset(key, 'a', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	for (int i = 0; i < 3; i++)
		assert_true(take(buckets, &ten_a_second, key, 0));
	key[3000] = 'b'; /* shares by its beginning */
	assert_false(take(buckets, &ten_a_second, key, 0));
	buckets_free(buckets);
}

/* ---- the named limits ---- */

static struct convro_verdict
request(struct kit *kit, const char *class, const char *address, int64_t device)
{
	const struct convro_route route = { .path = "/", .rate = class };
	const struct convro_principal caller = { .size = sizeof(caller), .device_id = device };
	const struct convro_on_request subject = { .size = sizeof(subject),
		.route = &route,
		.address = address,
		.principal = device != 0 ? &caller : NULL };

	return kit_ask(kit, "http.request", &subject);
}

static void
limits_registrations_of_an_address_but_not_of_loopback(void **state)
{
	static const char *const spared[] = { "127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1" };
	struct convro_verdict verdict;

	for (int i = 0; i < 60; i++)
		assert_int_equal(request(*state, "register", "192.0.2.1", 0).kind, CONVRO_ALLOW);
	verdict = request(*state, "register", "192.0.2.1", 0);
	assert_int_equal(verdict.kind, CONVRO_DENY);
	assert_int_equal(verdict.status, 429);
	assert_string_equal(verdict.code, "RATE_LIMITED");
	assert_in_range(verdict.retry_after, 59, 61); /* 60 an hour: one a minute */
	assert_int_equal(request(*state, "register", "192.0.2.2", 0).kind, CONVRO_ALLOW);
	for (size_t i = 0; i < 4 * 70; i++)
		assert_int_equal(request(*state, "register", spared[i % 4], 0).kind, CONVRO_ALLOW);
	kit_advance(*state, 61000);
	assert_int_equal(request(*state, "register", "192.0.2.1", 0).kind, CONVRO_ALLOW);
}

static void
limits_bundles_and_messages_by_device(void **state)
{
	for (int i = 0; i < 120; i++)
		assert_int_equal(request(*state, "bundle", "::1", 5).kind, CONVRO_ALLOW);
	assert_int_equal(request(*state, "bundle", "::1", 5).kind, CONVRO_DENY);
	assert_int_equal(request(*state, "bundle", "::1", 6).kind, CONVRO_ALLOW);
	for (int i = 0; i < 500; i++)
		assert_int_equal(request(*state, "send", "::1", 5).kind, CONVRO_ALLOW);
	assert_int_equal(request(*state, "send", "::1", 5).kind, CONVRO_DENY);
	kit_advance(*state, 1000);
	for (int i = 0; i < 50; i++)
		assert_int_equal(request(*state, "send", "::1", 5).kind, CONVRO_ALLOW);
	assert_int_equal(request(*state, "send", "::1", 5).kind, CONVRO_DENY);
}

static void
lets_pass_what_has_no_class_or_one_of_somebody_else(void **state)
{
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(request(*state, NULL, "192.0.2.1", 5).kind, CONVRO_ALLOW);
		assert_int_equal(request(*state, "login", "192.0.2.1", 0).kind, CONVRO_ALLOW);
		assert_int_equal(request(*state, "resolve", "192.0.2.1", 5).kind, CONVRO_ALLOW);
	}
}

static int
attempt(struct kit *kit, const char *identifier, const char *address, const char *outcome)
{
	const struct convro_on_login subject = {
		.size = sizeof(subject), .identifier = identifier, .address = address
	};
	const struct convro_login_fact fact = {
		.size = sizeof(fact), .identifier = identifier, .address = address
	};
	struct convro_verdict verdict = kit_ask(kit, "auth.login", &subject);

	if (verdict.kind == CONVRO_DENY) {
		assert_int_equal(verdict.status, 429);
		assert_true(verdict.retry_after >= 1);
	} else {
		kit_tell(kit, outcome, &fact);
	}
	return (int)verdict.kind;
}

static void
limits_failed_logins_of_a_pair_on_loopback_too(void **state)
{
	for (int i = 0; i < 10; i++)
		assert_int_equal(
		    attempt(*state, "ala", "127.0.0.1", "auth.login.failed"), CONVRO_ALLOW);
	/* The right password is not even looked at. */
	assert_int_equal(attempt(*state, "ala", "127.0.0.1", "auth.login.succeeded"), CONVRO_DENY);
	assert_int_equal(attempt(*state, "ala", "127.0.0.2", "auth.login.succeeded"), CONVRO_ALLOW);
	assert_int_equal(attempt(*state, "ola", "127.0.0.1", "auth.login.succeeded"), CONVRO_ALLOW);
	kit_advance(*state, 91000); /* ten in a quarter of an hour: one in 90 s */
	assert_int_equal(attempt(*state, "ala", "127.0.0.1", "auth.login.failed"), CONVRO_ALLOW);
	assert_int_equal(attempt(*state, "ala", "127.0.0.1", "auth.login.failed"), CONVRO_DENY);
}

static void
does_not_count_logins_that_succeed_or_came_to_nothing(void **state)
{
	for (int i = 0; i < 50; i++) {
		assert_int_equal(
		    attempt(*state, "ala", "::1", "auth.login.succeeded"), CONVRO_ALLOW);
		assert_int_equal(
		    attempt(*state, "ala", "::1", "auth.login.undecided"), CONVRO_ALLOW);
	}
}

static void
counts_attempts_that_are_still_under_way(void **state)
{
	for (int i = 0; i < 10; i++)
		assert_int_equal(attempt(*state, "ala", "::1", "nothing yet"), CONVRO_ALLOW);
	assert_int_equal(attempt(*state, "ala", "::1", "nothing yet"), CONVRO_DENY);
}

static void
tells_a_pair_from_another_with_the_same_letters(void **state)
{
	for (int i = 0; i < 10; i++)
		assert_int_equal(
		    attempt(*state, "1ala", "192.0.2.1", "auth.login.failed"), CONVRO_ALLOW);
	assert_int_equal(attempt(*state, "1ala", "192.0.2.1", "auth.login.failed"), CONVRO_DENY);
	assert_int_equal(attempt(*state, "ala", "192.0.2.11", "auth.login.failed"), CONVRO_ALLOW);
}

static void
refuses_a_login_that_it_cannot_count(void **state)
{
	const struct convro_on_login subject = {
		.size = sizeof(subject), .identifier = "ala", .address = "::1"
	};
	struct convro_verdict verdict;

	kit_memory(*state, 0);
	verdict = kit_ask(*state, "auth.login", &subject);
	assert_int_equal(verdict.kind, CONVRO_DENY);
	assert_int_equal(verdict.status, 503);
}

static void
limits_realtime_sessions_where_that_is_asked_for(void **state)
{
	const struct convro_on_socket far = { .size = sizeof(far), .address = "192.0.2.1" };
	const struct convro_on_socket near = { .size = sizeof(near), .address = "::1" };
	struct kit *kit = kit_new(convro_module_v1());
	struct convro_verdict verdict;

	for (int i = 0; i < 1000; i++)
		assert_int_equal(kit_ask(*state, "socket.connect", &far).kind, CONVRO_ALLOW);
	kit_option(kit, "socket", "1/min burst 2");
	assert_int_equal(kit_start(kit), CONVRO_OK);
	for (int i = 0; i < 2; i++)
		assert_int_equal(kit_ask(kit, "socket.connect", &far).kind, CONVRO_ALLOW);
	verdict = kit_ask(kit, "socket.connect", &far);
	assert_int_equal(verdict.kind, CONVRO_DENY);
	assert_in_range(verdict.retry_after, 59, 61);
	for (int i = 0; i < 10; i++)
		assert_int_equal(kit_ask(kit, "socket.connect", &near).kind, CONVRO_ALLOW);
	kit_free(kit);
}

static int
ask_key(struct kit *kit, int64_t user, int64_t device)
{
	const struct convro_on_one_time subject = {
		.size = sizeof(subject), .caller_user = user, .target_device = device
	};

	return (int)kit_ask(kit, "prekeys.one_time", &subject).kind;
}

static void
lets_no_account_drain_a_device(void **state)
{
	const struct convro_on_one_time unused = {
		.size = sizeof(unused), .caller_user = 1, .target_device = 2
	};

	for (int i = 0; i < 60; i++)
		assert_int_equal(ask_key(*state, 1, 2), CONVRO_ALLOW);
	assert_int_equal(ask_key(*state, 1, 2), CONVRO_DENY);
	assert_int_equal(ask_key(*state, 2, 1), CONVRO_ALLOW);
	assert_int_equal(ask_key(*state, 1, 3), CONVRO_ALLOW);
	kit_tell(*state, "prekeys.one_time.unused", &unused);
	assert_int_equal(ask_key(*state, 1, 2), CONVRO_ALLOW);
	assert_int_equal(ask_key(*state, 1, 2), CONVRO_DENY);
	kit_advance(*state, 3601000);
	assert_int_equal(ask_key(*state, 1, 2), CONVRO_ALLOW);
	assert_int_equal(ask_key(*state, 1, 2), CONVRO_ALLOW);
	assert_int_equal(ask_key(*state, 1, 2), CONVRO_DENY);
}

static void
takes_rates_from_the_configuration(void **state)
{
	struct kit *kit = kit_new(convro_module_v1());

	(void)state;
	kit_option(kit, "login", "2/h");
	kit_option(kit, "send", "off");
	assert_int_equal(kit_start(kit), CONVRO_OK);
	assert_int_equal(attempt(kit, "ala", "::1", "auth.login.failed"), CONVRO_ALLOW);
	assert_int_equal(attempt(kit, "ala", "::1", "auth.login.failed"), CONVRO_ALLOW);
	assert_int_equal(attempt(kit, "ala", "::1", "auth.login.failed"), CONVRO_DENY);
	for (int i = 0; i < 2000; i++)
		assert_int_equal(request(kit, "send", "::1", 5).kind, CONVRO_ALLOW);
	kit_free(kit);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begins_full_and_refills_up_to_its_burst),
		cmocka_unit_test(keeps_keys_and_limits_apart),
		cmocka_unit_test(says_when_to_come_again_and_never_zero),
		cmocka_unit_test(takes_back_what_was_not_used),
		cmocka_unit_test(fills_to_the_brim_when_less_than_one_is_missing),
		cmocka_unit_test(limits_nothing_that_is_off),
		cmocka_unit_test(remembers_the_emptiest_when_it_is_crowded),
		cmocka_unit_test(does_not_hold_on_to_what_has_refilled_long_ago),
		cmocka_unit_test(cuts_keys_that_are_too_long),
		KIT_TEST(limits_registrations_of_an_address_but_not_of_loopback),
		KIT_TEST(limits_bundles_and_messages_by_device),
		KIT_TEST(lets_pass_what_has_no_class_or_one_of_somebody_else),
		KIT_TEST(limits_failed_logins_of_a_pair_on_loopback_too),
		KIT_TEST(does_not_count_logins_that_succeed_or_came_to_nothing),
		KIT_TEST(counts_attempts_that_are_still_under_way),
		KIT_TEST(tells_a_pair_from_another_with_the_same_letters),
		KIT_TEST(refuses_a_login_that_it_cannot_count),
		KIT_TEST(limits_realtime_sessions_where_that_is_asked_for),
		KIT_TEST(lets_no_account_drain_a_device),
		cmocka_unit_test(takes_rates_from_the_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
