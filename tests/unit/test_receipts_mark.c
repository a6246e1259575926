/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /v1/dm/messages/receipts on the fake core, with a service of the test's.
 */
#include "module_kit.h"

#define PATH "/v1/dm/messages/receipts"

static char asked[3000]; /* what the service was asked last: device receipt ids */
static enum convro_status status;
static uint32_t updated;
static enum convro_mark found;

static void
mark(struct convro_ctx *ctx, int64_t device, enum convro_receipt receipt, const int64_t *ids,
    uint32_t count, convro_marked *done, void *arg)
{
	size_t len = (size_t)snprintf(asked, sizeof(asked), "%llx %s", (unsigned long long)device,
	    receipt == CONVRO_READ ? "READ" : "DELIVERED");

	for (uint32_t i = 0; i < count; i++)
		len += (size_t)snprintf(asked + len, 24, " %lld", (long long)ids[i]);
	done(ctx, arg, status, updated, found);
}

static const struct convro_dm_messages service = { .size = sizeof(service), .mark = mark };

static int
start(void **state)
{
	struct kit *kit = kit_new(convro_module_v1());

	kit_service(kit, "dm_messages.v1", &service);
	assert_int_equal(kit_start(kit), CONVRO_OK);
	status = CONVRO_OK;
	updated = 1;
	found = CONVRO_MARK_KNOWN;
	asked[0] = '\0';
	*state = kit;
	return 0;
}

static void
marks_one_message(void **state)
{
	assert_int_equal(kit_post(*state, PATH, "{\"messageId\":91,\"status\":\"READ\"}"), 200);
	assert_string_equal(kit_body(*state), "{\"ok\":true,\"updated\":1}");
	assert_string_equal(asked, "a1b2c3d4e5f60708 READ 91");
	assert_int_equal(kit_post(*state, "/v1/dm/receipts",
			     "{\"messageId\":\"92\",\"messageIds\":null,\"status\":\"DELIVERED\"}"),
	    200);
	assert_string_equal(asked, "a1b2c3d4e5f60708 DELIVERED 92");
}

static void
marks_several_as_numbers_or_text(void **state)
{
	updated = 2;
	assert_int_equal(
	    kit_post(*state, PATH, "{\"messageIds\":[3,\"1\",3],\"status\":\"READ\"}"), 200);
	assert_string_equal(kit_member(*state, "updated"), "2");
	assert_string_equal(asked, "a1b2c3d4e5f60708 READ 3 1 3");
}

static void
answers_zero_for_a_repeat(void **state)
{
	updated = 0;
	assert_int_equal(kit_post(*state, PATH, "{\"messageId\":91,\"status\":\"READ\"}"), 200);
	assert_string_equal(kit_body(*state), "{\"ok\":true,\"updated\":0}");
}

static void
says_of_a_single_id_whose_it_is(void **state)
{
	updated = 0;
	found = CONVRO_MARK_FOREIGN;
	assert_int_equal(kit_post(*state, PATH, "{\"messageId\":91,\"status\":\"READ\"}"), 403);
	assert_string_equal(kit_error(*state), "NOT_MESSAGE_RECIPIENT");
	found = CONVRO_MARK_UNKNOWN;
	assert_int_equal(kit_post(*state, PATH, "{\"messageId\":91,\"status\":\"READ\"}"), 404);
	assert_string_equal(kit_error(*state), "MESSAGE_NOT_FOUND");
}

static void
passes_over_foreign_and_unknown_ids_in_a_batch_of_one_too(void **state)
{
	updated = 0;
	found = CONVRO_MARK_FOREIGN;
	assert_int_equal(kit_post(*state, PATH, "{\"messageIds\":[91],\"status\":\"READ\"}"), 200);
	assert_string_equal(kit_member(*state, "updated"), "0");
	found = CONVRO_MARK_UNKNOWN;
	assert_int_equal(kit_post(*state, PATH, "{\"messageIds\":[91],\"status\":\"READ\"}"), 200);
}

static void
tells_of_a_store_that_fails(void **state)
{
	status = CONVRO_RETRY;
	found = CONVRO_MARK_UNKNOWN;
	assert_int_equal(kit_post(*state, PATH, "{\"messageId\":91,\"status\":\"READ\"}"), 503);
	assert_string_equal(kit_error(*state), "DB_UNAVAILABLE");
}

static void
names_the_field_at_fault(void **state)
{
	static const struct {
		const char *body, *code;
	} cases[] = {
		{ "{}", "INVALID_STATUS" },
		{ "{\"messageId\":1,\"status\":\"read\"}", "INVALID_STATUS" },
		{ "{\"messageId\":1,\"status\":\"PENDING\"}", "INVALID_STATUS" },
		{ "{\"messageId\":1,\"status\":2}", "INVALID_STATUS" },
		{ "{\"status\":\"READ\"}", "INVALID_MESSAGE_ID" },
		{ "{\"messageId\":0,\"status\":\"READ\"}", "INVALID_MESSAGE_ID" },
		{ "{\"messageId\":\"x\",\"status\":\"READ\"}", "INVALID_MESSAGE_ID" },
		{ "{\"messageId\":1.5,\"status\":\"READ\"}", "INVALID_MESSAGE_ID" },
		{ "{\"messageIds\":[],\"status\":\"READ\"}", "INVALID_MESSAGE_ID" },
		{ "{\"messageIds\":7,\"status\":\"READ\"}", "INVALID_MESSAGE_ID" },
		{ "{\"messageIds\":[1,null],\"status\":\"READ\"}", "INVALID_MESSAGE_ID" },
		{ "{\"messageIds\":[1,-1],\"status\":\"READ\"}", "INVALID_MESSAGE_ID" },
		{ "{\"messageId\":1,\"messageIds\":[1],\"status\":\"READ\"}",
		    "INVALID_MESSAGE_ID" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(kit_post(*state, PATH, cases[i].body), 400);
		assert_string_equal(kit_error(*state), cases[i].code);
	}
	assert_string_equal(asked, "");
}

static int
mark_many(struct kit *kit, int count)
{
	char body[2000];
	size_t len = (size_t)snprintf(body, sizeof(body), "{\"status\":\"READ\",\"messageIds\":[1");

	for (int i = 2; i <= count; i++)
		len += (size_t)snprintf(body + len, 8, ",%d", i);
	snprintf(body + len, 3, "]}");
	return kit_post(kit, PATH, body);
}

static void
takes_200_ids_and_no_more(void **state)
{
	assert_int_equal(mark_many(*state, 200), 200);
	assert_non_null(strstr(asked, " 199 200"));
	assert_int_equal(mark_many(*state, 201), 400);
	assert_string_equal(kit_error(*state), "INVALID_MESSAGE_ID");
}

#define TEST(function)                                                                             \
	{                                                                                          \
#function, function, start, stop_module, NULL                                      \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(marks_one_message),
		TEST(marks_several_as_numbers_or_text),
		TEST(answers_zero_for_a_repeat),
		TEST(says_of_a_single_id_whose_it_is),
		TEST(passes_over_foreign_and_unknown_ids_in_a_batch_of_one_too),
		TEST(tells_of_a_store_that_fails),
		TEST(names_the_field_at_fault),
		TEST(takes_200_ids_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
