/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exactly once and in order: what is no proper arrival has to be an error.
 */
#include "deliveries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above it. */
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static struct options options;
static struct measure measure;
static struct endpoint endpoint = { .host = "localhost:1" };
static struct tokens tokens;
static struct load load = {
	.options = &options, .measure = &measure, .endpoint = &endpoint, .tokens = &tokens
};
static struct requests requests;
static struct deliveries deliveries;
static char client_ids[4][37];

/* Four messages to two recipients, taken by the server. */
static int
begin(void **state)
{
	(void)state;
	if (sodium_init() < 0)
		return -1;
	options = (struct options){ .scenario = "test", .bytes = 10 };
	measure_init(&measure, &options);
	tokens_init(&tokens, NULL, 1, 4);
	requests_init(&requests, &load);
	deliveries_init(&deliveries, &measure, &requests, 2);
	for (uint32_t i = 0; i < 4; i++) {
		const char *at;

		deliveries_begin(&deliveries, i, 1)->answered = true;
		at = strstr(requests.text, "\"clientMessageId\":\"");
		if (at == NULL)
			return -1;
		(void)snprintf(client_ids[i], sizeof(client_ids[i]), "%s", at + 19);
	}
	return 0;
}

static int
end(void **state)
{
	(void)state;
	deliveries_fini(&deliveries);
	requests_fini(&requests);
	tokens_fini(&tokens);
	return 0;
}

static const struct delivery *
arrives(uint32_t recipient, unsigned id, const char *client_id)
{
	char array[256];
	int len = snprintf(array, sizeof(array),
	    "[\"dm.message\",{\"id\":%u,\"messageId\":%u,\"clientMessageId\":\"%s\",\"authTag\":\"\"}]",
	    id, id, client_id);

	return deliveries_arrived(&deliveries, recipient, array, (size_t)len);
}

static uint64_t
missing(void)
{
	uint64_t count;

	assert_int_equal(deliveries_answered(&deliveries, &count), 4);
	return count;
}

static void
writes_requests_of_the_length_they_announce(void **state)
{
	const char *body = strstr(requests.text, "\r\n\r\n");
	char line[40];

	(void)state;
	assert_non_null(body);
	(void)snprintf(line, sizeof(line), "\r\nContent-Length: %zu\r\n", strlen(body + 4));
	assert_non_null(strstr(requests.text, line));
	assert_int_equal(strlen(requests.text), requests.len);
	assert_non_null(strstr(body, "{\"sessionId\":\"00000002\""));
}

static void
knows_what_has_arrived(void **state)
{
	(void)state;
	assert_int_equal(missing(), 4);
	assert_ptr_equal(arrives(0, 10, client_ids[0]), &deliveries.list[0]);
	assert_ptr_equal(arrives(1, 11, client_ids[1]), &deliveries.list[1]);
	assert_ptr_equal(arrives(0, 12, client_ids[2]), &deliveries.list[2]);
	assert_int_equal(missing(), 1);
	assert_int_equal(measure.errors, 0);
	assert_int_equal(deliveries.last_id[0], 12);
}

static void
complains_about_one_that_comes_twice(void **state)
{
	(void)state;
	assert_non_null(arrives(0, 10, client_ids[0]));
	assert_null(arrives(0, 11, client_ids[0]));
	assert_int_equal(measure.errors, 1);
	assert_string_equal(measure.first_error, "message 0 came twice");
}

static void
complains_about_one_that_comes_to_somebody_else(void **state)
{
	(void)state;
	assert_null(arrives(1, 10, client_ids[0]));
	assert_int_equal(measure.errors, 1);
	assert_string_equal(measure.first_error, "message 0 came to recipient 1");
}

static void
complains_about_rows_that_are_swapped(void **state)
{
	(void)state;
	assert_non_null(arrives(0, 12, client_ids[2]));
	assert_non_null(arrives(0, 10, client_ids[0]));
	assert_int_equal(measure.errors, 1);
	assert_string_equal(measure.first_error, "recipient 0 got row 10 after 12");
	assert_int_equal(deliveries.last_id[0], 12);
}

static void
leaves_rows_of_others_and_other_events_alone(void **state)
{
	static const char other[] = "[\"prekeys.low\",{\"oneTimeAvailable\":3}]";

	(void)state;
	assert_null(arrives(0, 10, "ffffffff-ffff-4000-8000-000000000000"));
	assert_int_equal(deliveries.last_id[0], 10);
	assert_null(deliveries_arrived(&deliveries, 0, other, sizeof(other) - 1));
	assert_int_equal(measure.errors, 0);
	assert_int_equal(missing(), 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    writes_requests_of_the_length_they_announce, begin, end),
		cmocka_unit_test_setup_teardown(knows_what_has_arrived, begin, end),
		cmocka_unit_test_setup_teardown(complains_about_one_that_comes_twice, begin, end),
		cmocka_unit_test_setup_teardown(
		    complains_about_one_that_comes_to_somebody_else, begin, end),
		cmocka_unit_test_setup_teardown(complains_about_rows_that_are_swapped, begin, end),
		cmocka_unit_test_setup_teardown(
		    leaves_rows_of_others_and_other_events_alone, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
