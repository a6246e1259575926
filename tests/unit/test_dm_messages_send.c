/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /v1/dm/messages/send and the service dm_messages.v1 on the fake core.
 */
#include "module_kit.h"

#include "dm_messages.h"

#define PATH   "/v1/dm/messages/send"
#define DEVICE "-6795153568590067960" /* the caller's, a1b2c3d4e5f60708 */
#define NOW    "1769862896000000"
#define TAG    "AAECAwQFBgcICQoLDA0ODw=="
#define BODY(more)                                                                                 \
	"{\"sessionId\":\"DEADBEEF\",\"ciphertext\":\"AQID\",\"authTag\":\"" TAG "\"" more "}"
/* outcome id ts cts ver status sender_user peer_user peer_device */
#define ROW(outcome, status) outcome "|91|1769862897000000|\\N|1|" status "|7|55|-1"

#define SHOWN(id, state)                                                                           \
	"\"id\":91,\"messageId\":91,\"serverMessageId\":\"91\",\"c6pVersion\":1,"                  \
	"\"sessionId\":\"deadbeef\",\"senderUserId\":\"7\",\"recipientUserId\":\"55\","            \
	"\"senderDeviceId\":\"a1b2c3d4e5f60708\",\"recipientDeviceId\":\"ffffffffffffffff\","      \
	"\"clientMessageId\":" id ",\"clientTimestamp\":null,"                                     \
	"\"serverTimestamp\":\"2026-01-31T12:34:57.000Z\",\"deliveryState\":\"" state "\","        \
	"\"ciphertext\":\"AQID\",\"authTag\":\"" TAG "\""

static void
stores_answers_and_pushes_the_same_row(void **state)
{
	struct kit *kit = *state;
	const struct convro_message_fact *fact;

	kit_rows(kit, DM_MESSAGES_SEND, NULL, ROW("0", "0"));
	assert_int_equal(kit_post(kit, PATH, BODY(",\"clientMessageId\":\"m1\"")), 201);
	assert_string_equal(kit_trace(kit), "[dm_messages.send_lock dm_messages.send]");
	assert_string_equal(
	    kit_body(kit), "{\"ok\":true," SHOWN("\"m1\"", "PENDING") ",\"deduped\":false}");
	assert_int_equal(kit_pushes(kit), 1);
	assert_string_equal(kit_push(kit, 0)->event, "dm.message");
	assert_int_equal(kit_push(kit, 0)->device, -1);
	assert_int_equal(kit_push(kit, 0)->cursor, 91);
	assert_string_equal(kit_push(kit, 0)->json, "{" SHOWN("\"m1\"", "PENDING") "}");
	fact = kit_fact(kit, "dm.message.stored", 0);
	assert_int_equal(fact->id, 91);
	assert_int_equal(fact->session_id, (int32_t)0xdeadbeef);
	assert_int_equal(fact->sender_user, 7);
	assert_int_equal(fact->recipient_device, -1);
}

static void
gives_the_store_what_the_client_sent(void **state)
{
	static const struct {
		const char *more, *args; /* those behind the session, up to the tag */
	} cases[] = {
		{ ",\"clientMessageId\":\"m1\"", "\\N|016d31|\\N|1" },
		{ ",\"clientMessageId\":\"m1\",\"recipientDeviceId\":\"FFFFFFFFFFFFFFFF\",\"c6pVersion\":7",
		    "-1|016d31|\\N|7" },
		{ ",\"clientMessageId\":\"m1\",\"clientTimestamp\":\"2026-01-31T13:34:56.123456+01:00\"",
		    "\\N|016d31|1769862896123456|1" },
		{ ",\"clientMessageId\":\"m1\",\"clientTimestampMs\":1769862896123",
		    "\\N|016d31|1769862896123000|1" },
		{ ",\"clientMessageId\":\"m1\",\"clientTimestampMs\":5,\"clientTimestamp\":\"1970-01-01T00:00:01Z\"",
		    "\\N|016d31|1000000|1" },
		{ ",\"clientMessageId\":\"m1\",\"clientTimestampMs\":0", "\\N|016d31|0|1" },
	};
	struct kit *kit = *state;

	kit_rows(kit, DM_MESSAGES_SEND, NULL, ROW("0", "0"));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char body[400], args[400];

		snprintf(body, sizeof(body), BODY("%s"), cases[i].more);
		snprintf(args, sizeof(args),
		    DEVICE "|-559038737|%s|000102030405060708090a0b0c0d0e0f|010203|" NOW,
		    cases[i].args);
		assert_int_equal(kit_post(kit, PATH, body), 201);
		assert_string_equal(kit_args(kit, DM_MESSAGES_SEND, (uint32_t)i), args);
	}
}

static void
answers_a_repeat_without_a_second_push(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, DM_MESSAGES_SEND, NULL, ROW("1", "2"));
	assert_int_equal(kit_post(kit, PATH, BODY(",\"clientMessageId\":\"m1\"")), 200);
	assert_string_equal(
	    kit_body(kit), "{\"ok\":true," SHOWN("\"m1\"", "READ") ",\"deduped\":true}");
	assert_int_equal(kit_pushes(kit), 0);
	assert_int_equal(kit_facts(kit, "dm.message.stored"), 0);
}

static void
names_each_refusal(void **state)
{
	static const struct {
		const char *row;
		int status;
		const char *code;
	} cases[] = {
		{ "", 404, "SESSION_NOT_FOUND" },
		{ "2|91|1|\\N|1|0|7|55|-1", 409, "CLIENT_MESSAGE_ID_REUSED" },
		{ "3|\\N|\\N|\\N|0|0|7|55|-1", 409, "SESSION_NOT_ACTIVE" },
		{ "4|\\N|\\N|\\N|0|0|7|55|-1", 409, "PEER_GONE" },
		{ "5|\\N|\\N|\\N|0|0|7|55|-1", 400, "RECIPIENT_MISMATCH" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		kit_rows(*state, DM_MESSAGES_SEND, NULL, cases[i].row);
		assert_int_equal(kit_post(*state, PATH, BODY("")), cases[i].status);
		assert_string_equal(kit_error(*state), cases[i].code);
	}
	kit_fails(*state, DM_MESSAGES_SEND, CONVRO_UNKNOWN_OUTCOME);
	assert_int_equal(kit_post(*state, PATH, BODY("")), 503);
	assert_int_equal(kit_pushes(*state), 0);
}

static void
names_the_field_at_fault(void **state)
{
	static const struct {
		const char *body;
		int status;
		const char *code;
	} cases[] = {
		{ "{}", 400, "INVALID_SESSION_ID" },
		{ "{\"sessionId\":\"deadbee\"}", 400, "INVALID_SESSION_ID" },
		{ "{\"sessionId\":\"deadbeef\"}", 400, "INVALID_CIPHERTEXT" },
		{ "{\"sessionId\":\"deadbeef\",\"ciphertext\":\"\"}", 400, "INVALID_CIPHERTEXT" },
		{ "{\"sessionId\":\"deadbeef\",\"ciphertext\":\"AQ\"}", 400, "INVALID_AUTH_TAG" },
		{ "{\"sessionId\":\"deadbeef\",\"ciphertext\":\"AQ=\"}", 400,
		    "INVALID_CIPHERTEXT" },
		{ "{\"sessionId\":\"deadbeef\",\"ciphertext\":\"AQ==\",\"authTag\":\"AQ==\"}", 400,
		    "INVALID_AUTH_TAG" },
		{ BODY(",\"clientMessageId\":\"\""), 400, "INVALID_CLIENT_MESSAGE_ID" },
		{ BODY(",\"clientMessageId\":5"), 400, "INVALID_CLIENT_MESSAGE_ID" },
		{ BODY(
		      ",\"clientMessageId\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""),
		    400, "INVALID_CLIENT_MESSAGE_ID" },
		{ BODY(",\"clientTimestamp\":\"yesterday\""), 400, "INVALID_CLIENT_TIMESTAMP" },
		{ BODY(",\"clientTimestamp\":5"), 400, "INVALID_CLIENT_TIMESTAMP" },
		{ BODY(",\"clientTimestampMs\":-1"), 400, "INVALID_CLIENT_TIMESTAMP" },
		{ BODY(",\"clientTimestampMs\":253402300800000"), 400, "INVALID_CLIENT_TIMESTAMP" },
		{ BODY(",\"c6pVersion\":2147483648"), 400, "INVALID_BODY" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(kit_post(*state, PATH, cases[i].body), cases[i].status);
		assert_string_equal(kit_error(*state), cases[i].code);
	}
	assert_string_equal(kit_trace(*state), "");
}

static void
takes_64_kib_and_no_more(void **state)
{
	char *body = malloc(100000), *text = malloc(90000);

	kit_rows(*state, DM_MESSAGES_SEND, NULL, ROW("0", "0"));
	memset(text, 'A', 87384);
	text[87382] = '\0'; /* 65536 bytes without padding */
	snprintf(body, 100000,
	    "{\"sessionId\":\"deadbeef\",\"ciphertext\":\"%s\",\"authTag\":\"" TAG "\"}", text);
	assert_int_equal(kit_post(*state, PATH, body), 201);
	text[87382] = 'A';
	text[87383] = '\0'; /* 65537 */
	snprintf(body, 100000,
	    "{\"sessionId\":\"deadbeef\",\"ciphertext\":\"%s\",\"authTag\":\"" TAG "\"}", text);
	assert_int_equal(kit_post(*state, PATH, body), 413);
	assert_string_equal(kit_error(*state), "MESSAGE_TOO_LARGE");
	free(body);
	free(text);
}

static void
counts_characters_of_an_id_not_bytes(void **state)
{
	char id[200] = "", body[600];

	kit_rows(*state, DM_MESSAGES_SEND, NULL, ROW("0", "0"));
	for (int i = 0; i < 64; i++)
		memcpy(id + 2 * i, "\xc5\xbc", 3);
	snprintf(body, sizeof(body), BODY(",\"clientMessageId\":\"%s\""), id);
	assert_int_equal(kit_post(*state, PATH, body), 201);
	assert_string_equal(kit_member(*state, "clientMessageId"), id);
}

static void
stores_what_it_cannot_push(void **state)
{
	struct kit *kit = *state;
	int status = 0;

	kit_rows(kit, DM_MESSAGES_SEND, NULL, ROW("0", "0"));
	for (long left = 0; status != 201; left++) {
		assert_true(left < 20);
		kit_memory(kit, left);
		status = kit_post(kit, PATH, BODY(""));
		kit_memory(kit, -1);
	}
	assert_int_equal(kit_pushes(kit), 0);
	assert_true(kit_logged(kit, "message 91 was not pushed"));
}

static void
works_without_realtime(void **state)
{
	struct kit *kit = kit_new(convro_module_v1());

	(void)state;
	kit_without(kit, "realtime.v1");
	assert_int_equal(kit_start(kit), CONVRO_OK);
	kit_rows(kit, DM_MESSAGES_SEND, NULL, ROW("0", "0"));
	assert_int_equal(kit_post(kit, PATH, BODY("")), 201);
	assert_int_equal(kit_facts(kit, "dm.message.stored"), 1);
	kit_free(kit);
}

/* ---- marks ---- */

struct marking {
	const int64_t *ids;
	uint32_t count, times, updated;
	enum convro_receipt receipt;
	enum convro_status status;
	enum convro_mark mark;
};

static void
marked(struct convro_ctx *ctx, void *arg, enum convro_status status, uint32_t updated,
    enum convro_mark mark)
{
	struct marking *marking = arg;

	(void)ctx;
	marking->times++;
	marking->status = status;
	marking->updated = updated;
	marking->mark = mark;
}

static void
ask(struct convro_ctx *ctx, void *arg)
{
	struct marking *marking = arg;

	dm_messages_service.mark(
	    ctx, 9, marking->receipt, marking->ids, marking->count, marked, marking);
}

static struct marking
mark(struct kit *kit, enum convro_receipt receipt, const int64_t *ids, uint32_t count)
{
	struct marking marking = { .ids = ids, .count = count, .receipt = receipt };

	kit_run(kit, ask, &marking);
	assert_int_equal(marking.times, 1);
	return marking;
}

static void
marks_and_tells_each_sender(void **state)
{
	const int64_t ids[] = { 91, 92, 93, 91 };
	struct kit *kit = *state;
	const struct convro_receipt_fact *fact;
	struct marking marking;

	kit_rows(kit, DM_MESSAGES_RECEIPT, "9|2|91|" NOW, "91|-559038737|-1");
	kit_rows(kit, DM_MESSAGES_RECEIPT, "9|2|91|" NOW, "");
	kit_rows(kit, DM_MESSAGES_RECEIPT, "9|2|93|" NOW, "93|1|4");
	marking = mark(kit, CONVRO_READ, ids, 4);
	assert_int_equal(marking.status, CONVRO_OK);
	assert_int_equal(marking.updated, 2);
	assert_int_equal(marking.mark, CONVRO_MARK_KNOWN);
	assert_int_equal(kit_pushes(kit), 2);
	assert_string_equal(kit_push(kit, 0)->event, "dm.receipt");
	assert_int_equal(kit_push(kit, 0)->device, -1);
	assert_string_equal(kit_push(kit, 0)->json,
	    "{\"messageId\":91,\"sessionId\":\"deadbeef\",\"deviceId\":\"0000000000000009\","
	    "\"status\":\"READ\",\"at\":\"2026-01-31T12:34:56.000Z\"}");
	assert_int_equal(kit_push(kit, 1)->device, 4);
	fact = kit_fact(kit, "dm.receipt.stored", 1);
	assert_int_equal(fact->status, CONVRO_READ);
	assert_int_equal(fact->message, 93);
	assert_int_equal(fact->recipient_device, 9);
	assert_int_equal(kit_ran(kit, DM_MESSAGES_RECEIPT_WHY), 0);
}

static void
says_of_a_single_message_why_nothing_changed(void **state)
{
	const int64_t ids[] = { 1, 2, 3 };
	struct kit *kit = *state;

	kit_rows(kit, DM_MESSAGES_RECEIPT_WHY, "1|9", "1");
	kit_rows(kit, DM_MESSAGES_RECEIPT_WHY, "2|9", "0");
	assert_int_equal(mark(kit, CONVRO_DELIVERED, ids, 1).mark, CONVRO_MARK_KNOWN);
	assert_int_equal(mark(kit, CONVRO_DELIVERED, ids + 1, 1).mark, CONVRO_MARK_FOREIGN);
	assert_int_equal(mark(kit, CONVRO_DELIVERED, ids + 2, 1).mark, CONVRO_MARK_UNKNOWN);
	assert_int_equal(mark(kit, CONVRO_DELIVERED, ids, 3).mark, CONVRO_MARK_KNOWN);
	assert_int_equal(kit_ran(kit, DM_MESSAGES_RECEIPT_WHY), 3);
	kit_fails(kit, DM_MESSAGES_RECEIPT, CONVRO_RETRY);
	assert_int_equal(mark(kit, CONVRO_DELIVERED, ids, 1).status, CONVRO_RETRY);
	assert_int_equal(kit_pushes(kit), 0);
}

static void
marks_what_a_client_acknowledges(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, DM_MESSAGES_RECEIPT, "9|1|91|" NOW, "91|1|4");
	kit_acknowledge(kit, "dm.message", 9, 91);
	assert_string_equal(kit_member_of(kit, kit_push(kit, 0)->json, "status"), "DELIVERED");
	kit_fails(kit, DM_MESSAGES_RECEIPT, CONVRO_NOT_SENT);
	kit_acknowledge(kit, "dm.message", 9, 92);
	assert_true(kit_logged(kit, "could not be marked"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(stores_answers_and_pushes_the_same_row),
		KIT_TEST(gives_the_store_what_the_client_sent),
		KIT_TEST(answers_a_repeat_without_a_second_push),
		KIT_TEST(names_each_refusal),
		KIT_TEST(names_the_field_at_fault),
		KIT_TEST(takes_64_kib_and_no_more),
		KIT_TEST(counts_characters_of_an_id_not_bytes),
		KIT_TEST(stores_what_it_cannot_push),
		cmocka_unit_test(works_without_realtime),
		KIT_TEST(marks_and_tells_each_sender),
		KIT_TEST(says_of_a_single_message_why_nothing_changed),
		KIT_TEST(marks_what_a_client_acknowledges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
